"""What a master contract's own expression scores: the language of mappings, asked of what registers say."""

from __future__ import annotations

from datetime import date
from functools import lru_cache

import polars as pl

from lienthong.contracts.mapping import Node, read_mapping
from lienthong.quality.mapping import MappingContext, evaluate

_NOTHING = MappingContext(date.min)  # a score looks nothing up, so no day counts


def scores(expression: str, statements: pl.DataFrame) -> pl.Series:
    """A number for each statement, as `masterdata.survivorship.Scores` wants it: 1 and 0 for true and false, null where there is none."""
    told = pl.col("told")
    number = pl.when(told == "true").then(1.0).when(told == "false").then(0.0).otherwise(told.cast(pl.Float64, strict=False))
    return evaluate(_read(expression), statements, _NOTHING).values.to_frame("told").select(number.alias("score")).to_series()


@lru_cache(maxsize=256)
def _read(expression: str) -> Node:
    return read_mapping(expression)
