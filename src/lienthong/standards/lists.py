"""Values of a short list: a code, or its label in any usual spelling."""

from __future__ import annotations

import polars as pl

from lienthong.standards.base import Cleaned
from lienthong.standards.distinct import DistinctStandard, Options
from lienthong.standards.text import tidy, without_marks


def _clean_code(value: str, options: Options) -> Cleaned:
    text = tidy(value)
    values = options.get("values") or {}
    if text in map(str, values):
        return Cleaned(text)
    plain = without_marks(text)
    found = {str(code) for code, label in values.items() if plain in (without_marks(str(code)), without_marks(str(label)))}
    found |= {str(code) for spelling, code in (options.get("spellings") or {}).items() if plain == without_marks(spelling)}
    return Cleaned(found.pop()) if len(found) == 1 else Cleaned(None, "code_list.unknown")


CODE_LIST = DistinctStandard(
    "code_list",
    pl.String(),
    "Danh mục",
    "Code list",
    _clean_code,
    quick=lambda value, options: pl.when(value.is_in(pl.Series(map(str, options.get("values") or {}), dtype=pl.String).implode())).then(
        value
    ),
    known_options={
        "values": "Code → label: `{KT: Kinh, TT: S'tiêng}`. A value is the code, or the label with or without marks.",
        "spellings": "Other spelling → code.",
    },
)

_SEXES = {"nam": "M", "m": "M", "male": "M", "1": "M", "trai": "M", "nu": "F", "f": "F", "female": "F", "0": "F", "2": "F", "gai": "F"}


def _clean_sex(value: str, _: Options) -> Cleaned:
    found = _SEXES.get(without_marks(tidy(value)).removesuffix(".0"))
    return Cleaned(found, None if found else "sex.unreadable")


SEX = DistinctStandard(
    "sex",
    pl.String(),
    "Giới tính",
    "Sex",
    _clean_sex,
    good=(("Nam", "M"), ("NỮ", "F"), ("0", "F"), ("1", "M")),
    bad=(("khác", "sex.unreadable"),),
    show=lambda value: {"M": "Nam", "F": "Nữ"}.get(value, ""),
)
