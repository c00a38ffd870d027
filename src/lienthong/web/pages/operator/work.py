"""What runs and what waits: runs of all datasets; duties, copies, subscriptions, files, proposals, deadlines."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from lienthong.clock import vietnam_date
from lienthong.errors import BadRequest
from lienthong.pipeline import approving
from lienthong.pipeline.default_list import default_parts
from lienthong.sharing.deadlines import WHAT, deadlines
from lienthong.store import operating as store
from lienthong.store import pages, subscriptions, syncs
from lienthong.web.duties import DUTIES
from lienthong.web.pages.operator.entering import beside, enter
from lienthong.web.pages.page import Page, Table
from lienthong.web.pages.site import Site
from lienthong.web.pages.visiting import Visit
from lienthong.web.people import KINDS

RUNS = 100
STATES = ("landing", "landed", "waiting", "published", "unchanged", "failed", "withdrawn")
COLUMNS = ("run", "dataset", "title", "agency", "source", "state", "started_at", "ended_at", "rows_in", "rows_published", "rows_unchanged", "rows_quarantined")  # fmt: skip
QUIET = timedelta(minutes=2)  # a duty that keeps coming round is seen more often than this, but for those of an hour or a day


def runs(site: Site, visit: Visit) -> Page:
    """The newest runs of all datasets, or those in one state."""
    actor = enter(visit)
    state = visit.text("state")
    if state and state not in STATES:
        raise BadRequest(f"`state`: expected one of {', '.join(STATES)}.", vi=f"`state`: một trong {', '.join(STATES)}.")
    before = visit.whole("before", 0, 2**62)
    with site.counter.workshop.database.connect() as connection:
        found = store.recent_runs(connection, state or None, before or None, RUNS)
        counts = store.runs_by_state(connection, site.counter.clock() - timedelta(days=7))
    told = [_run(site, each) for each in found]
    facts = {"state": state, "counts": counts, "runs": told, "next": told[-1]["run"] if len(told) == RUNS else None}
    table = Table(COLUMNS, [[each[name] for name in COLUMNS] for each in told])
    return Page("operator/runs.html", visit.speech.t("operator.runs"), facts, table, {**beside(actor), "states": STATES})


def _run(site: Site, each: store.RunLine) -> dict[str, Any]:
    contract = site.contracts.get(each.dataset)
    return {
        "run": each.run, "dataset": each.dataset, "title": contract.title_vi if contract else each.dataset,
        "title_en": contract.title_en if contract else each.dataset, "agency": contract.agency if contract else "",
        "agency_name": site.agency(contract.agency) if contract else "", "source": each.source, "state": each.state,
        "started_at": each.started_at, "ended_at": each.ended_at, "rows_in": each.rows_in, "rows_published": each.rows_published,
        "rows_unchanged": each.rows_unchanged, "rows_quarantined": each.rows_quarantined, "waits_for": each.waits_for, "error": each.error,
    }  # fmt: skip


def queues(site: Site, visit: Visit) -> Page:
    """Everything that waits for a machine or a person, and how old the oldest of it is."""
    actor = enter(visit)
    now = site.counter.clock()
    with site.counter.workshop.database.connect() as connection:
        beats = {each.duty: each for each in store.beats(connection)}
        queued = store.queued(connection)
        copies = syncs.states(connection)
        subscribed = subscriptions.some(connection)
        due = deadlines(connection)
        waiting = pages.waiting_rows(connection)
        reviews = default_parts(connection, site.contracts.values(), site.settings.default_review_months, vietnam_date(now))
    proposals = approving.waiting(site.counter.workshop, list(KINDS.values()))
    today = vietnam_date(now)
    facts: dict[str, Any] = {
        "duties": [_duty(duty.name, beats.get(duty.name)) for duty in DUTIES],
        "queues": [{"queue": each.queue, "count": each.waits, "oldest_at": each.oldest_at} for each in queued],
        "quarantined": sum(waiting.values()),
        "copies": [
            {"sync": each.sync, "state": each.state, "said": each.said_vi, "said_en": each.said_en, "failures": each.failures, "worked_at": each.worked_at, "next_try_at": each.next_try_at}
            for each in copies.values()
        ],
        "subscriptions": [
            {"subscription": each.subscription, "caller": each.caller, "dataset": each.dataset, "road": each.road, "state": each.state, "why": each.why or each.held, "pending": each.pending, "dead": each.dead, "failing_since": each.failing_since}
            for each in subscribed if each.state != "ended"
        ],
        "approvals": [
            {"proposal": each.number, "kind": each.kind, "agency": each.agency, "reason": each.reason, "proposed_by": each.proposed_by, "proposed_at": each.proposed_at, "expires_at": each.expires_at}
            for each in proposals
        ],
        "deadlines": [
            {"agreement": each.agreement, "what": WHAT[each.what][0], "what_en": WHAT[each.what][1], "agency": each.agency, "agency_name": site.agency(each.agency), "due_on": each.due_on, "is_late": each.due_on < today}
            for each in due
        ],
        "default_reviews": [{"agency": each.agency, "agency_name": site.agency(each.agency), "due_on": each.due_on, "is_late": each.is_overdue(today)} for each in reviews],
    }  # fmt: skip
    table = Table(("queue", "count", "oldest_at"), [(each["queue"], each["count"], each["oldest_at"]) for each in facts["queues"]])
    return Page("operator/queues.html", visit.speech.t("operator.queues"), facts, table, beside(actor))


def _duty(name: str, beat: store.Beat | None) -> dict[str, Any]:
    """A duty as its worker last told of it."""
    if beat is None:
        return {"duty": name, "state": "unseen", "at": None, "failed_at": None, "error": ""}
    return {
        "duty": name,
        "state": "failing" if beat.failed_at is not None else "working",
        "at": beat.at,
        "failed_at": beat.failed_at,
        "error": beat.error,
    }
