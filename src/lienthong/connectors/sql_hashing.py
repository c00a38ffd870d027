"""Statements by which a database hashes its own rows, so that they can be held against ours without being sent: sums of parts, then single rows.

A value is the MD5 of its text as it is read, `n` where there is none; a row is the MD5 of its values' one after another, so that no sign that
parts them is needed and no text grows too long. Rows are told apart by their key, hashed alike; its first three digits are the bucket. This finds what
was damaged or changed on the way, not somebody who chooses rows to collide. Statements only: `row_digests` makes the same of what landed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import polars as pl
import polars_hash as plh
import pyarrow as pa

from lienthong.connectors.row_hash import BUCKET_DIGITS
from lienthong.connectors.sql_sources import Described, SqlDialect

NOTHING = "n"
DIGITS = 8  # of one part of a hash: what a server can make a number of


@dataclass(frozen=True)
class Hashing:
    """How a database hashes. `md5`: a text's hash in hexadecimal; `text`: a value made the text that is hashed; `part`: digits from a place on as a number."""

    md5: str
    part: str
    joined: Callable[[Sequence[str]], str]
    total: str = "sum({})"
    first: str = "substr({}, 1, {})"
    encoding: str = "utf-8"
    unhashed: tuple[str, ...] = ()  # kinds of columns no hash can be made of there


def _concat(texts: Sequence[str]) -> str:
    return f"concat({', '.join(texts)})"


HASHINGS: Mapping[str, Hashing] = {
    "postgresql": Hashing(
        "md5(convert_to({}, 'UTF8'))", "('x' || substr({}, {}, 8))::bit(32)::bigint", " || ".join, total="sum({})::text"
    ),
    "mariadb": Hashing("md5(convert({} using utf8mb4))", "cast(conv(substr({}, {}, 8), 16, 10) as unsigned)", _concat),
    "sqlserver": Hashing(
        "lower(convert(nvarchar(32), hashbytes('MD5', {}), 2))",
        "convert(bigint, convert(varbinary(4), substring({}, {}, 8), 2)) & 4294967295",
        " + ".join,
        total="convert(nvarchar(64), sum(convert(numeric(38), {})))",
        first="left({}, {})",
        encoding="utf-16-le",  # the bytes of its national texts
    ),
    "oracle": Hashing(
        "lower(rawtohex(standard_hash(convert({}, 'AL32UTF8'), 'MD5')))", "to_number(substr({}, {}, 8), 'xxxxxxxx')", " || ".join,
        total="to_char(sum({}))", unhashed=("long", "other"),
    ),
}  # fmt: skip


@dataclass(frozen=True)
class HashStatements:
    """The statements for one table or query. `shown`: columns that are hashed, in order."""

    dialect: SqlDialect
    origin: str
    shown: Sequence[Described]
    key: Sequence[Described]
    where: str

    @property
    def hashing(self) -> Hashing:
        return HASHINGS[self.dialect.name]

    def sums(self) -> str:
        """A row a bucket: the bucket, how many rows it has, four parts of their hashes added up."""
        part, total = self.hashing.part, self.hashing.total
        parts = [total.format(part.format("_hashed.h", 1 + DIGITS * n)) for n in range(4)]
        bucket = self._bucket()
        return f"select {bucket} as b, count(*) as n, {', '.join(f'{each} as p{n}' for n, each in enumerate(parts))} from {self._hashed()} group by {bucket}"  # noqa: S608 # names quoted by the dialect, a condition that was checked

    def rows(self, buckets: Sequence[str]) -> str:
        """Key's hash, row's hash and the key's values as texts, of some buckets."""
        keys = "".join(f", _hashed.k{n}" for n in range(len(self.key)))
        listed = ", ".join(f"'{bucket}'" for bucket in buckets)
        return f"select _hashed.k, _hashed.h{keys} from {self._hashed(with_key=True)} where {self._bucket()} in ({listed})"  # noqa: S608 # as above

    def keys(self) -> str:
        """The hash of each key."""
        return f"select _hashed.k from {self._hashed()}"  # noqa: S608 # as above

    def _bucket(self) -> str:
        return self.hashing.first.format("_hashed.k", BUCKET_DIGITS)

    def _hashed(self, *, with_key: bool = False) -> str:
        columns = f"{self._of(self.key)} as k, {self._of(self.shown)} as h"
        if with_key:
            columns += "".join(f", {self.dialect.text(column, '_row.')} as k{n}" for n, column in enumerate(self.key))
        return f"(select {columns} from {self.origin} _row{f' where ({self.where})' if self.where else ''}) _hashed"  # noqa: S608 # as above

    def _of(self, columns: Sequence[Described]) -> str:
        md5 = self.hashing.md5
        each = [f"coalesce({md5.format(self.dialect.text(column, '_row.'))}, '{NOTHING}')" for column in columns]
        return md5.format(self.hashing.joined(each) if len(each) > 1 else each[0])


def row_digests(table: pa.Table, columns: Sequence[str], encoding: str = "utf-8") -> list[str]:
    """The same hash of what landed, a row each, in order; a column that did not come counts as empty."""
    parts = [_digests(table[name] if name in table.column_names else pa.nulls(table.num_rows, pa.string()), encoding) for name in columns]
    joined = pl.DataFrame({str(n): part for n, part in enumerate(parts)}).select(pl.concat_str(pl.all())).to_series()
    return _md5(joined, encoding).to_list()


def _digests(column: pa.ChunkedArray | pa.Array, encoding: str) -> pl.Series:
    return _md5(pl.Series(pl.from_arrow(column)).cast(pl.String), encoding).fill_null(NOTHING)


def _md5(texts: pl.Series, encoding: str) -> pl.Series:
    if encoding == "utf-8":
        return pl.DataFrame({"text": texts}).select(plh.col("text").nchash.md5()).to_series()

    @cache
    def one(text: str) -> str:
        return hashlib.md5(text.encode(encoding), usedforsecurity=False).hexdigest()

    return pl.Series([None if text is None else one(text) for text in texts], dtype=pl.String)
