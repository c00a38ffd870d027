"""Points inside the real borders of today's communes."""

from __future__ import annotations

import gzip
import json
from functools import cache
from itertools import pairwise

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from demo.province.base import DATA, table
from demo.province.damage import Flags, Numbers

CELL = 0.004  # degrees, about 440 m: what stands inside a cell that lies inside a border, lies inside the border
Points = NDArray[np.float64]


@cache
def _rings() -> dict[str, list[Points]]:
    """Outer rings of each commune there is now, by code. (None of these communes has a hole.)"""
    found = json.loads(gzip.decompress((DATA / "commune_borders.geojson.gz").read_bytes()))
    return {
        f["properties"]["code"]: [np.asarray(polygon[0], np.float64) for polygon in f["geometry"]["coordinates"]]
        for f in found["features"]
        if "validTo" not in f["properties"]
    }


def is_inside(points: Points, ring: Points) -> Flags:
    """Even-odd rule; points are rows of (longitude, latitude)."""
    inside = np.zeros(len(points), np.bool_)
    x, y = points[:, 0], points[:, 1]
    for (x1, y1), (x2, y2) in pairwise(ring.tolist()):
        crosses = (y1 > y) != (y2 > y)
        if crosses.any():
            inside ^= crosses & (x < (x2 - x1) * (y - y1) / ((y2 - y1) or 1e-12) + x1)
    return inside


@cache
def _cells(code: str) -> Points:
    """South-west corners of the cells that lie inside a commune."""
    found = []
    for ring in _rings()[code]:
        (west, south), (east, north) = ring.min(axis=0), ring.max(axis=0)
        grid = np.stack(np.meshgrid(np.arange(west, east, CELL), np.arange(south, north, CELL)), axis=-1).reshape(-1, 2)
        whole = np.ones(len(grid), np.bool_)
        for corner in ((0, 0), (CELL, 0), (CELL, CELL), (0, CELL)):
            whole &= is_inside(grid + np.asarray(corner), ring)
        found.append(grid[whole])
    return np.concatenate(found)


def cells_for(commune: Numbers, draw: Generator) -> Points:
    """For each commune number the south-west corner of a cell inside its border of today."""
    found = np.empty((len(commune), 2))
    for number, unit in enumerate(table("communes")):
        here = np.flatnonzero(commune == number)
        cells = _cells(unit["new_code"])
        found[here] = cells[draw.integers(0, len(cells), len(here))]
    return found
