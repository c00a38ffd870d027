"""What is compared of the records of one entity: made from contracts, or from a few words about a file's columns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

import polars as pl

from lienthong.masterdata.kinds import KINDS, OTHER_NAME, TODAY, Attribute, columns_of, comparisons_of, features_of, other_names
from lienthong.masterdata.predicates import Comparison, Features

_VALUES_AT_ONCE = 20_000  # as Python's own texts they take ten times the room


@dataclass(frozen=True)
class Successors:
    """What took the place of administrative units, as it was known and in force on a day: code → code.

    A model keeps those it was learnt with, so that what a record's code means depends on record and model alone.
    """

    on: date | None = None
    codes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Plan:
    """`identifiers`: attributes of which two different valid values never belong to one entity without a steward.

    `apart`: attributes that, when all of them differ, keep two records apart. `unique_sources`: registers that promise one
    row an entity: two of their rows never join. `successors` come with a model; plans are the same whatever theirs are.
    """

    entity: str
    attributes: tuple[Attribute, ...]
    identifiers: tuple[str, ...] = ()
    apart: tuple[str, ...] = ()
    unique_sources: frozenset[str] = field(default_factory=frozenset)
    successors: Successors = field(default=Successors(), compare=False, repr=False)

    def with_successors(self, found: Successors) -> Plan:
        return replace(self, successors=found)

    @property
    def follows_units(self) -> bool:
        """Whether units are compared as they are today, so that their successors matter."""
        return any(attribute.options.get(TODAY) for attribute in self.attributes)

    @property
    def columns(self) -> tuple[str, ...]:
        """The feature columns of a record, in order."""
        return tuple(column for attribute in self.attributes for column in columns_of(attribute))

    @property
    def comparisons(self) -> tuple[Comparison, ...]:
        return comparisons_of(self.attributes)

    def attribute(self, name: str) -> Attribute:
        return next(a for a in self.attributes if a.name == name)

    def same_column(self, name: str) -> str:
        """The column that is equal when two values of the attribute are the same."""
        attribute = self.attribute(name)
        return attribute.column(KINDS[attribute.kind].same)

    def key_columns(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        """Attributes that can find a candidate, each with its columns, finest first."""
        for attribute in self.attributes:
            if attribute.kind not in ("category", OTHER_NAME):
                yield attribute.name, tuple(attribute.column(part) for part in KINDS[attribute.kind].keys)

    @property
    def otherwise(self) -> dict[str, str]:
        """Column of a name → the column of the other name its bearer goes by, by which a record is found as well."""
        found: dict[str, str] = {}
        for name, other in other_names(self.attributes).items():
            parts = KINDS[OTHER_NAME].parts
            found |= {self.attribute(name).column(part): other.column(part) for part in parts}
        return found

    @property
    def earlier_numbers(self) -> list[tuple[str, str]]:
        """(attribute of an earlier number, attribute of the number it was replaced by)."""
        return [(a.name, str(a.options["of"])) for a in self.attributes if a.kind == "identifier" and "of" in a.options]

    def features(self, values: Mapping[str, Any]) -> Features:
        """The features of one record, from its attributes' values."""
        return tuple(feature for a in self.attributes for feature in features_of(a, values.get(a.name), self.successors.codes))

    def feature_frame(self, values: pl.DataFrame) -> pl.DataFrame:
        """The features of many records: one String column each, rows in the order given. Each distinct value is read once."""
        columns: list[pl.Series] = []
        for attribute in self.attributes:
            names = columns_of(attribute)
            if attribute.name not in values.columns:
                columns += [pl.Series(name, [None] * values.height, dtype=pl.String) for name in names]
                continue
            given = values[attribute.name]
            distinct = given.unique()
            starts = range(0, max(distinct.len(), 1), _VALUES_AT_ONCE)
            parts = (distinct.slice(start, _VALUES_AT_ONCE) for start in starts)
            table = pl.concat([_read(attribute, names, part, self.successors.codes) for part in parts])
            joined = given.to_frame("_value").join(table, on="_value", how="left", nulls_equal=True, maintain_order="left")
            columns += [joined[name] for name in names]
        return pl.DataFrame(columns)


def _read(attribute: Attribute, names: Sequence[str], distinct: pl.Series, successors: Mapping[str, str]) -> pl.DataFrame:
    """The features of each value, beside it as `_value`."""
    read = [features_of(attribute, value, successors) for value in distinct]
    return pl.DataFrame(read, schema=dict.fromkeys(names, pl.String), orient="row").with_columns(distinct.alias("_value"))


def plan_of_columns(kinds: Mapping[str, str], unique_sources: Sequence[str] = (), identifiers: Sequence[str] = ()) -> Plan:
    """A plan for a file of any columns: column → kind. Raises KeyError for a kind that does not exist."""
    attributes = tuple(Attribute(name, kind, {}) for name, kind in kinds.items() if KINDS[kind])
    return Plan("record", attributes, tuple(identifiers), (), frozenset(unique_sources))
