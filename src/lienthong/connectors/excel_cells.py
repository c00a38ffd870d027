"""Cells of a sheet as text, whatever kind of workbook they come from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

# What fastexcel calls an error cell, and what the person sees in it.
ERROR_CELLS: Mapping[str, str] = {
    "NA": "#N/A",
    "Ref": "#REF!",
    "Value": "#VALUE!",
    "Div0": "#DIV/0!",
    "Name": "#NAME?",
    "Null": "#NULL!",
    "Num": "#NUM!",
    "GettingData": "#GETTING_DATA",
}

TIMES = (b" 00:00:00", b"1899-12-3", b"1904-01-01 ")  # of a date without a time, of a time without a date


@dataclass(frozen=True)
class Cells:
    """A sheet's cells as text, or some rows of it, column-wise; `first_row` and `first_column` are Excel's numbers of the first, from 0."""

    columns: tuple[pa.Array, ...]
    first_column: int
    height: int
    first_row: int = 0

    def at(self, row: int, column: int) -> str | None:
        """The cell of Excel's row and column numbers, both from 0; None outside."""
        place, row = column - self.first_column, row - self.first_row
        if not 0 <= place < len(self.columns) or not 0 <= row < self.height:
            return None
        value: str | None = self.columns[place][row].as_py()
        return value

    def named(self, cell: str) -> str | None:
        """The cell Excel calls so, such as `A3`."""
        letters = cell.rstrip("0123456789")
        return self.at(int(cell[len(letters) :]) - 1, column_number(letters))

    def rows(self, count: int) -> list[list[str | None]]:
        """The first rows as lists."""
        return [[column[row].as_py() for column in self.columns] for row in range(min(count, self.height))]


def column_number(letters: str) -> int:
    """From 0: A is 0, AA is 26."""
    column = 0
    for letter in letters:
        column = column * 26 + ord(letter) - ord("A") + 1
    return column - 1


def column_letter(column: int) -> str:
    """Excel's letters of a column number from 0: 0 is A, 26 is AA."""
    letters = ""
    while column >= 0:
        column, rest = divmod(column, 26)
        letters, column = chr(ord("A") + rest) + letters, column - 1
    return letters


def cells_of(sheet: Any, first_row: int = 0) -> Cells:
    """What fastexcel loaded, every cell as a person would write it."""
    if sheet.total_height == 0 or sheet.width == 0:
        return Cells((), 0, 0, first_row)
    batch, errors = sheet.to_arrow_with_errors()
    columns = [_as_written(column) for column in batch.columns]
    wrong: dict[int, dict[int, str]] = {}
    for error in errors.errors if errors is not None else ():
        row, column = error.offset_position
        wrong.setdefault(column, {})[row] = _shown(error.detail)
    for column, texts in wrong.items():
        columns[column] = pa.array([texts.get(row, value) for row, value in enumerate(columns[column].to_pylist())], pa.string())
    return Cells(tuple(columns), sheet.selected_columns[0].absolute_index, batch.num_rows, first_row)


def is_filled(column: pa.Array) -> NDArray[np.bool_]:
    """Cells with more than spaces in them."""
    return pc.fill_null(pc.not_equal(pc.utf8_trim_whitespace(column), ""), False).to_numpy(zero_copy_only=False)  # type: ignore[no-any-return] # untyped


def first_filled(cells: Cells) -> pa.Array:
    """The first filled cell of each row, without outer spaces."""
    if not cells.columns:
        return pa.nulls(cells.height, pa.string())
    found = pa.nulls(cells.height, pa.string())
    for column in cells.columns:
        trimmed = pc.utf8_trim_whitespace(column)
        found = pc.coalesce(found, pc.if_else(pc.equal(trimmed, ""), pa.scalar(None, pa.string()), trimmed))
        if found.null_count == 0:
            break
    return found


def count_filled(cells: Cells, row: int) -> int:
    """How many cells of a row are filled."""
    return sum(1 for column in cells.columns if (column[row].as_py() or "").strip())


def _as_written(column: pa.Array) -> pa.Array:
    """Dates without a midnight nobody wrote, times without Excel's day zero."""
    text = column.cast(pa.string())
    held = text.buffers()[2]
    written = b"" if held is None else held.to_pybytes()
    if not any(sign in written for sign in TIMES):  # most columns have no time of day at all
        return text
    text = pc.replace_substring_regex(text, r"^(\d{4}-\d{2}-\d{2}) 00:00:00(\.0+)?$", r"\1")
    return pc.replace_substring_regex(text, r"^(?:1899-12-3[01]|1904-01-01) (\d{2}:\d{2}:\d{2})$", r"\1")


def _shown(detail: str) -> str:
    kind = detail.partition("Error(")[2].partition(")")[0]
    return ERROR_CELLS.get(kind, "#ERROR!")
