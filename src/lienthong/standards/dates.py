"""Dates of any precision, and points in time. A day or month that is not known is never invented."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl
from numpy.typing import NDArray

from lienthong.standards.base import Cleaned
from lienthong.standards.distinct import DistinctStandard, Options
from lienthong.standards.text import tidy, without_marks

_EXCEL_EPOCH = date(1899, 12, 30)
_FULL = re.compile(r"(\d{1,2})[/\-. ](\d{1,2})[/\-. ](\d{4}|\d{2})", re.ASCII)
_ISO = re.compile(r"(\d{4})[/\-.](\d{1,2})[/\-.](\d{1,2})(?:[t ]\d{1,2}:\d\d(?::\d\d(?:\.\d+)?)?\s*(?:z|[+-]\d\d:?\d\d)?)?", re.ASCII)
_WORDS = re.compile(r"(?:ngay )?(\d{1,2}) thang (\d{1,2}),? (?:nam )?(\d{4})", re.ASCII)
_MONTH = re.compile(r"(?:thang )?(\d{1,2})[/\-. ](?:nam )?(\d{4})|(\d{4})-(\d{1,2})", re.ASCII)
_YEAR = re.compile(r"(?:khoang )?(?:nam )?(\d{4})", re.ASCII)
_SHORT_YEAR = re.compile(r"\d{1,2}[/\-. ]\d{1,2}[/\-. ]\d{2}", re.ASCII)
_INSTANT = re.compile(r"(\d{4})[-/](\d{1,2})[-/](\d{1,2})[T ](\d{1,2}):(\d\d)(?::(\d\d)(\.\d{1,9})?)?\s*(Z|[+-]\d\d:?\d\d)?", re.ASCII)
_DAY_FIRST = re.compile(r"(\d{1,2})[-/](\d{1,2})[-/](\d{4}) (\d{1,2})[:h](\d\d)?(?::(\d\d))?", re.ASCII)
_TIME_FIRST = re.compile(r"(\d{1,2})[:h](\d\d)?(?::(\d\d))?,? (?:ngày )?(\d{1,2})[-/](\d{1,2})[-/](\d{4})", re.ASCII)
DEFAULT_ZONE = "Asia/Ho_Chi_Minh"
FIRST_YEAR, LAST_YEAR = 1800, 2200
_IN_FULL = 10  # letters of 07/03/1980
_NO_DAY = -(2**31)
_MONTHS = np.arange(f"{FIRST_YEAR}-01", f"{LAST_YEAR + 1}-02", dtype="datetime64[M]").astype("datetime64[D]").astype(np.int32)  # first days


def _parts(text: str, pivot: int | None) -> tuple[int, int | None, int | None] | None:
    """(year, month, day) as far as the text says; None when it is no date."""
    plain = without_marks(tidy(text)).replace(" /", "/").replace("/ ", "/")
    if found := _ISO.fullmatch(plain):
        year, month, day = map(int, found.groups())
        return year, month, day
    if found := _FULL.fullmatch(plain) or _WORDS.fullmatch(plain):
        day, month, year = map(int, found.groups())
        if len(found.group(3)) == 2:  # two digits of a year
            if pivot is None:
                return None
            year += 1900 if year >= pivot else 2000
        return year, month, day
    if found := _MONTH.fullmatch(plain):
        short, long, iso_year, iso_month = found.groups()
        return (int(long), int(short), None) if long else (int(iso_year), int(iso_month), None)
    if found := _YEAR.fullmatch(plain):
        return int(found.group(1)), None, None
    return None


def _real(year: int, month: int, day: int) -> date | None:
    try:
        found = date(year, month, day)
    except ValueError:
        return None
    return found if FIRST_YEAR <= year <= LAST_YEAR else None


def _why_unreadable(value: str) -> str:
    return "date.short_year" if _SHORT_YEAR.fullmatch(tidy(value)) else "date.unreadable"


def _serial(value: str) -> date | None:
    """A date kept as its number of days, as spreadsheets do; only five digits, so that years and row numbers are not taken for one."""
    days = value.strip().removesuffix(".0")
    return _EXCEL_EPOCH + timedelta(days=int(days)) if re.fullmatch(r"[1-9]\d{4}", days, re.ASCII) else None


def _clean_date(value: str, options: Options) -> Cleaned:
    serial = _serial(value) if options.get("serials", True) else None
    if serial is not None:
        return Cleaned(serial)
    parts = _parts(value, options.get("pivot"))
    if parts is None:
        return Cleaned(None, _why_unreadable(value))
    year, month, day = parts
    if month is None or day is None:
        return Cleaned(None, "date.incomplete")
    found = _real(year, month, day)
    return Cleaned(found) if found is not None else Cleaned(None, "date.impossible")


def _quick_date(value: pl.Expr, _: Options) -> pl.Expr:
    return value.map_batches(_read_in_full, return_dtype=pl.Date, is_elementwise=True)


def _read_in_full(values: pl.Series) -> pl.Series:
    """07/03/1980 and 1980-03-07 as dates, by arithmetic on their bytes (a sixth of the time of parsing, measured); all else is null."""
    is_full = (values.str.len_bytes() == _IN_FULL).fill_null(False)
    texts = values.filter(is_full).to_arrow(compat_level=pl.CompatLevel.oldest())
    if not len(texts):
        return pl.repeat(None, len(values), dtype=pl.Date, eager=True)
    _, offsets, data = texts.buffers()
    first = int(np.frombuffer(offsets, np.int64)[texts.offset])
    letters = np.frombuffer(data, np.uint8, len(texts) * _IN_FULL, first).reshape(-1, _IN_FULL)
    days = np.full(len(values), _NO_DAY, np.int32)
    days[is_full.to_numpy()] = _days(letters)
    return pl.Series(days).replace(_NO_DAY, None).cast(pl.Date)


def _days(letters: NDArray[np.uint8]) -> NDArray[np.int32]:
    """Days since 1970 of texts of ten letters, one a row; _NO_DAY where a text names no day."""
    days = _days_written(letters, "dd/mm/yyyy")
    others = np.flatnonzero(days == _NO_DAY)
    if len(others):
        days[others] = _days_written(letters[others], "yyyy-mm-dd")
    return days


def _days_written(letters: NDArray[np.uint8], form: str) -> NDArray[np.int32]:
    digits = letters - np.uint8(ord("0"))  # below 0 wraps to above 9
    fits = np.ones(len(letters), np.bool_)
    for place, letter in enumerate(form):
        fits &= digits[:, place] <= 9 if letter.isalpha() else letters[:, place] == ord(letter)
    day, month, year = (_number(digits, form, part) for part in "dmy")
    fits &= (month >= 1) & (month <= 12) & (day >= 1) & (year >= FIRST_YEAR) & (year <= LAST_YEAR)
    months = np.where(fits, (year - FIRST_YEAR) * 12 + month - 1, 0)
    days = _MONTHS[months] + day - 1
    return np.where(fits & (days < _MONTHS[months + 1]), days, np.int32(_NO_DAY))


def _number(digits: NDArray[np.uint8], form: str, part: str) -> NDArray[np.int32]:
    value = np.zeros(len(digits), np.int32)
    for place in range(form.index(part), form.rindex(part) + 1):
        value = value * np.int32(10) + digits[:, place]
    return value


_OPTIONS = {
    "pivot": "Two-digit years from this one on are 19xx, smaller ones 20xx (`pivot: 30`); left out: a two-digit year is an issue.",
    "serials": "Read five digits as a spreadsheet's number of days; true if left out.",
}


def show_date(value: date | None) -> str:
    return "" if value is None else value.strftime("%d/%m/%Y")


DATE = DistinctStandard(
    "date",
    pl.Date(),
    "Ngày",
    "Date",
    _clean_date,
    good=(
        ("07/03/1980", "1980-03-07"),
        ("7-3-1980", "1980-03-07"),
        ("ngày 7 tháng 3 năm 1980", "1980-03-07"),
        ("29287", "1980-03-07"),
        ("1980-03-07 00:00:00", "1980-03-07"),
    ),
    bad=(("31/02/2020", "date.impossible"), ("1950", "date.incomplete"), ("7/3/80", "date.short_year"), ("hôm qua", "date.unreadable")),
    quick=_quick_date,
    known_options=_OPTIONS,
    show=show_date,
)


def _clean_partial(value: str, options: Options) -> Cleaned:
    parts = _parts(value, options.get("pivot"))
    if parts is None:
        serial = _serial(value) if options.get("serials", True) else None
        return Cleaned(None, _why_unreadable(value)) if serial is None else Cleaned(serial.isoformat())
    year, month, day = parts
    day = day or None  # 00/03/1950 and 00/00/1950: how forms write what is not known
    month = (month or None) if day is None else month
    if day is not None and month is not None:
        found = _real(year, month, day)
        return Cleaned(found.isoformat()) if found is not None else Cleaned(None, "date.impossible")
    if not FIRST_YEAR <= year <= LAST_YEAR or (month is not None and not 1 <= month <= 12):
        return Cleaned(None, "date.impossible")
    return Cleaned(f"{year:04}" if month is None else f"{year:04}-{month:02}")


PARTIAL_DATE = DistinctStandard(
    "partial_date",
    pl.String(),
    "Ngày, tháng/năm hoặc năm",
    "Date of any precision",
    _clean_partial,
    good=(("07/03/1980", "1980-03-07"), ("3/1980", "1980-03"), ("1950", "1950"), ("00/00/1950", "1950"), ("khoảng năm 1950", "1950")),
    bad=(("31/02/2020", "date.impossible"), ("xưa", "date.unreadable")),
    quick=lambda value, options: _quick_date(value, options).dt.to_string("%Y-%m-%d"),
    known_options=_OPTIONS,
    show=lambda value: "" if value is None else "/".join(reversed(value.split("-"))),
)


def _clean_timestamp(value: str, options: Options) -> Cleaned:
    parts = _instant_parts(tidy(value))
    if parts is None:
        return Cleaned(None, "timestamp.unreadable")
    zone = ZoneInfo(options.get("timezone", DEFAULT_ZONE))
    year, month, day, hour, minute, second, microsecond, offset = parts
    try:
        found = datetime(year, month, day, hour, minute, second, microsecond, tzinfo=zone if offset is None else timezone(offset))
        found = found.astimezone(UTC)
    except (ValueError, OverflowError):
        return Cleaned(None, "timestamp.unreadable")
    return Cleaned(found) if FIRST_YEAR <= found.year <= LAST_YEAR else Cleaned(None, "timestamp.unreadable")


def _instant_parts(text: str) -> tuple[int, int, int, int, int, int, int, timedelta | None] | None:
    """(year, month, day, hour, minute, second, microsecond, offset or None for local time)."""
    if found := _INSTANT.fullmatch(text):
        year, month, day, hour, minute, second = (int(part or 0) for part in found.groups()[:6])
        microsecond = int(((found.group(7) or ".")[1:] + "000000")[:6])
        return year, month, day, hour, minute, second, microsecond, _offset(found.group(8))
    if found := _DAY_FIRST.fullmatch(text):
        day, month, year, hour, minute, second = (int(part or 0) for part in found.groups())
        return year, month, day, hour, minute, second, 0, None
    if found := _TIME_FIRST.fullmatch(text):
        hour, minute, second, day, month, year = (int(part or 0) for part in found.groups())
        return year, month, day, hour, minute, second, 0, None
    return None


def _offset(written: str | None) -> timedelta | None:
    if written is None:
        return None
    if written == "Z":
        return timedelta(0)
    away = timedelta(hours=int(written[1:3]), minutes=int(written[-2:]))
    return -away if written.startswith("-") else away


def _quick_timestamp(value: pl.Expr, options: Options) -> pl.Expr:
    """ISO with seconds, with an offset or in local time."""
    clock = r"T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]"
    stamp = value.str.replace(" ", "T", literal=True)
    exact = pl.when(stamp.str.contains(rf"^(19|20)[0-9]{{2}}-[0-9]{{2}}-[0-9]{{2}}{clock}$")).then(stamp)
    offset = pl.when(stamp.str.contains(rf"^(19|20)[0-9]{{2}}-[0-9]{{2}}-[0-9]{{2}}{clock}(Z|[+-](0[0-9]|1[0-3]):[0-5][0-9])$")).then(
        stamp.str.replace("Z", "+00:00", literal=True)
    )
    local = exact.str.to_datetime("%Y-%m-%dT%H:%M:%S", time_unit="us", strict=False, exact=True).dt.replace_time_zone(
        options.get("timezone", DEFAULT_ZONE), ambiguous="null", non_existent="null"
    )
    return pl.coalesce(
        local.dt.convert_time_zone("UTC"),
        offset.str.to_datetime("%Y-%m-%dT%H:%M:%S%z", time_unit="us", time_zone="UTC", strict=False, exact=True),
    )


TIMESTAMP = DistinctStandard(
    "timestamp",
    pl.Datetime("us", "UTC"),
    "Thời điểm",
    "Point in time",
    _clean_timestamp,
    good=(
        ("2026-06-30 07:00:00", "2026-06-30T00:00:00+00:00"),
        ("2026-06-30T00:00:00Z", "2026-06-30T00:00:00+00:00"),
        ("30/06/2026 07:00", "2026-06-30T00:00:00+00:00"),
        ("7h30 ngày 30/06/2026", "2026-06-30T00:30:00+00:00"),
    ),
    bad=(("30/06/2026", "timestamp.unreadable"), ("2026-13-01 00:00", "timestamp.unreadable")),
    quick=_quick_timestamp,
    known_options={"timezone": "Zone of times without an offset; `Asia/Ho_Chi_Minh` if left out."},
    show=lambda value: "" if value is None else value.astimezone(ZoneInfo("Asia/Ho_Chi_Minh")).strftime("%H:%M %d/%m/%Y"),
)
