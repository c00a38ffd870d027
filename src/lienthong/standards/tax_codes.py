"""Tax codes: 10 digits with a check digit, 10-3 of a branch, or the 12 of a person (Circular 86/2024). The rule is python-stdnum's `vn.mst`."""

from __future__ import annotations

import polars as pl
from stdnum.exceptions import InvalidChecksum, ValidationError
from stdnum.vn import mst

from lienthong.standards.base import Cleaned
from lienthong.standards.citizen_ids import CITIZEN_ID_DIGITS, clean_citizen_id
from lienthong.standards.distinct import DistinctStandard, Options
from lienthong.standards.numbering import ACCEPT_SYNTHETIC, ACCEPTS, ROUNDED, SEPARATORS, bare_digits
from lienthong.standards.text import tidy

TAX_DIGITS = 10  # the office's 01–63 (persons: 8…) first: a spreadsheet takes one zero away, of the 00… of sample data more
FEWEST_SAMPLE_DIGITS = 3


_WEIGHTS = (31, 29, 23, 19, 17, 13, 7, 5, 3)


def _has_right_digit(text: str) -> bool:
    return str(10 - sum(int(digit) * weight for digit, weight in zip(text, _WEIGHTS, strict=False)) % 11) == text[9]


def _clean_tax_code(value: str, options: Options) -> Cleaned:
    text = SEPARATORS.sub("", tidy(value).removesuffix(".0").strip("'"))
    if not (text.isascii() and text.isdigit()):
        return Cleaned(None, "tax_code.rounded" if ROUNDED.fullmatch(tidy(value)) else "tax_code.shape")
    if len(text) == CITIZEN_ID_DIGITS:
        found = clean_citizen_id(text, {ACCEPT_SYNTHETIC: options.get(ACCEPT_SYNTHETIC, False)})
        return Cleaned(found.value, None if found.problem is None else "tax_code.shape")
    restored = None
    if FEWEST_SAMPLE_DIGITS <= len(text) < TAX_DIGITS if options.get(ACCEPT_SYNTHETIC) else len(text) == TAX_DIGITS - 1:
        text, restored = text.zfill(TAX_DIGITS), "tax_code.zeros_restored"
    if len(text) not in (10, 13):
        return Cleaned(None, "tax_code.shape")
    if text.startswith("00") and not options.get(ACCEPT_SYNTHETIC):
        return Cleaned(None, "tax_code.shape" if restored else "tax_code.synthetic")
    if text[2:9] != "0000000" and not _has_right_digit(text):  # nine of ten mistakes, ten times as fast as by an exception
        return Cleaned(None, "tax_code.shape" if restored else "tax_code.check_digit")
    try:
        mst.validate(text)
    except InvalidChecksum:
        return Cleaned(None, "tax_code.shape" if restored else "tax_code.check_digit")
    except ValidationError:
        return Cleaned(None, "tax_code.shape")
    return Cleaned(text if len(text) == 10 else f"{text[:10]}-{text[10:]}", restored)  # digits of a head office's code


def _quick_tax_code(value: pl.Expr, options: Options) -> pl.Expr:
    """Ten digits, or ten and three, whose tenth is right; all else is left to `clean_one`."""
    head = value.str.slice(0, TAX_DIGITS)
    shaped = value.str.contains(r"^[0-9]{10}(-?[0-9]{3})?$") & ~value.str.contains(r"^[0-9]{2}0000000|-?000$")
    if not options.get(ACCEPT_SYNTHETIC):
        shaped &= ~value.str.starts_with("00")
    number = head.cast(pl.Int64, strict=False)
    total = pl.sum_horizontal(number // 10 ** (9 - n) % 10 * weight for n, weight in enumerate(_WEIGHTS))
    is_right = shaped & (10 - total % 11 == number % 10)
    return pl.when(is_right & (value.str.len_bytes() > TAX_DIGITS)).then(head + "-" + value.str.slice(-3)).when(is_right).then(value)


TAX_CODE = DistinctStandard(
    "tax_code",
    pl.String(),
    "Mã số thuế",
    "Tax code",
    _clean_tax_code,
    good=(("0100233488", "0100233488"), ("0100233488001", "0100233488-001"), ("100233488", "0100233488")),
    bad=(("0100233480", "tax_code.check_digit"), ("12", "tax_code.shape"), ("0012345674", "tax_code.synthetic")),
    quick=_quick_tax_code,
    loose=bare_digits,
    known_options=ACCEPTS,
)
