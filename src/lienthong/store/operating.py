"""What an operator looks at: runs of all datasets, how duties are, what waits; and the ledger read backwards for whoever audits it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from lienthong.store.database import Connection, queries


class RunLine(NamedTuple):
    run: int
    dataset: str
    source: str
    state: str
    started_at: datetime
    ended_at: datetime | None
    rows_in: int
    rows_published: int
    rows_unchanged: int
    rows_quarantined: int
    waits_for: Any
    error: str | None


class Beat(NamedTuple):
    """When a duty was last seen at work; `failed_at` is of an error it has not got over yet."""

    duty: str
    at: datetime
    failed_at: datetime | None
    error: str


class Queued(NamedTuple):
    queue: str
    waits: int
    oldest_at: datetime | None


class Piece(NamedTuple):
    """Some entries of the ledger, one after another from `begins` on; no bodies where none of them can be meant, or they are not here."""

    begins: int
    entries: int
    at: datetime | None
    bodies: str | None


def recent_runs(connection: Connection, state: str | None, before: int | None, limit: int) -> list[RunLine]:
    """Newest first."""
    values = {"state": state, "before": before, "limit": limit}
    return [RunLine(*row) for row in connection.execute(queries("operating")["recent_runs"], values)]


def runs_by_state(connection: Connection, since: datetime) -> dict[str, int]:
    return dict(connection.execute(queries("operating")["runs_by_state"], {"since": since}).fetchall())


def beats(connection: Connection) -> list[Beat]:
    return [Beat(*row) for row in connection.execute(queries("operating")["beats"])]


def note_failure(connection: Connection, duty: str, at: datetime, error: str) -> None:
    """A duty has failed; `error` is a kind and a place, never what it said."""
    connection.execute(queries("operating")["note_failure"], {"duty": duty, "at": at, "error": error})


def queued(connection: Connection) -> list[Queued]:
    """What waits, by queue."""
    return [Queued(*row) for row in connection.execute(queries("operating")["queued"])]


def pieces_before(connection: Connection, before: int, since: datetime | None, needles: Sequence[str], limit: int) -> list[Piece]:
    """Batches of the ledger that lie before a position, newest first; bodies only of those in which every needle is found as text."""
    values = {"before": before, "since": since, "needles": list(needles), "limit": limit}
    return [Piece(*row) for row in connection.execute(queries("operating")["pieces_before"], values)]


def size_after(connection: Connection, at: datetime) -> int | None:
    """What the first checkpoint a minute or more after an instant counts; None: there is none yet."""
    row = connection.execute(queries("operating")["size_after"], {"at": at}).fetchone()
    return None if row is None else int(row[0])


class Verification(NamedTuple):
    """The whole ledger recomputed: what was found."""

    verification: int
    at: datetime
    by_whom: str
    is_whole: bool
    size: int
    root: str
    said_vi: str
    said_en: str
    seconds: float


class Task(NamedTuple):
    """Long work somebody asked for; the worker does one after another."""

    task: int
    kind: str
    asked_at: datetime
    asked_by: str
    began_at: datetime | None
    ended_at: datetime | None
    said_vi: str
    said_en: str


def keep_verification(connection: Connection, made: Verification) -> int:
    row = connection.execute(queries("operating")["keep_verification"], made._asdict()).fetchone()
    assert row is not None
    return int(row[0])


def verifications(connection: Connection, limit: int) -> list[Verification]:
    """Newest first."""
    return [Verification(*row) for row in connection.execute(queries("operating")["verifications"], {"limit": limit})]


def ask_task(connection: Connection, kind: str, by: str, at: datetime) -> int | None:
    """A new task's number; None while one of its kind is open."""
    row = connection.execute(queries("operating")["ask_task"], {"kind": kind, "by": by, "at": at}).fetchone()
    return None if row is None else int(row[0])


def take_task(connection: Connection, at: datetime) -> Task | None:
    """The oldest open task; one whose worker was killed comes again."""
    row = connection.execute(queries("operating")["take_task"], {"at": at}).fetchone()
    return None if row is None else Task(*row)


def end_task(connection: Connection, task: int, at: datetime, vi: str, en: str) -> None:
    """A task is through; words only where it could not be done."""
    connection.execute(queries("operating")["end_task"], {"task": task, "at": at, "vi": vi, "en": en})


def open_tasks(connection: Connection) -> list[Task]:
    return [Task(*row) for row in connection.execute(queries("operating")["open_tasks"])]


def failed_tasks(connection: Connection, limit: int) -> list[Task]:
    """Those that could not be done, newest first."""
    return [Task(*row) for row in connection.execute(queries("operating")["failed_tasks"], {"limit": limit})]


def last_task(connection: Connection, kind: str) -> datetime | None:
    """When a task of a kind was last asked for."""
    row = connection.execute(queries("operating")["last_task"], {"kind": kind}).fetchone()
    return None if row is None else row[0]


def began_at(connection: Connection) -> datetime | None:
    """When the first checkpoint was signed; None: none was."""
    row = connection.execute(queries("operating")["began_at"]).fetchone()
    return None if row is None else row[0]
