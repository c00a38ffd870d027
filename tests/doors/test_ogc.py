"""OGC API – Features with the clients people use: OWSLib, and GDAL, which QGIS reads through."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from pyarrow import parquet
from pyproj import Transformer

from tests.doors.environments import ask
from tests.doors.province import CALLER, FIGURE_DATASET, PURPOSE, STRANGER, Province
from tests.store.ledgers import entries_of

PARCELS = "land.parcels"
BORDERS = "admin-units.borders"
GOOD = {"Lienthong-Purpose": PURPOSE, "Lienthong-Official": "can-bo-01"}


@pytest.fixture(scope="module")
def asked(province: Province) -> Any:
    """GET an address of the door as the subsystem with an agreement."""
    headers = {"Authorization": f"Bearer {province.token()}", **GOOD}

    def get(path: str, **params: str) -> httpx.Response:
        return httpx.get(f"{province.base}/ogc{path}", params=params, headers=headers)

    return get


def found(answer: httpx.Response) -> dict[str, Any]:
    assert answer.status_code == 200, answer.text
    document: dict[str, Any] = answer.json()
    return document


@pytest.fixture(scope="module")
def everything(asked: Any) -> dict[str, Any]:
    return found(asked(f"/collections/{PARCELS}/items", limit="10000"))


def test_owslib_finds_its_way_from_the_landing_page_to_one_feature(province: Province) -> None:
    told = ask("geo", "owslib", province.base, BORDERS)
    assert told["api"].startswith("3.0")
    assert told["collections"] == [BORDERS, "environment.readings"] or BORDERS in told["collections"]
    assert told["item"] == told["first"] is not None
    assert told["returned"] == min(5, told["matched"])
    assert "code" in told["queryables"]


def test_gdal_reads_every_parcel_of_the_agreement(province: Province, everything: dict[str, Any]) -> None:
    told = ask("geo", "gdal", province.base, PARCELS, province.token(), "--most=100000")
    assert told["features"] == everything["numberMatched"] == told["places"]
    assert "area_m2" in told["fields"]


def test_a_stranger_sees_no_parcel_and_nobody_is_told_there_are_some(province: Province) -> None:
    address = f"{province.base}/ogc/collections/{PARCELS}/items"
    assert httpx.get(address).status_code == 401
    refused = httpx.get(address, headers={"Authorization": f"Bearer {province.token(STRANGER)}", **GOOD})
    assert (refused.status_code, refused.json()["code"]) == (403, "denied")
    listed = httpx.get(f"{province.base}/ogc/collections").json()["collections"]
    assert PARCELS not in [each["id"] for each in listed]


def test_a_page_is_in_the_ledger_under_the_door(province: Province, asked: Any) -> None:
    before = len(entries_of(province.workshop.database, province.workshop.signer))
    found(asked(f"/collections/{PARCELS}/items", limit="2"))
    (entry,) = entries_of(province.workshop.database, province.workshop.signer)[before:]
    assert (entry["event"], entry["caller"], entry["dataset"]) == ("answer:page:given", CALLER, PARCELS)
    assert (entry["details"]["door"], entry["details"]["records"]) == ("ogc", 2)


def test_pages_follow_each_other_without_a_gap(asked: Any, everything: dict[str, Any]) -> None:
    page, ids = found(asked(f"/collections/{PARCELS}/items", limit="7")), []
    while True:
        ids += [feature["id"] for feature in page["features"]]
        following = [link["href"] for link in page["links"] if link["rel"] == "next"]
        if not following or len(ids) > 50:
            break
        page = found(asked("/" + following[0].split("/ogc/")[1].split("?")[0], **dict(httpx.URL(following[0]).params)))
    assert ids == [feature["id"] for feature in everything["features"]][: len(ids)]
    second = found(asked(f"/collections/{PARCELS}/items", limit="3", offset="3"))
    assert [feature["id"] for feature in second["features"]] == ids[3:6]


def places(feature: dict[str, Any]) -> list[list[float]]:
    return [
        place for ring in feature["geometry"]["coordinates"] for place in (ring if feature["geometry"]["type"] == "Polygon" else ring[0])
    ]


def box_around(feature: dict[str, Any]) -> tuple[float, float, float, float]:
    xs, ys = [x for x, _ in places(feature)], [y for _, y in places(feature)]
    return min(xs), min(ys), max(xs), max(ys)


def test_a_box_finds_what_meets_it_and_nothing_else(asked: Any, everything: dict[str, Any]) -> None:
    one = everything["features"][0]
    west, south, east, north = box_around(one)
    near = found(asked(f"/collections/{PARCELS}/items", bbox=f"{west},{south},{east},{north}"))
    assert one["id"] in [feature["id"] for feature in near["features"]]
    assert near["numberMatched"] == near["numberReturned"] < everything["numberMatched"]
    for feature in everything["features"]:
        other = box_around(feature)
        is_apart = other[0] > east or other[2] < west or other[1] > north or other[3] < south
        assert not (is_apart and feature["id"] in [each["id"] for each in near["features"]])
    same = found(asked(f"/collections/{PARCELS}/items", filter=f"S_INTERSECTS(geometry, BBOX({west},{south},{east},{north}))"))
    assert [feature["id"] for feature in same["features"]] == [feature["id"] for feature in near["features"]]
    lower = found(asked(f"/collections/{PARCELS}/items", bbox=f"{west},{south},0,{east},{north},10"))
    assert lower["numberMatched"] == near["numberMatched"]


def test_vn2000_out_and_in_is_the_same_place(asked: Any, everything: dict[str, Any]) -> None:
    one = everything["features"][0]
    crs = "http://www.opengis.net/def/crs/EPSG/0/9211"
    answer = asked(f"/collections/{PARCELS}/items/{one['id']}", crs=crs)
    moved = found(answer)
    assert answer.headers["content-crs"] == f"<{crs}>"
    transformer = Transformer.from_crs("OGC:CRS84", "EPSG:9211")
    for (x, y), (lon, lat) in zip(places(moved), places(one), strict=True):
        assert (x, y) == pytest.approx(transformer.transform(lon, lat), abs=0.001)
    xs, ys = [x for x, _ in places(moved)], [y for _, y in places(moved)]
    near = found(asked(f"/collections/{PARCELS}/items", **{"bbox": f"{min(xs)},{min(ys)},{max(xs)},{max(ys)}", "bbox-crs": crs}))
    assert one["id"] in [feature["id"] for feature in near["features"]]
    lat_first = found(asked(f"/collections/{PARCELS}/items/{one['id']}", crs="http://www.opengis.net/def/crs/EPSG/0/4326"))
    assert places(lat_first)[0] == places(one)[0][::-1]


def test_filters_say_the_same_in_text_and_in_json(asked: Any, everything: dict[str, Any]) -> None:
    text = "land_use IN ('ODT', 'ONT') AND NOT (area_m2 < 100 OR area_m2 BETWEEN 100 AND 200) AND parcel_id LIKE '%-%'"
    node = {
        "op": "and",
        "args": [
            {"op": "in", "args": [{"property": "land_use"}, ["ODT", "ONT"]]},
            {"op": ">", "args": [{"property": "area_m2"}, 200]},
            {"op": "like", "args": [{"property": "parcel_id"}, "%-%"]},
        ],
    }
    one = found(asked(f"/collections/{PARCELS}/items", filter=text, limit="10000"))
    other = found(asked(f"/collections/{PARCELS}/items", limit="10000", **{"filter": json.dumps(node), "filter-lang": "cql2-json"}))
    expected = [
        f["id"] for f in everything["features"] if f["properties"]["land_use"] in ("ODT", "ONT") and f["properties"]["area_m2"] > 200
    ]
    assert [f["id"] for f in one["features"]] == [f["id"] for f in other["features"]] == expected
    assert expected


def test_a_property_and_an_order_are_asked_for_by_name(asked: Any, everything: dict[str, Any]) -> None:
    use = everything["features"][0]["properties"]["land_use"]
    told = found(asked(f"/collections/{PARCELS}/items", land_use=use, sortby="-area_m2", limit="10000"))
    areas = [feature["properties"]["area_m2"] for feature in told["features"]]
    assert areas == sorted(areas, reverse=True)
    assert {feature["properties"]["land_use"] for feature in told["features"]} == {use}


def test_borders_are_asked_for_as_of_a_day(province: Province) -> None:
    address = f"{province.base}/ogc/collections/{BORDERS}/items"
    now = httpx.get(address, params={"datetime": "2025-07-01", "limit": "5"}).json()
    assert now["numberMatched"] > 0
    code = now["features"][0]["id"]
    assert httpx.get(f"{address}/{code}").json()["properties"]["code"] == code
    assert httpx.get(address, params={"datetime": "../1990-01-01"}).json()["numberMatched"] == 0
    before = httpx.get(address, params={"datetime": "2025-06-30"}).json()
    assert before["numberMatched"] == 111  # the communes of Bình Phước until then
    assert {feature["properties"]["valid_to"] for feature in before["features"]} == {"2025-07-01"}
    assert httpx.get(address, params={"filter": f"code = '{code}'"}).json()["numberMatched"] == 1
    assert httpx.get(address, params={"filter": "name LIKE '%Bình%' OR code IS NULL"}).json()["numberMatched"] > 0
    x, y = now["features"][0]["geometry"]["coordinates"][0][0][0]
    touching = httpx.get(address, params={"filter": f"S_INTERSECTS(geometry, POINT({x} {y}))"}).json()
    assert code in [feature["id"] for feature in touching["features"]]


def test_a_browser_gets_a_page_and_everybody_else_json(province: Province) -> None:
    for path in ("/", "/collections", f"/collections/{BORDERS}", f"/collections/{BORDERS}/items", "/conformance"):
        assert httpx.get(province.base + "/ogc" + path, headers={"Accept": "text/html"}).headers["content-type"].startswith("text/html")
        assert "json" in httpx.get(province.base + "/ogc" + path, headers={"Accept": "*/*"}).headers["content-type"]


@pytest.mark.parametrize("form", ["gpkg", "geoparquet"])
def test_a_file_for_maps_holds_every_parcel(province: Province, asked: Any, everything: dict[str, Any], tmp_path: Path, form: str) -> None:
    before = len(entries_of(province.workshop.database, province.workshop.signer))
    answer = asked(f"/collections/{PARCELS}/download.{form}")
    assert answer.status_code == 200
    entries = entries_of(province.workshop.database, province.workshop.signer)[before:]
    assert [(e["event"], e["details"]["door"]) for e in entries] == [("answer:bulk:begun", "ogc"), ("answer:bulk:ended", "ogc")]
    path = tmp_path / f"parcels.{form}"
    path.write_bytes(answer.content)
    if form == "gpkg":
        told = ask("geo", "package", str(path))
        assert (told["features"], told["crs"], told["layer"]) == (everything["numberMatched"], "EPSG:4326", "land_parcels")
        assert "area_m2" in told["fields"]
    else:
        table = parquet.read_table(path)
        geo = json.loads(table.schema.metadata[b"geo"])
        west, south, east, north = geo["columns"]["geometry"]["bbox"]
        assert table.num_rows == everything["numberMatched"]
        assert (geo["primary_column"], geo["columns"]["geometry"]["geometry_types"]) == ("geometry", ["Polygon"])
        boxes = [box_around(feature) for feature in everything["features"]]
        assert (west, south) == (min(b[0] for b in boxes), min(b[1] for b in boxes))
        assert (east, north) == (max(b[2] for b in boxes), max(b[3] for b in boxes))


def test_a_file_for_maps_needs_the_right_of_a_file(province: Province) -> None:
    for form in ("gpkg", "geoparquet"):
        assert httpx.get(f"{province.base}/ogc/collections/{PARCELS}/download.{form}").status_code == 401
        assert httpx.get(f"{province.base}/ogc/collections/{FIGURE_DATASET}/download.{form}?nonsense=1").status_code == 400


WRONG = [
    ("bbox", "1,2,3"), ("bbox", "nan,1,2,3"), ("bbox", "1,2,3,4,5"), ("bbox", "1e999,0,1e999,1"), ("bbox", "1;2;3;4"), ("bbox", "106,9,107,8"),
    ("bbox-crs", "http://www.opengis.net/def/crs/EPSG/0/9999"), ("crs", "EPSG:27700"), ("crs", "x" * 5000), ("limit", "0"), ("limit", "-1"), ("limit", "x"),
    ("offset", "99999999999"), ("datetime", "yesterday"), ("datetime", "2025-02-30"), ("datetime", "2026-01-01/2025-01-01"), ("datetime", "2025-01-01/.."),
    ("sortby", "'; drop table x"), ("nonsense", "1"), ("cursor", "x"), ("f", "xml"), ("as_of", "x"), ("filter-lang", "sql"),
    ("filter", "("), ("filter", "(" * 10_000 + "area_m2 > 1" + ")" * 10_000), ("filter", "NOT " * 4_000 + "area_m2 > 1"), ("filter", "1=1; drop table data.land_parcels"),
    ("filter", "area_m2 = 'x' OR 1=1 --"), ("filter", "unknown = 1"), ("filter", "pg_sleep(10) = 1"), ("filter", "area_m2 = 1e999"), ("filter", "area_m2 = " + "9" * 5_000),
    ("filter", "S_INTERSECTS(geometry, POLYGON((1 1, 2 2)))"), ("filter", "S_INTERSECTS(area_m2, POINT(1 1))"), ("filter", "S_INTERSECTS(geometry, POINT(nan 1))"),
    ("filter", "parcel_id LIKE '\\'"), ("filter", "x" * 30_000), ("filter", "area_m2 > 1 AND " * 1_200 + "area_m2 > 1"), ("filter", "\x00"), ("area_m2", "x"), ("filter", "a_contains(a,((((((((((((((((((((((((((1))))))))))))))))))))))))))"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "value"), WRONG, ids=[f"{name}={value[:30]!r}" for name, value in WRONG])
def test_what_makes_no_sense_is_refused_in_the_doors_form(asked: Any, name: str, value: str) -> None:
    answer = asked(f"/collections/{PARCELS}/items", **{name: value})
    assert answer.status_code in (400, 414, 431), answer.text
    if answer.status_code == 400:
        assert set(answer.json()) >= {"code", "description"}


@pytest.mark.parametrize("node", ["[" * 15_000, '{"op":"not","args":[' * 900 + "true" + "]}" * 900, '{"op":"and","args":[]}', '{"op":[],"args":{}}', '{"op":"=","args":[{"property":["x"]},1]}', '{"op":"s_intersects","args":[{"property":"geometry"},{"type":"Polygon","coordinates":[[[1,1],[2,2],[1,1]]]}]}', '{"op":"s_intersects","args":[{"property":"geometry"},{"type":["x"]}]}', "null", '"x"', "\ud800"])  # fmt: skip
def test_json_that_is_no_filter_is_refused(asked: Any, node: str) -> None:
    answer = asked(f"/collections/{PARCELS}/items", **{"filter": node.encode("utf-8", "replace").decode(), "filter-lang": "cql2-json"})
    assert answer.status_code in (400, 414, 431)


def test_an_item_or_collection_that_is_not_there_is_told_so(asked: Any) -> None:
    for path in (
        f"/collections/{PARCELS}/items/nothing",
        "/collections/nothing",
        "/collections/agencies.register/items",
        f"/collections/{BORDERS}/items/x",
        "/x",
    ):
        assert asked(path).status_code == 404
