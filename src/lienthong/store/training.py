"""Who learns, what they have begun and done, and what can be seen of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from psycopg.types.json import Jsonb

from lienthong.store.database import Connection, queries


@dataclass(frozen=True)
class Learner:
    handle: str
    name: str
    agency: str
    joined_at: datetime


@dataclass(frozen=True)
class Start:
    """One beginning of a lesson. `facts`: what it was begun with."""

    number: int
    lesson: str
    at: datetime
    facts: Mapping[str, Any]


@dataclass(frozen=True)
class Completion:
    handle: str
    lesson: str
    at: datetime
    evidence: list[str]


def join(connection: Connection, handle: str, name: str, agency: str, at: datetime) -> None:
    """Somebody learns here; who has joined before may change their name and agency."""
    connection.execute(queries("training")["join"], {"handle": handle, "name": name, "agency": agency, "at": at})


def learner(connection: Connection, handle: str) -> Learner | None:
    row = connection.execute(queries("training")["learner"], {"handle": handle}).fetchone()
    return None if row is None else Learner(*row)


def learners(connection: Connection) -> list[Learner]:
    """By agency and name."""
    return [Learner(*row) for row in connection.execute(queries("training")["learners"])]


def start(connection: Connection, handle: str, lesson: str, at: datetime, facts: Mapping[str, Any]) -> None:
    connection.execute(queries("training")["start"], {"handle": handle, "lesson": lesson, "at": at, "facts": Jsonb(dict(facts))})


def newest_start(connection: Connection, handle: str, lesson: str) -> Start | None:
    row = connection.execute(queries("training")["newest_start"], {"handle": handle, "lesson": lesson}).fetchone()
    return None if row is None else Start(*row)


def starts(connection: Connection) -> dict[tuple[str, str], datetime]:
    """(handle, lesson) → when it was last begun."""
    return {(handle, lesson): at for handle, lesson, at in connection.execute(queries("training")["starts"])}


def others_at_work(connection: Connection, handle: str, since: datetime) -> bool:
    """Whether anybody else has begun a lesson since."""
    row = connection.execute(queries("training")["others_since"], {"handle": handle, "since": since}).fetchone()
    return row is not None and bool(row[0])


def complete(connection: Connection, handle: str, lesson: str, at: datetime, evidence: list[str]) -> bool:
    """False when it was complete before: the first time counts."""
    values = {"handle": handle, "lesson": lesson, "at": at, "evidence": Jsonb(evidence)}
    return connection.execute(queries("training")["complete"], values).rowcount == 1


def completions(connection: Connection, handle: str | None = None) -> list[Completion]:
    """Oldest first."""
    name = "completions" if handle is None else "completions_of"
    return [Completion(*row) for row in connection.execute(queries("training")[name], {"handle": handle})]


def entries_with(connection: Connection, needle: str, since: datetime) -> list[tuple[bytes, dict[str, Any]]]:
    """Bodies of entries since in which a text stands, and what they say; oldest first. `details` is always there."""
    lines = connection.execute(queries("training")["entries_since"], {"needle": needle, "since": since})
    return [(line.encode(), {"details": {}, **msgspec.json.decode(line)}) for (line,) in lines]


def released_by(connection: Connection, run: int) -> int:
    """How many rows that waited went through with a run."""
    return _count(connection, "released_by", {"run": run})


def waiting_of(connection: Connection, run: int) -> int:
    """How many rows of a run wait."""
    return _count(connection, "waiting_of", {"run": run})


def files_of(connection: Connection, handle: str, since: datetime) -> list[tuple[int, int]]:
    """A person's files since that were taken in, oldest first: (number, run)."""
    rows = connection.execute(queries("training")["uploads_of"], {"handle": handle, "since": since})
    return [(upload, run) for upload, run, _ in rows if run is not None]


def _count(connection: Connection, name: str, values: Mapping[str, Any]) -> int:
    row = connection.execute(queries("training")[name], values).fetchone()
    return 0 if row is None else int(row[0])
