"""The collection of borders: public, in memory, asked with the same conditions as rows of datasets."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any as Anything

import msgspec

from lienthong.errors import BadRequest
from lienthong.sharing.geometry import meets, points_of, polygon_of
from lienthong.sharing.questions import All, Any, Compare, Expression, IsNull, Not, OneOf, Text, Within
from lienthong.web.doors.ogc.asked import Asked, day_of
from lienthong.web.doors.ogc.collections import GEOMETRY, Ground, border_features, border_id, border_properties
from lienthong.web.doors.ogc.cql import Language, read_filter
from lienthong.web.doors.ogc.features import feature

_COMPARISONS: Mapping[str, Callable[[Anything, Anything], bool]] = {
    "eq": operator.eq, "ne": operator.ne, "lt": operator.lt, "gt": operator.gt, "le": operator.le, "ge": operator.ge,
}  # fmt: skip
MOST_PLACES = 200  # in the shapes of one filter: each is held against every border here
Properties = Mapping[str, Anything]
Shape = Mapping[str, Anything]


def find_borders(ground: Ground, asked: Asked, today: date) -> tuple[list[dict[str, Anything]], int]:
    """(a page of features, how many there are in all). Raises BadRequest."""
    where = _conditions(asked)
    found = [
        (properties, shape)
        for properties, shape in border_features(ground)
        if _is_valid(properties, asked, today) and _fits(where, properties, shape)
    ]
    for name, is_descending in reversed(asked.sorts):
        if name not in border_properties():
            raise BadRequest(f"`sortby`: there is no `{name[:60]}`.", vi=f"`sortby`: không có `{name[:60]}`.")
        found.sort(key=lambda each, name=name: (each[0][name] is None, each[0][name] or 0), reverse=is_descending)  # type: ignore[misc] # mypy loses the default
    page = found[asked.offset : asked.offset + asked.limit]
    return [feature(border_id(properties), shape, properties, asked.crs) for properties, shape in page], len(found)


def border(ground: Ground, id: str, asked: Asked) -> dict[str, Anything] | None:
    """One border, by its id."""
    for properties, shape in border_features(ground):
        if border_id(properties) == id:
            return feature(id, shape, properties, asked.crs)
    return None


def _conditions(asked: Asked) -> Expression:
    parts: list[Expression] = [Compare(name, "eq", value) for name, value in asked.properties]
    if asked.boxes:
        parts.append(Any(tuple(Within((GEOMETRY,), box) for box in asked.boxes)))
    if asked.filter is not None:
        left = [MOST_PLACES]
        language = Language(frozenset(border_properties()), frozenset({GEOMETRY}), lambda shape: _where(shape, left), asked.filter_crs)
        parts.append(read_filter(asked.filter, asked.filter_lang, language))
    return All(tuple(parts))


def _where(shape: Shape, left: list[int]) -> Expression:
    left[0] -= sum(1 for _ in points_of(shape))
    if left[0] < 0:
        raise BadRequest(f"`filter`: at most {MOST_PLACES} places in its shapes.", vi=f"`filter`: hình có nhiều nhất {MOST_PLACES} điểm.")
    return Within((GEOMETRY,), (0.0, 0.0, 0.0, 0.0), msgspec.json.encode(shape).decode())


def _is_valid(properties: Properties, asked: Asked, today: date) -> bool:
    """Whether a border was in force at some time of `datetime`, or on the day of `as_of`; where no time is asked for, whether it is now.

    A map that says nothing of time would else draw what was there before over what is.
    """
    day = asked.as_of or (None if asked.has_datetime else today)
    since = day_of(asked.since) if asked.since is not None else day
    until = day_of(asked.until) if asked.until is not None else day
    begins, ends = properties["valid_from"], properties["valid_to"]
    return (until is None or begins is None or begins <= until) and (since is None or ends is None or since < ends)


def _fits(where: Expression, properties: Properties, shape: Shape) -> bool:
    if isinstance(where, All):
        return all(_fits(part, properties, shape) for part in where.parts)
    if isinstance(where, Any):
        return any(_fits(part, properties, shape) for part in where.parts)
    if isinstance(where, Not):
        return not _fits(where.part, properties, shape) and not _is_unknown(where.part, properties)
    if isinstance(where, Within):
        return meets(shape, msgspec.json.decode(where.shape) if where.shape else polygon_of(where.box))
    value = properties[where.column]
    if isinstance(where, IsNull):
        return value is None
    if value is None:
        return False
    if isinstance(where, OneOf):
        return any(value == _typed(each, value) for each in where.values)
    if isinstance(where, Text):
        return isinstance(value, str) and _is_like(value, re.findall(r"\\.|.", where.value, re.DOTALL))
    return _COMPARISONS[where.op](value, _typed(where.value, value))


def _is_unknown(where: Expression, properties: Properties) -> bool:
    """Whether an empty value leaves a condition open: then its opposite does not hold either."""
    if isinstance(where, All | Any):
        return any(_is_unknown(part, properties) for part in where.parts)
    if isinstance(where, Not):
        return _is_unknown(where.part, properties)
    return not isinstance(where, Within | IsNull) and properties[where.column] is None


def _is_like(text: str, pattern: list[str]) -> bool:
    """LIKE, in time of text × pattern: a regular expression of many `%` could take for ever."""
    place = at = 0
    star, since = -1, 0
    while place < len(text):
        if at < len(pattern) and pattern[at] == "%":
            star, since, at = at, place, at + 1
        elif at < len(pattern) and (pattern[at] == "_" or pattern[at][-1] == text[place]):
            place, at = place + 1, at + 1
        elif star >= 0:
            since += 1
            place, at = since, star + 1
        else:
            return False
    return all(sign == "%" for sign in pattern[at:])


def _typed(asked: Anything, value: Anything) -> Anything:
    """What is asked for, as the property has it. Raises BadRequest for another kind."""
    try:
        if isinstance(value, date) and not isinstance(value, datetime) and isinstance(asked, str):
            return date.fromisoformat(asked[:10])
        if isinstance(value, float) and not isinstance(asked, bool):
            return float(asked)
    except ValueError as error:
        raise BadRequest(
            f"`{str(asked)[:60]}` is of another kind than the property.", vi=f"`{str(asked)[:60]}` không đúng kiểu."
        ) from error
    if isinstance(value, str) is not isinstance(asked, str):
        raise BadRequest(f"`{str(asked)[:60]}` is of another kind than the property.", vi=f"`{str(asked)[:60]}` không đúng kiểu.")
    return asked
