"""Corrections proposed to this agency, by other agencies and by citizens: what stands, what should stand, why, by when; yes or no in a word."""

from __future__ import annotations

from typing import Any

from lienthong.access import Actor, Role
from lienthong.clock import vietnam_date
from lienthong.errors import Conflict, Unprocessable
from lienthong.ledger import Entry, Event, subject_hash
from lienthong.pipeline import proposing
from lienthong.pipeline.writing import CONFLICT, REFUSED, Manner
from lienthong.store import proposals as store
from lienthong.store.proposals import Proposal
from lienthong.web import acting
from lienthong.web.desk import number_of
from lienthong.web.pages.forms import Form, go, text_in
from lienthong.web.pages.page import Page, Table
from lienthong.web.pages.site import Site
from lienthong.web.pages.visiting import Visit
from lienthong.web.proposals import follow

SHOWN = 50
COLUMNS = ("proposal", "dataset", "kind", "made_at", "due_on", "is_late", "from_citizen", "by_agency", "reason")


def listed(site: Site, visit: Visit) -> Page:
    """What is open, the oldest first, each value beside what stands."""
    actor = acting.require(visit.request, Role.DATA_OFFICER)
    with site.counter.workshop.database.connect() as connection:
        found = store.listed(connection, owner=actor.agency, state="open", limit=SHOWN)
    told = [_told(site, each) for each in found if each.dataset_id in site.contracts]
    entry = Entry(
        site.counter.clock(),
        Event.CORRECTIONS_READ,
        actor.subsystem or actor.agency,
        actor.name,
        outcome="given",
        details={"records": len(told)},
    )
    site.counter.append(entry)
    facts = {"agency": actor.agency, "proposals": told}
    table = Table(COLUMNS, [[each[name] for name in COLUMNS] for each in told])
    return Page("console/corrections.html", visit.speech.t("corrections.title"), facts, table, {"done": visit.text("done")})


def _told(site: Site, each: Proposal) -> dict[str, Any]:
    contract = site.contracts[each.dataset_id]
    version, standing = proposing.standing_of(site.counter.workshop, contract, each)
    titles = {p.name: (p.title_vi, p.title_en) for p in contract.properties}
    return {
        "proposal": each.proposal, "dataset": each.dataset_id, "title": contract.title_vi, "title_en": contract.title_en, "kind": each.kind, "key": each.key,
        "values": [
            {"name": name, "title": titles.get(name, (name, name))[0], "title_en": titles.get(name, (name, name))[1], "stands": (standing or {}).get(name), "proposed": value}
            for name, value in (each.values or {}).items()
        ],
        "version": version, "reason": each.reason, "evidence": dict(each.evidence), "from_citizen": not each.by_agency, "by_agency": each.by_agency,
        "by_agency_name": site.agency(each.by_agency) if each.by_agency else "", "made_at": each.made_at, "due_on": each.due_on,
        "is_late": each.is_overdue(vietnam_date(site.counter.clock())),
    }  # fmt: skip


def decide(site: Site, visit: Visit, form: Form) -> Any:
    """Make it the agency's own act, or say no and why."""
    actor = acting.require(visit.request, Role.DATA_OFFICER, csrf=form.get("csrf", ""))
    proposal = proposing.find(site.counter.workshop, number_of("proposal", visit.path["proposal"]), actor)
    word, words, manner = text_in(form, "word"), text_in(form, "words", ""), _manner(site, actor, proposal)
    if word == "refuse":
        proposing.refuse(site.counter.workshop, proposal, actor, manner, words)
    elif word == "accept":
        version = number_of("version", text_in(form, "version"))
        written = proposing.accept(
            site.counter.workshop, site.contracts[proposal.dataset_id], proposal, actor, manner, version=version, words=words
        )
        if written.outcome == CONFLICT:
            raise Conflict(
                "The record has changed since.", hint="Look at it again.", hint_vi="Hãy xem lại bản ghi.", vi="Bản ghi đã thay đổi."
            )
        if written.outcome == REFUSED:
            raise Unprocessable("The values break a rule of the contract.", vi="Giá trị đề nghị vi phạm quy tắc của hợp đồng.")
    else:
        raise Unprocessable("`word`: accept or refuse.", vi="Chưa chọn nhận hay từ chối.")
    if site.privacy is not None:
        follow(site.privacy.registrar, actor, proposal, words)
    return go("/console/corrections", done=word)


def _manner(site: Site, actor: Actor, proposal: Proposal) -> Manner:
    return Manner(actor.subsystem or actor.agency, subject=subject_hash(site.counter.subject_key, proposal.dataset_id, proposal.key))
