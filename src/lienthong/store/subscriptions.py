"""Subscriptions, how far each has come in the stream, what is under way, and the log of every attempt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from psycopg.types.json import Jsonb

from lienthong.store.database import Connection, queries

LARGEST = 2**63 - 1
MOST = 10_000


@dataclass(frozen=True)
class Subscription:
    """Who is sent what. `conditions` as they were asked for; `held`: the rule of access that keeps everything back at the moment."""

    subscription: str
    caller: str
    official: str
    purpose: str
    dataset: str
    sources: tuple[str, ...]
    road: str
    url: str = ""
    types: tuple[str, ...] = ()
    conditions: tuple[Mapping[str, Any], ...] = ()
    form: str = "batch"
    most: int = 100
    lanes: int = 1
    options: Mapping[str, Any] = field(default_factory=dict)
    state: str = "active"
    why: str = ""
    since: datetime | None = None
    made_at: datetime | None = None
    held: str = ""
    failing_since: datetime | None = None
    position: int = 0
    pending: int = 0
    dead: int = 0


@dataclass(frozen=True)
class Pending:
    """A delivery under way. `lane` None: laid aside before, replayed now."""

    delivery: str
    subscription: str
    lane: int | None
    source_lane: int
    position: int
    within: str | None
    until_position: int
    until_within: str | None
    attempts: int


class Lane(NamedTuple):
    subscription: str
    lane: int
    position: int
    within: str | None


class Attempt(NamedTuple):
    """One line of the log."""

    attempt: int
    delivery: str
    number: int
    at: datetime
    events: int
    bytes: int
    outcome: str
    status: int | None
    reason: str
    milliseconds: int


class Count(NamedTuple):
    """What became of the deliveries of a subscription over a time; `p95_milliseconds` of the answers."""

    subscription: str
    caller: str
    dataset: str
    road: str
    outcome: str
    attempts: int
    events: int
    bytes: int
    p95_milliseconds: float


class DeadLetter(NamedTuple):
    delivery: str
    events: int
    attempts: int
    since: datetime
    reason: str


class KeptSecret(NamedTuple):
    subscription: str
    kind: str
    sealed: bytes
    shown: str
    until: datetime | None


def add(connection: Connection, new: Subscription, position: int, within: str | None, at: datetime) -> None:
    """Add a subscription whose lanes begin at a place."""
    named = queries("subscriptions")
    values = {
        **asdict(new), "at": at, "sources": list(new.sources), "types": list(new.types), "conditions": Jsonb(list(new.conditions)),
        "options": Jsonb(dict(new.options)), "position": position, "within": within,
    }  # fmt: skip
    connection.execute(named["add"], values)
    connection.execute(named["add_lanes"], values)


def some(
    connection: Connection, *, caller: str | None = None, subscription: str | None = None, roads: Sequence[str] | None = None,
    limit: int = MOST,
) -> list[Subscription]:  # fmt: skip
    """Subscriptions, oldest first: of a subsystem, of an id, of some roads; None asks for any."""
    values = {"caller": caller, "subscription": subscription, "roads": None if roads is None else list(roads), "limit": limit}
    return [_subscription(row) for row in connection.execute(queries("subscriptions")["some"], values)]


def _subscription(row: tuple[Any, ...]) -> Subscription:
    subscription, caller, official, purpose, dataset, sources, road, url, types, conditions, *rest = row
    return Subscription(subscription, caller, official, purpose, dataset, tuple(sources), road, url, tuple(types), tuple(conditions), *rest)


def lock(connection: Connection, subscription: str) -> str | None:
    """Hold a subscription until the end of the transaction; its state, None when there is none."""
    row = connection.execute(queries("subscriptions")["lock"], {"subscription": subscription}).fetchone()
    return None if row is None else str(row[0])


def set_state(connection: Connection, subscription: str, state: str, why: str, at: datetime) -> None:
    connection.execute(queries("subscriptions")["set_state"], {"subscription": subscription, "state": state, "why": why, "at": at})


def hand_over(connection: Connection, subscription: str, caller: str) -> None:
    """Make a subscription another subsystem's."""
    connection.execute(queries("subscriptions")["hand_over"], {"subscription": subscription, "caller": caller})


def set_held(connection: Connection, subscription: str, rule: str) -> None:
    connection.execute(queries("subscriptions")["set_held"], {"subscription": subscription, "held": rule})


def change(connection: Connection, changed: Subscription) -> None:
    """Keep what may be changed of a subscription."""
    values = {
        "subscription": changed.subscription, "url": changed.url, "types": list(changed.types), "conditions": Jsonb(list(changed.conditions)),
        "form": changed.form, "most": changed.most,
    }  # fmt: skip
    connection.execute(queries("subscriptions")["change"], values)


def add_secret(connection: Connection, subscription: str, kind: str, sealed: bytes, shown: str, at: datetime, old_until: datetime) -> None:
    """A new secret; the one before signs beside it until then."""
    values = {"subscription": subscription, "kind": kind, "sealed": sealed, "shown": shown, "at": at, "until": old_until}
    connection.execute(queries("subscriptions")["end_secrets"], values)
    connection.execute(queries("subscriptions")["add_secret"], values)


def secrets_of(connection: Connection, subscriptions: Sequence[str], at: datetime) -> list[KeptSecret]:
    """What signs at an instant, of each the newest first."""
    rows = connection.execute(queries("subscriptions")["secrets"], {"subscriptions": list(subscriptions), "at": at})
    return [KeptSecret(row[0], row[1], bytes(row[2]), row[3], row[4]) for row in rows]


def due(
    connection: Connection, roads: Sequence[str], at: datetime, in_hand: Sequence[str], not_now: Sequence[str], limit: int
) -> list[Pending]:  # fmt: skip
    """Deliveries whose time has come, but those in hand and those of subscriptions `not_now`."""
    values = {"roads": list(roads), "at": at, "in_hand": list(in_hand), "not_now": list(not_now), "limit": limit}
    return [Pending(*row) for row in connection.execute(queries("subscriptions")["due"], values)]


def idle_lanes(connection: Connection, roads: Sequence[str], not_now: Sequence[str], limit: int) -> list[Lane]:
    """Lanes with nothing in hand for which the stream holds more."""
    values = {"roads": list(roads), "not_now": list(not_now), "limit": limit}
    return [Lane(*row) for row in connection.execute(queries("subscriptions")["idle_lanes"], values)]


def seconds_to_next(connection: Connection, at: datetime) -> float | None:
    """Until the next delivery is due."""
    row = connection.execute(queries("subscriptions")["next_due"], {"at": at}).fetchone()
    return None if row is None else row[0]


def move_lanes(connection: Connection, moved: Sequence[tuple[Lane, int, str | None]]) -> None:
    """Lanes go on over what was not for them, each to a place."""
    if moved:
        values = [
            {"subscription": lane.subscription, "lane": lane.lane, "position": position, "within": within}
            for lane, position, within in moved
        ]
        with connection.cursor() as cursor:
            cursor.executemany(queries("subscriptions")["move_lane"], values)


def take(connection: Connection, taken: Sequence[Pending], events: Sequence[int], at: datetime) -> None:
    """Spans of the stream are in hand from now on, each under its id."""
    if not taken:
        return
    with connection.cursor() as cursor:
        cursor.executemany(
            queries("subscriptions")["take"],
            [{**asdict(each), "events": count, "at": at} for each, count in zip(taken, events, strict=True)],
        )


def done(connection: Connection, deliveries: Sequence[str]) -> None:
    """Deliveries are through: their lanes go on behind them."""
    if deliveries:
        connection.execute(queries("subscriptions")["done"], {"deliveries": list(deliveries)})


def try_later(connection: Connection, delivery: str, attempts: int, next_at: datetime, reason: str) -> None:
    connection.execute(
        queries("subscriptions")["try_later"], {"delivery": delivery, "attempts": attempts, "next_at": next_at, "reason": reason}
    )


def lay_aside(connection: Connection, delivery: str, attempts: int, reason: str) -> None:
    """Make a delivery a dead letter; its lane goes on."""
    connection.execute(queries("subscriptions")["lay_aside"], {"delivery": delivery, "attempts": attempts, "reason": reason})


def note(connection: Connection, lines: Sequence[Mapping[str, Any]]) -> None:
    """Add to the log: subscription, delivery, number, at, events, bytes, outcome, status, reason, milliseconds."""
    with connection.cursor() as cursor:
        cursor.executemany(queries("subscriptions")["note"], list(lines))


def fails_since(connection: Connection, subscription: str, at: datetime) -> datetime:
    """Since when every attempt of a subscription has failed; from now, if it worked before."""
    row = connection.execute(queries("subscriptions")["fails_since"], {"subscription": subscription, "at": at}).fetchone()
    return at if row is None else row[0]


def works(connection: Connection, subscriptions: Sequence[str]) -> None:
    """These took what they were sent."""
    if subscriptions:
        connection.execute(queries("subscriptions")["works"], {"subscriptions": list(subscriptions)})


def deliveries(connection: Connection, subscription: str, limit: int, before: int | None = None) -> list[Attempt]:
    """The log of a subscription, newest first."""
    values = {"subscription": subscription, "limit": limit, "before": LARGEST if before is None else before}
    return [Attempt(*row) for row in connection.execute(queries("subscriptions")["deliveries"], values)]


def counts(connection: Connection, since: datetime) -> list[Count]:
    """What became of deliveries since an instant, by subscription and outcome: for whoever watches."""
    return [Count(*row) for row in connection.execute(queries("subscriptions")["counts"], {"since": since})]


def dead_letters(connection: Connection, subscription: str, limit: int) -> list[DeadLetter]:
    return [
        DeadLetter(*row)
        for row in connection.execute(queries("subscriptions")["dead_letters"], {"subscription": subscription, "limit": limit})
    ]


def replay(connection: Connection, subscription: str, delivery: str | None, at: datetime) -> list[str]:
    """Send dead letters again, one or all; gives their ids."""
    values = {"subscription": subscription, "delivery": delivery, "at": at}
    return [row[0] for row in connection.execute(queries("subscriptions")["replay"], values)]


def hurry(connection: Connection, subscription: str, at: datetime) -> None:
    """Try at once what waits for its next attempt."""
    connection.execute(queries("subscriptions")["hurry"], {"subscription": subscription, "at": at})
