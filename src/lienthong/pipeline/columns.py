"""Which delivered column is which property, and the digest of a row as it came."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches

import numpy as np
import polars as pl
import polars_hash as plh
import pyarrow as pa
from numpy.typing import NDArray

from lienthong.contracts import Contract, Property
from lienthong.errors import SourceError
from lienthong.quality.mapping import Mapped, MappingContext, evaluate

BROKEN_CODE = "_broken_code"
BROKEN_TEXT = "_broken_text"
BROKEN_VI = "_broken_vi"
BROKEN_EN = "_broken_en"
BROKEN = (BROKEN_TEXT, BROKEN_CODE, BROKEN_VI, BROKEN_EN)
ENDED = "_record_ended"  # `true` where a row says that the record of its key ended
OURS = (*BROKEN, ENDED)
TYPED = "_typed:"  # and the name of a column: its cells as they stood, where they were read as an old font's

SEPARATOR = "\x1f"  # ASCII unit separator: in no office's data, so two rows cannot run into one text
ABSENT = "\x00"  # tells an absent value from an empty one


@dataclass(frozen=True)
class Columns:
    """How the columns of one delivery meet the contract. `by_property`: property → delivered column; `extra`: nobody asked for these.

    `mapped`: property → heading its mapping reads → delivered column; none where the delivery has not all of them.
    """

    by_property: Mapping[str, str]
    extra: tuple[str, ...]
    mapped: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @property
    def delivered(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys((*self.by_property, *self.mapped)))


def match_columns(contract: Contract, delivered: Sequence[str], where: str) -> Columns:
    """Match delivered headings to properties by their source names, ignoring case, spaces and Unicode form.

    Raises SourceError naming every required property that no heading matches, with the nearest heading.
    """
    there = {_fold(name): name for name in delivered if name not in OURS and not name.startswith(TYPED)}
    by_property: dict[str, str] = {}
    mapped: dict[str, dict[str, str]] = {}
    missing: list[str] = []
    for p in contract.properties:
        names = own_names(p)
        found = next((there[_fold(name)] for name in names if _fold(name) in there), None)
        read = {name: there[_fold(name)] for name in p.reads if _fold(name) in there}
        if p.mapping is not None and len(read) == len(p.reads):
            mapped[p.name] = read
        if found is not None:
            by_property[p.name] = found
        elif p.name not in mapped and (p.required or p.key_position is not None):
            names = p.reads or names
            for name in names if p.reads else names[:1]:
                if _fold(name) not in there:
                    near = get_close_matches(_fold(name), there, n=1)
                    missing.append(f"`{name}`" + (f" (nearest: `{there[near[0]]}`)" if near else ""))
    if missing:
        raise SourceError(
            f"`{contract.id}`, {where}: expected column {', '.join(missing)}; found {', '.join(f'`{n}`' for n in there.values()) or 'none'}.",
            hint="The source changed its headings: add the new one to `source` in the contract, or ask for the agreed form.",
        )
    taken = {*by_property.values(), *(name for read in mapped.values() for name in read.values())}
    return Columns(by_property, tuple(name for name in there.values() if name not in taken), mapped)


def own_names(p: Property) -> tuple[str, ...]:
    """Under which headings a property's value arrives ready; what its mapping reads is not ready."""
    read = {_fold(name) for name in p.reads}
    return tuple(name for name in (*p.source_names, p.name) if _fold(name) not in read)


def without_marks(table: pa.Table) -> pa.Table:
    """Landed rows without the mark of ended records, which no delivery has as a column."""
    return table.drop_columns([ENDED]) if ENDED in table.column_names else table


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

    @property
    def extra(self) -> tuple[str, ...]:
        """Headings of some batch that nobody asked for."""
        return tuple(sorted({name for columns in self._matched.values() for name in columns.extra}))


def _fold(name: str) -> str:
    return " ".join(unicodedata.normalize("NFC", name).casefold().split())


def as_came(table: pa.Table, contract: Contract, columns: Columns) -> pl.DataFrame:
    """The delivered values the contract asks for, as text, in its order: what tells one row from another, whatever is made of it later.

    A property that was not delivered is all null; beside one that has a mapping stand the columns it reads.
    """
    frame = pl.DataFrame(pl.from_arrow(table))
    wanted: list[pl.Expr] = []
    for p in contract.properties:
        own = columns.by_property.get(p.name)
        wanted.append((pl.lit(None, pl.String) if own is None else pl.col(own).cast(pl.String)).alias(p.name))
        wanted += [
            pl.col(delivered).cast(pl.String).alias(f"{p.name}{SEPARATOR}{n}")
            for n, delivered in enumerate(columns.mapped.get(p.name, {}).values())
        ]
    return frame.select(wanted)


@dataclass(frozen=True)
class Made:
    """Rows under the contract's names, as text, before they are cleaned. `problems`: property → what could not be made of which cells."""

    values: pl.DataFrame
    problems: Mapping[str, tuple[Mapped, pl.DataFrame]]


def as_properties(table: pa.Table, contract: Contract, columns: Columns, context: MappingContext) -> Made:
    """The values of each property: as delivered, or made by its mapping. What was sent under the property's own name stands before the mapping."""
    frame = pl.DataFrame(pl.from_arrow(table))
    values: list[pl.Series] = []
    problems: dict[str, tuple[Mapped, pl.DataFrame]] = {}
    for p in contract.properties:
        own = columns.by_property.get(p.name)
        ready = pl.repeat(None, frame.height, dtype=pl.String, eager=True) if own is None else frame[own].cast(pl.String)
        read = columns.mapped.get(p.name)
        if p.mapping is None or read is None:
            values.append(ready.alias(p.name))
            continue
        cells = (
            pl.DataFrame({name: frame[delivered].cast(pl.String) for name, delivered in read.items()})
            if read
            else pl.DataFrame({"": ready})
        )
        made = evaluate(p.mapping, cells, context)
        if own is not None:
            is_ready = ready.str.strip_chars().ne_missing("") & ready.is_not_null()
            made = Mapped(_chosen(is_ready, ready, made.values), _chosen(is_ready, None, made.problems))
        values.append(made.values.alias(p.name))
        if made.problems.null_count() < frame.height:
            problems[p.name] = (made, cells)
    return Made(pl.DataFrame(values), problems)


def _chosen(mask: pl.Series, one: pl.Series | None, other: pl.Series) -> pl.Series:
    return pl.select(pl.when(mask).then(pl.lit(None, pl.String) if one is None else one).otherwise(other)).to_series()


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
