"""The list of open data: what is proposed, approved, planned, open; what is due; and, for who may act, the acts."""

from __future__ import annotations

from datetime import date
from typing import Any

from starlette.responses import Response

from lienthong.access import Role
from lienthong.access.opening import ACT_WORDS, LEGAL_BASIS, STATE_WORDS, STEPS, OpenAct, OpenState, follows
from lienthong.catalog.open_data import listed
from lienthong.clock import vietnam_date
from lienthong.contracts import Sharing
from lienthong.errors import Unprocessable
from lienthong.pipeline.opening import Said, move
from lienthong.sharing.filters import shown as safely
from lienthong.store import catalogue
from lienthong.store import pages as store
from lienthong.web import acting
from lienthong.web.pages.forms import Form, go, text_in
from lienthong.web.pages.page import Page, Table
from lienthong.web.pages.site import Site
from lienthong.web.pages.visiting import Visit


def shown(site: Site, visit: Visit) -> Page:
    state, overdue = visit.text("state"), visit.text("overdue") == "yes"
    today = vietnam_date(site.counter.clock())
    with site.connection() as connection:
        entries = catalogue.open_entries(connection)
        standings = store.standings(connection)
    told = listed(entries, site.public, standings, today, site.settings, overdue_only=overdue)
    on_it = {each.dataset for each in entries}
    facts: dict[str, Any] = {
        "state": state,
        "overdue": overdue,
        "entries": [{**each, "agency_name": site.agency(each["agency"])} for each in told if state in ("", each["state"])],
        "states": [
            {"state": s.value, "vi": vi, "en": en, "count": sum(e.state == s for e in entries)} for s, (vi, en) in STATE_WORDS.items()
        ],
        "legal_basis": [{"text": b.text, "valid_from": b.valid_from} for b in LEGAL_BASIS],
    }
    beside = {
        "may": {each["dataset"]: _acts(visit, each["agency"], OpenState(each["state"])) for each in told},
        "unlisted": [
            {"id": c.id, "title": visit.speech.pick(c.title_vi, c.title_en)}
            for c in site.contracts.values()
            if c.id not in on_it and c.sharing is Sharing.OPEN and _acts(visit, c.agency, None)
        ],
        "csrf": visit.session.csrf if visit.session is not None else "",
    }
    columns = ("dataset", "title", "title_en", "agency", "state", "since", "decision", "publish_on", "reviewed_at")
    table = Table(columns, [[each[name] for name in columns] for each in facts["entries"]])
    return Page("portal/open_data.html", visit.speech.t("portal.open_list"), facts, table, beside, is_public=visit.session is None)


def _acts(visit: Visit, agency: str, state: OpenState | None) -> list[dict[str, Any]]:
    """What the person who reads may do from here."""
    if visit.session is None:
        return []
    actor = visit.session.actor
    found = []
    for act, step in STEPS.items():
        others = [role for role in step.roles if role is not Role.DATA_OFFICER]
        if follows(act, state) is not None and actor.may(*step.roles) and (actor.is_of(agency) or actor.may(*others)):
            found.append({"act": act.value, "title": visit.speech.pick(*ACT_WORDS[act]), "needs": step.needs})
    return found


def act(site: Site, visit: Visit, form: Form) -> Response:
    """One act on one entry, by a form."""
    name = text_in(form, "act")
    if name not in tuple(OpenAct):
        raise Unprocessable(f"There is no act `{safely(name)}`.", vi=f"Không có việc `{safely(name)}`.")
    actor = acting.require(visit.request, *STEPS[OpenAct(name)].roles, csrf=text_in(form, "csrf", ""))
    day = text_in(form, "publish_on", "")
    said = Said(text_in(form, "words", ""), text_in(form, "legal_text", ""), text_in(form, "decision", ""), _day(day) if day else None)
    move(site.counter.workshop, actor, visit.path["dataset"], OpenAct(name), said)
    return go("/open-data")


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise Unprocessable("`publish_on`: expected a day.", vi="`publish_on`: cần một ngày.") from error
