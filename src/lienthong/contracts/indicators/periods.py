"""Periods of reporting as types: a month that runs from the 15th to the 14th is another month than the calendar's.

Decree 09/2019/NĐ-CP, article 12: figures of a periodic report close on the 14th; a calendar period is for what other law counts by it.
The two are never compared, for a period's type is part of it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

CLOSING_DAY = 15  # the first day of the next period, where periods close on the 14th
_CODE = re.compile(r"(\d{4})(?:-(?:(\d{2})|Q([1-4])|H([12])))?", re.ASCII)
FIRST_YEAR, LAST_YEAR = 1990, 2200


class PeriodType(StrEnum):
    """`…_15_14` begin on the 15th of the month before and end on the 14th of their last month."""

    MONTH = "month"
    QUARTER = "quarter"
    HALF_YEAR = "half_year"
    YEAR = "year"
    MONTH_15_14 = "month_15_14"
    QUARTER_15_14 = "quarter_15_14"
    HALF_YEAR_15_14 = "half_year_15_14"
    YEAR_15_14 = "year_15_14"

    @property
    def months(self) -> int:
        return {"month": 1, "quarter": 3, "half_year": 6, "year": 12}[self.span]

    @property
    def span(self) -> str:
        """month, quarter, half_year or year."""
        return self.value.removesuffix("_15_14")

    @property
    def closes_on_14(self) -> bool:
        return self.value.endswith("_15_14")


@dataclass(frozen=True, order=True)
class Period:
    """`[begins_on, until)`. `code` is 2026-11, 2026-Q4, 2026-H2 or 2026; `number` counts periods of the year from 1."""

    begins_on: date
    until: date
    type: PeriodType
    year: int
    number: int

    @property
    def code(self) -> str:
        span = self.type.span
        if span == "year":
            return f"{self.year}"
        return f"{self.year}-" + {"month": f"{self.number:02}", "quarter": f"Q{self.number}", "half_year": f"H{self.number}"}[span]

    @property
    def title_vi(self) -> str:
        """As documents call it: tháng 11 năm 2026."""
        span = self.type.span
        if span == "year":
            return f"năm {self.year}"
        if span == "half_year":
            return f"6 tháng {('đầu', 'cuối')[self.number - 1]} năm {self.year}"
        number = ("I", "II", "III", "IV")[self.number - 1] if span == "quarter" else f"{self.number:02}"
        return f"{'quý' if span == 'quarter' else 'tháng'} {number} năm {self.year}"

    def earlier(self, periods: int = 1) -> Period:
        """The period so many before (after, for a number below nought)."""
        a_year = 12 // self.type.months
        place = self.year * a_year + self.number - 1 - periods
        return _period(self.type, place // a_year, place % a_year + 1)

    def a_year_earlier(self) -> Period:
        """The same period of the year before."""
        return _period(self.type, self.year - 1, self.number)


def period_of(type: PeriodType, day: date) -> Period:
    """The period a day lies in."""
    month = day.year * 12 + day.month - 1
    if type.closes_on_14 and day.day >= CLOSING_DAY:
        month += 1
    return _period(type, month // 12, month % 12 // type.months + 1)


def period_named(type: PeriodType, code: str) -> Period | None:
    """The period of a code; None where the code is none of this type."""
    found = _CODE.fullmatch(code)
    if found is None or not FIRST_YEAR <= int(found[1]) <= LAST_YEAR:
        return None
    numbers = {"month": found[2], "quarter": found[3], "half_year": found[4]}
    given = [span for span, number in numbers.items() if number is not None] or ["year"]
    if given != [type.span]:
        return None
    number = int(numbers.get(type.span) or 1)
    return _period(type, int(found[1]), number) if 1 <= number <= 12 // type.months else None


def _period(type: PeriodType, year: int, number: int) -> Period:
    first = year * 12 + (number - 1) * type.months
    begin, end = (_first_day(type, month) for month in (first, first + type.months))
    return Period(begin, end, type, year, number)


def _first_day(type: PeriodType, month: int) -> date:
    if type.closes_on_14:
        month -= 1
    return date(month // 12, month % 12 + 1, CLOSING_DAY if type.closes_on_14 else 1)
