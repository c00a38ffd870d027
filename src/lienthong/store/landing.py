"""Rows exactly as they came, kept in PostgreSQL as Arrow batches; everything after landing can be done again from here."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from lienthong.store.database import Connection, queries
from lienthong.store.tables import current, history

SOURCE_ROW = "_source_row"
_WRITE = pa.ipc.IpcWriteOptions(compression="zstd")


@dataclass(frozen=True)
class LandedBatch:
    """Rows `first_row_no …` of a run. `table` has the source's columns as text; `source_rows` are the source's own numbers.

    `digests` of the rows are there while a batch has just been landed; read back from the store they are None.
    """

    file_no: int
    first_row_no: int
    table: pa.Table
    source_rows: pa.Array
    digests: NDArray[np.int64] | None = None

    @property
    def last_row_no(self) -> int:
        return self.first_row_no + int(self.table.num_rows) - 1


@dataclass(frozen=True)
class LandedFile:
    file_no: int
    uri: str
    sheet: str
    sha256: str
    size_bytes: int
    encoding: str
    encoding_confidence: float


@dataclass(frozen=True)
class OriginalRow:
    """A row as it came: the file of its run, its number in the source, its cells by column in the order they stood."""

    file_no: int
    source_row: int | None
    cells: Mapping[str, str | None]


@dataclass(frozen=True)
class RecordState:
    """One state of a record, and the landed row it was made of."""

    version: int
    run_id: int
    row_no: int
    known_at: datetime
    is_current: bool


@dataclass(frozen=True)
class Reached:
    """How far a landing has come: all zero before the first batch."""

    batch_no: int
    file_no: int
    row_no: int


@dataclass(frozen=True)
class EncodedBatch:
    """A batch as it is stored."""

    file_no: int
    first_row_no: int
    row_count: int
    rows: memoryview


def encode_rows(table: pa.Table, source_rows: pa.Array) -> memoryview:
    """One Arrow IPC stream of a table and its source row numbers, compressed (Zstandard: two fifths less to write than LZ4, measured)."""
    table = table.append_column(SOURCE_ROW, source_rows)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema, options=_WRITE) as writer:
        writer.write_table(table)
    return memoryview(sink.getvalue())


def reached(connection: Connection, run_id: int) -> Reached:
    row = connection.execute(queries("landing")["reached"], {"run": run_id}).fetchone()
    return Reached(*row) if row is not None else Reached(0, 0, 0)


def add_file(connection: Connection, run_id: int, file: LandedFile) -> None:
    connection.execute(queries("landing")["add_file"], {"run": run_id, **file.__dict__})


def hash_file(connection: Connection, run_id: int, file_no: int, sha256: str) -> None:
    """The hash of a file that was read while it was fetched; empty as long as it is not known."""
    connection.execute(queries("landing")["hash_file"], {"run": run_id, "file_no": file_no, "sha256": sha256})


def has_file_of_size(connection: Connection, dataset_id: str, source_name: str, size_bytes: int) -> bool:
    """Whether a file of that size has landed from a source before: one that has not cannot be the same."""
    values = {"dataset": dataset_id, "source": source_name, "size_bytes": size_bytes}
    return connection.execute(queries("landing")["has_file_of_size"], values).fetchone() is not None


def add_batch(connection: Connection, run_id: int, batch_no: int, batch: EncodedBatch, position: Mapping[str, Any]) -> None:
    """Keep one batch and where to go on after it, in one commit."""
    values = {
        "run": run_id,
        "batch_no": batch_no,
        "file_no": batch.file_no,
        "first_row_no": batch.first_row_no,
        "row_count": batch.row_count,
        "rows": batch.rows,
    }
    last_row_no = batch.first_row_no + batch.row_count - 1
    with connection.transaction():
        if batch.row_count:  # one of no rows only says where to go on
            connection.execute(queries("landing")["add_batch"], values, binary=True)
        connection.execute(queries("landing")["keep_position"], {"run": run_id, "position": json.dumps(position), "rows_in": last_row_no})


def copy(connection: Connection, run_id: int, to: int) -> int:
    """What one run landed is put behind the landing of another, unchanged; nothing passes through here. The number of its first row there."""
    there = reached(connection, to)
    values = {"run": run_id, "to": to, "batches": there.batch_no, "files": there.file_no, "rows": there.row_no}
    connection.execute(queries("landing")["copy_files"], values)
    connection.execute(queries("landing")["copy_batches"], values)
    return there.row_no + 1


def last_file(connection: Connection, run_id: int) -> tuple[str, str, str, int] | None:
    """The file landed last: address, sheet, sha256, number."""
    return connection.execute(queries("landing")["last_file"], {"run": run_id}).fetchone()


def batch_numbers(connection: Connection, run_id: int) -> Sequence[tuple[int, int, int]]:
    """(batch number, first row number, row count) in order."""
    return connection.execute(queries("landing")["batch_numbers"], {"run": run_id}).fetchall()


def batches(connection: Connection, run_id: int, wanted: Sequence[int] | None = None) -> Iterator[LandedBatch]:
    """The batches of a run in order, or only those of the numbers `wanted`; one in memory at a time."""
    numbers = [number for number, _, _ in batch_numbers(connection, run_id)] if wanted is None else wanted
    for number in numbers:
        row = connection.execute(queries("landing")["batch"], {"run": run_id, "batch_no": number}, binary=True).fetchone()
        if row is not None:
            yield _decode(*row)


def original_row(connection: Connection, run_id: int, row_no: int) -> OriginalRow | None:
    """The row as it came, or None when the run never had that row."""
    row = connection.execute(queries("landing")["batch_of_row"], {"run": run_id, "row_no": row_no}, binary=True).fetchone()
    if row is None:
        return None
    batch = _decode(*row)
    place = row_no - batch.first_row_no
    if place >= batch.table.num_rows:
        return None
    return OriginalRow(batch.file_no, batch.source_rows[place].as_py(), batch.table.slice(place, 1).to_pylist()[0])


def states(connection: Connection, dataset_id: str, key: str, limit: int) -> list[RecordState]:
    """The states of a record, the newest first."""
    statement = queries("landing")["states"].format(current=current(dataset_id), history=history(dataset_id))
    return [RecordState(*row) for row in connection.execute(statement, {"dataset": dataset_id, "key": key, "limit": limit}).fetchall()]


def files(connection: Connection, run_id: int) -> list[LandedFile]:
    return [LandedFile(*row) for row in connection.execute(queries("landing")["files"], {"run": run_id}).fetchall()]


def _decode(file_no: int, first_row_no: int, row_count: int, rows: bytes) -> LandedBatch:
    table = pa.ipc.open_stream(rows).read_all()
    source_rows = table.column(SOURCE_ROW).combine_chunks()
    if isinstance(source_rows, pa.ChunkedArray):  # an empty column stays chunked
        source_rows = pa.array([], pa.int64())
    del row_count
    return LandedBatch(file_no, first_row_no, table.drop_columns([SOURCE_ROW]), source_rows)
