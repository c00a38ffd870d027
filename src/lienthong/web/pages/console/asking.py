"""Asking for access, once: which of the wanted fields are held already and by whom; and the request itself, to whoever is authoritative."""

from __future__ import annotations

import re
from typing import Any

from lienthong.access import Role
from lienthong.catalog.held import Field, already_held
from lienthong.clock import vietnam_date
from lienthong.errors import NotFound, Unprocessable
from lienthong.pipeline import agreeing
from lienthong.quality.drafting import standard_named
from lienthong.sharing.way_out import request_for
from lienthong.store import subsystems
from lienthong.web import acting
from lienthong.web.pages.forms import Form, go, text_in
from lienthong.web.pages.page import Page, Table
from lienthong.web.pages.site import Site
from lienthong.web.pages.visiting import Visit

MOST_FIELDS = 60
OPERATIONS = ("look_up", "list", "changes")
COLUMNS = ("field", "dataset", "title", "column", "agency", "agency_name", "is_authoritative")
_PURPOSE = re.compile(r"[a-z0-9][a-z0-9-]{0,59}")


def shown(site: Site, visit: Visit) -> Page:
    """The fields somebody wants, one a line; where each is held; the datasets that together hold most of them."""
    actor = acting.require(visit.request, Role.DATA_OFFICER, Role.INTEGRATOR)
    wanted = [line.strip() for line in re.split(r"[\n,;]", visit.text("fields")) if line.strip()][:MOST_FIELDS]
    found = already_held(site.contracts, [Field(name, name, standard_named(name)) for name in wanted])
    told = []
    for each in found:
        contract = site.contracts[each.dataset]
        told.append({"field": each.field, "dataset": each.dataset, "title": contract.title_vi, "title_en": contract.title_en, "column": each.column, "agency": each.agency, "agency_name": site.agency(each.agency), "is_mine": actor.is_of(each.agency), "is_authoritative": each.is_authoritative})  # fmt: skip
    sums: dict[str, set[str]] = {}
    for line in told:
        sums.setdefault(str(line["dataset"]), set()).add(str(line["field"]))
    best = sorted(sums, key=lambda dataset: (-len(sums[dataset]), dataset))
    with site.counter.workshop.database.connect() as connection:
        systems = [each.identifier for each in subsystems.everything(connection).values() if each.agency == actor.agency and each.is_active]
    facts: dict[str, Any] = {
        "fields": wanted,
        "held": told,
        "not_held": [name for name in wanted if not any(line["field"] == name for line in told)],
        "datasets": [_dataset(site, told, dataset) for dataset in best],
        "subsystems": systems,
    }
    table = Table(COLUMNS, [[each[name] for name in COLUMNS] for each in told])
    return Page("console/asking.html", visit.speech.t("asking.title"), facts, table, {"operations": OPERATIONS})


def _dataset(site: Site, told: list[dict[str, Any]], dataset: str) -> dict[str, Any]:
    contract = site.contracts[dataset]
    columns = [line["column"] for line in told if line["dataset"] == dataset]
    mine = next(line["is_mine"] for line in told if line["dataset"] == dataset)
    keys = [p.name for p in contract.key]
    return {"id": dataset, "title": contract.title_vi, "title_en": contract.title_en, "agency_name": site.agency(contract.agency), "sharing": contract.sharing.value, "columns": list(dict.fromkeys([*keys, *columns])), "is_mine": mine, "titles": {p.name: p.title_vi for p in contract.properties}, "titles_en": {p.name: p.title_en for p in contract.properties}}  # fmt: skip


def ask(site: Site, visit: Visit, form: Form) -> Any:
    """File the request. What lies within the standing offer is granted at once; the rest waits for its owner, by the clock."""
    actor = acting.require(visit.request, Role.DATA_OFFICER, Role.INTEGRATOR, csrf=form.get("csrf", ""))
    contract = site.contracts.get(text_in(form, "dataset"))
    if contract is None:
        raise NotFound("There is no such dataset.", vi="Không có bộ dữ liệu này.")
    purpose, words, operation = text_in(form, "purpose"), text_in(form, "words"), text_in(form, "operation", "look_up")
    if not _PURPOSE.fullmatch(purpose) or not words or operation not in OPERATIONS:
        raise Unprocessable(
            "A purpose has a short name of small letters, and words.", vi="Mục đích cần tên ngắn (chữ thường, không dấu) và lời nêu rõ."
        )
    names = [p.name for p in contract.properties if form.get(f"field:{p.name}") == "yes"]
    if not names:
        raise Unprocessable("Choose the fields.", vi="Hãy chọn các trường cần dùng.")
    rules = agreeing.rules_of(site.settings)
    body = request_for(contract, text_in(form, "consumer"), purpose, operation, vietnam_date(site.counter.clock()), rules.offer, names)[
        "body"
    ]
    body["purposes"] = {purpose: {"vi": words, "en": text_in(form, "words_en", "") or words}}
    if text_in(form, "legal_basis", ""):
        body["legal_basis"] = text_in(form, "legal_basis")
    kept = agreeing.request(site.counter.workshop, rules, site.register(), actor, body)
    return go("/console/exchange", asked=kept.id)
