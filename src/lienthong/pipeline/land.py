"""Source → landing: rows kept exactly as they came, a batch a commit, so that a cut-off landing goes on where it was."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Generator, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from lienthong import connectors
from lienthong.connectors import Batch, SourceFile
from lienthong.contracts import Contract, Source
from lienthong.pipeline.columns import (
    BROKEN,
    BROKEN_CODE,
    BROKEN_EN,
    BROKEN_TEXT,
    BROKEN_VI,
    ENDED,
    TYPED,
    ColumnMatcher,
    as_came,
    landed_digests,
)
from lienthong.pipeline.workshop import OnProgress, Progress, Workshop
from lienthong.store import Connection, landing, runs
from lienthong.store.landing import EncodedBatch, LandedBatch, LandedFile

READ_AHEAD = 2  # batches read while one is being written
Item = TypeVar("Item")


@dataclass(frozen=True)
class Prepared:
    """A batch ready to be stored: what a thread can do ahead of the store. `table` has the broken rows too."""

    batch: Batch
    table: pa.Table
    source_rows: pa.Array
    digests: NDArray[np.int64]
    rows: memoryview


def land(
    workshop: Workshop, connection: Connection, contract: Contract, source: Source, run_id: int,
    after: Mapping[str, Any] | None, on_progress: OnProgress, *, as_it_arrives: bool = False,
) -> Generator[LandedBatch, None, None]:  # fmt: skip
    """Read a source to its end into the landing of a run, and give each batch once it is safe, while the next one lands.

    `connection`, in autocommit, is the landing's until it is at its end or closed.

    `as_it_arrives`: the file's hash is known, and kept, with its last batch. `after` is where an earlier try, or an earlier incremental run, stopped. Raises SourceError; what landed before stays.
    """
    columns = ColumnMatcher(contract, source.name)

    def prepare(batch: Batch) -> Prepared:
        table, source_rows = as_landed(batch)
        digests = landed_digests(table, as_came(table, contract, columns.match(table.column_names)))
        return Prepared(batch, table, source_rows, digests, landing.encode_rows(table, source_rows))

    context = replace(workshop.read_context, as_it_arrives=as_it_arrives)
    batches = _read_ahead(lambda: connectors.read(source, context, after))
    prepared = _read_ahead(lambda: map(prepare, batches))  # two threads: parsing takes as long as all that is done with a batch after it
    kept = _Landing(connection, run_id, after)
    with ThreadPoolExecutor(1, "landing") as beside:  # a third that waits for the disk, and has ended when this generator has
        for landed in _one_behind(beside.submit(kept.add, each) for each in prepared):
            on_progress(Progress(contract.id, "landing", landed.last_row_no))
            yield landed
    runs.landed(connection, run_id, kept.row_no, kept.position)


class _Landing:
    """The landing of a run as it grows; `connection` is its own until it has grown."""

    def __init__(self, connection: Connection, run_id: int, after: Mapping[str, Any] | None) -> None:
        self._connection = connection
        self._run_id = run_id
        reached = landing.reached(connection, run_id)
        self._batch_no, self._file_no, self.row_no, self.position = reached.batch_no, reached.file_no, reached.row_no, after
        open_file = landing.last_file(connection, run_id)
        self._file = None if open_file is None else open_file[:3]

    def add(self, ready: Prepared) -> LandedBatch:
        """Keep a batch; it is safe after this, and its source told so."""
        batch, count = ready.batch, ready.table.num_rows
        self._batch_no += 1
        with self._connection.transaction():  # a file and its first batch in one commit: an hour of readings is a file of its own
            self._keep_file(batch.file)
            encoded = EncodedBatch(self._file_no, self.row_no + 1, count, ready.rows)
            landing.add_batch(self._connection, self._run_id, self._batch_no, encoded, batch.position)
        if batch.on_landed is not None:
            batch.on_landed()
        self.row_no += count
        self.position = batch.position
        return LandedBatch(self._file_no, self.row_no - count + 1, ready.table, ready.source_rows, ready.digests)

    def _keep_file(self, file: SourceFile) -> None:
        if self._file is not None and self._file[2] == "" and self._file == _identity(replace(file, sha256="")):
            landing.hash_file(self._connection, self._run_id, self._file_no, file.sha256)
        elif self._file != _identity(file):
            self._file_no += 1
            landing.add_file(self._connection, self._run_id, _landed_file(file, self._file_no))
        self._file = _identity(file)


def _one_behind(futures: Iterator[Future[Item]]) -> Iterator[Item]:
    """What each comes to, while the one after it is under way."""
    last: Future[Item] | None = None
    for future in futures:
        if last is not None:
            yield last.result()
        last = future
    if last is not None:
        yield last.result()


def as_landed(batch: Batch) -> tuple[pa.Table, pa.Array]:
    """(a batch's rows as they are kept: the broken ones too, with the mark of those whose record ended; their numbers in the source)."""
    return with_broken(_with_typed(_with_ended(batch)))


def _identity(file: SourceFile) -> tuple[str, str, str]:
    return file.uri, file.sheet, file.sha256


def _landed_file(file: SourceFile, file_no: int) -> LandedFile:
    return LandedFile(file_no, file.uri, file.sheet, file.sha256, file.size_bytes, file.encoding, file.encoding_confidence)


def _with_ended(batch: Batch) -> Batch:
    """The batch with a mark in the rows that say that their record ended."""
    if batch.ended is None:
        return batch
    marks = pc.if_else(batch.ended, pa.scalar("true"), pa.scalar(None, pa.string()))
    return replace(batch, table=batch.table.append_column(ENDED, marks), ended=None)


def _with_typed(batch: Batch) -> Batch:
    """The batch with the cells as they stood beside those that were read as an old font's."""
    table = batch.table
    for name, cells in batch.typed.items():
        table = table.append_column(f"{TYPED}{name}", cells)
    return replace(batch, table=table)


def with_broken(batch: Batch) -> tuple[pa.Table, pa.Array]:
    """The batch's rows, then the rows that could not be split into columns, marked as such: both are counted, none is lost."""
    if not batch.broken:
        return batch.table, batch.source_rows
    broken = pa.table(
        {
            BROKEN_TEXT: pa.array([row.text for row in batch.broken], pa.string()),
            BROKEN_CODE: pa.array([row.code for row in batch.broken], pa.string()),
            BROKEN_VI: pa.array([row.expected_vi for row in batch.broken], pa.string()),
            BROKEN_EN: pa.array([row.expected_en for row in batch.broken], pa.string()),
        }
    )
    whole = batch.table
    for name in BROKEN:
        whole = whole.append_column(name, pa.nulls(whole.num_rows, pa.string()))
    for name in batch.table.column_names:
        broken = broken.append_column(name, pa.nulls(broken.num_rows, pa.string()))
    source_rows = pa.concat_arrays([_one(batch.source_rows), pa.array([row.source_row for row in batch.broken], pa.int64())])
    return pa.concat_tables([whole, broken.select(whole.column_names)]), source_rows


def _one(array: pa.Array | pa.ChunkedArray) -> pa.Array:
    return array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array


def _read_ahead(read: Callable[[], Iterator[Item]]) -> Iterator[Item]:
    """Items in order, the next ones read by a thread while the caller writes."""
    ready: queue.Queue[Item | BaseException | None] = queue.Queue(READ_AHEAD)
    stopped = threading.Event()

    def put(item: Item | BaseException | None) -> bool:
        while not stopped.is_set():
            try:
                ready.put(item, timeout=0.2)
            except queue.Full:
                continue
            return True
        return False

    def work() -> None:
        try:
            for batch in read():
                if not put(batch):
                    return
            put(None)
        except BaseException as failure:  # handed over and raised by the reader of the queue
            put(failure)

    threading.Thread(target=work, name="read-ahead", daemon=True).start()
    try:
        while (item := ready.get()) is not None:
            if isinstance(item, BaseException):
                raise item
            yield item
    finally:
        stopped.set()
