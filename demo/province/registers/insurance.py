"""R2, social insurance: one CSV a month, semicolons, Windows line ends, dates in several forms."""

from __future__ import annotations

import csv
from pathlib import Path

import polars as pl

from demo.province.base import stream
from demo.province.observed import Observed, observe
from demo.province.rates import COVER
from demo.province.world import World

FILE = "bao-hiem-xa-hoi/tham-gia-2026-06.csv"
HEADINGS = (
    "Mã số BHXH", "Họ và tên", "Ngày sinh", "Giới tính", "Số CCCD/CMND", "Mã xã", "Địa chỉ", "Điện thoại", "Nơi khám chữa bệnh", "Hiệu lực từ", "Mức lương đóng",
)  # fmt: skip
CLINICS = ("70001 BVĐK tỉnh", "70012 TTYT Đồng Xoài", "70020 TTYT Lộc Ninh", "70033 TTYT Bù Đăng", "70041 Trạm y tế xã")


def write_insurance(world: World, out: Path) -> Observed:
    draw = stream(world.seed, "R2", "cover")
    persons = world.persons.filter(pl.Series(draw.random(world.persons.height) < COVER["R2"]))
    seen = observe(world, "R2", persons)
    wrong_unit = set(seen.observer.rows("A4"))
    path = out / FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    forms, clinics, wages = draw.integers(0, 5, seen.count), draw.integers(0, len(CLINICS), seen.count), draw.integers(40, 400, seen.count)
    columns = seen.truth.select("insurance_no", "is_male", "commune", "rank").to_dict(as_series=False)
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file, delimiter=";", lineterminator="\r\n")
        writer.writerow(HEADINGS)
        for row in range(seen.count):
            commune = world.communes[columns["commune"][row]]
            exact = columns["rank"][row] == 1 and seen.names[row] == seen.names[row - 1] and seen.ids[row] == seen.ids[row - 1]
            of = row - 1 if exact else row
            writer.writerow(
                (
                    columns["insurance_no"][of],
                    seen.names[of],
                    _date(seen.born[of], int(forms[of])),
                    "Nam" if columns["is_male"][of] else "Nữ",
                    seen.ids[of],
                    commune["old_code" if of in wrong_unit else "new_code"],
                    seen.addresses[of],
                    seen.phones[of],
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
