"""Phone numbers: mobile ones of 10 digits, the 11 digits of before 15/11/2018 turned to them, fixed ones with their area."""

from __future__ import annotations

import re

import polars as pl

from lienthong.standards.base import Cleaned
from lienthong.standards.distinct import DistinctStandard, Options
from lienthong.standards.numbering import ACCEPT_SYNTHETIC, ACCEPTS
from lienthong.standards.text import tidy

# Eleven-digit mobile prefixes until 15/11/2018 and what replaced them (the numbering plan's conversion table).
_OLD_MOBILES = {
    "0162": "032", "0163": "033", "0164": "034", "0165": "035", "0166": "036", "0167": "037", "0168": "038", "0169": "039",
    "0120": "070", "0121": "079", "0122": "077", "0126": "076", "0128": "078",
    "0123": "083", "0124": "084", "0125": "085", "0127": "081", "0129": "082",
    "0186": "056", "0188": "058", "0199": "059",
}  # fmt: skip
_PHONE = re.compile(r"0(?:[35789]\d{8}|2\d{8,9}|6\d{8})|1[89]00\d{4,6}", re.ASCII)
_SERVICE = re.compile(r"1[89]00\d{4,6}", re.ASCII)  # of services, without an area: 1900 1234
_SEVERAL = re.compile(r"[;,/]|\bhoặc\b| - ")
NATIONAL_DIGITS = 9


def _one_phone(text: str) -> str | None:
    number = re.sub(r"[^\d+]", "", text.removesuffix(".0"))
    if _SERVICE.fullmatch(number):
        return number
    number = re.sub(r"^(\+84|0084|84(?=\d{9,10}$))0?", "0", number)
    if len(number) in (NATIONAL_DIGITS, NATIONAL_DIGITS + 1) and not number.startswith("0"):
        number = "0" + number
    if number[:4] in _OLD_MOBILES and len(number) == NATIONAL_DIGITS + 2:
        number = _OLD_MOBILES[number[:4]] + number[4:]
    return number if _PHONE.fullmatch(number) else None


def _clean_phone(value: str, options: Options) -> Cleaned:
    found = [number for part in _SEVERAL.split(tidy(value)) if (number := _one_phone(part)) is not None]
    if not found:
        return Cleaned(None, "phone.shape")
    if found[0].startswith("06") and not options.get(ACCEPT_SYNTHETIC):
        return Cleaned(None, "phone.synthetic")
    return Cleaned(found[0], "phone.several" if len(found) > 1 else None)


def _quick_phone(value: pl.Expr, options: Options) -> pl.Expr:
    return pl.when(value.str.contains(r"^0[356789][0-9]{8}$" if options.get(ACCEPT_SYNTHETIC) else r"^0[35789][0-9]{8}$")).then(value)


def _loose_phone(values: pl.Series) -> pl.Series:
    """One mobile number without signs between digits or the country before it, its old prefix turned to the new."""
    value, digits, rest, number = map(pl.col, ("value", "digits", "rest", "number"))
    country = (
        pl.when(digits.str.starts_with("+84")).then(3)
        .when(digits.str.starts_with("0084")).then(4)
        .when(digits.str.starts_with("84") & digits.str.len_bytes().is_between(2 + NATIONAL_DIGITS, 3 + NATIONAL_DIGITS)).then(2)
        .otherwise(0)
    )  # fmt: skip
    is_old = (number.str.len_bytes() == NATIONAL_DIGITS + 2) & pl.col("newer").is_not_null()
    return (
        values.to_frame("value")
        .select(pl.when(value.str.contains(r"^ *[+(]?[0-9][0-9 ().]*$")).then(value).alias("digits"))
        .select(digits.str.strip_chars(" ").str.strip_suffix(".0").str.replace_all(r"[ ().]", ""))
        .with_columns(country.alias("country"))
        .with_columns(digits.str.slice(pl.col("country")).alias("rest"))
        .with_columns(
            pl.when((pl.col("country") == 0) & rest.str.starts_with("0"))
            .then(rest)
            .otherwise("0" + rest.str.strip_prefix("0"))
            .alias("number")
        )
        .with_columns(number.str.slice(0, 4).replace_strict(_OLD_MOBILES, default=None, return_dtype=pl.String).alias("newer"))
        .select(pl.when(is_old).then(pl.col("newer") + number.str.slice(4)).otherwise(number).alias("number"))["number"]
    )


def _show(value: str | None) -> str:
    if value is None:
        return ""
    return f"{value[:4]} {value[4:]}" if value.startswith("1") else f"{value[:4]} {value[4:7]} {value[7:]}"


PHONE = DistinctStandard(
    "phone",
    pl.String(),
    "Số điện thoại",
    "Phone number",
    _clean_phone,
    good=(("+84 912 345 678", "0912345678"), ("0165.234.5678", "0352345678"), ("912345678", "0912345678"), ("1900 1234", "19001234")),
    bad=(("12345", "phone.shape"), ("0912345678; 0987654321", "phone.several"), ("0612345678", "phone.synthetic")),
    quick=_quick_phone,
    loose=_loose_phone,
    known_options=ACCEPTS,
    show=_show,
)
