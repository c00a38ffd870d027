"""Where things are: coordinates, shapes, and units of administration as of a date."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import msgspec
import polars as pl

from lienthong.standards.admin_units import BEGINNING, Unit, find_units, is_code, successors, units, units_by_code
from lienthong.standards.base import Cleaned, CleanedColumn
from lienthong.standards.distinct import DistinctStandard, Options, refuse_unknown
from lienthong.standards.numbers import parse_number
from lienthong.standards.text import tidy

LATITUDES = (6.0, 24.0)  # from the Spratly islands to Hà Giang, with room
LONGITUDES = (102.0, 118.0)
LAST_DAY_OF_OLD_UNITS = date(2025, 6, 30)


_DEGREES = re.compile(r"([0-9]{1,3})\s*[°ºd:]\s*([0-9]{1,2}(?:[.,][0-9]+)?)\s*['’′:]?\s*(?:([0-9]{1,2}(?:[.,][0-9]+)?)\s*(?:\"|”|″|''))?")
_HEMISPHERE = re.compile(r"^[NEBĐ]\s*(?=[0-9])|(?<=[0-9°'’′\"”″])\s*[NEBĐ]$", re.IGNORECASE)  # N and E, or Bắc and Đông


def _degrees(text: str) -> float | None:
    """Decimal degrees, or degrees, minutes and seconds."""
    text = _HEMISPHERE.sub("", text)
    if found := _DEGREES.fullmatch(text):
        whole, minutes, seconds = (float((part or "0").replace(",", ".")) for part in found.groups())
        return whole + minutes / 60 + seconds / 3600 if minutes < 60 and seconds < 60 else None
    number = parse_number(text.rstrip("° "), decimal_comma=None if "," in text else False)
    return None if number is None else float(number)


def _clean_coordinate(value: str, options: Options) -> Cleaned:
    found = _degrees(tidy(value))
    if found is None:
        return Cleaned(None, "coordinates.unreadable")
    low, high = _bounds(options)
    return Cleaned(found) if low <= found <= high else Cleaned(None, "coordinates.outside")


def _bounds(options: Options) -> tuple[float, float]:
    return LATITUDES if options.get("axis", "latitude") == "latitude" else LONGITUDES


def _quick_coordinate(value: pl.Expr, options: Options) -> pl.Expr:
    low, high = _bounds(options)
    number = pl.when(value.str.contains(r"^[0-9]{1,3}(\.[0-9]{1,15})?$")).then(value).cast(pl.Float64, strict=False)
    return pl.when(number.is_between(low, high)).then(number)


COORDINATES = DistinctStandard(
    "coordinates",
    pl.Float64(),
    "Tọa độ",
    "Coordinate",
    _clean_coordinate,
    good=(("11,7512", "11.7512"), ("11.7512", "11.7512"), ("11°45'00\" B", "11.75")),
    bad=(("bắc", "coordinates.unreadable"), ("51.5", "coordinates.outside")),
    quick=_quick_coordinate,
    known_options={"axis": "`latitude` or `longitude`; `latitude` if left out."},
)

_DEPTH = {"Point": 0, "MultiPoint": 1, "LineString": 1, "Polygon": 2, "MultiLineString": 2, "MultiPolygon": 3}


def _clean_geometry(value: str, _: Options) -> Cleaned:
    try:
        shape = msgspec.json.decode(value)
        depth = _DEPTH[shape["type"]]
        points = _points(shape["coordinates"], depth)
        if not points:
            return Cleaned(None, "geometry.unreadable")
    except (ValueError, KeyError, IndexError, TypeError, RecursionError):
        return Cleaned(None, "geometry.unreadable")
    if not all(LONGITUDES[0] <= x <= LONGITUDES[1] and LATITUDES[0] <= y <= LATITUDES[1] for x, y in points):
        return Cleaned(None, "geometry.outside")
    if shape["type"].endswith("Polygon") and not all(ring[0] == ring[-1] and len(ring) > 3 for ring in _rings(shape)):  # a triangle, closed
        return Cleaned(None, "geometry.open_ring")
    return Cleaned(msgspec.json.encode({"type": shape["type"], "coordinates": shape["coordinates"]}).decode())


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
    longest=None,  # the border of a province is as long as it is
    good=(('{"type": "Point", "coordinates": [106.9, 11.5]}', '{"type":"Point","coordinates":[106.9,11.5]}'),),
    bad=(
        ("{}", "geometry.unreadable"),
        ('{"type": "Polygon", "coordinates": [[[106, 11], [106, 12], [107, 12], [107, 11]]]}', "geometry.open_ring"),
        ('{"type": "Point", "coordinates": [11.5, 106.9]}', "geometry.outside"),
    ),
)


_LONGEST_SHOWN = 60
_SHOWN = re.compile(r"\S \(([0-9]{2}|[0-9]{3}|[0-9]{5})\)\s*$")  # as `display` writes it: Phường Bình Phước (25195)


@dataclass(frozen=True)
class AdminUnitStandard:
    """A unit's code as recorded, checked against the units in force on the row's date; a name in any usual spelling becomes a code.

    A code is kept as it was written. A name that is no longer in use becomes the code of the unit that took its place, with a warning,
    because the old code may by then name another unit; where several took its place, that is an issue. Nothing is guessed.
    """

    name: str = "admin_unit"
    dtype: pl.DataType = field(default_factory=pl.String)
    title_vi: str = "Đơn vị hành chính"
    title_en: str = "Unit of administration"
    good: tuple[tuple[str, str], ...] = (
        ("25195", "25195"),
        ("P. Tân Phú, TP Đồng Xoài, Bình Phước", "25195"),
        ("Xa Dak O, huyen Bu Gia Map, tinh Binh Phuoc", "25225"),
        ("Xã Đăk Ơ huyện Bù Gia Mập tỉnh Bình Phước", "25225"),
    )
    bad: tuple[tuple[str, str], ...] = (
        ("Xã Tân Tiến", "admin_unit.ambiguous"),
        ("Xã Không Có", "admin_unit.unknown"),
        ("99999", "admin_unit.unknown"),
    )
    known_options: Mapping[str, str] = field(
        default_factory=lambda: {
            "level": "`commune`, `district` or `province`; gives back lost leading zeros and keeps other levels out.",
            "within": "Code of the province in which a name that stands alone is looked for first.",
            "date": "Date by which rows that have none are read (`asOf` of the property goes before); `2025-06-30` if left out.",
        }
    )

    def clean(self, value: str | None, options: Options, on: date | None = None) -> Cleaned:
        """One value as of a date; without a date, as of the option `date`."""
        refuse_unknown(self.name, options, self.known_options)
        if value is None or not tidy(value):
            return Cleaned(None)
        on = on or _default_date(options)
        level = options.get("level")
        shown = _SHOWN.search(value[-_LONGEST_SHOWN:])
        value = value if shown is None else shown.group(1)
        found = find_units(value, on, level, options.get("within"))
        codes = {unit.code for unit in found}
        if len(codes) != 1:
            return Cleaned(None, "admin_unit.ambiguous" if codes else "admin_unit.unknown")
        if found[0].is_valid(on):
            return Cleaned(found[0].code)
        if is_code(tidy(value)):
            return Cleaned(found[0].code, "admin_unit.other_date")
        return _of_another_date(found[0], on)

    def choices(self, value: str, options: Options, on: date | None = None) -> tuple[str, ...]:
        """The units a value may mean, code and name, for the person who decides."""
        on = on or _default_date(options)
        found = find_units(value, on, options.get("level"), options.get("within"))
        found = [new for unit in found for new in (successors(unit, on) or [unit])]
        return tuple(sorted({f"{unit.code} {unit.name}{_place(unit)}" for unit in found}))

    def clean_column(self, values: pl.Series, options: Options, dated_by: pl.Series | None = None) -> CleanedColumn:
        """Each distinct (value, set of units in force) once."""
        refuse_unknown(self.name, options, self.known_options)
        default = _default_date(options)
        dates = (
            pl.repeat(default, len(values), dtype=pl.Date, eager=True) if dated_by is None else dated_by.cast(pl.Date).fill_null(default)
        )
        frame = pl.DataFrame({"value": values, "on": _begin_of_period(dates)})
        distinct = frame.filter(pl.col("value").is_not_null()).unique()
        cleaned = [self.clean(value, options, on) for value, on in distinct.iter_rows()]
        lookup = distinct.with_columns(
            pl.Series("clean", [one.value for one in cleaned], dtype=pl.String),
            pl.Series("problem", [one.problem for one in cleaned], dtype=pl.String),
        )
        joined = frame.join(lookup, on=["value", "on"], how="left", maintain_order="left")
        return CleanedColumn(joined["clean"].alias("value"), joined["problem"])

    def compare_key(self, value: Any) -> str | None:
        return None if value is None else str(value)

    def display(self, value: Any) -> str:
        """The newest name of a code, with the code."""
        found = units_by_code().get(value, [])
        return f"{found[-1].name} ({value})" if found else str(value or "")


def _default_date(options: Options) -> date:
    given = options.get("date", LAST_DAY_OF_OLD_UNITS)
    return given if isinstance(given, date) else date.fromisoformat(given)


def _of_another_date(unit: Unit, on: date) -> Cleaned:
    """The code of a unit that was named on a date when it was not in force."""
    new = successors(unit, on)
    if len(new) == 1:
        return Cleaned(new[0].code, "admin_unit.replaced")
    if new:
        return Cleaned(None, "admin_unit.split")
    reused = any(other.is_valid(on) for other in units_by_code()[unit.code])
    return Cleaned(None, "admin_unit.reused") if reused else Cleaned(unit.code, "admin_unit.other_date")


def _place(unit: Unit) -> str:
    """The units around a unit, for telling it from others of its name."""
    around = [
        other
        for code in (unit.district_code, unit.province_code)
        for other in units_by_code().get(code, [])
        if other.valid_from == unit.valid_from
    ]
    return "".join(f", {other.name}" for other in around)


def _begin_of_period(dates: pl.Series) -> pl.Series:
    """Each date as the first day of the period in which the same units were in force."""
    begins = pl.Series("on", sorted({BEGINNING, *(unit.valid_from for unit in units())}), dtype=pl.Date)
    place = begins.search_sorted(dates, side="right").cast(pl.Int64) - 1
    return begins.gather(place.clip(lower_bound=0)).alias("on")


ADMIN_UNIT = AdminUnitStandard()
