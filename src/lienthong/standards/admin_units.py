"""The register of units of administration, before and after 1 July 2025: units with their days, what became of each, and by which resolution.

Read on first use (about 0.2 s) from files of the package. What a province decided since is put to it by `follow_changes`, once a process
knows of it; then everything kept of units is forgotten. How a text names a unit is told in `unit_search`.
"""

from __future__ import annotations

import csv
import gc
import gzip
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from functools import cache, lru_cache
from importlib import resources
from typing import Any, TypeVar

from lienthong.standards.unit_changes import UnitChange, in_order

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

    @property
    def key(self) -> tuple[str, date]:
        """What a unit is known by: its code and the day it began."""
        return self.code, self.valid_from


Key = tuple[str, date]


@dataclass(frozen=True)
class UnitRegister:
    """Units as they are known: all of them, by code (the oldest first), and what each became (`after`) and was made of (`before`)."""

    units: tuple[Unit, ...]
    by_code: Mapping[str, list[Unit]]
    after: Mapping[Key, tuple[Unit, ...]]
    before: Mapping[Key, tuple[Unit, ...]]
    resolutions: Mapping[Key, str]  # of units that a change made

    def with_changes(self, changes: Sequence[UnitChange]) -> UnitRegister:
        """The register with what was decided since. A change that does not fit it (its communes ended otherwise) is left out."""
        made = self
        for change in in_order(changes):
            made = made._with(change)
        return made

    def _with(self, change: UnitChange) -> UnitRegister:
        ending = {
            code: unit for code in change.ended for unit in self.by_code.get(code, []) if unit.valid_to is None and unit.level == "commune"
        }
        if set(ending) != set(change.ended) or any(unit.valid_from >= change.on for unit in ending.values()):
            return self
        ended = {unit.key: replace(unit, valid_to=change.on) for unit in ending.values()}
        province = next(iter(ending.values())).province_code
        begun = [Unit("commune", each.code, each.name, "", province, change.on, None) for each in change.begun]
        return _register(
            (*(ended.get(unit.key, unit) if unit.level == "commune" else unit for unit in self.units), *begun),
            {
                **{old: tuple(new.key for new in after) for old, after in self.after.items()},
                **{
                    unit.key: tuple(new.key for new, each in zip(begun, change.begun, strict=True) if code in each.of)
                    for code, unit in ending.items()
                },
            },
            {**self.resolutions, **{unit.key: change.resolution for unit in begun}},
        )


def _register(units: Sequence[Unit], became: Mapping[Key, Sequence[Key]], resolutions: Mapping[Key, str]) -> UnitRegister:
    known = {unit.key: unit for unit in units}
    by_code: dict[str, list[Unit]] = {}
    for unit in units:
        by_code.setdefault(unit.code, []).append(unit)
    after = {old: tuple(known[new] for new in new_ones) for old, new_ones in became.items()}
    before: dict[Key, list[Unit]] = {}
    for old, new_ones in after.items():
        for new in new_ones:
            before.setdefault(new.key, []).append(known[old])
    return UnitRegister(tuple(units), by_code, after, {key: tuple(sorted(olds, key=_by_code)) for key, olds in before.items()}, resolutions)


def _by_code(unit: Unit) -> str:
    return unit.code


@cache
def packaged() -> UnitRegister:
    """Every unit before and after 1 July 2025, as the files of the package tell."""
    with _uncollected():
        return _packaged()


@contextmanager
def _uncollected() -> Iterator[None]:
    """Many things are made that stay: the collector, looking through them again and again, would take as long as making them (measured)."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _packaged() -> UnitRegister:
    day = lru_cache(date.fromisoformat)
    known = tuple(
        Unit(level, code, name, district, province, day(since), day(until) if until else None)
        for level, code, name, district, province, since, until in _rows("admin_units.csv.gz")
    )
    now: dict[str, list[Unit]] = {}
    for unit in known:
        if unit.valid_to is None:
            now.setdefault(unit.code, []).append(unit)
    became = _successors()
    after = {
        old.key: tuple(new.key for code in sorted(became.get(old.code, ())) for new in now.get(code, []) if new.level == old.level)
        for old in known
        if old.valid_to is not None
    }
    return _register(known, after, {})


_followed: tuple[UnitChange, ...] = ()
_current: UnitRegister | None = None
_is_settled = True
_kept: list[Callable[[], Any]] = []
Cached = TypeVar("Cached", bound=Callable[..., Any])


def of_units(cached: Cached) -> Cached:
    """Marks a function that keeps what it found in the register: it forgets it when the register changes."""
    _kept.append(cached.cache_clear)  # type: ignore[attr-defined]  # only functions under `functools.cache` are marked
    return cached


def follow_changes(changes: Sequence[UnitChange]) -> bool:
    """Have the units of this process be those of the package and of these changes; whether anything is new.

    What was kept of units is forgotten then, and at the next call once more: another thread may have kept what it found just before.
    """
    global _followed, _current, _is_settled  # noqa: PLW0603 # one register a process, as the package's files are one
    told = tuple(changes)
    is_new = told != _followed
    if is_new:
        _current = packaged().with_changes(told) if told else None
        _followed = told
    if is_new or not _is_settled:
        for forget in _kept:
            forget()
        _is_settled = not is_new
    return is_new


def register() -> UnitRegister:
    """The units as this process knows them."""
    return _current or packaged()


def units() -> tuple[Unit, ...]:
    """Every unit before and after 1 July 2025."""
    return register().units


def _rows(name: str) -> Iterator[list[str]]:
    data = resources.files("lienthong.standards").joinpath("data", name).read_bytes()
    rows = csv.reader(io.StringIO((gzip.decompress(data) if name.endswith(".gz") else data).decode("utf-8")))
    next(rows)
    return rows


def units_by_code() -> Mapping[str, list[Unit]]:
    """Code → the units that have had it, the oldest first."""
    return register().by_code


@cache
def _successors() -> dict[str, frozenset[str]]:
    """Code until 30 June 2025 → codes of what took its place (several where it was split)."""
    found: dict[str, set[str]] = {}
    for _, old, new, *_ in _rows("admin_unit_changes.csv.gz"):
        found.setdefault(old, set()).add(new)
    return {old: frozenset(new) for old, new in found.items()}


def successors(unit: Unit, on: date) -> list[Unit]:
    """The units in force on a date that took a unit's place, however many changes lie between; several where it was split, none for districts."""
    if unit.valid_to is None or unit.valid_to > on:
        return []
    found: dict[Key, Unit] = {}
    for new in register().after.get(unit.key, ()):
        found |= {each.key: each for each in ([new] if new.is_valid(on) else successors(new, on))}
    return sorted(found.values(), key=_by_code)


def one_successors(on: date) -> dict[str, str]:
    """Code of a unit that ended → code of the one unit that has its place on a day.

    Left out: what was split, and codes that two units have had whose places went to different ones, for a code alone does not say which
    is meant.
    """
    found = {}
    for code, held in units_by_code().items():
        after = {new.code for unit in held for new in ([unit] if unit.is_valid(on) else successors(unit, on))}
        if len(after) == 1 and after != {code}:
            found[code] = after.pop()
    return found


def predecessors(unit: Unit) -> list[Unit]:
    """The units whose place a unit took on the day it began; none for one that is older than 1 July 2025."""
    return list(register().before.get(unit.key, ())) if unit.valid_from >= MERGED else []


def units_on(unit: Unit, on: date) -> list[Unit]:
    """The units in force on a date that a unit is, became or was made of."""
    if unit.is_valid(on):
        return [unit]
    if unit.valid_to is not None and unit.valid_to <= on:
        return successors(unit, on)
    found = {each.key: each for old in predecessors(unit) for each in units_on(old, on)}
    return sorted(found.values(), key=_by_code)


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
    """The resolution that made a unit of 1 July 2025 or later; None for an older one."""
    if unit.valid_from != MERGED:
        return register().resolutions.get(unit.key)
    return _resolutions().get((unit.level, "" if unit.level == "province" else unit.province_code))


@cache
def _resolutions() -> dict[tuple[str, str], str]:
    return {(level, province): number for level, province, number, _ in _rows("admin_unit_resolutions.csv")}


def name_on(unit: Unit, day: date) -> str:
    """A unit's name on a day: some changed their kind (xã to phường) and nothing else."""
    changed = _kinds().get((unit.level, unit.code)) if unit.valid_from == MERGED else None
    return unit.name if changed is None or day < changed[1] else changed[0]


@cache
def _kinds() -> dict[tuple[str, str], tuple[str, date]]:
    return {(level, code): (name, date.fromisoformat(since)) for level, code, _, name, since in _rows("admin_unit_kinds.csv")}
