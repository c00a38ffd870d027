"""Shapefiles and GeoPackages: shapes in WGS 84 wherever they were measured, attributes in dead encodings, parts that are missing told."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from pyproj import Transformer

from lienthong.connectors.geometry import named_crs
from lienthong.errors import HostileInputError, SourceError
from lienthong.standards import encode_tcvn3
from tests.connectors.maps import multi_polygon, point, polygon, write_map
from tests.connectors.reading import check_resuming, make_source, read_all

BINH_PHUOC = "EPSG:9212"  # VN-2000, 106°15'
PLACE = (106.9, 11.53)


def here(dx: float = 0, dy: float = 0) -> tuple[float, float]:
    x, y = Transformer.from_crs("EPSG:4326", BINH_PHUOC, always_xy=True).transform(*PLACE)
    return x + dx, y + dy


def square(dx: float, dy: float, size: float, *, clockwise: bool = True) -> list[tuple[float, float]]:
    ring = [here(dx, dy), here(dx, dy + size), here(dx + size, dy + size), here(dx + size, dy), here(dx, dy)]
    return ring if clockwise else ring[::-1]


SHAPES = [
    polygon(square(0, 0, 100), square(20, 20, 10, clockwise=False)),
    multi_polygon(polygon(square(0, 0, 10)), polygon(square(200, 0, 50), square(210, 10, 5, clockwise=False))),
    None,
    polygon(square(500, 500, 30)),
]
COLUMNS: dict[str, Sequence[Any]] = {"ma": ["T1", "T2", "T3", "T4"], "dien_tich": [10000, 2600, 0, 900]}


@pytest.fixture(scope="module")
def parcels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_map(tmp_path_factory.mktemp("maps") / "thua.shp", SHAPES, "Polygon", BINH_PHUOC, COLUMNS)


def shape_of(row: dict[str, Any]) -> Any:
    return json.loads(row["geometry"]) if row["geometry"] is not None else None


def near(coordinates: list[float]) -> bool:
    return abs(coordinates[0] - PLACE[0]) < 0.01 and abs(coordinates[1] - PLACE[1]) < 0.01


def test_a_shapefile_in_vn_2000_comes_out_in_wgs_84(parcels: Path) -> None:
    reading = read_all(make_source("shapefile", parcels))
    assert [(row["ma"], row["dien_tich"]) for row in reading.rows] == [("T1", "10000"), ("T2", "2600"), ("T3", "0"), ("T4", "900")]
    shapes = [shape_of(row) for row in reading.rows]
    assert [None if shape is None else shape["type"] for shape in shapes] == ["Polygon", "MultiPolygon", None, "Polygon"]
    assert [len(polygon) for polygon in shapes[1]["coordinates"]] == [1, 2]
    assert len(shapes[0]["coordinates"]) == 2
    assert near(shapes[0]["coordinates"][0][0])
    assert shapes[0]["coordinates"][0][0] == shapes[0]["coordinates"][0][-1]
    assert reading.source_rows == [1, 2, 3, 4]
    check_resuming(make_source("shapefile", parcels))


def copy(parcels: Path, folder: Path, *endings: str) -> Path:
    for ending in endings:
        (folder / f"a{ending}").write_bytes(parcels.with_suffix(ending).read_bytes())
    return folder / "a.shp"


def test_a_map_without_its_system_is_asked_for_it_by_province(parcels: Path, tmp_path: Path) -> None:
    bare = copy(parcels, tmp_path, ".shp", ".dbf")
    with pytest.raises(SourceError, match="no system is named"):
        read_all(make_source("shapefile", bare))
    for crs in ("vn2000:70", "vn2000:106°15'", "vn2000:106.25", "9212", "EPSG:9212"):
        assert near(shape_of(read_all(make_source("shapefile", bare, crs=crs)).rows[3])["coordinates"][0][0])
    with pytest.raises(SourceError, match="no zone of VN-2000"):
        read_all(make_source("shapefile", bare, crs="vn2000:03"))


def test_every_old_province_has_its_zone() -> None:
    gone = {
        "03",
        "05",
        "07",
        "09",
        "13",
        "16",
        "18",
        "21",
        "23",
        "28",
        "29",
        "32",
        "39",
        "41",
        "43",
        "47",
        "50",
        "53",
        "55",
        "57",
        "59",
        "61",
        "63",
    }
    gone |= {"65", "69", "71", "73", "76", "78", "81", "85", "88", "90"}
    for number in range(1, 97):
        code = f"{number:02d}"
        if code not in gone:
            assert named_crs(f"vn2000:{code}").startswith("EPSG:")


@pytest.mark.parametrize("missing", [".dbf", ".shp"])
def test_a_missing_part_is_named(parcels: Path, tmp_path: Path, missing: str) -> None:
    path = copy(parcels, tmp_path, *({".shp", ".dbf", ".prj"} - {missing}))
    with pytest.raises(SourceError, match=r"\.dbf is missing|cannot be read"):
        read_all(make_source("shapefile", path))


@pytest.mark.parametrize("size", [50, 99, 120, 300, 399])
def test_a_shapefile_cut_off_is_refused(parcels: Path, tmp_path: Path, size: int) -> None:
    path = copy(parcels, tmp_path, ".shp", ".dbf", ".prj")
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(SourceError, match=r"says|not a shapefile"):
        read_all(make_source("shapefile", path))


def test_a_shape_that_lies_breaks_alone_and_a_record_that_lies_ends_reading(parcels: Path, tmp_path: Path) -> None:
    path = copy(parcels, tmp_path, ".shp", ".dbf", ".prj")
    data = bytearray(path.read_bytes())
    data[108 + 36 : 108 + 40] = (4_000_000_000).to_bytes(4, "little")  # parts of the first shape
    path.write_bytes(bytes(data))
    reading = read_all(make_source("shapefile", path))
    assert [(row.source_row, row.code) for row in reading.broken] == [(1, "row.shape")]
    assert reading.source_rows == [2, 3, 4]
    data[104:108] = (0x7FFFFFFF).to_bytes(4, "big")
    path.write_bytes(bytes(data))
    with pytest.raises(HostileInputError, match="shape 1"):
        read_all(make_source("shapefile", path))


def test_attributes_in_tcvn3_are_read_as_letters(tmp_path: Path) -> None:
    names = ["Nguyễn Văn Thắng", "Điểu Thị Bé", "Trần Quốc Phước", "Lê Hữu Huỳnh"]
    marks = [encode_tcvn3(name).decode("latin-1") for name in names]
    path = write_map(tmp_path / "a.shp", [point(*PLACE)] * 4, "Point", "EPSG:4326", {"chu": marks}, encoding="ISO-8859-1")
    reading = read_all(make_source("shapefile", path))
    assert [row["chu"] for row in reading.rows] == names
    assert reading.batches[0].file.encoding == "tcvn3"
    assert shape_of(reading.rows[0]) == {"type": "Point", "coordinates": list(PLACE)}


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("packages") / "a.gpkg"
    columns: dict[str, Sequence[Any]] = {**COLUMNS, "ngay": ["2026-01-31", None, "", "x"], "ty_le": [1.5, 2.0, 1e-7, 3.25]}
    write_map(path, SHAPES, "Unknown", BINH_PHUOC, columns, layer="thua")
    write_map(path, [point(*PLACE)], "Point", "EPSG:4326", {"tên": ["Trạm"]}, layer="trạm", append=True)
    return path


def test_a_layer_of_a_geopackage_is_read_in_wgs_84(package: Path) -> None:
    source = make_source("geopackage_file", package, layer="thua")
    reading = read_all(source)
    assert [row["fid"] for row in reading.rows] == ["1", "2", "3", "4"]
    assert [row["ty_le"] for row in reading.rows] == ["1.5", "2", "1e-07", "3.25"]
    assert [row["ngay"] for row in reading.rows] == ["2026-01-31", None, "", "x"]
    assert near(shape_of(reading.rows[3])["coordinates"][0][0])
    assert reading.source_rows == [1, 2, 3, 4]
    check_resuming(source)
    assert read_all(make_source("geopackage_file", package, layer="trạm")).rows[0]["tên"] == "Trạm"


def test_which_layer_is_asked_for_by_name(package: Path) -> None:
    with pytest.raises(SourceError, match="found `thua`, `trạm`"):
        read_all(make_source("geopackage_file", package))


def edited(package: Path, folder: Path, *statements: str) -> Path:
    path = folder / "a.gpkg"
    path.write_bytes(package.read_bytes())
    with sqlite3.connect(path) as database:
        database.create_function("ST_IsEmpty", 1, lambda _: 0)
        for one in ("MinX", "MaxX", "MinY", "MaxY"):
            database.create_function(f"ST_{one}", 1, lambda _: 0.0)
        for statement in statements:
            database.execute(statement)
    return path


def test_a_view_in_the_place_of_a_layer_never_runs(package: Path, tmp_path: Path) -> None:
    endless = "with recursive n(fid, geom) as (select 1, null union all select fid + 1, null from n) select * from n"
    view = edited(package, tmp_path, "alter table thua rename to kept", f"create view thua as {endless}")
    with pytest.raises(HostileInputError, match="not a plain table"):
        read_all(make_source("geopackage_file", view, layer="thua"))


def test_a_geometry_that_lies_breaks_its_row(package: Path, tmp_path: Path) -> None:
    path = edited(
        package, tmp_path, "drop trigger if exists rtree_thua_geom_update6", "drop trigger if exists rtree_thua_geom_update7",
        "update thua set geom = x'47500001000000000103000000ffffffff' where fid = 2",
    )  # fmt: skip
    reading = read_all(make_source("geopackage_file", path, layer="thua"))
    assert [(row.source_row, row.code) for row in reading.broken] == [(2, "row.shape")]
    assert reading.source_rows == [1, 3, 4]


@pytest.mark.parametrize("size", [0, 10, 4096, 20_000, 60_000])
def test_a_geopackage_cut_off_is_refused(package: Path, tmp_path: Path, size: int) -> None:
    path = tmp_path / "a.gpkg"
    path.write_bytes(package.read_bytes()[:size])
    with pytest.raises(SourceError):
        read_all(make_source("geopackage_file", path, layer="thua"))
