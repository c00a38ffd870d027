"""What goes wrong between a true value and a typed one, by the codes of the rates table. Every damage is written down beside the data."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import polars as pl
from numpy.random import Generator
from numpy.typing import NDArray

from demo.province.base import stream
from demo.province.rates import BAD_COMMUNES, BAD_SHARE, YEAR_ONLY_WITHOUT_ID, rate

_TONES = "\u0300\u0301\u0303\u0309\u0323"
Damage = Callable[[str, Generator], str]
Numbers = NDArray[np.int64]
Flags = NDArray[np.bool_]


@dataclass
class Observer:
    """Damages the columns of one register and keeps the list of what it did."""

    seed: int
    register: str
    communes: Numbers
    commune_count: int
    errors: list[tuple[int, str, str, str, str]] = field(default_factory=list)  # row (from 0), field, code, true, written

    def __post_init__(self) -> None:
        """A fifth of the communes type badly, whatever they type: their rows come first when an error is handed out."""
        bad = stream(self.seed, self.register, "typists").permutation(self.commune_count) < round(BAD_COMMUNES * self.commune_count)
        self._weight = np.where(bad, BAD_SHARE / BAD_COMMUNES, (1 - BAD_SHARE) / (1 - BAD_COMMUNES))[self.communes]

    def order(self, code: str, among: Flags | None = None) -> tuple[int, Numbers]:
        """How many rows carry an error, and all rows that may, in the order they are tried."""
        draw = stream(self.seed, self.register, code)
        waiting = draw.exponential(size=len(self.communes)) / self._weight
        rows = np.arange(len(self.communes)) if among is None else np.flatnonzero(among)
        return int(draw.binomial(len(rows), rate(code, self.register))), rows[np.argsort(waiting[rows], kind="stable")]

    def rows(self, code: str, among: Flags | None = None) -> list[int]:
        """The rows that carry an error."""
        wanted, rows = self.order(code, among)
        found: list[int] = rows[:wanted].tolist()
        return found

    def damage(self, values: list[str], name: str, code: str, how: Damage, among: Flags | None = None) -> list[int]:
        """Damage a column in place, passing over rows whose value cannot go wrong so; gives the rows damaged."""
        wanted, rows = self.order(code, among)
        return self.damage_rows(values, name, code, how, rows, wanted)

    def damage_rows(self, values: list[str], name: str, code: str, how: Damage, rows: Numbers, wanted: int) -> list[int]:
        """Damage the first `wanted` of the rows that can go wrong."""
        draw = stream(self.seed, self.register, code + name)
        done: list[int] = []
        for row in rows if wanted else ():
            written = how(values[row], draw)
            if written == values[row]:
                continue
            self.note(int(row), name, code, values[row], written)
            values[row] = written
            done.append(int(row))
            if len(done) == wanted:
                break
        return done

    def note(self, row: int, name: str, code: str, true: str, written: str) -> None:
        self.errors.append((row, name, code, true, written))

    def frame(self) -> pl.DataFrame:
        """What was done, rows from 0."""
        schema = {"row": pl.Int64, "field": pl.String, "code": pl.String, "true": pl.String, "written": pl.String}
        return pl.DataFrame(self.errors, schema=schema, orient="row").select(pl.lit(self.register).alias("register"), pl.all())


def tone_moved(text: str, _: Generator) -> str:
    """Hoà for Hòa, thuý for thúy, and back."""
    pairs = (
        ("òa", "oà"),
        ("óa", "oá"),
        ("ỏa", "oả"),
        ("õa", "oã"),
        ("ọa", "oạ"),
        ("úy", "uý"),
        ("ùy", "uỳ"),
        ("ủy", "uỷ"),
        ("ũy", "uỹ"),
        ("ụy", "uỵ"),
    )
    for one, other in pairs:
        if one in text:
            return text.replace(one, other)
        if other in text:
            return text.replace(other, one)
    return text


def tone_lost(text: str, draw: Generator) -> str:
    words = text.split(" ")
    place = int(draw.integers(0, len(words)))
    letters = [c for c in unicodedata.normalize("NFD", words[place]) if c not in _TONES]
    words[place] = unicodedata.normalize("NFC", "".join(letters))
    return " ".join(words)


def marks_lost(text: str, _: Generator) -> str:
    plain = "".join(c for c in unicodedata.normalize("NFD", text) if not unicodedata.combining(c))
    return plain.replace("đ", "d").replace("Đ", "D").upper()


def typing_slip(text: str, draw: Generator) -> str:
    if len(text) < 4:  # too short to slip in
        return text
    place, kind = int(draw.integers(1, len(text) - 1)), int(draw.integers(0, 4))
    if kind == 3:
        return telex_left(text)
    if text[place] == " " or text[place + 1 : place + 2] == " ":
        return text
    if kind == 0:
        return text[:place] + text[place + 1 :]
    if kind == 1:
        return text[:place] + text[place] + text[place:]
    return text[:place] + text[place + 1] + text[place] + text[place + 2 :]


_TELEX = {"\u0300": "f", "\u0301": "s", "\u0303": "x", "\u0309": "r", "\u0323": "j", "\u0306": "w", "\u031b": "w"}


def telex_left(text: str) -> str:
    """The last word as its keys were struck: `Nguyeenx`."""
    *words, last = text.split(" ")
    keys, tone = "", ""
    for letter in unicodedata.normalize("NFD", last):
        if letter == "\u0302":
            keys += keys[-1].lower()
        elif letter in _TONES:
            tone = _TELEX[letter]
        else:
            keys += _TELEX.get(letter, letter)
    return " ".join([*words, keys.replace("đ", "dd").replace("Đ", "Dd") + tone])


def by_ear(text: str, draw: Generator) -> str:
    for one, other in (
        ("Mỹ", "Mĩ"),
        ("Lý", "Lí"),
        ("Vy", "Vi"),
        ("Kỳ", "Kì"),
        ("Sương", "Xương"),
        ("Trung", "Chung"),
        ("Thắng", "Thắn"),
        ("Huy", "Hui"),
    ):
        if one in text:
            return text.replace(one, other)
    return tone_lost(text, draw)


def middle_dropped(text: str, _: Generator) -> str:
    words = text.split(" ")
    return " ".join([words[0], *words[2:]]) if len(words) > 2 else text  # surname, middle, given


def nicknamed(text: str, draw: Generator) -> str:
    return f"{text} ({('Út', 'Bé Ba', 'Tư', 'Hai', 'Maria')[int(draw.integers(0, 5))]})"


def reordered(text: str, draw: Generator) -> str:
    words = text.split(" ")
    return " ".join([*words[1:], words[0]]) if draw.random() < 0.3 else text.upper()


def minority_by_ear(text: str, draw: Generator) -> str:
    return (text.replace("Điểu", "Đieu"), text.replace("Điểu", "Điễu"), text.replace("Thị", "Thi"))[int(draw.integers(0, 3))]


def day_month_swapped(text: str, _: Generator) -> str:
    day, month, year = text.split("/") if text.count("/") == 2 else ("99", "", "")  # day, month, year
    return f"{month}/{day}/{year}" if int(day) <= 12 and day != month else text  # months


def year_only(text: str, _: Generator) -> str:
    return text[-4:]


def first_of_january(text: str, _: Generator) -> str:
    return "01/01/" + text[-4:]


def year_wrong(text: str, draw: Generator) -> str:
    return text[:-4] + str(int(text[-4:]) + (-10, -1, 1)[int(draw.integers(0, 3))])


def old_number(text: str, _: Generator) -> str:
    """The 9-digit number the same person had before: begins with 00, as none was ever issued."""
    return "00" + text[2] + text[6:]


def emptied(_: str, __: Generator) -> str:
    return ""


def zeros_lost(text: str, _: Generator) -> str:
    return text.lstrip("0")


def digit_wrong(text: str, draw: Generator) -> str:
    if len(text) < 9:  # no number
        return text
    place = int(draw.integers(4, len(text)))
    return text[:place] + str((int(text[place]) + 1 + int(draw.integers(0, 8))) % 10) + text[place + 1 :] if text[place].isdigit() else text


def unit_respelled(text: str, draw: Generator) -> str:
    kind = int(draw.integers(0, 4))
    if kind == 0:
        return text.replace("Phường ", "P. ").replace("Xã ", "X. ").replace("Thị trấn ", "TT ")
    if kind == 1:
        return text.replace("Huyện ", "H. ").replace("Thị xã ", "TX ").replace("Thành phố ", "TP ")
    if kind == 2:  # the third of four
        return text.replace("Đak", "Đăk").replace("Đắk", "Đak")
    return text.replace(", tỉnh ", ", ")


def phone_respelled(text: str, draw: Generator) -> str:
    if not text:
        return text
    kind = int(draw.integers(0, 4))
    return (
        "+84 " + text[1:4] + " " + text[4:7] + " " + text[7:],
        f"{text[:4]}.{text[4:7]}.{text[7:]}",
        text[1:],
        f"{text}; {text[:-1]}{(int(text[-1]) + 1) % 10}",
    )[kind]


def decomposed(text: str, _: Generator) -> str:
    return unicodedata.normalize("NFD", text)


def odd_space(text: str, draw: Generator) -> str:
    return text.replace(" ", ("\u00a0", "  ", " \u200b")[int(draw.integers(0, 3))], 1)


NAME_DAMAGE: tuple[tuple[str, Damage], ...] = (
    ("N1", tone_moved),
    ("N2", tone_lost),
    ("N4", typing_slip),
    ("N5", by_ear),
    ("N6", middle_dropped),
    ("N7", nicknamed),
    ("N8", reordered),
    ("N3", marks_lost),
    ("B3", decomposed),
    ("B4", odd_space),
)


def damage_names(observer: Observer, names: list[str], column: str, minority: Flags) -> list[int]:
    """Damage names; gives the rows that lost all marks (N3)."""
    observer.damage(names, column, "N9", minority_by_ear, minority)
    done = {code: observer.damage(names, column, code, how) for code, how in NAME_DAMAGE}
    return done["N3"]


def write_other_names(observer: Observer, names: list[str], column: str, true: list[str], others: list[str | None]) -> None:
    """N10: the name a person goes by in place of the name itself, and of whatever was mistyped of that. No other row is touched."""
    rows = set(observer.rows("N10", np.array([other is not None for other in others], np.bool_)))
    observer.errors = [error for error in observer.errors if error[0] not in rows or error[1] != column]
    for row in sorted(rows):
        names[row] = others[row] or ""
        observer.note(row, column, "N10", true[row], names[row])


def damage_dates(observer: Observer, dates: list[str], column: str, old: Flags) -> list[int]:
    """Damage dates as dd/mm/yyyy; `old` marks those born before 1975. Gives the rows of which only the year is left (D2)."""
    observer.damage(dates, column, "D1", day_month_swapped)
    observer.damage(dates, column, "D4", year_wrong)
    observer.damage(dates, column, "D3", first_of_january, old)
    return observer.damage(dates, column, "D2", year_only, old)


def damage_ids(observer: Observer, ids: list[str], column: str, year_only_rows: list[int]) -> None:
    """Damage personal ids; who is known by year only has the old number or none with 65 %, within the register's rates."""
    share = rate("I1", observer.register) / max(rate("I1", observer.register) + rate("I2", observer.register), 1e-9)
    draw = stream(observer.seed, observer.register, "ids of the old")
    fate = draw.random(len(year_only_rows))
    first = {
        "I1": [row for row, chance in zip(year_only_rows, fate, strict=True) if chance < YEAR_ONLY_WITHOUT_ID * share],
        "I2": [
            row for row, chance in zip(year_only_rows, fate, strict=True) if YEAR_ONLY_WITHOUT_ID * share <= chance < YEAR_ONLY_WITHOUT_ID
        ],
    }
    for code, how in (("I1", old_number), ("I2", emptied)):
        wanted, rows = observer.order(code)
        observer.damage_rows(ids, column, code, how, put_first(rows, first[code], year_only_rows), wanted)
    observer.damage(ids, column, "I4", digit_wrong)
    observer.damage(ids, column, "I3", zeros_lost)


def put_first(rows: Numbers, first: list[int], group: list[int]) -> Numbers:
    """The rows with `first` at the head and the rest of their group left out."""
    return np.concatenate([np.asarray(first, np.int64), rows[~np.isin(rows, group)]])
