"""Numbers that name persons, enterprises, insured people, agencies, licences and parcels.

Sources: personal id, Decree 137/2015 art. 13 and Circular 07/2016 (place, century and sex, year, six digits; the place is that of the list of
63 provinces and never changes); tax code, python-stdnum `vn.mst`; agency code, Decision 20/2020 and the reversed form of QCVN 102:2016.
Ranges that are never issued mark sample data: places 097–099, old ids 00… and 99…, tax codes 00…, insurance 99…, phones 06….
"""

from __future__ import annotations

import re

import polars as pl
from stdnum.exceptions import InvalidChecksum, ValidationError
from stdnum.vn import mst

from lienthong.standards.base import Cleaned
from lienthong.standards.distinct import DistinctStandard, Options
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
_SEPARATORS = re.compile(r"[\s.\-_]")
_ROUNDED = re.compile(r"\d+([.,]\d+)?[eE]\+?\d+")
ACCEPT_SYNTHETIC = "accept_synthetic"
_ACCEPTS = {ACCEPT_SYNTHETIC: "Accept the ranges of sample data; the pipeline sets it from `LIENTHONG_ACCEPT_SYNTHETIC_IDS`."}


def _place_problem(number: str, options: Options) -> str | None:
    place = number[:3]
    if place in SYNTHETIC_PLACES:
        return None if options.get(ACCEPT_SYNTHETIC) else "citizen_id.synthetic"
    return None if place in PROVINCES_OF_BIRTH or int(place) >= FIRST_COUNTRY else "citizen_id.place"


def _clean_citizen_id(value: str, options: Options) -> Cleaned:
    text = tidy(value).removesuffix(".0")
    if _ROUNDED.fullmatch(text):
        return Cleaned(None, "citizen_id.rounded")
    number = _SEPARATORS.sub("", text.strip("'"))
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
    return pl.when(shaped & (value.str.slice(0, 3).is_in(places) | value.str.contains("^[1-9]"))).then(value)


CITIZEN_ID = DistinctStandard(
    "citizen_id",
    pl.String(),
    "Số định danh cá nhân",
    "Personal identification number",
    _clean_citizen_id,
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
    known_options=_ACCEPTS | {"accept_cmnd": "Accept old 9-digit numbers (CMND) too; true if left out."},
)


TAX_DIGITS = 10  # the office's 01–63 (persons: 8…) first: a spreadsheet takes one zero away, of the 00… of sample data more
FEWEST_SAMPLE_DIGITS = 3


def _clean_tax_code(value: str, options: Options) -> Cleaned:
    text = _SEPARATORS.sub("", tidy(value).removesuffix(".0").strip("'"))
    if not (text.isascii() and text.isdigit()):
        return Cleaned(None, "tax_code.rounded" if _ROUNDED.fullmatch(tidy(value)) else "tax_code.shape")
    if len(text) == CITIZEN_ID_DIGITS:
        found = _clean_citizen_id(text, {ACCEPT_SYNTHETIC: options.get(ACCEPT_SYNTHETIC, False)})
        return Cleaned(found.value, None if found.problem is None else "tax_code.shape")
    restored = None
    if FEWEST_SAMPLE_DIGITS <= len(text) < TAX_DIGITS if options.get(ACCEPT_SYNTHETIC) else len(text) == TAX_DIGITS - 1:
        text, restored = text.zfill(TAX_DIGITS), "tax_code.zeros_restored"
    if len(text) not in (10, 13):
        return Cleaned(None, "tax_code.shape")
    if text.startswith("00") and not options.get(ACCEPT_SYNTHETIC):
        return Cleaned(None, "tax_code.shape" if restored else "tax_code.synthetic")
    try:
        mst.validate(text)
    except InvalidChecksum:
        return Cleaned(None, "tax_code.shape" if restored else "tax_code.check_digit")
    except ValidationError:
        return Cleaned(None, "tax_code.shape")
    return Cleaned(text if len(text) == 10 else f"{text[:10]}-{text[10:]}", restored)  # digits of a head office's code


TAX_CODE = DistinctStandard(
    "tax_code",
    pl.String(),
    "Mã số thuế",
    "Tax code",
    _clean_tax_code,
    good=(("0100233488", "0100233488"), ("0100233488001", "0100233488-001"), ("100233488", "0100233488")),
    bad=(("0100233480", "tax_code.check_digit"), ("12", "tax_code.shape"), ("0012345674", "tax_code.synthetic")),
    known_options=_ACCEPTS,
)

INSURANCE_DIGITS = 10


def _clean_insurance_no(value: str, options: Options) -> Cleaned:
    number = _SEPARATORS.sub("", tidy(value).removesuffix(".0").strip("'")).upper()
    if re.fullmatch(r"[A-Z]{2}\d{13}", number):  # a health card: two letters, three digits, then the ten
        number = number[-INSURANCE_DIGITS:]
    if not (number.isascii() and number.isdigit()):
        return Cleaned(None, "insurance_no.shape")
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
    good=(("7001234567", "7001234567"), ("DN4707001234567", "7001234567"), ("123456789", "0123456789")),
    bad=(("9901234567", "insurance_no.synthetic"), ("12", "insurance_no.shape")),
    quick=_quick_insurance_no,
    known_options=_ACCEPTS,
)

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


PHONE = DistinctStandard(
    "phone",
    pl.String(),
    "Số điện thoại",
    "Phone number",
    _clean_phone,
    good=(("+84 912 345 678", "0912345678"), ("0165.234.5678", "0352345678"), ("912345678", "0912345678")),
    bad=(("12345", "phone.shape"), ("0912345678; 0987654321", "phone.several"), ("0612345678", "phone.synthetic")),
    quick=_quick_phone,
    known_options=_ACCEPTS,
    show=lambda value: "" if value is None else f"{value[:4]} {value[4:7]} {value[7:]}",
)

_NEW_AGENCY = re.compile(r"[A-Z]\d{2}(\.[A-Z0-9]{1,5}){0,5}")
_OLD_AGENCY = re.compile(r"(?:[A-Z0-9]{2,3}\.){1,3}[A-Z]\d{2}")
LONGEST_AGENCY_CODE = 35


def _clean_agency_code(value: str, _: Options) -> Cleaned:
    text = tidy(value).upper().replace(" ", "")
    if len(text) > LONGEST_AGENCY_CODE:
        return Cleaned(None, "agency_code.shape")
    if _NEW_AGENCY.fullmatch(text):
        return Cleaned(text)
    if _OLD_AGENCY.fullmatch(text):
        groups = [group for group in reversed(text.split(".")) if group.strip("0")]
        return Cleaned(".".join(groups))
    return Cleaned(None, "agency_code.shape")


AGENCY_CODE = DistinctStandard(
    "agency_code",
    pl.String(),
    "Mã định danh cơ quan",
    "Agency code",
    _clean_agency_code,
    good=(("h10.12", "H10.12"), ("000.00.12.H10", "H10.12"), ("000.00.00.H49", "H49")),
    bad=(("Sở Y tế", "agency_code.shape"),),
)

_LICENCE = re.compile(r"(\d+)\s*/\s*(?:(\d{4})\s*/\s*)?([^\W_][\w.\-]*)")


def _clean_licence_no(value: str, _: Options) -> Cleaned:
    found = _LICENCE.fullmatch(re.sub(r"^(giấy phép\s*)?số\s*[:.]?\s*", "", tidy(value), flags=re.IGNORECASE).replace(" ", ""))
    if found is None:
        return Cleaned(None, "licence_no.shape")
    return Cleaned("/".join(part for part in (found.group(1), found.group(2), found.group(3).upper()) if part))


LICENCE_NO = DistinctStandard(
    "licence_no",
    pl.String(),
    "Số giấy phép",
    "Licence number",
    _clean_licence_no,
    good=(("Số: 12 /2024/ gp-stnmt", "12/2024/GP-STNMT"), ("900001/2023/H10.10.TEST", "900001/2023/H10.10.TEST")),
    bad=(("không số", "licence_no.shape"),),
)

_PARCEL = re.compile(r"(\d{5})\s*[-/.]\s*0*(\d{1,4})\s*[-/.]\s*0*(\d{1,6})")


def _clean_parcel_id(value: str, _: Options) -> Cleaned:
    found = _PARCEL.fullmatch(tidy(value))
    return Cleaned("-".join(found.groups())) if found else Cleaned(None, "parcel_id.shape")


PARCEL_ID = DistinctStandard(
    "parcel_id",
    pl.String(),
    "Mã thửa đất",
    "Land parcel",
    _clean_parcel_id,
    good=(("25195-012-0345", "25195-12-345"), ("25195/12/345", "25195-12-345")),
    bad=(("thửa 345", "parcel_id.shape"),),
    quick=lambda value, _: pl.when(value.str.contains(r"^[0-9]{5}-[1-9][0-9]{0,3}-[1-9][0-9]{0,5}$")).then(value),
)
