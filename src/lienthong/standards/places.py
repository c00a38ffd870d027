"""Where things are: coordinates and shapes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec
import polars as pl

from lienthong.standards.base import Cleaned
from lienthong.standards.distinct import DistinctStandard, Options
from lienthong.standards.numbers import parse_number
from lienthong.standards.text import tidy

LATITUDES = (6.0, 24.0)  # from the Spratly islands to Hà Giang, with room
LONGITUDES = (102.0, 118.0)


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
