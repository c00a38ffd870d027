"""What a list is looked up against: records of the index that share a key with its rows. Nothing of a list is kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lienthong.store.database import Connection, queries


@dataclass(frozen=True, slots=True)
class Candidate:
    """A record of the index as far as comparing needs it; `golden` is the id of its golden record."""

    record: int
    features: tuple[str | None, ...]
    keys: tuple[int, ...]
    golden: str


def sharing(connection: Connection, entity: str, keys: Sequence[int]) -> list[Candidate]:
    """Every record of the entity that has one of these keys, once."""
    if not keys:
        return []
    rows = connection.execute(queries("lists")["sharing"], {"entity": entity, "keys": list(keys)}).fetchall()
    return [Candidate(record, tuple(features), tuple(own), golden) for record, features, own, golden in rows]
