"""One row as a record of an answer: its values, and for those without one, which of three things that means."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from lienthong.access import mask
from lienthong.contracts import Contract
from lienthong.sharing.rights import Right
from lienthong.store.answers import OURS, Row, VersionFacts, version_facts
from lienthong.store.database import Connection

Record = dict[str, Any]
Shape = Callable[[Row], Record]


@dataclass
class VersionBook:
    """Facts of versions. A version never changes, so what was read once stays right."""

    _facts: dict[str, dict[int, VersionFacts]] = field(default_factory=dict)

    def facts(self, connection: Connection, dataset_id: str, version: int) -> VersionFacts:
        """The facts of a version that exists."""
        known = self._facts.setdefault(dataset_id, {})
        if version not in known:
            for facts in version_facts(connection, dataset_id, after=max(known, default=0)):
                known[facts.version] = facts
        return known[version]

    def undelivered(self, connection: Connection, dataset_id: str, version: int, fields: tuple[str, ...]) -> tuple[int, ...]:
        """Places of the fields that the source of a version did not deliver."""
        delivered = self.facts(connection, dataset_id, version).delivered_columns
        return tuple(place for place, name in enumerate(fields) if name not in delivered)


def shape_of(
    connection: Connection, book: VersionBook, contract: Contract, right: Right, fields: tuple[str, ...], withheld: tuple[str, ...]
) -> Shape:
    """A function from rows (_key, _version, _valid_from, *fields, …) to records."""
    masks = [(name, right.masked[name]) for name in fields if name in right.masked]
    sees_key = right.sees_key(contract)
    hidden = list(withheld)
    undelivered: dict[int, tuple[int, ...]] = {}
    end = OURS + len(fields)

    def shape(row: Row) -> Record:
        version = row[1]
        if version not in undelivered:
            undelivered[version] = book.undelivered(connection, contract.id, version, fields)
        values = dict(zip(fields, row[OURS:end], strict=True))
        for name, kind in masks:
            values[name] = mask(kind, values[name])
        places = undelivered[version]
        return {
            "key": row[0] if sees_key else None,
            "version": version,
            "valid_from": row[2],
            "values": values,
            "withheld": hidden,
            "not_delivered": [fields[place] for place in places if row[OURS + place] is None] if places else [],
        }

    return shape


def kinds_of_mask(right: Right, fields: tuple[str, ...]) -> Mapping[str, str]:
    """Field → kind of mask, of the fields answered with."""
    return {name: kind for name, kind in right.masked.items() if name in fields}
