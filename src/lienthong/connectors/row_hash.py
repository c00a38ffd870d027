"""The hash by which a copy is held against what it should be: one MD5 a row over a text that every database can make alike.

A value is `n` when it is not there, else `v`, its length in characters, a colon and its text; a row is its key and its values joined. Rows
are told apart by the first three digits of their key's MD5 (a bucket); a bucket's sum is the count of its rows and the four 32-bit parts of
their hashes, each added up: equal whatever the order, so both ends can compute it where the rows lie. This guards against damage and hand-made
changes, not against who can choose rows to collide; such a person owns the copy anyway. `store/syncs.py` and `target_*.py` make the same text in SQL.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import polars as pl
import polars_hash as plh
import pyarrow as pa

KEY = "lienthong_key"  # the column every table we keep has beside the agreed ones
BUCKET_DIGITS = 3
PARTS = 4
ARROW_KINDS: Mapping[str, pa.DataType] = {
    "string": pa.string(),
    "integer": pa.int64(),
    "number": pa.float64(),
    "boolean": pa.bool_(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("us", "UTC"),
}
Sum = tuple[int, int, int, int, int]  # rows, and the four parts
Sums = dict[str, Sum]


@dataclass(frozen=True)
class Column:
    """A column of a copy: its name there, and one of string, integer, number, boolean, date, timestamp."""

    name: str
    kind: str


def arrow_schema(columns: Sequence[Column]) -> pa.Schema:
    """The key, then the columns in order."""
    return pa.schema([(KEY, pa.string()), *((c.name, ARROW_KINDS[c.kind]) for c in columns)])


def bucket_of(key: str) -> str:
    return hashlib.md5(key.encode(), usedforsecurity=False).hexdigest()[:BUCKET_DIGITS]


def row_hashes(table: pa.Table, columns: Sequence[Column]) -> dict[str, str]:
    """Key → hash (hex) of each row of a table as `arrow_schema` has it."""
    if not table.num_rows:
        return {}
    frame = pl.DataFrame(pl.from_arrow(table))
    texts = [frame[KEY].alias(KEY), *(_text(frame[c.name], c.kind) for c in columns)]
    parts = [
        pl.when(pl.col(t.name).is_null())
        .then(pl.lit("n"))
        .otherwise(pl.concat_str(pl.lit("v"), pl.col(t.name).str.len_chars().cast(pl.String), pl.lit(":"), pl.col(t.name)))
        for t in texts
    ]
    joined = pl.DataFrame(texts).lazy().select(pl.concat_str(parts).alias("row")).collect()
    hashed = joined.select(plh.col("row").nchash.md5())
    return dict(zip(frame[KEY].to_list(), hashed.to_series().to_list(), strict=True))


def _text(values: pl.Series, kind: str) -> pl.Series:
    if kind == "number":  # the eight bytes: how a number is written differs from server to server
        raw = values.fill_null(0.0).to_numpy().astype(">f8").tobytes().hex()
        texts = pl.Series(values.name, [raw[at : at + 16] for at in range(0, len(raw), 16)], dtype=pl.String)
        return pl.select(pl.when(values.is_not_null()).then(texts).alias(values.name)).to_series()
    if kind == "timestamp":
        return values.dt.strftime("%Y-%m-%d %H:%M:%S%.6f")
    if kind == "date":
        return values.dt.strftime("%Y-%m-%d")
    return values.cast(pl.String)


def add_up(hashes: Mapping[str, str], sums: Sums) -> None:
    """Add rows to the sums of their buckets."""
    for key, text in hashes.items():
        _add(sums, bucket_of(key), text)


def bucket_sums(hashes: Iterable[tuple[str, str]], sums: Sums) -> None:
    """Add rows, each with its key's own hash, to the sums of their buckets."""
    for key, text in hashes:
        _add(sums, key[:BUCKET_DIGITS], text)


def _add(sums: Sums, bucket: str, text: str) -> None:
    number = int(text, 16)
    parts = (1, number >> 96, number >> 64 & 0xFFFFFFFF, number >> 32 & 0xFFFFFFFF, number & 0xFFFFFFFF)
    before = sums.get(bucket, (0,) * (PARTS + 1))
    sums[bucket] = tuple(a + b for a, b in zip(before, parts, strict=True))  # type: ignore[assignment] # five and five


def sums_from(rows: Iterable[Sequence[object]]) -> Sums:
    """Sums from a server's rows of (bucket, count, four parts)."""
    return {str(row[0]): tuple(int(str(part).partition(".")[0]) for part in row[1:]) for row in rows}  # type: ignore[misc] # five numbers a row


def differing(left: Sums, right: Sums) -> list[str]:
    """Buckets that do not hold the same, in order."""
    return sorted(bucket for bucket in left.keys() | right.keys() if left.get(bucket) != right.get(bucket))
