"""What was decided: the newest acts, one act whole, and taking it back."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from lienthong.errors import NotFound
from lienthong.pipeline import stewarding
from lienthong.store import pages as store
from lienthong.store import stewarding as stored
from lienthong.web.desk import note_look, number_of
from lienthong.web.pages.desk.standing import steward_of
from lienthong.web.pages.forms import Form, go, text_in
from lienthong.web.pages.page import Page, Table
from lienthong.web.pages.site import Site
from lienthong.web.pages.visiting import Visit

NEWEST = 50
COLUMNS = ("act", "kind", "at", "reason", "verdict", "undone_by")


def listed(site: Site, visit: Visit) -> Page:
    """The newest acts of persons. Who did them is in the ledger and on the act's own page, not in a list to compare people by."""
    steward = steward_of(site, visit)
    with site.counter.workshop.database.connect() as connection:
        found = store.recent_acts(connection, steward.entity, NEWEST)
    note_look(steward, {"acts": len(found)})
    acts = [
        {"act": a, "kind": kind, "at": at, "reason": why, "verdict": verdict, "undone_by": undone}
        for a, kind, at, _, why, verdict, undone in found
    ]
    facts = {"entity": steward.entity, "title": steward.index.master.title_vi, "title_en": steward.index.master.title_en, "acts": acts}
    return Page("desk/acts.html", visit.speech.t("desk.acts"), facts, Table(COLUMNS, [[each[name] for name in COLUMNS] for each in acts]))


def shown(site: Site, visit: Visit) -> Page:
    steward = steward_of(site, visit)
    number = number_of("act", visit.path["act"])
    with site.counter.workshop.database.connect() as connection:
        found = stored.act_told(connection, steward.entity, number)
    if found is None:
        raise NotFound(f"`{steward.entity}` has no act {number}.", vi=f"`{steward.entity}` không có hành động {number}.")
    note_look(steward, {"act": number})
    facts = {"entity": steward.entity, "title": steward.index.master.title_vi, "title_en": steward.index.master.title_en, "act": found}
    rows = [(e["event"], e["kind"], e["id"], ", ".join(e["records"] or ())) for e in found["events"]]
    return Page(
        "desk/act.html",
        visit.speech.t("desk.act_n", n=str(number)),
        facts,
        Table(("event", "kind", "id", "records"), rows),
        {"at": datetime.fromisoformat(found["at"])},
    )


def undo(site: Site, visit: Visit, form: Form) -> Any:
    """Take an act back; identities come back exactly."""
    steward = steward_of(site, visit, form.get("csrf", ""))
    number = number_of("act", visit.path["act"])
    reason = text_in(form, "reason", "") or visit.speech.t("desk.reason_undo")
    done = stewarding.undo(site.counter.workshop, steward.index, number, steward.official, reason, steward.through)
    return go(f"/desk/{steward.entity}", done=done.act, verdict="undone")
