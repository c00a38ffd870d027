"""Maps written by GDAL: shapefiles and GeoPackages as other programs make them."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from pyogrio.raw import write

Ring = Sequence[tuple[float, float]]


def polygon(*rings: Ring) -> bytes:
    body = b"".join(struct.pack("<I", len(ring)) + b"".join(struct.pack("<dd", *point) for point in ring) for ring in rings)
    return struct.pack("<BII", 1, 3, len(rings)) + body


def multi_polygon(*polygons: bytes) -> bytes:
    return struct.pack("<BII", 1, 6, len(polygons)) + b"".join(polygons)


def point(x: float, y: float) -> bytes:
    return struct.pack("<BIdd", 1, 1, x, y)


def write_map(
    path: Path, shapes: Sequence[bytes | None], kind: str, crs: str | None, columns: dict[str, Sequence[Any]], **more: Any
) -> Path:
    driver = {".shp": "ESRI Shapefile", ".gpkg": "GPKG"}[path.suffix]
    data = [np.array(values, dtype=object if isinstance(values[0], str | None) else None) for values in columns.values()]
    write(
        path,
        np.array(shapes, dtype=object),
        data,
        np.array(list(columns), dtype=object),
        geometry_type=kind,
        crs=crs,
        driver=driver,
        **more,
    )
    return path
