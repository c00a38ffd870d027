"""Gathers the faults of a document while it is read, so that all are told at once; a reader never stops at the first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from difflib import get_close_matches
from enum import StrEnum
from typing import Any, TypeVar

Fault = tuple[str, str, str]  # place, what is wrong, suggestion
Words = TypeVar("Words", bound=StrEnum)


def nearest(word: object, words: Iterable[object]) -> str:
    """`did you mean …?` with the nearest right word, or nothing when none is near."""
    near = get_close_matches(str(word), [str(known) for known in words], n=1, cutoff=0.5)
    return f"did you mean `{near[0]}`?" if near else ""


class Faults:
    """The faults found so far. Each `take` function gives a usable value whatever it was given, and notes what was wrong."""

    def __init__(self) -> None:
        self.found: list[Fault] = []

    def add(self, place: str, what: str, suggestion: str = "") -> None:
        self.found.append((place, what, suggestion))

    def text(self, value: Any, place: str) -> str:
        """Text; nothing for nothing."""
        if value is None:
            return ""
        if not isinstance(value, str):
            self.add(place, f"expected text, found `{value}`", "put it in quotes")
            return ""
        return value

    def flag(self, value: Any, place: str) -> bool:
        if value is None or isinstance(value, bool):
            return bool(value)
        self.add(place, f"expected true or false, found `{value}`")
        return False

    def mapping(self, value: Any, place: str) -> Mapping[str, Any]:
        """Names and values; nothing for nothing."""
        if value is None:
            return {}
        if not isinstance(value, dict):
            self.add(place, f"expected names and values, found `{value}`")
            return {}
        return {str(name): inner for name, inner in value.items()}

    def entries(self, value: Any, place: str) -> list[Any]:
        """A list; nothing for nothing."""
        if value is None:
            return []
        if not isinstance(value, list):
            self.add(place, f"expected a list, found `{value}`")
            return []
        return value

    def texts(self, value: Any, place: str) -> tuple[str, ...]:
        """One text or a list of them."""
        if isinstance(value, str):
            return (value,)
        return tuple(self.text(entry, place) for entry in self.entries(value, place))

    def day(self, value: Any, place: str) -> date | None:
        if value is None:
            return None
        try:
            return date.fromisoformat(str(value))
        except ValueError:
            self.add(place, f"expected a date such as 2025-07-01, found `{value}`")
            return None

    def one_of(self, kind: type[Words], value: Any, place: str, default: Words) -> Words:
        """A word of the list; the default for nothing."""
        if value is None:
            return default
        words = [word.value for word in kind]
        if value in words:
            return kind(value)
        self.add(place, f"expected one of {', '.join(words)}, found `{value}`", nearest(value, words))
        return default

    def known(self, found: Mapping[str, Any], words: Iterable[str], place: str) -> None:
        """Notes every name that is not among the words."""
        known = tuple(words)
        for name in found:
            if name not in known:
                self.add(f"{place}.{name}", "is not understood", nearest(name, known))

    def custom(self, found: Mapping[str, Any], words: Iterable[str], place: str) -> dict[str, Any]:
        """The values of `customProperties`, by name."""
        known = tuple(words)
        values: dict[str, Any] = {}
        for n, entry in enumerate(self.entries(found.get("customProperties"), f"{place}customProperties")):
            word = entry.get("property") if isinstance(entry, dict) else None
            if word not in known:
                self.add(f"{place}customProperties[{n}]", f"`{word}` is not understood", nearest(word, known))
            elif word in values:
                self.add(f"{place}customProperties[{n}]", f"`{word}` stands twice")
            else:
                values[str(word)] = entry.get("value")
        return values


def plain_value(value: Any) -> Any:
    """A date written as text becomes a date; everything else stays."""
    if isinstance(value, str) and len(value) == len("2025-07-01"):
        try:
            return date.fromisoformat(value)
        except ValueError:
            return value
    return value
