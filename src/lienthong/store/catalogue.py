"""What the catalogue remembers beside contracts: inventory, the list of open data, runs of programs outside."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

import psycopg
from psycopg import sql

from lienthong.store.database import LOCK_CLASS, Connection, queries
from lienthong.store.tables import current

MOST_CODES = 5_000


@dataclass(frozen=True)
class HeldItem:
    """Data an agency is known to hold, not connected yet. `facts`: what its inventory sheet says, by column."""

    item: str
    agency: str
    facts: Mapping[str, str]
    since: datetime
    by_whom: str


@dataclass(frozen=True)
class OpenEntry:
    """An entry of the list of open data, from `since` on; in its state from `state_since` on."""

    dataset: str
    agency: str
    state: str
    act: str
    words: str
    legal_text: str
    decision: str
    publish_on: date | None
    reviewed_at: datetime | None
    state_since: datetime
    since: datetime
    by_whom: str


@dataclass(frozen=True)
class OutsideRun:
    """A program outside that read or wrote a dataset, by its newest run. `columns`: written dataset → column → [dataset, column] it comes from."""

    job: str
    subsystem: str
    reads: tuple[str, ...]
    writes: tuple[str, ...]
    columns: Mapping[str, Mapping[str, Sequence[Sequence[str]]]]
    at: datetime


@dataclass(frozen=True)
class LastRun:
    source: str
    run_id: int
    version: int | None
    ended_at: datetime | None
    rows_in: int
    rows_published: int


@dataclass(frozen=True)
class News:
    """A version that was published."""

    dataset: str
    version: int
    known_at: datetime
    inserted: int
    updated: int
    ended: int


def codes_of(connection: Connection, dataset_id: str, column: str) -> list[str]:
    """The distinct values of a field of codes; none where the dataset is not applied."""
    statement = queries("catalogue")["codes"].format(
        column=sql.Identifier(column), current=current(dataset_id), limit=sql.Literal(MOST_CODES)
    )
    try:
        with connection.transaction():
            return [str(row[0]) for row in connection.execute(statement).fetchall()]
    except (psycopg.errors.UndefinedTable, psycopg.errors.UndefinedColumn):
        return []


def inventory(connection: Connection) -> list[HeldItem]:
    return [HeldItem(*row) for row in connection.execute(queries("catalogue")["inventory"]).fetchall()]


def lock_inventory(connection: Connection, agency: str) -> None:
    """Let nobody else change an agency's inventory until the transaction ends."""
    connection.execute(queries("catalogue")["lock_inventory"], {"class": LOCK_CLASS, "agency": agency})


def keep_item(connection: Connection, item: str, agency: str, facts: Mapping[str, str] | None, by: str, at: datetime) -> None:
    """What is known of an item from now on; None: it is no longer on the sheet."""
    connection.execute(queries("catalogue")["end_item"], {"item": item, "at": at})
    if facts is not None:
        values = {"item": item, "agency": agency, "facts": json.dumps(facts, ensure_ascii=False), "at": at, "by": by}
        connection.execute(queries("catalogue")["begin_item"], values)


def open_entries(connection: Connection) -> list[OpenEntry]:
    return [OpenEntry(*row) for row in connection.execute(queries("catalogue")["open_entries"]).fetchall()]


def open_entry(connection: Connection, dataset: str) -> OpenEntry | None:
    row = connection.execute(queries("catalogue")["open_entry"], {"dataset": dataset}).fetchone()
    return None if row is None else OpenEntry(*row)


def open_history(connection: Connection, dataset: str) -> list[OpenEntry]:
    """Oldest first."""
    return [OpenEntry(*row) for row in connection.execute(queries("catalogue")["open_history"], {"dataset": dataset}).fetchall()]


def lock_open_entry(connection: Connection, dataset: str) -> None:
    connection.execute(queries("catalogue")["lock_open_entry"], {"class": LOCK_CLASS, "dataset": dataset})


def keep_open_entry(connection: Connection, entry: OpenEntry) -> None:
    """End what an entry was and begin what it is."""
    values = asdict(entry) | {"at": entry.since, "by": entry.by_whom}
    connection.execute(queries("catalogue")["end_open_entry"], values)
    connection.execute(queries("catalogue")["begin_open_entry"], values)


def unopened(connection: Connection) -> frozenset[str]:
    """Datasets on the list of open data that are not open to everybody now."""
    return frozenset(row[0] for row in connection.execute(queries("catalogue")["unopened"]).fetchall())


def add_lineage(
    connection: Connection, run: UUID, kind: str, time: datetime, subsystem: str, job: str, reads: Sequence[str], writes: Sequence[str],
    columns: Mapping[str, Any], at: datetime,
) -> bool:  # fmt: skip
    """Keep an event of a run; False when it is there already."""
    values = {
        "run": run, "type": kind, "time": time, "subsystem": subsystem, "job": job, "reads": list(reads), "writes": list(writes),
        "columns": json.dumps(columns, ensure_ascii=False), "at": at,
    }  # fmt: skip
    return connection.execute(queries("catalogue")["add_lineage"], values).rowcount == 1


def outside_runs(connection: Connection, dataset: str) -> list[OutsideRun]:
    rows = connection.execute(queries("catalogue")["lineage_of"], {"dataset": dataset}).fetchall()
    return [OutsideRun(row[0], row[1], tuple(row[2]), tuple(row[3]), row[4], row[5]) for row in rows]


def last_runs(connection: Connection, dataset: str) -> list[LastRun]:
    return [LastRun(*row) for row in connection.execute(queries("catalogue")["last_runs"], {"dataset": dataset}).fetchall()]


def applied_at(connection: Connection) -> dict[str, tuple[datetime, datetime]]:
    """Dataset → when its contract was first, and last, applied."""
    return {row[0]: (row[1] or row[2], row[2]) for row in connection.execute(queries("catalogue")["applied_at"]).fetchall()}


def news(connection: Connection, dataset: str | None, limit: int) -> list[News]:
    """The newest versions of all datasets, or of one."""
    return [News(*row) for row in connection.execute(queries("catalogue")["news"], {"dataset": dataset, "limit": limit}).fetchall()]


def told_since(connection: Connection, subsystem: str, since: datetime) -> int:
    row = connection.execute(queries("catalogue")["told_since"], {"subsystem": subsystem, "since": since}).fetchone()
    assert row is not None
    return int(row[0])
