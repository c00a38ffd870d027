"""One fix for many waiting rows, on a page: chosen, looked at, done to exactly the rows that were looked at."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from lienthong.access import Actor
from lienthong.contracts import Contract
from lienthong.errors import Unprocessable
from lienthong.pipeline import fixing
from lienthong.pipeline.correct import By
from lienthong.pipeline.matching import PLATFORM
from lienthong.standards import PROBLEMS
from lienthong.store import quarantine
from lienthong.web.fixes import do, look
from lienthong.web.pages.console.owning import owner_of
from lienthong.web.pages.forms import Form, go
from lienthong.web.pages.page import Page, Table
from lienthong.web.pages.site import Site
from lienthong.web.pages.visiting import Visit

HOWS = ("put", "clear", "suggest")


def shown(site: Site, visit: Visit) -> Page:
    """What can be fixed by a rule: the issues there are, and the form."""
    _, contract = owner_of(site, visit)
    return _page(site, visit, contract, {}, None)


def act(site: Site, visit: Visit, form: Form) -> Any:
    """Without a digest: the preview. With it: the fix is done."""
    actor, contract = owner_of(site, visit, form.get("csrf", ""))
    fix, by, digest = _fix_of(form), _by(actor), form.get("digest", "")
    if not digest:
        return _page(site, visit, contract, form, look(site.counter.workshop, contract, fix, by))
    done = do(site.counter.workshop, contract, fix, by, digest)
    return go(f"/console/datasets/{contract.id}/fix", through=done["through"], waiting=done["waiting"])


def _by(actor: Actor) -> By:
    return By(actor.name, actor.subsystem or PLATFORM)


def _fix_of(form: Form) -> fixing.Fix:
    how = form.get("how", "")
    if how not in HOWS:
        raise Unprocessable(f"`how`: expected one of {', '.join(HOWS)}.", vi="Chưa chọn cách sửa.")
    column, _, code = form.get("issue", "").partition(" ")
    return fixing.Fix(
        column, code, form.get("equals") or None, form.get("pattern", ""), form.get("put", "") if how == "put" else None, how == "clear",
        {}, how == "suggest",
    )  # fmt: skip


def _words(visit: Visit, contract: Contract) -> Callable[[str], str]:
    """What is wrong, in words, by its code: a standard's problem, or what the contract's rule expects; the code itself where nothing is said of it."""
    from lienthong.quality import promised_rules, words_of_rules  # noqa: PLC0415 # loads polars, which only these pages need

    said = {rule.id: words for rule, words in zip(promised_rules(contract), words_of_rules(contract), strict=True)}
    said |= {code: (problem.vi, problem.en) for code, problem in PROBLEMS.items()}
    return lambda code: visit.speech.pick(*said[code]) if code in said else code


def _page(site: Site, visit: Visit, contract: Contract, form: Form, seen: dict[str, Any] | None) -> Page:
    titles = {p.name: p for p in contract.properties}
    with site.counter.workshop.database.connect() as connection:
        counted = Counter[tuple[str, str]]()
        for column, code, rows in quarantine.issues_waiting(connection, contract.id):
            if column in titles:
                counted[column, code] += rows
    said = _words(visit, contract)
    issues = [
        {
            "value": f"{column} {code}",
            "title": titles[column].title_vi,
            "title_en": titles[column].title_en,
            "code": code,
            "said": said(code),
            "rows": rows,
        }
        for (column, code), rows in counted.most_common()
    ]
    facts = {
        "id": contract.id, "title": contract.title_vi, "title_en": contract.title_en, "issues": issues,
        "chosen": {name: form.get(name, "") for name in ("issue", "equals", "pattern", "how", "put")}, "preview": seen,
        "through": visit.whole("through", 0, 2**31), "waiting": visit.whole("waiting", 0, 2**31),
        "done": bool(visit.text("through")),
    }  # fmt: skip
    table = Table(("column", "code", "rows"), [(*pair, rows) for pair, rows in counted.most_common()])
    return Page("console/fix.html", visit.speech.t("console.fix_title"), facts, table)
