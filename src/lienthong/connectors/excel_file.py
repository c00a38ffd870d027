"""Workbooks (.xlsx, .xlsm, .xlsb, .xls, .ods): every cell as text, on its own Excel row; sheets of any length in flat memory.

Whole numbers come without `.0`, dates as ISO text, error cells as `#N/A`. Excel keeps 15 digits of a number; fractions are read with
nine decimals. Hidden sheets are not read when a pattern asks for many; hidden rows and columns are, and are told.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

from lienthong.connectors import isolated
from lienthong.connectors.base import Batch, Note, Position, ReadContext
from lienthong.connectors.excel_batches import batches_of
from lienthong.connectors.excel_cells import Cells
from lienthong.connectors.excel_guard import MAX_UNPACKED_BYTES, Unpacker, check_archive, kind_of
from lienthong.connectors.excel_layout import Layout, lay_out
from lienthong.connectors.excel_ods import OdsSheets
from lienthong.connectors.excel_xlsx import Packed, Seen, SheetPart, Workbook, counted, open_workbook
from lienthong.connectors.files import FoundFile, fingerprint_files, read_files
from lienthong.connectors.fonts import reading_fonts, take_fonts
from lienthong.connectors.options import Options
from lienthong.contracts import Source
from lienthong.errors import HostileInputError
from lienthong.log import get_logger

AT_ONCE = 2  # children that read one sheet

log = get_logger("connectors")


class ExcelFile:
    """Connector `excel_file`; its options are those of `Layout`, `uncomputed`, `fonts` and `max_bytes`."""

    def fingerprint(self, source: Source, context: ReadContext) -> str | None:
        return fingerprint_files(source, context)

    def read(self, source: Source, context: ReadContext, after: Position | None = None) -> Iterator[Batch]:
        options = Options.of(source, context)
        max_bytes = options.number("max_bytes", MAX_UNPACKED_BYTES, 1)
        empty_uncomputed = options.choice("uncomputed", ("refuse", "empty"), "refuse") == "empty"
        fonts = take_fonts(options)
        reader = _Reader(Layout.take(options), max_bytes, context.batch_rows, empty_uncomputed)
        return read_files(source, context, after, reading_fonts(reader.read, fonts))


@dataclass(frozen=True)
class _Reader:
    layout: Layout
    max_bytes: int
    batch_rows: int
    empty_uncomputed: bool

    def read(self, found: FoundFile, at: Mapping[str, Any] | None) -> Iterator[Batch]:
        book = _opened(found.path, found.file.uri, self.max_bytes)
        names = book.sheets()
        sheets = self.layout.wanted_sheets([name for name, _ in names], found.file.uri)
        if len(sheets) > 1:
            sheets = [name for name in sheets if dict(names)[name]] or sheets[:1]
        if at is not None:
            sheets = sheets[sheets.index(at["sheet"]) :]
        for sheet in sheets:
            start = int(at["row"]) if at is not None and at["sheet"] == sheet else 0
            yield from self._read_sheet(book, found, sheet, start)

    def _read_sheet(self, book: _Book, found: FoundFile, sheet: str, start: int) -> Iterator[Batch]:
        file = replace(found.file, sheet=sheet)
        seen, told = Seen(), Counter[str]()

        def notes() -> tuple[Note, ...]:
            found_notes = tuple(Note(code, count) for code, count in sorted((told + counted(seen)).items()))
            if found_notes:
                log.info("sheet_noted", file=found.path.name, **{note.code: note.count for note in found_notes})
            return found_notes

        with book.parts(sheet, _How(seen, self.empty_uncomputed)) as parts:
            laid = lay_out(parts, self.layout, sheet, f"`{found.file.uri}`, `{sheet}`", told)
            yield from batches_of(laid, file, {"sheet": sheet}, start, self.batch_rows, notes)


@dataclass(frozen=True)
class _How:
    """How a sheet is gone through; `seen` gathers what a person should know of it."""

    seen: Seen = field(default_factory=Seen)
    empty_uncomputed: bool = False
    first_only: bool = False  # only its first rows are wanted


class _Book(Protocol):
    """A workbook of some kind."""

    def sheets(self) -> list[tuple[str, bool]]:
        """(name, whether it is shown) of each, in order."""
        ...

    def parts(self, sheet: str, how: _How, /) -> AbstractContextManager[Iterator[Cells]]:
        """The sheet's rows, a part at a time."""
        ...


@dataclass(frozen=True)
class _Xlsx:
    workbook: Workbook

    def sheets(self) -> list[tuple[str, bool]]:
        return [(sheet.name, sheet.is_visible) for sheet in self.workbook.sheets]

    @contextmanager
    def parts(self, sheet: str, how: _How, /) -> Iterator[Iterator[Cells]]:
        part: SheetPart = next(each for each in self.workbook.sheets if each.name == sheet)
        self.workbook.seen[sheet] = how.seen
        isolated.prepare()
        with self.workbook.packed(part, empty_uncomputed=how.empty_uncomputed, first_only=how.first_only) as packed:
            yield _pieces(packed, f"{self.workbook.name}, {sheet}")


def _pieces(packed: Packed, name: str) -> Iterator[Cells]:
    """The pieces in order: children read them in turn, each one ahead of what is laid out."""
    count = len(packed.pieces)
    turns = [range(first, count, AT_ONCE) for first in range(min(AT_ONCE, count))]
    readers = [_child_cells(packed.path, turn, [packed.pieces[place].first_row > 0 for place in turn], name) for turn in turns]
    try:
        for number, piece in enumerate(packed.pieces):
            cells = next(readers[number % AT_ONCE])
            if piece.last_row >= 0 and cells.height > piece.last_row + 1 - piece.first_row:
                raise HostileInputError(
                    f"`{name}`: một ô đứng sai dòng / a cell stands in another row than its own, after row {piece.first_row}."
                )
            yield replace(cells, first_row=piece.first_row)
    finally:
        for reader in readers:
            reader.close()


@dataclass(frozen=True)
class _Ods:
    read: OdsSheets

    def sheets(self) -> list[tuple[str, bool]]:
        return self.read.names()

    @contextmanager
    def parts(self, sheet: str, how: _How, /) -> Iterator[Iterator[Cells]]:
        yield self.read.parts(sheet, how.seen)


@dataclass
class _Old:
    """.xls and .xlsb: read whole, in a child."""

    path: Path
    name: str

    @cached_property
    def _sheets(self) -> list[tuple[str, bool]]:
        batches = isolated.tables("sheet_names", self.name, path=str(self.path.resolve()))
        return [(row["name"], row["visible"]) for batch in batches for row in batch.to_pylist()]

    def sheets(self) -> list[tuple[str, bool]]:
        return self._sheets

    @contextmanager
    def parts(self, sheet: str, _how: _How, /) -> Iterator[Iterator[Cells]]:
        place = [name for name, _ in self._sheets].index(sheet)
        yield _child_cells(self.path, [place], [False], self.name)


def _child_cells(path: Path, sheets: Sequence[int], anchored: Sequence[bool], name: str) -> Generator[Cells]:
    tables = isolated.tables_apart("sheet_rows", name, path=str(path.resolve()), sheets=list(sheets), anchored=list(anchored))
    for table in tables:
        columns = tuple(column.combine_chunks() for column in table.columns)
        yield Cells(columns, int((table.schema.metadata or {})[b"first_column"]), table.num_rows)


def _opened(path: Path, name: str, max_bytes: int) -> _Book:
    kind = kind_of(path, name)
    if kind == "xlsx":
        return _Xlsx(open_workbook(path, name, max_bytes))
    if kind == "ods":
        return _Ods(OdsSheets(Unpacker(path, name, max_bytes)))
    if kind == "xlsb":
        check_archive(path, name, max_bytes)
    return _Old(path, name)


def visible_sheets(path: Path, max_bytes: int = MAX_UNPACKED_BYTES) -> list[str]:
    """The names of a workbook's visible sheets, in order. Raises SourceError as reading does."""
    return [name for name, is_visible in _opened(path, path.name, max_bytes).sheets() if is_visible]


def first_cells(path: Path, rows: int, max_bytes: int = MAX_UNPACKED_BYTES, sheet: str | int = 0) -> list[list[str | None]]:
    """The first rows of a workbook's first sheet (or another) as they stand, to see how it is laid out. Raises SourceError as reading does."""
    book = _opened(path, path.name, max_bytes)
    name = book.sheets()[sheet][0] if isinstance(sheet, int) else sheet
    with book.parts(name, _How(empty_uncomputed=True, first_only=True)) as parts:
        cells = next(parts, Cells((), 0, 0))
    lead: list[list[str | None]] = [[None] * len(cells.columns)] * min(cells.first_row, rows)
    return [*lead, *cells.rows(rows - len(lead))]
