"""R7, enterprises: what their service answers (`agency_server` serves the file)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from demo.province.base import stream
from demo.province.damage import Observer, damage_ids, damage_names, phone_respelled, unit_respelled, write_other_names, zeros_lost
from demo.province.observed import HILL_PEOPLES
from demo.province.rates import PERSONS_AT_FULL_SIZE, REPRESENTATIVE_HOLDS_LAND, REPRESENTATIVE_IS_INSURED
from demo.province.world import World, commune_text

FILE = "doanh-nghiep/doanh-nghiep.json"
AT_FULL_SIZE = 19_500
LEAST = 220
SAME_NAME = 0.02  # share a name with another, apart from the form
WEIGHTS = (31, 29, 23, 19, 17, 13, 7, 5, 3)  # the tax code's check digit
KINDS = ("Công ty TNHH một thành viên", "Công ty TNHH", "Công ty cổ phần", "Doanh nghiệp tư nhân", "Công ty TNHH MTV")
TRADES = (("0125", "Trồng cây cao su"), ("1077", "Sản xuất hạt điều"), ("4100", "Xây dựng nhà"), ("4620", "Bán buôn nông sản"), ("4933", "Vận tải hàng hóa"), ("0810", "Khai thác đá, cát"))  # fmt: skip
WORDS = (
    "Bình Phước",
    "Đồng Xoài",
    "Phú Riềng",
    "Minh Hưng",
    "An Phát",
    "Thành Công",
    "Hoàng Gia",
    "Đại Lộc",
    "Tân Tiến",
    "Bù Đăng",
    "Việt Mỹ",
)


def tax_code(number: int) -> str | None:
    """The code of a number, 00…, or None where the check digit would be 10 (such codes are not issued)."""
    nine = f"00{number:07}"
    digit = 10 - sum(weight * int(d) for weight, d in zip(WEIGHTS, nine, strict=True)) % 11
    return f"{nine}{digit}" if digit < 10 else None  # one digit


def write_enterprises(world: World, out: Path) -> tuple[pl.DataFrame, Observer]:
    """Write the register; gives (the true enterprises, what was damaged)."""
    draw = stream(world.seed, "R7", "enterprises")
    count = max(LEAST, round(AT_FULL_SIZE * world.persons.height / PERSONS_AT_FULL_SIZE))
    codes = [code for n in range(1, 2 * count) if (code := tax_code(n * 13 + 7)) is not None][:count]
    adults = world.persons.filter((pl.col("born_on").dt.year() < 2000) & ~pl.col("dead_before"))  # old enough to run one
    owners = _representatives(adults, count, draw)
    communes = draw.integers(0, len(world.communes), count)
    observer = Observer(world.seed, "R7", communes, len(world.communes))
    old_units = set(observer.rows("A2"))
    written = list(codes)
    phones = [f"06{n}" for n in draw.integers(10_000_000, 100_000_000, count)]
    seats = [commune_text(world.communes[c], is_new=row not in old_units) for row, c in enumerate(communes.tolist())]
    observer.damage(written, "tax_code", "I3", zeros_lost)
    observer.damage(phones, "phone", "T1", phone_respelled)
    observer.damage(seats, "seat", "A5", unit_respelled)
    words = draw.integers(0, len(WORDS), (2, count)).tolist()
    names = [f"{WORDS[a]} {WORDS[b]} {row}" for row, (a, b) in enumerate(zip(*words, strict=True))]
    for row in (np.flatnonzero(draw.random(count - 1) < SAME_NAME) + 1).tolist():
        names[row] = names[row - 1]
    typed, ids = owners["name"].to_list(), owners["citizen_id"].to_list()
    damage_names(observer, typed, "representative", owners["ethnic"].is_in(HILL_PEOPLES).to_numpy())
    write_other_names(observer, typed, "representative", owners["name"].to_list(), owners["other_name"].to_list())
    damage_ids(observer, ids, "representative_id", [])
    items = [
        _item(
            row,
            written[row],
            names[row],
            (typed[row], ids[row]),
            world.communes[communes[row]],
            seats[row],
            phones[row],
            draw,
            is_old=row in old_units,
        )
        for row in range(count)
    ]
    path = out / FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(items, ensure_ascii=False, indent=0), encoding="utf-8")
    truth = pl.DataFrame({"enterprise": np.arange(count), "tax_code": codes, "name": names, "owner": owners["person"], "commune": communes})
    return truth, observer


def _representatives(adults: pl.DataFrame, count: int, draw: np.random.Generator) -> pl.DataFrame:
    """As many who hold land, and who are insured as workers, as the table says."""
    holds, insured = draw.random(count) < REPRESENTATIVE_HOLDS_LAND, draw.random(count) < REPRESENTATIVE_IS_INSURED
    parts = []
    for has_land in (True, False):
        for is_insured in (True, False):
            among = adults.filter((pl.col("in_r6") == has_land) & (pl.col("in_r3") == is_insured))
            parts.append(among[draw.choice(among.height, int(((holds == has_land) & (insured == is_insured)).sum()))])
    return pl.concat(parts)[draw.permutation(count)]


def _item(
    row: int,
    code: str,
    name: str,
    owner: tuple[str, str],
    commune: dict[str, str],
    seat: str,
    phone: str,
    draw: np.random.Generator,
    *,
    is_old: bool,
) -> dict[str, Any]:
    trade = TRADES[row % len(TRADES)]
    capital = int(draw.integers(1, 400)) * 50_000_000
    return {
        "ma_so_thue": code,
        "ten": f"{KINDS[row % len(KINDS)]} {name}",
        "loai_hinh": KINDS[row % len(KINDS)],
        "ngay_thanh_lap": f"{2000 + row % 26}-{1 + row % 12:02}-{1 + row % 28:02}",
        "trang_thai": "Đang hoạt động" if row % 3 else "Đã giải thể",
        "von_dieu_le": f"{capital:,} đồng".replace(",", ".") if row % 4 else f"{capital / 1e9:g} tỷ".replace(".", ","),
        "nganh_chinh": {"ma": trade[0], "ten": trade[1]},
        "tru_so": {
            "dia_chi": f"Số {1 + row % 300}, {seat}",
            "ma_xa": commune["old_code" if is_old else "new_code"],
            "theo_ngay": "2025-06-30" if is_old else "2025-07-01",
        },
        "nguoi_dai_dien": {"ho_ten": owner[0], "so_dinh_danh": owner[1]},
        "dien_thoai": phone,
        "thu_dien_tu": f"lienhe{row}@doanhnghiep.example",
    }
