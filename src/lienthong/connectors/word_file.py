"""Tables of Word documents (.docx): a table is laid out as a sheet is, its merged cells filled, its pages joined.

A table that goes on under the same headings on the next page is one table, whether Word broke it or a person did.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa
from lxml import etree

from lienthong.connectors.base import Batch, Note, Position, ReadContext
from lienthong.connectors.excel_cells import Cells
from lienthong.connectors.excel_guard import OLE, Unpacker
from lienthong.connectors.excel_layout import Layout, lay_out
from lienthong.connectors.files import FoundFile, fingerprint_files, read_files
from lienthong.connectors.fonts import reading_fonts, take_fonts
from lienthong.connectors.options import Options
from lienthong.contracts import Source
from lienthong.errors import HostileInputError, SourceError

MAX_BYTES = 200 * 1024 * 1024
MAX_COLUMNS = 200
DOCUMENT = "word/document.xml"
_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
Grid = list[list[str | None]]


class WordFile:
    """Connector `word_file`; its options are those of `Layout`, where a table is a sheet, `table`, `fonts` and `max_bytes`."""

    def fingerprint(self, source: Source, context: ReadContext) -> str | None:
        return fingerprint_files(source, context)

    def read(self, source: Source, context: ReadContext, after: Position | None = None) -> Iterator[Batch]:
        options = Options.of(source, context)
        table, max_bytes, fonts = options.number("table", 0), options.number("max_bytes", MAX_BYTES, 1), take_fonts(options)
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
        number, grid = self._chosen(_tables(found, self.max_bytes), name)
        width = max(len(row) for row in grid)
        columns = tuple(pa.array([row[place] if place < len(row) else None for row in grid], pa.string()) for place in range(width))
        told: Counter[str] = Counter()
        (laid,) = lay_out([Cells(columns, 0, len(grid))], self.layout, str(number), f"`{name}`, bảng/table {number}", told)
        start, count = 0 if at is None else int(at["row"]), laid.table.num_rows
        for place in range(start, max(count, start + 1), self.batch_rows):
            stop = min(place + self.batch_rows, count)
            yield Batch(
                file=replace(found.file, sheet=str(number)),
                table=laid.table.slice(place, max(0, stop - place)),
                source_rows=pa.array(laid.rows[place:stop], pa.int64()),
                position={"row": max(stop, start)},
                notes=tuple(Note(code, times) for code, times in sorted((+told).items())) if stop >= count else (),
            )

    def _chosen(self, tables: Sequence[Grid], name: str) -> tuple[int, Grid]:
        """The table's number and its rows, with those of the tables that go on with it."""
        wanted = self.table or next((n for n, grid in enumerate(tables, 1) if len(grid) > 1 and max(map(len, grid), default=0) > 1), 0)
        if not 0 < wanted <= len(tables) or not any(tables[wanted - 1]):
            raise SourceError(
                f"`{name}`: không có bảng {wanted or ''} / has no such table; it has {len(tables)}.",
                hint="Say which with the option `table`.",
            )
        grid = list(tables[wanted - 1])
        for following in tables[wanted:]:
            if not following or [_words(cell) for cell in following[0]] != [_words(cell) for cell in grid[0]]:
                break
            grid += following
        return wanted, grid


def _words(cell: str | None) -> str:
    return " ".join((cell or "").split())


def _tables(found: FoundFile, max_bytes: int) -> list[Grid]:
    """The document's tables in order, not those inside cells."""
    name = found.file.uri
    with found.path.open("rb") as stream:
        head = stream.read(8)
    if head.startswith(OLE):
        raise SourceError(
            f"`{name}`: Word cũ (.doc) hoặc có mật khẩu / is of an old Word, or has a password.",
            hint="Open it in Word and save it as .docx.",
        )
    if not head.startswith(b"PK"):
        raise SourceError(f"`{name}`: không phải tệp Word / is not a Word document.", hint="Open it in Word and save it as .docx.")
    data = Unpacker(found.path, name, max_bytes).read(DOCUMENT, max_bytes)
    if b"<!DOCTYPE" in data[:65_536]:
        raise HostileInputError(f"`{name}`: có khai báo DOCTYPE / has a document type declaration.")
    try:
        document = etree.fromstring(data, etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False))
    except etree.XMLSyntaxError as error:
        raise SourceError(f"`{name}`: tệp hỏng / is damaged ({error.msg}).") from error
    return [_grid(table, name) for table in document.iter(f"{_W}tbl") if not any(each.tag == f"{_W}tbl" for each in table.iterancestors())]


def _grid(table: etree._Element, name: str) -> Grid:
    grid: Grid = []
    for row in table.iterchildren(f"{_W}tr", f"{_W}sdt"):
        if row.tag != f"{_W}tr":
            continue
        values: list[str | None] = [None] * _number(row, "trPr/gridBefore", 0)
        for cell in row.iterchildren(f"{_W}tc"):
            merge = cell.find(f"{_W}tcPr/{_W}vMerge")
            goes_on = merge is not None and merge.get(f"{_W}val", "continue") == "continue"
            above = grid[-1][len(values)] if goes_on and grid and len(values) < len(grid[-1]) else None
            values.append(above if goes_on else _text(cell))
            values += [None] * (_number(cell, "tcPr/gridSpan", 1) - 1)
            if len(values) > MAX_COLUMNS:
                raise HostileInputError(f"`{name}`, row {len(grid) + 1}: quá nhiều cột / more than {MAX_COLUMNS} columns.")
        grid.append(values)
    return grid


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
