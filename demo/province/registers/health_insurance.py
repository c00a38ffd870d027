"""R2, health insurance: one CSV a month, semicolons, Windows line ends, dates in several forms."""

from __future__ import annotations

import csv
from pathlib import Path

import polars as pl

from demo.province.base import stream
from demo.province.headers import HEALTH_INSURANCE
from demo.province.observed import Observed, observe
from demo.province.world import World

FILE = "bao-hiem-y-te/the-2026-06.csv"
GROUPS = (
    ("DN", "Người lao động"),
    ("HS", "Học sinh, sinh viên"),
    ("TE", "Trẻ em dưới 6 tuổi"),
    ("HN", "Hộ nghèo"),
    ("GD", "Hộ gia đình"),
    ("BT", "Bảo trợ xã hội"),
)
CLINICS = ("70001 BVĐK tỉnh", "70012 TTYT Đồng Xoài", "70020 TTYT Lộc Ninh", "70033 TTYT Bù Đăng", "70041 Trạm y tế xã")


def write_health_insurance(world: World, out: Path) -> Observed:
    draw = stream(world.seed, "R2", "rows")
    insured = world.persons.filter("in_r2")
    seen = observe(world, "R2", pl.concat([insured, world.insured_outsiders], how="diagonal"))
    path = out / FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    forms, clinics = draw.integers(0, 5, seen.count), draw.integers(0, len(CLINICS), seen.count)
    numbers, men, ranks = (seen.truth[name].to_list() for name in ("insurance_no", "is_male", "rank"))
    groups = _groups(seen.truth)
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file, delimiter=";", lineterminator="\r\n")
        writer.writerow(HEALTH_INSURANCE)
        for row in range(seen.count):
            of = row - ranks[row]  # a row typed twice keeps what no one mistyped
            writer.writerow(
                (
                    numbers[row],
                    f"{GROUPS[groups[row]][0]}470{numbers[row]}",
                    seen.names[row],
                    _date(seen.born[row], int(forms[of])),
                    "Nam" if men[row] else "Nữ",
                    seen.ids[row],
                    seen.codes[row],
                    seen.addresses[row],
                    seen.phones[row],
                    CLINICS[clinics[of]],
                    GROUPS[groups[row]][1],
                    f"{1 + of % 28:02}/0{1 + of % 6}/2026",
                    "31/12/2026",
                )
            )
    return seen


def _groups(persons: pl.DataFrame) -> list[int]:
    """Which of the groups pays for each: by work, age and poverty."""
    year = pl.col("born_on").dt.year()
    found = persons.select(
        pl.when(pl.col("in_r4").fill_null(value=False)).then(3)
        .when(pl.col("in_r5").fill_null(value=False)).then(5)
        .when(year > 2019).then(2)
        .when(year > 2003).then(1)
        .when(pl.col("in_r3").fill_null(value=False)).then(0)
        .otherwise(4).alias("group")
    )  # fmt: skip
    numbers: list[int] = found["group"].to_list()
    return numbers


def _date(text: str, form: int) -> str:
    """dd/mm/yyyy, and one row in five each as d-m-yyyy or ISO."""
    if text.count("/") != 2 or form > 1:  # no full date, or written in full
        return text
    day, month, year = text.split("/")
    return f"{int(day)}-{int(month)}-{year}" if form == 0 else f"{year}-{month}-{day}"
