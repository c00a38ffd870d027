"""Every commune as it may be typed, by the error models A2–A5 and N1–N5 of the synthetic province, and what each text decides.

What a text decides is found without the code that is measured: by comparing folded texts and counting slips over all units that lie in
the places it names. `truth` is the code that must come out; `decides` is false where other units fit the text as well (twins by a tone,
names without a place), where nothing may be chosen; an old unit that was split has no truth and must be left to a person.
"""

from __future__ import annotations

import random
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from functools import cache

from rapidfuzz.distance import OSA

from lienthong.standards.admin_units import MERGED, Unit, predecessors, related_provinces, successors, units

BEFORE, AFTER = date(2025, 6, 30), MERGED
_TONES = "\u0300\u0301\u0303\u0309\u0323"
_TELEX = {"\u0300": "f", "\u0301": "s", "\u0303": "x", "\u0309": "r", "\u0323": "j", "\u0306": "w", "\u031b": "w"}
_NEIGHBOURS = {"a": "s", "e": "r", "i": "o", "n": "m", "t": "y", "h": "g", "o": "p", "u": "i", "c": "v", "g": "f"}
_SHORT = (("Phường ", "P."), ("Thị trấn ", "TT "), ("Huyện ", "H. "), ("Thị xã ", "TX "), ("Thành phố ", "TP. "), ("Quận ", "Q."), ("Xã ", "X. "), ("Tỉnh ", ""))  # fmt: skip


@dataclass(frozen=True)
class Typing:
    """One text of one commune, the day its row is dated by, and what it should become."""

    model: str
    text: str
    on: date
    truth: str | None
    decides: bool
    names_another: bool = False  # the damage made it exactly another unit's name of that place


@cache
def fold(text: str) -> str:
    """Letters and digits alone, without marks, case or words of kind; tones, i and y and the spellings of Đak made one."""
    text = text.casefold().replace("đ", "d")
    text = "".join(letter for letter in unicodedata.normalize("NFD", text) if not unicodedata.combining(letter))
    words = "".join(letter if letter.isalnum() else " " for letter in text).split()
    joined = f" {' '.join(words)} "
    for kind in (" thanh pho ", " thi xa ", " thi tran ", " dac khu ", " phuong ", " quan ", " huyen ", " xa "):
        if joined.startswith(kind):
            joined = " " + joined[len(kind) :]
            break
    words = [word.lstrip("0") or "0" if word.isdigit() else word for word in joined.split()]
    return " ".join(words).replace("dac lac", "dak lak").replace("dac ", "dak ").replace("y", "i")


@cache
def _marked(name: str) -> str:
    """A name's fold with its marks, tones at the end of words."""
    plain = name.split(" ", 1)[1] if name.split(" ", 1)[0] in {"Xã", "Phường"} else name.split(" ", 2)[-1]
    words = []
    for word in plain.casefold().replace("đắk", "đak").replace("đăk", "đak").split():
        letters = unicodedata.normalize("NFD", word)
        tones = "".join(letter for letter in letters if letter in _TONES)
        words.append("".join(letter for letter in letters if letter not in _TONES).replace("y", "i") + tones)
    return " ".join(words)


class Register:
    """The units by level and time, and which lie in a place."""

    def __init__(self) -> None:
        self.named = {(unit.code, unit.valid_from < MERGED): unit for unit in units()}
        self.old = [unit for unit in units() if unit.level == "commune" and unit.valid_from < MERGED]
        self.new = [unit for unit in units() if unit.level == "commune" and unit.valid_from >= MERGED]
        self.by_province: dict[tuple[str, bool], list[Unit]] = defaultdict(list)
        self.by_district: dict[str, list[Unit]] = defaultdict(list)
        self.now_by_district: dict[str, list[Unit]] = defaultdict(list)
        for unit in (*self.old, *self.new):
            self.by_province[unit.province_code, unit.valid_from < MERGED].append(unit)
            if unit.district_code:
                self.by_district[unit.district_code].append(unit)
        for unit in self.new:
            for district in {before.district_code for before in predecessors(unit)}:
                self.now_by_district[district].append(unit)

    def around(self, unit: Unit) -> tuple[str, ...]:
        """The names of the district, if there is one, and the province."""
        is_old = unit.valid_from < MERGED
        district = [self.named[unit.district_code, True].name] if unit.district_code else []
        return (*district, self.named[unit.province_code, is_old].name)

    def beside(self, unit: Unit, on: date) -> list[Unit]:
        """The communes that lie in the place an address of a unit names, by the borders that people may write on a day."""
        if unit.district_code:
            there = self.by_district[unit.district_code]
            return there if on < MERGED else [*there, *self.now_by_district[unit.district_code]]
        provinces = related_provinces(unit.province_code)
        return [*self.by_province[unit.province_code, False], *(old for code in provinces for old in self.by_province[code, True])]


def _after(unit: Unit) -> str | None:
    """The code of what took an old unit's place; None where it was split."""
    new = successors(unit, AFTER)
    return new[0].code if len(new) == 1 else None


def _outcomes(found: list[Unit], on: date) -> set[str | None]:
    """What rows dated by a day become of units: those in force, or else what took their place."""
    in_force = [unit.code for unit in found if unit.is_valid(on)]
    return set(in_force) or {_after(unit) for unit in found}


def _tone_moved(name: str, _: random.Random) -> str:
    for one, other in (("òa", "oà"), ("óa", "oá"), ("ỏa", "oả"), ("ọa", "oạ"), ("úy", "uý"), ("ùy", "uỳ"), ("ủy", "uỷ"), ("ụy", "uỵ"), ("òe", "oè"), ("óe", "oé")):  # fmt: skip
        if one in name:
            return name.replace(one, other)
        if other in name:
            return name.replace(other, one)
    return name


def _mark_wrong(name: str, r: random.Random) -> str:
    words = name.split(" ")
    places = [n for n in range(1, len(words)) if any(letter in _TONES for letter in unicodedata.normalize("NFD", words[n]))]
    if not places:
        return name
    place = r.choice(places)
    tone = r.choice(["", *_TONES])
    letters = [tone if letter in _TONES else letter for letter in unicodedata.normalize("NFD", words[place])]
    words[place] = unicodedata.normalize("NFC", "".join(letters))
    return " ".join(words)


def _marks_lost(name: str, _: random.Random) -> str:
    plain = "".join(letter for letter in unicodedata.normalize("NFD", name) if not unicodedata.combining(letter))
    return plain.replace("đ", "d").replace("Đ", "D").upper()


def _slip(name: str, r: random.Random) -> str:
    kind, first = name.split(" ", 1)[0], name.index(" ") + 1
    places = [n for n in range(first + 1, len(name) - 1) if name[n].isalpha() and name[n + 1].isalpha()]
    if kind in {"Thị", "Đặc"} or not places:
        return name
    place, way = r.choice(places), r.randrange(5)
    if way == 0:
        return name[:place] + name[place + 1 :]
    if way == 1:
        return name[: place + 1] + name[place:]
    if way == 2:
        return name[:place] + name[place + 1] + name[place] + name[place + 2 :]
    if way == 3:
        return name[:place] + _NEIGHBOURS.get(name[place], "x") + name[place + 1 :]
    *words, last = name.split(" ")
    keys, tone = "", ""
    for letter in unicodedata.normalize("NFD", last):
        if letter == "\u0302":
            keys += keys[-1].lower()
        elif letter in _TONES:
            tone = _TELEX[letter]
        else:
            keys += _TELEX.get(letter, letter)
    return " ".join([*words, keys.replace("đ", "dd").replace("Đ", "Dd") + tone])


def _words_of_kind(name: str) -> int:
    return 2 if name.startswith(("Thị trấn ", "Đặc khu ")) else 1


def _by_ear(name: str, r: random.Random) -> str:
    words = name.split(" ")
    ways: list[tuple[int, str]] = []
    for n, word in enumerate(words[_words_of_kind(name) :], _words_of_kind(name)):
        for one, other in (("Tr", "Ch"), ("Ch", "Tr"), ("S", "X"), ("X", "S"), ("D", "Gi"), ("Gi", "D")):
            if word.startswith(one):
                ways.append((n, other + word[len(one) :]))
                break
        for one, other in (("ng", "n"), ("n", "ng"), ("c", "t"), ("t", "c"), ("y", "i")):
            if word.endswith(one) and len(word) > 2:
                ways.append((n, word[: -len(one)] + other))
                break
    if not ways:
        return name
    place, word = r.choice(ways)
    return " ".join([*words[:place], word, *words[place + 1 :]])


NAME_MODELS: dict[str, Callable[[str, random.Random], str]] = {
    "N1": _tone_moved, "N2": _mark_wrong, "N3": _marks_lost, "N4": _slip, "N5": _by_ear,
}  # fmt: skip


def _respelled(text: str, r: random.Random) -> str:
    """A5: abbreviated kinds, Đak, no commas, a hamlet before, other case, the country after."""
    way = r.randrange(7)
    if way in {0, 1, 5}:
        for long, short in _SHORT:
            text = text.replace(long, short)
    if way == 1:
        text = f"Số {r.randrange(1, 300)}, ấp {r.randrange(1, 9)}, {text}"
    if way == 2:
        text = text.replace(",", "")
    if way == 3:
        text = text.replace("Đắk", "Đăk").replace("Đăk", "Đak").replace(", ", " - ")
    if way == 4:
        text = text.upper()
    if way == 5:
        text += ", Việt Nam"
    return text.lower() if way == 6 else text


def typings(seed: int = 11, every: int = 1) -> Iterator[Typing]:
    """Texts of every `every`th commune of each time, each model once."""
    r, register = random.Random(seed), Register()
    for unit in register.old[::every]:
        yield from _of(register, unit, BEFORE, unit.code, "A0", r)
        yield from _of(register, unit, AFTER, _after(unit), "A2", r)
    for unit in register.new[::every]:
        yield from _of(register, unit, AFTER, unit.code, "A0", r)
        yield from _mixed(register, unit, r)


def _of(register: Register, unit: Unit, on: date, truth: str | None, model: str, r: random.Random) -> Iterator[Typing]:
    around = register.around(unit)
    beside = register.beside(unit, on)
    same = [other for other in beside if _marked(other.name) == _marked(unit.name) and (on < MERGED or _fits_time(other, unit, on))]
    decides = _outcomes(same, on) == {truth} and truth is not None
    plain = ", ".join((unit.name, *around))
    yield Typing(model, plain, on, truth, decides)
    folded = [other for other in beside if fold(other.name) == fold(unit.name)]
    decided_unmarked = decides and _outcomes(folded, on) == {truth}
    yield Typing("A5", _respelled(plain, r), on, truth, decides)
    for name, damage in NAME_MODELS.items():
        typed = damage(unit.name, r)
        if typed == unit.name:
            continue
        text = ", ".join((typed, *around)) if name != "N3" else damage(plain, r)
        another = name != "N3" and _is_another(typed, unit, beside)
        if name == "N1":
            yield Typing(name, text, on, truth, decides)
        elif name in {"N2", "N3"}:
            yield Typing(name, text, on, truth, decided_unmarked and not another, another)
        else:
            yield Typing(name, text, on, truth, decided_unmarked and _is_nearest(typed, unit, beside), another)


def _fits_time(other: Unit, unit: Unit, on: date) -> bool:
    """Whether an address of a unit's district may be read as another of its name that lies there now or did."""
    return other is unit or other.is_valid(on) or not unit.is_valid(on)


def _is_another(typed: str, unit: Unit, beside: list[Unit]) -> bool:
    kind = typed.split(" ", 1)[0]
    return any(other.name.startswith(kind) and _marked(other.name) == _marked(typed) for other in beside if other.name != unit.name)


def _is_nearest(typed: str, unit: Unit, beside: list[Unit]) -> bool:
    """Whether no other name of the place is as near to the text."""
    text = fold(typed)
    others = [OSA.distance(text, fold(other.name)) for other in beside if fold(other.name) != fold(unit.name)]
    return OSA.distance(text, fold(unit.name)) < min(others, default=99)


def _mixed(register: Register, unit: Unit, r: random.Random) -> Iterator[Typing]:
    """A3: a new commune in an old district of it, with the new or the old province after it; a commune alone. A4: a code of another time."""
    before = predecessors(unit)
    if before:
        old = r.choice(before)
        district, province = register.named[old.district_code, True].name, register.named[r.choice([(unit.province_code, False), (old.province_code, True)])].name  # fmt: skip
        there = [*register.by_district[old.district_code], *register.now_by_district[old.district_code]]
        same = [other for other in there if _marked(other.name) == _marked(unit.name)]
        exact_old = [other for other in same if other.valid_from < MERGED]
        # the old commune of that name in that district became another unit now: the text may mean either
        decides = {_after(other) for other in exact_old} <= {unit.code} and _outcomes([o for o in same if o.is_valid(AFTER)], AFTER) == {
            unit.code
        }
        yield Typing("A3", f"{unit.name}, {district}, {province}", AFTER, unit.code, decides)
    alone = [other for other in (*register.old, *register.new) if _marked(other.name) == _marked(unit.name)]
    yield Typing("A3 alone", unit.name, AFTER, unit.code, _outcomes(alone, AFTER) == {unit.code} and len(alone) == 1)


def codes_of_another_time() -> Iterator[Typing]:
    """A4: codes dated by a day on which they were not in force must be told; those in force on both sides cannot be seen in the code alone."""
    register = Register()
    old, new = {unit.code for unit in register.old}, {unit.code for unit in register.new}
    yield from (Typing("A4", code, AFTER, code, decides=True) for code in sorted(old - new))
    yield from (Typing("A4", code, BEFORE, code, decides=True) for code in sorted(new - old))
