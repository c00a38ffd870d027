"""R5, social protection: a workbook a district and quarter, as offices keep it: titles, STT, a total, some typed in old fonts."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import polars as pl

from demo.province.base import stream
from demo.province.headers import SOCIAL_PROTECTION
from demo.province.observed import Observed, observe
from demo.province.workbooks import Cell, Sheet, write_workbook
from demo.province.world import World
from lienthong.standards import encode_legacy

FOLDER = "bao-tro-xa-hoi"
FIRST_ROW = 6  # of Excel
OLD_FONTS = {"690": ("tcvn3", "B1"), "692": ("vni", "B2")}  # districts whose offices still type in the fonts of before Unicode
DISORDERED = "694"  # the district whose workbook has a total among the data (X2)
BENEFITS = (
    ("Người cao tuổi", 1.0),
    ("Người khuyết tật", 2.0),
    ("Chăm sóc người khuyết tật", 1.0),
    ("Người đơn thân nuôi con", 1.0),
    ("Trẻ em mất nguồn nuôi dưỡng", 1.5),
)
STANDARD = 500_000  # đồng a month: the standard level of Decree 76/2024/NĐ-CP


def write_protection(world: World, out: Path) -> tuple[Observed, tuple[pl.Series, pl.Series]]:
    """Write a workbook a district; gives the persons as typed, and the workbook and Excel row of each."""
    seen = observe(world, "R5", world.persons.filter("in_r5"))
    rows = seen.truth.select("person", "commune", "is_male", "rank", pl.col("born_on").dt.year().alias("year")).to_dict(as_series=False)
    kinds = stream(world.seed, "R5", "kind").choice(len(BENEFITS), seen.count, p=[0.1, 0.5, 0.2, 0.12, 0.08])
    districts: dict[str, list[int]] = {}
    for row, commune in enumerate(rows["commune"]):
        districts.setdefault(world.communes[commune]["district_code"], []).append(row)
    files, numbers = [""] * seen.count, [0] * seen.count
    typed: list[tuple[int, str, str, str]] = []
    for district, members in sorted(districts.items()):
        name = f"{FOLDER}/bao-tro-{district}-2026-q2.xlsx"
        lines: list[list[Cell]] = []
        for number, row in enumerate(members, 1):
            of = row - rows["rank"][row]
            kind, level = BENEFITS[0] if rows["year"][row] <= 1945 else BENEFITS[int(kinds[of])]  # who is 80 is paid for that
            unit = seen.addresses[row].split(", ", 2)[2]
            who = seen.names[row]
            if district in OLD_FONTS:
                font, code = OLD_FONTS[district]
                who = _in_old_font(who, font)
                if who != seen.names[row]:  # a name without marks is the same in any font
                    typed.append((row + 1, code, seen.names[row], who))
            files[row], numbers[row] = name, FIRST_ROW + len(lines)
            month = f"{1 + of % 12:02}/{2015 + of % 11}"
            lines.append(
                [number, f"BT{rows['person'][row]:08}", who, seen.born[row], "Nam" if rows["is_male"][row] else "Nữ", seen.ids[row], unit, seen.phones[row], kind, round(STANDARD * level), f"01/{month}"]
            )  # fmt: skip
            if district == DISORDERED and number == len(members) // 2:
                lines.append([None, None, "Cộng trang", None, None, None, None, None, None, len(lines)])
        _write(out / name, district, lines)
    notes = pl.DataFrame(typed, schema=["row", "code", "true", "written"], orient="row").select(
        pl.lit("R5").alias("register"), "row", pl.lit("name").alias("field"), "code", "true", "written"
    )
    errors = pl.concat([seen.errors, notes.cast(seen.errors.schema)])
    return replace(seen, errors=errors), (pl.Series(files), pl.Series(numbers))


def _in_old_font(text: str, font: str) -> str:
    """TCVN3 or VNI bytes as a program of today shows them; letters the font has not stay as they are."""
    shown = ""
    for letter in text:
        try:
            shown += encode_legacy(letter, font).decode("latin-1")
        except UnicodeEncodeError:
            shown += letter
    return shown


def _write(path: Path, district: str, lines: list[list[Cell]]) -> None:
    paid = sum(line[9] for line in lines if line[0] is not None and isinstance(line[9], int))
    rows: list[list[Cell]] = [
        ["PHÒNG LAO ĐỘNG - THƯƠNG BINH VÀ XÃ HỘI"], [f"DANH SÁCH ĐỐI TƯỢNG BẢO TRỢ XÃ HỘI – mã huyện {district}"], ["Quý II năm 2026"], [],
        ["STT", *SOCIAL_PROTECTION], *lines, ["Tổng cộng", None, None, None, None, None, None, None, None, paid],
    ]  # fmt: skip
    write_workbook(path, [Sheet("Bảo trợ xã hội", rows, frozenset({2, 5, len(rows)}), ("A1:D1", "A2:H2"))])


__all__ = ["write_protection"]
