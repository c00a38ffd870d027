"""Bulk in without Python rows: Arrow batches as PostgreSQL's binary COPY."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterable
from types import TracebackType
from typing import Self

import polars as pl
import pyarrow as pa
from pgpq import ArrowToPostgresBinaryEncoder
from psycopg import sql

from lienthong.store.database import Connection

QUEUED_BATCHES = 4  # enough to keep the server busy while the next batch is cleaned, few enough to stay flat in memory


class CopyIn:
    """A binary COPY into one table: a thread of its own encodes and sends what is queued, so that cleaning and loading overlap.

    Use as a context manager; an error of the server, or of a frame that is not of the schema, is raised by a later `add` or at the end of the block.
    """

    def __init__(self, connection: Connection, table: sql.Composable, schema: pa.Schema) -> None:
        self._connection = connection
        columns = sql.SQL(", ").join(sql.Identifier(name) for name in schema.names)
        self._statement = sql.SQL("copy {} ({}) from stdin (format binary)").format(table, columns)
        self._schema = schema
        self._encoder = ArrowToPostgresBinaryEncoder(schema)
        self._queue: queue.Queue[pl.DataFrame | None] = queue.Queue(QUEUED_BATCHES)
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._write, name="copy-in", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def add(self, frame: pl.DataFrame) -> None:
        """Queue the rows of a frame; its columns are taken by the schema's names."""
        if self._failure is not None:
            raise self._failure
        self._queue.put(frame)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._broken = kind is not None
        self._queue.put(None)
        self._thread.join()
        if kind is None and self._failure is not None:
            raise self._failure

    def _batches(self, frame: pl.DataFrame) -> list[pa.RecordBatch]:
        table = frame.select(self._schema.names).to_arrow(compat_level=pl.CompatLevel.oldest()).cast(self._schema)
        batches: list[pa.RecordBatch] = table.to_batches()
        return batches

    def _write(self) -> None:
        is_over = False  # whether the feeder has said its last word
        try:
            with self._connection.cursor() as cursor, cursor.copy(self._statement) as copy:
                copy.write(self._encoder.write_header())
                while (frame := self._queue.get()) is not None:
                    for batch in self._batches(frame):
                        copy.write(self._encoder.write_batch(batch))
                is_over = True
                if self._broken:
                    raise _Abandoned
                copy.write(self._encoder.finish())
        except _Abandoned:
            return
        except BaseException as failure:  # handed to the thread that feeds us, which raises it; the server may refuse at the very end
            self._failure = failure
            while not is_over:  # let the feeder go on to where it sees the failure
                is_over = self._queue.get() is None


class _Abandoned(Exception):  # not an error: the caller's own exception is on its way
    """The feeder gave up; the COPY must not be completed."""


def copy_frames(connection: Connection, table: sql.Composable, schema: pa.Schema, frames: Iterable[pl.DataFrame]) -> int:
    """COPY whole frames into a table; gives the number of rows. No frame, no statement."""
    rows = 0
    waiting = [frame for frame in frames if frame.height]
    if not waiting:
        return 0
    with CopyIn(connection, table, schema) as copy:
        for frame in waiting:
            copy.add(frame)
            rows += frame.height
    return rows
