"""Finds the unit a text names: a code, or a name with the units around it, in any usual spelling, as of a date.

Nothing is guessed: every unit a text may mean is given, how surely it was read is told, and who asks decides. A unit and what is around it
stand in the last four parts of an address; what is before them lies below the commune.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import IntEnum
from functools import cache, lru_cache

from rapidfuzz.distance import OSA

from lienthong.standards.admin_units import (
    MERGED,
    Unit,
    of_units,
    one_home,
    related_provinces,
    successors,
    units,
    units_by_code,
    units_on,
)
from lienthong.standards.text import tidy
from lienthong.standards.unit_names import (
    KINDS_OF_COMMUNES,
    LEVELS_OF_KINDS,
    kind_of,
    parted_by_kinds,
    plain_key,
    sound_key,
    typed_keys,
    unit_key,
    without_kind,
)

LAST_DAY_OF_DISTRICTS = MERGED - timedelta(days=1)
LONGEST_ADDRESS = 300  # letters; what is longer is no address
LAST_PARTS = 4  # a commune, a district, a province, and one beside them (a hamlet, the country)
_CODE_DIGITS = {"commune": 5, "district": 3, "province": 2}
_OTHER_NAMES = {
    "hcm": "hồ chí minh",
    "sài gòn": "hồ chí minh",
    "sai gon": "hồ chí minh",
    "brvt": "bà rịa vũng tàu",
    "huế": "thừa thiên huế",
    "hue": "thừa thiên huế",
}
_COUNTRY = frozenset({"việt nam", "viet nam", "vietnam", "vn", "việt nan"})
_COMMAS = re.compile(r"[,;]")
_COMMAS_OR_DASHES = re.compile(r"[,;]|\s[-–]\s")
_BELOW_COMMUNE = re.compile(
    r"^(?:ấp|ap|thôn|thon|khu phố|khu pho|kp|khu|tổ|to|tdp|số|so|sn|đường|duong|phố|pho|khóm|khom|bản|ban|làng|lang|buôn|buon|sóc|soc|hẻm|hem|ngõ|ngo|ngách|xóm|xom|đội|doi|cụm|cum|lô|quốc lộ|ql|tỉnh lộ|đt)\b|^[0-9]",
    re.IGNORECASE,
)
NEVER_UNITS = "số|ấp|thôn|tổ|khu phố|kp|khóm|hẻm|ngõ|ngách"  # words with which no unit's name begins (tested)
_NEVER_UNIT = re.compile(rf"(?:{NEVER_UNITS}) ", re.IGNORECASE)
MOST_WORDS = 14  # of three names with nothing between them
FEWEST_LETTERS = 4  # of a name in which one slip can be told from another name


class Reading(IntEnum):
    """How surely a name was read: as the register writes it, without its marks, or only by what it resembles in the place it names."""

    EXACT = 0
    UNMARKED = 1
    RESPELLED = 2


@dataclass(frozen=True)
class Found:
    """Every unit a text may mean, of the date or else of another, and how surely its name was read.

    `parts`: the name that was read and those around it; `before`: what stood before them. `is_elsewhere`: a name alone that no unit of the
    province bears (`units` are those that do). `is_several`: a name alone of units that did not become one, though one alone is in force.
    """

    units: tuple[Unit, ...] = ()
    reading: Reading = Reading.EXACT
    parts: tuple[str, ...] = ()
    before: tuple[str, ...] = ()
    is_elsewhere: bool = False
    is_several: bool = False


@dataclass(frozen=True)
class Part:
    """One name of a text: its kind ('' where it says none), the units of exactly that name, and those of that name without its marks."""

    text: str
    kind: str
    exact: tuple[Unit, ...]
    plain: tuple[Unit, ...]
    is_unmarked: bool

    def of(self, levels: frozenset[str] | None) -> tuple[tuple[Unit, ...], tuple[Unit, ...]]:
        """Exact and plain ones of the levels that the kind allows."""
        return _allowed(self.text, levels)


@dataclass(frozen=True)
class Around:
    """A district or province a text names, with what districts and provinces became and came from."""

    codes: frozenset[str]
    provinces: frozenset[str]

    def keep(self, found: Sequence[Unit], *, is_merged: bool) -> list[Unit]:
        """Those that lie in it: as it was drawn then, or through the districts their parts lay in, or in a province that took its place."""
        exact = [unit for unit in found if unit.district_code in self.codes or unit.province_code in self.codes]
        if exact or not is_merged:
            return exact
        before = [unit for unit in found if unit.valid_from >= MERGED and self.codes & _districts_before(unit)]
        return before or [unit for unit in found if unit.province_code in self.provinces]


def find_units(text: str, on: date, level: str | None = None, within: str | None = None) -> list[Unit]:
    """The units a text may mean: those in force on the date, or else those of another date. What only resembles a name is left out."""
    found = read_unit(text, on, level, within)
    return [] if found.reading is Reading.RESPELLED else list(found.units)


def read_unit(text: str, on: date, level: str | None = None, within: str | None = None, *, strict: bool = False) -> Found:
    """The units a text may mean and how surely it was read.

    A text is a code, or a name with the units around it after it (`P. Tân Phú, TP Đồng Xoài`). `strict`: a name that stands alone is looked
    for in the province `within` and nowhere else.
    """
    text = tidy(text)
    if is_code(text):
        found = [unit for unit in units_by_code().get(whole_code(text, level), []) if level is None or unit.level == level]
        return Found(tuple(_in_force(found, on)))
    if len(text) > LONGEST_ADDRESS:
        return Found()
    return read_parts(last_parts(text), on, level, within, strict=strict)


def is_code(text: str) -> bool:
    bare = text.removesuffix(".0").strip("'")
    return bare.isascii() and bare.isdigit()


def whole_code(text: str, level: str | None) -> str:
    """A code with the leading zeros that a spreadsheet takes away, where the level says how many digits there are."""
    return text.removesuffix(".0").strip("'").zfill(_CODE_DIGITS.get(level or "", 0))


def last_parts(text: str) -> str:
    """The end of an address that says in which unit it lies: from its last name of a commune's kind on, or else its last parts."""
    return ", ".join(split_address(text)[1])


def split_address(text: str) -> tuple[list[str], list[str]]:
    """The parts of a tidy address that surely lie below its commune, and the rest; the country is left out."""
    if "," not in text and ";" not in text:
        parts = [part.strip(" -–") for part in parted_by_kinds(text).split(", ")]
        start = _commune_among(parts)
        return ([], [text]) if start is None else (parts[:start], parts[start:])
    parts = [part.strip() for part in _COMMAS.split(text)]
    parts = [part for part in parts if part.strip(" .-–")]
    if parts and parts[-1].strip(" .").casefold() in _COUNTRY:
        parts.pop()
    first = 0
    while first < len(parts) - 1 and _NEVER_UNIT.match(parts[first]):
        first += 1
    first = max(first, len(parts) - LAST_PARTS)
    start = _commune_among(parts[first:])
    first += start or 0
    return parts[:first], parts[first:]


def _commune_among(parts: list[str]) -> int | None:
    """Which part is the last name of a commune's kind."""
    return next((n for n in range(len(parts) - 1, -1, -1) if kind_of(parts[n]) in KINDS_OF_COMMUNES), None)


@of_units
@lru_cache(maxsize=65_536)
def read_parts(text: str, on: date, level: str | None = None, within: str | None = None, *, strict: bool = False) -> Found:
    """As `read_unit`, of the end of an address alone."""
    surest = Found()
    for parts in _ways_to_part(text):
        found = _named(parts, level, within, on, strict=strict)
        if found.units and found.reading is not Reading.RESPELLED and not found.is_elsewhere:
            return found
        if found.units and (not surest.units or (surest.is_elsewhere and not found.is_elsewhere)):
            surest = found
    return surest


def _in_force(found: Sequence[Unit], on: date) -> list[Unit]:
    return [unit for unit in found if unit.is_valid(on)] or list(found)


def _ways_to_part(text: str) -> Iterator[tuple[str, ...]]:
    """The name and the units around it, by what people put between them: commas, dashes, nothing but the kind of the next, nothing at all."""
    seen: set[tuple[str, ...]] = set()
    for has_kinds, between in ((False, _COMMAS), (True, _COMMAS), (False, _COMMAS_OR_DASHES), (True, _COMMAS_OR_DASHES)):
        pieces = between.split(parted_by_kinds(text) if has_kinds else text)
        parts = _parts(tuple(piece.strip() for piece in pieces if piece.strip(" .-–")))
        if parts not in seen:
            seen.add(parts)
            yield parts


def _parts(parts: tuple[str, ...]) -> tuple[str, ...]:
    if parts and parts[-1].strip(" .").casefold() in _COUNTRY:
        parts = parts[:-1]
    if parts:
        parts = (*parts[:-1], *_apart(parts[-1], "province"))
        parts = (*_apart(parts[0], "district"), *parts[1:])
    return parts


@of_units
@lru_cache(maxsize=65_536)
def _apart(text: str, level: str) -> tuple[str, ...]:
    """`TP Đồng Xoài Bình Phước` as `TP Đồng Xoài`, `Bình Phước`: where a part names nothing but its last words a unit of a level."""
    part = part_of(text)
    if part.exact or part.plain:
        return (text,)
    words = text.split(" ")
    if len(words) > MOST_WORDS:
        return (text,)
    for first in range(len(words) - 1, 0, -1):
        head, tail = " ".join(words[:first]), " ".join(words[first:])
        if any(unit.level == level for unit in _known(part_of(tail))) and (level == "province" or _known(part_of(head))):
            return (head, tail)
    return (text,)


def _known(part: Part) -> tuple[Unit, ...]:
    return part.exact or part.plain


@of_units
@cache
def _by_key() -> dict[str, tuple[Unit, ...]]:
    found: dict[str, list[Unit]] = {}
    for unit in units():
        found.setdefault(unit_key(unit.name), []).append(unit)
    return {key: tuple(named) for key, named in found.items()}


@of_units
@cache
def _by_plain_key() -> dict[str, tuple[Unit, ...]]:
    found: dict[str, list[Unit]] = {}
    for unit in units():
        found.setdefault(plain_key(unit_key(unit.name)), []).append(unit)
    return {key: tuple(named) for key, named in found.items()}


@of_units
@lru_cache(maxsize=262_144)
def part_of(text: str) -> Part:
    """One name of a text, read."""
    kind, key = kind_of(text), unit_key(text)
    exact, plain = _by_key().get(key, ()), _by_plain_key().get(plain_key(key), ())
    other = _OTHER_NAMES.get(without_kind(text.casefold()).strip(" ."))
    if other is not None:  # another name of a province; a commune may bear it as its own
        provinces = tuple(unit for unit in _by_key().get(unit_key(other), ()) if unit.level == "province")
        exact, plain = (named + tuple(unit for unit in provinces if unit not in named) for named in (exact, plain))
    return Part(text, kind, exact, plain, text.isascii())


@of_units
@lru_cache(maxsize=65_536)
def _allowed(text: str, levels: frozenset[str] | None) -> tuple[tuple[Unit, ...], tuple[Unit, ...]]:
    part = part_of(text)
    allowed = LEVELS_OF_KINDS.get(part.kind)
    exact = () if part.is_unmarked else part.exact  # `Thanh An` without marks may be Thạnh An too
    return _of_levels(exact, allowed, levels), _of_levels(part.plain, allowed, levels)


@of_units
@lru_cache(maxsize=65_536)
def _surroundings(parts: tuple[str, ...]) -> tuple[Around, ...]:
    """The districts and provinces that parts name, innermost first; a part that names none is a street or a hamlet.

    A name of both (Tây Ninh) is the district where a part after it names its province.
    """
    found: list[Around] = []
    outside: frozenset[str] = frozenset()
    for text in reversed(parts):
        part = part_of(text)
        exact, plain = part.of(frozenset({"district", "province"}))
        named = exact or plain
        if outside:
            inner = [unit for unit in named if unit.level == "district" and unit.province_code in outside]
            named = tuple(inner) or named
        if not named:
            continue
        codes = frozenset(unit.code for unit in named)
        provinces = frozenset[str]().union(*(related_provinces(unit.code) for unit in named if unit.level == "province"))
        outside = outside or provinces
        found.append(Around(codes, provinces))
    return tuple(reversed(found))


@of_units
@lru_cache(maxsize=16_384)
def _before(code: str) -> frozenset[str]:
    now = [unit for unit in units_by_code()[code] if unit.valid_from >= MERGED]
    return frozenset(old.district_code for unit in now for old in units_on(unit, LAST_DAY_OF_DISTRICTS) if old.valid_to is not None)


def _districts_before(unit: Unit) -> frozenset[str]:
    """The districts a unit's parts lay in: for years after districts ended, people write them."""
    return _before(unit.code)


def _named(parts: tuple[str, ...], level: str | None, within: str | None, on: date, *, strict: bool) -> Found:
    """The unit the first part names that names one, in what the parts after it name."""
    for first in range(_start(parts), len(parts)):
        around = parts[first + 1 :]
        places = _surroundings(around)
        if strict and within is not None and not places:
            found = _alone(part_of(parts[first]), level, within, on)
        else:
            found = _in_place(part_of(parts[first]), places, level, within, on)
        if found is None and not _lies_below(parts[first], around):
            found = _respelled(part_of(parts[first]), places, level, on)
        if found is not None:
            return replace(found, parts=parts[first:], before=parts[:first]) if found.units else Found()
    return Found()


def _lies_below(part: str, around: tuple[str, ...]) -> bool:
    """Whether a part is a street or a hamlet: it says so, or a name of a commune's kind comes after it."""
    return _begins_with_commune(around) and (_BELOW_COMMUNE.match(part) is not None or kind_of(around[0]) in KINDS_OF_COMMUNES)


def _start(parts: tuple[str, ...]) -> int:
    """Where the commune stands, if the text says so: at the last part of a commune's kind, or before a district and its province."""
    said = [n for n, text in enumerate(parts) if kind_of(text) in KINDS_OF_COMMUNES]
    if said:
        return said[-1]
    return len(parts) - 3 if len(parts) > 3 and len(_surroundings(parts[-2:])) == 2 else 0


def _begins_with_commune(parts: Sequence[str]) -> bool:
    """Whether parts are a commune and what is around it: said by its kind, or by three names in a row."""
    return bool(parts) and (kind_of(parts[0]) in KINDS_OF_COMMUNES or (not kind_of(parts[0]) and len(parts) >= 3))


def _in_place(part: Part, around: tuple[Around, ...], level: str | None, within: str | None, on: date) -> Found | None:
    is_merged = on >= MERGED
    levels = frozenset({level}) if level else None
    for reading, found in zip((Reading.EXACT, Reading.UNMARKED), part.of(levels), strict=True):
        kept: Sequence[Unit] = found
        for place in around:
            kept = place.keep(kept, is_merged=is_merged)
        if not kept:
            continue
        if within is not None:
            kept = _within(kept, within, is_merged=is_merged)
        if part.kind and (within is not None or around):  # without a place even a full name may be another's: kinds change
            kept = _of_kind(part, kept, around, levels, is_merged=is_merged)
            if kept and not any(unit.name.casefold().startswith(part.kind) for unit in kept):
                reading = Reading.RESPELLED  # "Phường Nhi Sơn" where there is a Xã Nhi Sơn: told, it may be another's name misspelt
        is_plain = reading is Reading.UNMARKED and not part.is_unmarked
        if is_plain and not (around or within):  # wrong marks and no place: it may be a name that the register does not know
            return Found(tuple(_in_force(kept, on)), Reading.RESPELLED)
        return Found(tuple(_in_force(kept, on)), Reading.RESPELLED if is_plain else reading)
    return None


def _alone(part: Part, level: str | None, within: str, on: date) -> Found | None:
    """The units of a name with no place around it, of one province alone; the names of provinces themselves are looked for everywhere."""
    levels = frozenset({level}) if level else None
    home = one_home(within, on)
    for reading, found in zip((Reading.EXACT, Reading.UNMARKED), part.of(levels), strict=True):
        if not found:
            continue
        here: Sequence[Unit] = [unit for unit in found if unit.province_code in home] or [
            unit for unit in found if unit.level == "province"
        ]
        if not here:
            return Found(found, reading, is_elsewhere=True)
        here = [unit for unit in here if unit.name.casefold().startswith(part.kind)] or here
        now = _in_force(here, on)
        is_plain = reading is Reading.UNMARKED and not part.is_unmarked
        several = _lives_on_elsewhere(here, now, on)
        return Found(tuple(here if several else now), Reading.RESPELLED if is_plain else reading, is_several=several)
    return None


def _lives_on_elsewhere(named: Sequence[Unit], now: Sequence[Unit], on: date) -> bool:
    """Whether a unit of the name that is no longer in force became, wholly or in part, another than those that are: people still write it."""
    codes = {unit.code for unit in now if unit.is_valid(on)}
    past = [unit for unit in named if unit.valid_to is not None and unit.valid_to <= on]
    return bool(codes) and any({after.code for after in successors(unit, on)} - codes for unit in past)


def _of_kind(
    part: Part, found: Sequence[Unit], around: tuple[Around, ...], levels: frozenset[str] | None, *, is_merged: bool
) -> Sequence[Unit]:
    """Those of the kind a part says; where none is, all of them and those of that kind whose name differs by marks: the text says two things."""
    same = [unit for unit in found if unit.name.casefold().startswith(part.kind)]
    if same:
        return same
    others: Sequence[Unit] = [unit for unit in part.of(levels)[1] if unit.name.casefold().startswith(part.kind)]
    for place in around:
        others = place.keep(others, is_merged=is_merged)
    return [*found, *(unit for unit in others if unit not in found)]


def _within(found: Sequence[Unit], code: str, *, is_merged: bool) -> Sequence[Unit]:
    provinces = related_provinces(code) if is_merged else frozenset({code})
    return (
        [unit for unit in found if code in {unit.code, unit.province_code}]
        or [unit for unit in found if unit.province_code in provinces]
        or found
    )


@of_units
@lru_cache(maxsize=8192)
def _communes_in(around: tuple[Around, ...], level: str, *, is_merged: bool) -> tuple[Unit, ...]:
    """Every unit of a level in a named place, as of then and, once merged, as of before."""
    found: Sequence[Unit] = [unit for unit in units() if unit.level == level and (is_merged or unit.valid_from < MERGED)]
    for place in around:
        codes = place.codes | place.provinces if is_merged else place.codes
        found = [
            unit
            for unit in found
            if unit.district_code in codes or unit.province_code in codes or (unit.valid_from >= MERGED and codes & _districts_before(unit))
        ]
    return tuple(found)


def _respelled(part: Part, around: tuple[Around, ...], level: str | None, on: date) -> Found:
    """The one commune in a named place that a name resembles: by ear, by keys left over, or by one slip; none where two do."""
    allowed = LEVELS_OF_KINDS.get(part.kind, {"commune"})
    key = plain_key(unit_key(part.text))
    if not around or "commune" not in allowed or level not in {None, "commune"} or len(key) < FEWEST_LETTERS:
        return Found()
    is_merged = on >= MERGED
    there = _communes_in(around, "commune", is_merged=is_merged)
    names = _names_like(part.text, key, there)
    kept: Sequence[Unit] = [unit for unit in there if unit.name in names]
    for place in around:
        kept = place.keep(kept, is_merged=is_merged)
    return Found(tuple(_in_force(kept, on)), Reading.RESPELLED)


def _names_like(text: str, key: str, there: Sequence[Unit]) -> frozenset[str]:
    """The names that a text resembles most plainly: by ear, then by keys left over, then by one slip, if no other name is one slip away."""
    typed = tuple(without_kind(text.casefold()).split())
    by_ear = frozenset(unit.name for unit in there if sound_key(_plain(unit.name)) == sound_key(key))
    struck = frozenset(unit.name for unit in there if _is_typed(typed, unit.name))
    digits = re.sub(r"\D", "", key)  # Phường 1 and Phường 2 are one slip apart: numbers must be the same
    there = [unit for unit in there if re.sub(r"\D", "", _plain(unit.name)) == digits]
    near = frozenset(unit.name for unit in there if OSA.distance(key, _plain(unit.name), score_cutoff=1) <= 1)
    found = struck or near | by_ear
    return found if len({_plain(name) for name in found}) == 1 else frozenset()


@lru_cache(maxsize=65_536)
def _plain(name: str) -> str:
    return plain_key(unit_key(name))


def _is_typed(typed: tuple[str, ...], name: str) -> bool:
    """Whether the words are a name's with at least one of them as its keys were struck (the tone's key may stand anywhere in the word)."""
    keys, words = typed_keys(name), _plain(name).split()
    if len(typed) != len(keys) or len(words) != len(keys):
        return False
    same = [word == struck or (word[0] == struck[0] and sorted(word) == sorted(struck)) for word, struck in zip(typed, keys, strict=True)]
    plain = [plain_key(unit_key(word)) == words[n] for n, word in enumerate(typed)]
    return all(map(max, same, plain)) and any(is_struck and keys[n] != words[n] for n, is_struck in enumerate(same))


def _of_levels(found: tuple[Unit, ...], *levels: frozenset[str] | set[str] | None) -> tuple[Unit, ...]:
    for wanted in levels:
        if wanted is not None:
            found = tuple(unit for unit in found if unit.level in wanted)
    return found
