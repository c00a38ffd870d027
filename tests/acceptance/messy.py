"""A workbook as a district keeps it: two title blocks, merged headings over two rows, numbers under them, groups, totals, units, every kind of date."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import xlsxwriter

HEADS: tuple[tuple[Any, ...], ...] = (
    ("STT", "Mã hộ", "Họ và tên chủ hộ", "Số CCCD", "Ngày sinh", "Diện tích đất", None, "Kinh phí hỗ trợ (triệu đồng)", "Loại hộ", "Địa chỉ", None, "Ghi chú"),
    (None, None, None, None, None, "Đất ở (m²)", "Đất nông nghiệp (ha)", None, None, "Ấp", "Xã", None),
)  # fmt: skip
NAMES = ("Điểu K'Rang", "NGUYỄN  VĂN AN", "Trần Thị Bình", "Lê Hoàng Châu", "Thị Hoa")
DATES = ("07/03/1980", "1975-11-12", 29281, "Ngày 5 tháng 6 năm 1969", "1-2-1990")


def person_id(n: int) -> str:
    """A number that no register can know (place 097)."""
    return f"097{n % 2}{60 + n % 30:02}{n:06}"


def rows_of(communes: tuple[str, ...] = ("Lộc Hưng", "Lộc Thái"), each: int = 15) -> list[list[Any]]:
    found: list[list[Any]] = []
    number = 0
    for place, commune in enumerate(communes):
        found.append([("I", "II", "III")[place], f"Xã {commune}"])
        for _ in range(each):
            number += 1
            identity: Any = int(person_id(number)) if number % 5 == 0 else person_id(number)  # a spreadsheet lost the zero
            found.append(
                [number, f"LN{number:04}", NAMES[number % 5], identity, DATES[number % 5], f"{80 + number}", f"{number % 7},25", number % 3 + 0.5,
                 ("nghèo", "cận nghèo", "NGHÈO", "nghèo")[number % 4], f"Ấp {number % 4 + 1}", f"Xã {commune}", "xem lại" if number % 9 == 0 else None]
            )  # fmt: skip
        found.append([f"Cộng xã {commune}", None, None, None, None, 999, 99])
    found.append(["Tổng cộng", None, None, None, None, 1999, 199])
    return found


def write_messy(path: Path, rows: list[list[Any]] | None = None) -> Path:
    """The data is on the second sheet; the first is a letter."""
    book = xlsxwriter.Workbook(path)
    letter, sheet = book.add_worksheet("Công văn"), book.add_worksheet("Biểu 01")
    letter.write_string(0, 0, "Kính gửi: Sở Nông nghiệp và Môi trường")
    sheet.write_string(0, 0, "UBND HUYỆN LỘC NINH")
    sheet.write_string(0, 6, "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM")
    sheet.merge_range(2, 0, 2, 11, "DANH SÁCH HỘ ĐƯỢC HỖ TRỢ NĂM 2026")
    for place, name in enumerate(HEADS[0]):
        if name and not HEADS[1][place] and place not in (5, 9):
            sheet.merge_range(4, place, 5, place, name)
    sheet.merge_range(4, 5, 4, 6, HEADS[0][5])
    sheet.merge_range(4, 9, 4, 10, HEADS[0][9])
    for place, name in enumerate(HEADS[1]):
        if name:
            sheet.write_string(5, place, name)
        sheet.write_string(6, place, f"({place + 1})")
    at = 7
    for row in rows if rows is not None else rows_of():
        for place, value in enumerate(row):
            if value is not None:
                sheet.write(at, place, value)
        at += 1
    sheet.write_string(at + 1, 8, "Lộc Ninh, ngày 5 tháng 7 năm 2026")
    sheet.write_string(at + 2, 0, "Người lập biểu")
    sheet.write_string(at + 2, 8, "TM. ỦY BAN NHÂN DÂN")
    book.close()
    return path
