"""What numbers that name things have in common: signs between digits, what a spreadsheet does to them, ranges of sample data.

Ranges that are never issued mark sample data: places 097–099, old ids 00… and 99…, tax codes 00…, insurance 99…, phones 06….
"""

from __future__ import annotations

import re

import polars as pl

SEPARATORS = re.compile(r"[\s.\-_]")
ROUNDED = re.compile(r"\d+([.,]\d+)?[eE]\+?\d+")
ACCEPT_SYNTHETIC = "accept_synthetic"
ACCEPTS = {ACCEPT_SYNTHETIC: "Accept the ranges of sample data; the pipeline sets it from `LIENTHONG_ACCEPT_SYNTHETIC_IDS`."}


def bare_digits(values: pl.Series) -> pl.Series:
    """The texts without what people put around and between digits and what a spreadsheet leaves behind; null where other signs are."""
    value = pl.col("value")
    plain = pl.when(value.str.contains(r"^[ '0-9._-]+$")).then(value)
    bare = plain.str.strip_chars(" ").str.strip_suffix(".0").str.strip_chars("'").str.replace_all(r"[ ._-]", "")
    return values.to_frame("value").select(bare.alias("bare"))["bare"]
