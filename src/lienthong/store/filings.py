"""Reports filed: what each told, frozen."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from lienthong.contracts.indicators import Period
from lienthong.store.database import Connection, queries


@dataclass(frozen=True)
class Filing:
    """A report of a period as it was filed; `facts` are everything its documents say."""

    filing: str
    report: str
    period: str
    begins_on: date
    until: date
    revision: int
    state: str
    owner: str
    facts: Mapping[str, Any]
    digest: str
    due_at: datetime
    filed_at: datetime
    filed_by: str


def add(
    connection: Connection, filing: str, report: str, period: Period, *, state: str, owner: str, facts: Mapping[str, Any], digest: str,
    due_at: datetime, at: datetime, by: str,
) -> int | None:  # fmt: skip
    """Freeze a report; gives its revision, None when these very facts are filed already."""
    values = {
        "filing": filing, "report": report, "period": period.code, "begins_on": period.begins_on, "until": period.until, "state": state,
        "owner": owner, "facts": json.dumps(facts, ensure_ascii=False), "digest": digest, "due_at": due_at, "at": at, "by": by,
    }  # fmt: skip
    row = connection.execute(queries("filings")["add"], values).fetchone()
    return None if row is None else int(row[0])


def newest(connection: Connection, reports: Sequence[str]) -> dict[str, list[Filing]]:
    """Report → the newest revision of each period, newest period first."""
    found: dict[str, list[Filing]] = {report: [] for report in reports}
    for row in connection.execute(queries("filings")["newest"], {"reports": list(reports)}):
        found[row[1]].append(Filing(*row))
    return found


def one(connection: Connection, filing: str) -> Filing | None:
    row = connection.execute(queries("filings")["one"], {"filing": filing}).fetchone()
    return None if row is None else Filing(*row)
