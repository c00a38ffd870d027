"""What a list is looked up against: records of the index that share a key with its rows. Nothing of a list is kept."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from lienthong.store.database import Connection, queries
from lienthong.store.matching import as_array


@dataclass(frozen=True, slots=True)
class Candidate:
    """A record of the index as far as comparing needs it; `golden` is the id of its golden record."""

    record: int
    features: tuple[str | None, ...]
    keys: tuple[int, ...]
    golden: str


def sharing(connection: Connection, entity: str, keys: Iterable[Sequence[int]]) -> list[Candidate]:
    """Every record of the entity that has a key of one of the rows whose keys these are, once."""
    sought = [as_array(each) for each in keys if each]
    if not sought:
        return []
    rows = connection.execute(queries("lists")["sharing"], {"entity": entity, "keys": sought}).fetchall()
    return [Candidate(record, tuple(features), tuple(own), golden) for record, features, own, golden in rows]
