"""Working days of Vietnamese offices: weekends, public holidays by the sun and by the moon, days given in return, swaps announced yearly.

Holidays are those of the Labour Code 45/2019/QH14 art. 112; one that falls on a weekend is given back on the next working day (art. 111.3).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import yaml

from lienthong.errors import SettingsError
from lienthong.standards.lunar import solar_date

DAY = timedelta(days=1)
SATURDAY = 5
TET_DAYS = 5
LEGAL_BASIS = "Bộ luật Lao động 45/2019/QH14 điều 111, 112"
WORDS = frozenset({"tet_days_before", "national_day", "free", "worked"})


@dataclass(frozen=True)
class Announced:
    """What was announced for one year; the defaults are the usual way."""

    tet_days_before: int = 2
    national_day: str = "after"
    free: frozenset[date] = frozenset()
    worked: frozenset[date] = frozenset()


@dataclass(frozen=True)
class WorkingDays:
    """The calendar of offices. `announced`: year → what was decided for it."""

    announced: Mapping[int, Announced] = field(default_factory=dict)
    _free: dict[int, frozenset[date]] = field(default_factory=dict, compare=False, repr=False)

    def is_working(self, day: date) -> bool:
        announced = self.announced.get(day.year, Announced())
        if day in announced.worked:
            return True
        return day.weekday() < SATURDAY and day not in announced.free and day not in self.holidays(day.year)

    def add(self, day: date, count: int) -> date:
        """The day `count` working days after a day, which itself does not count: what comes in today is due tomorrow when one is given."""
        while count > 0:
            day += DAY
            count -= self.is_working(day)
        return day

    def between(self, begins: date, ends: date) -> int:
        """How many working days lie after `begins` up to and with `ends`; 0 when `ends` is not later."""
        return sum(self.is_working(begins + DAY * n) for n in range(1, (ends - begins).days + 1))

    def holidays(self, year: int) -> frozenset[date]:
        """Public holidays of a year, with the days given back for those that fall on a weekend."""
        found = self._free.get(year)
        if found is None:
            found = self._free[year] = self._with_days_in_return(year)
        return found

    def _with_days_in_return(self, year: int) -> frozenset[date]:
        announced = self.announced.get(year, Announced())
        free = set(self._named(year, announced))
        for holiday in sorted(free):
            if holiday.weekday() < SATURDAY:
                continue
            given = holiday + DAY
            while given.weekday() >= SATURDAY or given in free or given in announced.free:
                given += DAY
            free.add(given)
        return frozenset(free)

    @staticmethod
    def _named(year: int, announced: Announced) -> Iterator[date]:
        yield date(year, 1, 1)
        tet = solar_date(1, 1, year)
        for place in range(TET_DAYS):
            yield tet + DAY * (place - announced.tet_days_before)
        yield solar_date(10, 3, year)  # the Hùng Kings
        yield date(year, 4, 30)
        yield date(year, 5, 1)
        yield date(year, 9, 2)
        yield date(year, 9, 1 if announced.national_day == "before" else 3)


def read_working_days(path: Path | None = None) -> WorkingDays:
    """The calendar of the announcements known here, with those of a file of one's own laid over them, year by year.

    Raises SettingsError naming the year and the word that is not understood.
    """
    own = _announcements(str(path), _read(path)) if path is not None else {}
    return WorkingDays({**_built_in(), **own})


@cache
def _built_in() -> Mapping[int, Announced]:
    name = "holidays.yaml"
    return _announcements(name, yaml.safe_load(resources.files("lienthong.standards").joinpath("data", name).read_text("utf-8")))


def _read(path: Path) -> Any:
    try:
        return yaml.safe_load(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise SettingsError(f"`{path}`: the holidays cannot be read: {type(error).__name__}.") from error


def _announcements(place: str, found: Any) -> dict[int, Announced]:
    if not isinstance(found, dict):
        raise SettingsError(f"`{place}`: expected year: {{…}}.")
    announced = {}
    for year, words in found.items():
        if not isinstance(year, int) or not isinstance(words, dict) or set(words) - WORDS:
            raise SettingsError(f"`{place}`: `{year}` is not understood.", hint=f"Known words: {', '.join(sorted(WORDS))}.")
        before, second = words.get("tet_days_before", 2), words.get("national_day", "after")
        days = [*(words.get("free") or ()), *(words.get("worked") or ())]
        if before not in range(TET_DAYS + 1) or second not in ("before", "after") or not all(isinstance(day, date) for day in days):
            raise SettingsError(f"`{place}`: `{year}`: expected 0 to {TET_DAYS} days before Tết, before or after, and dates.")
        announced[year] = Announced(before, second, frozenset(words.get("free") or ()), frozenset(words.get("worked") or ()))
    return announced
