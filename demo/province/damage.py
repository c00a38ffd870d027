"""What goes wrong between a true value and a typed one, by the codes of the rates table. Every damage is written down beside the data."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.random import Generator

from demo.province.base import stream
from demo.province.rates import BAD_COMMUNES, BAD_SHARE, rate

_TONES = "\u0300\u0301\u0303\u0309\u0323"
Damage = Callable[[str, Generator], str]


@dataclass
class Observer:
    """Damages the columns of one register and keeps the list of what it did."""

    seed: int
    register: str
    communes: np.ndarray[tuple[int], np.dtype[np.int64]]
    commune_count: int
    errors: list[tuple[str, int, str, str, str, str]] = field(default_factory=list)  # register, row, field, code, true, written

    def __post_init__(self) -> None:
        bad = stream(self.seed, self.register, "typists").random(self.commune_count) < BAD_COMMUNES
        self._factor = np.where(bad, BAD_SHARE / BAD_COMMUNES, (1 - BAD_SHARE) / (1 - BAD_COMMUNES))[self.communes]

    def rows(self, code: str, among: np.ndarray[tuple[int], np.dtype[np.bool_]] | None = None) -> list[int]:
        """Which rows carry an error."""
        draw = stream(self.seed, self.register, code)
        hit = draw.random(len(self.communes)) < np.minimum(rate(code, self.register) * self._factor, 0.95)
        found: list[int] = np.flatnonzero(hit if among is None else hit & among).tolist()
        return found

    def damage(
        self, values: list[str], name: str, code: str, how: Damage, among: np.ndarray[tuple[int], np.dtype[np.bool_]] | None = None
    ) -> None:
        """Damage a column in place."""
        draw = stream(self.seed, self.register, code + name)
        for row in self.rows(code, among):
            written = how(values[row], draw)
            if written != values[row]:
                self.errors.append((self.register, row + 1, name, code, values[row], written))
                values[row] = written


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
    place, kind = int(draw.integers(1, len(text) - 1)), int(draw.integers(0, 3))
    if text[place] == " " or text[place + 1 : place + 2] == " ":
        return text
    if kind == 0:
        return text[:place] + text[place + 1 :]
    if kind == 1:
        return text[:place] + text[place] + text[place:]
    return text[:place] + text[place + 1] + text[place] + text[place + 2 :]


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


def emptied(_: str, __: Generator) -> str:
    return ""


def zeros_lost(text: str, _: Generator) -> str:
    return text.lstrip("0")


def digit_wrong(text: str, draw: Generator) -> str:
    if len(text) < 6:  # no number
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


def district_left_out(text: str, _: Generator) -> str:
    parts = text.split(", ")
    return ", ".join([*parts[:-2], parts[-1]]) if len(parts) > 2 else text  # commune, district, province


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


def damage_names(observer: Observer, names: list[str], column: str, minority: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> None:
    observer.damage(names, column, "N9", minority_by_ear, minority)
    for code, how in NAME_DAMAGE:
        observer.damage(names, column, code, how)


def damage_dates(observer: Observer, dates: list[str], column: str, old: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> None:
    """`dates` are dd/mm/yyyy; `old` marks those born before 1975."""
    for code, how, among in (
        ("D1", day_month_swapped, None),
        ("D4", year_wrong, None),
        ("D3", first_of_january, old),
        ("D2", year_only, old),
    ):
        observer.damage(dates, column, code, how, among)
