"""The register of units of administration, before and after 1 July 2025: units with their days, what became of each, and by which resolution.

Read on first use (about 0.2 s). How a text names a unit is told in `unit_search`.
"""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import cache, lru_cache
from importlib import resources

BEGINNING = date(1997, 1, 1)  # stands for "long before any record here": when each older unit was formed is not known
MERGED = date(2025, 7, 1)  # 63 provinces became 34, districts ended


@dataclass(frozen=True)
class Unit:
    """A unit of administration in force on `[valid_from, valid_to)`."""

    level: str
    code: str
    name: str
    district_code: str
    province_code: str
    valid_from: date
    valid_to: date | None

    def is_valid(self, on: date) -> bool:
        return (self.valid_from <= on or self.valid_from == BEGINNING) and (self.valid_to is None or on < self.valid_to)


@cache
def units() -> tuple[Unit, ...]:
    """Every unit before and after 1 July 2025."""
    day = lru_cache(date.fromisoformat)
    return tuple(
        Unit(level, code, name, district, province, day(since), day(until) if until else None)
        for level, code, name, district, province, since, until in _rows("admin_units.csv.gz")
    )


def _rows(name: str) -> Iterator[list[str]]:
    data = resources.files("lienthong.standards").joinpath("data", name).read_bytes()
    rows = csv.reader(io.StringIO((gzip.decompress(data) if name.endswith(".gz") else data).decode("utf-8")))
    next(rows)
    return rows


@cache
def units_by_code() -> dict[str, list[Unit]]:
    found: dict[str, list[Unit]] = {}
    for unit in units():
        found.setdefault(unit.code, []).append(unit)
    return found


@cache
def _successors() -> dict[str, frozenset[str]]:
    """Code until 30 June 2025 → codes of what took its place (several where it was split)."""
    found: dict[str, set[str]] = {}
    for _, old, new, *_ in _rows("admin_unit_changes.csv.gz"):
        found.setdefault(old, set()).add(new)
    return {old: frozenset(new) for old, new in found.items()}


@cache
def _predecessors() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for old, after in _successors().items():
        for new in after:
            found.setdefault(new, []).append(old)
    return found


def successors(unit: Unit, on: date) -> list[Unit]:
    """The units in force on a date that took a unit's place; several where it was split, none for districts."""
    codes = _successors().get(unit.code, frozenset()) if unit.valid_to is not None and unit.valid_to <= on else frozenset()
    return [new for code in sorted(codes) for new in units_by_code().get(code, []) if new.level == unit.level and new.is_valid(on)]


def predecessors(unit: Unit) -> list[Unit]:
    """The units whose place a unit took on 1 July 2025; none for one that is older."""
    if unit.valid_from < MERGED:
        return []
    codes = _predecessors().get(unit.code, [])
    return [old for code in sorted(codes) for old in units_by_code().get(code, []) if old.level == unit.level and old.valid_to is not None]


@cache
def related_provinces(code: str) -> frozenset[str]:
    """A province, what it became part of and what became part of it: once provinces are merged, people write either for years."""
    old = {before for before, after in _successors().items() if len(before) == 2 and code in after}
    return frozenset({code, *_successors().get(code, ()), *old})


@cache
def one_home(code: str, on: date) -> frozenset[str]:
    """The provinces a register of one province means on a day: it, what became part of it, and from 1 July 2025 on what it became part of."""
    became = _successors().get(code, frozenset()) if on >= MERGED else frozenset()
    return frozenset({code, *(before for before, after in _successors().items() if len(before) == len(code) and code in after), *became})


def resolution_of(unit: Unit) -> str | None:
    """The resolution that made a unit of 1 July 2025; None for an older one."""
    if unit.valid_from < MERGED:
        return None
    return _resolutions().get((unit.level, "" if unit.level == "province" else unit.province_code))


@cache
def _resolutions() -> dict[tuple[str, str], str]:
    return {(level, province): number for level, province, number, _ in _rows("admin_unit_resolutions.csv")}


def name_on(unit: Unit, day: date) -> str:
    """A unit's name on a day: some changed their kind (xã to phường) and nothing else."""
    changed = _kinds().get((unit.level, unit.code)) if unit.valid_from >= MERGED else None
    return unit.name if changed is None or day < changed[1] else changed[0]


@cache
def _kinds() -> dict[tuple[str, str], tuple[str, date]]:
    return {(level, code): (name, date.fromisoformat(since)) for level, code, _, name, since in _rows("admin_unit_kinds.csv")}
