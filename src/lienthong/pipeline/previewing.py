"""The first rows of a source as a contract would have them, beside how they came, before anything is kept: nothing is written anywhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa

from lienthong import connectors
from lienthong.clock import vietnam_date
from lienthong.contracts import Contract, Source
from lienthong.errors import SourceError
from lienthong.pipeline.columns import BROKEN_TEXT, ColumnMatcher, Columns
from lienthong.pipeline.judge import Examined, Judge, cleaning, reference_columns
from lienthong.pipeline.land import with_broken
from lienthong.pipeline.picked import Rows
from lienthong.pipeline.workshop import Workshop
from lienthong.store import references

ROWS = 100
MADE_OF = " | "  # between the cells a mapping reads


@dataclass(frozen=True)
class Said:
    """What is wrong with a cell, or a row: an error makes the row wait, a warning does not."""

    rule: str
    is_error: bool
    vi: str
    en: str


@dataclass(frozen=True)
class Cell:
    """A value as it came (the cells a mapping reads, joined), as it is once cleaned, and what is wrong with it."""

    came: str
    cleaned: str
    said: tuple[Said, ...] = ()


@dataclass(frozen=True)
class PreviewRow:
    source_row: int
    waits: bool
    cells: tuple[Cell, ...]  # as the contract's properties
    said: tuple[Said, ...] = ()  # of the row whole


@dataclass(frozen=True)
class Preview:
    """`issues`: how many rows break what, the most frequent first: column_name, rule, expected_vi, expected_en, len."""

    contract: Contract
    rows: tuple[PreviewRow, ...]
    waiting: int
    issues: list[dict[str, Any]]
    extra: tuple[str, ...] = ()  # columns that came and nobody asked for
    clean: pl.DataFrame | None = None  # rows that would be published, typed


@dataclass(frozen=True)
class Sample:
    """The first rows of a source as they came."""

    table: pa.Table
    source_rows: tuple[int, ...]


def sample(source: Source, context: connectors.ReadContext, most: int = ROWS) -> Sample:
    """The first rows. Raises SourceError, as reading does, or when there are none at all."""
    tables: list[pa.Table] = []
    numbers: list[int] = []
    for batch in connectors.read(source, replace(context, batch_rows=most, only_looks=True), None):
        table, source_rows = with_broken(batch)
        tables.append(table)
        numbers += source_rows.to_pylist()
        if len(numbers) >= most:
            break
    frames = [pl.DataFrame(pl.from_arrow(table)).select(pl.all().cast(pl.String)) for table in tables if table.num_columns]
    if not frames:
        raise SourceError(f"`{source.name}`: không có cột nào / there are no columns.")
    whole = pl.concat(frames, how="diagonal").head(most)
    return Sample(whole.to_arrow(), tuple(numbers[:most]))


def preview(workshop: Workshop | None, contract: Contract, source: Source | None = None, most: int = ROWS, *, context: connectors.ReadContext | None = None) -> Preview:  # fmt: skip
    """Clean and check the first rows of a source (the contract's first, where none is given).

    Without a workshop there is no database: rules and mappings that read other datasets find none of their rows.
    Raises SourceError when the source cannot be read or lacks a column the contract requires.
    """
    road = source or next(iter(contract.sources), None)
    if road is None:
        raise SourceError(f"`{contract.id}` has no source to look at.", hint="Name a file.")
    reading = context or (workshop.read_context if workshop is not None else connectors.ReadContext())
    return previewed(workshop, contract, sample(road, reading, most), road.name)


def previewed(workshop: Workshop | None, contract: Contract, rows: Sample, where: str) -> Preview:
    """The same of rows that are at hand."""
    count = rows.table.num_rows
    numbers = np.arange(1, count + 1, dtype=np.int64)
    picked = Rows(rows.table, numbers, np.array(rows.source_rows, np.int64), np.ones(count, np.int32), None)
    matcher = ColumnMatcher(contract, where)
    examined = _judge(workshop, contract, matcher).examine(picked)
    columns = matcher.match(rows.table.column_names)
    said = _said(examined)
    waits = {int(n) for n, is_error in zip(examined.issues["row_no"], examined.issues["severity"] == "error", strict=True) if is_error}
    made = _rows(contract, examined, columns, rows, said, waits)
    by_rule = examined.issues.group_by("column_name", "rule", "expected_vi", "expected_en").len().sort("len", descending=True)
    return Preview(contract, tuple(made), len(waits), by_rule.to_dicts(), columns.extra, examined.clean.filter(examined.passes))


def _judge(workshop: Workshop | None, contract: Contract, matcher: ColumnMatcher) -> Judge:
    from lienthong.clock import system_clock  # noqa: PLC0415 # only where no workshop brings its own

    day = vietnam_date((workshop.clock if workshop is not None else system_clock)())
    return Judge(
        contract, matcher, 1, day, _references(workshop, contract), {}, True if workshop is None else workshop.accept_synthetic_ids,
        province="" if workshop is None else workshop.province,
    )  # fmt: skip


def _references(workshop: Workshop | None, contract: Contract) -> dict[str, pl.DataFrame]:
    wanted = reference_columns(contract)
    if workshop is None or not wanted:
        return {}
    with workshop.database.connect() as connection:
        return {dataset: references.reference_values(connection, dataset, names) for dataset, names in wanted.items()}


def _said(examined: Examined) -> Mapping[tuple[int, str | None], list[Said]]:
    found: dict[tuple[int, str | None], list[Said]] = {}
    for issue in examined.issues.iter_rows(named=True):
        said = Said(issue["rule"], issue["severity"] == "error", issue["expected_vi"], issue["expected_en"])
        found.setdefault((issue["row_no"], issue["column_name"]), []).append(said)
    return found


def _rows(
    contract: Contract, examined: Examined, columns: Columns, rows: Sample, said: Mapping[tuple[int, str | None], list[Said]], waits: set[int]
) -> list[PreviewRow]:  # fmt: skip
    came = {p.name: _came(p.name, columns, rows.table) for p in contract.properties}
    shown = {p.name: cleaning(p, accept_synthetic_ids=True)[0].display for p in contract.properties}
    made: dict[int, PreviewRow] = {}
    for place, number in enumerate(examined.rows["row_no"].to_list()):
        clean = examined.clean.row(place, named=True)
        cells = tuple(
            Cell(came[p.name][number - 1], shown[p.name](clean[p.name]), tuple(said.get((number, p.name), ()))) for p in contract.properties
        )
        made[number] = PreviewRow(rows.source_rows[number - 1], number in waits, cells, tuple(said.get((number, None), ())))
    if BROKEN_TEXT in rows.table.column_names:
        for number in examined.broken["row_no"].to_list():
            made[number] = PreviewRow(rows.source_rows[number - 1], waits=True, cells=(), said=tuple(said.get((number, None), ())))
    return [made[number] for number in sorted(made)]


def _came(name: str, columns: Columns, table: pa.Table) -> Sequence[str]:
    read = columns.mapped.get(name)
    names = list(read.values()) if read is not None else [columns.by_property[name]] if name in columns.by_property else []
    cells = [table.column(each).to_pylist() for each in names]
    return (
        [MADE_OF.join("" if value is None else str(value) for value in row) for row in zip(*cells, strict=True)]
        if cells
        else [""] * table.num_rows
    )
