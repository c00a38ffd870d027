"""Due times of scheduled sources: called for once each, taken by one worker, settled."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from lienthong.store.database import Connection, queries


@dataclass(frozen=True)
class Due:
    """One due time as it was taken; `attempts` counts this try."""

    dataset_id: str
    source_name: str
    due_at: datetime
    attempts: int


@dataclass(frozen=True)
class DueNow:
    """The newest due time of a source, and how it stands."""

    dataset_id: str
    source_name: str
    due_at: datetime
    state: str
    attempts: int
    next_at: datetime
    run_id: int | None
    error: str | None
    ended_at: datetime | None


def call(connection: Connection, dataset_id: str, source_name: str, due: datetime, late: datetime, now: datetime) -> None:
    """Note a due time, unless it is noted; earlier ones still open are missed. Nothing for a dataset that was never applied."""
    values = {"dataset": dataset_id, "source": source_name, "due": due, "late": late, "now": now}
    connection.execute(queries("schedules")["call"], values)


def take(connection: Connection, now: datetime) -> Due | None:
    """The next due time whose turn it is, now this caller's."""
    row = connection.execute(queries("schedules")["take"], {"now": now}).fetchone()
    return None if row is None else Due(*row)


def settle(
    connection: Connection, due: Due, state: str, *, run_id: int | None = None, error: str | None = None, next_at: datetime | None = None,
    ended_at: datetime | None = None,
) -> None:  # fmt: skip
    """How a try ended: `waiting` again at `next_at`, or for good."""
    values = {
        "dataset": due.dataset_id, "source": due.source_name, "due": due.due_at, "state": state, "run": run_id, "error": error,
        "next_at": next_at, "ended_at": ended_at,
    }  # fmt: skip
    connection.execute(queries("schedules")["settle"], values)


def put_back(connection: Connection, due: Due, next_at: datetime) -> None:
    """Have a due time tried again, this try not counted."""
    values = {"dataset": due.dataset_id, "source": due.source_name, "due": due.due_at, "next_at": next_at}
    connection.execute(queries("schedules")["put_back"], values)


def take_up_cut_off(connection: Connection) -> int:
    """Have tries of a worker that was killed made again. The caller is the only one at work."""
    return connection.execute(queries("schedules")["cut_off"]).rowcount


def newest(connection: Connection, dataset_id: str | None = None) -> list[DueNow]:
    """The newest due time of each source."""
    return [DueNow(*row) for row in connection.execute(queries("schedules")["newest"], {"dataset": dataset_id}).fetchall()]


def gaps(connection: Connection, since: datetime) -> dict[tuple[str, str], tuple[int, int]]:
    """(dataset, source) → (due times since, those that brought nothing)."""
    return {(row[0], row[1]): (row[2], row[3]) for row in connection.execute(queries("schedules")["gaps"], {"since": since}).fetchall()}


def landed(connection: Connection, run_id: int) -> bool:
    """Whether a run landed a row: one that recognised the last delivery did not."""
    row = connection.execute(queries("schedules")["landed"], {"run": run_id}).fetchone()
    return row is not None and bool(row[0])


def silent(connection: Connection, now: datetime) -> list[tuple[str, str, datetime]]:
    """(dataset, source, since when it was due) of sources that have not come, past their grace."""
    return connection.execute(queries("schedules")["silent"], {"now": now}).fetchall()
