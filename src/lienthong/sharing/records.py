"""One row as a record of an answer: its values, and for those without one, which of three things that means."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from typing import Any

import msgspec

from lienthong.access import mask
from lienthong.contracts import Contract
from lienthong.sharing.rights import Right
from lienthong.store.answers import OURS, Row, VersionFacts, version_facts
from lienthong.store.database import Connection


class Record(msgspec.Struct, gc=False):
    """A record of an answer. `values` is of the type `values_type` makes: a struct is made and encoded in half the time of a mapping."""

    key: str | None
    version: int
    valid_from: date
    values: msgspec.Struct
    withheld: Sequence[str]
    not_delivered: Sequence[str]


Shape = Callable[[Row], Record]


@lru_cache(maxsize=1_000)
def values_type(fields: tuple[str, ...]) -> type[msgspec.Struct]:
    """A type whose values, given in the order of the fields, become JSON under the fields' names, whatever those are."""
    own = [f"f{n}" for n in range(len(fields))]
    return msgspec.defstruct("Values", [(name, Any) for name in own], rename=dict(zip(own, fields, strict=True)), gc=False)


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
    connection: Connection, book: VersionBook, contract: Contract, right: Right, fields: tuple[str, ...], withheld: tuple[str, ...],
    begin: int = 0,
) -> Shape:  # fmt: skip
    """A function from rows to records; from place `begin` a row is (_key, _version, _valid_from, *fields, …)."""
    masks = [(place, right.masked[name]) for place, name in enumerate(fields) if name in right.masked]
    sees_key = right.sees_key(contract)
    values_of = values_type(fields)
    undelivered: dict[int, tuple[int, ...]] = {}
    begin_version, begin_day, begin_fields = begin + 1, begin + 2, begin + OURS
    end = begin_fields + len(fields)

    def shape(row: Row) -> Record:
        version = row[begin_version]
        if version not in undelivered:
            undelivered[version] = book.undelivered(connection, contract.id, version, fields)
        values: Sequence[Any] = row[begin_fields:end]
        places = undelivered[version]
        not_delivered = [fields[place] for place in places if values[place] is None] if places else ()
        if masks:
            values = list(values)
            for place, kind in masks:
                values[place] = mask(kind, values[place])
        return Record(row[begin] if sees_key else None, version, row[begin_day], values_of(*values), withheld, not_delivered)

    return shape


def kinds_of_mask(right: Right, fields: tuple[str, ...]) -> Mapping[str, str]:
    """Field → kind of mask, of the fields answered with."""
    return {name: kind for name, kind in right.masked.items() if name in fields}
