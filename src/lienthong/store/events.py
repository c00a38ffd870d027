"""The stream of events over all datasets: left in the transaction of an act, put in order afterwards, read by position.

Numbers from a sequence become visible out of order, so a reader that remembers the largest it saw would miss what commits late.
Here a position is given only to what is committed, by one at a time (`schema.sql`, Events). Nobody has to run for that: who reads
puts in order first. A long transaction holds back its own events and no others.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from psycopg.types.json import Jsonb

from lienthong.store.database import Connection, queries
from lienthong.store.identities import StoredEvent

CHANNEL = "lienthong_events"  # NOTIFY at every commit that leaves an event
VERSION_PUBLISHED = "version:published"
ENTITIES_CHANGED = "entities:changed"


class StreamEvent(NamedTuple):
    """An event at its position. `source`: a dataset, `entity/<type>`, a room or a subscription."""

    position: int
    event: int
    at: datetime
    type: str
    source: str
    subject: str
    data: Mapping[str, Any]


def append(connection: Connection, type: str, source: str, subject: str = "", data: Mapping[str, Any] | None = None) -> None:
    """Leave an event in the caller's transaction.

    `type` is `subject:act`, as `agreement:suspended`, `stop:planned`, `schema:changed`. `source` is the dataset it concerns: whoever follows that
    dataset under an agreement is told, or, when `data` names a `consumer`, only that subsystem. No personal data.
    """
    connection.execute(queries("events")["append"], {"type": type, "source": source, "subject": subject, "data": Jsonb(dict(data or {}))})


def put_in_order(connection: Connection) -> int:
    """Give what is committed its positions; how many there were. Best in a short transaction: others wait for its end."""
    row = connection.execute(queries("events")["put_in_order"]).fetchone()
    return 0 if row is None else int(row[0])


def newest_position(connection: Connection) -> int:
    """The last position given, 0 when there is none."""
    row = connection.execute(queries("events")["newest"]).fetchone()
    return 0 if row is None else int(row[0])


def read(connection: Connection, after: int, limit: int, sources: Sequence[str] | None = None) -> list[StreamEvent]:
    """Events after a position, in order; of every source when none is named."""
    name = "all_after" if sources is None else "after"
    values = {"after": after, "limit": limit, "sources": None if sources is None else list(sources)}
    return [StreamEvent(*row) for row in connection.execute(queries("events")[name], values)]


def at_position(connection: Connection, position: int) -> StreamEvent | None:
    row = connection.execute(queries("events")["one"], {"position": position}).fetchone()
    return None if row is None else StreamEvent(*row)


def of_matching(connection: Connection, span: Mapping[str, Any], after: int, limit: int) -> list[StoredEvent]:
    """What became of identities in the span an `entities:changed` names, after one of its numbers."""
    values = {"act": span["act"], "first": span["from"], "last": span["to"], "after": after, "limit": limit}
    rows = connection.execute(queries("events")["of_matching"], values)
    return [StoredEvent(number, kind, id, tuple(others), tuple(records), at) for number, kind, id, others, records, at in rows]


def ring(connection: Connection) -> None:
    """Wake who listens, though there is no event."""
    connection.execute(queries("events")["ring"])
