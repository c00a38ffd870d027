"""Reads back a workbook the platform wrote itself: headings in the first row, every cell as text, on its own Excel row. No guessing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import fastexcel

from lienthong.connectors.excel_guard import check_workbook
from lienthong.errors import SourceError, TooLarge
from lienthong.standards import show_number

# The form in which waiting rows are taken away to be mended.
SHEET = "Cần sửa"
IDENTITY, ROW, TO_MEND, RESULT = "Mã hàng · row identity", "Hàng trong tệp · row", "Cần sửa · to be mended", "Kết quả · result"
OURS = (IDENTITY, ROW, TO_MEND, RESULT)
LONGEST_CELL = 32_767  # of Excel; a longer value is shown cut, and is as it came unless it is changed
MOST_UNPACKED_BYTES = 512 * 1024 * 1024
MOST_COLUMNS = 1_000
MIDNIGHT = " 00:00:00"


@dataclass(frozen=True)
class OwnWorkbook:
    """`headings` as they stand, empty ones None; `rows` below them, each with its Excel row; cells blank or absent are None."""

    headings: Sequence[str | None]
    rows: Sequence[tuple[int, Sequence[str | None]]]


def read_own_workbook(path: Path, sheet: str, most_rows: int) -> OwnWorkbook:
    """The sheet of that name, or the first. Raises SourceError for what is no workbook, HostileInputError for a bomb, TooLarge."""
    check_workbook(path, path.name, MOST_UNPACKED_BYTES)
    try:
        book = fastexcel.read_excel(path)
        name = sheet if sheet in book.sheet_names else book.sheet_names[0]
        table = book.load_sheet(name, header_row=None, skip_rows=0, dtypes="string").to_arrow()
    except (fastexcel.FastExcelError, IndexError) as error:
        raise SourceError(f"`{path.name}`: không đọc được tệp Excel / the workbook cannot be read.") from error
    if table.num_rows > most_rows + 1 or table.num_columns > MOST_COLUMNS:
        raise TooLarge(f"Expected at most {most_rows:,} rows and {MOST_COLUMNS} columns.", vi=f"Nhiều nhất {show_number(most_rows)} hàng.")
    columns = [column.to_pylist() for column in table.columns]
    lines = list(zip(*columns, strict=True))
    headings = [None if value is None or not value.strip() else value.strip() for value in lines[0]] if lines else []
    rows = [(number, [_cell(value) for value in line]) for number, line in enumerate(lines[1:], 2)]
    return OwnWorkbook(headings, [(number, cells) for number, cells in rows if any(cell is not None for cell in cells)])


def _cell(value: str | None) -> str | None:
    if value is None or not value.strip():
        return None
    return value.removesuffix(MIDNIGHT)  # a cell that was made a date
