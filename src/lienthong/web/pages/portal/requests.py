"""A citizen asks for a correction of their own data: it reaches the agency that keeps it as a case with its legal clock and as a proposal to act on."""

from __future__ import annotations

from typing import Any

from lienthong.access import Role
from lienthong.access.actor import Actor
from lienthong.access.privacy import CaseKind
from lienthong.contracts import Contract, Layer
from lienthong.errors import BadRequest, Conflict, NotFound, Unprocessable
from lienthong.ledger import SubjectKey, subject_hash
from lienthong.pipeline import privacy, proposing
from lienthong.pipeline.privacy import CITIZEN
from lienthong.pipeline.proposing import Evidence, Wish
from lienthong.pipeline.writing import Manner
from lienthong.store import privacy as cases
from lienthong.store import proposals
from lienthong.store.citizens import records_of
from lienthong.store.privacy import Which
from lienthong.web import acting
from lienthong.web.pages.forms import Form, go, text_in
from lienthong.web.pages.page import Page, Table
from lienthong.web.pages.site import Site
from lienthong.web.pages.visiting import Visit
from lienthong.web.privacy import PrivacyDesk

COLUMNS = ("case", "title", "dataset", "state", "opened_at", "answer_by", "act_by")
MOST_RECORDS = 5  # of one dataset about one person, corrected by one request


def shown(site: Site, visit: Visit) -> Page:
    """What was asked for and how it stands; a form for each dataset that holds something about the reader."""
    number, desk = acting.citizen_of(visit.request), _desk(site)
    with site.counter.workshop.database.connect() as connection:
        held = records_of(connection, site.contracts, number)
        found = cases.cases(connection, Which(subject=desk.asking(number).subject))
        told: list[dict[str, Any]] = [desk.told(case, cases.steps(connection, case.case)) for case in found]
        for each in told:
            numbers = each["content"].get("proposals") or []
            each["proposals"] = [_outcome(proposal) for n in numbers if (proposal := proposals.find(connection, int(n))) is not None]
            each["outcomes"] = [{**outcome, "records": count} for outcome, count in _alike(each["proposals"])]
            each["agency_name"] = site.agency(each["agency"])
    mine = [
        contract
        for contract in site.contracts.values()
        if contract.layer is not Layer.MASTER and contract.id in {dataset for dataset, _ in held}
    ]
    facts: dict[str, Any] = {
        "requests": told,
        "datasets": [
            {"id": c.id, "title": c.title_vi, "title_en": c.title_en, "agency_name": site.agency(c.agency), "fields": [{"name": p.name, "title": p.title_vi, "title_en": p.title_en} for p in c.properties]}
            for c in mine
        ],
    }  # fmt: skip
    table = Table(COLUMNS, [[each[name] for name in COLUMNS] for each in told])
    return Page("portal/requests.html", visit.speech.t("mine.requests"), facts, table, {"done": visit.text("done")})


def _outcome(proposal: proposals.Proposal) -> dict[str, Any]:
    return {
        "proposal": proposal.proposal,
        "state": proposal.state,
        "due_on": proposal.due_on,
        "decided_at": proposal.decided_at,
        "words": proposal.words,
    }


def _alike(outcomes: list[dict[str, Any]]) -> list[tuple[dict[str, Any], int]]:
    """What became of proposals, those of several records that came to the same said once, with how many."""
    by_words: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for each in outcomes:
        day = (each["decided_at"] or each["due_on"]).isoformat()[:10]
        by_words.setdefault((each["state"], day, each["words"]), []).append(each)
    return [(some[0], len(some)) for some in by_words.values()]


def ask(site: Site, visit: Visit, form: Form) -> Any:
    """Propose the value to who keeps it, and open the case. Raises NotFound for a dataset that holds nothing about the reader."""
    number, desk = acting.citizen_of(visit.request, csrf=form.get("csrf", "")), _desk(site)
    contract = site.contracts.get(text_in(form, "dataset"))
    field, value, words = text_in(form, "field"), text_in(form, "value"), text_in(form, "words")
    with site.counter.workshop.database.connect() as connection:
        keys = sorted(
            key for dataset, key in records_of(connection, site.contracts, number) if contract is not None and dataset == contract.id
        )
    if contract is None or not keys:
        raise NotFound("There is no record about you there.", vi="Ở đó không có bản ghi nào về bạn.")
    if field not in {p.name for p in contract.properties} or not value or not words:
        raise Unprocessable("Choose a field, say what is right and why.", vi="Hãy chọn trường, ghi giá trị đúng và lý do.")
    made = [n for key in keys[:MOST_RECORDS] for n in _proposed(site, contract, key, field, value, words)]
    content = {"words": words, "field": field, "value": value, "proposals": made}
    case = privacy.open_case(
        desk.registrar, CaseKind.CORRECTION, contract.agency, contract.id, content, CITIZEN, person=desk.asking(number)
    )
    return go("/my-data/requests", done=case)


def _proposed(site: Site, contract: Contract, key: str, field: str, value: str, words: str) -> list[int]:
    """The numbers of what was proposed; none for a record that is not there, or where the same waits already."""
    actor = Actor(SubjectKey(site.counter.subject_key).hash(CITIZEN, f"{contract.id} {key}")[:16], "", frozenset({Role.CITIZEN}))
    manner = Manner(CITIZEN, subject=subject_hash(site.counter.subject_key, contract.id, key))
    wish = Wish(key, {field: value}, words, Evidence(text=words))
    assert site.due_on is not None  # the application gives both or neither
    try:
        return [each.proposal for each in proposing.propose(site.counter.workshop, contract, wish, actor, manner, site.due_on)]
    except (NotFound, Conflict):
        return []


def _desk(site: Site) -> PrivacyDesk:
    if site.privacy is None:
        raise BadRequest("Nobody answers citizens here.", vi="Nơi này chưa phục vụ công dân.")
    return site.privacy
