"""Workbooks of Office Open XML (.xlsx, .xlsm), a part of a sheet at a time: memory stays flat however many rows there are.

The rows of a sheet are cut out of its XML in pieces, and each piece becomes a small workbook of its own that a child process reads. On the
way is seen what a reader of values does not tell: formulas never computed, hidden rows and columns, zeros that only the format of a cell has.
"""

from __future__ import annotations

import posixpath
import re
import shutil
import tempfile
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from lxml import etree

from lienthong.connectors.excel_guard import UNCOMPUTED, Unpacker
from lienthong.errors import HostileInputError, SourceError

PIECE_BYTES = 8 * 1024 * 1024  # of a sheet's XML: some ten thousand rows
MOST_PIECE_BYTES = 256 * 1024 * 1024
MAX_PART_BYTES = 64 * 1024 * 1024  # of the workbook's own parts
HEAD_BYTES = 4 * 1024 * 1024  # before the rows of a sheet begin
HEAD_LOOKED_AT = 65_536  # bytes of a part in which a declaration of its type would stand
MAX_ROWS = 1_048_576
_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_STRICT = "{http://purl.oclc.org/ooxml/spreadsheetml/main}"
_LINK = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_STRICT_LINK = "{http://purl.oclc.org/ooxml/officeDocument/relationships}id"
_ROW = re.compile(rb'<row\b[^>]*?\sr="(\d+)"')
_HIDDEN_ROW = re.compile(rb'<row\b[^>]*\shidden="(?:1|true)"')
_HIDDEN_COLUMN = re.compile(rb'<col\b[^>]*\shidden="(?:1|true)"[^>]*>')
_SPAN = re.compile(rb'\s(min|max)="(\d{1,5})"')
_CELL = re.compile(rb'<c\b[^>]*?\sr="([A-Z]{1,3}\d{1,7})"')
_ZEROS = re.compile(r"^0{2,}$")
_RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


@dataclass(frozen=True)
class SheetPart:
    name: str
    part: str  # its path in the archive
    is_visible: bool


@dataclass
class Seen:
    """What a person should know of a sheet beside its values."""

    hidden_rows: int = 0
    hidden_columns: int = 0
    uncomputed: int = 0


@dataclass(frozen=True)
class Piece:
    """Some rows of a sheet, from Excel's row `first_row` (from 0) on; before it stands an anchor, unless it is 0."""

    first_row: int
    last_row: int  # Excel's number, from 0, of the last; -1: not known


@dataclass(frozen=True)
class Packed:
    """One sheet cut in pieces: a workbook whose sheets, in order, are its pieces."""

    path: Path
    pieces: tuple[Piece, ...]


@dataclass
class Workbook:
    """An .xlsx opened: its sheets in order, and what is the same for all of them."""

    name: str
    unpacker: Unpacker
    sheets: tuple[SheetPart, ...]
    properties: str
    strings: IO[bytes]  # the texts all sheets share, on disk: of large workbooks they are most of it
    styles: bytes
    zeros: Mapping[int, int]  # style → how many digits it shows
    seen: dict[str, Seen] = field(default_factory=dict)

    @contextmanager
    def packed(self, sheet: SheetPart, *, empty_uncomputed: bool = False, first_only: bool = False) -> Iterator[Packed]:
        """The sheet's pieces, there until the context is left."""
        with tempfile.TemporaryDirectory(prefix="lienthong-xlsx-") as folder:
            path, pieces = Path(folder) / "pieces.xlsx", []
            with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
                for piece, content in self._pieces(sheet, empty_uncomputed=empty_uncomputed):
                    pieces.append(piece)
                    archive.writestr(f"xl/worksheets/{len(pieces)}.xml", content)
                    if first_only:
                        break
                for name, text in self._frame(len(pieces)).items():
                    archive.writestr(name, text)
                with Path(self.strings.name).open("rb") as strings, archive.open("xl/sharedStrings.xml", "w", force_zip64=True) as part:
                    shutil.copyfileobj(strings, part, PIECE_BYTES)
            yield Packed(path, tuple(pieces))

    def _pieces(self, sheet: SheetPart, *, empty_uncomputed: bool) -> Iterator[tuple[Piece, bytes]]:
        seen = self.seen.setdefault(sheet.name, Seen())
        where = f"`{self.name}`, `{sheet.name}`"
        last = -1
        for number, (head, rows) in enumerate(_cut(self.unpacker, sheet.part, where)):
            if number == 0:
                seen.hidden_columns = _hidden_columns(head)
            if b'hidden="' in rows:
                seen.hidden_rows += len(_HIDDEN_ROW.findall(rows))
            body = self._patched(rows, where, seen, empty_uncomputed=empty_uncomputed)
            found = _ROW.findall(rows, rows.rfind(b"<row"))
            until = int(found[-1]) - 1 if found else -1
            if until >= MAX_ROWS or (until >= 0 and until < last):
                raise HostileInputError(f"{where}: dòng {until + 1} không thể có / row {until + 1} cannot be there.")
            anchor = b"" if last < 0 else b'<row r="%d"><c r="A%d" t="str"><v>.</v></c></row>' % (last + 1, last + 1)
            if until < 0 and number:
                raise SourceError(f"{where}: các dòng không có số / its rows have no numbers.", hint="Open it in Excel and save it again.")
            yield Piece(last + 1, until), b"".join((head, anchor, body, b"</sheetData></worksheet>"))
            if until < 0 and rows.strip():
                return
            last = until

    def _patched(self, rows: bytes, where: str, seen: Seen, *, empty_uncomputed: bool) -> bytes:
        if b"<f" in rows:
            missing = UNCOMPUTED.search(rows)
            if missing is not None and not empty_uncomputed:
                cell = _CELL.findall(rows, max(0, rows.rfind(b"<c ", 0, missing.start())), missing.end())
                raise SourceError(
                    f"{where} {cell[-1].decode() if cell else ''}: công thức chưa được tính / a formula whose result was never computed.",
                    hint="Open it in Excel, save, and deliver again; or set `uncomputed` to `empty`.",
                )
            if missing is not None:
                seen.uncomputed += len(UNCOMPUTED.findall(rows))
        for style, digits in self.zeros.items():
            rows = _with_zeros(rows, style, digits)
        return rows

    def _frame(self, count: int) -> dict[str, str | bytes]:
        """All parts of a workbook of `count` sheets but the sheets."""
        links = [("worksheet", f"worksheets/{number}.xml") for number in range(1, count + 1)]
        links += [("sharedStrings", "sharedStrings.xml"), ("styles", "styles.xml")]
        sheets = "".join(f'<sheet name="{number}" sheetId="{number}" r:id="r{number}"/>' for number in range(1, count + 1))
        return {
            "_rels/.rels": _relations([("officeDocument", "xl/workbook.xml")]),
            "xl/_rels/workbook.xml.rels": _relations(links),
            "xl/workbook.xml": f'<workbook xmlns="{_MAIN[1:-1]}" xmlns:r="{_RELATIONS}">{self.properties}<sheets>{sheets}</sheets></workbook>',
            "xl/styles.xml": self.styles,
        }


def _with_zeros(rows: bytes, style: int, digits: int) -> bytes:
    """Whole numbers of a style as the text it shows."""
    marks = rb'<c r="([A-Z]{1,3}\d{1,7})" s="%d"(?: t="n")?><v>(\d{1,%d})</v></c>' % (style, digits)
    return re.sub(marks, lambda cell: b'<c r="%b" t="str"><v>%b</v></c>' % (cell[1], cell[2].zfill(digits)), rows)


def _relations(links: Sequence[tuple[str, str]]) -> str:
    listed = "".join(
        f'<Relationship Id="r{number}" Type="{_RELATIONS}/{kind}" Target="{target}"/>' for number, (kind, target) in enumerate(links, 1)
    )
    return f'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">{listed}</Relationships>'


def open_workbook(path: Path, name: str, max_bytes: int) -> Workbook:
    """The workbook's sheets and common parts. Raises SourceError for what is none, HostileInputError for a bomb or a way out."""
    unpacker = Unpacker(path, name, max_bytes)
    try:
        workbook = _xml(unpacker, "xl/workbook.xml")
        targets = _targets(unpacker)
        sheets = tuple(
            SheetPart(element.get("name") or "", targets[link], element.get("state", "visible") == "visible")
            for element in workbook.iter(f"{_MAIN}sheet", f"{_STRICT}sheet")
            if (link := element.get(_LINK) or element.get(_STRICT_LINK)) in targets and "chartsheet" not in targets[link]
        )
        missing = [sheet.name for sheet in sheets if sheet.part not in unpacker.names]
        if missing or not sheets:
            raise SourceError(
                f"`{name}`: thiếu trang tính / a sheet is missing: {', '.join(missing) or 'there are none'}.", hint="It may be damaged."
            )
        styles = _optional(unpacker, "xl/styles.xml") or b"<styleSheet/>"
        return Workbook(name, unpacker, sheets, _properties(workbook), _strings(unpacker), styles, _zero_formats(styles, name))
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError) as error:
        raise SourceError(f"`{name}`: tệp hỏng hoặc bị cắt / the workbook is damaged or cut off ({error}).") from error


def _properties(workbook: etree._Element) -> str:
    properties = next(workbook.iter(f"{_MAIN}workbookPr", f"{_STRICT}workbookPr"), None)
    since_1904 = properties is not None and properties.get("date1904") in ("1", "true")
    return '<workbookPr date1904="1"/>' if since_1904 else "<workbookPr/>"


def _xml(unpacker: Unpacker, part: str) -> etree._Element:
    data = unpacker.read(part, MAX_PART_BYTES)
    _refuse_doctype(data, unpacker.name, part)
    try:
        return etree.fromstring(data, etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False))
    except etree.XMLSyntaxError as error:
        raise SourceError(f"`{unpacker.name}`, `{part}`: tệp hỏng / is damaged ({error.msg}).") from error


def _refuse_doctype(data: bytes, name: str, part: str) -> None:
    head = data[:HEAD_LOOKED_AT]
    if b"<!DOCTYPE" in head or b"<!ENTITY" in head or b"<\0!\0D\0" in head:
        raise HostileInputError(f"`{name}`, `{part}`: có khai báo DOCTYPE / has a document type declaration.")


def _strings(unpacker: Unpacker) -> IO[bytes]:
    """The texts all sheets share, in a file that goes when nobody holds it."""
    part, head, checked = "xl/sharedStrings.xml", b"", False
    file = tempfile.NamedTemporaryFile(prefix="lienthong-xlsx-")  # noqa: SIM115 # it lives as long as the workbook
    for chunk in unpacker.chunks(part) if part in unpacker.names else (b"<sst/>",):
        file.write(chunk)
        if not checked:
            head += chunk
            checked = len(head) >= HEAD_LOOKED_AT
            _refuse_doctype(head, unpacker.name, part)
    file.flush()
    return file


def _optional(unpacker: Unpacker, part: str) -> bytes:
    if part not in unpacker.names:
        return b""
    data = unpacker.read(part, unpacker.max_bytes)
    _refuse_doctype(data, unpacker.name, part)
    return data


def _targets(unpacker: Unpacker) -> dict[str, str]:
    """Relation → path in the archive; what lies outside of it is left out."""
    found: dict[str, str] = {}
    for element in _xml(unpacker, "xl/_rels/workbook.xml.rels"):
        if not isinstance(element.tag, str) or element.get("TargetMode") == "External":
            continue
        target = element.get("Target") or ""
        found[element.get("Id") or ""] = target.lstrip("/") if target.startswith("/") else posixpath.normpath(posixpath.join("xl", target))
    return found


def _zero_formats(styles: bytes, name: str) -> dict[int, int]:
    """Styles that show a whole number with leading zeros, and its digits."""
    if b"formatCode" not in styles:
        return {}
    try:
        tree = etree.fromstring(styles, etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False))
    except etree.XMLSyntaxError as error:
        raise SourceError(f"`{name}`, `xl/styles.xml`: tệp hỏng / is damaged ({error.msg}).") from error
    formats = {
        element.get("numFmtId"): len(code) for element in tree.iter("{*}numFmt") if _ZEROS.match(code := element.get("formatCode") or "")
    }
    styles_in_order: Iterable[etree._Element] = next(tree.iter("{*}cellXfs"), [])
    return {place: formats[xf.get("numFmtId")] for place, xf in enumerate(styles_in_order) if xf.get("numFmtId") in formats}


def _cut(unpacker: Unpacker, part: str, where: str) -> Iterator[tuple[bytes, bytes]]:
    """(what stands before the rows, whole rows) of a sheet, at least once."""
    head: bytes | None = None
    held = bytearray()
    chunks = unpacker.chunks(part)
    for chunk in chunks:
        searched = max(0, len(held) - 16)
        held += chunk
        if head is None:
            start = held.find(b"<sheetData")
            end = held.find(b">", start) + 1
            if start < 0 or end <= 0:
                if len(held) > HEAD_BYTES:
                    raise SourceError(f"{where}: không thấy các dòng / no rows found at the sheet's beginning.")
                continue
            _refuse_doctype(bytes(held[:start]), unpacker.name, part)
            if held[end - 2 : end] == b"/>":
                yield bytes(held[: end - 2]) + b">", b""
                _to_the_end(chunks)
                return
            head = bytes(held[:end])
            del held[:end]
            searched = 0
        closing = held.find(b"</sheetData>", searched)
        if closing >= 0:
            yield head, bytes(held[:closing])
            _to_the_end(chunks)
            return
        if len(held) >= PIECE_BYTES:
            stop = held.rfind(b"</row>")
            if stop >= 0:
                yield head, bytes(held[: stop + 6])
                del held[: stop + 6]
            elif len(held) > MOST_PIECE_BYTES:
                raise HostileInputError(f"{where}: một dòng quá lớn / one row of more than {MOST_PIECE_BYTES >> 20} MiB.")
    raise SourceError(f"{where}: tệp hỏng hoặc bị cắt / the sheet's rows do not end.")


def _to_the_end(chunks: Iterator[bytes]) -> None:
    """What follows is not needed, but that it is as long as it says is."""
    for _ in chunks:
        pass


def _hidden_columns(head: bytes) -> int:
    count = 0
    for column in _HIDDEN_COLUMN.findall(head):
        span = {key: int(value) for key, value in _SPAN.findall(column)}
        count += max(0, min(span.get(b"max", 0), 16_384) - span.get(b"min", 1) + 1) if span.get(b"max", 0) < 16_000 else 0
    return count


def counted(seen: Seen) -> Counter[str]:
    """Notes by code, for what was seen."""
    return +Counter({"hidden_rows": seen.hidden_rows, "hidden_columns": seen.hidden_columns, "uncomputed": seen.uncomputed})
