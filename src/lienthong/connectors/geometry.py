"""Shapes as maps keep them (ESRI's and OGC's binary forms) to GeoJSON text in WGS 84, from VN-2000 and its zones or any named system.

A shape is a type of GeoJSON and its points in one run, with the cuts between parts: a batch of thousands is moved in one call.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from lienthong.errors import SourceError

Points = NDArray[np.float64]  # points × 2
Parts = list[Any]  # Points, or lists of them, as deep as the type says
MAX_WKT = 65_536
DECIMALS = 9  # of a degree: a tenth of a millimetre
_LONGITUDE, _LATITUDE = 180.0, 90.0

# Central meridians of VN-2000 in zones of 3°, by the codes provinces had until 30 June 2025 (TT 973/2001/TT-TCĐC, TT 25/2014/TT-BTNMT).
_MERIDIANS = {
    103.0: "11 12",
    104.0: "14",
    104.5: "91 96",
    104.75: "10 15 25 40 89",
    105.0: "26 01 35 37 38 87 92 93 95",
    105.5: "02 27 30 33 36 34 42 72 86 84 94",
    105.75: "04 31 74 79 80 82 83",
    106.0: "08 17 44",
    106.25: "45 70",
    106.5: "06 19",
    107.0: "24 46",
    107.25: "20",
    107.5: "62",
    107.75: "22 48 49 68 75 77",
    108.0: "51",
    108.25: "52 56 58",
    108.5: "54 60 64 66 67",
}
MERIDIAN_OF_PROVINCE = {code: meridian for meridian, codes in _MERIDIANS.items() for code in codes.split()}
EPSG_OF_MERIDIAN = {
    102.0: 5896, 105.0: 5897, 108.0: 5898, 107.75: 5899, 103.0: 9205, 104.0: 9206, 104.5: 9207, 104.75: 9208, 105.5: 9209, 105.75: 9210,
    106.0: 9211, 106.25: 9212, 106.5: 9213, 107.0: 9214, 107.25: 9215, 107.5: 9216, 108.25: 9217, 108.5: 9218,
}  # fmt: skip
_MERIDIAN = re.compile(r"^(10\d)(?:[°-](\d{2})['’]?|\.(\d+))?$")


@dataclass(frozen=True)
class Shape:
    """A shape of GeoJSON; `parts` as deep as its coordinates, down to runs of points."""

    kind: str
    parts: Any


def named_crs(text: str) -> str:
    """What pyproj calls a system: `EPSG:9212`, `9212`, `vn2000:70` (the zone of a province by its old code) or `vn2000:106°15'`."""
    said = text.strip()
    zone = said.lower().removeprefix("vn2000:") if said.lower().startswith("vn2000:") else None
    if zone is None:
        return f"EPSG:{said}" if said.isdecimal() else said
    found = _MERIDIAN.match(zone)
    if found is not None and len(zone) > 2:
        meridian = int(found[1]) + (int(found[2]) / 60 if found[2] else float(f"0.{found[3]}") if found[3] else 0.0)
    else:
        meridian = MERIDIAN_OF_PROVINCE.get(zone, -1.0)
    if meridian not in EPSG_OF_MERIDIAN:
        raise SourceError(
            f"Option `crs`: không có múi VN-2000 / there is no zone of VN-2000 `{zone}`.",
            hint="Give the old code of a province (70: Bình Phước), a meridian (106°15') or an EPSG code.",
        )
    return f"EPSG:{EPSG_OF_MERIDIAN[meridian]}"


class Mover:
    """Moves shapes of one system to WGS 84, longitude first. An empty system is WGS 84 itself, and is held to that."""

    def __init__(self, crs: str, where: str) -> None:
        self._crs, self._where = crs, where
        self._transform = _transformer(crs, where) if crs else None

    def texts(self, shapes: Sequence[Shape | None]) -> list[str | None]:
        """GeoJSON text of each shape, None where there is none. Raises SourceError for coordinates that cannot be where they are said to be."""
        runs = [run for shape in shapes if shape is not None for run in _runs(shape.parts)]
        if not runs:
            return [None] * len(shapes)
        points = np.concatenate(runs)
        if self._transform is not None:
            points = np.column_stack(self._transform(points[:, 0], points[:, 1])).round(DECIMALS)
        if not np.isfinite(points).all() or (np.abs(points[:, 0]) > _LONGITUDE).any() or (np.abs(points[:, 1]) > _LATITUDE).any():
            raise SourceError(
                f"{self._where}: tọa độ không thuộc hệ quy chiếu / coordinates are outside {self._crs or 'WGS 84, and no system is named'}.",
                hint="Name the system in the option `crs`: `vn2000:70` is the zone of the old province 70, `EPSG:3405` UTM 48N.",
            )
        moved = iter(np.split(points, np.cumsum([len(run) for run in runs])[:-1]))
        return [None if shape is None else _text(replace(shape, parts=_again(shape.parts, moved))) for shape in shapes]


@cache
def _transformer(crs: str, where: str) -> Callable[[Points, Points], Any] | None:
    from pyproj import CRS, Transformer  # noqa: PLC0415 # a second to load: only who reads maps waits for it
    from pyproj.exceptions import ProjError  # noqa: PLC0415

    if len(crs) > MAX_WKT or "nadgrids" in crs.lower():
        raise SourceError(f"{where}: hệ quy chiếu không nhận / a system of {len(crs)} letters, or with grids of its own, is not taken.")
    try:
        system = CRS.from_user_input(crs)
        if system.equals(CRS.from_epsg(4326), ignore_axis_order=True):
            return None
        transform = Transformer.from_crs(system, CRS.from_epsg(4326), always_xy=True).transform
    except ProjError as error:
        raise SourceError(f"{where}: không hiểu hệ quy chiếu / the system is not understood ({str(error)[:200]}).") from error
    return transform


def _runs(parts: Any) -> list[Points]:
    return [parts] if isinstance(parts, np.ndarray) else [run for part in parts for run in _runs(part)]


def _again(parts: Any, moved: Any) -> Any:
    return next(moved) if isinstance(parts, np.ndarray) else [_again(part, moved) for part in parts]


def _text(shape: Shape) -> str:
    if shape.kind == "GeometryCollection":
        inner = ",".join(_text(part) for part in shape.parts)
        return f'{{"type":"GeometryCollection","geometries":[{inner}]}}'
    coordinates = _lists(shape.parts)
    return msgspec.json.encode({"type": shape.kind, "coordinates": coordinates[0] if shape.kind == "Point" else coordinates}).decode()


def _lists(parts: Any) -> Any:
    return parts.tolist() if isinstance(parts, np.ndarray) else [_lists(part) for part in parts]


def geojson_shape(text: str) -> Shape | None:
    """A shape of GeoJSON text. Raises msgspec.ValidationError or ValueError for one that is none."""
    found = msgspec.json.decode(text, type=_GeoJson)
    if found.type == "GeometryCollection":
        return Shape(found.type, [geojson_shape(bytes(part).decode()) for part in found.geometries])
    depth = _DEPTHS[found.type]
    return Shape(found.type, _nested([found.coordinates] if found.type == "Point" else found.coordinates, depth))


class _GeoJson(msgspec.Struct):
    type: Literal["Point", "MultiPoint", "LineString", "MultiLineString", "Polygon", "MultiPolygon", "GeometryCollection"]
    coordinates: list[Any] = []
    geometries: list[msgspec.Raw] = []


_DEPTHS = {"Point": 0, "MultiPoint": 0, "LineString": 0, "MultiLineString": 1, "Polygon": 1, "MultiPolygon": 2}


def _nested(coordinates: Any, depth: int) -> Any:
    if depth:
        return [_nested(part, depth - 1) for part in coordinates]
    try:
        return np.array([point[:2] for point in coordinates], np.float64).reshape(-1, 2)
    except (TypeError, IndexError) as error:
        raise ValueError("no coordinates") from error


# ESRI shapes

_NULL, _POINT, _LINE, _POLYGON, _MULTIPOINT = 0, 1, 3, 5, 8


def esri_shape(content: bytes) -> Shape | None:
    """A record of a .shp; heights and measures are left out. Raises ValueError for one that is not what it says."""
    kind = int.from_bytes(content[:4], "little") % 10 if int.from_bytes(content[:4], "little") < 30 else -1
    if kind == _NULL:
        return None
    if kind == _POINT:
        return Shape("Point", _doubles(content, 4, 1))
    if kind == _MULTIPOINT:
        (count,) = struct.unpack_from("<I", content, 36)
        return Shape("MultiPoint", _doubles(content, 40, count))
    if kind not in (_LINE, _POLYGON):
        raise ValueError(f"shape type {int.from_bytes(content[:4], 'little')}")
    part_count, count = struct.unpack_from("<II", content, 36)
    if 44 + 4 * part_count + 16 * count > len(content) or part_count == 0:
        raise ValueError(f"{part_count} parts of {count} points in {len(content)} bytes")
    starts = np.frombuffer(content, "<u4", part_count, 44).astype(np.int64)
    if starts[0] != 0 or (np.diff(starts) < 0).any() or starts[-1] > count:
        raise ValueError("parts out of order")
    runs = np.split(_doubles(content, 44 + 4 * part_count, count), starts[1:])
    if kind == _LINE:
        return Shape("LineString", runs[0]) if len(runs) == 1 else Shape("MultiLineString", runs)
    polygons = _polygons([run for run in runs if len(run)])
    return Shape("Polygon", polygons[0]) if len(polygons) == 1 else Shape("MultiPolygon", polygons)


def _doubles(content: bytes, at: int, count: int) -> Points:
    if at + 16 * count > len(content):
        raise ValueError(f"{count} points in {len(content)} bytes")
    return np.frombuffer(content, "<f8", 2 * count, at).reshape(count, 2)


def _polygons(rings: Sequence[Points]) -> list[list[Points]]:
    """Rings to polygons: those that turn with the clock are outer, each other belongs to the outer one it lies in."""
    outers = [[ring] for ring in rings if _area(ring) <= 0]
    if not outers:
        return [[ring] for ring in rings]
    for ring in rings:
        if _area(ring) > 0:
            home = outers[0] if len(outers) == 1 else next((outer for outer in outers if _holds(outer[0], ring[0])), None)
            if home is None:
                outers.append([ring])
            else:
                home.append(ring)
    return outers


def _area(ring: Points) -> float:
    x, y = ring[:, 0] - ring[0, 0], ring[:, 1] - ring[0, 1]
    return float(np.sum(x[:-1] * y[1:] - x[1:] * y[:-1]))


def _holds(ring: Points, point: Points) -> bool:
    x, y = ring[:-1, 0], ring[:-1, 1]
    next_x, next_y = ring[1:, 0], ring[1:, 1]
    crosses = (y > point[1]) != (next_y > point[1])
    with np.errstate(divide="ignore", invalid="ignore"):
        at = x + (point[1] - y) * (next_x - x) / (next_y - y)
    return bool(np.count_nonzero(crosses & (point[0] < at)) % 2)


# OGC's well-known binary, as GeoPackage keeps it

_KINDS = {1: "Point", 2: "LineString", 3: "Polygon", 4: "MultiPoint", 5: "MultiLineString", 6: "MultiPolygon", 7: "GeometryCollection"}
_MAX_DEPTH = 8
_ENVELOPES = {0: 0, 1: 32, 2: 48, 3: 48, 4: 64}


def geopackage_shape(blob: bytes) -> Shape | None:
    """A geometry of a GeoPackage (OGC 12-128 §2.1.3). Raises ValueError for one that is not what it says."""
    if blob[:2] != b"GP" or len(blob) < 8:
        raise ValueError("no GeoPackage geometry")
    flags = blob[3]
    envelope = _ENVELOPES.get(flags >> 1 & 7)
    if envelope is None or flags & 0x20:
        raise ValueError(f"flags {flags:#x}")
    if flags & 0x10:
        return None
    return wkb_shape(blob[8 + envelope :])


def wkb_shape(data: bytes) -> Shape | None:
    """A shape of well-known binary, heights left out; None for an empty one. Raises ValueError for one that is not what it says."""
    try:
        shape, _ = _wkb(data, 0, 0)
    except struct.error as error:
        raise ValueError("cut off") from error
    return shape if shape is not None and _runs_of(shape) else None


def _runs_of(shape: Shape) -> bool:
    return (
        any(_runs_of(part) for part in shape.parts) if shape.kind == "GeometryCollection" else any(len(run) for run in _runs(shape.parts))
    )


def _wkb(data: bytes, at: int, depth: int) -> tuple[Shape | None, int]:
    if depth > _MAX_DEPTH:
        raise ValueError("nested too deeply")
    order = "<" if data[at : at + 1] == b"\1" else ">"
    (code,) = struct.unpack_from(order + "I", data, at + 1)
    width = 2 + bool(code & 0x80000000 or code // 1000 in (1, 3)) + bool(code & 0x40000000 or code // 1000 in (2, 3))
    at += 5 + (4 if code & 0x20000000 else 0)
    kind = _KINDS.get((code & 0xFFFF) % 1000)
    if kind is None:
        raise ValueError(f"geometry type {code}")
    if kind == "Point":
        run, at = _run(data, at, 1, order, width)
        return (None if np.isnan(run).all() else Shape(kind, run)), at
    (count,) = struct.unpack_from(order + "I", data, at)
    at += 4
    if count > len(data):
        raise ValueError(f"{count} parts in {len(data)} bytes")
    if kind == "LineString":
        run, at = _run(data, at, count, order, width)
        return Shape(kind, run), at
    parts: list[Any] = []
    for _ in range(count):
        if kind == "Polygon":
            (points,) = struct.unpack_from(order + "I", data, at)
            run, at = _run(data, at + 4, points, order, width)
            parts.append(run)
            continue
        inner, at = _wkb(data, at, depth + 1)
        if inner is not None:
            parts.append(inner if kind == "GeometryCollection" else inner.parts)
    if kind == "MultiPoint":
        return Shape(kind, np.concatenate(parts) if parts else np.empty((0, 2))), at
    return Shape(kind, parts), at


def _run(data: bytes, at: int, count: int, order: str, width: int) -> tuple[Points, int]:
    end = at + 8 * width * count
    if end > len(data):
        raise ValueError(f"{count} points in {len(data)} bytes")
    return np.frombuffer(data, order + "f8", width * count, at).reshape(count, width)[:, :2].astype(np.float64), end
