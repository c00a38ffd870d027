"""Workbooks as offices make them, in each kind of file: the table comes out, and what is left out is counted."""

from __future__ import annotations

import datetime as dt
import io
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import xlsxwriter
from openpyxl.cell.rich_text import CellRichText, TextBlock
from openpyxl.cell.text import InlineFont
from openpyxl.worksheet.worksheet import Worksheet

from lienthong.connectors import excel_xlsx, first_cells
from lienthong.connectors.excel_guard import Unpacker
from lienthong.connectors.excel_ods import OdsSheets
from lienthong.connectors.excel_xlsx import Seen
from lienthong.errors import HostileInputError, SourceError
from tests.connectors.make_workbooks import HABITS, Habit, write_ods, write_xls, write_xlsx
from tests.connectors.reading import check_resuming, make_source, read_all

KINDS: dict[str, Callable[[Habit, Path], Path]] = {"xlsx": write_xlsx, "xls": write_xls, "ods": write_ods}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("habit", HABITS, ids=lambda habit: habit.name)
def test_the_table_comes_out_of_what_an_office_prints(tmp_path: Path, habit: Habit, kind: str) -> None:
    reading = read_all(make_source("excel_file", KINDS[kind](habit, tmp_path / f"a.{kind}"), **habit.options))
    assert reading.rows == list(habit.expected)
    assert reading.source_rows == list(habit.source_rows)


def many(path: Path, rows: int, **more: Any) -> Path:
    book = xlsxwriter.Workbook(str(path), {"constant_memory": True})
    sheet = book.add_worksheet("a")
    sheet.write_row(0, 0, ["Mã", "Tên", "Số"])
    for number in range(1, rows + 1):
        sheet.write_row(number, 0, [f"{number:05d}", f"Điểu {number % 7}", number])
    for place, value in more.items():
        sheet.write(place, value)
    book.close()
    return path


def test_a_long_sheet_is_read_in_pieces_and_on_from_any_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(excel_xlsx, "PIECE_BYTES", 4_000)
    source = make_source("excel_file", many(tmp_path / "a.xlsx", 400))
    reading = read_all(source)
    assert [row["Mã"] for row in reading.rows] == [f"{number:05d}" for number in range(1, 401)]
    assert reading.source_rows == list(range(2, 402))
    check_resuming(source, (150,))
    assert first_cells(tmp_path / "a.xlsx", 2) == [["Mã", "Tên", "Số"], ["00001", "Điểu 1", "1"]]


def test_the_end_of_the_table_and_values_without_heading_are_seen_in_any_piece(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(excel_xlsx, "PIECE_BYTES", 4_000)
    assert len(read_all(make_source("excel_file", many(tmp_path / "a.xlsx", 300, A302="Ghi chú: x"), stop_when="Ghi chú")).rows) == 300
    with pytest.raises(SourceError, match="column E has values but no heading"):
        read_all(make_source("excel_file", many(tmp_path / "b.xlsx", 300, E302="x")))


def edited(path: Path, part: str, old: bytes, new: bytes) -> Path:
    kept = io.BytesIO(path.read_bytes())
    with zipfile.ZipFile(kept) as source, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as target:
        for entry in source.infolist():
            data = source.read(entry)
            if entry.filename == part:
                assert old in data
                data = data.replace(old, new)
            target.writestr(entry.filename, data)
    return path


def sheet_of(folder: Path, fill: Callable[[Worksheet], Any], name: str = "a.xlsx", **book: Any) -> Path:
    workbook = openpyxl.Workbook()
    sheet = workbook.active
    assert isinstance(sheet, Worksheet)
    fill(sheet)
    for key, value in book.items():
        setattr(workbook, key, value)
    workbook.save(folder / name)
    return folder / name


def test_zeros_only_the_format_of_a_cell_has_are_kept(tmp_path: Path) -> None:
    def fill(sheet: Worksheet) -> None:
        for row in (("Mã", "Số"), (79185000012, 5), (42, 7)):
            sheet.append(row)
        for cell in ("A2", "A3"):
            sheet[cell].number_format = "000000000000"

    assert read_all(make_source("excel_file", sheet_of(tmp_path, fill))).rows == [
        {"Mã": "079185000012", "Số": "5"},
        {"Mã": "000000000042", "Số": "7"},
    ]


def test_dates_counted_from_1904_are_the_same_dates(tmp_path: Path) -> None:
    def fill(sheet: Worksheet) -> None:
        sheet["A1"], sheet["A2"] = "Ngày", dt.date(2026, 1, 31)

    assert read_all(make_source("excel_file", sheet_of(tmp_path, fill))).rows == [{"Ngày": "2026-01-31"}]
    moved = sheet_of(tmp_path, fill, "b.xlsx", epoch=dt.datetime(1904, 1, 1))
    assert read_all(make_source("excel_file", moved)).rows == [{"Ngày": "2026-01-31"}]


def test_rich_text_and_errors_are_text(tmp_path: Path) -> None:
    def fill(sheet: Worksheet) -> None:
        sheet["A1"], sheet["B1"] = "Tên", "Lỗi"
        sheet["A2"] = CellRichText("Điểu ", TextBlock(InlineFont(b=True), "Sơn"))
        sheet["B2"] = "#DIV/0!"

    assert read_all(make_source("excel_file", sheet_of(tmp_path, fill))).rows == [{"Tên": "Điểu Sơn", "Lỗi": "#DIV/0!"}]


def test_hidden_rows_and_columns_are_read_and_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def fill(sheet: Worksheet) -> None:
        for row in (("Mã", "Mật", "Số"), ("a", "x", 1), ("b", "y", 2), ("Cộng", "", 3)):
            sheet.append(row)
        sheet.row_dimensions[3].hidden = True
        sheet.column_dimensions["B"].hidden = True

    reading = read_all(make_source("excel_file", sheet_of(tmp_path, fill), header_rows="found"))
    assert [row["Mật"] for row in reading.rows] == ["x", "y"]
    assert {note.code: note.count for batch in reading.batches for note in batch.notes} == {
        "hidden_rows": 1,
        "hidden_columns": 1,
        "totals": 1,
    }


def test_a_formula_never_computed_names_its_cell_or_is_read_as_empty(tmp_path: Path) -> None:
    def fill(sheet: Worksheet) -> None:
        for row in (("Mã", "Số"), ("a", 1), ("b", "=B2*2")):
            sheet.append(row)

    path = sheet_of(tmp_path, fill)
    with pytest.raises(SourceError, match="B3"):
        read_all(make_source("excel_file", path))
    reading = read_all(make_source("excel_file", path, uncomputed="empty"))
    assert [row["Số"] for row in reading.rows] == ["1", None]
    assert [(note.code, note.count) for batch in reading.batches for note in batch.notes] == [("uncomputed", 1)]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'r="A3"', b'r="XFD1048576"'),
        (b'<row r="3"', b'<row r="9999999"'),
        (b'<row r="3"', b'<row r="1"'),
        (b"<sheetData>", b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><sheetData>'),
        (b"</sheetData>", b""),
    ],
    ids=["far cell", "far row", "row twice", "doctype", "no end"],
)
def test_a_sheet_that_lies_is_refused_or_read_as_it_says(tmp_path: Path, old: bytes, new: bytes) -> None:
    path = edited(write_xlsx(Habit("", [["Mã"], ["a"], ["b"]], [], []), tmp_path / "a.xlsx"), "xl/worksheets/sheet1.xml", old, new)
    with pytest.raises(SourceError):
        read_all(make_source("excel_file", path))


def test_a_part_given_twice_is_refused(tmp_path: Path) -> None:
    path = write_xlsx(HABITS[0], tmp_path / "a.xlsx")
    with pytest.warns(UserWarning, match="Duplicate"), zipfile.ZipFile(path, "a") as archive:
        archive.writestr("xl/worksheets/sheet1.xml", "<worksheet/>")
    with pytest.raises(HostileInputError, match="twice"):
        read_all(make_source("excel_file", path))


def test_an_ods_of_endless_repeats_is_refused(tmp_path: Path) -> None:
    path = write_ods(Habit("", [["Mã"], ["a"]], [], []), tmp_path / "a.ods")
    repeats = b'<table:table-row table:number-rows-repeated="1048576"><table:table-cell table:number-columns-repeated="16384"'
    data = zipfile.ZipFile(path).read("content.xml")
    start = data.rfind(b"<table:table-row><table:table-cell")
    old = data[start : start + len(b"<table:table-row><table:table-cell")]
    edited(path, "content.xml", old, repeats)
    with pytest.raises(HostileInputError, match="more than"):
        read_all(make_source("excel_file", path))


def test_the_sheets_of_an_ods_are_gone_through_once_and_count_once(tmp_path: Path) -> None:
    path = write_ods(Habit("", [["Mã"], ["a"]], [], []), tmp_path / "a.ods")
    content = zipfile.ZipFile(path).read("content.xml").decode()
    begin, end = content.index("<table:table "), content.index("</office:spreadsheet>")
    sheets = "".join(re.sub('table:name="[^"]*"', f'table:name="S{n}"', content[begin:end]) for n in range(20))
    edited(path, "content.xml", content[begin:end].encode(), sheets.encode())
    unpacked = len(content) + len(sheets)
    assert len(read_all(make_source("excel_file", path, sheet="*", max_bytes=unpacked)).rows) == 20
    with pytest.raises(HostileInputError, match="unpacks to more"):
        read_all(make_source("excel_file", path, sheet="*", max_bytes=len(sheets) // 2))
    read = OdsSheets(Unpacker(path, "a", unpacked))
    firsts = {name: [part.rows(9) for part in read.parts(name, Seen())] for name in ("S3", "S7", "S3", "S0")}
    assert list(firsts.values()) == [[[["Mã"], ["a"]]]] * 3


def test_elements_without_end_between_two_rows_of_an_ods_are_refused(tmp_path: Path) -> None:
    path = write_ods(Habit("", [["Mã"], ["a"]], [], []), tmp_path / "a.ods")
    edited(path, "content.xml", b"<office:spreadsheet>", b"<office:spreadsheet>" + endless(b'<text:s text:c="%d"/>'))
    with pytest.raises(HostileInputError, match="larger than 16 MiB"):
        read_all(make_source("excel_file", path))


def endless(element: bytes) -> bytes:
    """18 MB of elements that no archive packs as tightly as a bomb."""
    return b"".join(element % (n * 2_654_435_761 % 2**32) for n in range(18_000_000 // (len(element) + 8)))


def test_what_the_options_cannot_mean_is_said(tmp_path: Path) -> None:
    path = write_xlsx(HABITS[0], tmp_path / "a.xlsx")
    for options, words in (
        ({"leave_out": ["sums"]}, "leave_out"),
        ({"header_rows": "found", "fill_down": ["Xã"]}, "fill_down"),
        ({"table_after": "Biểu 9"}, "table_after"),
    ):
        with pytest.raises(SourceError, match=words):
            read_all(make_source("excel_file", path, **options))
