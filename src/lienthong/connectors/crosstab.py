"""A crosstab turned into rows while it is read, whatever connector reads it: columns that are values of a dimension become rows.

Nothing is lost by it: each cell stands as it came, in a row with its heading; the row number stays that of the source.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa

from lienthong.connectors.base import Batch
from lienthong.connectors.options import Options
from lienthong.contracts import Source
from lienthong.errors import SourceError

OPTION = "crosstab"
MOST_CELLS = 20_000_000  # of one batch once it is turned


@dataclass(frozen=True)
class Crosstab:
    """`keep`: columns that stay as they are; every other becomes rows: its heading in `name_to`, its cell in `value_to`."""

    keep: tuple[str, ...]
    name_to: str
    value_to: str

    @classmethod
    def of(cls, source: Source) -> Crosstab | None:
        """What the option `crosstab` of a source says. Raises SourceError for what is no crosstab."""
        said = source.options.get(OPTION)
        if said is None:
            return None
        if not isinstance(said, Mapping):
            raise SourceError(f"Option `{OPTION}`: expected keep, name_to and value_to, found `{said}`.")
        options = Options(source, dict(said))
        taken = cls(options.texts("keep"), options.text("name_to", "name"), options.text("value_to", "value"))
        options.close()
        return taken


def without(source: Source) -> Source:
    """The source as its connector knows it."""
    return (
        replace(source, options={name: value for name, value in source.options.items() if name != OPTION})
        if OPTION in source.options
        else source
    )


def turned(batches: Iterator[Batch], crosstab: Crosstab) -> Iterator[Batch]:
    """The same batches, each row as many as it has columns that are not kept. Raises SourceError for a kept column that is not there."""
    for batch in batches:
        missing = [name for name in crosstab.keep if name not in batch.table.column_names]
        names = [name for name in batch.table.column_names if name not in crosstab.keep]
        if missing or not names:
            what = f"`crosstab.keep` names {missing}" if missing else "no column is left to become rows"
            raise SourceError(f"`{batch.file.uri}`: {what}; found {batch.table.column_names}.")
        yield _turned(batch, crosstab, names)


def _turned(batch: Batch, crosstab: Crosstab, names: list[str]) -> Batch:
    count, width = batch.table.num_rows, len(names)
    if count * width > MOST_CELLS:
        raise SourceError(f"`{batch.file.uri}`: {count} × {width} ô / cells at once.", hint="Lower LIENTHONG_BATCH_ROWS.")
    repeated = pa.array(np.repeat(np.arange(count), width))
    columns: dict[str, Any] = {name: batch.table.column(name).take(repeated) for name in crosstab.keep}
    columns[crosstab.name_to] = pa.array(names * count, pa.string())
    stacked = (
        pa.concat_arrays([batch.table.column(name).cast(pa.string()).combine_chunks() for name in names])
        if count
        else pa.array([], pa.string())
    )
    columns[crosstab.value_to] = stacked.take(pa.array(np.arange(count * width).reshape(width, count).T.ravel()))
    ended = None if batch.ended is None else batch.ended.take(repeated)
    return replace(batch, table=pa.table(columns), source_rows=batch.source_rows.take(repeated), ended=ended)
