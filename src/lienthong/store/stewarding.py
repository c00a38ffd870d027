"""Reads and writes what stewards do with the index of master data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from psycopg import sql
from psycopg.types.json import Json

from lienthong.store.database import Connection, queries

Name = tuple[str, str]
NEAREST = 500  # pairs looked at to find the next ones


def waiting(connection: Connection, entity: str, by: str, at: datetime, limit: int) -> list[tuple[Any, ...]]:
    """item, why, bits, left source, key, content, golden id, right source, key, content, golden id, records.

    Looks among the nearest to the cut first, and at all that waits only where these do not suffice: a page does not wait for ten thousand pairs.
    """
    values = {"entity": entity, "by": by, "at": at, "limit": limit}
    found = connection.execute(_query("waiting"), {**values, "near": NEAREST}).fetchall() if limit < NEAREST else []
    return found if len(found) == limit else connection.execute(_query("waiting"), {**values, "near": None}).fetchall()


def fitting(
    connection: Connection, entity: str, by: str, at: datetime, pattern: Mapping[str, Any], most: int
) -> tuple[list[tuple[Any, ...]], int]:
    """Pairs that wait and fit, as `waiting` gives them, in order of their numbers; and how many fit. No pair is read where more than `most` do.

    `pattern`: why, registers, least_bits, below_bits, alike, differing; each narrows where it is given.
    """
    values = {
        **pattern, "entity": entity, "by": by, "at": at, "most": most,
        "registers": None if pattern["registers"] is None else sorted(pattern["registers"]),
        "alike": list(pattern["alike"]), "differing": list(pattern["differing"]),
    }  # fmt: skip
    rows = connection.execute(_query("fitting"), values).fetchall()
    if rows and rows[0][0] is None:
        return [], int(rows[0][-1])
    return [row[:-1] for row in rows], len(rows)


def lock_items(connection: Connection, items: Sequence[int], by: str, until: datetime) -> None:
    connection.execute(_query("lock_items"), {"items": list(items), "by": by, "until": until})


def defer(connection: Connection, item: int, until: datetime) -> bool:
    """Whether the item was there."""
    return connection.execute(_query("defer"), {"item": item, "until": until}).fetchone() is not None


def second(connection: Connection, left: Name, right: Name, by: str, at: datetime) -> None:
    connection.execute(_query("second"), {**_pair(left, right), "by": by, "at": at})


def seconded(connection: Connection, left: Name, right: Name) -> str | None:
    """Who said yes first; None: nobody yet."""
    row = connection.execute(_query("seconded"), _pair(left, right)).fetchone()
    return None if row is None else row[0]


def settle(connection: Connection, left: Name, right: Name) -> None:
    """A pair that is decided no longer waits."""
    connection.execute(_query("settle"), _pair(left, right))


def pair_of(connection: Connection, entity: str, item: int) -> tuple[Name, Name] | None:
    """The two records of a pair that waits."""
    row = connection.execute(_query("pair_of"), {"entity": entity, "item": item}).fetchone()
    return None if row is None else ((row[0], row[1]), (row[2], row[3]))


def act_told(connection: Connection, entity: str, number: int) -> dict[str, Any] | None:
    """kind, at, by, reason, undoes, undone by, details, events of an act."""
    row = connection.execute(_query("act_told"), {"entity": entity, "act": number}).fetchone()
    return None if row is None else row[0]


def dossier(connection: Connection, entity: str, id: str) -> dict[str, Any] | None:
    """Records with their content, stewards' values, judgements in force and events of an identity that stands."""
    row = connection.execute(_query("dossier"), {"entity": entity, "id": id}).fetchone()
    return None if row is None else row[0]


def end_words(connection: Connection, left: Name, right: Name, act: int, at: datetime) -> None:
    connection.execute(_query("end_words"), {**_pair(left, right), "act": act, "at": at})


def keep_apart(
    connection: Connection, entity: str, parts: Sequence[Sequence[Name]], by: str, reason: str, act: int, at: datetime
) -> None:  # fmt: skip
    """Say that records of different parts are not one, whatever was said of them before."""
    named = [(source, key, number) for number, part in enumerate(parts) for source, key in part]
    sources, keys, numbers = (list(column) for column in zip(*named, strict=True))
    values = {"sources": sources, "keys": keys, "parts": numbers, "act": act, "at": at}
    connection.execute(_query("end_words_between"), values)
    connection.execute(_query("part"), {"entity": entity, "by": by, "reason": reason, **values})


def act(connection: Connection, number: int) -> tuple[Any, ...] | None:
    """entity, kind, at, by whom."""
    return connection.execute(_query("act"), {"act": number}).fetchone()


def undone(connection: Connection, number: int) -> int | None:
    row = connection.execute(_query("undone"), {"act": number}).fetchone()
    return None if row is None else row[0]


def moved_by(connection: Connection, number: int) -> dict[Name, int]:
    """(source, key) → the identity the act took it from."""
    return {(source, key): golden for source, key, golden in connection.execute(_query("moved_by"), {"act": number})}


def came_by(connection: Connection, number: int) -> list[str]:
    """`source/key` of records that came to where they are by the act."""
    return [row[0] for row in connection.execute(_query("came_by"), {"act": number})]


def words_anew(connection: Connection, undoing: int, at: datetime) -> set[Name]:
    """Let hold what the acts said that hold now, with this undoing, and nothing else; gives the records of which that changed something."""
    values = {"act": undoing, "at": at}
    statements = (_query("partings_anew"), _query("words_anew").format(holds=_holds("said")))
    return {(row[0], row[1]) for statement in statements for row in connection.execute(statement, values)}


def homes(connection: Connection, names: Sequence[Name]) -> dict[Name, tuple[int, bool]]:
    """(source, key) → the identity it has by the acts that hold, and whether that is the one it began with."""
    values = {"sources": [source for source, _ in names], "keys": [key for _, key in names]}
    return {
        (source, key): (golden, first)
        for source, key, golden, first in connection.execute(_query("homes").format(holds=_holds("named")), values)
    }


def golden(connection: Connection, entity: str, id: str) -> int | None:
    """The number of an identity that stands now."""
    row = connection.execute(_query("golden"), {"entity": entity, "id": id}).fetchone()
    return None if row is None else int(row[0])


def add_override(
    connection: Connection, golden: int, attribute: str, value: str | None, by: str, reason: str, at: datetime, until: date | None, act: int
) -> None:  # fmt: skip
    values = {
        "golden": golden,
        "attribute": attribute,
        "value": Json(value),
        "by": by,
        "reason": reason,
        "at": at,
        "until": until,
        "act": act,
    }
    connection.execute(_query("add_override"), values)


def end_overrides(connection: Connection, golden: int, attribute: str, at: datetime) -> int:
    """How many ended."""
    return len(connection.execute(_query("end_overrides"), {"golden": golden, "attribute": attribute, "at": at}).fetchall())


def overdue(connection: Connection, entity: str, today: date) -> list[tuple[int, str, str]]:
    """(golden, its id, attribute) of stewards' values whose last day is past, of golden records that stand."""
    return [(row[0], row[1], row[2]) for row in connection.execute(_query("overdue"), {"entity": entity, "today": today})]


def who_then(connection: Connection, name: Name, at: datetime) -> str | None:
    """The identity a record was part of at an instant; None: it was not known then."""
    row = connection.execute(_query("who_then"), {"source": name[0], "key": name[1], "at": at}).fetchone()
    return None if row is None else str(row[0])


def members_then(connection: Connection, entity: str, id: str, at: datetime) -> list[Name]:
    """The records of an identity at an instant, by register and key."""
    return [(row[0], row[1]) for row in connection.execute(_query("members_then"), {"entity": entity, "id": id, "at": at})]


def _pair(left: Name, right: Name) -> dict[str, str]:
    return {"left_source": left[0], "left_key": left[1], "right_source": right[0], "right_key": right[1]}


def _holds(table: str) -> sql.Composed:
    """Whether the `act` of a row of this table holds."""
    found: sql.Composed = _query("holds").format(act=sql.Identifier(table, "act"))
    return found


def _query(name: str) -> Any:
    return queries("stewarding")[name]
