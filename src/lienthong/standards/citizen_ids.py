"""Numbers of persons: the 12 digits of today and the 9 of the identity card before.

Decree 137/2015 art. 13 and Circular 07/2016: three digits of the place of birth registration (of the list of 63 provinces, which never
changes, or a country from 100 up), one of century and sex, two of the year, six by chance. There is no check digit.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import polars as pl

from lienthong.standards.base import Cleaned, CleanedColumn
from lienthong.standards.distinct import DistinctStandard, Options
from lienthong.standards.numbering import ACCEPT_SYNTHETIC, ACCEPTS, ROUNDED, SEPARATORS, bare_digits
from lienthong.standards.text import tidy

PROVINCES_OF_BIRTH = frozenset(
    [
        "001",
        "002",
        "004",
        "006",
        "008",
        "010",
        "011",
        "012",
        "014",
        "015",
        "017",
        "019",
        "020",
        "022",
        "024",
        "025",
        "026",
        "027",
        "030",
        "031",
        "033",
        "034",
        "035",
        "036",
        "037",
        "038",
        "040",
        "042",
        "044",
        "045",
        "046",
        "048",
        "049",
        "051",
        "052",
        "054",
        "056",
        "058",
        "060",
        "062",
        "064",
        "066",
        "067",
        "068",
        "070",
        "072",
        "074",
        "075",
        "077",
        "079",
        "080",
        "082",
        "083",
        "084",
        "086",
        "087",
        "089",
        "091",
        "092",
        "093",
        "094",
        "095",
        "096",
    ]
)
SYNTHETIC_PLACES = frozenset({"097", "098", "099"})
SYNTHETIC_OLD_IDS = ("00", "99")
FIRST_COUNTRY = 100
CITIZEN_ID_DIGITS, OLD_ID_DIGITS = 12, 9
LAST_DAY_OF_OLD_IDS = date(2024, 12, 31)  # Law on identification 26/2023/QH15, art. 46: old cards end with 2024


def _place_problem(number: str, options: Options) -> str | None:
    place = number[:3]
    if place in SYNTHETIC_PLACES:
        return None if options.get(ACCEPT_SYNTHETIC) else "citizen_id.synthetic"
    return None if place in PROVINCES_OF_BIRTH or int(place) >= FIRST_COUNTRY else "citizen_id.place"


def clean_citizen_id(value: str, options: Options) -> Cleaned:
    text = tidy(value).removesuffix(".0")
    if ROUNDED.fullmatch(text):
        return Cleaned(None, "citizen_id.rounded")
    number = SEPARATORS.sub("", text.strip("'"))
    if not (number.isascii() and number.isdigit()):
        return Cleaned(None, "citizen_id.shape")
    if OLD_ID_DIGITS - (2 if options.get(ACCEPT_SYNTHETIC) else 1) <= len(number) <= OLD_ID_DIGITS:  # sample ones begin with two zeros
        return _old_id(number, options)
    if len(number) in (CITIZEN_ID_DIGITS - 2, CITIZEN_ID_DIGITS - 1):
        restored = number.zfill(CITIZEN_ID_DIGITS)
        return (
            Cleaned(restored, "citizen_id.zeros_restored")
            if _place_problem(restored, options) is None
            else Cleaned(None, "citizen_id.shape")
        )
    if len(number) != CITIZEN_ID_DIGITS:
        return Cleaned(None, "citizen_id.shape")
    problem = _place_problem(number, options)
    return Cleaned(number if problem is None else None, problem)


def _old_id(number: str, options: Options) -> Cleaned:
    """A 9-digit number (CMND); one that began with 0 (Hà Nội, Hải Phòng…) may have lost it."""
    if not options.get("accept_cmnd", True):
        return Cleaned(None, "citizen_id.old_form")
    restored = number.zfill(OLD_ID_DIGITS)
    if restored.startswith(SYNTHETIC_OLD_IDS) and not options.get(ACCEPT_SYNTHETIC):
        return Cleaned(None, "citizen_id.synthetic")
    return Cleaned(restored, None if restored == number else "citizen_id.zeros_restored")


def _quick_citizen_id(value: pl.Expr, options: Options) -> pl.Expr:
    places = sorted(PROVINCES_OF_BIRTH | (SYNTHETIC_PLACES if options.get(ACCEPT_SYNTHETIC) else set()))
    shaped = value.str.contains(r"^[0-9]{12}$")
    number = pl.when(shaped & (value.str.slice(0, 3).is_in(places) | value.str.contains("^[1-9]"))).then(value)
    if not options.get("accept_cmnd", True):
        return number
    old = r"^([1-8][0-9]{8}|0[1-9][0-9]{7}|9[0-8][0-9]{7})$"
    return pl.coalesce(number, pl.when(value.str.contains(old)).then(value))


@dataclass(frozen=True)
class CitizenIdStandard(DistinctStandard):
    """A number with its row's date: the 9 digits of an identity card after the last day such a card was good for are kept, with a warning."""

    def clean_column(self, values: pl.Series, options: Options, dated_by: pl.Series | None = None) -> CleanedColumn:
        found = super().clean_column(values, options)
        if dated_by is None:
            return found
        frame = pl.DataFrame({"value": found.values, "problem": found.problems, "on": dated_by.cast(pl.Date)})
        is_late = (pl.col("value").str.len_bytes() == OLD_ID_DIGITS) & (pl.col("on") > LAST_DAY_OF_OLD_IDS) & pl.col("problem").is_null()
        late = frame.select(pl.when(is_late).then(pl.lit("citizen_id.old_after_end")).otherwise(pl.col("problem")).alias("problem"))
        return CleanedColumn(found.values, late["problem"])


CITIZEN_ID = CitizenIdStandard(
    "citizen_id",
    pl.String(),
    "Số định danh cá nhân",
    "Personal identification number",
    clean_citizen_id,
    good=(("070 090 123 456", "070090123456"), ("285123456", "285123456"), ("70090123456", "070090123456"), ("12345678", "012345678")),
    bad=(
        ("97090123456", "citizen_id.shape"),
        ("097090123456", "citizen_id.synthetic"),
        ("003090123456", "citizen_id.place"),
        ("7.0E+10", "citizen_id.rounded"),
        ("001234567", "citizen_id.synthetic"),
        ("chưa có", "citizen_id.shape"),
    ),
    quick=_quick_citizen_id,
    loose=bare_digits,
    known_options=ACCEPTS | {"accept_cmnd": "Accept old 9-digit numbers (CMND) too; true if left out."},
)
