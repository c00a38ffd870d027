"""Numbers of social and health insurance: ten digits of the person, and the health card that carries them.

A health card has 15 characters until the cards of 2021: two letters of the group, a digit of the benefit, two of the province that issued
it, then the person's ten digits; since then the ten digits alone are printed. Neither has a check digit.
"""

from __future__ import annotations

import re

import polars as pl

from lienthong.standards.base import Cleaned
from lienthong.standards.citizen_ids import CITIZEN_ID_DIGITS, clean_citizen_id
from lienthong.standards.distinct import DistinctStandard, Options
from lienthong.standards.numbering import ACCEPT_SYNTHETIC, ACCEPTS, ROUNDED, SEPARATORS, bare_digits
from lienthong.standards.text import tidy

INSURANCE_DIGITS = 10
_CARD = re.compile(r"([A-Z]{2})([1-5])([0-9]{2})([0-9]{10})", re.ASCII)
_PARTS = {"group": slice(0, 2), "benefit": slice(2, 3), "province": slice(3, 5), "number": slice(5, None)}


def _clean_insurance_no(value: str, options: Options) -> Cleaned:
    text = tidy(value).removesuffix(".0").strip("'")
    if ROUNDED.fullmatch(text):
        return Cleaned(None, "insurance_no.rounded")
    number = SEPARATORS.sub("", text).upper()
    if _CARD.fullmatch(number):
        number = number[-INSURANCE_DIGITS:]
    if not (number.isascii() and number.isdigit()):
        return Cleaned(None, "insurance_no.shape")
    if len(number) == CITIZEN_ID_DIGITS and options.get("accept_citizen_id"):
        found = clean_citizen_id(number, {ACCEPT_SYNTHETIC: options.get(ACCEPT_SYNTHETIC, False)})
        return Cleaned(found.value, None if found.problem is None else "insurance_no.shape")
    restored = None
    if len(number) in (INSURANCE_DIGITS - 2, INSURANCE_DIGITS - 1):
        number, restored = number.zfill(INSURANCE_DIGITS), "insurance_no.zeros_restored"
    if len(number) != INSURANCE_DIGITS:
        return Cleaned(None, "insurance_no.shape")
    if number.startswith("99") and not options.get(ACCEPT_SYNTHETIC):
        return Cleaned(None, "insurance_no.synthetic")
    return Cleaned(number, restored)


def _quick_insurance_no(value: pl.Expr, options: Options) -> pl.Expr:
    shaped = value.str.contains(r"^[0-9]{10}$")
    return pl.when(shaped if options.get(ACCEPT_SYNTHETIC) else shaped & ~value.str.starts_with("99")).then(value)


INSURANCE_NO = DistinctStandard(
    "insurance_no",
    pl.String(),
    "Mã số bảo hiểm",
    "Insurance number",
    _clean_insurance_no,
    good=(
        ("7001234567", "7001234567"),
        ("DN4707001234567", "7001234567"),
        ("70 0123 4567", "7001234567"),
        ("123456789", "0123456789"),
    ),
    bad=(("9901234567", "insurance_no.synthetic"), ("12", "insurance_no.shape"), ("7.0E+09", "insurance_no.rounded")),
    quick=_quick_insurance_no,
    loose=bare_digits,
    known_options=ACCEPTS
    | {
        "accept_citizen_id": "Accept a person's 12 digits in place of the ten, as new records of the insurance write them; false if left out."
    },
)


def _clean_health_card(value: str, options: Options) -> Cleaned:
    number = SEPARATORS.sub("", tidy(value).removesuffix(".0").strip("'")).upper()
    card = _CARD.fullmatch(number)
    if card is None:
        found = _clean_insurance_no(number, {ACCEPT_SYNTHETIC: options.get(ACCEPT_SYNTHETIC, False)})
        problem = {"insurance_no.synthetic": "health_card.synthetic", "insurance_no.zeros_restored": "health_card.zeros_restored"}
        found = Cleaned(found.value, None if found.problem is None else problem.get(found.problem, "health_card.shape"))
    elif card.group(4).startswith("99") and not options.get(ACCEPT_SYNTHETIC):
        return Cleaned(None, "health_card.synthetic")
    else:
        found = Cleaned(number)
    return found


def health_card_parts(card: str) -> dict[str, str]:
    """Group, benefit, province and number of a clean card of 15 characters; the number alone of one of ten digits."""
    if len(card) == INSURANCE_DIGITS:
        return {"number": card}
    return {name: card[where] for name, where in _PARTS.items()}


def _show_card(value: str | None) -> str:
    return "" if value is None else " ".join(health_card_parts(value).values()) if _CARD.fullmatch(value) else value


HEALTH_CARD = DistinctStandard(
    "health_card",
    pl.String(),
    "Số thẻ bảo hiểm y tế",
    "Health insurance card",
    _clean_health_card,
    good=(
        ("DN4707001234567", "DN4707001234567"),
        ("dn 4 70 7001234567", "DN4707001234567"),
        ("7001234567", "7001234567"),
        ("123456789", "0123456789"),
    ),
    bad=(
        ("DN6707001234567", "health_card.shape"),
        ("DN47070012345", "health_card.shape"),
        ("GD4709901234567", "health_card.synthetic"),
    ),
    quick=lambda value, _: pl.when(value.str.contains(r"^[A-Z]{2}[1-5][0-9]{2}([0-8][0-9]|9[0-8])[0-9]{8}$")).then(value),
    known_options=ACCEPTS,
    show=_show_card,
)
