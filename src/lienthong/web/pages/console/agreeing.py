"""An agency's agreements: requests that wait for its answer with their day, and every act of their life. What may be done is `pipeline.agreeing`'s."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from starlette.responses import Response

from lienthong.access import Act, Actor, Identity, Role, State
from lienthong.clock import vietnam_date
from lienthong.errors import BadRequest, NotFound
from lienthong.pipeline import agreeing
from lienthong.pipeline.agreeing import COPIES, Said, rules_of
from lienthong.store import agreements as store
from lienthong.store.agreements import Kept
from lienthong.web import acting
from lienthong.web.pages.forms import Act as FormAct
from lienthong.web.pages.forms import Form, go, text_in
from lienthong.web.pages.page import Page, Table
from lienthong.web.pages.portal.regulations import told_of_agreement
from lienthong.web.pages.site import Site, Way
from lienthong.web.pages.visiting import Visit

ROLES = (Role.DATA_OFFICER, Role.INTEGRATOR, Role.LEADER)
SHOWN = 200
LATER = (Act.ACTIVATE, Act.SUSPEND, Act.RESUME, Act.DEMAND_USAGE, Act.REPORT_USAGE, Act.END, Act.CONFIRM_DESTRUCTION)  # once it is answered
COLUMNS = ("id", "state", "side", "dataset", "other", "due_on", "since")


def listed(site: Site, visit: Visit) -> Page:
    """Those of one's agency on both sides, what waits for its answer first, the nearest day on top."""
    actor = acting.require(visit.request, *ROLES)
    today = vietnam_date(site.counter.clock())
    with site.counter.workshop.database.connect() as connection:
        kept = {k.id: k for k in (*store.standing(connection, provider=actor.agency), *store.standing(connection, consumer=actor.agency))}
        found = [_facts(site, actor, k, _due_on(store.steps(connection, k.id)), today) for k in kept.values() if k.state is not State.ENDED]
    found.sort(key=lambda a: (not a["waits_for_us"], a["due_on"] or date.max, a["id"]))
    facts = {"agency": actor.agency, "agency_name": site.agency(actor.agency), "agreements": found[:SHOWN]}
    return Page(
        "console/agreements.html", visit.speech.t("agreeing.title"), facts, Table(COLUMNS, [[a[name] for name in COLUMNS] for a in found])
    )


def shown(site: Site, visit: Visit) -> Page:
    actor = acting.require(visit.request, *ROLES)
    kept, steps = _theirs(site, visit, actor)
    document = dict(kept.document)
    facts = {
        **_facts(site, actor, kept, _due_on(steps), vietnam_date(site.counter.clock())),
        "document": document,
        "regulation": str(document.get("regulation") or ""),
        "regulations": told_of_agreement(site, kept.dataset, kept.provider),
        "step": kept.step,
        "copies": _copies(actor, kept, steps),
        "acts": [_offered(what, kept) for what in LATER if _is_offered(what, actor, kept, steps)],
        "steps": [
            {"act": each.act, "at": each.at, "agency": each.agency, "by": each.by, "reason": each.reason, "legal_text": each.legal_text} for each in steps
        ],
    }  # fmt: skip
    purposes = [visit.speech.pick(words.get("vi"), words.get("en")) for words in document.get("purposes", {}).values()]
    rows = [(each["act"], each["at"], each["agency"], each["reason"]) for each in facts["steps"]]
    title = visit.speech.t("agreeing.number", id=kept.id)
    return Page(
        "console/agreement.html",
        title,
        facts,
        Table(("act", "at", "agency", "reason"), rows),
        {
            "purposes": purposes,
            "term": _term(document),
            "fields": _fields(site, visit, kept.dataset, document),
            "agency": site.agency,
            "basis": _basis(visit, document),
            "copies": [(value, visit.speech.pick(*words)) for value, words in COPIES.items()],
        },
    )


def grant(site: Site, visit: Visit, form: Form) -> Response:
    """Say yes; where two persons are needed the first yes is kept for the second."""
    return _act(site, visit, form, Act.GRANT, Said(seen=_step(form)))


def refuse(site: Site, visit: Visit, form: Form) -> Response:
    """Say no, with the reason and the legal text it stands on."""
    return _act(site, visit, form, Act.REFUSE, Said(text_in(form, "reason", ""), text_in(form, "legal_text", ""), seen=_step(form)))


def go_on(site: Site, visit: Visit, form: Form) -> Response:
    """One of the acts after the answer, as the field `act` names it."""
    name = text_in(form, "act")
    what = next((each for each in LATER if each == name), None)
    if what is None:
        raise BadRequest("There is no such act.", vi="Không có việc này.")
    return _act(site, visit, form, what, Said(text_in(form, "reason", ""), copies=text_in(form, "copies", ""), seen=_step(form)))


def _act(site: Site, visit: Visit, form: Form, what: Act, said: Said) -> Response:
    actor = acting.require(visit.request, *ROLES, csrf=form.get("csrf", ""))
    number = visit.path["agreement"]
    agreeing.act(site.counter.workshop, rules_of(site.settings), site.register(), actor, number, what, said)
    return go(f"/console/agreements/{number}")


def _step(form: Form) -> int | None:
    text = form.get("step", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


def _theirs(site: Site, visit: Visit, actor: Actor) -> tuple[Kept, Any]:
    """Raises NotFound for one of other agencies: whether it is there is theirs to know."""
    number = visit.path["agreement"]
    with site.counter.workshop.database.connect() as connection:
        kept = None if "\x00" in number else store.find(connection, number)
        if kept is None or not (actor.is_of(kept.provider) or actor.is_of(Identity.parse(kept.consumer).agency)):
            raise NotFound("There is no such agreement of yours.", vi="Không có thỏa thuận này của cơ quan bạn.")
        return kept, store.steps(connection, number)


def _basis(visit: Visit, document: Mapping[str, Any]) -> list[str]:
    """The legal texts it stands on, each with the day from which it is in force where that is told."""
    given = document.get("legal_basis") or []
    told = []
    for each in [given] if isinstance(given, str | Mapping) else given:
        if isinstance(each, Mapping):
            since = each.get("valid_from")
            told.append(
                f"{each.get('text', '')}{' ' + visit.speech.t('agreeing.since', day=visit.speech.day(str(since))) if since else ''}"
            )
        else:
            told.append(str(each))
    return told


def _fields(site: Site, visit: Visit, dataset: str, document: Mapping[str, Any]) -> str:
    """The fields asked for, by what they are called."""
    asked, contract = document.get("fields") or [], site.contracts.get(dataset)
    if isinstance(asked, str):
        return visit.speech.t("agreeing.all_fields") if asked == "all" else asked
    titles = {p.name: visit.speech.pick(p.title_vi, p.title_en) or p.name for p in contract.properties} if contract is not None else {}
    return ", ".join(titles.get(name, name) for name in asked)


def _facts(site: Site, actor: Actor, kept: Kept, due_on: date | None, today: date) -> dict[str, Any]:
    title, title_en, page = site.named(kept.dataset)
    is_ours = actor.is_of(kept.provider)
    other = Identity.parse(kept.consumer).agency if is_ours else kept.provider
    waits = is_ours and kept.state is State.REQUESTED
    return {
        "id": kept.id,
        "state": kept.state.value,
        "side": "out" if is_ours else "in",
        "dataset": kept.dataset,
        "dataset_title": title,
        "dataset_title_en": title_en,
        "page": page,
        "consumer": kept.consumer,
        "other": other,
        "other_name": site.agency(other),
        "waits_for_us": waits,
        "due_on": due_on if kept.state is State.REQUESTED else None,
        "days_left": (due_on - today).days if due_on is not None and kept.state is State.REQUESTED else None,
        "since": kept.since,
    }


def _term(document: Mapping[str, Any]) -> tuple[date, date] | None:
    """First and last day, where both are days."""
    said = document.get("term") or {}
    try:
        return date.fromisoformat(str(said.get("from"))), date.fromisoformat(str(said.get("to")))
    except ValueError:
        return None


def _due_on(steps: Any) -> date | None:
    """The day by which a request is to be answered, as its first step has it."""
    text = next((each.details.get("due_on") for each in steps if each.details.get("due_on")), None)
    return date.fromisoformat(str(text)) if text else None


def _is_offered(what: Act, actor: Actor, kept: Kept, steps: Any) -> bool:
    """Whether the page offers an act: what became of copies is said where there can be any, once; who is asked grants or refuses, and ends nothing."""
    if what is Act.CONFIRM_DESTRUCTION:
        copies = _copies(actor, kept, steps)
        return copies is not None and copies["is_ours_to_say"] and agreeing.may_do(kept, what, actor)
    is_asked = what is Act.END and kept.state is State.REQUESTED and actor.is_of(kept.provider)
    return not is_asked and agreeing.may_do(kept, what, actor)


def _offered(what: Act, kept: Kept) -> dict[str, Any]:
    """An act as the page offers it. The end of what was never in force is a request taken back."""
    return {"act": what.value, "needs": agreeing.needs_of(kept, what), "is_early": what is Act.END and kept.state not in agreeing.IN_FORCE}


def _copies(actor: Actor, kept: Kept, steps: Any) -> dict[str, Any] | None:
    """What is to become of copies when an agreement ended, until when it is to be said, and who said it; None where there is nothing to say."""
    ended = next((each for each in steps if "confirm_by" in each.details), None)
    if kept.state is not State.ENDED or ended is None:
        return None
    said = next((each for each in steps if each.act == Act.CONFIRM_DESTRUCTION), None)
    is_ours = actor.is_of(Identity.parse(kept.consumer).agency)
    return {
        "what": ended.details.get("copies", ""), "confirm_by": date.fromisoformat(ended.details["confirm_by"]),
        "is_ours_to_say": is_ours and said is None, "said_by": said.by if said else "", "said_at": said.at if said else None,
    }  # fmt: skip


WAYS: list[Way] = [("/console/agreements", listed), ("/console/agreements/{agreement}", shown)]
FORMS: list[tuple[str, FormAct]] = [
    ("/console/agreements/{agreement}/grant", grant),
    ("/console/agreements/{agreement}/refuse", refuse),
    ("/console/agreements/{agreement}/acts", go_on),
]
