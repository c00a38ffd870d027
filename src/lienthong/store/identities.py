"""Reads who is one: an identity and where it leads, its records, what became of identities."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from lienthong.store.database import Connection, queries


@dataclass(frozen=True)
class Resolved:
    """Where an id leads. `id`: the identity that stands for it now, or the last one that did; `ended_at`: since when none does."""

    id: str
    is_redirected: bool
    ended_at: datetime | None


@dataclass(frozen=True)
class Member:
    """A register's record of an identity; `dated`: the register's own date of it, `since`: when it came to this identity.

    `content`: what it says now, by attribute.
    """

    source: str
    key: str
    dated: date | None = None
    since: datetime | None = None
    content: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class StoredEvent:
    event: int
    kind: str
    id: str
    others: tuple[str, ...]
    records: tuple[str, ...]
    at: datetime


def resolve(connection: Connection, entity: str, id: str) -> Resolved | None:
    """Follow an id through merges; None when the entity never had it."""
    row = connection.execute(queries("matching")["golden_by_id"], {"id": id}).fetchone()
    if row is None or row[2] != entity:
        return None
    return Resolved(row[1], row[5] > 0, row[4])


def of_record(connection: Connection, entity: str, sources: Sequence[str], key: str) -> str | None:
    """The identity of a register's record."""
    row = connection.execute(queries("identities")["of_record"], {"entity": entity, "sources": list(sources), "key": key}).fetchone()
    return None if row is None else str(row[0])


def members(connection: Connection, entity: str, id: str) -> list[Member]:
    return [Member(*row) for row in connection.execute(queries("identities")["members"], {"entity": entity, "id": id})]


def events(connection: Connection, entity: str, after: int, limit: int) -> list[StoredEvent]:
    """Events after a number, in the order in which they became true."""
    rows = connection.execute(queries("identities")["events"], {"entity": entity, "after": after, "limit": limit})
    return [StoredEvent(number, kind, id, tuple(others), tuple(records), at) for number, kind, id, others, records, at in rows]
