"""Programs people have on their desks, none of them Python's: R, GDAL as QGIS has it, LibreOffice Calc; and what Excel and Power BI are known to send."""

from __future__ import annotations

import csv
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from lxml import etree

from tests.doors.environments import CLIENTS
from tests.doors.province import FIGURE_DATASET, PURPOSE, Province

PATIENCE_SECONDS = 120
SET = FIGURE_DATASET.replace(".", "_")
READINGS = "environment.readings"


def run(package: str, *command: str, **variables: str) -> str:
    """What a program of a Debian package prints."""
    if shutil.which(command[0]) is None:
        pytest.skip(f"`{command[0]}` is not installed (Debian's package `{package}`)")
    told = {**os.environ, "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1", **variables}
    done = subprocess.run(command, env=told, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("door", ["json", "odata", "csv", "sdmx"])
def test_r_reads_the_figure(province: Province, door: str) -> None:
    figure = province.figure()
    script = str(CLIENTS / "figure.R")
    found = run("r-base-core", "Rscript", script, door, province.base, FIGURE_DATASET, "value", *figure.conditions)
    assert json.loads(found) == [figure.value]


def test_gdal_of_the_desktop_reads_every_place_over_its_pages(province: Province) -> None:
    """Debian's GDAL is the one its QGIS is built on, and some years older than the one Python's wheels carry."""
    address = f"OAPIF:{province.base}/ogc/collections/{READINGS}"
    told = run("gdal-bin", "ogr2ogr", "-f", "GeoJSON", "/vsistdout/", address, "-where", "indicator = 'PM2.5'")
    found = json.loads(told)["features"]
    count = httpx.get(f"{province.base}/odata/v4/environment_readings/$count", params={"$filter": "indicator eq 'PM2.5'"})
    assert len(found) == int(count.text) > 0
    assert all(each["geometry"]["type"] == "Point" for each in found)


def test_calc_opens_the_workbook_and_the_csv_at_its_address(province: Province, tmp_path: Path) -> None:
    figure = province.figure()
    book = tmp_path / "book.xlsx"
    book.write_bytes(httpx.get(f"{province.base}/dataset/{FIGURE_DATASET}.xlsx").raise_for_status().content)
    out = tmp_path / "out"
    command = (
        "soffice",
        f"-env:UserInstallation=file://{tmp_path}/profile",
        "--headless",
        "--convert-to",
        "csv:Text - txt - csv (StarCalc):44,34,76,1",
    )
    run("libreoffice-calc-nogui", *command, "--outdir", str(out), str(book), f"{province.base}/dataset/{FIGURE_DATASET}.csv")
    for name in ("book.csv", f"{FIGURE_DATASET}.csv"):
        rows = list(csv.DictReader((out / name).read_text("utf-8").splitlines()))
        values = [float(row["value"]) for row in rows if all(row[key] == value for key, value in figure.where.items())]
        assert values == [figure.value], name


# What `OData.Feed` (Power Query in Excel and Power BI) sends, as others recorded it: the headers in NLstn/go-odata issue 874 (July 2026), how steps
# are folded into addresses in microsoft/DataConnectors issue 107 and Microsoft's pages on the OData feed connector and on query folding.
MASHUP = {
    "User-Agent": "Microsoft.Data.Mashup (https://go.microsoft.com/fwlink/?LinkID=304225)",
    "OData-MaxVersion": "4.0",
    "MaxDataServiceVersion": "3.0",
    "Accept-Encoding": "gzip, deflate",
}
ROOT_ACCEPT = "application/json;odata.metadata=minimal;q=1.0,application/json;odata=minimalmetadata;q=0.9,application/atomsvc+xml;q=0.8,application/atom+xml;q=0.8,application/xml;q=0.7,text/plain;q=0.7"
ROWS_ACCEPT = "application/json;odata.metadata=minimal;q=1.0,application/json;odata=minimalmetadata;q=0.9,application/atom+xml;q=0.8,application/xml;q=0.7,text/plain;q=0.7"


def mashup(province: Province, address: str, accept: str, token: str = "") -> httpx.Response:
    """A request as Power Query makes it: anonymous first; a 401 that names Basic makes it ask its user."""
    sent = {**MASHUP, "Accept": accept}
    answer = httpx.get(province.base + address, headers=sent)
    if answer.status_code == 401:
        assert answer.headers["www-authenticate"].lower().startswith("basic")
        answer = httpx.get(province.base + address, headers=sent, auth=("can-bo-01", token))
    assert answer.headers.get_list("odata-version") == ["4.0"], "Power Query refuses an answer that says its version twice"
    return answer


def test_power_query_goes_from_the_root_to_rows(province: Province) -> None:
    root = mashup(province, "/odata/v4/", ROOT_ACCEPT)
    assert root.headers["content-type"].startswith("application/json")
    assert root.json()["@odata.context"] == f"{province.base}/odata/v4/$metadata"
    assert {"name": SET, "kind": "EntitySet", "url": SET}.items() <= next(
        each for each in root.json()["value"] if each["name"] == SET
    ).items()
    metadata = mashup(province, "/odata/v4/$metadata", "application/xml")
    assert metadata.headers["content-type"].startswith(
        "application/xml"
    )  # with JSON here it says "metadata document appears to be invalid"
    assert etree.fromstring(metadata.content).get("Version") == "4.0"
    # Navigator's preview, then columns and rows the user chose folded into the address, spaces as + or %20 as its parts write them.
    preview = mashup(province, f"/odata/v4/{SET}?$top=1000", ROWS_ACCEPT).json()
    figure = province.figure()
    where = " and ".join(f"{name} eq {value if name == 'year' else repr(value)}" for name, value in figure.where.items())
    for text in (quote(where, safe=""), where.replace(" ", "+").replace("'", "%27")):
        folded = mashup(province, f"/odata/v4/{SET}?$filter={text}&$select=district,value", ROWS_ACCEPT)
        assert [row["value"] for row in folded.json()["value"]] == [figure.value]
    assert set(preview["value"][0]) == {p.get("Name") for p in of_type(metadata.content, SET)}


def of_type(metadata: bytes, name: str) -> Any:
    return next(each for each in etree.fromstring(metadata).iter("{*}EntityType") if each.get("Name") == name).iter("{*}Property")


def test_power_query_walks_every_page_and_counts(province: Province) -> None:
    address: str | None = "/odata/v4/environment_readings?$select=station_code,value"
    rows = 0
    while address:
        page = httpx.get(province.base + address, headers={**MASHUP, "Accept": ROWS_ACCEPT, "Prefer": "odata.maxpagesize=2000"}).json()
        rows += len(page["value"])
        following = page.get("@odata.nextLink")
        assert following is None or following.startswith(province.base)  # absolute, at the address it was asked at
        address = following.removeprefix(province.base) if following else None
    count = mashup(province, "/odata/v4/environment_readings/$count", "text/plain,application/json")
    assert rows == int(count.text) > 2000


def test_power_query_is_asked_for_a_name_and_a_token_where_data_is_not_open(province: Province) -> None:
    told = mashup(province, "/odata/v4/land_parcels?$top=1", ROWS_ACCEPT, province.token())
    assert (told.status_code, len(told.json()["value"])) == (200, 1)
    assert PURPOSE  # the agreement leaves no choice, so nothing needs to be said


def folded(province: Province, options: str) -> list[dict[str, Any]]:
    """The rows of an address a step of Power Query was folded into."""
    found = mashup(province, f"/odata/v4/{SET}?{options}", ROWS_ACCEPT)
    assert found.status_code == 200, found.text
    rows: list[dict[str, Any]] = found.json()["value"]
    return rows


def test_each_step_power_query_folds_gives_what_it_would_reckon_itself(province: Province) -> None:
    """Keep top rows, skip, sort, choose columns, filter by value, text, list, range and emptiness, count; held against the rows as they are."""
    rows = [row for start in (0, 500, 1_000) for row in folded(province, f"$skip={start}&$top=500")]
    keys = ("indicator_code", "district_code", "year")
    by_key = sorted(rows, key=lambda row: [row[name] for name in keys])
    order = "$orderby=indicator_code,district_code,year"

    def expected(test: Any) -> list[dict[str, Any]]:
        return [row for row in by_key if test(row)]

    assert folded(province, f"{order}&$top=3") == by_key[:3]
    assert folded(province, f"{order}&$skip=3&$top=4") == by_key[3:7]
    assert (
        folded(province, "$orderby=year%20desc,value%20desc,indicator_code,district_code&$top=5")
        == sorted(rows, key=lambda row: (-row["year"], -row["value"], row["indicator_code"], row["district_code"]))[:5]
    )
    steps: list[tuple[str, Any]] = [
        ("indicator_code eq 'DS01'", lambda row: row["indicator_code"] == "DS01"),
        ("indicator_code ne 'DS01'", lambda row: row["indicator_code"] != "DS01"),
        ("year ge 2022 and year lt 2024", lambda row: 2022 <= row["year"] < 2024),
        ("indicator_code eq 'DS01' or indicator_code eq 'CN01'", lambda row: row["indicator_code"] in ("DS01", "CN01")),
        ("contains(district,'Bù')", lambda row: "Bù" in row["district"]),
        ("startswith(district,'Huyện')", lambda row: row["district"].startswith("Huyện")),
        ("endswith(district,'Long')", lambda row: row["district"].endswith("Long")),
        ("not contains(district,'Bù')", lambda row: "Bù" not in row["district"]),
        ("value eq null", lambda row: row["value"] is None),
        ("value ne null and value gt 100.5", lambda row: row["value"] > 100.5),
        ("toupper(unit) eq 'NGƯỜI'", lambda row: row["unit"].upper() == "NGƯỜI"),
        ("length(district_code) eq 3", lambda row: len(row["district_code"]) == 3),
    ]
    for text, test in steps:
        assert folded(province, f"$filter={quote(text, safe='')}&{order}") == expected(test), text
        count = mashup(province, f"/odata/v4/{SET}/$count?$filter={quote(text, safe='')}", "text/plain,application/json")
        assert int(count.text) == len(expected(test)), text
    assert folded(province, "$select=district&$top=1") == [{"district": rows[0]["district"]}]


def test_power_query_s_preferences_change_nothing_it_does_not_understand(province: Province) -> None:
    """`ODataOmitValues.Nulls` and `IncludeAnnotations` are preferences: they may be let be, and what is not done is not said to be done."""
    plain = mashup(province, f"/odata/v4/{SET}?$top=2", ROWS_ACCEPT).json()
    for preference in ("omit-values=nulls", 'odata.include-annotations="*"', "odata.continue-on-error"):
        sent = {**MASHUP, "Accept": ROWS_ACCEPT, "Prefer": preference}
        answer = httpx.get(f"{province.base}/odata/v4/{SET}?$top=2", headers=sent)
        assert (answer.status_code, answer.json()) == (200, plain)
        assert "preference-applied" not in answer.headers


def test_power_query_is_told_what_not_to_fold(province: Province) -> None:
    """`$batch` is made only where a workbook says `EnableBatch` and an address is too long; what metadata forbids is then done in Excel."""
    metadata = etree.fromstring(mashup(province, "/odata/v4/$metadata", "application/xml").content)
    told = {each.get("Term"): each.get("Bool") for each in metadata.iter("{*}Annotation")}
    assert told["Capabilities.BatchSupported"] == "false"
    batch = httpx.get(f"{province.base}/odata/v4/$batch", headers={**MASHUP, "Accept": "multipart/mixed"})
    assert (batch.status_code, batch.json()["error"]["code"]) == (501, "not-offered")
