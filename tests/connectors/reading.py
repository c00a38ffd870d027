"""Reading a source to its end, and again from each place on the way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from lienthong.connectors import Batch, BrokenRow, ReadContext, get_connector
from lienthong.connectors.control import control_of
from lienthong.connectors.row_hash import Sums, bucket_sums
from lienthong.contracts import Delivery, Source


def make_source(connector: str, location: Path | str, delivery: Delivery = Delivery.SNAPSHOT, **options: Any) -> Source:
    return Source("source", connector, str(location), delivery, options)


def delivery_of(connector: str) -> Delivery:
    """A delivery the connector knows: a log knows changes alone."""
    return Delivery.CHANGES if connector.endswith("_log") else Delivery.SNAPSHOT


@dataclass(frozen=True)
class Reading:
    batches: tuple[Batch, ...]

    @property
    def rows(self) -> list[dict[str, str | None]]:
        return [row for batch in self.batches for row in batch.table.to_pylist()]

    @property
    def source_rows(self) -> list[int]:
        return [row for batch in self.batches for row in batch.source_rows.to_pylist()]

    @property
    def broken(self) -> list[BrokenRow]:
        return [row for batch in self.batches for row in batch.broken]

    @property
    def columns(self) -> list[str]:
        return list(self.batches[0].table.column_names)


def read_all(source: Source, batch_rows: int = 1000, after: Any = None, variables: dict[str, str] | None = None) -> Reading:
    """The whole source; every batch is checked for what all connectors promise."""
    context = ReadContext(variables or {}, batch_rows)
    batches = tuple(get_connector(source.connector).read(source, context, after))
    for batch in batches:
        assert batch.table.num_rows + len(batch.broken) <= batch_rows
        assert all(kind == pa.string() for kind in batch.table.schema.types)
        assert len(batch.source_rows) == batch.table.num_rows
        assert batch.source_rows.type == pa.int64()
    assert batches, "an empty source yields one batch of no rows"
    return Reading(batches)


def check_hashes(source: Source) -> None:
    """A database hashes its own rows as we hash what came of them, and each row is found by its bucket."""
    here, rows = Sums(), list[tuple[str, str]]()
    with control_of(source, ReadContext()) as control:
        assert control is not None
        assert control.hashes is not None
        for batch in read_all(source).batches:
            rows += control.hashes.of_landed(batch.table)
        bucket_sums(rows, here)
        assert control.hashes.sums() == here
        assert sorted((key, row) for key, row, _ in control.hashes.rows(sorted(here))) == sorted(rows)


def check_resuming(source: Source, batch_rows: Sequence[int] = (1, 2, 3, 7)) -> None:
    """Reading after the position of any batch yields exactly the rows that were left."""
    whole = read_all(source)
    rows = list(zip(whole.rows, whole.source_rows, strict=True))
    broken = sorted(whole.broken, key=lambda row: row.source_row)
    for size in batch_rows:
        parts = read_all(source, size)
        assert list(zip(parts.rows, parts.source_rows, strict=True)) == rows
        assert sorted(parts.broken, key=lambda row: row.source_row) == broken
        done = done_broken = 0
        for batch in parts.batches:
            done += batch.table.num_rows
            done_broken += len(batch.broken)
            rest = read_all(source, 5, batch.position)
            assert list(zip(rest.rows, rest.source_rows, strict=True)) == rows[done:]
            assert len(rest.broken) == len(broken) - done_broken
