"""Periods of reports as texts, and the days a report of a period covers.

Decree 09/2019/NĐ-CP, art. 12: figures of a periodic report run from the 15th of the month before the period to the 14th of its last month;
a year's from 15 December to 14 December. A calendar period is for what other law counts by it. Codes are those of indicators: `2026-11`,
`2026-Q4`, `2026-H2`, `2026`, and `2026-9M` for the first nine months.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta

import polars as pl

from lienthong.standards.base import Cleaned
from lienthong.standards.distinct import DistinctStandard, Options
from lienthong.standards.text import tidy, without_marks

FIRST_YEAR, LAST_YEAR = 1990, 2200
CLOSING_DAY = 14
_CODE = re.compile(r"([0-9]{4})(?:-(?:([0-9]{1,2})|q([1-4])|h([12])|(9m)))?", re.ASCII)
_MONTH = re.compile(
    r"(?:thang\s*)?([0-9]{1,2})\s*(?:[/\-.]|\s*nam\s*|\s+)\s*([0-9]{4})|thang\s*([0-9]{1,2})\s*[/\-.,]?\s*(?:nam\s*)?([0-9]{4})", re.ASCII
)
_QUARTER = re.compile(r"(?:quy|q)\s*\.?\s*([1-4]|i{1,3}|iv)\s*[/\-.,]?\s*(?:nam\s*)?([0-9]{4})", re.ASCII)
_HALF = re.compile(
    r"(?:6|sau) thang (dau|cuoi)(?: nam)?\s*[/\-.,]?\s*(?:nam\s*)?([0-9]{4})|(?:ban nien|6 thang)\s*([12])?\s*[/\-.]?\s*(?:nam\s*)?([0-9]{4})",
    re.ASCII,
)
_NINE = re.compile(r"(?:9|chin) thang(?: dau(?: nam)?)?\s*[/\-.,]?\s*(?:nam\s*)?([0-9]{4})", re.ASCII)
_YEAR = re.compile(r"(?:ca )?(?:nam )?([0-9]{4})", re.ASCII)
_ROMAN = {"i": 1, "ii": 2, "iii": 3, "iv": 4}


def _read(text: str) -> str | None:
    """The code of a period in a plain text (no marks, lower case); None where it is none."""
    if found := _CODE.fullmatch(text):
        year, month, quarter, half, nine = found.groups()
        if month is not None:
            return f"{year}-{int(month):02}" if 1 <= int(month) <= 12 else None
        return year + (f"-Q{quarter}" if quarter else f"-H{half}" if half else "-9M" if nine else "")
    if found := _HALF.fullmatch(text):
        which = {"dau": "1", "cuoi": "2"}.get(found.group(1) or "") or found.group(3) or "1"
        return f"{found.group(2) or found.group(4)}-H{which}"
    if found := _NINE.fullmatch(text):
        return f"{found.group(1)}-9M"
    if found := _MONTH.fullmatch(text):
        month, year = (found.group(1) or found.group(3)), (found.group(2) or found.group(4))
        return f"{year}-{int(month):02}" if 1 <= int(month) <= 12 else None
    if found := _QUARTER.fullmatch(text):
        return f"{found.group(2)}-Q{_ROMAN.get(found.group(1)) or found.group(1)}"
    found = _YEAR.fullmatch(text)
    return found.group(1) if found else None


def _clean_period(value: str, options: Options) -> Cleaned:
    text = without_marks(tidy(value)).removeprefix("ky bao cao").strip(" :")
    code = _read(text)
    if code is None or not FIRST_YEAR <= int(code[:4]) <= LAST_YEAR:
        return Cleaned(None, "period.unreadable")
    wanted = options.get("type")
    return Cleaned(None, "period.other_type") if wanted is not None and period_type(code) != wanted else Cleaned(code)


def period_type(code: str) -> str:
    """month, quarter, half_year, nine_months or year."""
    part = code[5:]
    if part.isdigit():
        return "month"
    return {"": "year", "Q": "quarter", "H": "half_year", "9": "nine_months"}[part[:1]]


@dataclass(frozen=True)
class Window:
    """The first and the last day a report of a period covers."""

    first: date
    last: date


def reporting_window(code: str, *, closes_on_14: bool = True, closes_early_on: date | None = None) -> Window:
    """The days of a clean period. `closes_early_on`: the last day a report told to close early covers; the next begins the day after.

    Raises ValueError where the early day is not in the period.
    """
    year, (begin, months) = int(code[:4]), _months(code)
    first, after = _first_of(year, begin), _first_of(year, begin + months)
    if closes_on_14:
        first, after = (_first_of(year, month - 1).replace(day=CLOSING_DAY + 1) for month in (begin, begin + months))
    last = after - timedelta(days=1)
    if closes_early_on is not None:
        if not first <= closes_early_on <= last:
            raise ValueError(f"{closes_early_on} is not a day of period {code}.")
        last = closes_early_on
    return Window(first, last)


def _months(code: str) -> tuple[int, int]:
    """The first month (from 1) and how many."""
    part = code[5:]
    if not part:
        return 1, 12
    if part == "9M":
        return 1, 9
    if part.startswith("Q"):
        return int(part[1]) * 3 - 2, 3
    return (int(part[1]) * 6 - 5, 6) if part.startswith("H") else (int(part), 1)


def _first_of(year: int, month: int) -> date:
    place = year * 12 + month - 1
    return date(place // 12, place % 12 + 1, 1)


def _show(value: str | None) -> str:
    if value is None:
        return ""
    year, part = value[:4], value[5:]
    if part.startswith("Q"):
        return f"quý {('I', 'II', 'III', 'IV')[int(part[1]) - 1]} năm {year}"
    if part.startswith("H"):
        return f"6 tháng {('đầu', 'cuối')[int(part[1]) - 1]} năm {year}"
    return f"9 tháng năm {year}" if part == "9M" else f"tháng {part} năm {year}" if part else f"năm {year}"


PERIOD = DistinctStandard(
    "period",
    pl.String(),
    "Kỳ báo cáo",
    "Reporting period",
    _clean_period,
    good=(
        ("Tháng 6/2026", "2026-06"),
        ("6-2026", "2026-06"),
        ("Quý II năm 2026", "2026-Q2"),
        ("Q2/2026", "2026-Q2"),
        ("6 tháng đầu năm 2026", "2026-H1"),
        ("9 tháng năm 2026", "2026-9M"),
        ("Năm 2026", "2026"),
        ("2026-Q2", "2026-Q2"),
    ),
    bad=(("13/2026", "period.unreadable"), ("quý V/2026", "period.unreadable"), ("tuần 3", "period.unreadable")),
    quick=lambda value, options: (
        pl.when(value.str.contains(r"^(199[0-9]|20[0-9]{2})(-(0[1-9]|1[0-2]|Q[1-4]|H[12]|9M))?$")).then(value)
        if options.get("type") is None
        else pl.lit(None, pl.String)
    ),
    known_options={"type": "The one type a column holds: `month`, `quarter`, `half_year`, `nine_months` or `year`."},
    show=_show,
)
