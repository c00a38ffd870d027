"""R6, land parcels: GeoJSON, a file a district; every parcel inside the real border of its commune."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from demo.province.base import shares, stream
from demo.province.damage import Flags, Numbers
from demo.province.places import CELL, cells_for
from demo.province.rates import rate
from demo.province.world import World

FOLDER = "dat-dai"
USES = ("ODT", "ONT", "CLN", "CHN", "LUC", "RSX")
PARCELS_PER_PERSON = 1_150_000 / 1_024_000
LEAST = 200
MEDIAN_M2, SPREAD = 820.0, 1.3  # a long tail of rubber and cashew land
LARGEST_M2 = 180_000.0
METRES_A_DEGREE = 110_600.0
PARCELS_A_SHEET = 400
SHEETS_A_COMMUNE = 100  # a commune of today numbers on where the next of its old communes begins
OPEN_RING_EVERY = 997  # now and then a ring that is not closed


@dataclass(frozen=True)
class Parcels:
    """Parcels in the order of their communes; ids as the map writes them."""

    commune: Numbers
    ids: list[str]
    area_m2: list[float]
    is_resurveyed: Flags


def draw_parcels(world: World) -> Parcels:
    """Parcels by area of the old communes. Those surveyed again since 1 July 2025 are numbered in today's communes."""
    draw = stream(world.seed, "R6", "parcels")
    count = max(LEAST, round(world.persons.height * PARCELS_PER_PERSON))
    areas = shares([float(commune["area_ha_2009"]) for commune in world.communes])
    commune = np.sort(draw.choice(len(world.communes), count, p=areas)).astype(np.int64)
    within = np.arange(count) - np.searchsorted(commune, commune)
    resurveyed = draw.random(count) > rate("A2", "R6")
    new_codes = [c["new_code"] for c in world.communes]
    part = [new_codes[:number].count(code) for number, code in enumerate(new_codes)]
    ids = [
        f"{world.communes[c]['new_code' if new else 'old_code']}-{n // PARCELS_A_SHEET + 1 + (SHEETS_A_COMMUNE * (part[c] + 1) if new else 0):03}-{n % PARCELS_A_SHEET + 1:04}"
        for c, n, new in zip(commune.tolist(), within.tolist(), resurveyed.tolist(), strict=True)
    ]
    area = np.minimum(MEDIAN_M2 * np.exp(draw.normal(0, SPREAD, count)), LARGEST_M2).round(1)
    return Parcels(commune, ids, area.tolist(), resurveyed)


def write_parcels(world: World, out: Path, parcels: Parcels) -> None:
    draw = stream(world.seed, "R6", "shapes")
    count = len(parcels.ids)
    uses = draw.choice(len(USES), count, p=shares([12, 22, 38, 14, 9, 5]))
    days = np.where(
        parcels.is_resurveyed, draw.integers(20270, 20630, count), draw.integers(14700, 20260, count)
    )  # since 1970: to 2026-06, from 2010 to 2025-06
    dates = days.astype("datetime64[D]").astype(str)
    corner = cells_for(parcels.commune, draw)
    shape = draw.uniform(0.6, 1.6, count)
    side = np.sqrt(np.asarray(parcels.area_m2)) / METRES_A_DEGREE
    wide, high = np.minimum(side * shape, CELL), np.minimum(side / shape, CELL)
    west = corner[:, 0] + draw.random(count) * (CELL - wide)
    south = corner[:, 1] + draw.random(count) * (CELL - high)
    edges = np.stack([west, south, west + wide, south + high], axis=1).round(6).tolist()
    folder = out / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    districts = np.array([int(c["district_code"]) for c in world.communes])[parcels.commune]
    for district in np.unique(districts).tolist():
        lines = [
            _feature(row, parcels.ids[row], parcels.area_m2[row], USES[uses[row]], dates[row], edges[row])
            for row in np.flatnonzero(districts == district).tolist()
        ]
        text = '{"type": "FeatureCollection", "features": [\n' + ",\n".join(lines) + "\n]}\n"
        (folder / f"thua-dat-{district}.geojson").write_text(text, encoding="utf-8")


def _feature(row: int, parcel: str, area: float, use: str, surveyed: str, edges: list[float]) -> str:
    """The feature as JSON; written by hand, since a million go through `json.dumps` slowly."""
    code, sheet, number = parcel.split("-")
    west, south, east, north = edges
    last = "" if row % OPEN_RING_EVERY == OPEN_RING_EVERY - 1 else f", [{west}, {south}]"
    return (
        f'{{"type": "Feature", "properties": {{"ma_thua": "{parcel}", "ma_xa": "{code}", "so_to": {int(sheet)}, "so_thua": {int(number)}, '
        f'"dien_tich": {area}, "loai_dat": "{use}", "ngay_do_dac": "{surveyed}"}}, "geometry": {{"type": "Polygon", "coordinates": '
        f"[[[{west}, {south}], [{east}, {south}], [{east}, {north}], [{west}, {north}]{last}]]}}}}"
    )


def true_parcels(world: World, parcels: Parcels) -> pl.DataFrame:
    """The parcels for the truth tables."""
    return pl.DataFrame(
        {
            "parcel": np.arange(len(parcels.ids)),
            "parcel_id": parcels.ids,
            "old_code": pl.Series([c["old_code"] for c in world.communes])[parcels.commune],
            "new_code": pl.Series([c["new_code"] for c in world.communes])[parcels.commune],
            "area_m2": parcels.area_m2,
            "is_resurveyed": parcels.is_resurveyed,
        }
    )
