"""SDMX time periods: what `startPeriod` and `endPeriod` mean, whatever kind of time the data has, and how a time is written."""

from __future__ import annotations

import re
from calendar import monthrange
from datetime import UTC, date, datetime, timedelta

from lienthong.contracts import Property
from lienthong.errors import BadRequest
from lienthong.sharing.filters import shown
from lienthong.sharing.questions import All, Any, Compare, Expression

_YEAR = re.compile(r"(\d{4})(?:-A1)?", re.ASCII)
_MONTH = re.compile(r"(\d{4})-M?(\d{2})", re.ASCII)
_DAY = re.compile(r"(\d{4})-(\d{2})-(\d{2})(?:T.*)?", re.ASCII)
_PART = re.compile(r"(\d{4})-([SQTW])(\d{1,2})", re.ASCII)
_DAY_OF_YEAR = re.compile(r"(\d{4})-D(\d{3})", re.ASCII)
_MONTHS = {"S": 6, "Q": 3, "T": 4}


def span_of(text: str) -> tuple[date, date] | None:
    """The first and the last day of a period (SDMX 2.1 §4.2: years, halves, terms, quarters, months, weeks, days, instants); None for what is none."""
    try:
        if found := _YEAR.fullmatch(text):
            year = int(found[1])
            return date(year, 1, 1), date(year, 12, 31)
        if found := _MONTH.fullmatch(text):
            return _months(int(found[1]), int(found[2]), 1)
        if found := _DAY.fullmatch(text):
            if "T" in text:
                datetime.fromisoformat(text)
            day = date(int(found[1]), int(found[2]), int(found[3]))
            return day, day
        if found := _DAY_OF_YEAR.fullmatch(text):
            day = date(int(found[1]), 1, 1) + timedelta(days=int(found[2]) - 1)
            return (day, day) if day.year == int(found[1]) and int(found[2]) else None
        if found := _PART.fullmatch(text):
            year, kind, number = int(found[1]), found[2], int(found[3])
            if kind == "W":
                monday = date.fromisocalendar(year, number, 1)
                return monday, monday + timedelta(days=6)
            length = _MONTHS[kind]
            return _months(year, (number - 1) * length + 1, length) if 1 <= number <= 12 // length else None
    except (ValueError, OverflowError):
        return None
    return None


def _months(year: int, month: int, length: int) -> tuple[date, date]:
    last = month + length - 1
    return date(year, month, 1), date(year, last, monthrange(year, last)[1])


def read_period(name: str, text: str) -> tuple[date, date]:
    """The days of a parameter. Raises BadRequest."""
    found = span_of(text)
    if found is None:
        raise BadRequest(
            f"`{name}`: expected a period such as 2024, 2024-Q2, 2024-05 or 2024-05-31, found `{shown(text)}`.",
            vi=f"`{name}`: cần thời kỳ như 2024, 2024-Q2, 2024-05 hoặc 2024-05-31, nhận được `{shown(text)}`.",
        )
    return found


def within(p: Property, start: date | None, end: date | None) -> Expression | None:
    """The condition that a period of the data begins no earlier than a day and ends no later than another.

    For years, dates and instants; text is compared period by period by whoever knows which there are.
    """
    parts: list[Expression] = []
    if p.logical_type == "integer":
        if start is not None:
            parts.append(Compare(p.name, "ge", start.year if (start.month, start.day) == (1, 1) else start.year + 1))
        if end is not None:
            parts.append(Compare(p.name, "le", end.year if (end.month, end.day) == (12, 31) else end.year - 1))
    elif p.logical_type == "date":
        parts += [] if start is None else [Compare(p.name, "ge", start)]
        parts += [] if end is None else [Compare(p.name, "le", end)]
    elif p.logical_type == "timestamp":
        parts += [] if start is None else [Compare(p.name, "ge", datetime(start.year, start.month, start.day, tzinfo=UTC))]
        if end is not None:
            after = end + timedelta(days=1) if end < date.max else end
            parts.append(Compare(p.name, "lt", datetime(after.year, after.month, after.day, tzinfo=UTC)))
    else:
        return Any(())
    return All(tuple(parts)) if parts else None


def written(value: object) -> str:
    """A time of the data as SDMX writes it."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")
    if isinstance(value, date):
        return value.isoformat()
    return f"{value:04d}" if isinstance(value, int) else str(value)
