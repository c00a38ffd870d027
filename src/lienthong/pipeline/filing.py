"""Files reports: what one tells of a period is frozen under its digest, by its schedule or by an official, with an entry in the ledger."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from lienthong.access import Actor
from lienthong.clock import vietnam_date
from lienthong.contracts.indicators import Period, Report, period_of
from lienthong.ledger import Entry, Event
from lienthong.pipeline.workshop import Workshop
from lienthong.store import Connection, append_entries
from lienthong.store import filings as store

PLATFORM = "lienthong"
SHORT = 16  # hex digits of a digest that name a filing
OVERDUE_PERIODS = 4  # how far back a schedule goes after it was first written


@dataclass(frozen=True)
class Making:
    """How facts are made, digested and judged whole: `reports.filing`, handed in by who calls."""

    facts: Callable[[Connection, Report, Period, datetime], Mapping[str, Any]]
    digest: Callable[[Mapping[str, Any]], str]
    is_whole: Callable[[Mapping[str, Any]], bool]


def file_report(workshop: Workshop, report: Report, period: Period, making: Making, actor: Actor | None = None) -> str | None:
    """Freeze a report of a period; gives the filing's name, None when nothing changed since the last one."""
    now = workshop.clock()
    with workshop.database.connect() as connection:
        facts = making.facts(connection, report, period, now)
        last = next((each for each in store.newest(connection, [report.id])[report.id] if each.period == period.code), None)
        if last is not None and _same(facts, last.facts):
            return None
        digest = making.digest(facts)
        state = "final" if making.is_whole(facts) else "late"
        by = actor.name if actor else PLATFORM
        revision = store.add(
            connection, digest[:SHORT], report.id, period, state=state, owner=report.agency, facts=facts, digest=digest, due_at=report.due_at(period),
            at=now, by=by,
        )  # fmt: skip
        if revision is None:
            return None
        details = {"report": report.id, "period": period.code, "revision": revision, "filing": digest[:SHORT], "rows": facts["row_count"]}
        entry = Entry(
            now, Event.REPORT_FILED, PLATFORM, official=actor.name if actor else "", answer_digest=digest, outcome=state, details=details
        )
        append_entries(connection, [entry], workshop.signer)
    return digest[:SHORT]


def _same(facts: Mapping[str, Any], last: Mapping[str, Any]) -> bool:
    """Whether a report tells what it told: the day it is made on does not count."""
    return {name: value for name, value in facts.items() if name != "made_on"} == {
        name: value for name, value in last.items() if name != "made_on"
    }


def file_due(workshop: Workshop, reports: Iterable[Report], making: Making) -> list[str]:
    """File every report whose closing time has come; one filed late is filed again when its figures are final."""
    done = []
    now = workshop.clock()
    for report in reports:
        here = period_of(report.period, vietnam_date(now))
        for back in range(1, OVERDUE_PERIODS + 1):
            period = here.earlier(back)
            if report.due_at(period) > now:
                continue
            with workshop.database.connect() as connection:
                last = next((each for each in store.newest(connection, [report.id])[report.id] if each.period == period.code), None)
            if last is None or last.state == "late":
                filed = file_report(workshop, report, period, making)
                done += [filed] if filed else []
    return done
