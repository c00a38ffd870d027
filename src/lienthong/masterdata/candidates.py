"""Pairs worth comparing, in bulk: records that share a key, but for those no weight could ever join."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from lienthong.masterdata.blocking import Blocking
from lienthong.masterdata.plan import Plan
from lienthong.masterdata.rules import Rules

_KEYS_AT_ONCE = 1_500_000  # keys paired at a time: memory stays flat, whatever the number of records


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
    parts = max(1, keys.height // _KEYS_AT_ONCE)
    found = [_paired(keys.filter(pl.col("key") % parts == part), bars, allowed) for part in range(parts)]
    return pl.concat(found).unique().sort("left", "right")


def _paired(keys: pl.DataFrame, bars: pl.DataFrame, allowed: pl.Expr) -> pl.DataFrame:
    """Pairs of records that share one of these keys and are not kept apart."""
    shared = keys.filter(pl.len().over("key") > 1)
    left = shared.lazy()
    pairs = left.join(shared.lazy(), on="key", suffix="_r").filter(pl.col("record") < pl.col("record_r"))
    narrow = pairs.select(pl.col("record").alias("left"), pl.col("record_r").alias("right")).unique().collect()
    if not bars.width:
        return narrow
    both = [bars[narrow["left"]], bars[narrow["right"]].rename(lambda name: f"{name}_r")]
    return narrow.filter(pl.concat(both, how="horizontal").select(allowed).to_series())


def _bars(plan: Plan, features: pl.DataFrame, sources: pl.Series | None) -> tuple[pl.DataFrame, pl.Expr]:
    """Numbers standing for what keeps records apart, a row a record, and the condition under which a pair is allowed."""
    columns: list[pl.Series] = []
    allowed = pl.lit(value=True)
    for n, name in enumerate(plan.identifiers):
        columns.append(_numbered(features[plan.same_column(name)], f"id_{n}"))
        allowed &= (pl.col(f"id_{n}") == pl.col(f"id_{n}_r")).fill_null(value=True)
    apart = Rules(plan).apart_columns
    if apart:
        columns += [_numbered(features[column], f"apart_{n}") for n, column in enumerate(apart)]
        allowed &= pl.any_horizontal([(pl.col(f"apart_{n}") == pl.col(f"apart_{n}_r")).fill_null(value=True) for n in range(len(apart))])
    if sources is not None and plan.unique_sources:
        numbers = {name: n for n, name in enumerate(sorted(plan.unique_sources))}
        columns.append(sources.replace_strict(numbers, default=None, return_dtype=pl.Int32).alias("register"))
        allowed &= (pl.col("register") != pl.col("register_r")).fill_null(value=True)
    return pl.DataFrame(columns), allowed


def _numbered(values: pl.Series, name: str) -> pl.Series:
    """A number for each distinct value (UInt32), null for none."""
    return values.cast(pl.String).rank("dense").cast(pl.UInt32).alias(name)
