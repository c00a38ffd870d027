"""R10, schools, pupils and teachers: two vendors' exports, with headings, separators and codes of schools of their own."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from demo.province.base import stream, table
from demo.province.headers import PUPILS_ONE, PUPILS_TWO, SCHOOLS, TEACHERS
from demo.province.observed import Observed, observe
from demo.province.world import World, commune_text

FOLDER = "giao-duc"
LEVELS = (("primary", "Tiểu học", 1, 5), ("secondary", "Trung học cơ sở", 6, 9), ("high", "Trung học phổ thông", 10, 12))
YEAR = 2025  # the school year's first
SECOND_VENDOR = ("688", "691", "693", "696")  # districts whose schools bought the other vendor's system
HONOURED = (
    "Nguyễn Huệ",
    "Lê Quý Đôn",
    "Trần Phú",
    "Võ Thị Sáu",
    "Kim Đồng",
    "Chu Văn An",
    "Lý Thường Kiệt",
    "Nguyễn Trãi",
    "Hùng Vương",
    "Phan Bội Châu",
)
SUBJECTS = ("Toán", "Ngữ văn", "Tiếng Anh", "Khoa học tự nhiên", "Lịch sử và Địa lí", "Tin học", "Giáo dục thể chất", "Tiểu học")


@dataclass(frozen=True)
class School:
    """`number`: the second vendor's code."""

    code: str
    number: str
    name: str
    level: int
    commune: int


def schools() -> list[School]:
    """A primary and a secondary school a commune, a high school for every third."""
    found: list[School] = []
    for commune, unit in enumerate(table("communes")):
        for level, (_, title, _, _) in enumerate(LEVELS):
            if level == 2 and commune % 3:  # high schools serve several communes
                continue
            code = f"70{unit['district_code']}{len(found) % 1000:03}"
            name = f"Trường {title} {HONOURED[(commune * 7 + level * 3) % len(HONOURED)]} - {unit['old_name'].split(' ', 1)[1]}"
            found.append(School(code, f"BPH.{900_000 + len(found)}", name, level, commune))
    return found


def write_schools(world: World, out: Path) -> int:
    """The department's own list; gives the number of schools."""
    rows = []
    for school in schools():
        unit = world.communes[school.commune]
        rows.append(
            (
                school.code,
                school.number,
                school.name,
                LEVELS[school.level][1],
                commune_text(unit, is_new=True),
                unit["new_code"],
                "2025-07-01",
                "Công lập",
            )
        )
    _write(out / FOLDER / "truong-hoc.csv", ",", SCHOOLS, rows)
    return len(rows)


def write_pupils(world: World, out: Path) -> tuple[Observed, tuple[pl.Series, pl.Series]]:
    """A file a vendor; gives the pupils as typed, and the file and line of each."""
    seen = observe(world, "R10", world.persons.filter("in_r10"))
    at = {(school.commune, school.level): school for school in schools()}
    lines: dict[str, list[Sequence[str]]] = {"one": [], "two": []}
    files, numbers = [], []
    names = {"one": f"{FOLDER}/hoc-sinh-he-thong-1-2026-06.csv", "two": f"{FOLDER}/hoc-sinh-he-thong-2-2026-06.csv"}
    truth = seen.truth.select("person", "commune", "is_male", "ethnic", "rank", pl.col("born_on").dt.year().alias("year"))
    for row, true in enumerate(truth.iter_rows(named=True)):
        grade = min(max(YEAR - true["year"] - 5, 1), 12)
        level = next(n for n, (_, _, first, last) in enumerate(LEVELS) if first <= grade <= last)
        school = at.get((true["commune"], level)) or at[true["commune"] - true["commune"] % 3, level]
        vendor = "two" if world.communes[true["commune"]]["district_code"] in SECOND_VENDOR else "one"
        code, of_class = f"99{true['person']:08}", f"{grade}{'ABCD'[true['person'] % 4]}"
        sex = "Nam" if true["is_male"] else "Nữ"
        if vendor == "one":
            lines[vendor].append((code, school.code, seen.names[row], seen.born[row], sex, true["ethnic"], seen.ids[row], str(grade), of_class, seen.codes[row], seen.addresses[row], seen.phones[row], "2025-2026"))  # fmt: skip
        else:
            lines[vendor].append((school.number, code, seen.names[row], sex, seen.born[row], seen.ids[row], of_class, str(grade), seen.addresses[row], seen.codes[row], seen.phones[row], true["ethnic"], "2025-2026"))  # fmt: skip
        files.append(names[vendor])
        numbers.append(len(lines[vendor]) + 1)
    _write(out / names["one"], ",", PUPILS_ONE, lines["one"])
    _write(out / names["two"], "\t", PUPILS_TWO, lines["two"])
    return seen, (pl.Series(files), pl.Series(numbers))


def write_teachers(world: World, out: Path) -> tuple[Observed, tuple[pl.Series, pl.Series]]:
    """One file; gives the teachers as typed, and the line of each."""
    seen = observe(world, "R10.teachers", world.persons.filter("is_teacher"))
    all_schools = schools()
    draw = stream(world.seed, "R10.teachers", "rows")
    place, since = draw.integers(0, len(all_schools), seen.count), draw.integers(1995, 2026, seen.count)
    name = f"{FOLDER}/giao-vien-2026-06.csv"
    rows = []
    for row, true in enumerate(seen.truth.select("person", "is_male", "rank").iter_rows(named=True)):
        of = row - true["rank"]
        rows.append((f"98{true['person']:08}", all_schools[int(place[of])].code, seen.names[row], seen.born[row], "Nam" if true["is_male"] else "Nữ", seen.ids[row], SUBJECTS[of % len(SUBJECTS)], f"01/09/{since[of]}", seen.codes[row], seen.addresses[row], seen.phones[row]))  # fmt: skip
    _write(out / name, ",", TEACHERS, rows)
    return seen, (pl.repeat(name, seen.count, eager=True), pl.Series(np.arange(2, seen.count + 2)))


def _write(path: Path, delimiter: str, heading: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter=delimiter, lineterminator="\r\n")
        writer.writerow(heading)
        writer.writerows(rows)
