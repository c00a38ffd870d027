"""Words, numbers and days as one reader reads them. Every word of every page lies in `words/*.yaml`: Vietnamese, then English."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from functools import cache
from importlib import resources
from typing import Any

import yaml

VIETNAMESE, ENGLISH = "vi", "en"
LANGUAGES = (VIETNAMESE, ENGLISH)
VIETNAM = timezone(timedelta(hours=7))
NOTHING = "–"
_ISO_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_MINUTE, _HOUR, _DAY = 60, 3600, 86400
_ALPHABET = "aăâbcdđeêfghijklmnoôơpqrstuưvwxyz"
_TONES = {"\u0300": 1, "\u0309": 2, "\u0303": 3, "\u0301": 4, "\u0323": 5}  # huyền, hỏi, ngã, sắc, nặng: the order of dictionaries
_SIZES = ("B", "KB", "MB", "GB", "TB")


@cache
def words() -> Mapping[str, tuple[str, str]]:
    """Key → (Vietnamese, English), of all files of `words/`."""
    found: dict[str, tuple[str, str]] = {}
    for file in sorted(resources.files("lienthong.web").joinpath("words").iterdir(), key=lambda file: file.name):
        if file.name.endswith(".yaml"):
            topic = file.name.removesuffix(".yaml")
            for name, pair in yaml.safe_load(file.read_text("utf-8")).items():
                found[f"{topic}.{name}"] = (str(pair[0]), str(pair[1]))
    return found


def nfc(text: str) -> str:
    """As everything here is written and stored: fonts and comparisons fall apart on anything else."""
    return unicodedata.normalize("NFC", text)


def order_key(text: str) -> tuple[Any, ...]:
    """Sorts as a Vietnamese dictionary does: by letters (ă, â, đ, ê, ô, ơ, ư are letters of their own), then by tones."""
    letters: list[tuple[int, int]] = []
    tones: list[int] = []
    for sign in unicodedata.normalize("NFD", text.casefold()):
        if sign in _TONES and letters:
            tones[-1] = _TONES[sign]
            continue
        if unicodedata.combining(sign) and letters:
            whole = unicodedata.normalize("NFC", chr(letters[-1][1]) + sign)
            letters[-1] = _letter(whole) if len(whole) == 1 else letters[-1]
            continue
        letters.append(_letter(sign))
        tones.append(0)
    return tuple(place for place, _ in letters), tuple(tones), text


def _letter(sign: str) -> tuple[int, int]:
    place = _ALPHABET.find(sign)
    return (1000 + place if place >= 0 else ord(sign) if ord(sign) < 128 else 2000 + ord(sign), ord(sign))


@dataclass(frozen=True)
class Speech:
    """One language. `now` is the instant pages count from."""

    language: str
    now: datetime

    @property
    def is_vietnamese(self) -> bool:
        return self.language == VIETNAMESE

    def t(self, key: str, /, **values: Any) -> str:
        """The sentence of a key; numbers among its values are written as the reader writes them. Raises KeyError for an unknown key."""
        said = words()[key][LANGUAGES.index(self.language)]
        one, bar, many = said.partition(" | ")
        if bar:  # English has two forms; the first is for one
            said = one if values.get("n") == 1 else many
        return said.format(**{name: self.shown(value) for name, value in values.items()}) if values else said

    def has(self, key: str) -> bool:
        return key in words()

    def pick(self, vietnamese: str | None, english: str | None) -> str:
        """The reader's of two; the other where it is empty."""
        chosen = (vietnamese, english) if self.is_vietnamese else (english, vietnamese)
        return chosen[0] or chosen[1] or ""

    def of(self, facts: Mapping[str, Any], name: str) -> str:
        """`name` (Vietnamese) or `name_en` of facts."""
        return self.pick(facts.get(name), facts.get(f"{name}_en"))

    def number(self, value: float | None, decimals: int | None = None) -> str:
        """1.234,5 to a Vietnamese reader, 1,234.5 to an English one."""
        if value is None:
            return NOTHING
        if value == 0:
            value = abs(value)  # -0 is 0 to a reader
        text = f"{value:,}" if decimals is None and isinstance(value, int) else f"{value:,.{2 if decimals is None else decimals}f}"
        if text.startswith("-") and not text.strip("-0.,"):
            text = text[1:]
        if decimals is None and "." in text:
            text = text.rstrip("0").rstrip(".")
        return text.translate(str.maketrans(",.", ".,")) if self.is_vietnamese else text

    def percent(self, value: float | None, decimals: int = 1) -> str:
        return NOTHING if value is None else f"{self.number(float(value), decimals)}%"

    def day(self, value: date | datetime | str | None) -> str:
        """dd/MM/yyyy on Vietnam's calendar; a text is a day as documents of JSON hold it (2026-01-31), or what it is."""
        if value is None or value == "":
            return NOTHING
        if isinstance(value, str):
            return f"{value[8:10]}/{value[5:7]}/{value[:4]}" if _ISO_DAY.fullmatch(value) else value
        return (value.astimezone(VIETNAM) if isinstance(value, datetime) else value).strftime("%d/%m/%Y")

    def moment(self, value: datetime | None) -> str:
        """HH:mm dd/MM/yyyy in Vietnam."""
        return NOTHING if value is None else value.astimezone(VIETNAM).strftime("%H:%M %d/%m/%Y")

    def ago(self, value: datetime | None) -> str:
        """How long ago, in the largest unit that fits."""
        if value is None:
            return self.t("common.never")
        seconds = max(0, int((self.now - value).total_seconds()))
        for size, key in ((_DAY, "common.days_ago"), (_HOUR, "common.hours_ago"), (_MINUTE, "common.minutes_ago")):
            if seconds >= size:
                return self.t(key if seconds >= 2 * size else key.replace("s_ago", "_ago"), n=seconds // size)
        return self.t("common.just_now")

    def duration(self, seconds: float | None) -> str:
        if seconds is None:
            return NOTHING
        for size, key in ((_DAY, "common.days"), (_HOUR, "common.hours"), (_MINUTE, "common.minutes")):
            if seconds >= size:
                return self.t(key, n=round(seconds / size))
        return self.t("common.seconds", n=self.number(float(seconds), 1))

    def size(self, count: float) -> str:
        """Bytes, in the unit that fits."""
        place = 0
        while count >= 1024 and place < len(_SIZES) - 1:
            count, place = count / 1024, place + 1
        return f"{self.number(float(count), 0 if place == 0 else 1)} {_SIZES[place]}"

    def shown(self, value: Any) -> str:
        """Any fact as text: how values of rows and of messages are written."""
        if value is None:
            return NOTHING
        if isinstance(value, bool):
            return self.t("common.yes" if value else "common.no")
        if isinstance(value, int | float):
            return self.number(value)
        if isinstance(value, datetime):
            return self.moment(value if value.tzinfo else value.replace(tzinfo=UTC))
        if isinstance(value, date):
            return self.day(value)
        return nfc(str(value))
