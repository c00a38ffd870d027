"""A delivery of changes: several rows may speak of one record, in order, and only the last word counts. It may be that the record ended."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import polars as pl
import pyarrow as pa
from numpy.typing import NDArray

from lienthong.pipeline.columns import BROKEN_CODE, ENDED, row_digests
from lienthong.store.landing import LandedBatch


@dataclass
class LastWords:
    """Met batch by batch, in their order; with `begins` (the first row of each of several deliveries) all rows of the last delivery that
    speaks of a record are last words: that they are several is told as it was told then. A row without a whole key, or that could not be read, speaks of no other: it is always a last word.
    """

    keys_of: Callable[[pa.Table], pl.DataFrame]
    begins: Sequence[int] = ()
    _keys: list[NDArray[np.int64]] = field(default_factory=lambda: [np.empty(0, np.int64)])
    _alone: list[NDArray[np.bool_]] = field(default_factory=lambda: [np.empty(0, np.bool_)])
    _ended: list[NDArray[np.bool_]] = field(default_factory=lambda: [np.empty(0, np.bool_)])

    def meet(self, batch: LandedBatch) -> None:
        keys = self.keys_of(batch.table)
        self._keys.append(row_digests(keys))
        alone = keys.select(pl.any_horizontal(pl.all().is_null())).to_series()
        self._alone.append((alone | _is_filled(batch, BROKEN_CODE)).to_numpy())
        self._ended.append(_is_filled(batch, ENDED).to_numpy())

    def told(self) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """(rows that are the last word on a record that is, rows that are the last word on one that has ended)."""
        keys, is_last, ended = np.concatenate(self._keys), np.concatenate(self._alone), np.concatenate(self._ended)
        if len(keys) and self.begins:
            delivery = np.searchsorted(self.begins, np.arange(1, len(keys) + 1), side="right")
            _, of_key = np.unique(keys, return_inverse=True)
            last = np.zeros(of_key.max() + 1, delivery.dtype)
            np.maximum.at(last, of_key, delivery)
            is_last |= delivery == last[of_key]
        elif len(keys):
            from_behind = np.unique(keys[::-1], return_index=True)[1]
            is_last[len(keys) - 1 - from_behind] = True
        return is_last & ~ended, is_last & ended


def _is_filled(batch: LandedBatch, name: str) -> pl.Series:
    if name not in batch.table.column_names:
        return pl.repeat(value=False, n=batch.table.num_rows, eager=True)
    return pl.Series(batch.table.column(name).is_valid().to_pylist(), dtype=pl.Boolean)
