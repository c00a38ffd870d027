"""Agencies as a tree with dates: who is part of whom, who closed when, and who took their place. The code of a closed one stays readable for ever."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

DEEPEST = 20  # no tree of offices is deeper; a circle would be


@dataclass(frozen=True)
class Agency:
    """An agency under its code. `valid_to` is the first day it is no longer there; `successors` are codes, none when nobody took its place."""

    code: str
    name: str
    kind: str = ""
    parent: str = ""
    valid_from: date = date.min
    valid_to: date | None = None
    successors: tuple[str, ...] = ()

    def is_open(self, on: date) -> bool:
        return self.valid_from <= on and (self.valid_to is None or on < self.valid_to)


@dataclass(frozen=True)
class Agencies:
    """All agencies known, by code. A code nobody registered is not closed: the tree says what it knows."""

    by_code: Mapping[str, Agency]

    def is_closed(self, code: str, on: date) -> bool:
        found = self.by_code.get(code)
        return found is not None and found.valid_to is not None and found.valid_to <= on

    def replaced_by(self, code: str, on: date) -> tuple[str, ...]:
        """The agencies open on a day that now stand for a code, through every merger since, in order of code."""
        standing: set[str] = set()
        seen: set[str] = set()
        waiting = [code]
        while waiting:
            each = waiting.pop()
            if each in seen:
                continue
            seen.add(each)
            if each != code and not self.is_closed(each, on):
                standing.add(each)
            elif each in self.by_code:
                waiting += self.by_code[each].successors
        return tuple(sorted(standing))

    def above(self, code: str) -> tuple[str, ...]:
        """The agencies above, nearest first."""
        found: list[str] = []
        each = self.by_code.get(code)
        while each is not None and each.parent and each.parent not in found and len(found) < DEEPEST:
            found.append(each.parent)
            each = self.by_code.get(each.parent)
        return tuple(found)

    def below(self, code: str) -> tuple[Agency, ...]:
        """The agencies directly below, in order of code."""
        return tuple(sorted((a for a in self.by_code.values() if a.parent == code), key=lambda a: a.code))


NO_AGENCIES = Agencies({})


def words_of_closed(code: str, successors: tuple[str, ...]) -> tuple[str, str]:
    """(Vietnamese, English) of a refusal to or from a closed agency."""
    if not successors:
        return f"Cơ quan {code} đã kết thúc hoạt động", f"Agency {code} is closed"
    named = ", ".join(successors)
    return f"Cơ quan {code} đã kết thúc hoạt động, được thay bằng {named}", f"Agency {code} is closed, replaced by {named}"
