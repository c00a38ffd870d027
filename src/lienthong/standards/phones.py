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
_PHONE = re.compile(r"0(?:[35789]\d{8}|2\d{8,9}|6\d{8})")
_SEVERAL = re.compile(r"[;,/]|\bhoặc\b| - ")
NATIONAL_DIGITS = 9


def _one_phone(text: str) -> str | None:
    number = re.sub(r"[^\d+]", "", text.removesuffix(".0"))
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


def _loose_phone(value: pl.Expr) -> pl.Expr:
    """One mobile number without signs between digits or the country before it, its old prefix turned to the new."""
    plain = pl.when(value.str.contains(r"^ *[+(]?[0-9][0-9 ().]*$")).then(value)
    digits = plain.str.strip_chars(" ").str.replace(r"\.0$", "").str.replace_all(r"[ ().]", "").str.replace(r"^\+84", "0084")
    local = digits.str.replace(r"^(?:0084|84(?P<rest>[0-9]{9,10}$))0?", "0$rest")
    number = pl.when(local.str.contains(r"^[1-9][0-9]{8,9}$")).then("0" + local).otherwise(local)
    newer = number.str.slice(0, 4).replace_strict(_OLD_MOBILES, default=None, return_dtype=pl.String)
    return (
        pl.when((number.str.len_bytes() == NATIONAL_DIGITS + 2) & newer.is_not_null()).then(newer + number.str.slice(4)).otherwise(number)
    )


PHONE = DistinctStandard(
    "phone",
    pl.String(),
    "Số điện thoại",
    "Phone number",
    _clean_phone,
    good=(("+84 912 345 678", "0912345678"), ("0165.234.5678", "0352345678"), ("912345678", "0912345678")),
    bad=(("12345", "phone.shape"), ("0912345678; 0987654321", "phone.several"), ("0612345678", "phone.synthetic")),
    quick=_quick_phone,
    loose=_loose_phone,
    known_options=ACCEPTS,
    show=lambda value: "" if value is None else f"{value[:4]} {value[4:7]} {value[7:]}",
)
