"""Borders of the past beside those of today: each in force for its time, one code several times, maps with those of today alone."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from lienthong.web.doors.ogc.asked import read_asked
from lienthong.web.doors.ogc.bordering import border, find_borders
from lienthong.web.doors.ogc.collections import Ground, border_properties
from lienthong.web.pages.borders import Borders

# 25195 was Phường Tân Phú until 30 June 2025 and is Phường Bình Phước since; 25210 went on without dates in the file.
TODAY = date(2026, 11, 26)
FEATURES: list[tuple[dict[str, Any], float]] = [
    ({"code": "25195", "fullName": "Phường Tân Phú", "validTo": "2025-07-01"}, 0.0),
    ({"code": "25195", "fullName": "Phường Bình Phước", "validFrom": "2025-07-01", "areaKm2": 86.4}, 10.0),
    ({"code": "25210", "fullName": "Phường Đồng Xoài"}, 20.0),
]


def square(corner: float) -> dict[str, Any]:
    return {"type": "Polygon", "coordinates": [[[corner, 0], [corner + 1, 0], [corner + 1, 1], [corner, 1], [corner, 0]]]}


@pytest.fixture
def ground(tmp_path: Path) -> Ground:
    path = tmp_path / "borders.geojson"
    features = [{"type": "Feature", "properties": properties, "geometry": square(corner)} for properties, corner in FEATURES]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}), encoding="utf-8")
    return Ground(str(path))


def ids(ground: Ground, **asked: str) -> list[str]:
    features, count = find_borders(ground, read_asked(list(asked.items()), tuple(border_properties())), TODAY)
    assert count == len(features)
    return [str(feature["id"]) for feature in features]


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"datetime": "2025-06-30"}, ["25195~2025-07-01"]),
        ({"datetime": "2025-07-01"}, ["25195", "25210"]),
        ({"as_of": "2020-01-01"}, ["25195~2025-07-01"]),
        ({"datetime": "2025-06-01/2025-08-01"}, ["25195~2025-07-01", "25195", "25210"]),
        ({"datetime": "2025-06-30", "filter": "name = 'Phường Tân Phú'"}, ["25195~2025-07-01"]),
        ({"datetime": "2025-07-01", "bbox": "0,0,5,5"}, []),
        ({"datetime": "2025-06-30", "bbox": "0,0,5,5"}, ["25195~2025-07-01"]),
        ({"filter": "valid_to IS NULL"}, ["25195", "25210"]),
        ({}, ["25195", "25210"]),
        ({"datetime": "../.."}, ["25195~2025-07-01", "25195", "25210"]),
    ],
)
def test_a_day_has_the_borders_in_force_on_it(ground: Ground, asked: dict[str, str], found: list[str]) -> None:
    assert ids(ground, **asked) == found


def test_a_border_of_the_past_has_an_address_of_its_own_and_its_own_name(ground: Ground) -> None:
    asked = read_asked([], ())
    then, now = border(ground, "25195~2025-07-01", asked), border(ground, "25195", asked)
    assert then is not None
    assert now is not None
    assert [each["properties"]["name"] for each in (then, now)] == ["Phường Tân Phú", "Phường Bình Phước"]
    assert [each["properties"]["province_code"] for each in (then, now)] == ["70", "75"]
    assert border(ground, "25195~2024-01-01", asked) is None


def test_maps_show_what_is_in_force(tmp_path: Path, ground: Ground) -> None:
    borders = Borders(str(tmp_path / "borders.geojson"))
    assert sorted(borders.codes()) == sorted(borders.shapes()) == ["25195", "25210"]
    assert borders.shapes()["25195"] == square(10.0)
    assert ground.points["25195"][0] > 5
