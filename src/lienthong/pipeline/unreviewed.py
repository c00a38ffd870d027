"""Since when nobody has looked whether an index is right: the last review that was gone through, or the first join made without a person.

A review that was only drawn, or is half looked at, says nothing yet. Its age is counted from when its pairs were drawn: of what came into the
index later it tells nothing. An index that joins nothing by itself has nothing to review.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from lienthong.contracts import Contract
from lienthong.masterdata.entities import Entity, entities_of
from lienthong.store import Connection
from lienthong.store import reviewing as store


@dataclass(frozen=True)
class Unreviewed:
    """Golden records, the agency that keeps them, and since when their index is not reviewed."""

    dataset: str
    agency: str
    since: datetime


def unreviewed(connection: Connection, contracts: Mapping[str, Contract], joined: dict[str, datetime]) -> Iterator[Unreviewed]:
    """Every index that joins records by itself. `joined`: entity → its first such join, kept by who asks again and again."""
    for entity in entities_of(contracts).values():
        if store.joins_stand(connection, [register.source for register in entity.registers]):
            since = _reviewed(connection, entity) or _joined(connection, entity, joined)
            yield Unreviewed(entity.master.id, entity.master.agency, since)


def _reviewed(connection: Connection, entity: Entity) -> datetime | None:
    drawn = store.standing(connection, entity.name)
    return drawn.at if drawn is not None and drawn.is_through else None


def _joined(connection: Connection, entity: Entity, joined: dict[str, datetime]) -> datetime:
    if entity.name not in joined:
        first = store.joined_since(connection, entity.name)
        assert first is not None  # a join stands, and no judgement is ever erased
        joined[entity.name] = first
    return joined[entity.name]
