"""Workbooks (.xlsx, .xlsm, .xlsb, .xls, .ods) through fastexcel: every cell as text, on its own Excel row.

Whole numbers come without `.0`, dates as ISO text, error cells as `#N/A`. Excel keeps 15 digits of a number; fractions are read with
nine decimals. Hidden sheets are not read when a pattern asks for many.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import fastexcel
import pyarrow as pa
import pyarrow.compute as pc

from lienthong.connectors.base import Batch, Position, ReadContext
from lienthong.connectors.excel_guard import MAX_UNPACKED_BYTES, check_workbook
from lienthong.connectors.excel_layout import Cells, Layout, lay_out
from lienthong.connectors.files import FoundFile, fingerprint_files, read_files
from lienthong.connectors.options import Options
from lienthong.contracts import Source
from lienthong.errors import SourceError

# What fastexcel calls an error cell, and what the person sees in it.
ERROR_CELLS = {
    "NA": "#N/A",
    "Ref": "#REF!",
    "Value": "#VALUE!",
    "Div0": "#DIV/0!",
    "Name": "#NAME?",
    "Null": "#NULL!",
    "Num": "#NUM!",
    "GettingData": "#GETTING_DATA",
}


class ExcelFile:
    """Connector `excel_file`; its options are those of `Layout`, and `max_bytes`."""

    def fingerprint(self, source: Source, context: ReadContext) -> str | None:
        return fingerprint_files(source, context)

    def read(self, source: Source, context: ReadContext, after: Position | None = None) -> Iterator[Batch]:
        options = Options.of(source, context)
        max_bytes = options.number("max_bytes", MAX_UNPACKED_BYTES, 1)
        reader = _Reader(Layout.take(options), max_bytes, context.batch_rows)
        return read_files(source, context, after, reader.read)


@dataclass(frozen=True)
class _Reader:
    layout: Layout
    max_bytes: int
    batch_rows: int

    def read(self, found: FoundFile, at: Mapping[str, Any] | None) -> Iterator[Batch]:
        check_workbook(found.path, found.file.uri, self.max_bytes)
        try:
            workbook = fastexcel.read_excel(found.path)
            sheets = self.layout.wanted_sheets(workbook.sheet_names, found.file.uri)
            if at is not None:
                sheets = sheets[sheets.index(at["sheet"]) :]
            for sheet in sheets:
                start = int(at["row"]) if at is not None and at["sheet"] == sheet else 0
                yield from self._read_sheet(workbook, found, sheet, start, one_of_many=len(sheets) > 1)
        except fastexcel.FastExcelError as error:
            why = str(error).splitlines()[0]
            raise SourceError(f"`{found.file.uri}`: không đọc được tệp Excel / the workbook cannot be read ({why}).") from error

    def _read_sheet(
        self, workbook: fastexcel.ExcelReader, found: FoundFile, sheet: str, start: int, *, one_of_many: bool
    ) -> Iterator[Batch]:
        loaded = workbook.load_sheet(sheet, header_row=None, skip_rows=0, dtypes="string")
        if one_of_many and loaded.visible != "visible":
            return
        laid = lay_out(_cells(loaded), self.layout, sheet, f"`{found.file.uri}`, `{sheet}`")
        count = laid.table.num_rows
        file = replace(found.file, sheet=sheet)
        for place in range(start, max(count, start + 1), self.batch_rows):
            stop = min(place + self.batch_rows, count)
            yield Batch(
                file=file,
                table=laid.table.slice(place, stop - place),
                source_rows=pa.array(laid.rows[place:stop], pa.int64()),
                position={"sheet": sheet, "row": stop},
            )


def visible_sheets(path: Path, max_bytes: int = MAX_UNPACKED_BYTES) -> list[str]:
    """The names of a workbook's visible sheets, in order. Raises SourceError as reading does."""
    check_workbook(path, path.name, max_bytes)
    try:
        workbook = fastexcel.read_excel(path)
        return [
            name
            for name in workbook.sheet_names
            if workbook.load_sheet(name, header_row=None, n_rows=1, dtypes="string").visible == "visible"
        ]
    except fastexcel.FastExcelError as error:
        why = str(error).splitlines()[0]
        raise SourceError(f"`{path.name}`: không đọc được tệp Excel / the workbook cannot be read ({why}).") from error


def first_cells(path: Path, rows: int, max_bytes: int = MAX_UNPACKED_BYTES, sheet: str | int = 0) -> list[list[str | None]]:
    """The first rows of a workbook's first sheet (or another) as they stand, to see how it is laid out. Raises SourceError as reading does."""
    check_workbook(path, path.name, max_bytes)
    try:
        workbook = fastexcel.read_excel(path)
        loaded = workbook.load_sheet(sheet, header_row=None, skip_rows=0, n_rows=rows, dtypes="string")
        cells = _cells(loaded)
    except fastexcel.FastExcelError as error:
        why = str(error).splitlines()[0]
        raise SourceError(f"`{path.name}`: không đọc được tệp Excel / the workbook cannot be read ({why}).") from error
    return [[column[row].as_py() for column in cells.columns] for row in range(min(rows, cells.height))]


def _cells(sheet: fastexcel.ExcelSheet) -> Cells:
    if sheet.total_height == 0 or sheet.width == 0:
        return Cells((), 0, 0)
    batch, errors = sheet.to_arrow_with_errors()
    columns = [_as_written(column) for column in batch.columns]
    wrong: dict[int, dict[int, str]] = {}
    for error in errors.errors if errors is not None else ():
        row, column = error.offset_position
        wrong.setdefault(column, {})[row] = _shown(error.detail)
    for column, texts in wrong.items():
        columns[column] = pa.array([texts.get(row, value) for row, value in enumerate(columns[column].to_pylist())], pa.string())
    return Cells(tuple(columns), sheet.selected_columns[0].absolute_index, batch.num_rows)


def _as_written(column: pa.Array) -> pa.Array:
    """Dates without a midnight nobody wrote, times without Excel's day zero."""
    text = column.cast(pa.string())
    text = pc.replace_substring_regex(text, r"^(\d{4}-\d{2}-\d{2}) 00:00:00(\.0+)?$", r"\1")
    return pc.replace_substring_regex(text, r"^1899-12-3[01] (\d{2}:\d{2}:\d{2})$", r"\1")


def _shown(detail: str) -> str:
    kind = detail.partition("Error(")[2].partition(")")[0]
    return ERROR_CELLS.get(kind, "#ERROR!")
