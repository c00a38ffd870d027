"""R13, socio-economic indicators by district and year, printed as the statistics office prints them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import xlsxwriter

from demo.province.base import stream, table
from demo.province.rates import INDICATOR_TOTAL_DIFFERS

FILE = "thong-ke/nien-giam-2025.xlsx"
YEARS = range(2019, 2026)
PRINTED = datetime(2026, 5, 15, tzinfo=UTC).replace(tzinfo=None)  # workbooks carry the time they were made
# code: title, unit, level of a mean district, growth a year, decimals
INDICATORS = {
    "DS01": ("Dân số trung bình", "người", 92_000, 0.012, 0), "DS02": ("Tỷ suất sinh thô", "‰", 15.2, -0.02, 1), "DT01": ("Diện tích tự nhiên", "km²", 624, 0.0, 1),
    "LD01": ("Lực lượng lao động từ 15 tuổi", "người", 53_000, 0.013, 0), "NN01": ("Sản lượng hạt điều", "tấn", 17_400, 0.02, 0), "NN02": ("Diện tích cao su", "ha", 21_800, 0.004, 0),
    "CN01": ("Chỉ số sản xuất công nghiệp", "%", 108.4, 0.005, 1), "XH01": ("Tỷ lệ hộ nghèo", "%", 4.1, -0.12, 2), "YT01": ("Số bác sĩ trên vạn dân", "bác sĩ", 7.6, 0.03, 1),
    "GD01": ("Số học sinh phổ thông", "học sinh", 17_900, 0.01, 0),
}  # fmt: skip


def districts() -> list[tuple[str, str]]:
    """(code, name) in order of code."""
    return sorted({(c["district_code"], c["district_name"]) for c in table("communes")})


def write_indicators(out: Path, seed: int) -> int:
    """The workbook, a sheet an indicator; gives the number of cells of data."""
    path = out / FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    cells = 0
    with xlsxwriter.Workbook(str(path)) as book:
        book.set_properties({"created": PRINTED})
        bold, centred = book.add_format({"bold": True}), book.add_format({"bold": True, "align": "center", "border": 1})
        for number, (code, (title, unit, level, growth, decimals)) in enumerate(INDICATORS.items()):
            draw = stream(seed, "R13", code)
            sheet = book.add_worksheet(code)
            sheet.merge_range(0, 0, 0, 8, f"Bảng {number + 1}. {title} phân theo huyện, thị xã, thành phố", bold)
            sheet.write(1, 0, f"Đơn vị tính: {unit}")
            sheet.merge_range(2, 2, 2, 8, "Năm", centred)
            sheet.write_row(3, 0, ["Mã", "Huyện, thị xã, thành phố", *(f"{y}{' (*)' if y == YEARS[-1] else ''}" for y in YEARS)], centred)
            totals = [0.0] * len(YEARS)
            for row, (district, name) in enumerate(districts()):
                sheet.write_string(4 + row, 0, district)
                sheet.write_string(4 + row, 1, name)
                local = level * (0.5 + draw.random())
                for n in range(len(YEARS)):
                    value = round(local * (1 + growth) ** n * (1 + draw.normal(0, 0.01)), decimals)
                    totals[n] += value
                    cells += 1
                    if (row * 7 + n) % 11 == 3:  # some cells were typed as text, with a comma
                        sheet.write_string(4 + row, 2 + n, f"{value:.{decimals}f}".replace(".", ","))
                    else:
                        sheet.write_number(4 + row, 2 + n, value)
            last = 4 + len(districts())
            sheet.write_string(last, 0, "Tổng số", bold)
            for n, total in enumerate(totals):
                off = 1.01 if draw.random() < INDICATOR_TOTAL_DIFFERS / 100 else 1.0
                sheet.write_number(last, 2 + n, round(total * off, decimals), bold)
            sheet.write(last + 2, 0, "(*) Ước tính. Nguồn: số liệu minh họa, không phải số liệu thật.")
    return cells
