"""Workbooks as offices print them: every cell as text, headings over several rows, years in columns, nothing dangerous opened."""

from __future__ import annotations

import datetime as dt
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from openpyxl.worksheet.worksheet import Worksheet

from lienthong.errors import HostileInputError, SourceError
from tests.connectors.reading import check_resuming, make_source, read_all


def workbook(folder: Path, *fillings: Callable[[Worksheet], Any], name: str = "a.xlsx") -> Path:
    book = openpyxl.Workbook()
    for number, fill in enumerate(fillings):
        sheet = book.active if number == 0 else book.create_sheet()
        assert isinstance(sheet, Worksheet)
        sheet.title = f"Biểu {number + 1}"
        fill(sheet)
    path = folder / name
    book.save(path)
    return path


def rows(*values: tuple[Any, ...]) -> Callable[[Worksheet], None]:
    def fill(sheet: Worksheet) -> None:
        for row in values:
            sheet.append(row)

    return fill


def test_every_cell_is_text_as_a_person_would_write_it(tmp_path: Path) -> None:
    path = workbook(
        tmp_path,
        rows(
            ("mã", "số", "ngày", "giờ", "đúng", "lỗi"),
            ("0012", 70, dt.date(2026, 1, 31), dt.time(10, 30), True, "#N/A"),
            (70123456789, 12.5, dt.datetime(2026, 1, 31, 10, 30), None, False, "#REF!"),
        ),
    )
    reading = read_all(make_source("excel_file", path))
    assert [list(row.values()) for row in reading.rows] == [
        ["0012", "70", "2026-01-31", "10:30:00", "true", "#N/A"],
        ["70123456789", "12.5", "2026-01-31 10:30:00", None, "false", "#REF!"],
    ]
    assert reading.source_rows == [2, 3]
    assert reading.batches[0].file.sheet == "Biểu 1"


def holders(sheet: Worksheet) -> None:
    sheet["A1"] = "SỔ NGƯỜI SỬ DỤNG ĐẤT"
    sheet["A3"] = "Đơn vị tính: m2"
    for cell, value in {"A5": "STT", "B5": "Thửa đất", "D5": "Họ và\ntên", "B6": "Mã", "C6": "Diện tích"}.items():
        sheet[cell] = value
    for merged in ("A5:A6", "B5:C5", "D5:D6"):
        sheet.merge_cells(merged)
    for row in [(1, "25192-1-7", 120.5, "Điểu Sơn"), (None, None, None, None), (2, "25192-1-8", 80, "Lê Thị Hà")]:
        sheet.append(row)
    sheet["A11"] = "Tổng cộng"
    sheet["C11"] = 200.5
    sheet["A12"] = "(*) Ước tính"


def test_headings_over_two_rows_title_totals_and_footnotes(tmp_path: Path) -> None:
    source = make_source(
        "excel_file", workbook(tmp_path, holders), header_rows=[5, 6], stop_when=r"Tổng|Ghi chú|\(\*\)", drop_columns=["STT"],
        constants={"đơn vị": "A3"}, constant_pattern=r"Đơn vị tính:\s*(.+)", sheet_column="biểu",
    )  # fmt: skip
    reading = read_all(source)
    assert reading.columns == ["Thửa đất / Mã", "Thửa đất / Diện tích", "Họ và tên", "đơn vị", "biểu"]
    assert [list(row.values()) for row in reading.rows] == [
        ["25192-1-7", "120.5", "Điểu Sơn", "m2", "Biểu 1"],
        ["25192-1-8", "80", "Lê Thị Hà", "m2", "Biểu 1"],
    ]
    assert reading.source_rows == [7, 9]


def indicators(sheet: Worksheet) -> None:
    sheet["B2"] = "Dân số trung bình"
    for row, values in enumerate([("Huyện", 2023, "Năm 2024*"), ("Lộc Ninh", "123,4", 125), ("Bù Đốp", None, 61.25)], 4):
        for column, value in enumerate(values, 2):
            sheet.cell(row, column, value)


def test_years_in_columns_become_rows(tmp_path: Path) -> None:
    source = make_source(
        "excel_file", workbook(tmp_path, indicators), header_rows=[4], constants={"chỉ tiêu": "B2"},
        unpivot={"keep": ["Huyện"], "name_to": "năm", "value_to": "giá trị", "name_pattern": r"(\d{4})"},
    )  # fmt: skip
    reading = read_all(source)
    assert [(row["Huyện"], row["năm"], row["giá trị"]) for row in reading.rows] == [
        ("Lộc Ninh", "2023", "123,4"),
        ("Lộc Ninh", "2024", "125"),
        ("Bù Đốp", "2023", None),
        ("Bù Đốp", "2024", "61.25"),
    ]
    assert {row["chỉ tiêu"] for row in reading.rows} == {"Dân số trung bình"}
    assert reading.source_rows == [5, 5, 6, 6]
    check_resuming(source)


def test_a_column_the_pattern_does_not_fit_is_named(tmp_path: Path) -> None:
    path = workbook(tmp_path, rows(("Huyện", "2023", "Ghi chú"), ("Lộc Ninh", "1", "x")))
    with pytest.raises(SourceError, match="column `Ghi chú` does not fit"):
        read_all(make_source("excel_file", path, unpivot={"keep": ["Huyện"], "name_pattern": r"(\d{4})"}))


def test_all_visible_sheets_are_read_and_reading_goes_on_between_them(tmp_path: Path) -> None:
    def hidden(sheet: Worksheet) -> None:
        rows(("danh mục",), ("x",))(sheet)
        sheet.sheet_state = "hidden"

    path = workbook(tmp_path, rows(("mã", "tên"), (1, "a"), (2, "b")), hidden, rows(("tên", "mã"), ("c", 3)))
    source = make_source("excel_file", path, sheet="*", sheet_column="biểu")
    assert [list(row.values()) for row in read_all(source).rows] == [["1", "a", "Biểu 1"], ["2", "b", "Biểu 1"], ["3", "c", "Biểu 3"]]
    check_resuming(source, (1, 2))


@pytest.mark.parametrize(("sheet", "first"), [("", "1"), ("2", "2"), ("Biểu 2", "2")])
def test_a_sheet_is_chosen_by_name_or_number(tmp_path: Path, sheet: str, first: str) -> None:
    path = workbook(tmp_path, rows(("mã",), (1,)), rows(("mã",), (2,)))
    assert read_all(make_source("excel_file", path, sheet=sheet)).rows == [{"mã": first}]
    with pytest.raises(SourceError, match="no sheet `Trang`"):
        read_all(make_source("excel_file", path, sheet="Trang"))


def test_values_without_a_heading_are_not_dropped_in_silence(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="column B has values but no heading"):
        read_all(make_source("excel_file", workbook(tmp_path, rows(("mã", None), (1, "x")))))


def test_headings_alone_give_no_rows_and_an_empty_sheet_is_refused(tmp_path: Path) -> None:
    reading = read_all(make_source("excel_file", workbook(tmp_path, rows(("mã", "tên")))))
    assert (reading.columns, reading.rows) == (["mã", "tên"], [])
    with pytest.raises(SourceError, match="no heading"):
        read_all(make_source("excel_file", workbook(tmp_path, rows(), name="b.xlsx")))


def test_text_that_looks_like_a_formula_stays_text_and_an_uncomputed_formula_is_refused(tmp_path: Path) -> None:
    def text(sheet: Worksheet) -> None:
        sheet["A1"] = "mã"
        sheet["A2"] = "=1+1"
        sheet["A2"].data_type = "s"

    assert read_all(make_source("excel_file", workbook(tmp_path, text))).rows == [{"mã": "=1+1"}]
    with pytest.raises(SourceError, match="never computed"):
        read_all(make_source("excel_file", workbook(tmp_path, rows(("mã",), ("=1+1",)), name="b.xlsx")))


def test_what_is_no_workbook_is_told_in_words(tmp_path: Path) -> None:
    page, cut, locked = tmp_path / "page.xls", tmp_path / "cut.xlsx", tmp_path / "locked.xlsx"
    page.write_text("<html><table><tr><td>1</td></tr></table></html>")
    cut.write_bytes(workbook(tmp_path, rows(("mã",), (1,))).read_bytes()[:3000])
    locked.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600 + "EncryptedPackage".encode("utf-16-le") + b"\0" * 600)
    for path, words in ((page, "web page"), (cut, "damaged or cut off"), (locked, "password")):
        with pytest.raises(SourceError, match=words):
            read_all(make_source("excel_file", path))


def test_a_zip_bomb_is_refused_before_it_is_opened(tmp_path: Path) -> None:
    good, bomb = workbook(tmp_path, rows(("mã",), (1,))), tmp_path / "bomb.xlsx"
    with zipfile.ZipFile(good) as source, zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        for entry in source.infolist():
            data = source.read(entry)
            archive.writestr(entry.filename, b"<worksheet><sheetData>" + b"0" * 40_000_000 if "sheet1" in entry.filename else data)
    with pytest.raises(HostileInputError, match="unpacks to more"):
        read_all(make_source("excel_file", bomb))


def test_a_zip_that_lies_about_its_size_is_refused(tmp_path: Path) -> None:
    path = workbook(tmp_path, rows(("mã",), *((n,) for n in range(500))))
    with zipfile.ZipFile(path) as archive:
        entry = archive.getinfo("xl/worksheets/sheet1.xml")
    data = bytearray(path.read_bytes())
    place = data.rfind(b"xl/worksheets/sheet1.xml") - 46  # its entry in the central directory
    data[place + 24 : place + 28] = (entry.file_size // 10).to_bytes(4, "little")
    path.write_bytes(bytes(data))
    with pytest.raises(SourceError, match=r"says|damaged"):
        read_all(make_source("excel_file", path))
