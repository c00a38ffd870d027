"""Where things are: coordinates, shapes, and units of administration as of a date."""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib import resources
from typing import Any

import polars as pl

from lienthong.standards.base import Cleaned, CleanedColumn
from lienthong.standards.distinct import DistinctStandard, Options
from lienthong.standards.numbers import parse_number
from lienthong.standards.text import tidy, without_marks

LATITUDES = (6.0, 24.0)  # from the Spratly islands to Hà Giang, with room
LONGITUDES = (102.0, 118.0)


def _clean_coordinate(value: str, options: Options) -> Cleaned:
    number = parse_number(tidy(value).rstrip("°NEne "), decimal_comma=None if "," in value else False)
    if number is None:
        return Cleaned(None, "coordinates.unreadable")
    low, high = LATITUDES if options.get("axis", "latitude") == "latitude" else LONGITUDES
    found = float(number)
    return Cleaned(found) if low <= found <= high else Cleaned(None, "coordinates.outside")


COORDINATES = DistinctStandard(
    "coordinates",
    pl.Float64(),
    "Tọa độ",
    "Coordinate",
    _clean_coordinate,
    good=(("11,7512", "11.7512"), ("11.7512", "11.7512")),
    bad=(("bắc", "coordinates.unreadable"), ("51.5", "coordinates.outside")),
    known_options=frozenset({"axis"}),
)

_DEPTH = {"Point": 0, "MultiPoint": 1, "LineString": 1, "Polygon": 2, "MultiLineString": 2, "MultiPolygon": 3}


def _clean_geometry(value: str, _: Options) -> Cleaned:
    try:
        shape = json.loads(value)
        depth = _DEPTH[shape["type"]]
        points = _points(shape["coordinates"], depth)
        if not points:
            return Cleaned(None, "geometry.unreadable")
    except (ValueError, KeyError, TypeError, RecursionError):
        return Cleaned(None, "geometry.unreadable")
    if not all(LONGITUDES[0] <= x <= LONGITUDES[1] and LATITUDES[0] <= y <= LATITUDES[1] for x, y in points):
        return Cleaned(None, "geometry.outside")
    if shape["type"].endswith("Polygon") and not all(ring[0] == ring[-1] and len(ring) > 3 for ring in _rings(shape)):  # noqa: PLR2004 # a triangle, closed
        return Cleaned(None, "geometry.open_ring")
    return Cleaned(json.dumps({"type": shape["type"], "coordinates": shape["coordinates"]}, separators=(",", ":")))


def _points(coordinates: Any, depth: int) -> list[tuple[float, float]]:
    if depth == 0:
        return [(float(coordinates[0]), float(coordinates[1]))]
    return [point for part in coordinates for point in _points(part, depth - 1)]


def _rings(shape: Mapping[str, Any]) -> list[list[Any]]:
    if shape["type"] == "Polygon":
        return list(shape["coordinates"])
    return [ring for polygon in shape["coordinates"] for ring in polygon]


GEOMETRY = DistinctStandard(
    "geometry",
    pl.String(),
    "Hình học (GeoJSON)",
    "Geometry (GeoJSON)",
    _clean_geometry,
    good=(('{"type": "Point", "coordinates": [106.9, 11.5]}', '{"type":"Point","coordinates":[106.9,11.5]}'),),
    bad=(
        ("{}", "geometry.unreadable"),
        ('{"type": "Polygon", "coordinates": [[[106, 11], [106, 12], [107, 12], [107, 11]]]}', "geometry.open_ring"),
        ('{"type": "Point", "coordinates": [11.5, 106.9]}', "geometry.outside"),
    ),
)


@dataclass(frozen=True)
class Unit:
    """A unit of administration in force on `[valid_from, valid_to)`."""

    level: str
    code: str
    name: str
    district_code: str
    province_code: str
    valid_from: date
    valid_to: date | None

    def is_valid(self, on: date) -> bool:
        return self.valid_from <= on and (self.valid_to is None or on < self.valid_to)


_KINDS = re.compile(
    r"^(?:thành phố|thị xã|thị trấn|đặc khu|phường|quận|huyện|tỉnh|xã|tp\.?|tx\.?|tt\.?|p\.|q\.|h\.|x\.|t\."
    r"|(?:thanh pho|thi xa|thi tran|dac khu|phuong|quan|huyen|tinh|xa)(?=\s))\s*",
    re.IGNORECASE,
)
_SPELLINGS = ((re.compile(r"\b(?:đăk|đắk|dak|dăk|đac|đắc)\b"), "đak"), (re.compile(r"[^\w\s]"), " "))
_LEVEL_OF_KIND = (
    ("commune", re.compile(r"^(?:phường|xã|thị trấn|đặc khu|tt\.?|p\.|x\.|(?:phuong|xa|thi tran)\s)\s*", re.IGNORECASE)),
    ("district", re.compile(r"^(?:quận|huyện|thị xã|tx\.?|q\.|h\.|(?:quan|huyen|thi xa)\s)\s*", re.IGNORECASE)),
    ("province", re.compile(r"^(?:tỉnh|t\.|tinh\s)\s*", re.IGNORECASE)),
)


def _with_marks(name: str) -> str:
    """A name's key that still tells marks apart: case, kind, tone placement and the spellings of Đak left out."""
    text = _KINDS.sub("", tidy(name).casefold())
    for pattern, instead in _SPELLINGS:
        text = pattern.sub(instead, text)
    return " ".join(map(_tone_last, unicodedata.normalize("NFD", text).split()))


def _tone_last(word: str) -> str:
    """Tone marks at the end of the word, so that hoà and hòa are one."""
    tones = "".join(letter for letter in word if letter in "\u0300\u0301\u0303\u0309\u0323")
    return "".join(letter for letter in word if letter not in tones) + tones


@cache
def units() -> tuple[Unit, ...]:
    """Every unit before and after 1 July 2025."""
    data = resources.files("lienthong.standards").joinpath("data/admin_units.csv.gz").read_bytes()
    rows = csv.DictReader(io.StringIO(gzip.decompress(data).decode("utf-8")))
    return tuple(
        Unit(
            row["level"],
            row["code"],
            row["name"],
            row["district_code"],
            row["province_code"],
            date.fromisoformat(row["valid_from"]),
            date.fromisoformat(row["valid_to"]) if row["valid_to"] else None,
        )
        for row in rows
    )


@cache
def _by_code() -> dict[str, list[Unit]]:
    found: dict[str, list[Unit]] = {}
    for unit in units():
        found.setdefault(unit.code, []).append(unit)
    return found


@cache
def _by_name() -> dict[str, list[Unit]]:
    """Units by their key with marks and, where it differs, their key without."""
    found: dict[str, list[Unit]] = {}
    for unit in units():
        key = _with_marks(unit.name)
        for name in {key, without_marks(key)}:
            found.setdefault(name, []).append(unit)
    return found


def find_units(text: str, on: date, level: str | None = None, within: str | None = None) -> tuple[list[Unit], bool]:
    """(the units a text may mean, whether they are in force on the date). A text is a code, or a name with the units around it after commas."""
    text = tidy(text)
    code = text.removesuffix(".0").strip("'")
    if code.isascii() and code.isdigit():
        found = _of_level(_by_code().get(code.zfill({"commune": 5, "district": 3, "province": 2}.get(level or "", 0)), []), level)
    else:
        found = _named(text, level, within, on)
    valid = [unit for unit in found if unit.is_valid(on)]
    return (valid, True) if valid else (found, False)


def _of_level(found: list[Unit], level: str | None) -> list[Unit]:
    return [unit for unit in found if level is None or unit.level == level]


def _named(text: str, level: str | None, within: str | None, on: date) -> list[Unit]:
    first, *around = [part.strip() for part in re.split(r"[,;]| - ", text) if part.strip()] or [""]
    wanted = level or next((name for name, kind in _LEVEL_OF_KIND if kind.match(first)), None)
    key = _with_marks(first)
    found = _of_level(_by_name().get(key, []), wanted)
    if not found:
        found = _of_level(_by_name().get(without_marks(key), []), wanted)
    if within is not None:
        found = [unit for unit in found if within in (unit.code, unit.province_code)] or found
    for part in around:
        codes = {unit.code for unit in _by_name().get(_with_marks(part), []) + find_units(part, on)[0]}
        if codes:  # a part that names no unit is a street or a hamlet
            found = [unit for unit in found if unit.district_code in codes or unit.province_code in codes]
    kind = _kind(first)
    return [unit for unit in found if kind and unit.name.casefold().startswith(kind)] or found


_WRITTEN_KINDS = {"p.": "phường", "x.": "xã", "tt": "thị trấn", "tt.": "thị trấn", "h.": "huyện", "q.": "quận", "tx": "thị xã", "tx.": "thị xã", "tp": "thành phố", "tp.": "thành phố"}


def _kind(text: str) -> str:
    found = _KINDS.match(text)
    if found is None:
        return ""
    written = found.group().strip().casefold()
    return _WRITTEN_KINDS.get(written, written)


@dataclass(frozen=True)
class AdminUnitStandard:
    """A unit's code as recorded, checked against the units in force on the row's date; a name in any usual spelling becomes a code.

    Never guesses: a name of several units is a problem. Options: `level` (commune, district, province), `within` (province code).
    """

    name: str = "admin_unit"
    dtype: pl.DataType = pl.String()  # noqa: RUF009 # an immutable type object
    title_vi: str = "Đơn vị hành chính"
    title_en: str = "Unit of administration"
    good: tuple[tuple[str, str], ...] = (
        ("25195", "25195"),
        ("P. Tân Phú, TP Đồng Xoài, Bình Phước", "25195"),
        ("Xã Đắk Ơ, huyện Bù Gia Mập, tỉnh Bình Phước", "25225"),
    )
    bad: tuple[tuple[str, str], ...] = (("Xã Tân Tiến", "admin_unit.ambiguous"), ("Xã Không Có", "admin_unit.unknown"), ("99999", "admin_unit.unknown"))
    example_date: date = date(2025, 6, 30)
    known_options: frozenset[str] = frozenset({"level", "within"})

    def clean(self, value: str | None, options: Options, on: date | None = None) -> Cleaned:
        """One value as of a date; without a date, as of 30 June 2025 (the last day of the older units)."""
        unknown = sorted(set(options) - self.known_options)
        if unknown:
            raise ValueError(f"Standard `admin_unit` has no option {unknown}; it has {sorted(self.known_options)}.")
        if value is None or not tidy(value):
            return Cleaned(None)
        found, in_force = find_units(value, on or self.example_date, options.get("level"), options.get("within"))
        codes = {unit.code for unit in found}
        if not codes:
            return Cleaned(None, "admin_unit.unknown")
        if len(codes) > 1:
            return Cleaned(None, "admin_unit.ambiguous")
        return Cleaned(codes.pop(), None if in_force else "admin_unit.other_date")

    def clean_column(self, values: pl.Series, options: Options, dated_by: pl.Series | None = None) -> CleanedColumn:
        """Each distinct (value, date) once."""
        dates = dated_by if dated_by is not None else pl.repeat(self.example_date, len(values), dtype=pl.Date, eager=True)
        frame = pl.DataFrame({"value": values, "on": dates.cast(pl.Date)})
        distinct = frame.filter(pl.col("value").is_not_null()).unique()
        cleaned = [self.clean(value, options, on) for value, on in distinct.iter_rows()]
        lookup = distinct.with_columns(
            pl.Series("clean", [one.value for one in cleaned], dtype=pl.String),
            pl.Series("problem", [one.problem for one in cleaned], dtype=pl.String),
        )
        joined = frame.join(lookup, on=["value", "on"], how="left", nulls_equal=True, maintain_order="left")
        return CleanedColumn(joined["clean"].alias("value"), joined["problem"])

    def compare_key(self, value: Any) -> str | None:
        return None if value is None else str(value)

    def display(self, value: Any) -> str:
        """The newest name of a code, with the code."""
        found = _by_code().get(value, [])
        return f"{found[-1].name} ({value})" if found else str(value or "")


ADMIN_UNIT = AdminUnitStandard()
