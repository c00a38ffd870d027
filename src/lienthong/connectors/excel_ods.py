"""OpenDocument spreadsheets (.ods), streamed: sheets a part of rows at a time, repeated rows and cells laid out with a limit.

Values come from their attributes (a number digit for digit, a date as ISO), texts from their paragraphs with what is rich in them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
from lxml import etree

from lienthong.connectors.excel_cells import Cells
from lienthong.connectors.excel_guard import Unpacker
from lienthong.connectors.excel_xlsx import Seen
from lienthong.errors import HostileInputError, SourceError

PART_ROWS = 5_000
MAX_CELLS = 100_000_000
MAX_COLUMNS = 16_384
MAX_ROWS = 1_048_576
_TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
_OFFICE = "{urn:oasis:names:tc:opendocument:xmlns:office:1.0}"
_TEXT = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}"
_DURATION = re.compile(r"^PT(\d+)H(\d+)M(\d+)(?:[.,]\d+)?S$")
_DIGITS = re.compile(r"^0\d+$")


@dataclass
class _Feed:
    """The archive's part as a file for lxml."""

    chunks: Iterator[bytes]
    rest: bytes = b""

    def read(self, size: int) -> bytes:
        while not self.rest:
            chunk = next(self.chunks, None)
            if chunk is None:
                return b""
            self.rest = chunk
        data, self.rest = self.rest[:size], self.rest[size:]
        return data


def ods_sheets(unpacker: Unpacker) -> list[tuple[str, bool]]:
    """(name, whether it is shown) of each sheet."""
    hidden = set()
    found: list[tuple[str, bool]] = []
    for event, element in _events(
        unpacker, (f"{_TABLE}table", "{urn:oasis:names:tc:opendocument:xmlns:style:1.0}style", f"{_TABLE}table-row")
    ):
        if element.tag == f"{_TABLE}table":
            if event == "start" and element.getparent() is not None and element.getparent().tag == f"{_OFFICE}spreadsheet":
                found.append((element.get(f"{_TABLE}name", ""), element.get(f"{_TABLE}style-name", "") not in hidden))
        elif event == "end" and element.tag.endswith("}style"):
            shown = next(iter(element.iter("{urn:oasis:names:tc:opendocument:xmlns:style:1.0}table-properties")), None)
            if shown is not None and shown.get(f"{_TABLE}display") == "false":
                hidden.add(element.get("{urn:oasis:names:tc:opendocument:xmlns:style:1.0}name", ""))
        elif event == "end":
            _forget(element)
    return found


def ods_parts(unpacker: Unpacker, wanted: str, seen: Seen, part_rows: int = PART_ROWS) -> Iterator[Cells]:
    """The rows of one sheet, a part at a time."""
    rows: list[list[str | None]] = []
    first, number, cells, inside = 0, 0, 0, False
    for event, element in _events(unpacker, (f"{_TABLE}table", f"{_TABLE}table-row", f"{_TABLE}table-column")):
        if element.tag == f"{_TABLE}table":
            if element.getparent() is not None and element.getparent().tag == f"{_OFFICE}spreadsheet":
                inside = event == "start" and element.get(f"{_TABLE}name", "") == wanted
        elif event == "end" and element.tag == f"{_TABLE}table-column":
            if inside and element.get(f"{_TABLE}visibility", "visible") != "visible":
                seen.hidden_columns += min(_times(element, "number-columns-repeated", MAX_COLUMNS), 1000)
        elif event == "end":
            if inside:
                values = _row(element)
                times = _times(element, "number-rows-repeated", MAX_ROWS)
                if values and element.get(f"{_TABLE}visibility", "visible") != "visible":
                    seen.hidden_rows += times
                cells += len(values) * times
                if cells > MAX_CELLS or number + (times if values else 0) > MAX_ROWS:
                    raise HostileInputError(f"`{unpacker.name}`, `{wanted}`: quá nhiều ô / more than {MAX_CELLS} cells or {MAX_ROWS} rows.")
                for _ in range(times if values else min(times, max(0, MAX_ROWS - number))):
                    if not values and not rows:
                        first = number + 1
                    else:
                        rows.append(values)
                    number += 1
                    if len(rows) == part_rows:
                        yield _cells(rows, first)
                        rows, first = [], number
            _forget(element)
    if rows:
        yield _cells(rows, first)


def _events(unpacker: Unpacker, tags: tuple[str, ...]) -> Iterator[tuple[str, Any]]:
    feed = _Feed(unpacker.chunks("content.xml"))
    parser = etree.iterparse(
        feed, events=("start", "end"), tag=tags, resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_pis=True
    )
    first = True
    try:
        for event, element in parser:
            if first and element.getroottree().docinfo.doctype:
                raise HostileInputError(f"`{unpacker.name}`: có khai báo DOCTYPE / has a document type declaration.")
            first = False
            yield event, element
    except etree.XMLSyntaxError as error:
        raise SourceError(f"`{unpacker.name}`, content.xml line {error.lineno}: tệp hỏng / is damaged ({error.msg}).") from error


def _times(element: Any, name: str, most: int) -> int:
    said = element.get(f"{_TABLE}{name}", "1")
    return min(int(said), most) if said.isascii() and said.isdecimal() and int(said) > 0 else 1


def _row(element: Any) -> list[str | None]:
    """The row's values up to its last filled cell."""
    values: list[str | None] = []
    for cell in element:
        if cell.tag not in (f"{_TABLE}table-cell", f"{_TABLE}covered-table-cell"):
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
    shown = "\n".join("".join(_texts(paragraph)) for paragraph in cell.iterchildren(f"{_TEXT}p"))
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


def _cells(rows: list[list[str | None]], first: int) -> Cells:
    width = max((len(row) for row in rows), default=0)
    columns = tuple(pa.array([row[place] if place < len(row) else None for row in rows], pa.string()) for place in range(width))
    return Cells(columns, 0, len(rows), first)


def _forget(element: Any) -> None:
    element.clear(keep_tail=False)
    parent = element.getparent()
    while parent is not None and element.getprevious() is not None:
        del parent[0]
