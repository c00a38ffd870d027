"""Finds entries by words, with marks or without, abbreviations too. The whole catalogue fits in memory: no search server is needed.

A query is words; every word must be met, by a whole word or the beginning of one, in the title, the owner's name, the fields or the text.
Words typed with their marks count more where the marks agree. Nothing found by all the words is looked for by some, and that is said.

For each word there is the list of entries that hold it, as arrays: ten thousand entries are searched in milliseconds.
"""

from __future__ import annotations

import csv
import io
import math
import re
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, lru_cache
from importlib import resources
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lienthong.catalog.items import BETWEEN, Item
from lienthong.standards import without_marks
from lienthong.standards.text import tidy

MOST_WORDS = 12
_WORD = re.compile(r"\w+")
_TITLE, _OWNER, _FIELD, _TEXT = 8.0, 4.0, 3.0, 1.0  # how much a word says where it stands
_BEGINNING = 0.6  # of a word that only begins so
_MARKS = 1.25  # where the marks agree too
_IN_A_ROW = 6.0  # the words as they were typed, in the title
_PART = 0.5  # of what is part of a dataset: the dataset itself comes before it
FACETS = ("kind", "agency", "theme", "layer", "sharing", "format", "state")
Scores = NDArray[np.float64]
Numbers = NDArray[np.intp]


@dataclass(frozen=True)
class Wanted:
    """What is looked for: words, and one value of any facet; `limit` None: all there is from `offset` on."""

    words: str = ""
    facets: Mapping[str, str] = field(default_factory=dict)
    offset: int = 0
    limit: int | None = None


@dataclass(frozen=True)
class Facet:
    """One value of a facet among what was found, as it would be without this facet."""

    name: str
    value: str
    count: int


@dataclass(frozen=True)
class Found:
    """Best first, `total` of them. `is_partly`: no entry meets all the words; these meet some. `fields`: names of the fields that met the words, by id."""

    items: tuple[Item, ...]
    facets: tuple[Facet, ...]
    total: int
    is_partly: bool = False
    fields: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class _Holding:
    """The entries that hold a word: their numbers, how much it says in each, and in which of them it is spelled how."""

    numbers: Numbers
    weights: Scores
    spelled: Mapping[str, Numbers]


class Index:
    """The catalogue, ready to be searched."""

    def __init__(self, items: Iterable[Item]) -> None:
        self.items = tuple(items)
        self._words = _postings(self.items)
        self._ordered = sorted(self._words)
        self._telling = {word: math.log(1 + len(self.items) / len(held.numbers)) for word, held in self._words.items()}
        self._titles = [without_marks(tidy(f"{item.title_vi} · {item.title_en}")) for item in self.items]
        by_title = sorted(range(len(self.items)), key=lambda number: (self.items[number].title_vi, self.items[number].id))
        self._rank = np.empty(len(self.items), dtype=np.intp)
        self._rank[by_title] = np.arange(len(self.items))
        self._facets = {name: _facet_numbers(self.items, name) for name in FACETS}
        self._columns = {name: _column(held) for name, held in self._facets.items()}

    def search(self, wanted: Wanted) -> Found:
        """What meets the words and the facets, and how many there would be of each value of a facet."""
        ways = _with_phrases(wanted.words, [_ways(word) for word in _words(wanted.words)[:MOST_WORDS]])
        parts = [self._score_of_word(word) for word in ways]
        nothing: Scores = np.zeros(len(self.items))
        met = np.logical_and.reduce([part > 0 for part in parts]) if parts else nothing == 0
        is_partly = bool(parts) and not met.any()
        if is_partly:
            met = np.logical_or.reduce([part > 0 for part in parts])
        scores = sum(parts, nothing)
        phrase = without_marks(tidy(wanted.words))
        if phrase:
            self._add_where(scores, phrase, np.flatnonzero(met))
        chosen = np.flatnonzero(met & self._fits(wanted.facets))
        ordered = chosen[np.lexsort((self._rank[chosen], -scores[chosen]))]
        end = None if wanted.limit is None else wanted.offset + wanted.limit
        items = tuple(self.items[number] for number in ordered[wanted.offset : end])
        fields = {item.id: _met_fields(item, ways) for item in items} if ways else {}
        return Found(items, self._counted(met, wanted.facets), len(ordered), is_partly, fields)

    def ranked(self, words: str) -> list[str]:
        """Ids of the entries that meet all the words, best first: a search without facets, pages or the fields that met."""
        ways = _with_phrases(words, [_ways(word) for word in _words(words)[:MOST_WORDS]])
        parts = [self._score_of_word(word) for word in ways]
        if not parts:
            return []
        met = np.flatnonzero(np.logical_and.reduce([part > 0 for part in parts]))
        scores: Scores = sum(parts, np.zeros(len(self.items)))
        self._add_where(scores, without_marks(tidy(words)), met)
        return [self.items[number].id for number in met[np.lexsort((self._rank[met], -scores[met]))]]

    def _score_of_word(self, ways: Sequence[str]) -> Scores:
        best: Scores = np.zeros(len(self.items))
        for way in ways:
            parts = way.split()
            if not parts:
                continue
            scores = np.minimum.reduce([self._score(part) for part in parts])
            if len(parts) > 1:
                self._add_where(scores, without_marks(way), np.flatnonzero(scores))
            np.maximum(best, scores, out=best)
        return best

    def _score(self, word: str) -> Scores:
        """How much each entry says of one word."""
        plain = without_marks(word)
        best: Scores = np.zeros(len(self.items))
        held = self._words.get(plain)
        if held is not None:
            best[held.numbers] = held.weights * self._telling[plain]
            if plain != word and word in held.spelled:
                best[held.spelled[word]] *= _MARKS
        if len(plain) >= 2:
            for other in self._beginning(plain):
                begun = self._words[other]
                scores = begun.weights * (_BEGINNING * self._telling[other])
                best[begun.numbers] = np.maximum(best[begun.numbers], scores)
        return best

    def _beginning(self, plain: str) -> Iterable[str]:
        for word in self._ordered[bisect_left(self._ordered, plain) :]:
            if not word.startswith(plain):
                break
            if word != plain:
                yield word

    def _add_where(self, scores: Scores, phrase: str, numbers: Numbers) -> None:
        """More for the entries whose title holds the words in a row."""
        for number in numbers.tolist():
            if phrase in self._titles[number]:
                scores[number] += _IN_A_ROW * (_PART if BETWEEN in self.items[number].id else 1)

    def _fits(self, facets: Mapping[str, str]) -> NDArray[np.bool_]:
        fits = np.ones(len(self.items), dtype=bool)
        for name, value in facets.items():
            has = np.zeros(len(self.items), dtype=bool)
            has[self._facets[name].get(value, _NONE)] = True
            fits &= has
        return fits

    def _counted(self, met: NDArray[np.bool_], chosen: Mapping[str, str]) -> tuple[Facet, ...]:
        found = []
        for name in FACETS:
            open_to = met & self._fits({other: value for other, value in chosen.items() if other != name})
            places, numbers, values = self._columns[name]
            counted = np.bincount(places[open_to[numbers]], minlength=len(values)).tolist()
            told = sorted(
                ((count, value) for value, count in zip(values, counted, strict=True) if count), key=lambda each: (-each[0], each[1])
            )
            found += [Facet(name, value, count) for count, value in told]
        return tuple(found)


_NONE: Numbers = np.empty(0, dtype=np.intp)


def values_of(item: Item, facet: str) -> tuple[str, ...]:
    """The values an entry has of a facet."""
    if facet == "format":
        return item.formats
    value = str(getattr(item, facet))
    return (value,) if value else ()


def _facet_numbers(items: Sequence[Item], name: str) -> dict[str, Numbers]:
    found: dict[str, list[int]] = {}
    for number, item in enumerate(items):
        for value in values_of(item, name):
            found.setdefault(value, []).append(number)
    return {value: np.asarray(numbers, dtype=np.intp) for value, numbers in found.items()}


def _column(held: Mapping[str, Numbers]) -> tuple[Numbers, Numbers, list[str]]:
    """A facet as two columns, (place of the value, number of the entry), and its values: counted in one go."""
    places = np.concatenate([np.full(len(numbers), place) for place, numbers in enumerate(held.values())] or [_NONE])
    return places.astype(np.intp), np.concatenate([*held.values(), _NONE]).astype(np.intp), list(held)


def _postings(items: Sequence[Item]) -> dict[str, _Holding]:
    weights: dict[str, dict[int, float]] = {}
    spelled: dict[str, dict[str, list[int]]] = {}
    plain_of = cache(without_marks)  # texts are many, their words few
    words_of = cache(_words)
    for number, item in enumerate(items):
        seen: set[str] = set()
        for weight, text in _texts(item):
            for word in words_of(text):
                plain = plain_of(word)
                held = weights.setdefault(plain, {})
                held[number] = max(held.get(number, 0.0), weight)
                if word != plain and word not in seen:
                    seen.add(word)
                    spelled.setdefault(plain, {}).setdefault(word, []).append(number)
    return {
        plain: _Holding(
            np.fromiter(held.keys(), np.intp, len(held)),
            np.fromiter(held.values(), np.float64, len(held)),
            {word: np.asarray(numbers, dtype=np.intp) for word, numbers in spelled.get(plain, {}).items()},
        )
        for plain, held in weights.items()
    }


def _texts(item: Item) -> list[tuple[float, str]]:
    title = _TITLE * (_PART if BETWEEN in item.id else 1)
    return [
        *((title, text) for text in (item.title_vi, item.title_en, item.id.replace(".", " ").replace("-", " "))),
        *((_OWNER, text) for text in (item.owner, item.agency)),
        *((_FIELD, text) for name, vi, en in item.fields for text in (vi, en, name.replace("_", " "))),
        *((_TEXT, text) for text in (item.description_vi, item.description_en, item.theme, *item.words)),
    ]


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


def _met_fields(item: Item, ways: Sequence[Sequence[str]]) -> tuple[str, ...]:
    wanted = {without_marks(word) for way in ways for each in way for word in each.split() if len(word) > 1}
    return tuple(name for name, vi, en in item.fields if wanted & _plain_words(f"{vi} {en}"))


@lru_cache(maxsize=50_000)
def _plain_words(text: str) -> frozenset[str]:
    return frozenset(without_marks(word) for word in _words(text))


def facet_names(found: Found) -> Mapping[str, list[dict[str, Any]]]:
    """Facets as documents tell them: name → values with counts."""
    return {name: [{"value": f.value, "count": f.count} for f in found.facets if f.name == name] for name in FACETS}
