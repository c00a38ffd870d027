"""Licence plates of vehicles: cars, motorcycles, agencies, foreigners and the army, of every series now on the roads.

Circular 79/2024/TT-BCA (and 24/2023, 58/2020 before it): two digits of the place of registration, a series, four or five digits. The
places are those of before July 2025; plates in use keep them. A number is 123.45 since 2010, 1234 before.
"""

from __future__ import annotations

import re

import polars as pl

from lienthong.standards.base import Cleaned
from lienthong.standards.distinct import DistinctStandard, Options
from lienthong.standards.text import tidy

# 80: agencies of the centre. 10, 13, 42, 44–46, 87, 91 and 96 were never given.
PLACES = frozenset(
    "11 12 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32 33 34 35 36 37 38 39 40 41 43 47 48 49 50 51 52 53 54 55 56 57 58 59 60 61 62 63 64 65 66 67 68 69 70 71 72 73 74 75 76 77 78 79 80 81 82 83 84 85 86 88 89 90 92 93 94 95 97 98 99".split()  # noqa: SIM905
)
_LETTERS = "ABCDEFGHKLMNPSTUVXYZ"
_SPECIAL = "LD|DA|KT|NG|QT|NN|MK|RM|CD|HC|TĐ|MĐ"
_SERIES = rf"(?:{_SPECIAL}|[{_LETTERS}R])"
_CAR = re.compile(rf"([0-9]{{2}})({_SERIES})-?([0-9]{{4,5}})", re.ASCII)
_MOTORCYCLE = re.compile(rf"([0-9]{{2}})-?((?:MĐ|[{_LETTERS}])[0-9]|[{_LETTERS}]{{2}})-?([0-9]{{4,5}})", re.ASCII)
_FOREIGN = re.compile(r"([0-9]{2})-?([0-9]{3})-?(NG|QT|NN|CV)-?([0-9]{2})", re.ASCII)
_ARMY = re.compile(r"(A[ABCDNPTV]|B[BCHKLPT]|C[ABCDKMNPVX]|D[ABKPT]|E[ABCDEHLOTX]|G[DP]|H[ABCDEGHLMNQT]|K[ABCDKNPTVX]|P[ABCDEGHKMPQTX]|Q[ABHKPS]|T[CHKMNTX]|V[BCKT])-?([0-9]{2})-?([0-9]{2})", re.ASCII)  # fmt: skip


def _clean_plate(value: str, _: Options) -> Cleaned:
    text = re.sub(r"[\s._]", "", tidy(value).upper().replace("–", "-"))
    text = re.sub(r"^BKS:?|^BIỂNSỐ:?", "", text)
    if found := _FOREIGN.fullmatch(text):
        return Cleaned("-".join(found.groups())) if found.group(1) in PLACES else Cleaned(None, "licence_plate.place")
    found = _CAR.fullmatch(text) or _MOTORCYCLE.fullmatch(text)
    if found is not None:
        place, series, number = found.groups()
        if place not in PLACES:
            return Cleaned(None, "licence_plate.place")
        return Cleaned(f"{place}{series}-{number if len(number) == 4 else number[:3] + '.' + number[3:]}")
    if found := _ARMY.fullmatch(text):
        return Cleaned(f"{found.group(1)}-{found.group(2)}-{found.group(3)}")
    return Cleaned(None, "licence_plate.shape")


LICENCE_PLATE = DistinctStandard(
    "licence_plate",
    pl.String(),
    "Biển số xe",
    "Licence plate",
    _clean_plate,
    good=(
        ("93A-123.45", "93A-123.45"),
        ("93a 12345", "93A-123.45"),
        ("93H-1234", "93H-1234"),
        ("93-B1 123.45", "93B1-123.45"),
        ("93-MĐ1 123.45", "93MĐ1-123.45"),
        ("60-AA 123.45", "60AA-123.45"),
        ("51LD-123.45", "51LD-123.45"),
        ("80-011-NG-01", "80-011-NG-01"),
        ("TM 12-34", "TM-12-34"),
    ),
    bad=(("13A-123.45", "licence_plate.place"), ("93A-123", "licence_plate.shape"), ("xe máy", "licence_plate.shape")),
    quick=lambda value, _: pl.when(
        value.str.contains(rf"^[0-9]{{2}}[{_LETTERS}][0-9]?-([0-9]{{4}}|[0-9]{{3}}\.[0-9]{{2}})$")
        & value.str.slice(0, 2).is_in(sorted(PLACES))
    ).then(value),
)
