"""What pages show of the platform itself: standings of datasets, what waits, use, checkpoints, and rows counted by a field."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import psycopg
from psycopg import sql

from lienthong.store.database import Connection, queries
from lienthong.store.tables import current


@dataclass(frozen=True)
class StandingNow:
    """`version` 0: nothing published yet; `known_at` then is None."""

    version: int
    known_at: datetime | None
    records: int


@dataclass(frozen=True)
class BrokenRule:
    """A rule that waiting rows break, on which field, how many times."""

    rule: str
    column: str | None
    code: str
    count: int
    expected_vi: str = ""
    expected_en: str = ""


@dataclass(frozen=True)
class RunQuality:
    run_id: int
    source: str
    started_at: datetime
    rows_in: int
    rows_published: int
    rows_unchanged: int
    rows_quarantined: int


@dataclass(frozen=True)
class Grouped:
    """One value of a field: how many rows have it, and the average of a number among them."""

    value: Any
    count: int
    average: float | None


def standings(connection: Connection) -> dict[str, StandingNow]:
    """Dataset → where it stands."""
    return {row[0]: StandingNow(row[1], row[2], row[3]) for row in connection.execute(queries("pages")["standings"])}


def waiting_rows(connection: Connection) -> dict[str, int]:
    """Dataset → rows in quarantine; a dataset without any is absent."""
    return dict(connection.execute(queries("pages")["waiting_rows"]).fetchall())


def waiting_issues(connection: Connection, dataset_id: str) -> list[BrokenRule]:
    """Most frequent first."""
    return [BrokenRule(*row) for row in connection.execute(queries("pages")["waiting_issues"], {"dataset": dataset_id})]


def use_by_agreement(connection: Connection, since: date) -> dict[str, int]:
    return dict(connection.execute(queries("pages")["use_by_agreement"], {"since": since}).fetchall())


def checkpoints(connection: Connection, limit: int) -> list[tuple[int, bytes, datetime, str]]:
    """(size, root, at, key id), newest first."""
    return [(row[0], bytes(row[1]), row[2], row[3]) for row in connection.execute(queries("pages")["checkpoints"], {"limit": limit})]


def agencies(connection: Connection) -> dict[str, str]:
    """Code → name, from the published register of agencies; empty where this province has none."""
    try:
        with connection.transaction():
            return dict(connection.execute(queries("pages")["agencies"]).fetchall())
    except (psycopg.errors.UndefinedTable, psycopg.errors.UndefinedColumn):
        return {}


def run_quality(connection: Connection, dataset_id: str, limit: int = 30) -> list[RunQuality]:
    """Oldest first."""
    return [RunQuality(*row) for row in connection.execute(queries("pages")["run_quality"], {"dataset": dataset_id, "limit": limit})]


def counted(
    connection: Connection, dataset_id: str, column: str, measure: str | None = None, where: Mapping[str, Any] | None = None,
    *, by_value: bool = False, limit: int = 50,
) -> list[Grouped]:  # fmt: skip
    """Current rows by the values of a field: the most frequent first, or in the order of the values. `where`: field → value."""
    values = {f"w{n}": value for n, value in enumerate((where or {}).values())}
    conditions = [sql.SQL("{} = {}").format(sql.Identifier(name), sql.Placeholder(f"w{n}")) for n, name in enumerate(where or {})]
    statement = queries("pages")["counted"].format(
        group=sql.Identifier(column),
        measure=sql.SQL("null::float8") if measure is None else sql.SQL("avg({})::float8").format(sql.Identifier(measure)),
        current=current(dataset_id),
        conditions=sql.SQL(" and ").join(conditions) if conditions else sql.SQL("true"),
        order=sql.SQL("1") if by_value else sql.SQL("2 desc, 1"),
        limit=sql.Literal(limit),
    )
    return [Grouped(*row) for row in connection.execute(statement, values).fetchall()]


def newest_signed(connection: Connection) -> tuple[int, bytes, datetime, bytes] | None:
    """(size, root, at, signature) of the newest checkpoint; None before the first."""
    row = connection.execute(queries("pages")["newest_signed"]).fetchone()
    return None if row is None else (row[0], bytes(row[1]), row[2], bytes(row[3]))


def ledger_waits(connection: Connection) -> float:
    """Seconds the oldest entry waits for its checkpoint; 0: none does."""
    row = connection.execute(queries("pages")["ledger_waits"]).fetchone()
    return 0.0 if row is None else float(row[0])


def queue_now(connection: Connection, entity: str) -> list[tuple[str, int, datetime]]:
    """(why, how many pairs wait, since when the oldest does)."""
    return [(row[0], row[1], row[2]) for row in connection.execute(queries("pages")["queue_now"], {"entity": entity})]


def queue_left(connection: Connection, entity: str, by: str, at: datetime) -> int:
    """Pairs this person could be given now."""
    row = connection.execute(queries("pages")["queue_left"], {"entity": entity, "by": by, "at": at}).fetchone()
    return 0 if row is None else int(row[0])


def decisions_by_day(connection: Connection, entity: str, since: datetime) -> list[tuple[date, int, int]]:
    """(day, decisions, of them or others taken back)."""
    values = {"entity": entity, "since": since}
    return [(row[0], row[1], row[2]) for row in connection.execute(queries("pages")["decisions_by_day"], values)]


def recent_acts(connection: Connection, entity: str, limit: int) -> list[tuple[Any, ...]]:
    """(act, kind, at, by whom, reason, verdict, the act that undid it), newest first."""
    return connection.execute(queries("pages")["recent_acts"], {"entity": entity, "limit": limit}).fetchall()
