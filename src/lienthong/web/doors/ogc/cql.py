"""CQL2 into conditions of a question. Text is read into the JSON form first, so both mean the same."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any as Anything

import msgspec

from lienthong.errors import BadRequest
from lienthong.sharing.filters import shown
from lienthong.sharing.questions import All, Any, Compare, Expression, IsNull, Not, OneOf, Text
from lienthong.web.doors.ogc.asked import JSON
from lienthong.web.doors.ogc.cql_text import DEEPEST, LONGEST, read_text, refused
from lienthong.web.doors.ogc.crs import Crs, stored

MOST_NODES = 1_000
MOST_PLACES = 1_000
_COMPARISONS = {"=": "eq", "<>": "ne", "<": "lt", ">": "gt", "<=": "le", ">=": "ge"}
_TURNED = {"lt": "gt", "gt": "lt", "le": "ge", "ge": "le"}
_DEPTH = {"Point": 0, "MultiPoint": 1, "LineString": 1, "Polygon": 2, "MultiLineString": 2, "MultiPolygon": 3}
Shape = Mapping[str, Anything]
Where = Callable[[Shape], Expression]


@dataclass(frozen=True)
class Language:
    """What filters of one collection may say. `where` makes a condition of a shape; `geometry` are the names of the place."""

    properties: frozenset[str]
    geometry: frozenset[str]
    where: Where
    crs: Crs


def read_filter(text: str, lang: str | None, language: Language) -> Expression:
    """The conditions of a filter. Raises BadRequest for what is not understood, too long, too deep or not offered."""
    if "\x00" in text:
        raise refused("it holds the character NUL.", "có ký tự NUL.")
    if lang == JSON:
        if len(text) > LONGEST:
            raise refused(f"A filter has at most {LONGEST} characters.", f"Điều kiện lọc có nhiều nhất {LONGEST} ký tự.")
        try:
            node = msgspec.json.decode(text)
        except (msgspec.MsgspecError, RecursionError, UnicodeError) as error:
            raise refused("it is not JSON.", "không phải JSON.") from error
    else:
        node = read_text(text)
    return _Making(language, [MOST_NODES]).condition(node, DEEPEST)


@dataclass(frozen=True)
class _Making:
    language: Language
    left: list[int]

    def condition(self, node: Anything, depth: int) -> Expression:
        self.left[0] -= 1
        if depth == 0 or self.left[0] < 0:
            raise refused(f"it is more than {DEEPEST} deep or has more than {MOST_NODES} parts.", "lồng quá sâu hoặc quá nhiều điều kiện.")
        if isinstance(node, bool):
            return All(()) if node else Any(())
        if not isinstance(node, dict) or not isinstance(node.get("op"), str) or not isinstance(node.get("args"), list):
            raise _not_understood(node)
        operation, arguments = node["op"], node["args"]
        if operation in ("and", "or") and len(arguments) >= 2:
            parts = tuple(self.condition(part, depth - 1) for part in arguments)
            return All(parts) if operation == "and" else Any(parts)
        if operation == "not" and len(arguments) == 1:
            return Not(self.condition(arguments[0], depth - 1))
        return self._leaf(operation, arguments)

    def _leaf(self, operation: str, arguments: list[Anything]) -> Expression:
        if operation in _COMPARISONS and len(arguments) == 2:
            return self._comparison(_COMPARISONS[operation], *arguments)
        if operation == "isNull" and len(arguments) == 1:
            return IsNull(self._property(arguments[0]))
        if operation == "like" and len(arguments) == 2 and isinstance(arguments[1], str):
            return Text(self._property(arguments[0]), "like", arguments[1])
        if operation == "between" and len(arguments) == 3:
            column = self._property(arguments[0])
            return All((Compare(column, "ge", self._value(arguments[1])), Compare(column, "le", self._value(arguments[2]))))
        if operation == "in" and len(arguments) == 2 and isinstance(arguments[1], list):
            return OneOf(self._property(arguments[0]), tuple(self._value(value) for value in arguments[1]))
        if operation == "s_intersects" and len(arguments) == 2:
            return self._place(*arguments)
        raise refused(f"`{shown(operation)}` is not offered in this form.", f"không có phép `{shown(operation)}` ở dạng này.")

    def _comparison(self, operation: str, first: Anything, second: Anything) -> Expression:
        if isinstance(first, dict) and "property" in first:
            return Compare(self._property(first), operation, self._value(second))
        return Compare(self._property(second), _TURNED.get(operation, operation), self._value(first))

    def _property(self, node: Anything) -> str:
        name = node.get("property") if isinstance(node, dict) else None
        if not isinstance(name, str) or name not in self.language.properties:
            raise refused(f"there is no property `{shown(str(name))}` to filter by.", f"không có thuộc tính `{shown(str(name))}` để lọc.")
        return name

    def _value(self, node: Anything) -> Anything:
        if isinstance(node, dict) and len(node) == 1:
            text = node.get("date", node.get("timestamp"))
            if isinstance(text, str):
                return text
        if isinstance(node, str | bool) or (isinstance(node, int | float) and math.isfinite(node)):
            return node
        raise _not_understood(node)

    def _place(self, first: Anything, second: Anything) -> Expression:
        if not (isinstance(first, dict) and "property" in first):
            first, second = second, first
        name = first.get("property") if isinstance(first, dict) else None
        if name not in self.language.geometry:
            raise refused(f"`{shown(str(name))}` is no place.", f"`{shown(str(name))}` không phải vị trí.")
        return self.language.where(stored(_shape(second), self.language.crs))


def _shape(node: Anything) -> Shape:
    """A literal geometry. Raises BadRequest for one that is none."""
    if not isinstance(node, dict):
        raise _not_understood(node)
    if "bbox" in node:
        box = node["bbox"]
        if not isinstance(box, list) or len(box) not in (4, 6) or not all(_is_number(value) for value in box):
            raise refused("a BBOX has four or six numbers.", "BBOX có bốn hoặc sáu số.")
        first, second, third, fourth = box if len(box) == 4 else (box[0], box[1], box[3], box[4])
        if first > third or second > fourth:
            raise refused("a BBOX has the smaller before the larger.", "BBOX: nhỏ trước lớn sau.")
        return {"type": "Polygon", "coordinates": [[[first, second], [third, second], [third, fourth], [first, fourth], [first, second]]]}
    kind = node.get("type")
    if not isinstance(kind, str) or kind not in _DEPTH:
        raise refused(f"`{shown(str(kind))}` is no geometry a filter may hold.", f"`{shown(str(kind))}` không phải hình học dùng được.")
    count = [MOST_PLACES]
    coordinates = _coordinates(node.get("coordinates"), _DEPTH[kind], count)
    rings = coordinates if kind == "Polygon" else [ring for part in coordinates for ring in part] if kind == "MultiPolygon" else []
    if not all(len(ring) > 3 and ring[0] == ring[-1] for ring in rings):
        raise refused("a ring is closed and has at least four places.", "vành phải khép kín và có ít nhất bốn điểm.")
    return {"type": kind, "coordinates": coordinates}


def _coordinates(found: Anything, depth: int, left: list[int]) -> Anything:
    if not isinstance(found, list) or not found:
        raise refused("a geometry has coordinates.", "hình học phải có tọa độ.")
    if depth:
        return [_coordinates(part, depth - 1, left) for part in found]
    left[0] -= 1
    if left[0] < 0:
        raise refused(f"a geometry has at most {MOST_PLACES} places.", f"hình học có nhiều nhất {MOST_PLACES} điểm.")
    if len(found) not in (2, 3) or not all(_is_number(value) for value in found):
        raise refused("a place is two numbers.", "một điểm là hai số.")
    return [float(found[0]), float(found[1])]


def _is_number(value: Anything) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _not_understood(node: Anything) -> BadRequest:
    return refused(f"not understood: `{shown(str(node))}`.", f"không hiểu `{shown(str(node))}`.")
