"""What a request for items asks: which, where, when, how many, in which reference system. Nothing is guessed: an unknown parameter is refused."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time

from lienthong.clock import VIETNAM
from lienthong.errors import BadRequest
from lienthong.sharing.filters import read_instant, shown
from lienthong.sharing.geometry import Box
from lienthong.web.doors.ogc.crs import Crs, read_crs, stored_box

DEFAULT_LIMIT = 100
LARGEST_LIMIT = 10_000
LARGEST_OFFSET = 1_000_000
TEXT, JSON = "cql2-text", "cql2-json"
KNOWN = (
    "limit", "offset", "cursor", "bbox", "bbox-crs", "datetime", "crs", "filter", "filter-lang", "filter-crs", "sortby", "f", "as_of",
    "known_at", "purpose", "official",
)  # fmt: skip
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
Instant = date | datetime


@dataclass(frozen=True)
class Asked:
    """`boxes` in CRS84, any of them. `since`, `until`: of `datetime`, None open; `is_instant`: both are the same and no interval was asked for."""

    limit: int
    offset: int
    cursor: str | None
    boxes: tuple[Box, ...]
    has_datetime: bool
    is_instant: bool
    since: Instant | None
    until: Instant | None
    crs: Crs
    filter: str | None
    filter_lang: str | None
    filter_crs: Crs
    sorts: tuple[tuple[str, bool], ...]  # name, whether descending
    as_of: date | None
    known_at: datetime | None
    properties: tuple[tuple[str, str], ...]  # name, value


def read_asked(pairs: Sequence[tuple[str, str]], properties: Collection[str]) -> Asked:
    """The parameters of items. `properties` may be named to ask for their value. Raises BadRequest."""
    said: dict[str, str] = {}
    conditions: list[tuple[str, str]] = []
    for name, value in pairs:
        if "\x00" in name or "\x00" in value:
            raise BadRequest("A parameter holds the character NUL.", vi="Một tham số có ký tự NUL.")
        if name in KNOWN and name not in said:
            said[name] = value
        elif name in properties and name not in KNOWN:
            conditions.append((name, value))
        else:
            what = "is given twice" if name in said else "is not known"
            raise BadRequest(
                f"`{shown(name)}` {what}.", hint="See …/queryables.", hint_vi="Xem …/queryables.", vi=f"Tham số `{shown(name)}` không đúng."
            )
    if len(conditions) > 100:
        raise BadRequest("At most 100 properties are asked for.", vi="Nhiều nhất 100 điều kiện.")
    box_crs = read_crs("bbox-crs", said.get("bbox-crs"))
    if said.get("filter-lang", TEXT) not in (TEXT, JSON):
        raise BadRequest(
            f"`filter-lang`: {TEXT} or {JSON}, found `{shown(said['filter-lang'])}`.", vi=f"`filter-lang`: {TEXT} hoặc {JSON}."
        )
    moment = _interval(said["datetime"]) if "datetime" in said else None
    return Asked(
        limit=min(_whole("limit", said.get("limit"), DEFAULT_LIMIT, 1), LARGEST_LIMIT),
        offset=_whole("offset", said.get("offset"), 0, 0, LARGEST_OFFSET),
        cursor=said.get("cursor"),
        boxes=_boxes(said["bbox"], box_crs) if "bbox" in said else (),
        has_datetime=moment is not None,
        is_instant=moment is not None and moment[2],
        since=None if moment is None else moment[0],
        until=None if moment is None else moment[1],
        crs=read_crs("crs", said.get("crs")),
        filter=said.get("filter"),
        filter_lang=said.get("filter-lang"),
        filter_crs=read_crs("filter-crs", said.get("filter-crs")),
        sorts=_sorts(said.get("sortby")),
        as_of=_day("as_of", said["as_of"]) if "as_of" in said else None,
        known_at=read_instant("known_at", said["known_at"]) if "known_at" in said else None,
        properties=tuple(conditions),
    )


def _whole(name: str, text: str | None, otherwise: int, least: int, most: int | None = None) -> int:
    if text is None:
        return otherwise
    if not (text.isascii() and text.isdigit()) or len(text) > 12 or int(text) < least or (most is not None and int(text) > most):
        raise BadRequest(
            f"`{name}`: expected a whole number from {least} on, found `{shown(text)}`.", vi=f"`{name}`: cần số nguyên từ {least}."
        )
    return int(text)


def _boxes(text: str, crs: Crs) -> tuple[Box, ...]:
    """A box; two where it goes over the antimeridian. Heights are read and let be: places here have none."""
    parts = [part.strip() for part in text.split(",")]
    if len(parts) not in (4, 6) or not all(len(part) <= 40 and _NUMBER.fullmatch(part) for part in parts):
        raise BadRequest(
            "`bbox`: expected four or six numbers with commas between.", vi="`bbox`: cần bốn hoặc sáu số, cách nhau bằng dấu phẩy."
        )
    numbers = [float(part) for part in parts]
    if not all(math.isfinite(number) for number in numbers):
        raise BadRequest("`bbox`: a number is out of range.", vi="`bbox`: số ngoài khoảng cho phép.")
    if len(numbers) == 6:
        if numbers[2] > numbers[5]:
            raise BadRequest("`bbox`: the lower height comes first.", vi="`bbox`: độ cao nhỏ trước.")
        numbers = [numbers[0], numbers[1], numbers[3], numbers[4]]
    first, second, third, fourth = numbers
    if crs.code is None and first > third and second <= fourth and third >= -180 and first <= 180:  # over the antimeridian
        return (first, second, 180.0, fourth), (-180.0, second, third, fourth)
    if first > third or second > fourth:
        raise BadRequest(
            "`bbox`: the smaller of each comes first.",
            hint="In the order of the axes of `bbox-crs`.",
            hint_vi="Theo thứ tự các trục của `bbox-crs`.",
            vi="`bbox`: nhỏ trước lớn sau.",
        )
    return (stored_box((first, second, third, fourth), crs),)


def _interval(text: str) -> tuple[Instant | None, Instant | None, bool]:
    """(since, until, whether it is one instant). An open end is `..` or nothing."""
    since, slash, until = text.partition("/")
    if not slash:
        moment = _instant(since)
        return moment, moment, True
    begin = None if since in ("", "..") else _instant(since)
    end = None if until in ("", "..") else _instant(until)
    if begin is not None and end is not None and _at(begin) > _at(end, is_end=True):
        raise BadRequest("`datetime`: the interval ends before it begins.", vi="`datetime`: khoảng kết thúc trước khi bắt đầu.")
    return begin, end, False


def _instant(text: str) -> Instant:
    if _DAY.fullmatch(text):
        return _day("datetime", text)
    if "T" not in text.upper() or len(text) > 40:
        raise BadRequest(
            f"`datetime`: expected a date, an instant or an interval, found `{shown(text)}`.",
            vi="`datetime`: cần ngày, thời điểm hoặc khoảng.",
        )
    return read_instant("datetime", text)


def _at(moment: Instant, *, is_end: bool = False) -> datetime:
    """The first, or last, instant of a day in Vietnam; an instant as it is."""
    if isinstance(moment, datetime):
        return moment
    return datetime.combine(moment, time.max if is_end else time.min, VIETNAM)


def first_instant(moment: Instant) -> datetime:
    return _at(moment)


def last_instant(moment: Instant) -> datetime:
    return _at(moment, is_end=True)


def day_of(moment: Instant) -> date:
    """The day in Vietnam."""
    return moment.astimezone(VIETNAM).date() if isinstance(moment, datetime) else moment


def _day(name: str, text: str) -> date:
    try:
        if not _DAY.fullmatch(text):
            raise ValueError(text)
        return date.fromisoformat(text)
    except ValueError as error:
        raise BadRequest(
            f"`{name}`: expected a date like 2025-06-30, found `{shown(text)}`.", vi=f"`{name}`: cần ngày như 2025-06-30."
        ) from error


def _sorts(text: str | None) -> tuple[tuple[str, bool], ...]:
    if text is None:
        return ()
    found: dict[str, bool] = {}
    for part in text.split(","):
        name = part.strip()
        found.setdefault(name.lstrip("+-"), name.startswith("-"))
    return tuple(found.items())


def remaining(said: Mapping[str, str], without: Collection[str]) -> list[tuple[str, str]]:
    """The parameters but some, to be said again in a link."""
    return [(name, value) for name, value in said.items() if name not in without]
