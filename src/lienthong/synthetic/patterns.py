"""A text that fits a regular expression, out of the expression itself.

The parts are Python's own reading of it (as hypothesis does); look-around, back references and what only RE2 knows are left out.
"""

from __future__ import annotations

import importlib
import re
import string
from functools import cache
from typing import Any

from numpy.random import Generator

from lienthong.errors import ContractError

SIGNS_OF_ROOM = 4  # with no more signs to draw than these, the far end alone would soon be full
MOST_REPEATS = 8  # of a part that may repeat without end
_PARSER: Any = importlib.import_module("re._parser")  # no types are published for it
_CLASSES = {"CATEGORY_DIGIT": string.digits, "CATEGORY_SPACE": " ", "CATEGORY_WORD": string.ascii_letters + string.digits}
_ANY = string.ascii_letters + string.digits


@cache
def _parsed(pattern: str) -> Any:
    try:
        return _PARSER.parse(pattern)
    except re.error as error:
        raise _cannot(pattern) from error


def fitting(pattern: str, draw: Generator) -> str:
    """A text that fits. Numbers are drawn towards the far end of their range, where no office has numbered yet.

    Raises ContractError for a pattern this cannot follow.
    """
    parts = _parsed(pattern)
    has_room = sum(map(_drawn, parts)) > SIGNS_OF_ROOM
    text = "".join(_said(part, draw, pattern, [has_room]) for part in parts)
    if not re.search(pattern, text):
        raise _cannot(pattern)
    return text


def _drawn(part: tuple[Any, Any]) -> int:
    """How many signs of a part are drawn, at least."""
    kind, value = str(part[0]), part[1]
    if kind in ("ANY", "NOT_LITERAL", "IN"):
        return 1
    if kind == "SUBPATTERN":
        return sum(map(_drawn, value[-1]))
    if kind == "BRANCH":
        return min(sum(map(_drawn, each)) for each in value[1])
    return int(value[0]) * sum(map(_drawn, value[2])) if kind.endswith("_REPEAT") else 0


def _said(part: tuple[Any, Any], draw: Generator, pattern: str, first: list[bool]) -> str:
    """`first` holds whether no class has been drawn yet: the first one gives its last character."""
    kind, value = str(part[0]), part[1]
    if kind == "LITERAL":
        return chr(value)
    if kind in ("AT", "ASSERT_NOT"):
        return ""
    if kind == "ANY":
        return _picked(_ANY, draw, first)
    if kind == "NOT_LITERAL":
        return _picked("".join(sign for sign in _ANY if ord(sign) != value), draw, first)
    if kind == "IN":
        return _picked(_choices(value, pattern), draw, first)
    if kind == "BRANCH":
        return "".join(_said(each, draw, pattern, first) for each in value[1][int(draw.integers(len(value[1])))])
    if kind == "SUBPATTERN":
        return "".join(_said(each, draw, pattern, first) for each in value[-1])
    if kind in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"):
        least, most, parts = value
        most = min(int(most), int(least) + MOST_REPEATS)
        return "".join(_said(each, draw, pattern, first) for _ in range(int(draw.integers(least, most + 1))) for each in parts)
    raise _cannot(pattern)


def _choices(parts: Any, pattern: str) -> str:
    is_not, found = False, ""
    for kind, value in parts:
        name = str(kind)
        if name == "NEGATE":
            is_not = True
        elif name == "LITERAL":
            found += chr(value)
        elif name == "RANGE":
            found += "".join(map(chr, range(value[0], min(value[1], value[0] + 500) + 1)))
        elif name == "CATEGORY" and str(value) in _CLASSES:
            found += _CLASSES[str(value)]
        else:
            raise _cannot(pattern)
    chosen = "".join(sign for sign in _ANY if sign not in found) if is_not else found
    if not chosen:
        raise _cannot(pattern)
    return chosen


def _picked(signs: str, draw: Generator, first: list[bool]) -> str:
    if first[0]:
        first[0] = False
        return max(signs)
    return signs[int(draw.integers(len(signs)))]


def _cannot(pattern: str) -> ContractError:
    return ContractError(
        "Rows cannot be invented for this contract.", faults=((f"pattern `{pattern}`", "is one no text can be made for", "name a standard, or a list of values"),)
    )  # fmt: skip
