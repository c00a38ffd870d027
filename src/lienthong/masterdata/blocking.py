"""Which pairs are worth comparing: those that share a key. Keys come from recipes, and what is too common is refined, not capped.

How common a key is was frozen when the model was trained. So the keys of a record depend on the record and the model alone,
never on who arrived before it, and every order of arrival proposes the same pairs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import polars as pl
import polars_hash as plh
import xxhash

from lienthong.masterdata.predicates import Features

_BETWEEN = "\x1f"
MOST_PER_KEY = 60  # records that share a key before it is refined: pairs grow with its square


@dataclass(frozen=True)
class Recipe:
    """Columns that make one key together; a record that lacks one of them has no such key. `number` keeps recipes apart."""

    number: int
    columns: tuple[str, ...]


Way = tuple[Recipe, tuple[str, ...]]


@dataclass(frozen=True)
class Blocking:
    """`common`: keys (hashes) that more than `most` records had: each is replaced by itself with one column of `refine_with`;

    `dropped`: refined keys that were still too common. They find nobody, and are counted and shown. `otherwise`: column → the column
    that stands for it once more: who goes by another name has the keys of both.
    """

    recipes: tuple[Recipe, ...]
    refine_with: tuple[str, ...]
    most: int = MOST_PER_KEY
    common: frozenset[int] = frozenset()
    dropped: frozenset[int] = frozenset()
    otherwise: Mapping[str, str] = field(default_factory=dict)

    def keys(self, features: Features, places: Mapping[str, int]) -> tuple[int, ...]:
        """The keys of one record, as signed 64-bit numbers, sorted, each once."""
        found: set[int] = set()
        for recipe, columns in (*self._own, *self._others):
            text = str(recipe.number)
            for column in columns:
                value = features[places[column]]
                if value is None:
                    break
                text += _BETWEEN + value
            else:
                self._add(text, recipe, features, places, found)
        return tuple(sorted(number - (1 << 64) if number >= 1 << 63 else number for number in found))

    def _add(self, text: str, recipe: Recipe, features: Features, places: Mapping[str, int], found: set[int]) -> None:
        number = xxhash.xxh3_64_intdigest(text.encode())
        if number not in self.common:
            found.add(number)
            return
        for column in self._extras[recipe]:
            extra = features[places[column]]
            if extra is not None:
                refined = xxhash.xxh3_64_intdigest(_BETWEEN.join((text, column, extra)).encode())
                if refined not in self.dropped:
                    found.add(refined)

    @cached_property
    def _own(self) -> list[Way]:
        """Each recipe with the columns its key is made of."""
        return [(recipe, recipe.columns) for recipe in self.recipes]

    @cached_property
    def _others(self) -> list[Way]:
        """The same with columns that stand for them, where there are some."""
        others = [(recipe, tuple(self.otherwise.get(column, column) for column in recipe.columns)) for recipe in self.recipes]
        return [way for way in others if way[1] != way[0].columns]

    @cached_property
    def _extras(self) -> dict[Recipe, tuple[str, ...]]:
        """What each recipe's keys are refined with: columns of attributes that are no part of them."""
        used = {recipe: {column.split("__")[0] for column in recipe.columns} for recipe in self.recipes}
        return {recipe: tuple(c for c in self.refine_with if c.split("__")[0] not in used[recipe]) for recipe in self.recipes}

    def key_frame(self, features: pl.DataFrame) -> pl.DataFrame:
        """The keys of many records: `record` (UInt32, the row's place) and `key` (UInt64)."""
        own = self._keys_by(self._own, features)
        if not self._others:
            return own
        called = features.with_row_index("record").filter(
            pl.any_horizontal(pl.col(column).is_not_null() for column in self.otherwise.values())
        )
        if not called.height:
            return own
        more = self._keys_by(self._others, called)
        more = more.with_columns(called["record"][more["record"]])
        twice = own.filter(pl.col("record").is_in(called["record"].implode()))
        return pl.concat([own, more.unique().join(twice, on=["record", "key"], how="anti")])

    def _keys_by(self, ways: Sequence[Way], features: pl.DataFrame) -> pl.DataFrame:
        parts = []
        common = pl.Series("key", list(self.common), dtype=pl.UInt64)
        dropped = pl.Series("key", list(self.dropped), dtype=pl.UInt64)
        for recipe, columns in ways:
            plain = _hashed(features, str(recipe.number), columns)
            if not self.common:
                parts.append(plain.select("record", "key"))
                continue
            is_common = plain["key"].is_in(common.implode())
            parts.append(plain.filter(~is_common).select("record", "key"))
            frequent = plain.filter(is_common)
            if frequent.height:
                rows = features[frequent["record"]]
                for column in self._extras[recipe]:
                    refined = _refined(frequent, column, rows[column])
                    parts.append(refined.filter(~pl.col("key").is_in(dropped.implode())).select("record", "key"))
        return pl.concat(parts)

    def frozen(self, features: pl.DataFrame) -> Blocking:
        """The same recipes with what is common among these records frozen."""
        common: set[int] = set()
        dropped: set[int] = set()
        for recipe in self.recipes:
            plain = _hashed(features, str(recipe.number), recipe.columns)
            frequent_keys = plain.group_by("key").len().filter(pl.col("len") > self.most)["key"]
            common.update(frequent_keys.to_list())
            frequent = plain.filter(pl.col("key").is_in(frequent_keys.implode()))
            if frequent.height:
                rows = features[frequent["record"]]
                for column in self._extras[recipe]:
                    refined = _refined(frequent, column, rows[column])
                    dropped.update(refined.group_by("key").len().filter(pl.col("len") > self.most)["key"].to_list())
        return replace(self, common=frozenset(common), dropped=frozenset(dropped))


def _hashed(features: pl.DataFrame, number: str, columns: Sequence[str]) -> pl.DataFrame:
    """`record`, `text`, `key` of the records that have all the columns."""
    return (
        features.lazy()
        .select(
            pl.int_range(pl.len(), dtype=pl.UInt32).alias("record"),
            pl.concat_str([pl.lit(number), *(pl.col(column).cast(pl.String) for column in columns)], separator=_BETWEEN).alias("text"),
        )
        .drop_nulls("text")
        .with_columns(plh.col("text").nchash.xxh3_64().alias("key"))
        .collect()
    )


def _refined(frequent: pl.DataFrame, column: str, values: pl.Series) -> pl.DataFrame:
    return (
        frequent.lazy()
        .select("record", pl.concat_str([pl.col("text"), pl.lit(column), values.cast(pl.String)], separator=_BETWEEN).alias("text"))
        .drop_nulls("text")
        .with_columns(plh.col("text").nchash.xxh3_64().alias("key"))
        .collect()
    )
