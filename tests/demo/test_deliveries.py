"""What agencies deliver: in their own formats, in the places the borders say, by services that behave as such services do."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import httpx
import numpy as np
import openpyxl
import polars as pl
import psycopg
import pytest
from dbfread import DBF
from lxml import etree

from demo.province import load_officials, load_population, write_hour
from demo.province.agency_server import CLIENT_ID, CLIENT_SECRET
from demo.province.headers import HEALTH_INSURANCE, LAND_PARCELS, OFFICIALS, POOR_HOUSEHOLDS, POPULATION, PUPILS_ONE, PUPILS_TWO
from demo.province.places import _rings, is_inside
from demo.province.workbooks import Sheet, write_workbook
from lienthong.standards import detect_encoding
from tests.demo.conftest import Province

ROOT = Path(__file__).parents[2]


def test_population_fills_a_database_of_its_own(province: Province, database_url: str) -> None:
    assert load_population(database_url, province.folder) == province.manifest.counts["R1"]
    with psycopg.connect(database_url) as connection:
        found = connection.execute("select * from cong_dan.nhan_khau limit 1")
        assert tuple(column.name for column in found.description or ()) == POPULATION


def test_officials_are_a_view_of_a_database(province: Province, database_url: str) -> None:
    assert load_officials(database_url, province.folder) == load_officials(database_url, province.folder) == province.manifest.counts["R11"]
    with psycopg.connect(database_url) as connection:
        found = connection.execute("select * from noi_vu.v_can_bo limit 1")
        assert tuple(column.name for column in found.description or ()) == OFFICIALS


def test_pupils_come_from_two_systems_that_code_schools_apart(province: Province) -> None:
    one, two = (min((province.folder / "giao-duc").glob(f"hoc-sinh-he-thong-{n}-*.csv")).read_text("utf-8").splitlines() for n in (1, 2))
    assert tuple(one[0].split(",")) == PUPILS_ONE
    assert tuple(two[0].split("\t")) == PUPILS_TWO
    assert len(one) + len(two) - 2 == province.manifest.counts["R10"]
    codes = {line.split("\t")[0] for line in two[1:]}
    listed = pl.read_csv(province.folder / "giao-duc/truong-hoc.csv", infer_schema=False)
    assert codes <= set(listed["Mã hệ thống khác"])
    assert not codes & set(listed["Mã trường"])


def test_a_workbook_reads_back_as_it_was_written(tmp_path: Path) -> None:
    rows: list[list[str | int | float | None]] = [["Tên", None, "Số"], ['  a <b> & "c" ', "", 12], ["dòng\nhai", "0123", 1.5]]
    write_workbook(tmp_path / "a.xlsx", [Sheet("Tờ 1", rows, frozenset({1}), ("A1:B1",)), Sheet("Tờ & 2", [["x"]])])
    write_workbook(tmp_path / "b.xlsx", [Sheet("Tờ 1", rows, frozenset({1}), ("A1:B1",)), Sheet("Tờ & 2", [["x"]])])
    assert (tmp_path / "a.xlsx").read_bytes() == (tmp_path / "b.xlsx").read_bytes()
    book = openpyxl.load_workbook(tmp_path / "a.xlsx")
    assert book.sheetnames == ["Tờ 1", "Tờ & 2"]
    assert [[cell.value for cell in row] for row in book["Tờ 1"].iter_rows()] == [
        [value if value != "" else None for value in row] for row in rows
    ]
    assert [str(each) for each in book["Tờ 1"].merged_cells.ranges] == ["A1:B1"]


def test_insurance_comes_with_a_mark_semicolons_and_windows_ends(province: Province) -> None:
    data = (province.folder / "bao-hiem-y-te/the-2026-06.csv").read_bytes()
    first, *_ = data.split(b"\r\n")
    assert data.startswith(b"\xef\xbb\xbf")
    assert tuple(next(csv.reader([first.decode("utf-8-sig")], delimiter=";"))) == HEALTH_INSURANCE
    assert data.count(b"\r\n") == data.count(b"\n") == province.manifest.counts["R2"] + 1


def test_poor_households_are_dbase_files_in_old_bytes(province: Province) -> None:
    files = sorted((province.folder / "ho-ngheo").glob("*.dbf"))
    assert len(files) == 11
    names = []
    for path in files:
        table = DBF(str(path), encoding="latin-1", load=True)
        assert table.field_names == [name for name, _ in POOR_HOUSEHOLDS]
        names += [record["HO_TEN"].encode("latin-1") for record in table]
    assert len(names) == province.manifest.counts["R4"] + 1  # and one total among the data
    assert detect_encoding(names)[0] == "tcvn3"


def test_parcels_lie_inside_the_border_of_their_commune(province: Province) -> None:
    codes = dict(province.truth("parcels").select("parcel_id", "new_code").iter_rows())
    file = next((province.folder / "dat-dai").glob("*.geojson"))
    features = json.loads(file.read_text("utf-8"))["features"][::37]
    assert tuple(features[0]["properties"]) == LAND_PARCELS
    for feature in features:
        corners = np.array(feature["geometry"]["coordinates"][0])
        assert any(is_inside(corners, ring).all() for ring in _rings()[codes[feature["properties"]["ma_thua"]]])


def test_licences_follow_their_schema_but_for_a_few_rows(province: Province) -> None:
    folder = province.folder / "giay-phep"
    schema = etree.XMLSchema(etree.parse(str(folder / "giay-phep.xsd")))
    document = etree.parse(str(folder / "giay-phep-2026-06.xml"))
    assert not schema.validate(document)
    assert 0 < len({error.line for error in schema.error_log}) < 10


def test_an_hour_is_the_same_whenever_it_is_written(province: Province, tmp_path: Path) -> None:
    hour = datetime(2026, 6, 29, 7)
    again = write_hour(tmp_path, hour, 1)
    assert again.read_bytes() == (province.folder / "quan-trac" / again.name).read_bytes()


def test_readings_have_the_faults_of_sensors(province: Province) -> None:
    files = sorted((province.folder / "quan-trac").glob("*.csv"))
    readings = pl.concat([pl.read_csv(path, separator=";", infer_schema=False) for path in files])
    whole = 24 * 8 * len(files)
    assert 0.93 < readings.height / whole < 1.0  # gaps
    assert set(readings.filter(pl.col("don_vi") == "mg/m³")["tram"]) == {"QT05"}
    assert readings.height > readings.unique().height  # repeated lines


@pytest.fixture
def service(province: Province) -> Iterator[str]:
    command = [
        sys.executable,
        "-m",
        "demo.province.agency_server",
        "--data",
        str(province.folder / "doanh-nghiep/doanh-nghiep.json"),
        "--flaky",
    ]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
        process.terminate()


def test_the_enterprise_service_wants_a_token(service: str) -> None:
    assert httpx.get(f"{service}/api/doanh-nghiep").status_code == 401
    assert httpx.post(f"{service}/token", data={"client_id": CLIENT_ID, "client_secret": "sai"}).status_code == 401


def test_the_enterprise_service_gives_pages_and_asks_for_patience(service: str, province: Province) -> None:
    answer = httpx.post(
        f"{service}/token", data={"grant_type": "client_credentials", "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
    )
    headers = {"Authorization": f"Bearer {answer.json()['access_token']}"}
    rows: list[str] = []
    waited = 0
    while len(rows) < province.manifest.counts["R7"]:
        page = httpx.get(f"{service}/api/doanh-nghiep", params={"page": len(rows) // 50 + 1, "size": 50}, headers=headers)
        if page.status_code == 429:
            waited += int(page.headers["Retry-After"])
            continue
        rows += [row["ma_so_thue"] for row in page.json()["du_lieu"]]
    assert waited
    assert len(rows) == page.json()["tong_so"]
