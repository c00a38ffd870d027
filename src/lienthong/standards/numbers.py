"""Numbers as Vietnamese offices write them: 1.234,5; amounts in đồng; yes and no."""

from __future__ import annotations

import math
import re
from decimal import Decimal, InvalidOperation

import polars as pl

from lienthong.standards.base import Cleaned
from lienthong.standards.distinct import DistinctStandard, Options
from lienthong.standards.text import tidy, without_marks

_LARGEST = 2**63 - 1
_GROUPED_DOTS = re.compile(r"[+-]?\d{1,3}(\.\d{3})+(,\d+)?")
_GROUPED_COMMAS = re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d+)?")
_COMMA = re.compile(r"[+-]?\d+,\d+")
_POINT = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?")


def parse_number(text: str, decimal_comma: bool | None = None) -> Decimal | None:
    """A number typed the Vietnamese (1.234,5), the English (1,234.5) or the plain way; None when it is none.

    `1.234` and `1,234` can be read both ways: a point before exactly three digits groups thousands, and a comma is a decimal comma,
    as Vietnamese offices write; `decimal_comma=False` reads them the English way.
    """
    text = tidy(text).replace(" ", "").removesuffix("%")
    if decimal_comma is False:
        plain = text.replace(",", "")
    elif _GROUPED_DOTS.fullmatch(text) and (decimal_comma or text.count(".") > 1 or "," in text or not text.lstrip("+-").startswith("0")):
        plain = text.replace(".", "").replace(",", ".")
    elif _COMMA.fullmatch(text):
        plain = text.replace(",", ".")
    elif _GROUPED_COMMAS.fullmatch(text):
        plain = text.replace(",", "")
    else:
        plain = text
    if not _POINT.fullmatch(plain):
        return None
    try:
        return Decimal(plain)
    except InvalidOperation:
        return None


def _clean_integer(value: str, options: Options) -> Cleaned:
    number = parse_number(value, options.get("decimal_comma"))
    if number is None or number != number.to_integral_value() or abs(number) > _LARGEST:
        return Cleaned(None, "integer.unreadable")
    return Cleaned(int(number))


INTEGER = DistinctStandard(
    "integer",
    pl.Int64(),
    "Số nguyên",
    "Whole number",
    _clean_integer,
    good=(("1.234", "1234"), ("12", "12"), (" -3 ", "-3"), ("12.0", "12")),
    bad=(("hai", "integer.unreadable"), ("1,5", "integer.unreadable")),
    quick=lambda value, _: pl.when(value.str.contains(r"^-?(0|[1-9]\d{0,17})$")).then(value.cast(pl.Int64, strict=False)),
    known_options=frozenset({"decimal_comma"}),
)


def _clean_decimal(value: str, options: Options) -> Cleaned:
    text = tidy(value)
    factor = 1.0
    for unit, times in (options.get("units") or {}).items():
        if text.casefold().endswith(unit.casefold()) and len(text) > len(unit):
            text, factor = text[: -len(unit)].strip(), float(times)
            break
    if text in (options.get("empty") or ()):
        return Cleaned(None)
    number = parse_number(text, options.get("decimal_comma"))
    if number is None:
        return Cleaned(None, "decimal.unreadable")
    found = float(number) * factor * float(options.get("factor", 1))
    return Cleaned(found) if math.isfinite(found) else Cleaned(None, "decimal.unreadable")


def _quick_decimal(value: pl.Expr, options: Options) -> pl.Expr:
    plain = value.str.contains(r"^-?\d{1,15}(\.\d{1,2}|\.\d{4,12})?$")  # a point before three digits may group thousands
    return pl.when(plain).then(value.cast(pl.Float64, strict=False) * float(options.get("factor", 1)))


DECIMAL = DistinctStandard(
    "decimal",
    pl.Float64(),
    "Số thập phân",
    "Number",
    _clean_decimal,
    good=(("1.234,5", "1234.5"), ("1,234.5", "1234.5"), ("8,5", "8.5"), ("0.125", "0.125")),
    bad=(("chín", "decimal.unreadable"),),
    quick=_quick_decimal,
    known_options=frozenset({"decimal_comma", "units", "factor", "empty"}),
    show=lambda value: "" if value is None else f"{value:,.10g}".replace(",", " ").replace(".", ",").replace(" ", "."),
)

_SCALES = {"ty": 10**9, "tỉ": 10**9, "ti": 10**9, "trieu": 10**6, "tr": 10**6, "nghin": 10**3, "ngan": 10**3, "k": 10**3}
_AMOUNT = re.compile(r"([+-]?[\d.,]+)\s*([a-z]*)")


def _clean_money(value: str, options: Options) -> Cleaned:
    text = without_marks(tidy(value)).replace("viet nam dong", "").replace("vnd", "").replace("dong", "").strip(" .")
    text = re.sub(r"(?<=\d)\s*d$", "", text)
    found = _AMOUNT.fullmatch(text.strip())
    if found is None or (found.group(2) and found.group(2) not in _SCALES):
        return Cleaned(None, "money.unreadable")
    number = parse_number(found.group(1), options.get("decimal_comma"))
    if number is None:
        return Cleaned(None, "money.unreadable")
    amount = number * _SCALES.get(found.group(2), 1) * Decimal(str(options.get("factor", 1)))
    if amount != amount.to_integral_value() or abs(amount) > _LARGEST:
        return Cleaned(None, "money.unreadable")
    return Cleaned(int(amount))


MONEY = DistinctStandard(
    "money",
    pl.Int64(),
    "Số tiền (đồng)",
    "Amount in đồng",
    _clean_money,
    good=(("1.234.567 đ", "1234567"), ("1,5 tỷ", "1500000000"), ("200 triệu", "200000000"), ("50000", "50000")),
    bad=(("nhiều", "money.unreadable"),),
    known_options=frozenset({"decimal_comma", "factor"}),
    show=lambda value: "" if value is None else f"{value:,}".replace(",", ".") + " đ",
)

_YES = {"co", "x", "1", "true", "yes", "y", "dung", "roi"}
_NO = {"khong", "0", "false", "no", "n", "sai", "chua", "-"}


def _clean_boolean(value: str, _: Options) -> Cleaned:
    word = without_marks(tidy(value))
    if word in _YES:
        return Cleaned(True)
    if word in _NO:
        return Cleaned(False)
    return Cleaned(None, "boolean.unreadable")


BOOLEAN = DistinctStandard(
    "boolean",
    pl.Boolean(),
    "Có / không",
    "Yes or no",
    _clean_boolean,
    good=(("Có", "true"), ("x", "true"), ("Không", "false"), ("0", "false")),
    bad=(("có lẽ", "boolean.unreadable"),),
    show=lambda value: "" if value is None else "có" if value else "không",
)
