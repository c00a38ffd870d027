"""GeoJSON: properties as text digit for digit, geometry whole."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lienthong.connectors import ReadContext, geojson_file, json_records, read
from lienthong.errors import HostileInputError, SourceError
from tests.connectors.reading import check_resuming, make_source, read_all


def feature(**properties: Any) -> dict[str, Any]:
    return {"type": "Feature", "properties": properties, "geometry": {"type": "Point", "coordinates": [106.9, 11.75]}}


def write(path: Path, *features: Any) -> Path:
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}, ensure_ascii=False), encoding="utf-8")
    return path


def test_numbers_keep_their_digits_and_geometry_is_compact_text(tmp_path: Path) -> None:
    path = tmp_path / "a.geojson"
    path.write_text(
        '{"type": "FeatureCollection", "features": [ {"type": "Feature", "properties": {"id": "0012", "area": 120.50, "n": 12345678901234567890,'
        ' "ok": true, "none": null, "tags": [1,  "hai ba"]}, "geometry": {"type": "Point", "coordinates": [ 106.10, 11.750000 ]}} ]}'
    )
    reading = read_all(make_source("geojson_file", path))
    assert reading.rows == [
        {
            "id": "0012",
            "area": "120.50",
            "n": "12345678901234567890",
            "ok": "true",
            "none": None,
            "tags": '[1,"hai ba"]',
            "geometry": '{"type":"Point","coordinates":[106.10,11.750000]}',
        }
    ]
    assert reading.source_rows == [1]


def test_nested_properties_are_named_by_path(tmp_path: Path) -> None:
    path = write(tmp_path / "a.geojson", feature(owner={"name": "Lê Hà", "id": {"no": 7}}))
    source = make_source(
        "geojson_file", path, fields={"tên": "owner.name", "số": "owner.id.no", "không": "owner.x.y"}, geometry_column="hình"
    )
    row = read_all(source).rows[0]
    assert (row["tên"], row["số"], row["không"], list(row)[-1]) == ("Lê Hà", "7", None, "hình")


def test_what_is_no_feature_breaks_alone_and_reading_goes_on(tmp_path: Path) -> None:
    write(tmp_path / "a.geojson", feature(a=1), "no feature", feature(a=3), feature(a="x\0y"), feature())
    write(tmp_path / "b.geojson", feature(a=5))
    source = make_source("geojson_file", tmp_path / "*.geojson")
    reading = read_all(source)
    assert [row["a"] for row in reading.rows] == ["1", "3", None, "5"]
    assert [(row.source_row, row.code) for row in reading.broken] == [(2, "row.object"), (4, "row.nul")]
    check_resuming(source, (1, 2))


def test_a_later_file_with_new_properties_is_refused_not_cut(tmp_path: Path) -> None:
    write(tmp_path / "a.geojson", feature(a=1))
    write(tmp_path / "b.geojson", feature(a=1, extra=2))
    with pytest.raises(SourceError, match="`extra`"):
        read_all(make_source("geojson_file", tmp_path / "*.geojson"))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "empty"),
        ('{"type": "FeatureCollection", "features": [{"ty', "ends inside"),
        ('{"type": "FeatureCollection", "features": 7}', "no array"),
        ('{"features": [], "type": "Other"}', "found `Other`"),
        ('{"type": "Feature"}', "found `Feature`"),
        ("<html>", "not valid"),
    ],
)
def test_what_is_no_collection_is_told_in_words(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "a.geojson"
    path.write_text(text)
    with pytest.raises(SourceError, match=words):
        read_all(make_source("geojson_file", path))


def test_endless_nesting_and_size_are_bounded(tmp_path: Path) -> None:
    deep = tmp_path / "deep.geojson"
    deep.write_text('{"type": "FeatureCollection", "features": [' + "[" * 200_000 + "]" * 200_000 + "]}")
    with pytest.raises(SourceError):
        read_all(make_source("geojson_file", deep))
    with pytest.raises(HostileInputError, match="limit 10"):
        read_all(make_source("geojson_file", write(tmp_path / "big.geojson", feature(a=1)), max_bytes=10))


def test_no_features_are_an_empty_delivery(tmp_path: Path) -> None:
    assert read_all(make_source("geojson_file", write(tmp_path / "a.geojson"), fields={"a": "a"})).rows == []


@pytest.mark.parametrize(("member", "options"), [("urn:ogc:def:crs:EPSG::9212", {}), ("", {"crs": "vn2000:70"})])
def test_places_in_vn_2000_come_out_in_wgs_84(tmp_path: Path, member: str, options: dict[str, Any]) -> None:
    said = f'"crs": {{"type": "name", "properties": {{"name": "{member}"}}}},' if member else ""
    shape = '{"type": "Polygon", "coordinates": [[[570000, 1275000], [570000, 1275100], [570100, 1275100], [570000, 1275000]]]}'
    path = tmp_path / "a.geojson"
    path.write_text(
        f'{{"type": "FeatureCollection", {said} "features": [{{"type": "Feature", "properties": {{"a": 1}}, "geometry": {shape}}}]}}'
    )
    geometry = json.loads(read_all(make_source("geojson_file", path, **options)).rows[0]["geometry"] or "")
    longitude, latitude = geometry["coordinates"][0][0]
    assert 106.8 < longitude < 107
    assert 11.5 < latitude < 11.6


def test_a_file_of_many_blocks_is_read_whole_and_on_from_any_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_records, "BLOCK_BYTES", 512)
    monkeypatch.setattr(geojson_file, "BATCH_BYTES", 2_000)
    path = write(tmp_path / "a.geojson", *(feature(a=n, **({"late": "x"} if n == 399 else {})) for n in range(400)))
    source = make_source("geojson_file", path)
    reading = read_all(source)
    assert [row["a"] for row in reading.rows] == [str(n) for n in range(400)]
    assert {row["late"] for row in reading.rows} == {None, "x"}, "a column the last feature brings is a column of all"
    assert reading.source_rows == list(range(1, 401))
    assert len(list(read(source, ReadContext()))) > 10
    check_resuming(source, (7, 150))
    fields = make_source("geojson_file", path, fields={"số": "a"})
    assert [row["số"] for row in read_all(fields).rows] == [str(n) for n in range(400)]


def test_a_place_noted_before_files_were_read_in_blocks_still_leads_on(tmp_path: Path) -> None:
    source = make_source("geojson_file", write(tmp_path / "a.geojson", *(feature(a=n) for n in range(5))))
    [whole] = read(source, ReadContext())
    noted = {name: value for name, value in whole.position["at"].items() if name != "place"}
    position = {**whole.position, "at": {**noted, "feature": 3}}
    found = [row for batch in read(source, ReadContext(), position) for row in batch.table.column("a").to_pylist()]
    assert found == ["3", "4"]


def test_what_a_collection_says_of_itself_may_stand_after_its_features(tmp_path: Path) -> None:
    path = tmp_path / "a.geojson"
    crs = '"crs": {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::9212"}}'
    shape = '{"type": "Point", "coordinates": [570000, 1275000]}'
    path.write_text(
        f'{{"features": [{{"type": "Feature", "properties": {{"a": 1}}, "geometry": {shape}}}], "bbox": [1, 2, 3, 4], {crs}, "type": "FeatureCollection"}}\n',
        encoding="utf-8-sig",
    )
    longitude, latitude = json.loads(read_all(make_source("geojson_file", path)).rows[0]["geometry"] or "")["coordinates"]
    assert 106.8 < longitude < 107
    assert 11.5 < latitude < 11.6
