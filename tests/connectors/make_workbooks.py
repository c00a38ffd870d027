"""The habits of offices, one workbook each: what stands on the sheet, how it is read, and what must come of it.

`write_xlsx`, `write_xls` and `write_ods` put the same cells into each kind of workbook, each by another program than ours.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import openpyxl
import xlwt
from odf.opendocument import OpenDocumentSpreadsheet
from odf.table import CoveredTableCell, Table, TableCell, TableRow
from odf.text import P

Rows = Sequence[Sequence[Any]]


@dataclass(frozen=True)
class Habit:
    name: str
    rows: Rows  # from A1; "" is an empty cell
    expected: Sequence[Mapping[str, str | None]]
    source_rows: Sequence[int]
    merged: Sequence[str] = ()
    options: Mapping[str, Any] = field(default_factory=lambda: {"header_rows": "found"})


def _rows(columns: Sequence[str], *values: Sequence[str | None]) -> list[dict[str, str | None]]:
    return [dict(zip(columns, row, strict=True)) for row in values]


TITLE = [
    ["UBND HUYỆN LỘC NINH", "", "", "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM"],
    ["PHÒNG TÀI NGUYÊN", "", "", "Độc lập - Tự do - Hạnh phúc"],
    [],
    ["SỔ THEO DÕI THỬA ĐẤT"],
    [],
]
PARCELS = ["Mã thửa", "Chủ sử dụng", "Diện tích (m2)"]
TWO = (("T1", "Điểu Sơn", "120.5"), ("T2", "Lê Thị Hà", "80"))

HABITS = (
    Habit(
        "title rows, STT, a total and signatures",
        [*TITLE, ["STT", *PARCELS], [1, "T1", "Điểu Sơn", 120.5], [2, "T2", "Lê Thị Hà", 80], ["Tổng cộng", "", "", 200.5],
         ["", "", "", "Lộc Ninh, ngày 30 tháng 6 năm 2026"], ["Người lập biểu", "", "", "Trưởng phòng"], [], ["Ngô Văn A", "", "", "Trần B"]],
        _rows(PARCELS, *TWO), [7, 8],
    ),
    Habit(
        "headings over two rows with merged groups",
        [["Biểu 1"], [], ["STT", "Thửa đất", "", "Chủ"], ["", "Mã", "Diện tích (ha)", ""], [1, "T1", 0.5, "Điểu Sơn"], [2, "T2", 1, "Lê Thị Hà"]],
        _rows(["Thửa đất / Mã", "Thửa đất / Diện tích (ha)", "Chủ"], ("T1", "0.5", "Điểu Sơn"), ("T2", "1", "Lê Thị Hà")), [5, 6],
        merged=("A3:A4", "B3:C3", "D3:D4"),
    ),
    Habit(
        "a row that numbers the columns",
        [["STT", *PARCELS], ["A", "B", 1, 2], [1, "T1", "Điểu Sơn", 120.5], [2, "T2", "Lê Thị Hà", 80]],
        _rows(PARCELS, *TWO), [3, 4],
    ),
    Habit(
        "the headings again in the middle, as pages print them",
        [PARCELS, ["T1", "Điểu Sơn", 120.5], PARCELS, ["T2", "Lê Thị Hà", 80], ["Cộng trang:", "", 200.5]],
        _rows(PARCELS, *TWO), [2, 4],
    ),
    Habit(
        "sums of a page are left out, a commune called Cộng Hòa is not",
        [["Xã", "Số hộ"], ["Cộng Hòa", 12], ["Tổng Cọt", 5], ["Tổng số", 17]],
        _rows(["Xã", "Số hộ"], ("Cộng Hòa", "12"), ("Tổng Cọt", "5")), [2, 3],
    ),
    Habit(
        "units in headings become a column",
        [["Mã", "Diện tích (m2)", "Giá trị (triệu đồng)"], ["T1", 120.5, "8,5"]],
        _rows(["Mã", "Diện tích", "Giá trị", "Diện tích (đơn vị)", "Giá trị (đơn vị)"], ("T1", "120.5", "8,5", "m2", "triệu đồng")), [2],
        options={"units": "column"},
    ),
    Habit(
        "units in headings fall away",
        [["Mã", "Diện tích [ĐVT: ha]", "Ghi chú (nếu có)"], ["T1", 2, ""]],
        _rows(["Mã", "Diện tích", "Ghi chú (nếu có)"], ("T1", "2", None)), [2],
        options={"units": "drop"},
    ),
    Habit(
        "merged cells going down, filled for each row",
        [["Xã", "Ấp", "Số hộ"], ["Lộc An", "Ấp 1", 10], ["", "Ấp 2", 12], ["Lộc Hòa", "Ấp 1", 7]],
        _rows(["Xã", "Ấp", "Số hộ"], ("Lộc An", "Ấp 1", "10"), ("Lộc An", "Ấp 2", "12"), ("Lộc Hòa", "Ấp 1", "7")), [2, 3, 4],
        merged=("A2:A3",), options={"fill_down": ["Xã"]},
    ),
    Habit(
        "rows that head a section become a column",
        [["STT", "Họ tên", "Năm sinh", "Ghi chú"], ["I", "Ấp 1", "", ""], [1, "Điểu Sơn", 1980, "x"], ["II", "Ấp 2", "", ""], [1, "Lê Hà", 1990, "y"]],
        _rows(["Họ tên", "Năm sinh", "Ghi chú", "Ấp"], ("Điểu Sơn", "1980", "x", "Ấp 1"), ("Lê Hà", "1990", "y", "Ấp 2")), [3, 5],
        options={"header_rows": "found", "section_column": "Ấp"},
    ),
    Habit(
        "several tables on a sheet, chosen by what stands above",
        [["Biểu 1. Trường học"], ["Tên", "Số lớp"], ["TH A", 12], [], ["Biểu 2. Trạm y tế"], ["Tên trạm", "Số giường"], ["Trạm X", 5], ["Trạm Y", 8], [], ["Biểu 3"], ["z", "y"], [1, 2]],
        _rows(["Tên trạm", "Số giường"], ("Trạm X", "5"), ("Trạm Y", "8")), [7, 8],
        options={"table_after": r"Biểu 2\b"},
    ),
    Habit(
        "a cross table of indicators and places over years",
        [["Chỉ tiêu", "Lộc Ninh", "", "Bù Đốp", ""], ["", 2023, 2024, 2023, 2024], ["Dân số", 100, 110, 50, 55], ["Số hộ", 30, 31, 12, 13]],
        _rows(["Chỉ tiêu", "huyện", "năm", "giá trị"],
              ("Dân số", "Lộc Ninh", "2023", "100"), ("Dân số", "Lộc Ninh", "2024", "110"), ("Dân số", "Bù Đốp", "2023", "50"), ("Dân số", "Bù Đốp", "2024", "55"),
              ("Số hộ", "Lộc Ninh", "2023", "30"), ("Số hộ", "Lộc Ninh", "2024", "31"), ("Số hộ", "Bù Đốp", "2023", "12"), ("Số hộ", "Bù Đốp", "2024", "13")),
        [3, 3, 3, 3, 4, 4, 4, 4], merged=("A1:A2", "B1:C1", "D1:E1"),
        options={"header_rows": "found", "unpivot": {"keep": ["Chỉ tiêu"], "value_to": "giá trị", "name_pattern": r"(?P<huyện>.+) / (?P<năm>\d{4})"}},
    ),
    Habit(
        "numbers as text, dates as dates, times and truths",
        [["Mã", "Số", "Ngày", "Đúng"], ["0012", "1.234,5", dt.date(2026, 1, 31), True], ["007", "x", dt.date(1945, 9, 2), False]],
        _rows(["Mã", "Số", "Ngày", "Đúng"], ("0012", "1.234,5", "2026-01-31", "true"), ("007", "x", "1945-09-02", "false")), [2, 3],
    ),
    Habit(
        "words only, no number to tell data by",
        [["Danh sách"], [], ["Họ tên", "Dân tộc"], ["Điểu Sơn", "Xtiêng"], ["Lê Hà", "Kinh"]],
        _rows(["Họ tên", "Dân tộc"], ("Điểu Sơn", "Xtiêng"), ("Lê Hà", "Kinh")), [4, 5],
    ),
    Habit(
        "a table that begins in the middle of the sheet",
        [[], [], ["", "", "Mã", "Số"], ["", "", "A1", 3]],
        _rows(["Mã", "Số"], ("A1", "3")), [4],
    ),
)  # fmt: skip


def write_xlsx(habit: Habit, path: Path) -> Path:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for number, row in enumerate(habit.rows, 1):
        for place, value in enumerate(row, 1):
            if value != "":
                sheet.cell(number, place, value)
    for merged in habit.merged:
        sheet.merge_cells(merged)
    book.save(path)
    return path


def write_xls(habit: Habit, path: Path) -> Path:
    book = xlwt.Workbook()
    sheet = book.add_sheet("a")
    day = xlwt.easyxf(num_format_str="dd/mm/yyyy")
    for number, row in enumerate(habit.rows):
        for place, value in enumerate(row):
            if isinstance(value, dt.date):
                sheet.write(number, place, value, day)
            elif value != "":
                sheet.write(number, place, value)
    book.save(str(path))
    return path


def write_ods(habit: Habit, path: Path) -> Path:
    document = OpenDocumentSpreadsheet()
    table = Table(name="a")
    for row in habit.rows:
        line = TableRow()
        for value in row:
            line.addElement(_ods_cell(value))
        table.addElement(line)
    document.spreadsheet.addElement(table)
    document.save(str(path))
    return path


def _ods_cell(value: Any) -> Any:
    if value == "":
        return CoveredTableCell()
    if isinstance(value, bool):
        return TableCell(valuetype="boolean", booleanvalue=str(value).lower())
    if isinstance(value, int | float):
        return TableCell(valuetype="float", value=str(value))
    if isinstance(value, dt.date):
        return TableCell(valuetype="date", datevalue=value.isoformat())
    cell = TableCell(valuetype="string")
    cell.addElement(P(text=value))
    return cell
