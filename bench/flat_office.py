"""Files of offices with rows up to what their format holds: OpenDocument sheets, Word tables, old workbooks by the folder, Access; and text before Unicode."""

from __future__ import annotations

import gzip
import struct
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import py7zr
import xlwt

from lienthong.standards import encode_legacy

PART = 50_000  # rows written at once
SHEET_ROWS = 1_000_000  # rows of one sheet, headings beside
XLS_ROWS = 65_535  # of one sheet under its headings: all the format holds
ODS_HEAD = (
    '<office:document-content xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" '
    'xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0">'
    "<office:body><office:spreadsheet>"
)
WORD_HEAD = '<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body><w:p/><w:tbl>'
ACCESS = Path(__file__).parent.parent / "tests" / "vectors" / "access_jet4.mdb.gz"
PAGE = 4096  # of Jet 4
MOST_PAGES = 2**31 // PAGE  # a database of 2 GB


def parts(rows: int) -> Iterator[range]:
    return (range(first, min(first + PART, rows)) for first in range(0, rows, PART))


def write_ods(path: Path, rows: int) -> None:
    """As many sheets as it needs."""

    def text(value: str) -> str:
        return f'<table:table-cell office:value-type="string"><text:p>{value}</text:p></table:table-cell>'

    def line(n: int) -> str:
        number = f'<table:table-cell office:value-type="float" office:value="{n % 600}"><text:p>{n % 600}</text:p></table:table-cell>'
        return f"<table:table-row>{text(f'{n:09d}')}{text(f'Nguyễn Văn {n % 9000}')}{number}</table:table-row>"

    with _packed(path, "content.xml") as write:
        write(ODS_HEAD)
        for first in range(0, rows, SHEET_ROWS):
            write(
                f'<table:table table:name="S{first // SHEET_ROWS + 1}"><table:table-row>{text("ma")}{text("ten")}{text("xa")}</table:table-row>'
            )
            for part in parts(min(SHEET_ROWS, rows - first)):
                write("".join(line(first + n) for n in part))
            write("</table:table>")
        write("</office:spreadsheet></office:body></office:document-content>")


def write_word(path: Path, rows: int) -> None:
    """One table."""

    def line(*values: str) -> str:
        return f"<w:tr>{''.join(f'<w:tc><w:p><w:r><w:t>{value}</w:t></w:r></w:p></w:tc>' for value in values)}</w:tr>"

    with _packed(path, "word/document.xml") as write:
        write(WORD_HEAD + line("ma", "ten", "xa"))
        for part in parts(rows):
            write("".join(line(f"{n:09d}", f"Nguyễn Văn {n % 9000}", str(n % 600)) for n in part))
        write("</w:tbl></w:body></w:document>")


class _packed:  # noqa: N801 # used as a function
    """Writes into one part of an archive."""

    def __init__(self, path: Path, part: str) -> None:
        self._archive = zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1)
        self._stream = self._archive.open(part, "w", force_zip64=True)

    def __enter__(self) -> Callable[[str], object]:
        return lambda text: self._stream.write(text.encode())

    def __exit__(self, *_: object) -> None:
        self._stream.close()
        self._archive.close()


def write_xls(path: Path, rows: int) -> None:
    """As many files as it needs, each with the one sheet the format can hold."""
    for number, first in enumerate(range(0, rows, XLS_ROWS)):
        book = xlwt.Workbook()
        sheet = book.add_sheet("S")
        for column, name in enumerate(("ma", "ten", "xa")):
            sheet.write(0, column, name)
        for row in range(min(XLS_ROWS, rows - first)):
            n = first + row
            sheet.write(row + 1, 0, f"{n:09d}")
            sheet.write(row + 1, 1, f"Nguyễn Văn {n % 9000}")
            sheet.write(row + 1, 2, n % 600)
            if row % 1000 == 999:
                sheet.flush_row_data()
        book.save(str(path.with_name(f"{number:04d}.xls")))


def write_array(path: Path, rows: int) -> None:
    with path.open("w", encoding="utf-8") as stream:
        stream.write('{"ngày":"2026-01-31","dòng":[')
        for part in parts(rows):
            stream.write("" if part[0] == 0 else ",\n")
            stream.write(",\n".join(f'{{"ma":"{n:09d}","ten":"Nguyễn Văn {n % 9000}","xa":{n % 600}}}' for n in part))
        stream.write("]}\n")


def write_tsv(encoding: str) -> Callable[[Path, int], None]:
    """Text parted by tabs, in letters of before Unicode."""

    def write(path: Path, rows: int) -> None:
        name = encode_legacy("Nguyễn Văn Hữu Thịnh, xã Lộc Tấn", encoding)
        with path.open("wb") as stream:
            stream.write(b"ma\tten\txa\n")
            for part in parts(rows):
                stream.write(b"".join(b"%09d\t%s %d\t%d\n" % (n, name, n % 9000, n % 600) for n in part))

    return write


def write_7z(path: Path, rows: int) -> None:
    inside = path.with_name("a.csv")
    with inside.open("w", encoding="utf-8") as stream:
        stream.write("ma,ten,xa\n")
        for part in parts(rows):
            stream.write("".join(f"{n:09d},Nguyễn Văn {n % 9000},{n % 600}\n" for n in part))
    with py7zr.SevenZipFile(path, "w", filters=[{"id": py7zr.FILTER_LZMA2, "preset": 1}]) as archive:
        archive.write(inside, "a.csv")
    inside.unlink()


def write_access(path: Path, rows: int) -> None:
    """A real database of Jet 4, the table's first row written again and again under numbers of their own: nothing here writes Access anew.

    After the pages it has stand those of the table's map (bits of 32,736 pages each), then those of its rows.
    """
    data = bytearray(gzip.decompress(ACCESS.read_bytes()))
    table, map_page, rows_page = 15, 16, 17
    model = _access_rows(data[rows_page * PAGE : (rows_page + 1) * PAGE])[0]
    on_page = (PAGE - 14) // (len(model) + 2)
    pages = -(-rows // on_page)
    per_map = (PAGE - 4) * 8
    first = len(data) // PAGE
    maps = -(-(first + pages) // per_map) + 1
    if first + maps + pages > MOST_PAGES:
        raise ValueError(f"{rows} rows do not fit into a database of 2 GB")
    used = range(first + maps, first + maps + pages)
    begin = table * PAGE
    struct.pack_into("<I", data, begin + 16, rows)
    map_row = data[begin + 55]
    place, end = _access_row_at(data[map_page * PAGE : (map_page + 1) * PAGE], map_row)
    pointers = struct.pack(f"<B{maps}I", 1, *range(first, first + maps))
    data[map_page * PAGE + place : map_page * PAGE + end] = pointers.ljust(end - place, b"\0")
    with path.open("wb") as stream:
        stream.write(data)
        for number in range(maps):
            bits = bytearray(PAGE)
            bits[:2] = b"\x05\x01"
            for page in range(max(used.start, number * per_map), min(used.stop, (number + 1) * per_map)):
                bit = page - number * per_map
                bits[4 + bit // 8] |= 1 << bit % 8
            stream.write(bits)
        for begin in range(0, rows, on_page):
            stream.write(_access_page(table, [_numbered(model, n + 1) for n in range(begin, min(begin + on_page, rows))]))


def _access_row_at(page: bytes | bytearray, row: int) -> tuple[int, int]:
    place = struct.unpack_from("<H", page, 14 + 2 * row)[0] & 0x1FFF
    end = PAGE if row == 0 else struct.unpack_from("<H", page, 12 + 2 * row)[0] & 0x1FFF
    return place, end


def _access_rows(page: bytes | bytearray) -> list[bytes]:
    return [bytes(page[slice(*_access_row_at(page, row))]) for row in range(struct.unpack_from("<H", page, 12)[0])]


def _numbered(row: bytes, number: int) -> bytes:
    return row[:2] + struct.pack("<I", number) + row[6:]  # after the count of columns, the first of fixed length


def _access_page(table: int, rows: list[bytes]) -> bytes:
    page, place = bytearray(PAGE), PAGE
    for number, row in enumerate(rows):
        place -= len(row)
        page[place : place + len(row)] = row
        struct.pack_into("<H", page, 14 + 2 * number, place)
    struct.pack_into("<HHIIH", page, 0, 0x0101, place - 14 - 2 * len(rows), table, 0, len(rows))
    return bytes(page)
