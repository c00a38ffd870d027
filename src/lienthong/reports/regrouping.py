"""Parts of a figure under the borders of any date. What was divided because a unit was split is marked: it is an estimate.

A unit is (code, since when). One that became another goes to it whole; one that was split is divided evenly among what took its place; one that
was put together from several is divided evenly among them when it is asked for under their borders.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from lienthong.contracts.indicators import Indicator
from lienthong.contracts.indicators.model import Level
from lienthong.standards.admin_units import MERGED, Unit, units_by_code, units_on
from lienthong.store.indicators import Part

NO_UNIT = ""


@dataclass(frozen=True)
class PlaceFigure:
    """The figure of one unit; `code` is empty for what could not be placed. `is_estimated`: some of it was divided."""

    code: str
    name: str
    total: float | None
    value: float
    base: float | None
    is_estimated: bool


def has_districts(on: date) -> bool:
    """Districts were until 30 June 2025."""
    return on < MERGED


def regroup(indicator: Indicator, parts: Sequence[Part], on: date, level: Level) -> list[PlaceFigure]:
    """The figure of each unit of a level in force on a date, the largest first, what could not be placed last. Values add up to the whole's."""
    gathered: dict[str, tuple[str, list[float], list[float], bool]] = {}
    for part in parts:
        targets = _targets(part, on, level)
        divided = len(targets) > 1
        for code, name in targets:
            name, values, bases, was = gathered.get(code, (name, [], [], False))
            gathered[code] = (name, values, bases, was or divided)
            values.append(part.value / len(targets))
            if part.base is not None:
                bases.append(part.base / len(targets))
    found = [_figure(indicator, code, *told) for code, told in gathered.items()]
    return sorted(found, key=lambda each: (each.code == NO_UNIT, each.total is None, -(each.total or 0.0), each.code))


def _figure(indicator: Indicator, code: str, name: str, values: Iterable[float], bases: Sequence[float], is_estimated: bool) -> PlaceFigure:
    value = math.fsum(values)
    base = math.fsum(bases) if indicator.has_base else None
    return PlaceFigure(code, name, indicator.total(value, base), value, base, is_estimated)


def _targets(part: Part, on: date, level: Level) -> list[tuple[str, str]]:
    unit = next((each for each in units_by_code().get(part.code, []) if each.valid_from == part.valid_from), None)
    if unit is None:
        return [(NO_UNIT, "")]
    if unit.level == Level.DISTRICT.value:
        return [(unit.code, unit.name)]  # nothing took a district's place
    there = units_on(unit, on)
    if level is Level.COMMUNE or not there:
        return [(each.code, each.name) for each in there] or [(NO_UNIT, "")]
    districts = sorted({_district(each, on) for each in there})
    return districts if all(code for code, _ in districts) else [(NO_UNIT, "")]


def _district(unit: Unit, on: date) -> tuple[str, str]:
    found = next((each for each in units_by_code().get(unit.district_code, []) if each.level == "district" and each.is_valid(on)), None)
    return (found.code, found.name) if found else (NO_UNIT, "")


def district_of_today(code: str) -> str:
    """The district most of a commune of today, or of one that ended since, lay in; empty for none."""
    communes = [unit for unit in units_by_code().get(code, []) if unit.level == "commune"]
    today = [unit for unit in communes if unit.valid_to is None or unit.valid_from >= MERGED]
    before = [each.district_code for unit in today for each in (units_on(unit, MERGED - timedelta(days=1)) or [unit])]
    return max(sorted(set(before)), key=before.count) if before else ""
