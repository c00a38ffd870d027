"""Pairs worth comparing, in bulk: records that share a key, but for those no weight could ever join."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import polars as pl

from lienthong.errors import Conflict
from lienthong.masterdata.blocking import Blocking
from lienthong.masterdata.narrow import plain
from lienthong.masterdata.plan import Plan
from lienthong.masterdata.rules import Rules

_KEYS_AT_ONCE = 1_500_000  # keys paired at a time: memory stays flat, whatever the number of records
_PAIRS_AT_ONCE = 20_000_000  # before those kept apart are left out, counted from both sides
_ROWS_AT_ONCE = 50_000  # records looked at one by one
_HALF = 1 << 32  # two row numbers of 32 bits as one number


def pairs_within(features: pl.DataFrame, columns: Sequence[str]) -> float:
    """How many pairs of records agree in all the columns (none empty)."""
    sizes = features.lazy().select(columns).drop_nulls().group_by(columns).len().select((pl.col("len") * (pl.col("len") - 1) / 2).sum())
    return float(sizes.collect().item() or 0.0)


def candidate_pairs(plan: Plan, blocking: Blocking, features: pl.DataFrame, sources: pl.Series | None = None) -> pl.DataFrame:
    """`left` < `right` (UInt32 row numbers), each pair once, sorted.

    Left out, because no weight joins them: two different valid identifiers, two rows of a register that promises one row each, and
    records that differ in everything the contract says keeps records apart.
    """
    keys = blocking.key_frame(features)
    bars, allowed = _bars(plan, features, sources)
    return without_two_numbers(plan, features, _distinct(_found(keys, bars, allowed, blocking.most, plan.entity)))


def without_two_numbers(plan: Plan, features: pl.DataFrame, pairs: pl.DataFrame) -> pl.DataFrame:
    """The pairs without those of two different valid identifiers, but for a slip of one sign: a person is asked about that."""
    rules = Rules(plan)
    if not rules.slip_columns:
        return pairs
    kept = np.ones(pairs.height, np.bool_)
    for name in plan.identifiers:
        values = features[plan.same_column(name)]
        kept &= (values[pairs["left"]] == values[pairs["right"]]).fill_null(value=True).to_numpy()
    two = np.flatnonzero(~kept)
    for start in range(0, two.size, _ROWS_AT_ONCE):
        part = two[start : start + _ROWS_AT_ONCE]
        left, right = (plain(features[pairs[side][part]].select(plan.columns)).rows() for side in ("left", "right"))
        kept[part] = [rules.slip(one, other, "", "") for one, other in zip(left, right, strict=True)]
    return pairs.filter(kept)


def _found(keys: pl.DataFrame, bars: pl.DataFrame, allowed: pl.Expr, most: int, entity: str) -> Iterator[pl.DataFrame]:
    """Pairs, a part of the keys at a time. Raises Conflict when there are more than there can be under keys of at most `most` records."""
    parts = max(1, keys.height // _KEYS_AT_ONCE)
    room = keys.height * most // 2
    for part in range(parts):
        shared = (
            keys.filter(pl.col("key") % parts == part).with_columns(pl.len().over("key").alias("sharing")).filter(pl.col("sharing") > 1)
        )
        room -= shared.select((pl.col("sharing").cast(pl.Int64) - 1).sum() // 2).item()
        if room < 0:
            raise outgrown(entity, shared.select(pl.col("sharing").max()).item(), most)
        for some in _portions(shared):
            yield _paired(some, shared, bars, allowed)


def _distinct(frames: Iterable[pl.DataFrame]) -> pl.DataFrame:
    """Each pair once, sorted. A pair is found by many keys: as one number each, and never many times at once, they need little room."""
    held = pl.Series(dtype=pl.UInt64)
    waiting: list[pl.Series] = []
    for frame in frames:
        waiting.append(frame["left"].cast(pl.UInt64) * _HALF + frame["right"])
        if sum(map(len, waiting)) > max(len(held), _PAIRS_AT_ONCE):
            held, waiting = _each_once([held, *waiting]), []
    held = _each_once([held, *waiting])
    return pl.DataFrame({"left": (held // _HALF).cast(pl.UInt32), "right": (held % _HALF).cast(pl.UInt32)})


def _each_once(numbers: Sequence[pl.Series]) -> pl.Series:
    """Sorted. `np.unique` hashes first: forty times as long (20 million numbers, measured)."""
    ordered = pl.concat(numbers).sort()
    return ordered.filter(ordered.ne_missing(ordered.shift()))


def _portions(shared: pl.DataFrame) -> list[pl.DataFrame]:
    """The same rows in portions whose pairs are at hand together."""
    portion = (shared["sharing"].cast(pl.Int64).cum_sum() - 1) // _PAIRS_AT_ONCE
    return [shared.filter(portion == n) for n in portion.unique().sort()] or [shared]


def _paired(some: pl.DataFrame, shared: pl.DataFrame, bars: pl.DataFrame, allowed: pl.Expr) -> pl.DataFrame:
    """Pairs of some records with those that share one of their keys and are not kept apart."""
    pairs = some.lazy().join(shared.lazy(), on="key", suffix="_r").filter(pl.col("record") < pl.col("record_r"))
    narrow = pairs.select(pl.col("record").alias("left"), pl.col("record_r").alias("right")).unique().collect()
    if not bars.width:
        return narrow
    both = [bars[narrow["left"]], bars[narrow["right"]].rename(lambda name: f"{name}_r")]
    return narrow.filter(pl.concat(both, how="horizontal").select(allowed).to_series())


def outgrown(entity: str, sharing: int, most: int) -> Conflict:
    learn = f"lienthong match train {entity} --adopt"
    return Conflict(
        f"The records outgrew the model of `{entity}`: {sharing} of them share one key, where at most {most} did when it was learnt.",
        hint=f"Learn it anew from what there is now: {learn}",
        vi=f"Dữ liệu đã lớn hơn nhiều so với khi học mô hình của `{entity}`: {sharing} bản ghi chung một khóa, khi học nhiều nhất là {most}.",
        hint_vi=f"Học lại mô hình từ dữ liệu hiện có: {learn}",
    )


def _bars(plan: Plan, features: pl.DataFrame, sources: pl.Series | None) -> tuple[pl.DataFrame, pl.Expr]:
    """Numbers standing for what keeps records apart, a row a record, and the condition under which a pair is allowed."""
    rules = Rules(plan)
    columns: list[pl.Series] = []
    allowed = pl.lit(value=True)
    for n, name in enumerate(plan.identifiers):
        columns.append(_numbered(features[plan.same_column(name)], f"id_{n}"))
        allowed &= (pl.col(f"id_{n}") == pl.col(f"id_{n}_r")).fill_null(value=True)
    if columns and rules.slip_columns:
        columns += [_numbered(features[column], f"own_{n}") for n, column in enumerate(rules.slip_columns)]
        allowed |= pl.all_horizontal(
            [(pl.col(f"own_{n}") == pl.col(f"own_{n}_r")).fill_null(value=False) for n in range(len(rules.slip_columns))]
        )
    apart = rules.apart_columns
    if apart:
        columns += [_numbered(features[column], f"apart_{n}") for n, column in enumerate(apart)]
        allowed &= pl.any_horizontal([(pl.col(f"apart_{n}") == pl.col(f"apart_{n}_r")).fill_null(value=True) for n in range(len(apart))])
    if sources is not None and plan.unique_sources:
        numbers = {name: n for n, name in enumerate(sorted(plan.unique_sources))}
        columns.append(sources.replace_strict(numbers, default=None, return_dtype=pl.Int32).alias("register"))
        allowed &= (pl.col("register") != pl.col("register_r")).fill_null(value=True)
    return pl.DataFrame(columns), allowed


def _numbered(values: pl.Series, name: str) -> pl.Series:
    """A number for each distinct value (UInt32), null for none. Ranks of hashes are found in a fraction of the time those of texts take;
    two values of one hash would let a pair be weighed that need not be.
    """
    if values.dtype == pl.Categorical:
        return values.to_physical().cast(pl.UInt32).alias(name)
    return pl.select(pl.when(values.is_not_null()).then(values.hash().rank("dense").cast(pl.UInt32)).alias(name)).to_series()
