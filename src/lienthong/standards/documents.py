"""Numbers of papers: documents (số, ký hiệu), licences, and dossiers of administrative procedures.

A document's number and notation: Decree 30/2020, art. 8 and annex III (`12/2025/QĐ-UBND`, `34/BC-STC`). A dossier's: Circular 01/2018/TT-VPCP,
art. 19 (the agency's code, six digits of the day, the order of that day).
"""

from __future__ import annotations

import re
from datetime import date

import polars as pl

from lienthong.standards.agency_codes import agency_form
from lienthong.standards.base import Cleaned
from lienthong.standards.distinct import DistinctStandard, Options
from lienthong.standards.text import tidy

_LABEL = re.compile(r"^(?:giấy phép\s*)?(?:số|so)(?:\s*,?\s*ký hiệu)?\s*[:.]?\s*(?=\d)", re.IGNORECASE)
_LICENCE = re.compile(r"(\d+)/(?:(\d{4})/)?([^\W_][\w.\-]*)")


def _clean_licence_no(value: str, _: Options) -> Cleaned:
    found = _LICENCE.fullmatch(_LABEL.sub("", tidy(value)).replace(" ", ""))
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

_DOCUMENT = re.compile(r"([0-9]{1,6}[a-zđ]?)/(?:((?:19|20)[0-9]{2})/)?([^\W\d_][\w&.]*(?:[-–][\w&.]+)*)", re.IGNORECASE)
# Parts of a notation that are not all capitals, and those whose Đ people type as D.
_MIXED = {"TTG": "TTg", "TTR": "TTr", "CTR": "CTr", "QYĐ": "QyĐ", "QYD": "QyĐ", "CTHĐ": "CTHĐ"}
_WITHOUT_STROKE = {"QD": "QĐ", "ND": "NĐ", "HDND": "HĐND", "SLDTBXH": "SLĐTBXH", "BLDTBXH": "BLĐTBXH", "SGDDT": "SGDĐT", "BGDDT": "BGDĐT"}


def _notation(text: str) -> str:
    parts = re.split(r"[-–]", text.upper())
    return "-".join(_MIXED.get(part, _WITHOUT_STROKE.get(part, part)) for part in parts)


_KIND = re.compile(r"^[^\d/]{0,40}?\b(?:số|so)(?:\s*,?\s*ký hiệu)?\s*[:.]?\s*(?=\d)", re.IGNORECASE)  # Quyết định số 12/2025/QĐ-UBND
_NOTE = re.compile(r"\s+(?:ngày|ban hành|của|về)\s.*$", re.IGNORECASE)  # … ngày 05/3/2025 của UBND tỉnh


def _clean_document_no(value: str, _: Options) -> Cleaned:
    text = _KIND.sub("", tidy(value))
    bare = _NOTE.sub("", text)
    found = _DOCUMENT.fullmatch(re.sub(r"\s*([/\-–])\s*", r"\1", bare))
    if found is None:
        return Cleaned(None, "document_no.shape")
    number, year, notation = found.groups()
    digits = re.match(r"[0-9]+", number)
    assert digits is not None
    if int(digits.group()) == 0:
        return Cleaned(None, "document_no.shape")
    number = f"{int(digits.group()):02d}{number[digits.end() :].lower()}"  # a number below ten is written with a nought before it
    clean = "/".join(part for part in (number, year, _notation(notation)) if part)
    return Cleaned(clean, None if bare == text else "document_no.note")


DOCUMENT_NO = DistinctStandard(
    "document_no",
    pl.String(),
    "Số, ký hiệu văn bản",
    "Number and notation of a document",
    _clean_document_no,
    good=(
        ("12/2025/QĐ-UBND", "12/2025/QĐ-UBND"),
        ("Số: 34 /BC - STC", "34/BC-STC"),
        ("5/qd-ttg", "05/QĐ-TTg"),
        ("278/2025/NĐ-CP", "278/2025/NĐ-CP"),
        ("60/2024/QH15", "60/2024/QH15"),
        ("1552/BTTTT–THH", "1552/BTTTT-THH"),
        ("15a/2020/TT-BTC", "15a/2020/TT-BTC"),
        ("Quyết định số 12/2025/QĐ-UBND", "12/2025/QĐ-UBND"),
    ),
    bad=(
        ("QĐ-UBND", "document_no.shape"),
        ("không số", "document_no.shape"),
        ("0/QĐ-UBND", "document_no.shape"),
        ("12/QĐ-UBND ngày 05/3/2025", "document_no.note"),
    ),
    quick=lambda value, _: pl.when(value.str.contains(r"^[1-9][0-9]{1,5}/((19|20)[0-9]{2}/)?(QĐ|BC|KH|TB|CV)-(UBND|STC|SYT)$")).then(value),
)

_DOSSIER = re.compile(r"([A-Z0-9.]{3,35})-([0-9]{2})([0-9]{2})([0-9]{2})-([0-9]{4,8})", re.ASCII)


def _clean_dossier_no(value: str, _: Options) -> Cleaned:
    found = _DOSSIER.fullmatch(re.sub(r"\s|^(?:mã|số) hồ sơ\s*:?", "", tidy(value), flags=re.IGNORECASE).replace("–", "-").upper())
    agency = None if found is None else agency_form(found.group(1))
    if found is None or agency is None:
        return Cleaned(None, "dossier_no.shape")
    try:
        date(2000 + int(found.group(2)), int(found.group(3)), int(found.group(4)))
    except ValueError:
        return Cleaned(None, "dossier_no.day")
    return Cleaned(f"{agency}-{''.join(found.groups()[1:4])}-{found.group(5)}")


DOSSIER_NO = DistinctStandard(
    "dossier_no",
    pl.String(),
    "Mã hồ sơ thủ tục hành chính",
    "Dossier number",
    _clean_dossier_no,
    good=(
        ("H10.12-251105-0001", "H10.12-251105-0001"),
        ("000.00.12.H10-251105-0001", "H10.12-251105-0001"),
        ("h10.12 – 251105 – 0001", "H10.12-251105-0001"),
        ("000.25.12.H10-251105-0001", "H10.12.25-251105-0001"),
    ),
    bad=(("H10.12-251305-0001", "dossier_no.day"), ("251105-0001", "dossier_no.shape"), ("H10.12-251105-1", "dossier_no.shape")),
)
