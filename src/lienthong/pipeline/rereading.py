"""Hashes of the rows of files as they lie now, made by reading them once more beside what landed; nothing is taken or left behind."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import pyarrow as pa

from lienthong import connectors
from lienthong.connectors import ReadContext
from lienthong.connectors.row_hash import BUCKET_DIGITS, Sums, bucket_sums
from lienthong.connectors.sql_hashing import row_digests
from lienthong.contracts import Contract, Source
from lienthong.pipeline.columns import BROKEN, ENDED, ColumnMatcher
from lienthong.pipeline.land import as_landed
from lienthong.store.landing import LandedBatch


@dataclass
class Reread:
    """The same words as `RowHashes`: `sums` and `rows` of what lies there now, `of_landed` of what landed."""

    contract: Contract
    source: Source
    context: ReadContext
    files: set[str] = field(default_factory=set)  # those that lie there, once `sums` has read them

    def sums(self) -> Sums:
        """Of each bucket of keys: how many rows, and the parts of their hashes added up."""
        found = Sums()
        for _, table, _ in self._read():
            bucket_sums(self.of_landed(table), found)
        return found

    def rows(self, buckets: Sequence[str]) -> Iterator[tuple[str, str, str]]:
        """(key's hash, row's hash, the key's own text) of the rows of some buckets."""
        wanted = frozenset(buckets)
        for _, table, numbers in self._read():
            names = self._keys(table)
            texts = [table[name].to_pylist() for name in names] if names else [[f"(row {number})" for number in numbers]]
            for (key, row), *values in zip(self.of_landed(table), *texts, strict=True):
                if key[:BUCKET_DIGITS] in wanted:
                    yield key, row, "~".join(value or "" for value in values)

    def of_landed(self, table: pa.Table) -> list[tuple[str, str]]:
        """(key's hash, row's hash) of each row, in order; a row without the contract's key is known by all it holds."""
        rows = row_digests(table, [*sorted(set(table.column_names) - {*BROKEN, ENDED}), *BROKEN, ENDED])
        names = self._keys(table)
        return list(zip(row_digests(table, names) if names else rows, rows, strict=True))

    def _keys(self, table: pa.Table) -> list[str]:
        columns = ColumnMatcher(self.contract, self.source.name).match(table.column_names)
        names = [columns.by_property.get(p.name) for p in self.contract.key]
        return [name for name in names if name is not None] if None not in names else []

    def _read(self) -> Iterator[tuple[str, pa.Table, Sequence[int]]]:
        for batch in connectors.read(self.source, replace(self.context, only_looks=True)):
            self.files.add(batch.file.uri)
            table, numbers = as_landed(batch)
            yield batch.file.uri, table, numbers.to_pylist()


def name_by_place(batch: LandedBatch, file: str) -> list[str]:
    """A row of a file is the one of its number: one that was read anew counts once."""
    return [hashlib.md5(f"{file}\0{number}".encode(), usedforsecurity=False).hexdigest() for number in batch.source_rows.to_pylist()]
