"""Rooms of events: their types, what was published, who subscribes, what became of each delivery."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from psycopg.types.json import Jsonb

from lienthong.store.database import Connection, queries


class RoomEvent(NamedTuple):
    """One event. `body` None: no longer kept."""

    event: UUID
    sequence: int
    room: str
    type: str
    publisher: str
    body: Any
    at: datetime
    stopped_at: datetime | None


class Standing(NamedTuple):
    """How far an event has come with one subscriber."""

    subscriber: str
    state: str
    attempts: int
    status: int | None
    since: datetime | None


class Due(NamedTuple):
    """A push to be made now."""

    event: UUID
    sequence: int
    room: str
    type: str
    publisher: str
    body: Any
    at: datetime
    subscription: UUID
    attempts: int
    subscriber: str
    official: str
    purpose: str
    url: str
    sealed: bytes


@dataclass(frozen=True)
class RoomSubscription:
    """Who gets the events of one type. `ttl` in seconds; `sealed`: what pushes are signed with, None for who pulls."""

    subscription: UUID
    room: str
    type: str
    subscriber: str
    official: str
    purpose: str
    delivery: str
    url: str = ""
    ttl: int = 3_600
    fifo: bool = False
    sealed: bytes | None = None


def _done(connection: Connection, name: str, **values: Any) -> bool:
    """Whether a statement that returns what it changed changed anything."""
    return connection.execute(queries("rooms")[name], values).fetchone() is not None


def put_type(connection: Connection, room: str, type: str, schema: Mapping[str, Any], at: datetime) -> bool:
    """Whether the type was made; False: there is one already."""
    return _done(connection, "put_type", room=room, type=type, schema=Jsonb(dict(schema)), at=at)


def types(connection: Connection, room: str) -> list[str]:
    return [str(name) for (name,) in connection.execute(queries("rooms")["types"], {"room": room})]


def schema_of(connection: Connection, room: str, type: str) -> Mapping[str, Any] | None:
    row = connection.execute(queries("rooms")["schema_of"], {"room": room, "type": type}).fetchone()
    return None if row is None else dict(row[0])


def end_type(connection: Connection, room: str, type: str, at: datetime) -> bool:
    return _done(connection, "end_type", room=room, type=type, at=at)


def publish(connection: Connection, event: UUID, room: str, type: str, publisher: str, body: Any, at: datetime) -> int:
    """Keep an event and a delivery for each subscriber; how many there are."""
    values = {"event": event, "room": room, "type": type, "publisher": publisher, "body": Jsonb(body), "at": at}
    connection.execute(queries("rooms")["publish"], values)
    return connection.execute(queries("rooms")["spread"], values).rowcount


def event_of(connection: Connection, room: str, type: str, event: UUID) -> RoomEvent | None:
    row = connection.execute(queries("rooms")["event"], {"room": room, "type": type, "event": event}).fetchone()
    return None if row is None else RoomEvent(*row)


def standing(connection: Connection, event: UUID) -> list[Standing]:
    return [Standing(*row) for row in connection.execute(queries("rooms")["standing"], {"event": event})]


def stop_event(connection: Connection, room: str, type: str, event: UUID, at: datetime) -> bool:
    """Stop an event: who has not got it does not get it."""
    stopped = _done(connection, "stop_event", room=room, type=type, event=event, at=at)
    connection.execute(queries("rooms")["stop_deliveries"], {"event": event, "at": at})
    return stopped


def subscribe(connection: Connection, new: RoomSubscription, at: datetime) -> bool:
    """Whether it was made; False: the subscriber has one of this type."""
    return _done(connection, "subscribe", **asdict(new), at=at)


def subscriptions(connection: Connection, room: str, subscriber: str, type: str | None = None) -> list[RoomSubscription]:
    rows = connection.execute(queries("rooms")["subscriptions"], {"room": room, "subscriber": subscriber, "type": type})
    return [RoomSubscription(*row) for row in rows]


def change_subscription(connection: Connection, changed: RoomSubscription) -> bool:
    return _done(connection, "change_subscription", **asdict(changed))


def end_subscription(connection: Connection, subscription: UUID, at: datetime) -> bool:
    """End a subscription; what waits for it is let go."""
    connection.execute(queries("rooms")["drop_of_subscription"], {"subscription": subscription, "at": at})
    return _done(connection, "end_subscription", subscription=subscription, at=at)


def pull(connection: Connection, found: RoomSubscription, at: datetime, next_at: datetime) -> RoomEvent | None:
    """The next event of a subscription, held until the end of the transaction; out of strict order others get the next until then."""
    row = connection.execute(queries("rooms")["pull"], {"subscription": found.subscription, "fifo": found.fifo, "at": at}).fetchone()
    if row is None:
        return None
    event = RoomEvent(*row)
    connection.execute(queries("rooms")["given"], {"event": event.event, "subscription": found.subscription, "next_at": next_at})
    return event


def acknowledge(connection: Connection, event: UUID, subscription: UUID, at: datetime) -> bool:
    return _done(connection, "acknowledge", event=event, subscription=subscription, at=at)


def due(connection: Connection, at: datetime, limit: int) -> list[Due]:
    return [Due(*row) for row in connection.execute(queries("rooms")["due"], {"at": at, "limit": limit})]


def settle(connection: Connection, push: Due, *, delivered: bool, status: int | None, at: datetime, next_at: datetime) -> None:
    """Keep what became of a push."""
    values = {
        "event": push.event, "subscription": push.subscription, "delivered": delivered, "status": status, "at": at, "next_at": next_at
    }  # fmt: skip
    connection.execute(queries("rooms")["settle"], values)


def let_go(connection: Connection, at: datetime, bodies_before: datetime) -> None:
    """Drop deliveries past their time, and bodies everyone is through with."""
    connection.execute(queries("rooms")["drop_late"], {"at": at})
    connection.execute(queries("rooms")["forget_bodies"], {"before": bodies_before})
