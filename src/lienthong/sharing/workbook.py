"""Whole answers for people's programs: an Excel workbook and one JSON document, written as record batches come.

A workbook is a zip archive: its bytes are known when it is complete. It is written to a temporary file, a row at a time in flat memory,
and taken from there; a sheet holds 1,048,576 rows, so what is longer goes on in the next one.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
ROWS_OF_A_SHEET = 1_048_575  # beside the heading
LONGEST_CELL = 32_767
PIECE = 1 << 20


class Workbook:
    """Rows as an .xlsx file. Text is text: nothing in it is run as a formula or made a link."""

    def __init__(self, write: Callable[[bytes], Any], schema: pa.Schema) -> None:
        import xlsxwriter  # noqa: PLC0415 # loaded when a workbook is asked for

        self._write = write
        self._folder = tempfile.TemporaryDirectory(prefix="lienthong-")
        self._path = Path(self._folder.name) / "data.xlsx"
        options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
        self._book = xlsxwriter.Workbook(str(self._path), {**options, "tmpdir": self._folder.name, "nan_inf_to_errors": True})
        self._head = self._book.add_format({"bold": True})
        self._day = self._book.add_format({"num_format": "dd/mm/yyyy"})
        self._moment = self._book.add_format({"num_format": "dd/mm/yyyy hh:mm:ss"})
        self._names = schema.names
        self._sheets = 0
        self._begin_sheet()

    def write_batch(self, batch: pa.RecordBatch) -> None:
        for row in zip(*(column.to_pylist() for column in batch.columns), strict=True) if batch.num_columns else ():
            if self._row > ROWS_OF_A_SHEET:
                self._begin_sheet()
            for place, value in enumerate(row):
                self._cell(place, value)
            self._row += 1

    def close(self) -> None:
        self._book.close()
        with self._path.open("rb") as file:
            while piece := file.read(PIECE):
                self._write(piece)
        self._folder.cleanup()

    def _begin_sheet(self) -> None:
        self._sheets += 1
        self._sheet = self._book.add_worksheet("Dữ liệu" if self._sheets == 1 else f"Dữ liệu {self._sheets}")
        self._sheet.freeze_panes(1, 0)
        self._sheet.set_column(0, max(0, len(self._names) - 1), 18)
        for place, name in enumerate(self._names):
            self._sheet.write_string(0, place, name, self._head)
        self._row = 1

    def _cell(self, place: int, value: Any) -> None:
        if value is None:
            return
        if isinstance(value, bool):
            self._sheet.write_boolean(self._row, place, value)
        elif isinstance(value, int | float) and abs(value) < 1e15:
            self._sheet.write_number(self._row, place, value)
        elif isinstance(value, datetime):
            self._sheet.write_datetime(self._row, place, value.replace(tzinfo=None), self._moment)
        elif isinstance(value, date) and value.year >= 1900:
            self._sheet.write_datetime(self._row, place, value, self._day)
        else:
            self._sheet.write_string(self._row, place, str(value)[:LONGEST_CELL])


class JsonRows:
    """Rows as one JSON array of objects."""

    def __init__(self, write: Callable[[bytes], Any], _: pa.Schema) -> None:
        self._write = write
        self._has_rows = False
        write(b"[")

    def write_batch(self, batch: pa.RecordBatch) -> None:
        if batch.num_rows:
            self._write((b",\n" if self._has_rows else b"\n") + b",\n".join(_lines(batch)))
            self._has_rows = True

    def close(self) -> None:
        self._write(b"\n]\n")


def _lines(batch: pa.RecordBatch) -> Iterator[bytes]:
    for row in batch.to_pylist():
        yield json.dumps(
            row, ensure_ascii=False, default=lambda value: value.isoformat() if hasattr(value, "isoformat") else str(value)
        ).encode()
