"""Rows that claim the same key. Their fate does not depend on the order in which they came."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from lienthong.contracts import Contract, Rule, Severity
from lienthong.quality import words
from lienthong.quality.issue import ISSUE_SCHEMA, no_issues

ROW = "duplicate.row"
KEY = "duplicate.key"
_WORDS = {
    ROW: ("Mỗi hàng chỉ gửi một lần: hàng này lặp lại nguyên một hàng khác", "Each row once: this one repeats another row exactly"),
    KEY: (
        "Khóa {vi} chỉ được có ở một hàng: các hàng cùng khóa có nội dung khác nhau đều phải chờ",
        "Key {en} in one row only: rows of the same key that differ all wait",
    ),
}


def duplicates(rows: pl.DataFrame, contract: Contract) -> pl.DataFrame:
    """Issues of rows (`row_no`, `key`, `content`: a fingerprint of the values) that share a key.

    Rows that say the same: the one of the smallest number passes, the others are `duplicate.row`.
    Rows that differ: all wait with `duplicate.key`, for nobody can know which is right.
    """
    shared = rows.filter(pl.col("key").is_duplicated())
    judged = shared.with_columns(
        (pl.col("content").n_unique().over("key") > 1).alias("differ"),
        (pl.col("row_no") == pl.col("row_no").min().over("key")).alias("is_first"),
    ).filter(pl.col("differ") | ~pl.col("is_first"))
    return _issues(judged.select("row_no", "key", pl.when("differ").then(pl.lit(KEY)).otherwise(pl.lit(ROW)).alias("code")), contract)


def key_conflicts(conflicts: Sequence[tuple[int, str, bool]], contract: Contract) -> pl.DataFrame:
    """Issues of rows (row number, key, says the same) whose key belongs to a record delivered again unchanged in the same delivery."""
    rows = pl.DataFrame(list(conflicts), schema={"row_no": pl.Int64, "key": pl.String, "same": pl.Boolean}, orient="row")
    return _issues(rows.select("row_no", "key", pl.when("same").then(pl.lit(ROW)).otherwise(pl.lit(KEY)).alias("code")), contract)


def _issues(rows: pl.DataFrame, contract: Contract) -> pl.DataFrame:
    if rows.is_empty():
        return no_issues()
    named = {
        "vi": " + ".join(p.title_vi or p.name for p in contract.key),
        "en": " + ".join(p.title_en or p.name for p in contract.key),
    }
    said = {code: tuple(text.format(**named) for text in pair) for code, pair in _WORDS.items()}
    column = contract.key[0].name if len(contract.key) == 1 else None
    return (
        rows.sort("row_no")
        .with_columns(
            pl.lit(column, pl.String).alias("column_name"),
            pl.lit("key").alias("rule"),
            pl.lit(Severity.ERROR.value).alias("severity"),
            pl.col("key").alias("found"),
            pl.col("code").replace_strict({code: pair[0] for code, pair in said.items()}).alias("expected_vi"),
            pl.col("code").replace_strict({code: pair[1] for code, pair in said.items()}).alias("expected_en"),
        )
        .select(pl.col(name).cast(kind) for name, kind in ISSUE_SCHEMA.items())
    )


def repeats(rows: Sequence[tuple[int, str]], rule: Rule, contract: Contract) -> pl.DataFrame:
    """Issues of rows (row number, value) that break a `unique` rule beside rows of other batches or records already published."""
    if not rows:
        return no_issues()
    vi, en = words.said(rule, words.unique(rule, contract))
    values = {
        "column_name": rule.columns[0],
        "rule": rule.id,
        "code": "unique",
        "severity": rule.severity.value,
        "expected_vi": vi,
        "expected_en": en,
    }
    frame = pl.DataFrame(list(rows), schema={"row_no": pl.Int64, "found": pl.String}, orient="row")
    frame = frame.with_columns(pl.lit(value, pl.String).alias(name) for name, value in values.items())
    return frame.select(pl.col(name).cast(kind) for name, kind in ISSUE_SCHEMA.items())
