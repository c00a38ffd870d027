"""Finds units of administration by any of their names, before or after 1 July 2025, and says what became of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from lienthong.standards.admin_units import MERGED, Unit, predecessors, successors, units_by_code
from lienthong.standards.text import tidy
from lienthong.standards.unit_search import MOST_WORDS, find_units, read_unit, split_address

MOST_UNITS = 8
_LEVELS = ("province", "district", "commune")


@dataclass(frozen=True)
class UnitFound:
    """A unit, what was there before it, and what took its place."""

    unit: Unit
    before: tuple[Unit, ...]
    after: tuple[Unit, ...]


def find_named_units(text: str, today: date, provinces: frozenset[str] = frozenset(), most: int = MOST_UNITS) -> list[UnitFound]:
    """Units the text may name, of now and of before the mergers; those of the given provinces first. Codes are names too."""
    if len(text.strip()) < 2:
        return []
    found: dict[tuple[str, str, date], Unit] = {}
    for day in (today, MERGED - timedelta(days=1)):
        for unit in find_units(text, day):
            found[unit.level, unit.code, unit.valid_from] = unit
    if text.strip().isdigit():
        for unit in units_by_code().get(text.strip(), []):
            found[unit.level, unit.code, unit.valid_from] = unit
    ordered = sorted(found.values(), key=lambda u: (_home(u) not in provinces, u.valid_to is not None, _LEVELS.index(u.level), u.code))
    return [_told(unit, today) for unit in ordered[:most]]


def place_in(text: str, today: date) -> tuple[str, list[UnitFound]]:
    """(what a text asks, the units it asks it of): `hộ nghèo` and the wards so named, of `hộ nghèo phường Bình Phước`. No unit: the text whole."""
    words = tidy(text).split(" ")
    for first in range(max(0, len(words) - MOST_WORDS), len(words)):
        name = " ".join(words[first:])
        if not split_address(name)[0] and not read_unit(name, today).before:  # nothing of it is beside the name
            units = find_named_units(name, today)
            if units:
                return " ".join(words[:first]), units
    return text, []


def unit_history(code: str, today: date) -> list[UnitFound]:
    """Every unit that has had a code, newest first; the same code may have named different places."""
    return [_told(unit, today) for unit in sorted(units_by_code().get(code, []), key=lambda u: u.valid_from, reverse=True)]


def _told(unit: Unit, today: date) -> UnitFound:
    return UnitFound(unit, tuple(predecessors(unit)), tuple(successors(unit, today)))


def _home(unit: Unit) -> str:
    return unit.province_code or unit.code
