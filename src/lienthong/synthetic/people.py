"""Invented persons: names by published frequencies, numbers in ranges that are never issued.

Frequencies: `data/README.md`. Ranges: places of birth 097–099, tax codes 00…, insurance numbers 99…, phones 06….
"""

from __future__ import annotations

import csv
import gzip
import io
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from importlib import resources
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from stdnum.vn import mst

from lienthong.synthetic.places import Spot

OLDEST = 95  # years
SIX_DIGITS = 1_000_000  # at the end of a personal number
CODES_APART = 5
PLACES_OF_BIRTH = ("097", "098", "099")
ETHNIC = (("Kinh", 0.853), ("Tày", 0.019), ("Thái", 0.019), ("Mường", 0.015), ("Khmer", 0.014), ("Mông", 0.014), ("Nùng", 0.011), ("Dao", 0.009), ("S'tiêng", 0.046))  # fmt: skip
ETHNIC_KEYS = {"Tày": "tay", "Nùng": "nung", "Khmer": "khmer", "Dao": "dao", "Mông": "hmong"}
HILL = "S'tiêng"  # men Điểu, women Thị, and a given name
RELATIONS = ("Chủ hộ", "Vợ", "Con", "Con", "Cháu", "Bố", "Mẹ")  # by place in the household
SIZES = ((1, 0.09), (2, 0.14), (3, 0.22), (4, 0.27), (5, 0.16), (6, 0.08), (7, 0.04))
MEN = 0.498
SOUTH = 0.7  # how southern the surnames are


@dataclass(frozen=True)
class Somebody:
    """A person who does not exist."""

    household: int
    place: int  # in the household, from 0
    name: str
    sex: str
    born_on: date
    citizen_id: str
    insurance_no: str
    phone: str
    ethnic_group: str
    relation: str
    house_no: int
    hamlet: int
    spot: Spot


@cache
def _table(name: str) -> tuple[dict[str, str], ...]:
    data = resources.files("lienthong.synthetic").joinpath("data", f"{name}.csv.gz").read_bytes()
    return tuple(csv.DictReader(io.StringIO(gzip.decompress(data).decode("utf-8"))))


def _shares(weights: Any) -> NDArray[np.float64]:
    found: NDArray[np.float64] = np.asarray(weights, np.float64)
    shared: NDArray[np.float64] = found / found.sum()
    return shared


def people(count: int, draw: Generator, earliest: date, latest: date, spots: tuple[Spot, ...], first: int = 0) -> list[Somebody]:
    """`count` persons in households, born within the two days. Numbers begin at `first`, so that two groups can be kept apart."""
    sizes = draw.choice([n for n, _ in SIZES], count, p=_shares([p for _, p in SIZES]))
    household = np.repeat(np.arange(count), sizes)[:count]
    place = np.arange(count) - np.concatenate([[0], np.cumsum(sizes)])[household]
    men = np.where(place == 0, draw.random(count) < 0.75, np.where(place == 1, draw.random(count) < 0.25, draw.random(count) < MEN))
    born = _born(place, draw, earliest, latest)
    ethnic = [ETHNIC[n][0] for n in draw.choice(len(ETHNIC), count, p=_shares([p for _, p in ETHNIC]))]
    names = _names(household, place, men, [ethnic[h] for h in household], draw)
    houses, hamlets = draw.integers(1, 400, count), draw.integers(1, 12, count)
    where = draw.integers(0, len(spots), count)
    births = draw.choice(len(PLACES_OF_BIRTH), count, p=(0.78, 0.17, 0.05))
    phones = draw.integers(0, 10**8, count)
    found = []
    for n in range(count):
        h, number = int(household[n]), (first + n) % SIX_DIGITS
        century = 2 * ((born[n].year - 1900) // 100) + (0 if men[n] else 1)
        found.append(
            Somebody(
                h, int(place[n]), names[n], "M" if men[n] else "F", born[n],
                f"{PLACES_OF_BIRTH[int(births[n])]}{century % 10}{born[n].year % 100:02d}{number:06d}",
                f"99{(first + n) * 7 % 10**8:08d}", f"06{int(phones[n]):08d}", ethnic[h], RELATIONS[min(int(place[n]), len(RELATIONS) - 1)],
                int(houses[h]), int(hamlets[h]), spots[int(where[h])],
            )
        )  # fmt: skip
    return found


def _born(place: NDArray[np.int64], draw: Generator, earliest: date, latest: date) -> list[date]:
    """Heads of households and their partners are grown up, the others are of any age; all within the two days."""
    age = np.where(place < 2, draw.normal(46, 15, len(place)).clip(19, OLDEST), draw.gamma(1.7, 11, len(place)).clip(0.05, OLDEST))
    longest = (latest - earliest).days
    days = (age * 365.2425).astype(int)
    days = np.where(days <= longest, days, draw.integers(0, longest + 1, len(place)))
    return [latest - timedelta(int(each)) for each in days]


def _names(household: NDArray[np.int64], place: NDArray[np.int64], men: NDArray[np.bool_], ethnic: list[str], draw: Generator) -> list[str]:
    """The house's surname for its head and the children, a surname of one's own for the partner; middle and given names by sex."""
    rows = _table("surnames")
    south, north = _shares([float(r["south"]) for r in rows]), _shares([float(r["north"]) for r in rows])
    count = len(household)
    drawn = draw.choice(len(rows), count, p=SOUTH * south + (1 - SOUTH) * north)
    of_group = {group: [r["surname"] for r in _table("ethnic_surnames") if r["ethnic_group"] == key] for group, key in ETHNIC_KEYS.items()}
    chance = draw.integers(0, 10**6, count)
    middle, given = _by_sex("middle_names", "middle", men, draw), _by_sex("given_names", "given", men, draw)
    names = []
    for n in range(count):
        own = n if place[n] == 1 else int(household[n])
        surname = rows[int(drawn[own])]["surname"]
        if of_group.get(ethnic[n]):
            surname = of_group[ethnic[n]][int(chance[own]) % len(of_group[ethnic[n]])]
        if ethnic[n] == HILL:
            surname = "Điểu" if men[n] else "Thị"
        names.append(" ".join(filter(None, (surname, "" if ethnic[n] == HILL else middle[n], given[n]))))
    return names


def _by_sex(name: str, column: str, men: NDArray[np.bool_], draw: Generator) -> list[str]:
    rows = _table(name)
    counts, female = np.array([float(r["count"]) for r in rows]), np.array([float(r["p_female"]) for r in rows])
    of_women = draw.choice(len(rows), len(men), p=_shares(counts * female**1.5 / (1.0001 - female) ** 0.5))
    of_men = draw.choice(len(rows), len(men), p=_shares(counts * (1 - female)))
    return [rows[int(m if is_man else w)][column] for m, w, is_man in zip(of_men, of_women, men, strict=True)]


def given_name(draw: Generator) -> str:
    """One given name, for what is named after people: firms, streets."""
    rows = _table("given_names")
    return rows[int(draw.integers(len(rows)))]["given"]


def tax_code(number: int) -> str:
    """A tax code with a right check digit, in the range 00… that no office gives out; a number a code.

    One body in eleven has no check digit of one place: the next one stands in for it.
    """
    bodies = (f"00{(number * CODES_APART + step) % 10**7:07d}" for step in range(CODES_APART))
    return next(code for body in bodies if mst.is_valid(code := body + str(mst.calc_check_digit(body))))
