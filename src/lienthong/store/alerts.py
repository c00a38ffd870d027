"""Alerts as they stand and what was done with them; and what rules look at."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from lienthong.store.database import Connection, queries


@dataclass(frozen=True)
class Step:
    state: str
    at: datetime
    by_whom: str
    reason: str


@dataclass(frozen=True)
class Alert:
    """One alert. `figures`: what was found, against which thresholds; `steps`: what was done, in order."""

    alert: int
    rule: str
    kind: str
    subject: str
    agency: str
    severity: str
    figures: Mapping[str, Any]
    state: str
    raised_at: datetime
    seen_at: datetime
    steps: tuple[Step, ...] = ()


def raise_alert(
    connection: Connection, rule: str, kind: str, subject: str, agency: str, severity: str, figures: Mapping[str, Any], at: datetime
) -> int | None:
    """The number of a new alert; None when one of this rule and subject stands, which is then marked as seen again."""
    values = {
        "rule": rule,
        "kind": kind,
        "subject": subject,
        "agency": agency,
        "severity": severity,
        "figures": json.dumps(figures),
        "at": at,
    }
    row = connection.execute(queries("alerts")["raise"], values).fetchone()
    if row is None:
        connection.execute(queries("alerts")["see_again"], values)
        return None
    add_step(connection, row[0], "open", at, "lienthong", "")
    return int(row[0])


def was_closed(connection: Connection, rule: str, subject: str) -> bool:
    """Whether an alert of a rule about a subject was raised and closed."""
    row = connection.execute(queries("alerts")["was_closed"], {"rule": rule, "subject": subject}).fetchone()
    return row is not None and bool(row[0])


def move_alert(connection: Connection, alert: int, state: str, at: datetime, by_whom: str, reason: str) -> tuple[str, str, str] | None:
    """Put a standing alert in another state; gives (rule, subject, agency), None when it is closed, so already, or not there."""
    row = connection.execute(queries("alerts")["move"], {"alert": alert, "state": state}).fetchone()
    if row is None:
        return None
    add_step(connection, alert, state, at, by_whom, reason)
    return str(row[0]), str(row[1]), str(row[2])


def add_step(connection: Connection, alert: int, state: str, at: datetime, by_whom: str, reason: str) -> None:
    values = {"alert": alert, "state": state, "at": at, "by_whom": by_whom, "reason": reason}
    connection.execute(queries("alerts")["step"], values)


def standing_alerts(connection: Connection, kinds: Sequence[str]) -> list[tuple[int, str, str]]:
    """(alert, rule, subject) of standing alerts of some kinds."""
    return [(row[0], row[1], row[2]) for row in connection.execute(queries("alerts")["standing"], {"kinds": list(kinds)})]


def list_alerts(connection: Connection, agency: str | None, state: str | None, most: int) -> list[Alert]:
    """Alerts with their steps, newest first."""
    rows = connection.execute(queries("alerts")["listed"], {"agency": agency, "state": state, "most": most}).fetchall()
    steps: dict[int, list[Step]] = {}
    for alert, *step in connection.execute(queries("alerts")["steps"], {"alerts": [row[0] for row in rows]}):
        steps.setdefault(alert, []).append(Step(*step))
    return [replace(Alert(*row), steps=tuple(steps.get(row[0], ()))) for row in rows]


def alert_standing(connection: Connection, alert: int) -> tuple[str, str] | None:
    """(agency, state) of an alert."""
    row = connection.execute(queries("alerts")["one"], {"alert": alert}).fetchone()
    return None if row is None else (str(row[0]), str(row[1]))


def open_by_kind(connection: Connection) -> dict[str, int]:
    """How many alerts stand, by kind."""
    return {str(row[0]): int(row[1]) for row in connection.execute(queries("alerts")["open_by_kind"])}


def beat(connection: Connection, duty: str, at: datetime) -> None:
    """A duty is at work."""
    connection.execute(queries("alerts")["beat"], {"duty": duty, "at": at})


def batch_before(connection: Connection, since: datetime) -> int:
    """The newest batch of the ledger that had its place before an instant; 0: none had."""
    return _one(connection, "batch_before", {"since": since})


def settled_batch(connection: Connection) -> int:
    """The batch of the ledger up to which none can come any more."""
    return _one(connection, "settled_batch", {})


def batches_after(connection: Connection, after: int, without: Iterable[int], since: datetime) -> Iterator[tuple[int, str]]:
    """(batch, bodies a line each) of the ledger's batches past one, without some, that came at or after an instant."""
    with connection.cursor(name="alert_entries") as cursor:
        cursor.itersize = 100
        cursor.execute(queries("alerts")["batches_after"], {"after": after, "without": list(without), "since": since})
        yield from cursor


def _one(connection: Connection, name: str, values: dict[str, object]) -> int:
    row = connection.execute(queries("alerts")[name], values).fetchone()
    return 0 if row is None else int(row[0])


def calls_by_day(connection: Connection, since: datetime) -> list[tuple[str, str, str, datetime, int]]:
    """(provider, service, caller, day, calls)."""
    return [(r[0], r[1], r[2], r[3], int(r[4])) for r in connection.execute(queries("alerts")["calls_by_day"], {"since": since})]


def last_calls(connection: Connection, since: datetime) -> dict[tuple[str, str], datetime]:
    """(service, caller) → the hour of its last call."""
    return {(r[0], r[1]): r[2] for r in connection.execute(queries("alerts")["last_call"], {"since": since})}


def source_runs(connection: Connection, since: datetime) -> list[tuple[str, str, list[datetime]]]:
    """(dataset, source, when its runs that ended well began, newest first)."""
    return [(r[0], r[1], list(r[2])) for r in connection.execute(queries("alerts")["sources"], {"since": since})]


def failing_copies(connection: Connection, before: datetime) -> list[tuple[str, str]]:
    """(sync or subscription, its subsystem) of those that have failed since before an instant."""
    return [(row[0], row[1]) for row in connection.execute(queries("alerts")["failing_copies"], {"before": before})]


def waiting_seconds(connection: Connection) -> float:
    """How long the oldest batch of the ledger waits for its checkpoint."""
    row = connection.execute(queries("alerts")["waiting"]).fetchone()
    return 0.0 if row is None else float(row[0])
