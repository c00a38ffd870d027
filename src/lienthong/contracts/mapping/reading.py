"""From the text of a mapping to its tree, or the place where it is wrong and the nearest right word.

    expression := condition
    condition  := both ("or" both)* ; both := denied ("and" denied)* ; denied := "not" denied | compared
    compared   := sum [("=" | "!=" | "<" | "<=" | ">" | ">=") sum]
    sum        := product (("+" | "-") product)* ; product := part (("*" | "/") part)*
    part       := "text" | 12.5 | [Heading] | -part | name(expression, …) | (expression)

A quotation mark in a text is written twice, a `]` in a heading too. Length, depth and size are bounded before anything is done with it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from lienthong.contracts.faults import nearest
from lienthong.contracts.mapping import functions as f
from lienthong.contracts.mapping.functions import FUNCTIONS, Function
from lienthong.contracts.mapping.tree import Call, Heading, Kind, Node, Number, Text, kind_of
from lienthong.contracts.mapping.units import UNITS, factor_between, unit_named

LONGEST, DEEPEST, MOST_PARTS = 2_000, 20, 200
LONGEST_WRITTEN = 200
MOST_PADDED = 100
_TOKEN = re.compile(
    r"""\s*(?:
    (?P<text>"(?:[^"]|"")*")
  | (?P<heading>\[(?:[^\]]|\]\])+\])
  | (?P<number>\d+(?:\.\d+)?)
  | (?P<word>[a-z_]+)
  | (?P<sign><=|>=|!=|[=<>+\-*/(),])
  )""",
    re.VERBOSE,
)
_COMPARISONS = ("=", "!=", "<=", ">=", "<", ">")


class MappingFault(ValueError):
    """What is wrong with a mapping; `suggestion` is the nearest right word, or nothing."""

    def __init__(self, what: str, suggestion: str = "") -> None:
        super().__init__(what)
        self.suggestion = suggestion


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str
    place: int


def read_mapping(text: str) -> Node:
    """The tree of an expression. Raises MappingFault, and nothing else, for any text that is none."""
    if not text.strip() or len(text) > LONGEST:
        raise MappingFault(f"expected an expression of 1 to {LONGEST:,} characters")
    reader = _Reader(_tokens(text))
    node = reader.condition(0)
    reader.end()
    return node


def _tokens(text: str) -> list[_Token]:
    found: list[_Token] = []
    at = 0
    while text[at:].strip():
        match = _TOKEN.match(text, at)
        if match is None or match.lastgroup is None:
            place = at + len(text[at:]) - len(text[at:].lstrip())
            raise MappingFault(f"character {place + 1}: `{text[place]}` is not understood", 'a text is written "so", a column [so]')
        found.append(_Token(match.lastgroup, match[match.lastgroup], match.start(match.lastgroup)))
        at = match.end()
        if len(found) > 3 * MOST_PARTS:
            raise MappingFault(f"expected at most {MOST_PARTS} parts")
    return found


class _Reader:
    def __init__(self, tokens: list[_Token]) -> None:
        self._tokens = tokens
        self._at = 0
        self._parts = 0

    def end(self) -> None:
        if self._at < len(self._tokens):
            raise self._strange()

    def condition(self, depth: int) -> Node:
        return self._chain(depth, ("or",), lambda d: self._chain(d, ("and",), self._denied))

    def _denied(self, depth: int) -> Node:
        if self._takes("not"):
            return self._call("not", (self._denied(self._deeper(depth)),))
        return self._compared(depth)

    def _compared(self, depth: int) -> Node:
        left = self._sum(depth)
        sign = self._takes(*_COMPARISONS)
        return left if sign is None else self._call(sign, (left, self._sum(depth)))

    def _sum(self, depth: int) -> Node:
        return self._chain(depth, ("+", "-"), lambda d: self._chain(d, ("*", "/"), self._part))

    def _chain(self, depth: int, signs: tuple[str, ...], below: Callable[[int], Node]) -> Node:
        left, length = below(depth), 0
        while (sign := self._takes(*signs)) is not None:
            length += 1
            self._deeper(depth + length)  # a chain is a tree as deep as it is long
            left = self._call(sign, (left, below(depth)))
        return left

    def _part(self, depth: int) -> Node:
        token = self._next()
        if token.kind == "text":
            return self._made(Text(_written(token.text[1:-1].replace('""', '"'))))
        if token.kind == "heading":
            return self._made(Heading(token.text[1:-1].replace("]]", "]").strip()))
        if token.kind == "number":
            return self._made(Number(_number(token.text)))
        if token.text == "-":
            part = self._part(self._deeper(depth))
            return Number(-part.value) if isinstance(part, Number) else self._call("-", (Number(0.0), part))
        if token.text == "(":
            inner = self.condition(self._deeper(depth))
            self._needs(")")
            return inner
        if token.kind == "word" and self._takes("("):
            return self._function(token, self._deeper(depth))
        raise self._strange(token)

    def _function(self, token: _Token, depth: int) -> Node:
        if token.text not in FUNCTIONS or FUNCTIONS[token.text].is_operator:
            known = [name for name, each in FUNCTIONS.items() if not each.is_operator]
            raise MappingFault(f"character {token.place + 1}: there is no function `{token.text}`", nearest(token.text, known))
        arguments = [self.condition(depth)]
        while self._takes(","):
            arguments.append(self.condition(depth))
        self._needs(")")
        return self._call(token.text, tuple(arguments))

    def _call(self, name: str, arguments: tuple[Node, ...]) -> Call:
        made = Call(name, arguments, _checked(name, FUNCTIONS[name], arguments))
        self._made(made)
        return made

    def _made(self, node: Node) -> Node:
        self._parts += 1
        if self._parts > MOST_PARTS:
            raise MappingFault(f"expected at most {MOST_PARTS} parts")
        return node

    def _deeper(self, depth: int) -> int:
        if depth >= DEEPEST:
            raise MappingFault(f"nested more than {DEEPEST} deep")
        return depth + 1

    def _next(self) -> _Token:
        if self._at >= len(self._tokens):
            raise MappingFault("ends too early")
        self._at += 1
        return self._tokens[self._at - 1]

    def _takes(self, *texts: str) -> str | None:
        if self._at < len(self._tokens) and (token := self._tokens[self._at]).kind in ("word", "sign") and token.text in texts:
            self._at += 1
            return token.text
        return None

    def _needs(self, text: str) -> None:
        if self._takes(text) is None:
            raise self._strange() if self._at < len(self._tokens) else MappingFault(f"ends too early: `{text}` is missing")

    def _strange(self, token: _Token | None = None) -> MappingFault:
        token = token or self._tokens[self._at]
        return MappingFault(f"character {token.place + 1}: `{token.text[:30]}` does not belong here")


def _written(text: str) -> str:
    if len(text) > LONGEST_WRITTEN or "\x00" in text:
        raise MappingFault(f"expected a text of at most {LONGEST_WRITTEN} characters")
    return text


def _number(text: str) -> float:
    if len(text) > 15:
        raise MappingFault("expected a number of at most 15 signs")
    return float(text)


def _checked(name: str, function: Function, arguments: tuple[Node, ...]) -> Kind:
    """What a call gives. Raises MappingFault where something stands in a place it cannot stand in."""
    count, least = len(arguments), len(function.takes)
    if count < least or (count > least and not function.more) or (name == "number" and count > 2):
        raise MappingFault(
            f"`{name}` takes {least}{' or more' if function.more else ''} parts, found {count}", f"such as `{function.example}`"
        )
    for n, argument in enumerate(arguments):
        wanted = function.takes[n] if n < least else function.more[(n - least) % len(function.more)]
        _check_place(name, function, n, wanted, argument)
    _check_own(name, arguments)
    if function.gives is not None:
        return function.gives
    kinds = {kind_of(each) for each in (arguments[1:] if name == "if" else arguments)}
    return kinds.pop() if len(kinds) == 1 else Kind.TEXT


def _check_place(name: str, function: Function, n: int, wanted: str, argument: Node) -> None:
    is_right = {
        f.WRITTEN: lambda: isinstance(argument, Text),
        f.UNIT: lambda: isinstance(argument, Text),
        f.DATASET: lambda: isinstance(argument, Text),
        f.COLUMN: lambda: isinstance(argument, Text),
        f.WHOLE: lambda: isinstance(argument, Number) and argument.value.is_integer() and abs(argument.value) <= 1_000,
        f.TRUTH: lambda: kind_of(argument) is Kind.TRUTH,
        f.NUMBER: lambda: kind_of(argument) is not Kind.TRUTH,
    }.get(wanted, lambda: True)()
    if not is_right:
        words = {f.WHOLE: "a whole number written out", f.TRUTH: "a condition", f.NUMBER: "a number"}.get(wanted, "a text written out")
        raise MappingFault(f"`{name}`, place {n + 1}: expected {words}", f"such as `{function.example}`")


def _check_own(name: str, arguments: tuple[Node, ...]) -> None:
    texts = [each.value if isinstance(each, Text) else "" for each in arguments]
    numbers = [int(each.value) if isinstance(each, Number) else 0 for each in arguments]
    if name in ("replace", "part", "before", "after", "before_last", "after_last", "contains", "starts") and not texts[1]:
        raise MappingFault(f"`{name}`, place 2: expected a text that is not empty")
    if name == "between" and not (texts[1] and texts[2]):
        raise MappingFault("`between`: expected two texts that are not empty")
    if name == "part" and numbers[2] == 0:
        raise MappingFault("`part`, place 3: parts are counted from 1, or from -1 at the end")
    if name == "pad" and (not 0 < numbers[1] <= MOST_PADDED or len(texts[2]) != 1):
        raise MappingFault(f"`pad`: expected a length from 1 to {MOST_PADDED} and one character")
    if name in ("first", "last") and not numbers[1] > 0:
        raise MappingFault(f"`{name}`, place 2: expected a whole number from 1")
    if name == "round" and not 0 <= numbers[1] <= 12:
        raise MappingFault("`round`, place 2: expected 0 to 12 decimals")
    if name == "number" and len(arguments) == 2 and texts[1] not in (",", "."):
        raise MappingFault('`number`, place 2: expected "," or "."')
    if name == "convert" and factor_between(texts[1], texts[2]) is None:
        units = [unit for quantity in UNITS.values() for unit in quantity]
        strange = next((each for each in texts[1:] if not unit_named(each)), "")
        raise MappingFault(
            f"`convert`: `{texts[1]}` and `{texts[2]}` are no units of one quantity", nearest(strange, units) if strange else ""
        )
