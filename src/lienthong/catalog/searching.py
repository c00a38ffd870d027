"""Finds datasets by words, with marks or without, abbreviations too. The whole catalogue fits in memory: no search server is needed.

A query is words; every word must be met, by a whole word or the beginning of one, in the title, the owner's name, the fields or the text.
Words typed with their marks count more where the marks agree. Nothing found by all the words is looked for by some, and that is said.
"""

from __future__ import annotations

import csv
import io
import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import resources

from lienthong.contracts import Contract
from lienthong.standards import without_marks
from lienthong.standards.text import tidy

MOST_WORDS = 12
_WORD = re.compile(r"\w+")
_TITLE, _OWNER, _FIELD, _TEXT = 8.0, 4.0, 3.0, 1.0  # how much a word says where it stands
_BEGINNING = 0.6  # of a word that only begins so
_MARKS = 1.25  # where the marks agree too
_IN_A_ROW = 6.0  # the words as they were typed, in the title
FACETS = ("agency", "domain", "layer", "sharing")


@dataclass(frozen=True)
class Wanted:
    """What is looked for: words, and one value of any facet."""

    words: str = ""
    facets: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Facet:
    """One value of a facet among what was found, as it would be without this facet."""

    name: str
    value: str
    count: int


@dataclass(frozen=True)
class Found:
    """Best first. `is_partly`: no dataset meets all the words; these meet some. `fields`: names of the fields that met the words, by dataset."""

    contracts: tuple[Contract, ...]
    facets: tuple[Facet, ...]
    is_partly: bool = False
    fields: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class _Entry:
    contract: Contract
    plain: Mapping[str, float]  # word without marks → weight
    marked: frozenset[str]
    title: str


class Index:
    """The catalogue, ready to be searched. `agencies`: code → name."""

    def __init__(self, contracts: Iterable[Contract], agencies: Mapping[str, str]) -> None:
        self._entries = [_entry(contract, agencies.get(contract.agency, "")) for contract in contracts]
        seen = Counter(word for entry in self._entries for word in entry.plain)
        self._telling = {word: math.log(1 + len(self._entries) / count) for word, count in seen.items()}

    def search(self, wanted: Wanted) -> Found:
        """What meets the words and the facets, and how many there would be of each value of a facet."""
        ways = [_ways(word) for word in _words(wanted.words)[:MOST_WORDS]]
        ways = _with_phrases(wanted.words, ways)
        scored = self._scored(ways, wanted.words, needs_all=True)
        is_partly = bool(ways) and not scored
        if is_partly:
            scored = self._scored(ways, wanted.words, needs_all=False)
        chosen = [(score, entry) for score, entry in scored if _fits(entry.contract, wanted.facets)]
        chosen.sort(key=lambda each: (-each[0], each[1].contract.title_vi))
        contracts = tuple(entry.contract for _, entry in chosen)
        facets = _facets([entry.contract for _, entry in scored], wanted.facets)
        return Found(contracts, facets, is_partly, {c.id: _met_fields(c, ways) for c in contracts} if ways else {})

    def _scored(self, ways: Sequence[Sequence[str]], typed: str, *, needs_all: bool) -> list[tuple[float, _Entry]]:
        phrase = without_marks(tidy(typed))
        found = []
        for entry in self._entries:
            parts = [max((self._score(entry, way) for way in word), default=0.0) for word in ways]
            met = all(parts) if needs_all else any(parts)
            if met or not ways:
                bonus = _IN_A_ROW if phrase and phrase in entry.title else 0.0
                found.append((sum(parts) + bonus, entry))
        return found

    def _score(self, entry: _Entry, way: str) -> float:
        """Of one way to write one word: all its parts must be there."""
        scores = [self._score_of_word(entry, word) for word in way.split()]
        if not scores or not all(scores):
            return 0.0
        return min(scores) + (_IN_A_ROW if len(scores) > 1 and without_marks(way) in entry.title else 0.0)

    def _score_of_word(self, entry: _Entry, word: str) -> float:
        plain = without_marks(word)
        best = entry.plain.get(plain, 0.0) * self._telling.get(plain, 1.0)
        if best and plain != word and word in entry.marked:
            best *= _MARKS
        if len(plain) >= 2:
            for other, weight in entry.plain.items():
                if other.startswith(plain) and other != plain:
                    best = max(best, weight * _BEGINNING * self._telling[other])
        return best


def _entry(contract: Contract, owner: str) -> _Entry:
    places = [
        (_TITLE, [contract.title_vi, contract.title_en, contract.id.replace(".", " ").replace("-", " ")]),
        (_OWNER, [owner, contract.agency]),
        (_FIELD, [text for p in contract.properties for text in (p.title_vi, p.title_en, p.name.replace("_", " "))]),
        (_TEXT, [contract.description_vi, contract.description_en, contract.domain, contract.entity or "", *(p.description for p in contract.properties)]),
    ]  # fmt: skip
    plain: dict[str, float] = {}
    marked: set[str] = set()
    for weight, texts in places:
        for text in texts:
            for word in _words(text):
                marked.add(word)
                key = without_marks(word)
                plain[key] = max(plain.get(key, 0.0), weight)
    return _Entry(contract, plain, frozenset(marked), without_marks(tidy(f"{contract.title_vi} · {contract.title_en}")))


def _words(text: str) -> list[str]:
    return _WORD.findall(tidy(text).casefold())


@cache
def _synonyms() -> dict[str, tuple[str, ...]]:
    rows = list(csv.reader(io.StringIO(resources.files("lienthong.catalog").joinpath("data/synonyms.csv").read_text("utf-8"))))[1:]
    found: dict[str, list[str]] = {}
    for short, long in rows:
        found.setdefault(short, []).append(long)
    return {short: tuple(longs) for short, longs in found.items()}


def _ways(word: str) -> list[str]:
    """The word, and what it is short for."""
    return [word, *_synonyms().get(without_marks(word), ())]


def _with_phrases(typed: str, ways: list[list[str]]) -> list[list[str]]:
    """Two words that together stand for others (`xã phường`) count as either."""
    words = _words(typed)[:MOST_WORDS]
    for place in range(len(words) - 1):
        meant = _synonyms().get(without_marks(f"{words[place]} {words[place + 1]}"), ())
        ways[place].extend(meant)
        ways[place + 1].extend(meant)
    return ways


def _fits(contract: Contract, facets: Mapping[str, str]) -> bool:
    return all(_value(contract, name) == value for name, value in facets.items())


def _value(contract: Contract, name: str) -> str:
    return str(getattr(contract, name))


def _facets(contracts: Sequence[Contract], chosen: Mapping[str, str]) -> tuple[Facet, ...]:
    found = []
    for name in FACETS:
        others = {other: value for other, value in chosen.items() if other != name}
        counted = Counter(_value(contract, name) for contract in contracts if _fits(contract, others))
        found += [Facet(name, value, count) for value, count in sorted(counted.items(), key=lambda each: (-each[1], each[0]))]
    return tuple(found)


def _met_fields(contract: Contract, ways: Sequence[Sequence[str]]) -> tuple[str, ...]:
    wanted = {without_marks(word) for way in ways for each in way for word in each.split() if len(word) > 1}
    return tuple(p.name for p in contract.properties if wanted & {without_marks(word) for word in _words(f"{p.title_vi} {p.title_en}")})
