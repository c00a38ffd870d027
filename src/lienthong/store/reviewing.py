"""Keeps reviews: the pairs drawn, and what persons said of them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from lienthong.masterdata.estimating import Said
from lienthong.store.database import Connection, queries
from lienthong.store.matching import StoredRecord, as_array


class Drawn(NamedTuple):
    """One review. `is_through`: nobody has a pair of it still to look at; None where that was not asked."""

    review: int
    model: str
    at: datetime
    records: int
    is_through: bool | None = None


def sample(connection: Connection, entity: str, most: int, seed: int) -> list[StoredRecord]:
    """Records by chance, the same for the same seed."""
    rows = connection.execute(_query("sample"), {"entity": entity, "most": most, "seed": seed}).fetchall()
    return [_record(row) for row in rows]


def sharing(connection: Connection, entity: str, keys: Iterable[Sequence[int]]) -> list[StoredRecord]:
    """Records that share a blocking key with one of many records, whose keys these are; one may come more than once."""
    sought = [as_array(each) for each in keys if each]
    rows = connection.execute(queries("matching")["sharing"], {"entity": entity, "keys": sought}).fetchall()
    return [_record(row) for row in rows]


def add(
    connection: Connection, entity: str, model: str, at: datetime, by: str, seed: int, records: int, sampled: int,
    items: Sequence[Mapping[str, Any]],
) -> int:  # fmt: skip
    """Keep a review and its pairs; gives its number."""
    values = {"entity": entity, "model": model, "at": at, "by": by, "seed": seed, "records": records, "sampled": sampled}
    row = connection.execute(_query("add_review"), values).fetchone()
    assert row is not None  # returning
    connection.execute(_query("add_items"), {"review": row[0], "items": json.dumps(items)})
    return int(row[0])


def latest(connection: Connection, entity: str) -> Drawn | None:
    row = connection.execute(_query("latest"), {"entity": entity}).fetchone()
    return None if row is None else Drawn(*row)


def standing(connection: Connection, entity: str) -> Drawn | None:
    """The newest review that is through, or the newest of all: what a report tells of."""
    row = connection.execute(_query("standing"), {"entity": entity}).fetchone()
    return None if row is None else Drawn(*row)


def joins_stand(connection: Connection, sources: Sequence[str]) -> bool:
    """Whether records of these registers are joined by the model or a rule."""
    row = connection.execute(_query("joins_stand"), {"sources": list(sources)}).fetchone()
    return row is not None and bool(row[0])


def joined_since(connection: Connection, entity: str) -> datetime | None:
    """When the model or a rule first joined two records of an entity. Reads judgements from the first on: ask once, it stays so."""
    row = connection.execute(_query("joined_since"), {"entity": entity}).fetchone()
    return None if row is None else row[0]


def next_items(connection: Connection, review: int, by: str, limit: int) -> list[tuple[Any, ...]]:
    """item, left source, key, content, right source, key, content."""
    return connection.execute(_query("next"), {"review": review, "by": by, "limit": limit}).fetchall()


def say(connection: Connection, entity: str, item: int, by: str, verdict: str, at: datetime) -> bool:
    """Whether there is such a pair."""
    values = {"entity": entity, "item": item, "by": by, "verdict": verdict, "at": at}
    return connection.execute(_query("say"), values).fetchone() is not None


def verdicts(connection: Connection, review: int) -> list[Said]:
    """Every pair of a review with what was said of it, by whom."""
    return [Said._make((*row[:7], row[7:11], row[11])) for row in connection.execute(_query("verdicts"), {"review": review}).fetchall()]


def _record(row: tuple[Any, ...]) -> StoredRecord:
    return StoredRecord(row[0], row[1], row[2], tuple(row[3]), tuple(row[4]), row[5], row[6])


def _query(name: str) -> Any:
    return queries("reviewing")[name]
