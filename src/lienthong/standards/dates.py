"""Dates of any precision, and points in time. A day or month that is not known is never invented."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import polars as pl

from lienthong.standards.base import Cleaned
from lienthong.standards.distinct import DistinctStandard, Options
from lienthong.standards.text import tidy, without_marks

_EXCEL_EPOCH = date(1899, 12, 30)
_SERIALS = range(1, 80_000)  # 1900 to 2119: spreadsheets keep a date as its number of days
_FULL = re.compile(r"(\d{1,2})[/\-. ](\d{1,2})[/\-. ](\d{4}|\d{2})")
_ISO = re.compile(r"(\d{4})[/\-.](\d{1,2})[/\-.](\d{1,2})(?:[T ].*)?")
_WORDS = re.compile(r"(?:ngay )?(\d{1,2}) thang (\d{1,2}),? (?:nam )?(\d{4})")
_MONTH = re.compile(r"(?:thang )?(\d{1,2})[/\-. ](?:nam )?(\d{4})|(\d{4})-(\d{1,2})")
_YEAR = re.compile(r"(?:nam |khoang )?(\d{4})")
_TIME = re.compile(r"(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d)(?::(\d\d)(\.\d+)?)?\s*(Z|[+-]\d\d:?\d\d)?")
_LOCAL_TIME = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4}) (\d{1,2}):(\d\d)(?::(\d\d))?")
FIRST_YEAR, LAST_YEAR = 1800, 2200


def _parts(text: str, pivot: int | None) -> tuple[int, int | None, int | None] | None:
    """(year, month, day) as far as the text says; None when it is no date."""
    plain = without_marks(tidy(text)).replace(" /", "/").replace("/ ", "/")
    if found := _ISO.fullmatch(plain):
        year, month, day = map(int, found.groups())
        return year, month, day
    if found := _FULL.fullmatch(plain) or _WORDS.fullmatch(plain):
        day, month, year = map(int, found.groups())
        if len(found.group(3)) == 2:  # noqa: PLR2004 # two digits of a year
            if pivot is None:
                return None
            year += 1900 if year >= pivot else 2000
        return year, month, day
    if found := _MONTH.fullmatch(plain):
        month, year, iso_year, iso_month = found.groups()
        return (int(year), int(month), None) if year else (int(iso_year), int(iso_month), None)
    if found := _YEAR.fullmatch(plain):
        return int(found.group(1)), None, None
    return None


def _real(year: int, month: int, day: int) -> date | None:
    try:
        found = date(year, month, day)
    except ValueError:
        return None
    return found if FIRST_YEAR <= year <= LAST_YEAR else None


def _clean_date(value: str, options: Options) -> Cleaned:
    serial = value.strip()
    if options.get("serials", True) and serial.isascii() and serial.removesuffix(".0").isdigit() and len(serial.removesuffix(".0")) == 5:  # noqa: PLR2004 # 10000 is 1927
        return Cleaned(_EXCEL_EPOCH + timedelta(days=int(serial.removesuffix(".0"))))
    parts = _parts(value, options.get("pivot"))
    if parts is None:
        return Cleaned(None, "date.unreadable")
    year, month, day = parts
    if month is None or day is None:
        return Cleaned(None, "date.incomplete")
    found = _real(year, month, day)
    return Cleaned(found) if found is not None else Cleaned(None, "date.impossible")


def _quick_date(value: pl.Expr, _: Options) -> pl.Expr:
    in_range = (pl.col("value").str.len_chars() == 10)  # noqa: PLR2004 # both written in full
    vietnamese = value.str.to_date("%d/%m/%Y", strict=False, exact=True)
    iso = value.str.to_date("%Y-%m-%d", strict=False, exact=True)
    found = pl.coalesce(vietnamese, iso)
    return pl.when(in_range & found.is_between(date(FIRST_YEAR, 1, 1), date(LAST_YEAR, 12, 31))).then(found)


def show_date(value: date | None) -> str:
    return "" if value is None else value.strftime("%d/%m/%Y")


DATE = DistinctStandard(
    "date",
    pl.Date(),
    "Ngày",
    "Date",
    _clean_date,
    good=(("07/03/1980", "1980-03-07"), ("7-3-1980", "1980-03-07"), ("ngày 7 tháng 3 năm 1980", "1980-03-07"), ("29287", "1980-03-07"), ("1980-03-07 00:00:00", "1980-03-07")),
    bad=(("31/02/2020", "date.impossible"), ("1950", "date.incomplete"), ("hôm qua", "date.unreadable")),
    quick=_quick_date,
    known_options=frozenset({"pivot", "serials"}),
    show=show_date,
)


def _clean_partial(value: str, options: Options) -> Cleaned:
    parts = _parts(value, options.get("pivot"))
    if parts is None:
        return _clean_serial(value)
    year, month, day = parts
    if day is None or month is None:
        if not FIRST_YEAR <= year <= LAST_YEAR or (month is not None and not 1 <= month <= 12):  # noqa: PLR2004 # months
            return Cleaned(None, "date.impossible")
        return Cleaned(f"{year:04}" if month is None else f"{year:04}-{month:02}")
    if day == 0 and month == 0:
        return Cleaned(f"{year:04}")
    if day == 0 and 1 <= month <= 12:  # noqa: PLR2004 # months
        return Cleaned(f"{year:04}-{month:02}")
    found = _real(year, month, day)
    return Cleaned(found.isoformat()) if found is not None else Cleaned(None, "date.impossible")


def _clean_serial(value: str) -> Cleaned:
    plain = value.strip().removesuffix(".0")
    if plain.isascii() and plain.isdigit() and len(plain) == 5:  # noqa: PLR2004 # 10000 is 1927
        return Cleaned((_EXCEL_EPOCH + timedelta(days=int(plain))).isoformat())
    return Cleaned(None, "date.unreadable")


PARTIAL_DATE = DistinctStandard(
    "partial_date",
    pl.String(),
    "Ngày, tháng/năm hoặc năm",
    "Date of any precision",
    _clean_partial,
    good=(("07/03/1980", "1980-03-07"), ("3/1980", "1980-03"), ("1950", "1950"), ("00/00/1950", "1950")),
    bad=(("31/02/2020", "date.impossible"), ("xưa", "date.unreadable")),
    quick=lambda value, options: _quick_date(value, options).dt.to_string("%Y-%m-%d"),
    known_options=frozenset({"pivot"}),
    show=lambda value: "" if value is None else "/".join(reversed(value.split("-"))),
)


def _clean_timestamp(value: str, options: Options) -> Cleaned:
    text = tidy(value)
    zone = ZoneInfo(options.get("timezone", "Asia/Ho_Chi_Minh"))
    try:
        if _TIME.fullmatch(text):
            found = datetime.fromisoformat(text.replace("Z", "+00:00"))
        elif local := _LOCAL_TIME.fullmatch(text):
            day, month, year, hour, minute, second = (int(part or 0) for part in local.groups())
            found = datetime(year, month, day, hour, minute, second, tzinfo=zone)
        else:
            return Cleaned(None, "timestamp.unreadable")
    except ValueError:
        return Cleaned(None, "timestamp.unreadable")
    if found.tzinfo is None:
        found = found.replace(tzinfo=zone)
    return Cleaned(found.astimezone(UTC))


TIMESTAMP = DistinctStandard(
    "timestamp",
    pl.Datetime("us", "UTC"),
    "Thời điểm",
    "Point in time",
    _clean_timestamp,
    good=(("2026-06-30 07:00:00", "2026-06-30T00:00:00+00:00"), ("2026-06-30T00:00:00Z", "2026-06-30T00:00:00+00:00"), ("30/06/2026 07:00", "2026-06-30T00:00:00+00:00")),
    bad=(("30/06/2026", "timestamp.unreadable"), ("2026-13-01 00:00", "timestamp.unreadable")),
    known_options=frozenset({"timezone"}),
    show=lambda value: "" if value is None else value.astimezone(ZoneInfo("Asia/Ho_Chi_Minh")).strftime("%H:%M %d/%m/%Y"),
)
