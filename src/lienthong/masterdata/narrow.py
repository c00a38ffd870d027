"""Features of many records in a third of their room: a column in which few values come often keeps numbers for them.

A million persons' features take 640 MiB as plain texts. What reads some rows of a narrow frame asks for them `plain`.
"""

from __future__ import annotations

import polars as pl
import polars.selectors as cs

_ROWS_A_VALUE = 4  # a number takes a quarter of a text's place: below this many rows for each value nothing is won


def narrow(features: pl.DataFrame) -> pl.DataFrame:
    """The same texts; columns with few distinct ones as Categorical."""
    return features.with_columns(
        features[name].cast(pl.Categorical) for name in features.columns if features[name].n_unique() * _ROWS_A_VALUE <= features.height
    )


def plain(features: pl.DataFrame) -> pl.DataFrame:
    """The texts of a frame that may be narrow."""
    return features.with_columns(cs.categorical().cast(pl.String))
