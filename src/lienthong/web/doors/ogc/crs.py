"""Coordinate reference systems: WGS 84, VN-2000 and its zones, as OGC names them; from where data is kept (CRS84) and back.

Axes are in the order each system's definition has: longitude first in CRS84, latitude first in EPSG:4326 and EPSG:4756, east first in the zones.
"""

from __future__ import annotations

import math
import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from lienthong.errors import BadRequest
from lienthong.sharing.filters import shown
from lienthong.sharing.geometry import Box

CRS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
CRS84H = "http://www.opengis.net/def/crs/OGC/0/CRS84h"
EPSG = "http://www.opengis.net/def/crs/EPSG/0/"
# WGS 84, Web Mercator for maps, VN-2000, its UTM zones, TM-3 zones of the country (481, 482, 491) and those of the provinces.
CODES = (4326, 3857, 4756, 3405, 3406, *range(5896, 5900), *range(9205, 9219))
_NAMED = re.compile(
    r"(?:http://www\.opengis\.net/def/crs/EPSG/[0-9.]{1,9}/|https://www\.opengis\.net/def/crs/EPSG/[0-9.]{1,9}/|urn:ogc:def:crs:EPSG:[0-9.]{0,9}:|\[?EPSG:)([0-9]{4,5})\]?"
)
_LOCAL = threading.local()  # a transformer works for one thread at a time


@dataclass(frozen=True)
class Crs:
    """One system. `code` None: CRS84, in which data is kept."""

    code: int | None = None

    @property
    def uri(self) -> str:
        return CRS84 if self.code is None else f"{EPSG}{self.code}"


STORED = Crs()
KNOWN = (STORED, *(Crs(code) for code in CODES))


def read_crs(name: str, text: str | None) -> Crs:
    """The system a parameter names. Raises BadRequest for one that is not offered."""
    if text is None or text in (
        CRS84,
        CRS84H,
        CRS84.replace("http:", "https:"),
        "[OGC:CRS84]",
        "OGC:CRS84",
        "urn:ogc:def:crs:OGC:1.3:CRS84",
    ):
        return STORED
    found = _NAMED.fullmatch(text)
    if found is None or int(found[1]) not in CODES:
        raise BadRequest(
            f"`{name}`: this reference system is not offered: `{shown(text)}`.",
            hint="Each collection lists those that are, in `crs`.",
            hint_vi="Mỗi tập đối tượng liệt kê các hệ quy chiếu dùng được, trong `crs`.",
            vi=f"`{name}`: không có hệ quy chiếu `{shown(text)}`.",
        )
    return Crs(int(found[1]))


def stored_box(box: Box, crs: Crs) -> Box:
    """A box of a system in the one data is kept in. Raises BadRequest for one outside where the system holds."""
    if crs.code is None:
        return box
    first, second, third, fourth = box
    try:
        found: Box = _transformer(crs.code, "in").transform_bounds(first, second, third, fourth, densify_pts=21, errcheck=True)
        west, south, east, north = found
    except Exception as error:  # pyproj raises several kinds for places outside a projection
        raise _outside(crs) from error
    if not all(math.isfinite(value) for value in found) or west > east or south > north:
        raise _outside(crs)
    return west, south, east, north


def told(shape: Mapping[str, Any], crs: Crs) -> dict[str, Any]:
    """A kept geometry in another system."""
    return _moved(shape, _transformer(_code(crs), "out"))


def stored(shape: Mapping[str, Any], crs: Crs) -> dict[str, Any]:
    """A geometry of another system as data is kept. Raises BadRequest for one outside where the system holds."""
    if crs.code is None:
        return dict(shape)
    moved = _moved(shape, _transformer(crs.code, "in"))
    if not _is_finite(moved["coordinates"]):
        raise _outside(crs)
    return moved


def _moved(shape: Mapping[str, Any], transformer: Any) -> dict[str, Any]:
    def move(coordinates: Any) -> Any:
        if coordinates and isinstance(coordinates[0], int | float):
            return list(transformer.transform(coordinates[0], coordinates[1]))
        if coordinates and coordinates[0] and isinstance(coordinates[0][0], int | float):  # a line at once: one call, not one a point
            xs, ys = transformer.transform([place[0] for place in coordinates], [place[1] for place in coordinates])
            return [list(place) for place in zip(xs, ys, strict=True)]
        return [move(part) for part in coordinates]

    return {"type": shape["type"], "coordinates": move(shape["coordinates"])}


def _is_finite(coordinates: Any) -> bool:
    return all(_is_finite(part) for part in coordinates) if isinstance(coordinates, list) else math.isfinite(coordinates)


def _code(crs: Crs) -> int:
    assert crs.code is not None  # callers give kept geometries as they are
    return crs.code


def _transformer(code: int, way: str) -> Any:
    made: dict[tuple[int, str], Any] = _LOCAL.__dict__.setdefault("made", {})
    if (code, way) not in made:
        from pyproj import Transformer  # noqa: PLC0415 # a second to load: only who asks for another system waits for it

        ends = ("OGC:CRS84", f"EPSG:{code}")
        made[code, way] = Transformer.from_crs(*(ends if way == "out" else ends[::-1]), always_xy=False)
    return made[code, way]


@cache
def decimals(crs: Crs) -> int:
    """Digits after the point that say a millimetre or a tenth of one."""
    return 8 if crs.code in (None, 4326, 4756) else 3


def _outside(crs: Crs) -> BadRequest:
    return BadRequest(
        f"These coordinates are outside where {crs.uri} holds.",
        hint="Mind the order of its axes.",
        hint_vi="Hãy để ý thứ tự các trục.",
        vi="Tọa độ nằm ngoài phạm vi của hệ quy chiếu.",
    )
