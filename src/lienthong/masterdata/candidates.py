"""Pairs worth comparing, in bulk: records that share a key, but for those no weight could ever join."""

from __future__ import annotations

from collections.abc import Sequence

import duckdb
import polars as pl

from lienthong.masterdata.blocking import Blocking
from lienthong.masterdata.plan import Plan
from lienthong.masterdata.rules import Rules


def pairs_within(features: pl.DataFrame, columns: Sequence[str]) -> float:
    """How many pairs of records agree in all the columns (none empty)."""
    sizes = features.lazy().select(columns).drop_nulls().group_by(columns).len().select((pl.col("len") * (pl.col("len") - 1) / 2).sum())
    return float(sizes.collect().item() or 0.0)


def candidate_pairs(plan: Plan, blocking: Blocking, features: pl.DataFrame, sources: pl.Series | None = None) -> pl.DataFrame:
    """`left` < `right` (UInt32 row numbers), each pair once, sorted.

    Left out, because no weight joins them: two different valid identifiers, and two rows of a register that promises one row each.
    """
    keys = blocking.key_frame(features)
    bars = [features[plan.same_column(name)].alias(f"bar_{n}") for n, name in enumerate(plan.identifiers)]
    kept = ["l.record < r.record"]
    columns = [pl.int_range(features.height, dtype=pl.UInt32, eager=True).alias("record")]
    for bar in bars:
        columns.append(bar.hash(seed=1).alias(bar.name).zip_with(bar.is_not_null(), pl.Series([None], dtype=pl.UInt64)))
        kept.append(f"(l.{bar.name} is null or r.{bar.name} is null or l.{bar.name} = r.{bar.name})")
    apart = Rules(plan).apart_columns
    if apart:
        for n, column in enumerate(apart):
            values = features[column]
            columns.append(values.hash(seed=2).alias(f"apart_{n}").zip_with(values.is_not_null(), pl.Series([None], dtype=pl.UInt64)))
        kept.append(f"not ({' and '.join(f'coalesce(l.apart_{n} <> r.apart_{n}, false)' for n in range(len(apart)))})")
    if sources is not None and plan.unique_sources:
        numbers = {name: n for n, name in enumerate(sorted(plan.unique_sources))}
        columns.append(sources.replace_strict(numbers, default=None, return_dtype=pl.Int32).alias("register"))
        kept.append("(l.register is null or r.register is null or l.register <> r.register)")
    wide = keys.join(pl.DataFrame(columns), on="record")
    connection = duckdb.connect()
    try:
        connection.execute("set memory_limit = '1GB'")
        connection.register("keys", wide.to_arrow())
        query = (
            f'select distinct l.record as "left", r.record as "right" from keys l join keys r on l.key = r.key where {" and ".join(kept)}'
        )
        found = pl.DataFrame(pl.from_arrow(connection.sql(query).to_arrow_table()))
    finally:
        connection.close()
    return found.cast({"left": pl.UInt32, "right": pl.UInt32}).sort("left", "right")
