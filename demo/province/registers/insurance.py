"""R3, social insurance: pages of a service, some dates in ISO form, wages as people write them."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from demo.province.base import stream
from demo.province.headers import SOCIAL_INSURANCE
from demo.province.observed import Observed, observe
from demo.province.registers.health_insurance import CLINICS
from demo.province.services import write_service
from demo.province.world import World

FILE = "dich-vu/tham-gia-bhxh.json"


def write_insurance(world: World, out: Path, enterprises: pl.DataFrame) -> Observed:
    """Who works and pays: employees of the province's enterprises and bodies."""
    draw = stream(world.seed, "R3", "rows")
    seen = observe(world, "R3", world.persons.filter("in_r3"))
    employers, wages = draw.integers(0, enterprises.height, seen.count), draw.integers(94, 800, seen.count)
    numbers, men, ranks = (seen.truth[name].to_list() for name in ("insurance_no", "is_male", "rank"))
    codes = enterprises["tax_code"].to_list()
    rows = []
    for row in range(seen.count):
        of = row - ranks[row]  # a row typed twice keeps what no one mistyped
        values = (
            numbers[row], seen.names[row], seen.born[row], "Nam" if men[row] else "Nữ", seen.ids[row], seen.codes[row], seen.addresses[row],
            seen.phones[row], CLINICS[of % len(CLINICS)], codes[employers[of]], f"{2008 + of % 18}-{1 + of % 12:02}-01",
            f"{wages[of] * 50_000:,}".replace(",", "."),
        )  # fmt: skip
        rows.append(dict(zip(SOCIAL_INSURANCE, values, strict=True)))
    write_service(out / FILE, rows)
    return seen
