"""Hints of what a client will filter by: files that cannot hold such rows are left out. Best effort, as the protocol has it.

A hint that is not understood, too deep or of the wrong kinds leaves nothing out; it is never an error and never decides what may be seen.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import date
from typing import Any

import msgspec

from lienthong.sharing.shares.files import Part

MOST_NODES = 200
DEEPEST = 20
LONGEST_HINT = 65_536
MOST_HINTS = 50
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_SQL = re.compile(r"""\s*(?:`([^`]+)`|([A-Za-z_]\w*))\s*(<=|>=|<>|=|<|>)\s*(?:'((?:[^']|'')*)'|(-?\d+(?:\.\d+)?))\s*""")
_OPERATIONS = {"=": "equal", "<": "lessThan", "<=": "lessThanOrEqual", ">": "greaterThan", ">=": "greaterThanOrEqual"}
_TURNED = {
    "lessThan": "greaterThan",
    "lessThanOrEqual": "greaterThanOrEqual",
    "greaterThan": "lessThan",
    "greaterThanOrEqual": "lessThanOrEqual",
}
_KINDS: Mapping[str, Callable[[Any], Any]] = {
    "int": int, "long": int, "integer": int, "double": float, "float": float, "string": str, "date": lambda text: date.fromisoformat(text).isoformat(),
}  # fmt: skip


class _NotUnderstood(Exception):
    """A predicate that is no ground to leave anything out."""


def fitting(parts: Sequence[Part], sql_hints: Sequence[str], json_hint: str | None) -> list[Part]:
    """The parts that may hold rows the hints ask for."""
    predicates: list[Any] = []
    for hint in sql_hints[:MOST_HINTS]:
        read = _read_sql(hint)
        if read is not None:
            predicates.append(read)
    if json_hint is not None and len(json_hint) <= LONGEST_HINT:
        with suppress(msgspec.MsgspecError, RecursionError, UnicodeError):
            predicates.append(msgspec.json.decode(json_hint))
    return [part for part in parts if all(_may_fit(predicate, part) for predicate in predicates)]


def enough(parts: Sequence[Part], limit: int) -> list[Part]:
    """The first parts that hold so many rows together."""
    chosen: list[Part] = []
    rows = 0
    for part in parts:
        if rows >= limit:
            break
        chosen.append(part)
        rows += part.rows
    return chosen


def _read_sql(hint: str) -> Any:
    found = _SQL.fullmatch(hint) if len(hint) <= LONGEST_HINT else None
    if found is None or found[3] not in _OPERATIONS:
        return None
    text, number = found[4], found[5]
    literal = {
        "op": "literal",
        "value": number if text is None else text.replace("''", "'"),
        "valueType": "double" if text is None else "string",
    }
    return {"op": _OPERATIONS[found[3]], "children": [{"op": "column", "name": found[1] or found[2]}, literal]}


def _may_fit(predicate: Any, part: Part) -> bool:
    try:
        return _may(predicate, msgspec.json.decode(part.stats), [MOST_NODES], 0)
    except (_NotUnderstood, ValueError, TypeError, KeyError, AttributeError, ArithmeticError, RecursionError, msgspec.MsgspecError):
        return True


def _may(predicate: Any, stats: Mapping[str, Any], left: list[int], depth: int) -> bool:
    """Whether some row of a file with these statistics may fit. Raises _NotUnderstood."""
    left[0] -= 1
    if left[0] < 0 or depth > DEEPEST or not isinstance(predicate, dict):
        raise _NotUnderstood
    operation, children = predicate["op"], predicate.get("children", [])
    if operation == "and":
        return all(_safely(child, stats, left, depth) for child in children)
    if operation == "or":
        return any(_safely(child, stats, left, depth) for child in children)
    if operation == "isNull":
        return bool(stats["nullCount"][children[0]["name"]] > 0)
    if operation == "not" and children[0]["op"] == "isNull":
        return bool(stats["nullCount"][children[0]["children"][0]["name"]] < stats["numRecords"])
    if operation not in _TURNED and operation != "equal":
        raise _NotUnderstood
    column, literal = children
    if column["op"] == "literal":
        column, literal, operation = literal, column, _TURNED.get(operation, operation)
    return _compares(operation, column["name"], literal, stats)


def _safely(child: Any, stats: Mapping[str, Any], left: list[int], depth: int) -> bool:
    """A part that is not understood may fit."""
    try:
        return _may(child, stats, left, depth + 1)
    except (_NotUnderstood, ValueError, TypeError, KeyError, AttributeError, ArithmeticError):
        return True


def _compares(operation: str, column: str, literal: Mapping[str, Any], stats: Mapping[str, Any]) -> bool:
    least, most = stats["minValues"][column], stats["maxValues"][column]
    value = _KINDS[literal["valueType"]](literal["value"])
    _require_alike(least, value)
    if operation == "equal":
        return bool(least <= value <= most)
    if operation in ("lessThan", "lessThanOrEqual"):
        return bool(least < value or (operation == "lessThanOrEqual" and least == value))
    return bool(most > value or (operation == "greaterThanOrEqual" and most == value))


def _require_alike(bound: Any, value: Any) -> None:
    """Raises _NotUnderstood unless both compare as they stand: numbers, text, or days written in full."""
    if isinstance(bound, bool) or isinstance(bound, str) is not isinstance(value, str):
        raise _NotUnderstood
    if isinstance(value, float) and not math.isfinite(value):
        raise _NotUnderstood
    if isinstance(bound, str) and _DAY.match(bound):
        if not _DAY.fullmatch(bound) or not _DAY.fullmatch(value):
            raise _NotUnderstood
        date.fromisoformat(value)
