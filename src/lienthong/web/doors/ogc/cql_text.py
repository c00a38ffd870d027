"""CQL2 as text, read into the JSON form of the same standard. Only what a filter here may hold is read; everything is bounded before it is looked at."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from lienthong.errors import BadRequest
from lienthong.sharing.filters import shown

LONGEST = 20_000
DEEPEST = 20
LONGEST_NUMBER = 100
_TOKEN = re.compile(
    r"""\s*(?:
        (?P<text>'(?:[^']|'')*')
      | (?P<number>[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?)
      | (?P<quoted>"(?:[^"]|"")+")
      | (?P<word>[^\W\d][\w.:]*)
      | (?P<sign><=|>=|<>|[=<>(),])
    )""",
    re.VERBOSE,
)
_COMPARISONS = ("=", "<>", "<", ">", "<=", ">=")
_SHAPES = {"POINT": 0, "MULTIPOINT": 1, "LINESTRING": 1, "POLYGON": 2, "MULTILINESTRING": 2, "MULTIPOLYGON": 3}
_NAMES = {
    "POINT": "Point", "MULTIPOINT": "MultiPoint", "LINESTRING": "LineString", "POLYGON": "Polygon", "MULTILINESTRING": "MultiLineString",
    "MULTIPOLYGON": "MultiPolygon",
}  # fmt: skip
Node = Any
Token = tuple[str, str]


def read_text(text: str) -> Node:
    """The filter as CQL2 JSON. Raises BadRequest saying where it is not understood."""
    if len(text) > LONGEST:
        raise refused(f"A filter has at most {LONGEST} characters.", f"Điều kiện lọc có nhiều nhất {LONGEST} ký tự.")
    reader = _Reader(_tokens(text))
    found = reader.either(DEEPEST)
    if reader.token[0] != "end":
        raise reader.surprised()
    return found


def refused(en: str, vi: str) -> BadRequest:
    return BadRequest(
        f"`filter`: {en}",
        hint="See …/queryables for the properties, docs/reference/doors.md for the language.",
        hint_vi="Các thuộc tính: xem …/queryables; ngôn ngữ: xem docs/reference/doors.md.",
        vi=f"`filter`: {vi}",
    )


def _tokens(text: str) -> list[Token]:
    found: list[Token] = []
    position, end = 0, len(text.rstrip())
    while position < end:
        token = _TOKEN.match(text, position)
        if token is None or token.lastgroup is None:
            raise refused(f"not understood at `{shown(text[position:].strip())}`.", f"không hiểu tại `{shown(text[position:].strip())}`.")
        found.append((token.lastgroup, token[token.lastgroup]))
        position = token.end()
    return found


class _Reader:
    """Reads tokens from left to right, as deep as it is allowed."""

    def __init__(self, tokens: list[Token]) -> None:
        self._tokens = [*tokens, ("end", "")]
        self._place = 0

    @property
    def token(self) -> Token:
        return self._tokens[self._place]

    def either(self, depth: int) -> Node:
        return self._joined("OR", "or", self._both, depth)

    def surprised(self) -> BadRequest:
        kind, value = self.token
        where = "its end" if kind == "end" else f"`{shown(value)}`"
        return refused(f"not understood at {where}.", f"không hiểu tại {where}.")

    def _both(self, depth: int) -> Node:
        return self._joined("AND", "and", self._one, depth)

    def _joined(self, word: str, operation: str, part: Callable[[int], Node], depth: int) -> Node:
        if depth <= 0:
            raise refused(f"conditions stand more than {DEEPEST} deep in each other.", f"điều kiện lồng nhau quá {DEEPEST} tầng.")
        parts = [part(depth)]
        while self._takes_word(word):
            parts.append(part(depth))
        return parts[0] if len(parts) == 1 else {"op": operation, "args": parts}

    def _one(self, depth: int) -> Node:
        if self._takes_word("NOT"):
            if depth <= 1:
                raise refused(f"conditions stand more than {DEEPEST} deep in each other.", f"điều kiện lồng nhau quá {DEEPEST} tầng.")
            return {"op": "not", "args": [self._one(depth - 1)]}
        if self._takes("("):
            found = self.either(depth - 1)
            self._needs(")")
            return found
        return self._predicate()

    def _predicate(self) -> Node:
        kind, value = self.token
        if kind == "word" and value.upper() in ("TRUE", "FALSE") and self._tokens[self._place + 1][1] not in _COMPARISONS:
            self._place += 1
            return value.upper() == "TRUE"
        if kind == "word" and value.upper() == "S_INTERSECTS":
            self._place += 1
            self._needs("(")
            first = self._operand()
            self._needs(",")
            second = self._operand()
            self._needs(")")
            return {"op": "s_intersects", "args": [first, second]}
        return self._compared(self._operand())

    def _compared(self, first: Node) -> Node:
        kind, value = self.token
        if kind == "sign" and value in _COMPARISONS:
            self._place += 1
            return {"op": value, "args": [first, self._operand()]}
        if self._takes_word("IS"):
            is_not = self._takes_word("NOT")
            self._needs_word("NULL")
            return _negated({"op": "isNull", "args": [first]}, is_not)
        is_not = self._takes_word("NOT")
        if self._takes_word("LIKE"):
            return _negated({"op": "like", "args": [first, self._operand()]}, is_not)
        if self._takes_word("BETWEEN"):
            low = self._operand()
            self._needs_word("AND")
            return _negated({"op": "between", "args": [first, low, self._operand()]}, is_not)
        if self._takes_word("IN"):
            self._needs("(")
            values = [self._operand()]
            while self._takes(","):
                values.append(self._operand())
            self._needs(")")
            return _negated({"op": "in", "args": [first, values]}, is_not)
        raise self.surprised()

    def _operand(self) -> Node:
        kind, value = self.token
        if kind == "text":
            self._place += 1
            return value[1:-1].replace("''", "'")
        if kind == "number":
            self._place += 1
            if len(value) > LONGEST_NUMBER:
                raise refused("a number is too long.", "một số quá dài.")
            return int(value) if value.lstrip("+-").isdigit() else float(value)
        if kind == "quoted":
            self._place += 1
            return {"property": value[1:-1].replace('""', '"')}
        if kind != "word":
            raise self.surprised()
        self._place += 1
        word = value.upper()
        if word in ("TRUE", "FALSE"):
            return word == "TRUE"
        if self.token == ("sign", "("):
            return self._called(word, value)
        return {"property": value}

    def _called(self, word: str, value: str) -> Node:
        if word in ("DATE", "TIMESTAMP"):
            self._needs("(")
            kind, text = self.token
            if kind != "text":
                raise self.surprised()
            self._place += 1
            self._needs(")")
            return {word.lower(): text[1:-1]}
        if word == "BBOX":
            self._needs("(")
            numbers = [self._number()]
            while self._takes(","):
                numbers.append(self._number())
            self._needs(")")
            return {"bbox": numbers}
        if word in _SHAPES:
            depth = _SHAPES[word]
            coordinates = self._places(depth, is_loose=word == "MULTIPOINT") if depth else self._in_brackets(self._place_)
            return {"type": _NAMES[word], "coordinates": coordinates}
        raise refused(f"the function `{shown(value)}` is not offered.", f"không có hàm `{shown(value)}`.")

    def _places(self, depth: int, *, is_loose: bool = False) -> Any:
        """A list in brackets, so many deep, of places. `is_loose`: each place may stand in brackets of its own."""
        self._needs("(")
        found = []
        while True:
            if depth > 1:
                found.append(self._places(depth - 1))
            elif is_loose and self.token == ("sign", "("):
                found.append(self._in_brackets(self._place_))
            else:
                found.append(self._place_())
            if not self._takes(","):
                break
        self._needs(")")
        return found

    def _in_brackets(self, read: Callable[[], Any]) -> Any:
        self._needs("(")
        found = read()
        self._needs(")")
        return found

    def _place_(self) -> list[float]:
        place = [self._number(), self._number()]
        if self.token[0] == "number":
            self._number()  # a height: places here have none
        return place

    def _number(self) -> float:
        kind, value = self.token
        if kind != "number":
            raise self.surprised()
        self._place += 1
        return float(value)

    def _takes(self, sign: str) -> bool:
        if self.token != ("sign", sign):
            return False
        self._place += 1
        return True

    def _needs(self, sign: str) -> None:
        if not self._takes(sign):
            raise self.surprised()

    def _takes_word(self, word: str) -> bool:
        kind, value = self.token
        if kind != "word" or value.upper() != word:
            return False
        self._place += 1
        return True

    def _needs_word(self, word: str) -> None:
        if not self._takes_word(word):
            raise self.surprised()


def _negated(node: Node, is_not: bool) -> Node:
    return {"op": "not", "args": [node]} if is_not else node
