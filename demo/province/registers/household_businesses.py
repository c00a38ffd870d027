"""R7, household businesses: a workbook a district, by those who register them there."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl

from demo.province.base import stream
from demo.province.headers import HOUSEHOLD_BUSINESSES
from demo.province.observed import Observed, observe
from demo.province.registers.enterprises import TRADES, tax_code
from demo.province.workbooks import Cell, Sheet, write_workbook
from demo.province.world import World

FOLDER = "ho-kinh-doanh"
FIRST_ROW = 5  # of Excel
WITH_TAX_CODE = 0.74
SIGNS = ("Tạp hóa", "Quán ăn", "Vật tư nông nghiệp", "Sửa xe", "Cà phê", "Điện máy", "Thu mua nông sản", "May mặc")


def write_household_businesses(world: World, out: Path) -> tuple[Observed, tuple[pl.Series, pl.Series]]:
    """Write a workbook a district; gives the owners as typed, and the workbook and Excel row of each."""
    seen = observe(world, "R7.households", world.persons.filter("has_business"))
    draw = stream(world.seed, "R7.households", "rows")
    taxed, capital, since = draw.random(seen.count) < WITH_TAX_CODE, draw.integers(2, 80, seen.count), draw.integers(2008, 2026, seen.count)
    districts: dict[str, list[int]] = {}
    truth = seen.truth.select("person", "commune", "rank", "given").to_dict(as_series=False)
    for row, commune in enumerate(truth["commune"]):
        districts.setdefault(world.communes[commune]["district_code"], []).append(row)
    files, numbers = [""] * seen.count, np.zeros(seen.count, np.int64)
    for district, members in sorted(districts.items()):
        name = f"{FOLDER}/ho-kinh-doanh-{district}.xlsx"
        lines: list[list[Cell]] = []
        for number, row in enumerate(members):
            of, person = row - truth["rank"][row], truth["person"][row]
            code = tax_code(5_000_000 + person * 3) or tax_code(5_000_001 + person * 3) or ""
            files[row], numbers[row] = name, FIRST_ROW + number
            amount: Cell = int(capital[of]) * 5_000_000
            lines.append(
                [number + 1, f"HKD-{900_000 + person}", code if taxed[of] else "", f"Hộ kinh doanh {SIGNS[of % len(SIGNS)]} {truth['given'][row]}", seen.names[row], seen.ids[row], seen.born[row], seen.addresses[row], seen.codes[row], TRADES[of % len(TRADES)][0], f"{amount:,} đồng".replace(",", ".") if of % 5 == 0 else amount, f"{1 + of % 28:02}/{1 + of % 12:02}/{since[of]}", seen.phones[row]]
            )  # fmt: skip
        rows: list[list[Cell]] = [
            ["DANH SÁCH HỘ KINH DOANH"],
            [f"Mã huyện {district}, theo địa giới từ 01/07/2025"],
            [],
            ["STT", *HOUSEHOLD_BUSINESSES],
            *lines,
            ["Cộng", len(lines)],
        ]
        write_workbook(out / name, [Sheet("Hộ kinh doanh", rows, frozenset({1, 4}))])
    return seen, (pl.Series(files), pl.Series(numbers))
