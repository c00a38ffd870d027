"""Land parcels: the commune's code, the number of the map sheet and the number on it, which together are one parcel at a date."""

from __future__ import annotations

import re

import polars as pl

from lienthong.standards.base import Cleaned
from lienthong.standards.distinct import DistinctStandard, Options
from lienthong.standards.text import tidy, without_marks

_CODED = re.compile(r"([0-9]{5})\s*[-/.]\s*0*([1-9][0-9]{0,3})\s*[-/.]\s*0*([1-9][0-9]{0,5})", re.ASCII)
_SHEET = r"(?:to(?: ban do)?(?: dia chinh)?|tbd|bd|bdđc|bddc)\s*(?:so)?\s*[:.]?\s*0*([1-9][0-9]{0,3})"
_NUMBER = r"(?:thua(?: dat)?)\s*(?:so)?\s*[:.]?\s*0*([1-9][0-9]{0,5})"
_BETWEEN = r"\s*[,;\-/]?\s*(?:thuoc\s+)?"
_SHEET_FIRST = re.compile(rf"{_SHEET}{_BETWEEN}{_NUMBER}", re.ASCII)
_NUMBER_FIRST = re.compile(rf"{_NUMBER}{_BETWEEN}{_SHEET}", re.ASCII)
_SHORT = re.compile(r"0*([1-9][0-9]{0,3})\s*[-/]\s*0*([1-9][0-9]{0,5})", re.ASCII)
_COMMUNE = re.compile(
    r"(?:(?:ma )?(?:xa|phuong|dvhc))?\s*[:.]?\s*([0-9]{5})\s*[,;\-/]\s*|\s*[,;\-/]\s*(?:(?:ma )?(?:xa|phuong|dvhc))\s*[:.]?\s*([0-9]{5})$"
)


def _clean_parcel_id(value: str, options: Options) -> Cleaned:
    """The code, sheet and number; words and either order of them understood, the commune from the option where the text has none."""
    text = without_marks(tidy(value))
    if found := _CODED.fullmatch(text):
        return Cleaned("-".join(found.groups()))
    commune = options.get("commune")
    if found := _COMMUNE.match(text) or _COMMUNE.search(text):
        commune = found.group(1) or found.group(2)
        text = (text[: found.start()] + text[found.end() :]).strip(" ,;-/")
    parts = _sheet_and_number(text)
    if parts is None:
        return Cleaned(None, "parcel_id.shape")
    return Cleaned(None, "parcel_id.commune") if commune is None else Cleaned(f"{commune}-{parts[0]}-{parts[1]}")


def _sheet_and_number(text: str) -> tuple[str, str] | None:
    if found := _SHEET_FIRST.fullmatch(text) or _SHORT.fullmatch(text):
        return found.group(1), found.group(2)
    if found := _NUMBER_FIRST.fullmatch(text):
        return found.group(2), found.group(1)
    return None


PARCEL_ID = DistinctStandard(
    "parcel_id",
    pl.String(),
    "Mã thửa đất",
    "Land parcel",
    _clean_parcel_id,
    good=(
        ("25195-012-0345", "25195-12-345"),
        ("25195/12/345", "25195-12-345"),
        ("25195, tờ bản đồ số 12, thửa đất số 345", "25195-12-345"),
        ("Thửa 345, tờ 12, xã 25195", "25195-12-345"),
    ),
    bad=(("thửa 345", "parcel_id.shape"), ("tờ 12, thửa 345", "parcel_id.commune"), ("25195-0-345", "parcel_id.shape")),
    quick=lambda value, _: pl.when(value.str.contains(r"^[0-9]{5}-[1-9][0-9]{0,3}-[1-9][0-9]{0,5}$")).then(value),
    known_options={"commune": "Code of the commune of parcels written as sheet and number alone (`tờ 12, thửa 345`, `12-345`)."},
)
