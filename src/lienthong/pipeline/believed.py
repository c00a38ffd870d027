"""What landed of a source and still counts: of a whole delivery all rows, of increments and changes the last word on each record."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
import pyarrow as pa
from numpy.typing import NDArray

from lienthong.store import Connection, landing
from lienthong.store.landing import LandedBatch

HELD_DIGITS = 15  # of a hash: what a number of eight bytes holds; of ten million keys two are taken for one once in thousands of times
Names = Callable[[LandedBatch, str], Sequence[str]]  # what each row of a batch, of a file of that name, is about: hashes


@dataclass(frozen=True)
class Believed:
    """Rows of these runs, in order. `counts`: row by row which do; None: all."""

    connection: Connection
    run_ids: Sequence[int]
    counts: NDArray[np.bool_] | None = None

    def batches(self) -> Iterator[tuple[str, LandedBatch]]:
        """(what tells the run where there are several, a batch), one in memory at a time."""
        at = 0
        for run_id in self.run_ids:
            told = f"run {run_id} " if len(self.run_ids) > 1 else ""
            for batch in landing.batches(self.connection, run_id):
                count = batch.table.num_rows
                yield told, batch if self.counts is None else _of(batch, self.counts[at : at + count])
                at += count

    def hashes_of_files(self) -> dict[str, str]:
        """Name of a file → the hash it landed with."""
        return {file.uri.rsplit("/", 1)[-1]: file.sha256 for run_id in self.run_ids for file in landing.files(self.connection, run_id)}


def last_words(
    connection: Connection, run_ids: Sequence[int], names: Names, without: Sequence[str] = (), of_files: Collection[str] | None = None
) -> Believed:  # fmt: skip
    """The last row of each name: none of those named in `without`, and of these files alone. Holds eight bytes a row."""
    parts, wanted = [np.empty(0, np.int64)], [np.empty(0, np.bool_)]
    for run_id in run_ids:
        files = {file.file_no: file for file in landing.files(connection, run_id)}
        for batch in landing.batches(connection, run_id):
            file = files[batch.file_no]
            parts.append(_held(names(batch, f"{file.uri}\0{file.sheet}")))
            wanted.append(np.full(batch.table.num_rows, of_files is None or file.uri in of_files))
    held = np.concatenate(parts)
    counts = np.zeros(len(held), np.bool_)
    _, last = np.unique(held[::-1], return_index=True)
    counts[len(held) - 1 - last] = True
    return Believed(connection, run_ids, counts & np.concatenate(wanted) & ~np.isin(held, _held(without)))


def _of(batch: LandedBatch, counts: NDArray[np.bool_]) -> LandedBatch:
    mask = pa.array(counts)
    return LandedBatch(batch.file_no, batch.first_row_no, batch.table.filter(mask), batch.source_rows.filter(mask))


def _held(hashes: Sequence[str]) -> NDArray[np.int64]:
    return pl.Series(hashes, dtype=pl.String).str.slice(0, HELD_DIGITS).str.to_integer(base=16, dtype=pl.Int64).to_numpy()
