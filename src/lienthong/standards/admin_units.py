"""The register of units of administration, before and after 1 July 2025, found by code or by name in any usual spelling.

Nothing is guessed: every unit a text may mean is given, and who asks decides. Read on first use (about 0.2 s).
"""

from __future__ import annotations

import csv
import gzip
import io
import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from functools import cache, lru_cache
from importlib import resources

from lienthong.standards.text import tidy, without_marks

LONGEST_ADDRESS = 300  # letters; what is longer is no address
BEGINNING = date(1997, 1, 1)  # stands for "long before any record here": when each older unit was formed is not known
MERGED = date(2025, 7, 1)  # 63 provinces became 34, districts ended
_CODE_DIGITS = {"commune": 5, "district": 3, "province": 2}


@dataclass(frozen=True)
class Unit:
    """A unit of administration in force on `[valid_from, valid_to)`."""

    level: str
    code: str
    name: str
    district_code: str
    province_code: str
    valid_from: date
    valid_to: date | None

    def is_valid(self, on: date) -> bool:
        return (self.valid_from <= on or self.valid_from == BEGINNING) and (self.valid_to is None or on < self.valid_to)


@cache
def units() -> tuple[Unit, ...]:
    """Every unit before and after 1 July 2025."""
    day = lru_cache(date.fromisoformat)
    return tuple(
        Unit(level, code, name, district, province, day(since), day(until) if until else None)
        for level, code, name, district, province, since, until in _rows("admin_units.csv.gz")
    )


def _rows(name: str) -> Iterator[list[str]]:
    data = resources.files("lienthong.standards").joinpath("data", name).read_bytes()
    rows = csv.reader(io.StringIO(gzip.decompress(data).decode("utf-8")))
    next(rows)
    return rows


@cache
def units_by_code() -> dict[str, list[Unit]]:
    found: dict[str, list[Unit]] = {}
    for unit in units():
        found.setdefault(unit.code, []).append(unit)
    return found


@cache
def _by_name() -> dict[str, list[Unit]]:
    """Units by their key with marks and, where it differs, their key without."""
    found: dict[str, list[Unit]] = {}
    for unit in units():
        key = _name_key(unit.name)
        for name in {key, without_marks(key)}:
            found.setdefault(name, []).append(unit)
    return found


@cache
def _successors() -> dict[str, frozenset[str]]:
    """Code until 30 June 2025 → codes of what took its place (several where it was split)."""
    found: dict[str, set[str]] = {}
    for _, old, new, *_ in _rows("admin_unit_changes.csv.gz"):
        found.setdefault(old, set()).add(new)
    return {old: frozenset(new) for old, new in found.items()}


@cache
def _predecessors() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for old, after in _successors().items():
        for new in after:
            found.setdefault(new, []).append(old)
    return found


def successors(unit: Unit, on: date) -> list[Unit]:
    """The units in force on a date that took a unit's place; several where it was split, none for districts."""
    codes = _successors().get(unit.code, frozenset()) if unit.valid_to is not None and unit.valid_to <= on else frozenset()
    return [new for code in sorted(codes) for new in units_by_code().get(code, []) if new.level == unit.level and new.is_valid(on)]


def predecessors(unit: Unit) -> list[Unit]:
    """The units whose place a unit took on 1 July 2025; none for one that is older."""
    if unit.valid_from < MERGED:
        return []
    codes = _predecessors().get(unit.code, [])
    return [old for code in sorted(codes) for old in units_by_code().get(code, []) if old.level == unit.level and old.valid_to is not None]


@cache
def _related_provinces(code: str, is_merged: bool) -> frozenset[str]:
    """A province and, once provinces are merged, what it became part of and what became part of it: people write either for years."""
    if not is_merged:
        return frozenset({code})
    old = {before for before, after in _successors().items() if len(before) == 2 and code in after}
    return frozenset({code, *_successors().get(code, ()), *old})


_KIND = r"thành phố|thị xã|thị trấn|đặc khu|phường|quận|huyện|tỉnh|xã"
_PLAIN_KIND = r"thanh pho|thi xa|thi tran|dac khu|phuong|quan|huyen|tinh|xa"
_SHORT_KIND = r"(?:tp|tx|tt|p|q|h|x|t)"


def _kinds(words: str) -> re.Pattern[str]:
    return re.compile(rf"^(?:(?:{words})(?=\s)|{_SHORT_KIND}\.|(?:tp|tx|tt|p|q)(?=\s|[0-9])|tp(?=hcm))\s*", re.IGNORECASE)


def _kinds_inside(words: str) -> re.Pattern[str]:
    return re.compile(rf"(?<=\S)\s*[\s\-–]\s*((?:{words}|tp|tx|tt)\s|{_SHORT_KIND}\.|[pq](?=[0-9]))", re.IGNORECASE)


# By whether the text has marks: `Quan` is a kind in `Quan Go Vap` alone, and a name in `Xã Tân Quan`.
_KINDS = {False: _kinds(_KIND), True: _kinds(_PLAIN_KIND)}
_KINDS_INSIDE = {False: _kinds_inside(_KIND), True: _kinds_inside(_PLAIN_KIND)}
_BELOW_COMMUNE = re.compile(
    r"^(?:ấp|ap|thôn|thon|khu phố|khu pho|kp|tổ|to|số|so|đường|duong|khóm|khom|bản|ban|làng|lang|buôn|buon|sóc|soc|hẻm|ngõ)\b|^[0-9]",
    re.IGNORECASE,
)
_WRITTEN_KINDS = {
    "p": "phường", "x": "xã", "tt": "thị trấn", "h": "huyện", "q": "quận", "tx": "thị xã", "tp": "thành phố", "t": "tỉnh",
    "phuong": "phường", "xa": "xã", "thi tran": "thị trấn", "huyen": "huyện", "quan": "quận", "thi xa": "thị xã",
    "thanh pho": "thành phố", "tinh": "tỉnh", "dac khu": "đặc khu",
}  # fmt: skip
_LEVELS = {
    "phường": {"commune"}, "xã": {"commune"}, "thị trấn": {"commune"}, "đặc khu": {"commune"},
    "quận": {"district"}, "huyện": {"district"}, "thị xã": {"district"}, "tỉnh": {"province"}, "thành phố": {"district", "province"},
}  # fmt: skip
_KINDS_OF_COMMUNES = {kind for kind, levels in _LEVELS.items() if levels == {"commune"}}
_OTHER_NAMES = {"hcm": "hồ chí minh", "sài gòn": "hồ chí minh", "brvt": "bà rịa vũng tàu", "huế": "thừa thiên huế"}
_HIGHLAND = re.compile(r"\b(?:đăk|đắk|dak|dăk|đac|đắc)\b")
_TONES = "\u0300\u0301\u0303\u0309\u0323"


def _name_key(name: str) -> str:
    """A name's key that still tells marks apart: case, kind, tone placement, i and y, and the spellings of Đak left out."""
    text = _without_kind(tidy(name).casefold())
    text = re.sub(r"[^\w\s]", " ", _HIGHLAND.sub("đak", text))
    return " ".join(map(_word_key, text.split()))


def _without_kind(text: str) -> str:
    return _KINDS[text.isascii()].sub("", text)


@lru_cache(maxsize=16_384)
def _word_key(word: str) -> str:
    """Tone marks at the end of the word, so that hoà and hòa are one; quý as quí; 01 as 1."""
    if word.isdigit():
        return word.lstrip("0") or word
    parts = unicodedata.normalize("NFD", word)
    tones = "".join(letter for letter in parts if letter in _TONES)
    letters = "".join(letter for letter in parts if letter not in _TONES)
    return re.sub(r"(?<=[bcdđghklmnpqrstvx])y$|(?<=qu)y$", "i", letters) + tones


def _kind(text: str) -> str:
    found = _KINDS[text.isascii()].match(text)
    if found is None:
        return ""
    written = found.group().strip().rstrip(".").casefold()
    return _WRITTEN_KINDS.get(written, written)


def find_units(text: str, on: date, level: str | None = None, within: str | None = None) -> list[Unit]:
    """The units a text may mean: those in force on the date, or else those of another date.

    A text is a code, or a name with the units around it after it (`P. Tân Phú, TP Đồng Xoài`).
    """
    text = tidy(text)
    if is_code(text):
        found = _of_levels(units_by_code().get(whole_code(text, level), []), {level} if level else None)
    elif len(text) > LONGEST_ADDRESS:
        found = []
    else:
        found = _first_found(_named(parts, level, within, on) for parts in _ways_to_part(text))
    return [unit for unit in found if unit.is_valid(on)] or found


def is_code(text: str) -> bool:
    bare = text.removesuffix(".0").strip("'")
    return bare.isascii() and bare.isdigit()


def whole_code(text: str, level: str | None) -> str:
    """A code with the leading zeros that a spreadsheet takes away, where the level says how many digits there are."""
    return text.removesuffix(".0").strip("'").zfill(_CODE_DIGITS.get(level or "", 0))


def _first_found(ways: Iterable[list[Unit]]) -> list[Unit]:
    return next((found for found in ways if found), [])


def _ways_to_part(text: str) -> Iterator[list[str]]:
    """The name and the units around it, by what people put between them: commas, dashes, nothing but the kind of the next, nothing at all."""
    for pattern in (re.compile(r"[,;]"), re.compile(r"[,;]|\s[-–]\s")):
        yield _parts(pattern.split(text))
    yield _parts(re.split(r"[,;]|\s[-–]\s", _KINDS_INSIDE[text.isascii()].sub(r", \1", text)))


def _parts(pieces: Iterable[str]) -> list[str]:
    parts = [piece.strip() for piece in pieces if piece.strip(" .-–")]
    if parts:
        parts = [*parts[:-1], *_apart(parts[-1], "province")]
        parts = [*_apart(parts[0], "district"), *parts[1:]]
    return parts


def _apart(part: str, level: str) -> list[str]:
    """`TP Đồng Xoài Bình Phước` as `TP Đồng Xoài`, `Bình Phước`: where a part names nothing but its last words a unit of a level."""
    words = part.split(" ") if not _with_name(part) else []
    for first in range(len(words) - 1, 0, -1):
        head, tail = " ".join(words[:first]), " ".join(words[first:])
        if _of_levels(_with_name(tail), {level}) and (level == "province" or _with_name(head)):
            return [head, tail]
    return [part]


def _of_levels(found: list[Unit], levels: set[str] | None) -> list[Unit]:
    return [unit for unit in found if levels is None or unit.level in levels]


def _named(parts: list[str], level: str | None, within: str | None, on: date) -> list[Unit]:
    if not parts:
        return []
    first, *around = parts
    kind = _kind(first)
    found = _of_levels(_of_levels(_with_name(first), _LEVELS.get(kind)), {level} if level else None)
    if not found and _BELOW_COMMUNE.match(first) and _begins_with_commune(around):  # only then: Đường 10 is a commune
        return _named(around, level, within, on)
    for part in around:
        found = _inside(found, part, on)
    is_placed = within is not None or any(_surrounding(part) for part in around)
    if within is not None:
        found = (
            [unit for unit in found if within in {unit.code, unit.province_code}]
            or _in_provinces(found, _related_provinces(within, on >= MERGED))
            or found
        )
    if (
        kind and is_placed
    ):  # without a place even a full name may be another's: Xã Minh Long is a phường now, and another Xã Minh Long is left
        found = [unit for unit in found if unit.name.casefold().startswith(kind)] or found
    return [unit for unit in found if unit.is_valid(on)] or found


def _begins_with_commune(parts: list[str]) -> bool:
    """Whether parts are a commune and what is around it: said by its kind, or by three names in a row."""
    return bool(parts) and (_kind(parts[0]) in _KINDS_OF_COMMUNES or (not _kind(parts[0]) and len(parts) >= 3))


def _with_name(name: str) -> list[Unit]:
    key = _name_key(name)
    key = _name_key(_OTHER_NAMES[key_of_other]) if (key_of_other := tidy(_without_kind(name.casefold()))) in _OTHER_NAMES else key
    return _by_name().get(key) or _by_name().get(without_marks(key), [])


def _surrounding(part: str) -> list[Unit]:
    """The districts and provinces a part names."""
    return _of_levels(_with_name(part), _LEVELS.get(_kind(part), {"district", "province"}) - {"commune"})


def _inside(found: list[Unit], part: str, on: date) -> list[Unit]:
    """Those of the units that lie in the district or province a part names; a part that names none is a street or a hamlet."""
    around = _surrounding(part)
    if not around:
        return found
    codes = {unit.code for unit in around}
    exact = [unit for unit in found if codes & {unit.district_code, unit.province_code}]
    before = [unit for unit in found if codes & _districts_before(unit, on)]
    related = frozenset[str]().union(*(_related_provinces(unit.code, on >= MERGED) for unit in around if unit.level == "province"))
    return exact or before or _in_provinces(found, related)


def _districts_before(unit: Unit, on: date) -> frozenset[str]:
    """The districts a unit's parts lay in: for years after districts ended, people write them."""
    if on < MERGED or unit.valid_from < MERGED:
        return frozenset()
    return frozenset(
        old.district_code for code in _predecessors().get(unit.code, ()) for old in units_by_code()[code] if old.valid_from < MERGED
    )


def _in_provinces(found: list[Unit], provinces: frozenset[str]) -> list[Unit]:
    return [unit for unit in found if unit.province_code in provinces]
