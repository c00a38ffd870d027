"""Where invented people live: real communes of one province, their codes of before and after 1 July 2025."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cache

from lienthong.standards.admin_units import MERGED, Unit, of_units, predecessors, units

PROVINCE = "75"  # Đồng Nai, of which Bình Phước became a part
LEVELS = ("commune", "district", "province")


@dataclass(frozen=True)
class Spot:
    """A commune of today and the one that stood there before."""

    now: Unit
    before: Unit

    def code_on(self, on: date) -> str:
        return (self.now if on >= MERGED else self.before).code


@of_units
@cache
def spots(province: str = PROVINCE) -> tuple[Spot, ...]:
    """Communes of a province as it is now, by code."""
    found = []
    for unit in units():
        if unit.level == "commune" and unit.province_code == province and unit.valid_to is None and unit.valid_from == MERGED:
            before = sorted(predecessors(unit), key=lambda old: old.code)
            if before:
                found.append(Spot(unit, before[0]))
    return tuple(sorted(found, key=lambda spot: spot.now.code))


def code_of_level(spot: Spot, level: str, on: date) -> str:
    """The code of the commune, the district or the province a spot lies in on a date; a district ends with June 2025."""
    unit = spot.now if on >= MERGED else spot.before
    return {"province": unit.province_code, "district": spot.before.district_code}.get(level, unit.code)
