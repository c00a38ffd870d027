"""What an expression is once it is read: texts, numbers, delivered columns, and functions of them. There are no names, so nothing can repeat."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What a part of an expression gives."""

    TEXT = "text"
    NUMBER = "number"
    TRUTH = "truth"


@dataclass(frozen=True)
class Text:
    value: str


@dataclass(frozen=True)
class Number:
    value: float


@dataclass(frozen=True)
class Heading:
    """A delivered column, by its heading."""

    name: str


@dataclass(frozen=True)
class Call:
    """A function (or an operator, by its sign) of other parts; `kind` is what it gives."""

    function: str
    arguments: tuple[Node, ...]
    kind: Kind


Node = Text | Number | Heading | Call


def kind_of(node: Node) -> Kind:
    if isinstance(node, Call):
        return node.kind
    return Kind.NUMBER if isinstance(node, Number) else Kind.TEXT


def walk(node: Node) -> Iterator[Node]:
    """Every part, the whole first."""
    yield node
    if isinstance(node, Call):
        for each in node.arguments:
            yield from walk(each)


def headings_of(node: Node) -> tuple[str, ...]:
    """The delivered columns an expression reads, each once, in order."""
    return tuple(dict.fromkeys(part.name for part in walk(node) if isinstance(part, Heading)))


def lookups_of(node: Node) -> tuple[tuple[str, str, str], ...]:
    """(dataset, column it is found by, column it gives) of every look-up, each once."""
    found = []
    for part in walk(node):
        if isinstance(part, Call) and part.function == "lookup":
            _, *named = part.arguments
            dataset, by, gives = (each.value for each in named if isinstance(each, Text))
            found.append((dataset, by, gives))
    return tuple(dict.fromkeys(found))
