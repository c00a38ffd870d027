"""Numbers as Vietnamese offices write them: 1.234,5; amounts in đồng; yes and no.

Where both signs stand in a number, the last is the decimal sign. Where one stands alone before exactly three digits it can be read two
ways: what must be whole (`integer`, `money`) groups thousands; a `decimal` reads `1.234` as databases and programs write it, and `1,234`
as offices do. A source that means otherwise says so in its contract with `decimal_comma`.
"""

from __future__ import annotations

import math
import re
from decimal import Decimal, InvalidOperation

import polars as pl

from lienthong.standards.base import Cleaned
from lienthong.standards.distinct import DistinctStandard, Options
from lienthong.standards.text import tidy, without_marks

_LARGEST = 2**63 - 1
_BOTH_VIETNAMESE = re.compile(r"[+-]?[0-9]{1,3}(\.[0-9]{3})+,[0-9]+")
_BOTH_ENGLISH = re.compile(r"[+-]?[0-9]{1,3}(,[0-9]{3})+\.[0-9]+")
_GROUPED_DOTS = re.compile(r"[+-]?[1-9][0-9]{0,2}(\.[0-9]{3})+")
_GROUPED_COMMAS = re.compile(r"[+-]?[1-9][0-9]{0,2}(,[0-9]{3})+")
_PLAIN = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,3})?")
DECIMAL_COMMA = {
    "decimal_comma": "true: `1.234` is one thousand and more, `1,234` one and a fraction; false: the other way round; left out: see the head of this page."
}


def parse_number(text: str, decimal_comma: bool | None = None, *, is_whole: bool = False) -> Decimal | None:
    """A number typed the Vietnamese (1.234,5), the English (1,234.5) or the plain way; None when it is none."""
    text = tidy(text).replace(" ", "").replace("−", "-").removesuffix("%")
    plain = _plain_form(text, decimal_comma, is_whole)
    if not _PLAIN.fullmatch(plain):
        return None
    try:
        return Decimal(plain)
    except InvalidOperation:
        return None


def _plain_form(text: str, decimal_comma: bool | None, is_whole: bool) -> str:
    """The text with a decimal point and no grouping; of no number, something that is no number either."""
    if _BOTH_VIETNAMESE.fullmatch(text):
        return text.replace(".", "").replace(",", ".")
    if _BOTH_ENGLISH.fullmatch(text):
        return text.replace(",", "")
    if _GROUPED_DOTS.fullmatch(text) and (text.count(".") > 1 or decimal_comma or (is_whole and decimal_comma is None)):
        return text.replace(".", "")
    if _GROUPED_COMMAS.fullmatch(text) and (text.count(",") > 1 or decimal_comma is False or (is_whole and decimal_comma is None)):
        return text.replace(",", "")
    if text.count(",") == 1 and "." not in text and decimal_comma is not False:
        return text.replace(",", ".")
    return text


def _whole(number: Decimal | None) -> int | None:
    if number is None or abs(number) > _LARGEST or number != number.to_integral_value():
        return None
    return int(number)


def _clean_integer(value: str, options: Options) -> Cleaned:
    number = _whole(parse_number(value, options.get("decimal_comma"), is_whole=True))
    return Cleaned(number, "integer.unreadable" if number is None else None)


def _quick_whole(value: pl.Expr, options: Options) -> pl.Expr:
    plain = pl.when(value.str.contains(r"^-?[0-9]{1,18}$")).then(value)
    grouped = value.str.contains(r"^-?[1-9][0-9]{0,2}(\.[0-9]{3}){1,5}$") & pl.lit(options.get("decimal_comma") is not False)
    return pl.coalesce(plain, pl.when(grouped).then(value.str.replace_all(".", "", literal=True))).cast(pl.Int64, strict=False)


INTEGER = DistinctStandard(
    "integer",
    pl.Int64(),
    "Số nguyên",
    "Whole number",
    _clean_integer,
    good=(("1.234", "1234"), ("12,000", "12000"), (" -3 ", "-3"), ("12.0", "12")),
    bad=(("hai", "integer.unreadable"), ("1,5", "integer.unreadable")),
    quick=_quick_whole,
    known_options=DECIMAL_COMMA,
)


def show_number(value: float | None) -> str:
    """As offices write it, every digit that counts: 1.234,5."""
    if value is None:
        return ""
    short = f"{value:.15g}"
    text = f"{Decimal(short if float(short) == value else repr(value)):,f}"
    return text.replace(",", " ").replace(".", ",").replace(" ", ".")


def _clean_decimal(value: str, options: Options) -> Cleaned:
    text = tidy(value)
    if text in (options.get("empty") or ()):
        return Cleaned(None)
    factor = Decimal(str(options.get("factor", 1)))
    units = options.get("units") or {}
    for unit in sorted(units, key=len, reverse=True):  # `km` before `m`
        if text.casefold().endswith(unit.casefold()) and len(text) > len(unit):
            text, factor = text[: -len(unit)].strip(), Decimal(str(units[unit]))
            break
    number = parse_number(text, options.get("decimal_comma"))
    found = math.inf if number is None else float(number * factor)
    return Cleaned(found) if math.isfinite(found) else Cleaned(None, "decimal.unreadable")


def _quick_decimal(value: pl.Expr, options: Options) -> pl.Expr:
    if options.get("factor", 1) != 1:
        return pl.lit(None, pl.Float64)
    comma = options.get("decimal_comma")
    point = r"^-?[0-9]{1,15}(\.[0-9]{1,2}|\.[0-9]{4,15})?$" if comma else r"^-?[0-9]{1,15}(\.[0-9]{1,15})?$"
    plain = pl.when(value.str.contains(point)).then(value)
    with_comma = value.str.contains(r"^-?[0-9]{1,15},[0-9]{1,15}$") & pl.lit(comma is not False)
    number = pl.coalesce(plain, pl.when(with_comma).then(value.str.replace(",", ".", literal=True))).cast(pl.Float64, strict=False)
    return pl.when(~value.is_in(list(options.get("empty") or ()))).then(number)


DECIMAL = DistinctStandard(
    "decimal",
    pl.Float64(),
    "Số thập phân",
    "Number",
    _clean_decimal,
    good=(
        ("1.234,5", "1234.5"),
        ("1,234.5", "1234.5"),
        ("8,5", "8.5"),
        ("0.125", "0.125"),
        ("820.125", "820.125"),
        ("1.234.567", "1234567.0"),
    ),
    bad=(("chín", "decimal.unreadable"), ("1.2,3.4", "decimal.unreadable")),
    quick=_quick_decimal,
    known_options=DECIMAL_COMMA
    | {
        "units": "Unit as written → what a number with it is multiplied by: `{ha: 10000, m2: 1}`.",
        "factor": "What a number without a unit is multiplied by.",
        "empty": "Signs that stand for no value: `['-', '…']`.",
    },
    show=show_number,
)

_SCALES = {"ty": 10**9, "ti": 10**9, "trieu": 10**6, "tr": 10**6, "nghin": 10**3, "ngan": 10**3, "k": 10**3}
_CURRENCY = re.compile(r"\s*(?:viet nam dong|dong viet nam|dong|vnd|vnđ|d|₫)\.?$")
_AMOUNT = re.compile(r"([+-]?[0-9.,]+)\s*([a-z]*)")


_LADDER = re.compile(
    r"(?:([0-9]{1,6}(?:\.[0-9]{3})*) ?(?:ty|ti))? ?(?:([0-9]{1,3}) ?(?:trieu|tr))? ?(?:([0-9]{1,3}) ?(?:nghin|ngan|k))?", re.ASCII
)


def _ladder(text: str) -> int | None:
    """`1 tỷ 200 triệu`, `2 triệu 500 nghìn`: two steps or more, each of whole numbers."""
    found = _LADDER.fullmatch(text)
    steps = (
        []
        if found is None
        else [(int(step.replace(".", "")), scale) for step, scale in zip(found.groups(), (10**9, 10**6, 10**3), strict=True) if step]
    )
    return sum(step * scale for step, scale in steps) if len(steps) > 1 else None


def _clean_money(value: str, options: Options) -> Cleaned:
    text = _CURRENCY.sub("", without_marks(tidy(value)).replace("−", "-"))
    steps = _ladder(text)
    if steps is not None:
        amount = _whole(Decimal(steps) * Decimal(str(options.get("factor", 1))))
        return Cleaned(amount, "money.unreadable" if amount is None else None)
    found = _AMOUNT.fullmatch(re.sub(r"(?<=[0-9]) (?=[0-9])", "", text))
    if found is None or (found.group(2) and found.group(2) not in _SCALES):
        return Cleaned(None, "money.unreadable")
    comma = options.get("decimal_comma")
    if found.group(2):  # before a word of scale (1.500 triệu, 1,5 tỷ) the Vietnamese reading is the only usual one
        number = parse_number(found.group(1), decimal_comma=True if comma is None else comma)
    else:
        number = parse_number(found.group(1), comma, is_whole=True)
    scale = Decimal(_SCALES.get(found.group(2), 1)) * Decimal(str(options.get("factor", 1)))
    amount = _whole(None if number is None else number * scale)
    return Cleaned(amount, "money.unreadable" if amount is None else None)


MONEY = DistinctStandard(
    "money",
    pl.Int64(),
    "Số tiền (đồng)",
    "Amount in đồng",
    _clean_money,
    good=(
        ("1.234.567 đ", "1234567"),
        ("1,5 tỷ", "1500000000"),
        ("1.500 triệu", "1500000000"),
        ("1 tỷ 200 triệu", "1200000000"),
        ("2,5 tr", "2500000"),
        ("50,000", "50000"),
        ("200 nghìn đồng", "200000"),
    ),
    bad=(("nhiều", "money.unreadable"), ("1,5", "money.unreadable")),
    quick=lambda value, options: _quick_whole(value, options) if options.get("factor", 1) == 1 else pl.lit(None, pl.Int64),
    known_options=DECIMAL_COMMA | {"factor": "What an amount is multiplied by: 1000000 for a table in triệu đồng."},
    show=lambda value: "" if value is None else f"{value:,}".replace(",", ".") + " đ",
)

_YES = {"co", "x", "1", "true", "yes", "y", "dung", "roi", "✓"}
_NO = {"khong", "0", "false", "no", "n", "sai", "chua", "-"}


def _clean_boolean(value: str, _: Options) -> Cleaned:
    word = without_marks(tidy(value)).removesuffix(".0")
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
