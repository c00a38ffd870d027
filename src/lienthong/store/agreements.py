"""Keeps agreements: what was agreed, every step of its life, stops of datasets. What may be done is not decided here."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from lienthong.access import Actor, State, Stop
from lienthong.store.database import Connection, queries

MOST = 100_000


@dataclass(frozen=True)
class Kept:
    """An agreement as it stands. `step` is the number of its newest step, `at` when that was."""

    id: str
    provider: str
    consumer: str
    dataset: str
    origin: str
    file_digest: str | None
    since: datetime
    version: int
    document: Mapping[str, Any]
    state: State
    step: int
    at: datetime


@dataclass(frozen=True)
class KeptStep:
    """One step of a life."""

    step: int
    act: str
    state: State
    version: int
    by: str
    agency: str
    subsystem: str
    reason: str
    legal_text: str
    details: Mapping[str, Any]
    at: datetime
    ended_at: datetime | None


@dataclass(frozen=True)
class NewStep:
    """A step to be kept."""

    act: str
    state: State
    actor: Actor
    at: datetime
    reason: str = ""
    legal_text: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class KeptStop:
    """A stop that was announced."""

    stop: Stop
    provider: str
    reason: str
    announced_at: datetime


def edge(connection: Connection) -> int:
    """A number that has grown since, when anything here has changed."""
    row = connection.execute(_query("edge")).fetchone()
    return 0 if row is None else int(row[0])


def move_edge(connection: Connection) -> None:
    """Tell the serving processes. Whoever changes the register does it, after everything else and before the ledger entry."""
    connection.execute(_query("move_edge"))


def next_number(connection: Connection) -> int:
    row = connection.execute(_query("next_number")).fetchone()
    assert row is not None
    return int(row[0])


def add(connection: Connection, document: Mapping[str, Any], origin: str, digest: str | None, step: NewStep) -> bool:
    """Keep a new agreement with its first version and step; False when one of that id is there already."""
    values = _names(document) | {"origin": origin, "digest": digest, "at": step.at}
    if connection.execute(_query("add"), values).fetchone() is None:
        return False
    add_step(connection, str(document["id"]), add_version(connection, document, step.at), step)
    return True


def lock(connection: Connection, agreement: str) -> Kept | None:
    """The agreement, held until the transaction ends; None when there is none."""
    if connection.execute(_query("lock"), {"id": agreement}).fetchone() is None:
        return None
    return find(connection, agreement)


def lock_name(connection: Connection, name: str) -> None:
    """Whatever is done under this name is done one at a time, until the transaction ends."""
    connection.execute(_query("lock_name"), {"name": name})


def change(connection: Connection, document: Mapping[str, Any], digest: str | None, at: datetime) -> int:
    """A new version of a held agreement's document; gives its number."""
    identify(connection, document, digest)
    connection.execute(_query("end_version"), {"id": document["id"], "at": at})
    return add_version(connection, document, at)


def identify(connection: Connection, document: Mapping[str, Any], digest: str | None) -> None:
    """Who and what a held agreement is between, and the file it was taken from."""
    connection.execute(_query("identify"), _names(document) | {"digest": digest})


def add_version(connection: Connection, document: Mapping[str, Any], at: datetime) -> int:
    row = connection.execute(_query("add_version"), {"id": document["id"], "document": json.dumps(document), "at": at}).fetchone()
    assert row is not None
    return int(row[0])


def add_step(connection: Connection, agreement: str, version: int, step: NewStep) -> int:
    """The next step of a held agreement; the one before ends. Gives its number."""
    connection.execute(_query("end_step"), {"id": agreement, "at": step.at})
    row = connection.execute(
        _query("add_step"),
        {
            "id": agreement, "act": step.act, "state": step.state, "version": version, "by": step.actor.name, "agency": step.actor.agency,
            "subsystem": step.actor.subsystem, "reason": step.reason, "legal_text": step.legal_text, "details": json.dumps(step.details),
            "at": step.at,
        },
    ).fetchone()  # fmt: skip
    assert row is not None
    return int(row[0])


def find(connection: Connection, agreement: str) -> Kept | None:
    """The agreement as it stands, None when there is none."""
    return next(iter(standing(connection, id=agreement)), None)


def standing(
    connection: Connection, *, id: str | None = None, provider: str | None = None, consumer: str | None = None, dataset: str | None = None,
    states: Sequence[State] | None = None, after: str | None = None, limit: int = MOST,
) -> list[Kept]:  # fmt: skip
    """Agreements as they stand, in order of id; `consumer` is an agency's code."""
    values = {
        "id": id, "provider": provider, "consumer": consumer, "dataset": dataset,
        "states": None if states is None else list(states), "after": after, "limit": limit,
    }  # fmt: skip
    rows = connection.execute(_query("standing"), values).fetchall()
    return [Kept(*(*row[:9], State(row[9]), *row[10:])) for row in rows]


def steps(connection: Connection, agreement: str) -> list[KeptStep]:
    rows = connection.execute(_query("steps"), {"id": agreement}).fetchall()
    return [KeptStep(row[0], row[1], State(row[2]), *row[3:]) for row in rows]


def versions(connection: Connection, agreement: str) -> list[tuple[int, Mapping[str, Any], datetime, datetime | None]]:
    """(number, document, since, until) of every version, in order."""
    return connection.execute(_query("versions"), {"id": agreement}).fetchall()


def last_steps(
    connection: Connection, acts: Sequence[str], agreement: str | None = None
) -> dict[tuple[str, str], tuple[int, str, Mapping[str, Any], datetime]]:
    """(agreement, act) → (step, by whom, details, when) of the newest step of each of these acts."""
    rows = connection.execute(_query("last_steps"), {"acts": list(acts), "id": agreement}).fetchall()
    return {(row[0], row[1]): (row[2], row[3], row[4], row[5]) for row in rows}


def files(connection: Connection) -> dict[str, tuple[str | None, State]]:
    """Agreement → (digest of the file it was taken from, present state)."""
    return {row[0]: (row[1], State(row[2])) for row in connection.execute(_query("files")).fetchall()}


def add_stop(connection: Connection, stop: Stop, provider: str, reason: str, by: str, at: datetime) -> int:
    values = {
        "dataset": stop.dataset, "provider": provider, "begins_at": stop.begins_at, "ends_at": stop.ends_at, "is_forced": stop.is_forced,
        "reason": reason, "by": by, "at": at,
    }  # fmt: skip
    row = connection.execute(_query("add_stop"), values).fetchone()
    assert row is not None
    return int(row[0])


def withdraw_stop(connection: Connection, stop: int, provider: str, reason: str, at: datetime) -> str | None:
    """The dataset of a provider's stop that is now withdrawn; None when there is no such stop still to come or under way."""
    row = connection.execute(_query("withdraw_stop"), {"stop": stop, "provider": provider, "reason": reason, "at": at}).fetchone()
    return None if row is None else str(row[0])


def stops(connection: Connection, at: datetime, limit: int = MOST) -> list[KeptStop]:
    """Stops that are not over, the next first."""
    rows = connection.execute(_query("stops"), {"at": at, "limit": limit}).fetchall()
    return [KeptStop(Stop(row[0], row[1], row[3], row[4], row[5]), row[2], row[6], row[7]) for row in rows]


def usage(connection: Connection, agreement: str, begins: datetime, ends: datetime) -> list[tuple[date, str, str, str, str, int, int]]:
    """(day, event, outcome, purpose, official, entries, rows) of what the ledger has under an agreement on [begins, ends)."""
    needle = '"agreement":' + json.dumps(agreement)
    return connection.execute(_query("usage"), {"id": agreement, "needle": needle, "begins": begins, "ends": ends}).fetchall()


def _names(document: Mapping[str, Any]) -> dict[str, str]:
    return {
        "id": str(document["id"]), "provider": str(document["provider"]), "consumer": str(document["consumer"]),
        "dataset": str(document.get("dataset") or document.get("service")),
    }  # fmt: skip


def _query(name: str) -> Any:
    return queries("agreements")[name]
