"""The kinds of attributes: what of a value is compared, on which rungs, and which parts of it can find a candidate.

A kind turns one standardised value into a few features, plain texts or None. `KINDS` is the whole list: an attribute of a new
entity is described by one of these words in its contract, never by code.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import xxhash

from lienthong.masterdata.predicates import (
    Across,
    Alike,
    Both,
    Common,
    Comparison,
    Crossed,
    Differ,
    Edits,
    Either,
    Empty,
    EndOf,
    Features,
    Is,
    Level,
    Same,
)
from lienthong.masterdata.reading_names import PARTS, flat, person_name
from lienthong.standards.text import without_marks

_LONGEST = 160  # letters of a feature: what is compared letter by letter takes time by the square of its length
NO_SUCCESSORS: Mapping[str, str] = {}


@dataclass(frozen=True)
class Attribute:
    """One attribute of an entity as its contract describes it."""

    name: str
    kind: str
    options: Mapping[str, Any]

    def column(self, part: str) -> str:
        return f"{self.name}__{part}"


@dataclass(frozen=True)
class Kind:
    """`parts`: names of the features, `read`: value → features in that order, `levels`: rungs, `empty`: part whose absence says nothing,

    `keys`: parts that can be part of a blocking key, finest first; `same`: the part that is equal when the values are.
    """

    parts: tuple[str, ...]
    read: Callable[[str], Features]
    empty: str
    same: str
    levels: Callable[[Attribute], tuple[Level, ...]]
    keys: tuple[str, ...]
    beside: Callable[[Attribute], tuple[Comparison, ...]] = lambda _: ()


PLACE = "place"
TODAY = "today"  # the option by which a place is also compared as the unit it is part of today


def features_of(attribute: Attribute, value: Any, successors: Mapping[str, str] = NO_SUCCESSORS) -> Features:
    """The features of one value; all None for none or for a text that says nothing. A long one is its beginning and a hash of the whole.

    `successors`: code of a unit that ended → code of the one that took its place; asked where the attribute is compared as of today.
    """
    kind = KINDS[attribute.kind]
    text = _as_text(value)
    if text is None:
        return (None,) * len(kind.parts)
    if attribute.options.get(TODAY):
        text = _with_successor(text, successors)
    read = _parted_code(text) if attribute.options.get("parted") else kind.read(text)
    return tuple(_shortened(feature) if feature is not None and len(feature) > _LONGEST else feature for feature in read)


def _shortened(feature: str) -> str:
    return f"{feature[:_LONGEST]} {xxhash.xxh3_64_hexdigest(feature.encode())}"


def columns_of(attribute: Attribute) -> tuple[str, ...]:
    return tuple(attribute.column(part) for part in KINDS[attribute.kind].parts)


def comparisons_of(attributes: Sequence[Attribute]) -> tuple[Comparison, ...]:
    """Comparisons in the order of the attributes; those of one `group` become one comparison, because they hang together."""
    found: list[Comparison] = []
    groups: dict[str, list[Attribute]] = {}
    others = other_names(attributes)
    given = next((a for a in attributes if a.kind == "given_name"), None)
    family = next((a for a in attributes if a.kind == "surname"), None)
    for attribute in attributes:
        kind = KINDS[attribute.kind]
        if attribute.kind == OTHER_NAME:
            continue  # a rung of the name it is beside
        group = attribute.options.get("group")
        if group is not None:
            groups.setdefault(str(group), []).append(attribute)
            continue
        levels = kind.levels(attribute)
        if attribute in (given, family) and given is not None and family is not None:
            swapped = Level("swapped", Crossed(given.column("flat"), family.column("flat")))
            levels = (levels[0], swapped, *levels[1:])
        if attribute.name in others:
            levels = _with_other_name(levels, attribute, others[attribute.name])
        found.append(Comparison(attribute.name, Empty(attribute.column(kind.empty)), levels))
        found.extend(kind.beside(attribute))
    return (*found, *(_grouped(name, members) for name, members in groups.items()))


_FINEST_FIRST = {"code": 1, "address": 2, "phone": 3, "text": 4, "place": 5, "category": 6}


def _grouped(name: str, members: Sequence[Attribute]) -> Comparison:
    """One comparison of attributes that say much the same (a household's code, address and commune): the finest agreement counts."""
    if len(members) == 1:
        only = members[0]
        return Comparison(name, Empty(only.column(KINDS[only.kind].empty)), KINDS[only.kind].levels(only))
    levels: list[Level] = []
    for member in sorted(members, key=lambda each: _FINEST_FIRST.get(each.kind, 0)):  # the commune must not hide the address
        kind = KINDS[member.kind]
        levels += [_of_member(member.name, level) for level in kind.levels(member) if level.when is not None]
    empties = tuple(Empty(member.column(KINDS[member.kind].empty)) for member in members)
    return Comparison(name, Both(empties), (*levels, Level("different", None)))


def _of_member(name: str, level: Level) -> Level:
    """A rung of a member among those of its group."""
    untaught_as = None if level.untaught_as is None else f"{name} {level.untaught_as}"
    return replace(level, label=f"{name} {level.label}", untaught_as=untaught_as)


def _as_text(value: Any) -> str | None:
    if value is None:
        return None
    text = value.isoformat() if isinstance(value, date) else str(value)
    return text if text.strip() else None


# Names of people --------------------------------------------------------------------------------------------


def _person_levels(a: Attribute) -> tuple[Level, ...]:
    whole, given, family, middle, ends = (a.column(part) for part in ("flat", "given", "family", "middle", "ends"))
    return (
        Level("same", Same(whole), whole),
        Level("regional spelling", Same(a.column("loose")), whole),
        Level("other order", Same(a.column("sorted")), whole),
        Level("middle name missing", Both((Same(ends), Empty(middle))), ends),
        Level(
            "part of the middle name missing",
            Both((Same(ends), Either((Across(middle, a.column("middle_head")), Across(middle, a.column("middle_tail")))))),
        ),
        Level("other order, middle name missing", Across(ends, a.column("turned")), ends),
        Level("one letter mistyped", Both((Edits(whole, 1), Empty(a.column("usual"))))),
        Level("one letter", Edits(whole, 1)),
        Level("family and given name", Same(ends), ends),
        Level("two letters", Both((Edits(whole, 2), Same(family)))),
        Level("given name", Same(given), given),
        Level("alike", Both((Alike(whole, 0.9), Alike(given, 0.8)))),
        Level("family name only", Same(family)),
        Level("different", None),
    )


def _marks(a: Attribute) -> tuple[Comparison, ...]:
    """Marks lost say nothing; marks that differ speak against. Looked at only where the letters are the same."""
    marks = a.column("marks")
    empty = Either((Empty(marks), Either((Empty(a.column("flat")), Differ(a.column("flat"))))))
    return (Comparison(f"{a.name}_marks", empty, (Level("same marks", Same(marks)), Level("other marks", None))),)


OTHER_NAME = "other_name"
_BEFORE_OTHER_NAME = "one letter mistyped"  # whoever writes the name itself nearly right says more


def other_names(attributes: Sequence[Attribute]) -> dict[str, Attribute]:
    """Attribute of a name → the attribute that holds another name its bearer goes by."""
    names = {a.name for a in attributes if a.kind == "person_name"}
    return {str(a.options["of"]): a for a in attributes if a.kind == OTHER_NAME and a.options.get("of") in names}


def _with_other_name(levels: tuple[Level, ...], name: Attribute, other: Attribute) -> tuple[Level, ...]:
    """The rungs of a name, and one more: the other's name is what this one is also called, or both are called the same."""
    also = Either((Across(name.column("flat"), other.column("flat")), Same(other.column("flat"))))
    place = next((n for n, level in enumerate(levels) if level.label == _BEFORE_OTHER_NAME), len(levels) - 1)
    return (*levels[:place], Level("goes by another name", also), *levels[place:])


_PERSON = Kind(
    PARTS,
    person_name,
    "flat",
    "flat",
    _person_levels,
    ("flat", "ends", "loose", "sorted", "given"),
    _marks,
)

_OTHER_PARTS = ("flat", "ends", "loose", "sorted", "given")  # those by which a name is found


def _other_name(text: str) -> Features:
    read = dict(zip(PARTS, person_name(text), strict=True))
    return tuple(read[part] for part in _OTHER_PARTS)


_OTHER = Kind(_OTHER_PARTS, _other_name, "flat", "flat", lambda _: (), ())

# Words ------------------------------------------------------------------------------------------------------

_LEGAL_FORMS = re.compile(
    r"\b(?:cong ty|cty|ct|trach nhiem huu han|tnhh|co phan|cp|mot thanh vien|mtv|1 thanh vien|hai thanh vien|2 thanh vien|doanh nghiep|dn|tu nhan|dntn"
    r"|hop tac xa|htx|chi nhanh|cn|ho kinh doanh|hkd|company|co|ltd|limited|jsc|joint stock|corporation|inc|private enterprise)\b"
)
_TRADES = {
    "tm": "thuong mai",
    "dv": "dich vu",
    "sx": "san xuat",
    "xd": "xay dung",
    "xnk": "xuat nhap khau",
    "vt": "van tai",
    "dt": "dau tu",
}
_VOWELS = re.compile(r"[aeiouy0-9 ]+")


def _word(text: str) -> Features:
    bare = flat(text)
    if bare is None:
        return (None, None, None)
    tight = bare.replace(" ", "")
    skeleton = tight[0] + re.sub(r"(.)\1+", r"\1", _VOWELS.sub("", tight[1:].replace("ph", "f").replace("ck", "k").replace("c", "k")))
    return (tight, tight[:3] if len(tight) > 3 else None, skeleton[:4] if len(skeleton) > 1 else None)


def _word_levels(a: Attribute) -> tuple[Level, ...]:
    whole = a.column("flat")
    return (
        Level("same", Same(whole), whole),
        Level("one letter", Edits(whole, 1), whole),
        Level("two letters", Both((Edits(whole, 2), Alike(whole, 0.8)))),
        Level("alike", Alike(whole, 0.85)),
        Level("same sound", Either((Same(a.column("sound")), Same(a.column("head"))))),
        Level("different", None),
    )


_WORD = Kind(("flat", "head", "sound"), _word, "flat", "flat", _word_levels, ("flat", "sound", "head"))


def _text(text: str) -> Features:
    """As a word has it, and its different words in order of the alphabet (of a long text, those early in it)."""
    bare = flat(text)
    return (*_word(text), None if bare is None else " ".join(sorted(set(bare.split()))))


def _text_levels(a: Attribute) -> tuple[Level, ...]:
    whole, words = a.column("flat"), a.column("words")
    return (
        Level("same", Same(whole), whole),
        Level("one letter", Edits(whole, 1), whole),
        Level("two letters", Both((Edits(whole, 2), Alike(whole, 0.8)))),
        Level("same words", Same(words), whole),
        Level("most words", Common(words, 6)),
        Level("alike", Alike(whole, 0.85)),
        Level("half of the words", Common(words, 4)),
        Level("some words", Common(words, 2)),
        Level("same sound", Either((Same(a.column("sound")), Same(a.column("head"))))),
        Level("different", None),
    )


_TEXT = Kind(("flat", "head", "sound", "words"), _text, "flat", "flat", _text_levels, ("flat", "sound", "head"))


def _organisation(text: str) -> Features:
    bare = flat(text)
    if bare is None:
        return (None, None, None)
    core = " ".join(_TRADES.get(word, word) for word in _LEGAL_FORMS.sub(" ", bare).split())
    core = core or bare
    return (core, " ".join(sorted(core.split())), bare)


def _organisation_levels(a: Attribute) -> tuple[Level, ...]:
    core, whole = a.column("core"), a.column("flat")
    return (
        Level("same with its form", Same(whole), whole),
        Level("same", Same(core), core),
        Level("other order", Same(a.column("sorted")), core),
        Level("one letter", Edits(core, 1), core),
        Level("alike", Alike(core, 0.92)),
        Level("different", None),
    )


_ORGANISATION = Kind(("core", "sorted", "flat"), _organisation, "core", "core", _organisation_levels, ("core", "sorted"))

# Dates ------------------------------------------------------------------------------------------------------

_ISO = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?(?:[ T].*)?")
_EIGHT = re.compile(r"(\d{4})(\d{2})(\d{2})(?:\.0)?")
_WRITTEN = re.compile(r"(\d{1,2})[/.\-](\d{1,2})[/.\-](\d{4})")


def _date(text: str) -> Features:
    """Year, month and day of any precision. What is no date at all has no features: it can neither help nor harm."""
    text = text.strip()
    if found := _WRITTEN.fullmatch(text):
        year, month, day = found[3], found[2].zfill(2), found[1].zfill(2)
    elif found := _EIGHT.fullmatch(text) or _ISO.fullmatch(text):
        year, month, day = found[1], found[2], found[3]
    else:
        return (None, None, None, None)
    if month is None or day is None or month == "00" or day == "00":
        return (None, year, None, None)
    return (year + month + day, year, month + day, year + day + month)


def _date_levels(a: Attribute) -> tuple[Level, ...]:
    whole, year, day = a.column("ymd"), a.column("year"), a.column("md")
    year_only = Either((Empty(whole), Is(day, "0101")))
    return (
        Level("same", Same(whole), whole),
        Level("day and month swapped", Crossed(whole, a.column("swapped"))),
        Level("same year, day unknown", Both((Same(year), year_only)), year),
        Level("one digit", Edits(whole, 1)),
        Level("same day of another year", Same(day)),
        Level("two digits", Edits(whole, 2)),
        Level("same year", Same(year), year),
        Level("years alike", Edits(year, 1)),
        Level("different", None),
    )


_DATE = Kind(("ymd", "year", "md", "swapped"), _date, "year", "ymd", _date_levels, ("ymd", "year", "md"))

# Numbers and codes ------------------------------------------------------------------------------------------


_NO_SIGN = re.compile(r"[\W_]+")


def _code(text: str) -> Features:
    if text.isascii() and text.isalnum():
        return (text.lower(),)
    return ("".join(letter for letter in without_marks(text) if letter.isalnum() and letter.isascii()) or None,)


def _parted_code(text: str) -> Features:
    """The same with its parts kept apart: `25414-1-188` is another parcel than `25414-11-88`."""
    return ("-".join(part for each in _NO_SIGN.split(text) for part in _code(each) if part is not None) or None,)


def _code_levels(a: Attribute) -> tuple[Level, ...]:
    whole = a.column("code")
    return (Level("same", Same(whole), whole), Level("one sign", Edits(whole, 1)), Level("different", None))


_CODE = Kind(("code",), _code, "code", "code", _code_levels, ("code",))


def _category_levels(a: Attribute) -> tuple[Level, ...]:
    whole = a.column("code")
    return (Level("same", Same(whole), whole), Level("different", None))


_CATEGORY = Kind(("code",), _code, "code", "code", _category_levels, ("code",))


def _year_levels(a: Attribute) -> tuple[Level, ...]:
    whole = a.column("code")
    return (Level("same", Same(whole), whole), Level("one digit", Edits(whole, 1)), Level("different", None))


_YEAR = Kind(("code",), _code, "code", "code", _year_levels, ("code",))


def _place(text: str) -> Features:
    """A unit's code as recorded, and the unit it is part of today, where the caller put it after `>` (09123>24567)."""
    code, _, now = text.partition(">")
    return (_code(code)[0], _code(now)[0] if now else _code(code)[0])


def _with_successor(text: str, successors: Mapping[str, str]) -> str:
    now = None if ">" in text else successors.get(_code(text)[0] or "")
    return text if now is None else f"{text}>{now}"


def _place_levels(a: Attribute) -> tuple[Level, ...]:
    return (
        Level("same unit", Same(a.column("code")), a.column("code")),
        Level(
            "same unit today", Same(a.column("now")), untaught_as="same unit"
        ),  # how rare the one is was not learnt from those of several
        Level("different", None),
    )


_PLACE = Kind(("code", "now"), _place, "code", "now", _place_levels, ("code",))

# Addresses --------------------------------------------------------------------------------------------------

_ABBREVIATIONS = (
    (re.compile(r"\b(?:duong|d)\b"), ""),
    (re.compile(r"\b(?:so nha|so|sn|nha)\b"), ""),
    (re.compile(r"\b(?:phuong|p)\b"), ""),
    (re.compile(r"\b(?:thi xa|tx|thanh pho|tp|huyen|h|quan|q|tinh|t|xa|x)\b"), ""),
    (re.compile(r"\bkhu pho\b"), "kp"),
    (re.compile(r"\b(?:thon|ap|to|khom)\b"), "thon"),
    (re.compile(r"\bstreet\b"), "st"),
    (re.compile(r"\broad\b"), "rd"),
    (re.compile(r"\bdak\b"), "dac"),
)
_NUMBER = re.compile(r"\d+[a-z]?")
_HAMLETS = ("thon", "kp", "buon", "bon", "ban", "lang", "soc", "xom", "khu")  # first words of what lies below a commune


def _address(text: str) -> Features:
    bare = flat(text)
    if bare is None:
        return (None, None, None)
    for pattern, word in _ABBREVIATIONS:
        bare = pattern.sub(word, bare)
    bare = " ".join(bare.split())
    if not bare:
        return (None, None, None)
    words = bare.split(" ")
    return (bare, " ".join(sorted(words)), " ".join(word for word in words if _NUMBER.fullmatch(word)) or None)


def _address_levels(a: Attribute) -> tuple[Level, ...]:
    whole = a.column("flat")
    return (
        Level("same", Same(whole), whole),
        Level("same words", Same(a.column("words")), whole),
        Level("hamlet alone", EndOf(whole, _HAMLETS), untaught_as="alike"),  # above the next: `5, thôn 3` is two letters from `thôn 3`
        Level("nearly the same", Either((Edits(whole, 2), Both((Alike(whole, 0.9), Same(a.column("numbers"))))))),
        Level("same numbers", Same(a.column("numbers")), a.column("numbers")),
        Level("alike", Alike(whole, 0.85)),
        Level("different", None),
    )


_ADDRESS = Kind(("flat", "words", "numbers"), _address, "flat", "flat", _address_levels, ("flat", "words", "numbers"))

KINDS: Mapping[str, Kind] = {
    "person_name": _PERSON,
    OTHER_NAME: _OTHER,
    "given_name": _WORD,
    "surname": _WORD,
    "text": _TEXT,
    "organisation_name": _ORGANISATION,
    "date": _DATE,
    "year": _YEAR,
    "identifier": _CODE,
    "phone": _CODE,
    "code": _CODE,
    "number": _CODE,
    "category": _CATEGORY,
    PLACE: _PLACE,
    "address": _ADDRESS,
}
