"""Says what one value is: clean it, check it, compare it, show it."""

from difflib import get_close_matches

from lienthong.errors import SettingsError
from lienthong.standards.base import Cleaned, CleanedColumn, Problem, Standard
from lienthong.standards.dates import DATE, PARTIAL_DATE, TIMESTAMP
from lienthong.standards.encoding_detection import detect_encoding
from lienthong.standards.identifiers import AGENCY_CODE, CITIZEN_ID, INSURANCE_NO, LICENCE_NO, PARCEL_ID, PHONE, TAX_CODE
from lienthong.standards.legacy_encodings import (
    decode_tcvn3,
    decode_viscii,
    decode_vni,
    decode_vps,
    decode_windows_1258,
    encode_legacy,
    encode_tcvn3,
)
from lienthong.standards.lists import CODE_LIST, SEX
from lienthong.standards.numbers import BOOLEAN, DECIMAL, INTEGER, MONEY
from lienthong.standards.places import ADMIN_UNIT, COORDINATES, GEOMETRY
from lienthong.standards.problems import PROBLEMS
from lienthong.standards.text import PERSON_NAME, TEXT, without_marks

_ALL: tuple[Standard, ...] = (
    TEXT,
    PERSON_NAME,
    CITIZEN_ID,
    TAX_CODE,
    INSURANCE_NO,
    DATE,
    PARTIAL_DATE,
    TIMESTAMP,
    ADMIN_UNIT,
    AGENCY_CODE,
    PHONE,
    MONEY,
    DECIMAL,
    INTEGER,
    BOOLEAN,
    COORDINATES,
    CODE_LIST,
    SEX,
    LICENCE_NO,
    PARCEL_ID,
    GEOMETRY,
)
STANDARDS: dict[str, Standard] = {standard.name: standard for standard in _ALL}


def get_standard(name: str) -> Standard:
    """The standard of that name. Raises SettingsError with the nearest name."""
    found = STANDARDS.get(name)
    if found is None:
        near = get_close_matches(name, STANDARDS, n=1)
        raise SettingsError(
            f"There is no standard `{name}`.", hint=f"Did you mean `{near[0]}`?" if near else f"Known: {', '.join(STANDARDS)}."
        )
    return found


__all__ = [
    "ADMIN_UNIT",
    "PROBLEMS",
    "STANDARDS",
    "Cleaned",
    "CleanedColumn",
    "Problem",
    "Standard",
    "decode_tcvn3",
    "decode_viscii",
    "decode_vni",
    "decode_vps",
    "decode_windows_1258",
    "detect_encoding",
    "encode_legacy",
    "encode_tcvn3",
    "get_standard",
    "without_marks",
]
