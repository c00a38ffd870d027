"""Tables of Word documents (.docx): a table is laid out as a sheet is, its merged cells filled, its pages joined.

A table that goes on under the same headings on the next page is one table, whether Word broke it or a person did. It is read row by row, in flat
memory, however long it is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

from lxml import etree

from lienthong.connectors.base import Batch, Note, Position, ReadContext
from lienthong.connectors.excel_batches import batches_of
from lienthong.connectors.excel_cells import Cells
from lienthong.connectors.excel_guard import MAX_UNPACKED_BYTES, OLE, Unpacker
from lienthong.connectors.excel_layout import Layout, lay_out
from lienthong.connectors.excel_ods import cells_of_rows
from lienthong.connectors.files import FoundFile, fingerprint_files, read_files
from lienthong.connectors.fonts import reading_fonts, take_fonts
from lienthong.connectors.options import Options
from lienthong.connectors.packed_xml import PackedXml
from lienthong.contracts import Source
from lienthong.errors import HostileInputError, SourceError

PART_ROWS = 5_000
MAX_COLUMNS = 200
DOCUMENT = "word/document.xml"
_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_TABLE, _ROW, _PARAGRAPH = f"{_W}tbl", f"{_W}tr", f"{_W}p"
Row = list[str | None]


class WordFile:
    """Connector `word_file`; its options are those of `Layout`, where a table is a sheet, `table`, `fonts` and `max_bytes`."""

    def fingerprint(self, source: Source, context: ReadContext) -> str | None:
        return fingerprint_files(source, context)

    def read(self, source: Source, context: ReadContext, after: Position | None = None) -> Iterator[Batch]:
        options = Options.of(source, context)
        table, max_bytes, fonts = options.number("table", 0), options.number("max_bytes", MAX_UNPACKED_BYTES, 1), take_fonts(options)
        reader = _Reader(Layout.take(options), table, max_bytes, context.batch_rows)
        return read_files(source, context, after, reading_fonts(reader.read, fonts))


@dataclass(frozen=True)
class _Reader:
    layout: Layout
    table: int  # from 1; 0: the first that has more than one row and column
    max_bytes: int
    batch_rows: int

    def read(self, found: FoundFile, at: Mapping[str, Any] | None) -> Iterator[Batch]:
        name = found.file.uri
        document = _Document(_opened(found.path, name, self.max_bytes))
        number = self.table or document.first_table()
        told: Counter[str] = Counter()
        laid = lay_out(_parts(document.rows(number)), self.layout, str(number), f"`{name}`, bảng/table {number}", told)
        yield from batches_of(
            laid,
            replace(found.file, sheet=str(number)),
            {},
            0 if at is None else int(at["row"]),
            self.batch_rows,
            lambda: tuple(Note(code, times) for code, times in sorted((+told).items())),
        )


def _opened(path: Path, name: str, max_bytes: int) -> Unpacker:
    with path.open("rb") as stream:
        head = stream.read(8)
    if head.startswith(OLE):
        raise SourceError(
            f"`{name}`: Word cũ (.doc) hoặc có mật khẩu / is of an old Word, or has a password.",
            hint="Open it in Word and save it as .docx.",
        )
    if not head.startswith(b"PK"):
        raise SourceError(f"`{name}`: không phải tệp Word / is not a Word document.", hint="Open it in Word and save it as .docx.")
    return Unpacker(path, name, max_bytes)


def _parts(rows: Iterator[Row]) -> Iterator[Cells]:
    number = 0
    while part := list(islice(rows, PART_ROWS)):
        yield cells_of_rows(part, number)
        number += len(part)


@dataclass(frozen=True)
class _Document:
    """The tables of a document in order, not those inside cells; each reading goes through it from its beginning."""

    unpacker: Unpacker

    def first_table(self) -> int:
        """The first table that has more than one row and column, from 1. Raises SourceError when there is none."""
        number = rows = width = 0
        for number, row in self._tables():
            rows, width = (0, 0) if row is None else (rows + 1, max(width, len(row)))
            if rows > 1 and width > 1:
                return number
        raise self._no_table("", number)

    def rows(self, wanted: int) -> Iterator[Row]:
        """The rows of a table, with those of the tables that go on with it under its headings. Raises SourceError when there is no such table."""
        last = 0
        heading: list[str] | None = None
        begins = is_any = False
        for number, row in self._tables():
            last = number
            if number < wanted:
                continue
            if row is None:
                if begins:  # the table before had no rows
                    break
                begins = True
                continue
            if begins and heading is not None and [_words(cell) for cell in row] != heading:
                break
            if begins and heading is None:
                heading = [_words(cell) for cell in row]
            begins = False
            is_any = is_any or bool(row)
            yield row
        if not is_any:
            raise self._no_table(str(wanted), last)

    def _no_table(self, wanted: str, count: int) -> SourceError:
        return SourceError(
            f"`{self.unpacker.name}`: không có bảng {wanted} / has no such table; it has {count}.",
            hint="Say which with the option `table`.",
        )

    def _tables(self) -> Iterator[tuple[int, Row | None]]:
        """(number of the table, None) where one begins, then (number, row) for each of its rows."""
        xml = PackedXml(self.unpacker, DOCUMENT, (_TABLE, _ROW, _PARAGRAPH))
        number, depth, count = 0, 0, 0
        above: Row = []
        for event, element in xml.events():
            if element.tag == _TABLE:
                depth += 1 if event == "start" else -1
                if event == "start" and depth == 1:
                    number, count, above = number + 1, 0, []
                    yield number, None
            elif event == "start":
                continue
            elif element.tag == _ROW:
                if depth == 1 and element.getparent().tag == _TABLE:
                    count += 1
                    above = _row(element, above, f"`{self.unpacker.name}`, row {count}")
                    yield number, above
                if depth == 1:
                    xml.forget(element)
            elif depth == 0:
                xml.forget(element)


def _words(cell: str | None) -> str:
    return " ".join((cell or "").split())


def _row(row: etree._Element, before: Row, where: str) -> Row:
    """The cells of a row, those that go on from the row before it filled with what stands there."""
    values: Row = [None] * _number(row, "trPr/gridBefore", 0)
    for cell in row.iterchildren(f"{_W}tc"):
        merge = cell.find(f"{_W}tcPr/{_W}vMerge")
        goes_on = merge is not None and merge.get(f"{_W}val", "continue") == "continue"
        above = before[len(values)] if goes_on and len(values) < len(before) else None
        values.append(above if goes_on else _text(cell))
        values += [None] * (_number(cell, "tcPr/gridSpan", 1) - 1)
        if len(values) > MAX_COLUMNS:
            raise HostileInputError(f"{where}: quá nhiều cột / more than {MAX_COLUMNS} columns.")
    return values


def _number(element: etree._Element, path: str, default: int) -> int:
    found = element.find("/".join(f"{_W}{part}" for part in path.split("/")))
    said = "" if found is None else found.get(f"{_W}val", "")
    if not said.isdecimal():
        return default
    return min(int(said), MAX_COLUMNS + 1) if len(said) < 6 else MAX_COLUMNS + 1


def _text(cell: etree._Element) -> str | None:
    """The cell's letters, a line for each paragraph; what was struck out in review is not there."""
    lines = []
    for paragraph in cell.iterchildren(f"{_W}p"):
        parts = []
        for element in paragraph.iter(f"{_W}t", f"{_W}tab", f"{_W}br"):
            parts.append(element.text or "" if element.tag == f"{_W}t" else "\t" if element.tag == f"{_W}tab" else "\n")
        lines.append("".join(parts))
    return "\n".join(lines).strip() or None
