"""OpenDocument spreadsheets (.ods), streamed: sheets a part of rows at a time, repeated rows and cells laid out with a limit.

Values come from their attributes (a number digit for digit, a date as ISO), texts from their paragraphs with what is rich in them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from lienthong.connectors.excel_cells import Cells
from lienthong.connectors.excel_guard import Unpacker
from lienthong.connectors.excel_xlsx import Seen
from lienthong.connectors.packed_xml import PackedXml
from lienthong.errors import HostileInputError

PART_ROWS = 5_000
MAX_CELLS = 100_000_000
MAX_COLUMNS = 16_384
MAX_ROWS = 1_048_576
CONTENT = "content.xml"
_TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
_OFFICE = "{urn:oasis:names:tc:opendocument:xmlns:office:1.0}"
_TEXT = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}"
_STYLE = "{urn:oasis:names:tc:opendocument:xmlns:style:1.0}"
_ROW = f"{_TABLE}table-row"
_PARAGRAPH = f"{_TEXT}p"
_CELLS = (f"{_TABLE}table-cell", f"{_TABLE}covered-table-cell")
_DURATION = re.compile(r"^PT(\d+)H(\d+)M(\d+)(?:[.,]\d+)?S$")
_DIGITS = re.compile(r"^0\d+$")


class OdsSheets:
    """The sheets of a workbook, gone through in their order without beginning anew for each."""

    def __init__(self, unpacker: Unpacker) -> None:
        self._unpacker = unpacker
        self._begin()

    def names(self) -> list[tuple[str, bool]]:
        """(name, whether it is shown) of each sheet."""
        hidden = set()
        found: list[tuple[str, bool]] = []
        xml = PackedXml(self._unpacker, CONTENT, (f"{_TABLE}table", f"{_STYLE}style", _ROW))
        for event, element in xml.events():
            if element.tag == f"{_TABLE}table":
                if event == "start" and _is_sheet(element):
                    found.append((element.get(f"{_TABLE}name", ""), element.get(f"{_TABLE}style-name", "") not in hidden))
            elif event == "end" and element.tag == f"{_STYLE}style":
                shown = next(iter(element.iter(f"{_STYLE}table-properties")), None)
                if shown is not None and shown.get(f"{_TABLE}display") == "false":
                    hidden.add(element.get(f"{_STYLE}name", ""))
            elif event == "end" and element.tag == _ROW and _is_outer(element):
                xml.forget(element)
        return found

    def parts(self, wanted: str, seen: Seen, part_rows: int = PART_ROWS) -> Iterator[Cells]:
        """The rows of one sheet, a part at a time."""
        if wanted in self._begun:
            self._begin()
        filling = _Filling(f"`{self._unpacker.name}`, `{wanted}`", part_rows)
        inside = False
        for event, element in self._events:
            if element.tag == f"{_TABLE}table":
                if not _is_sheet(element):
                    continue
                if inside:
                    break
                if event == "start":
                    self._begun.add(name := element.get(f"{_TABLE}name", ""))
                    inside = name == wanted
            elif event == "end" and element.tag == f"{_TABLE}table-column":
                if inside and _is_hidden(element):
                    seen.hidden_columns += min(_times(element, "number-columns-repeated", MAX_COLUMNS), 1000)
            elif event == "end" and _is_outer(element):
                if inside:
                    values, times = _row(element), _times(element, "number-rows-repeated", MAX_ROWS)
                    seen.hidden_rows += times if values and _is_hidden(element) else 0
                    yield from filling.take(values, times)
                self._xml.forget(element)
        yield from filling.rest()

    def _begin(self) -> None:
        self._begun: set[str] = set()
        self._xml = PackedXml(self._unpacker, CONTENT, (f"{_TABLE}table", _ROW, f"{_TABLE}table-column"))
        self._events = self._xml.events()


@dataclass
class _Filling:
    """Rows on their way to parts; blank ones before the first of a part are only counted."""

    where: str
    part_rows: int
    _rows: list[list[str | None]] = field(default_factory=list)
    _first: int = 0
    _number: int = 0
    _cells: int = 0

    def take(self, values: list[str | None], times: int) -> Iterator[Cells]:
        self._cells += len(values) * times
        if self._cells > MAX_CELLS or self._number + (times if values else 0) > MAX_ROWS:
            raise HostileInputError(f"{self.where}: quá nhiều ô / more than {MAX_CELLS} cells or {MAX_ROWS} rows.")
        for _ in range(times if values else min(times, max(0, MAX_ROWS - self._number))):
            self._number += 1
            if not values and not self._rows:
                self._first = self._number
                continue
            self._rows.append(values)
            if len(self._rows) == self.part_rows:
                yield from self.rest()

    def rest(self) -> Iterator[Cells]:
        """What is there, as a part."""
        if self._rows:
            yield cells_of_rows(self._rows, self._first)
            self._rows, self._first = [], self._number


def _is_sheet(table: Any) -> bool:
    parent = table.getparent()
    return parent is not None and parent.tag == f"{_OFFICE}spreadsheet"


def _is_outer(row: Any) -> bool:
    """Whether a row is one of the sheet, not of a table inside a cell."""
    return next(row.iterancestors(_ROW), None) is None


def _is_hidden(element: Any) -> bool:
    return bool(element.get(f"{_TABLE}visibility", "visible") != "visible")


def _times(element: Any, name: str, most: int) -> int:
    said = element.get(f"{_TABLE}{name}", "1")
    return min(int(said), most) if said.isascii() and said.isdecimal() and int(said) > 0 else 1


def _row(element: Any) -> list[str | None]:
    """The row's values up to its last filled cell."""
    values: list[str | None] = []
    for cell in element:
        if cell.tag not in _CELLS:
            continue
        value = _value(cell)
        times = _times(cell, "number-columns-repeated", MAX_COLUMNS)
        if len(values) + times > MAX_COLUMNS:
            times = max(0, MAX_COLUMNS - len(values))
        values.extend([value] * times)
    while values and values[-1] is None:
        values.pop()
    return values


def _value(cell: Any) -> str | None:
    kind = cell.get(f"{_OFFICE}value-type")
    shown = _shown(cell)
    if kind in ("float", "percentage", "currency"):
        return shown if _DIGITS.match(shown) else _number(cell.get(f"{_OFFICE}value", shown))
    if kind == "date":
        return str(cell.get(f"{_OFFICE}date-value", shown)).replace("T", " ").removesuffix(" 00:00:00")
    if kind == "boolean":
        return str(cell.get(f"{_OFFICE}boolean-value", shown))
    if kind == "time":
        found = _DURATION.match(cell.get(f"{_OFFICE}time-value", ""))
        return ":".join(part.zfill(2) for part in found.groups()) if found else shown
    return shown or (None if kind is None else cell.get(f"{_OFFICE}string-value", ""))


def _shown(cell: Any) -> str:
    """The cell's letters, a line for each paragraph."""
    if len(cell) == 1 and cell[0].tag == _PARAGRAPH and not len(cell[0]):
        return cell[0].text or ""
    return "\n".join("".join(_texts(paragraph)) for paragraph in cell.iterchildren(_PARAGRAPH))


def _number(text: str) -> str:
    whole, point, fraction = text.partition(".")
    return whole if point and not fraction.strip("0") else text


def _texts(element: Any) -> Iterator[str]:
    """The letters of a paragraph; a run of spaces is written as an element."""
    if element.text:
        yield element.text
    for child in element:
        if child.tag == f"{_TEXT}s":
            yield " " * min(int(child.get(f"{_TEXT}c", "1")) if child.get(f"{_TEXT}c", "1").isdecimal() else 1, 1000)
        elif child.tag == f"{_TEXT}tab":
            yield "\t"
        elif child.tag == f"{_TEXT}line-break":
            yield "\n"
        elif isinstance(child.tag, str) and not child.tag.endswith("}annotation"):
            yield from _texts(child)
        if child.tail:
            yield child.tail


def cells_of_rows(rows: Sequence[Sequence[str | None]], first: int) -> Cells:
    """Rows as cells in columns; a row shorter than the others ends in nothing. `first`: the row they begin with, from 0."""
    width = max((len(row) for row in rows), default=0)
    columns = tuple(pa.array([row[place] if place < len(row) else None for row in rows], pa.string()) for place in range(width))
    return Cells(columns, 0, len(rows), first)
