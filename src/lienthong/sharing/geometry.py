"""Plain questions about GeoJSON geometries, planar, as `geojson_meets` in the database answers them; a point inside an area."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any

Box = tuple[float, float, float, float]
Segment = tuple[float, float, float, float]
_DEPTH = {"Point": 0, "MultiPoint": 1, "LineString": 1, "Polygon": 2, "MultiLineString": 2, "MultiPolygon": 3}


def points_of(shape: Mapping[str, Any]) -> Iterator[tuple[float, float]]:
    """Every point of a geometry, in order."""
    yield from _points(shape["coordinates"], _DEPTH[shape["type"]])


def box_of(shape: Mapping[str, Any]) -> Box:
    """West, south, east, north."""
    points = list(points_of(shape))
    return min(x for x, _ in points), min(y for _, y in points), max(x for x, _ in points), max(y for _, y in points)


def polygon_of(box: Box) -> dict[str, Any]:
    west, south, east, north = box
    return {"type": "Polygon", "coordinates": [[[west, south], [east, south], [east, north], [west, north], [west, south]]]}


def meets(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two geometries have a point in common, borders included."""
    a, b = list(_segments(one)), list(_segments(other))
    if any(_cross(first, second) for first in a for second in b):
        return True
    return any(_is_inside(x, y, b) for x, y, _, _ in a if _is_area(other)) or any(_is_inside(x, y, a) for x, y, _, _ in b if _is_area(one))


def inner_point(shape: Mapping[str, Any]) -> tuple[float, float]:
    """A point inside an area: the middle of the widest stretch on a line through its middle height; for others their first point."""
    if not _is_area(shape):
        return next(points_of(shape))
    segments = list(_segments(shape))
    _, south, _, north = box_of(shape)
    for part in (0.5, 0.45, 0.55, 0.37, 0.63):  # a line through a corner may be told twice: then another
        y = south + (north - south) * part
        crossings = sorted((x2 - x1) * (y - y1) / (y2 - y1) + x1 for x1, y1, x2, y2 in segments if (y1 > y) is not (y2 > y))
        stretches = [(right - left, (left + right) / 2) for left, right in zip(crossings[::2], crossings[1::2], strict=False)]
        if stretches and max(stretches)[0] > 0:
            return max(stretches)[1], y
    return next(points_of(shape))


def _points(coordinates: Any, depth: int) -> Iterator[tuple[float, float]]:
    if depth == 0:
        yield float(coordinates[0]), float(coordinates[1])
    else:
        for part in coordinates:
            yield from _points(part, depth - 1)


def _segments(shape: Mapping[str, Any]) -> Iterator[Segment]:
    """Consecutive points of each ring or line; a lone point as a segment of no length."""
    for path in _paths(shape):
        if len(path) == 1:
            yield (*path[0], *path[0])
        for (x1, y1), (x2, y2) in pairwise(path):
            yield x1, y1, x2, y2


def _paths(shape: Mapping[str, Any]) -> Iterator[list[tuple[float, float]]]:
    coordinates, kind = shape["coordinates"], shape["type"]
    lines = coordinates
    if kind == "Point":
        lines = [[coordinates]]
    elif kind == "MultiPoint":
        lines = [[place] for place in coordinates]
    elif kind == "LineString":
        lines = [coordinates]
    elif kind == "MultiPolygon":
        lines = [ring for part in coordinates for ring in part]
    for line in lines:
        yield [(float(place[0]), float(place[1])) for place in line]


def _is_area(shape: Mapping[str, Any]) -> bool:
    return str(shape["type"]).endswith("Polygon")


def _cross(a: Segment, b: Segment) -> bool:
    ax1, ay1, ax2, ay2 = a
    bx1, by1, bx2, by2 = b
    if max(ax1, ax2) < min(bx1, bx2) or max(bx1, bx2) < min(ax1, ax2) or max(ay1, ay2) < min(by1, by2) or max(by1, by2) < min(ay1, ay2):
        return False
    first = ((bx2 - bx1) * (ay1 - by1) - (by2 - by1) * (ax1 - bx1)) * ((bx2 - bx1) * (ay2 - by1) - (by2 - by1) * (ax2 - bx1))
    second = ((ax2 - ax1) * (by1 - ay1) - (ay2 - ay1) * (bx1 - ax1)) * ((ax2 - ax1) * (by2 - ay1) - (ay2 - ay1) * (bx2 - ax1))
    return first <= 0 and second <= 0


def _is_inside(x: float, y: float, area: list[Segment]) -> bool:
    crossings = sum((y1 > y) is not (y2 > y) and x < (x2 - x1) * (y - y1) / (y2 - y1) + x1 for x1, y1, x2, y2 in area)
    return crossings % 2 == 1
