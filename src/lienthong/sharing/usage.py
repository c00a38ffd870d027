"""What was done under an agreement, made from the ledger: nothing is counted twice and nobody is asked for what is known."""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime, time, timedelta
from typing import Any

from lienthong.clock import VIETNAM
from lienthong.store import Connection
from lienthong.store import agreements as store

MOST_DAYS = 366


def usage_report(connection: Connection, agreement: str, begins: date, ends: date) -> dict[str, Any]:
    """Answers, refusals and rows of the days from `begins` to `ends`, both part of it; by day, purpose and official."""
    rows = store.usage(connection, agreement, _midnight(begins), _midnight(ends + timedelta(days=1)))
    outcomes: Counter[str] = Counter()
    purposes: Counter[str] = Counter()
    officials: Counter[str] = Counter()
    days: Counter[str] = Counter()
    answers = refused = given = 0
    for day, event, outcome, purpose, official, entries, count in rows:
        outcomes[outcome or event] += entries
        if event == "answer:request:denied":
            refused += entries
            continue
        if event.endswith(":begun"):  # its end is counted
            continue
        answers += entries
        given += count if event.startswith("answer:bulk") else 0
        purposes[purpose or ""] += entries
        officials[official or ""] += entries
        days[day.isoformat()] += entries
    return {
        "agreement": agreement,
        "from": begins.isoformat(),
        "to": ends.isoformat(),
        "answers": answers,
        "refused": refused,
        "rows_in_files": given,
        "outcomes": dict(sorted(outcomes.items())),
        "purposes": dict(sorted(purposes.items())),
        "officials": dict(officials.most_common(100)),
        "days": dict(sorted(days.items())),
    }


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), VIETNAM)
