"""Which delivered column is which property, and the digest of a row as it came."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

import numpy as np
import polars as pl
import polars_hash as plh
import pyarrow as pa
from numpy.typing import NDArray

from lienthong.contracts import Contract
from lienthong.errors import SourceError

BROKEN_CODE = "_broken_code"
BROKEN_TEXT = "_broken_text"
BROKEN_VI = "_broken_vi"
BROKEN_EN = "_broken_en"
BROKEN = (BROKEN_TEXT, BROKEN_CODE, BROKEN_VI, BROKEN_EN)

SEPARATOR = "\x1f"  # ASCII unit separator: in no office's data, so two rows cannot run into one text
ABSENT = "\x00"  # tells an absent value from an empty one


@dataclass(frozen=True)
class Columns:
    """How the columns of one delivery meet the contract. `by_property`: property → delivered column; `extra`: nobody asked for these."""

    by_property: Mapping[str, str]
    extra: tuple[str, ...]

    @property
    def delivered(self) -> tuple[str, ...]:
        return tuple(self.by_property)


def match_columns(contract: Contract, delivered: Sequence[str], where: str) -> Columns:
    """Match delivered headings to properties by their source names, ignoring case, spaces and Unicode form.

    Raises SourceError naming every required property that no heading matches, with the nearest heading.
    """
    there = {_fold(name): name for name in delivered if name not in BROKEN}
    by_property: dict[str, str] = {}
    missing: list[str] = []
    for p in contract.properties:
        names = (*p.source_names, p.name)
        found = next((there[_fold(name)] for name in names if _fold(name) in there), None)
        if found is not None:
            by_property[p.name] = found
        elif p.required or p.key_position is not None:
            near = get_close_matches(_fold(names[0]), there, n=1)
            missing.append(f"`{names[0]}`" + (f" (nearest: `{there[near[0]]}`)" if near else ""))
    if missing:
        raise SourceError(
            f"`{contract.id}`, {where}: expected column {', '.join(missing)}; found {', '.join(f'`{n}`' for n in there.values()) or 'none'}.",
            hint="The source changed its headings: add the new one to `source` in the contract, or ask for the agreed form.",
        )
    taken = set(by_property.values())
    return Columns(by_property, tuple(name for name in there.values() if name not in taken))


class ColumnMatcher:
    """Matches the headings of each batch of one run (its files may differ), each set of headings once."""

    def __init__(self, contract: Contract, where: str) -> None:
        self._contract = contract
        self._where = where
        self._matched: dict[tuple[str, ...], Columns] = {}

    def match(self, headings: Sequence[str]) -> Columns:
        """Raises SourceError like `match_columns`."""
        key = tuple(headings)
        if key not in self._matched:
            self._matched[key] = match_columns(self._contract, key, self._where)
        return self._matched[key]

    @property
    def delivered(self) -> tuple[str, ...]:
        """Properties that some batch delivered, in the contract's order."""
        found = {name for columns in self._matched.values() for name in columns.delivered}
        return tuple(p.name for p in self._contract.properties if p.name in found)


def _fold(name: str) -> str:
    return " ".join(unicodedata.normalize("NFC", name).casefold().split())


def as_properties(table: pa.Table, contract: Contract, columns: Columns) -> pl.DataFrame:
    """The delivered values under the properties' names, as text; a property that was not delivered is all null."""
    frame = pl.DataFrame(pl.from_arrow(table))
    return frame.select(
        pl.col(columns.by_property[p.name]).cast(pl.String).alias(p.name)
        if p.name in columns.by_property
        else pl.lit(None, pl.String).alias(p.name)
        for p in contract.properties
    )


def row_digests(frame: pl.DataFrame) -> NDArray[np.int64]:
    """XXH3-64 of each row as it came: its values in the contract's order, absent told from empty.

    The algorithm is fixed by its specification, so a digest stays comparable for years (Polars' own hash does not).
    """
    if frame.height == 0:
        return np.empty(0, np.int64)
    text = pl.concat_str([pl.col(name).fill_null(ABSENT) for name in frame.columns], separator=SEPARATOR).alias("row")
    hashed = frame.lazy().select(text).collect().select(plh.col("row").nchash.xxh3_64())
    return hashed.to_series().to_numpy().astype(np.uint64).view(np.int64)


def landed_digests(table: pa.Table, originals: pl.DataFrame) -> NDArray[np.int64]:
    """Digests of landed rows; a row that could not be split into columns is known by its text."""
    digests = row_digests(originals)
    if BROKEN_TEXT not in table.column_names:
        return digests
    text = pl.DataFrame(pl.from_arrow(table.select([BROKEN_TEXT]))).select(pl.col(BROKEN_TEXT).cast(pl.String))
    return np.where(text[BROKEN_TEXT].is_not_null().to_numpy(), row_digests(text), digests)
