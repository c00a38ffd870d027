"""R2, social insurance: one CSV a month, semicolons, Windows line ends, dates in several forms."""

from __future__ import annotations

import csv
from pathlib import Path

import polars as pl

from demo.province.base import stream
from demo.province.headers import SOCIAL_INSURANCE
from demo.province.observed import Observed, observe
from demo.province.world import World

FILE = "bao-hiem-xa-hoi/tham-gia-2026-06.csv"
CLINICS = ("70001 BVĐK tỉnh", "70012 TTYT Đồng Xoài", "70020 TTYT Lộc Ninh", "70033 TTYT Bù Đăng", "70041 Trạm y tế xã")


def write_insurance(world: World, out: Path) -> Observed:
    draw = stream(world.seed, "R2", "rows")
    insured = world.persons.filter("in_r2")
    seen = observe(world, "R2", pl.concat([insured.select(world.insured_outsiders.columns), world.insured_outsiders]))
    path = out / FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    forms, clinics, wages = draw.integers(0, 5, seen.count), draw.integers(0, len(CLINICS), seen.count), draw.integers(40, 400, seen.count)
    numbers, men, ranks = (seen.truth[name].to_list() for name in ("insurance_no", "is_male", "rank"))
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file, delimiter=";", lineterminator="\r\n")
        writer.writerow(SOCIAL_INSURANCE)
        for row in range(seen.count):
            of = row - ranks[row]  # a row typed twice keeps what no one mistyped
            writer.writerow(
                (
                    numbers[row],
                    seen.names[row],
                    _date(seen.born[row], int(forms[of])),
                    "Nam" if men[row] else "Nữ",
                    seen.ids[row],
                    seen.codes[row],
                    seen.addresses[row],
                    seen.phones[row],
                    CLINICS[clinics[of]],
                    f"{1 + of % 28:02}/0{1 + of % 6}/2026",
                    f"{wages[of] * 50_000:,}".replace(",", "."),
                )
            )
    return seen


def _date(text: str, form: int) -> str:
    """dd/mm/yyyy, and one row in five each as d-m-yyyy or ISO."""
    if text.count("/") != 2 or form > 1:  # no full date, or written in full
        return text
    day, month, year = text.split("/")
    return f"{int(day)}-{int(month)}-{year}" if form == 0 else f"{year}-{month}-{day}"
