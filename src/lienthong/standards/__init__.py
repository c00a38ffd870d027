"""Says what one value is: clean it, check it, compare it, show it."""

from difflib import get_close_matches

from lienthong.errors import SettingsError
from lienthong.standards.addresses import ADDRESS
from lienthong.standards.admin_unit import ADMIN_UNIT
from lienthong.standards.agency_codes import AGENCY_CODE
from lienthong.standards.base import Cleaned, CleanedColumn, Problem, Standard
from lienthong.standards.citizen_ids import CITIZEN_ID
from lienthong.standards.code_lists import CODE_LISTS
from lienthong.standards.dates import DATE, PARTIAL_DATE, TIMESTAMP
from lienthong.standards.documents import DOCUMENT_NO, DOSSIER_NO, LICENCE_NO
from lienthong.standards.emails import EMAIL
from lienthong.standards.encoding_detection import DECODERS, detect_encoding, detect_font, font_bytes
from lienthong.standards.enterprises import ENTERPRISE_NAME
from lienthong.standards.insurance import HEALTH_CARD, INSURANCE_NO
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
from lienthong.standards.numbers import BOOLEAN, DECIMAL, INTEGER, MONEY, show_number
from lienthong.standards.parcels import PARCEL_ID
from lienthong.standards.periods import PERIOD
from lienthong.standards.phones import PHONE
from lienthong.standards.places import COORDINATES, GEOMETRY
from lienthong.standards.plates import LICENCE_PLATE
from lienthong.standards.problems import PROBLEMS
from lienthong.standards.quantities import QUANTITY
from lienthong.standards.tax_codes import TAX_CODE
from lienthong.standards.text import PERSON_NAME, TEXT, without_marks

_ALL: tuple[Standard, ...] = (
    TEXT,
    PERSON_NAME,
    CITIZEN_ID,
    TAX_CODE,
    ENTERPRISE_NAME,
    INSURANCE_NO,
    HEALTH_CARD,
    DATE,
    PARTIAL_DATE,
    TIMESTAMP,
    ADMIN_UNIT,
    ADDRESS,
    AGENCY_CODE,
    DOSSIER_NO,
    DOCUMENT_NO,
    PHONE,
    EMAIL,
    MONEY,
    QUANTITY,
    PERIOD,
    DECIMAL,
    INTEGER,
    BOOLEAN,
    COORDINATES,
    CODE_LIST,
    SEX,
    LICENCE_NO,
    LICENCE_PLATE,
    PARCEL_ID,
    GEOMETRY,
    *CODE_LISTS,
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
    "DECODERS",
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
    "detect_font",
    "encode_legacy",
    "encode_tcvn3",
    "font_bytes",
    "get_standard",
    "show_number",
    "without_marks",
]
