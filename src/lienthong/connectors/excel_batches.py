"""What was laid out of a sheet, or of a table of a document, as batches of rows; what was left out of it is told with the last."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import pyarrow as pa

from lienthong.connectors.base import Batch, Note, SourceFile
from lienthong.connectors.excel_layout import Laid


def batches_of(
    laid: Iterable[Laid], file: SourceFile, place: Mapping[str, Any], start: int, batch_rows: int, notes: Callable[[], tuple[Note, ...]]
) -> Iterator[Batch]:
    """Batches from row `start` of the table on; one at least of a table that has any part. `notes` is asked when all parts have come."""
    done, last = 0, None
    for part in laid:
        count = part.table.num_rows
        first = min(max(0, start - done), count)
        for begin in range(first, count if last is not None else max(count, first + 1), batch_rows):
            stop = min(begin + batch_rows, count)
            batch = Batch(
                file=file,
                table=part.table.slice(begin, stop - begin),
                source_rows=pa.array(part.rows[begin:stop], pa.int64()),
                position={**place, "row": max(start, done + stop)},
            )
            if last is not None and last.table.num_rows:
                yield last
            last = batch
        done += count
    if last is not None:
        yield replace(last, notes=notes())
