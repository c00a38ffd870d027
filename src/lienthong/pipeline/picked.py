"""The rows of landed batches that are to be judged: picked out, and gathered so that few rows are not judged batch by batch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from lienthong.connectors.arrow_memory import to_arrow, to_numpy
from lienthong.store.landing import LandedBatch


@dataclass(frozen=True)
class Rows:
    """Landed rows in order, each with its numbers; `digests` are None when they must be made from the table."""

    table: pa.Table
    row_nos: NDArray[np.int64]
    source_rows: NDArray[np.int64]
    file_nos: NDArray[np.int32]
    digests: NDArray[np.int64] | None

    @property
    def count(self) -> int:
        return len(self.row_nos)


def pick(batch: LandedBatch, wanted: NDArray[np.bool_] | None = None) -> Rows:
    """The rows of a batch, or only those marked `wanted` (as long as the batch)."""
    count = batch.table.num_rows
    row_nos = np.arange(batch.first_row_no, batch.first_row_no + count, dtype=np.int64)
    source_rows = to_numpy(batch.source_rows)
    if wanted is None:
        return Rows(batch.table, row_nos, source_rows, np.full(count, batch.file_no, np.int32), batch.digests)
    places = np.flatnonzero(wanted)
    digests = None if batch.digests is None else batch.digests[places]
    return Rows(
        batch.table.take(to_arrow(places)), row_nos[places], source_rows[places], np.full(len(places), batch.file_no, np.int32), digests
    )


def gather(parts: Iterable[Rows], at_most: int) -> Iterator[Rows]:
    """The same rows in the same order in fewer parts: neighbours of one form are joined up to `at_most` rows; empty parts are left out.

    Judging takes some 20 ms a time before the first row (measured), so a few rows of each batch are dear one batch at a time.
    """
    waiting: list[Rows] = []
    for part in parts:
        if not part.count:
            continue
        if waiting and not (_is_alike(waiting[0], part) and sum(rows.count for rows in waiting) + part.count <= at_most):
            yield _joined(waiting)
            waiting = []
        waiting.append(part)
    if waiting:
        yield _joined(waiting)


def _is_alike(one: Rows, other: Rows) -> bool:
    return one.table.schema.equals(other.table.schema) and (one.digests is None) == (other.digests is None)


def _joined(parts: list[Rows]) -> Rows:
    if len(parts) == 1:
        return parts[0]
    digests = [part.digests for part in parts if part.digests is not None]
    return Rows(
        pa.concat_tables([part.table for part in parts]),
        np.concatenate([part.row_nos for part in parts]),
        np.concatenate([part.source_rows for part in parts]),
        np.concatenate([part.file_nos for part in parts]),
        np.concatenate(digests) if digests else None,
    )
