"""Legal instruments as data: which were in force on a day, what came in their place, and which ones a text cites."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import yaml

from lienthong.errors import SettingsError

WORDS = frozenset({"title", "since", "until", "replaced_by", "parts"})
_NUMBER = re.compile(r"\b(\d{1,4}/\d{4}/(?:QH\d+|[A-ZĐ]{2,}(?:-[A-ZĐa-z0-9]{2,})*))(?![\w/])|\b(?:NĐ|Nghị định)\s+(\d{1,4}/\d{4})(?![\w/])")
_ARTICLE = re.compile(r"\b(?:điều|Điều|art\.?|article)\s+(\d+(?:\.\d+)?)")


@dataclass(frozen=True)
class Instrument:
    """One law, decree, circular or decision. `until`: its last day in force; `parts`: article → its own last day, where that is earlier."""

    number: str
    title: str
    since: date
    until: date | None = None
    replaced_by: tuple[str, ...] = ()
    parts: Mapping[str, date] = field(default_factory=dict)

    def is_in_force(self, on: date, article: str = "") -> bool:
        last = min((day for day in (self.until, self.parts.get(article)) if day is not None), default=None)
        return self.since <= on and (last is None or on <= last)


@dataclass(frozen=True)
class Citation:
    """One text of law that an agreement rests on. The dates are the citation's own, for an instrument that is not in the register."""

    number: str
    article: str = ""
    text: str = ""
    valid_from: date | None = None
    valid_to: date | None = None

    def __str__(self) -> str:
        return self.text or " ".join(part for part in (self.number, f"điều {self.article}" if self.article else "") if part)


Instruments = Mapping[str, Instrument]


def citations_of(text: str) -> tuple[Citation, ...]:
    """What a text cites, in its order: numbers such as `60/2024/QH15`, each with the article that follows it before the next number."""
    found = list(_NUMBER.finditer(text))
    cited = []
    for n, match in enumerate(found):
        end = found[n + 1].start() if n + 1 < len(found) else len(text)
        article = _ARTICLE.search(text, match.end(), end)
        cited.append(Citation(match[1] or f"{match[2]}/NĐ-CP", "" if article is None else article[1]))
    return tuple(cited)


def not_current(citation: Citation, instruments: Instruments, on: date) -> tuple[str, str] | None:
    """Why a citation cannot be cited on a day, in Vietnamese and English; None when it can.

    One that the register does not know counts only with dates of its own.
    """
    known = instruments.get(citation.number)
    if known is None:
        if citation.valid_from is None:
            return (
                f"chưa có `{citation.number or citation.text}` trong danh mục văn bản; hãy ghi ngày có hiệu lực",
                f"`{citation.number or citation.text}` is not in the register of instruments; give the day it came into force",
            )
        in_force = citation.valid_from <= on and (citation.valid_to is None or on <= citation.valid_to)
        return None if in_force else (f"`{citation.number}` không có hiệu lực ngày {on}", f"`{citation.number}` is not in force on {on}")
    if known.is_in_force(on, citation.article):
        return None
    instead = ", ".join(known.replaced_by)
    vi, en = f"{citation} không có hiệu lực ngày {on:%d/%m/%Y}", f"{citation} is not in force on {on}"
    return (f"{vi}; nay là {instead}", f"{en}; in its place: {instead}") if instead else (vi, en)


def read_instruments(path: Path | None = None) -> Instruments:
    """The register known here, with that of a file of one's own laid over it. Raises SettingsError naming the entry that is not understood."""
    if path is None:
        return _built_in()
    try:
        found = yaml.safe_load(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise SettingsError(f"`{path}`: the legal instruments cannot be read: {type(error).__name__}.") from error
    return {**_built_in(), **_read(str(path), found)}


@cache
def _built_in() -> Instruments:
    name = "legal_instruments.yaml"
    return _read(name, yaml.safe_load(resources.files("lienthong.access").joinpath("data", name).read_text("utf-8")))


def _read(place: str, found: Any) -> dict[str, Instrument]:
    if not isinstance(found, dict):
        raise SettingsError(f"`{place}`: expected number: {{title, since, …}}.")
    read = {}
    for number, words in found.items():
        if not isinstance(words, dict) or set(words) - WORDS or not isinstance(words.get("since"), date):
            raise SettingsError(f"`{place}`: `{number}` is not understood.", hint=f"Known words: {', '.join(sorted(WORDS))}.")
        read[str(number)] = Instrument(
            str(number),
            str(words.get("title", "")),
            words["since"],
            words.get("until"),
            tuple(words.get("replaced_by") or ()),
            {str(article): day for article, day in (words.get("parts") or {}).items()},
        )
    return read
