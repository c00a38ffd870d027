"""One number: every door tells the same figure, read by the client people use at that door; and what one refuses, each refuses."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from lxml import html

from lienthong.contracts.indicators.load import load_indicators
from lienthong.pipeline import indicating
from lienthong.reports.measures import NAMES
from tests.doors.altering import altering
from tests.doors.environments import ask
from tests.doors.province import FIGURE_DATASET, RESTRICTED, ROOT, STRANGER, Province
from tests.store.ledgers import entries_of

READINGS = "environment.readings"
INDICATOR = "poor-rate"
PATIENCE = 240.0  # seconds: every client at once makes a small machine slow
AT_ONCE = 3  # clients: a machine of two cores is busy with as many
Read = Callable[[str, str, str, tuple[str, ...]], Any]  # server, profile of Delta Sharing, dataset, conditions → the values found


def of_json(base: str, _: str, dataset: str, where: tuple[str, ...]) -> Any:
    asked = dict(condition.split("=", 1) for condition in where) | {"limit": "500"}
    values: list[Any] = []
    while True:
        page = httpx.get(f"{base}/v1/datasets/{dataset}/records", params=asked, timeout=PATIENCE).raise_for_status().json()
        values += [record["values"]["value"] for record in page["records"]]
        if page.get("next") is None:
            return values
        asked["cursor"] = page["next"]


def of_csv(base: str, _: str, dataset: str, where: tuple[str, ...]) -> Any:
    answer = httpx.get(f"{base}/v1/datasets/{dataset}/records", headers={"Accept": "text/csv"}, timeout=PATIENCE).raise_for_status()
    wanted = dict(condition.split("=", 1) for condition in where)
    rows = csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig")))
    return [float(row["value"]) for row in rows if all(row[name] == value for name, value in wanted.items())]


def by(client: str, name: Callable[[str], str] = str, command: str = "figure") -> Read:
    """What a client's script finds at the server."""
    return lambda base, _, dataset, where: ask(client, command, base, name(dataset), "value", *where)


def by_set(dataset: str) -> str:
    return dataset.replace(".", "_").replace("-", "_")


def by_share(command: str) -> Read:
    return lambda _, profile, dataset, where: ask("delta", command, profile, dataset, "value", *where)


def of_sdmx(base: str, _: str, dataset: str, where: tuple[str, ...]) -> Any:
    once, again = ask("sdmx1", "figure", base, by_set(dataset), *where)  # generic and structure-specific
    assert sorted(once) == sorted(again)
    return once


def of_pysdmx(base: str, _: str, dataset: str, where: tuple[str, ...]) -> Any:
    found = ask("pysdmx_reader", "figure", base, by_set(dataset), *where)
    assert found["faults"] == []
    once, again = found["values"]
    assert sorted(once) == sorted(again)
    return once


def of_board(base: str, _: str, __: str, where: tuple[str, ...]) -> Any:
    """The places of the indicator page's data twin."""
    asked = dict(condition.split("=", 1) for condition in where)
    answer = httpx.get(f"{base}/board/{INDICATOR}.json", params={"period": asked["year"]}, timeout=PATIENCE).raise_for_status()
    return [place["total"] for place in answer.json()["places"] if place["code"] == asked["district_code"]]


def of_page(base: str, _: str, __: str, where: tuple[str, ...]) -> Any:
    """The rows of the indicator page's table, as somebody reads them."""
    asked = dict(condition.split("=", 1) for condition in where)
    page = httpx.get(f"{base}/board/{INDICATOR}", params={"period": asked["year"]}, timeout=PATIENCE).raise_for_status()
    cells = html.fromstring(page.text).xpath(f"//tr[@id='place-{asked['district_code']}']/td[@class='number'][last()]")
    return [cell.text_content().replace(",", ".") for cell in cells]


EVERY: Mapping[str, Read] = {
    "JSON API": of_json,
    "CSV": of_csv,
    "Parquet (pyarrow)": by("arrow"),
    "OData (python-odata)": by("python_odata", by_set),
    "CKAN (ckanapi)": by("ckan"),
    "Data Package (frictionless)": by("packages"),
    "CSV on the Web (csvw)": by("csv_web"),
    "DCAT distribution (rdflib)": by("dcat"),
    "Delta Sharing (delta-sharing)": by_share("figure"),
    "Delta Sharing (Delta's kernel)": by_share("figure_of_kernel"),
    "OGC API – Features (OWSLib)": by("geo"),
    "OGC API – Features (GDAL)": by("geo", command="figure_of_gdal"),
}
STATISTICS: Mapping[str, Read] = {"SDMX (sdmx1)": of_sdmx, "SDMX (pysdmx)": of_pysdmx}
PAGES: Mapping[str, Read] = {"indicator page": of_page, "indicator page's data": of_board}
ALL: Mapping[str, Read] = {**EVERY, **STATISTICS, **PAGES}
IN_THE_LEDGER = {"odata", "ckan", "packages", "delta", "sdmx", "ogc"}  # how the doors of standards name themselves in entries


@pytest.fixture(scope="module")
def reckoned(province: Province) -> None:
    """The indicator the page is about, from the figures every other door gives."""
    indicator = load_indicators(ROOT / "indicators", province.workshop.contracts, NAMES)[INDICATOR]
    indicating.compute(province.workshop, indicator, {}, 60)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("profiles")


def profile_of(base: str, folder: Path) -> str:
    """The open share's profile as a server gives it."""
    path = folder / f"{base.rpartition(':')[2]}.share"
    path.write_bytes(httpx.get(base + "/delta-sharing/open.share", timeout=PATIENCE).raise_for_status().content)
    return str(path)


def told(doors: Mapping[str, Read], base: str, folder: Path, dataset: str, where: tuple[str, ...]) -> dict[str, list[float]]:
    """What each door tells, by door."""
    profile = profile_of(base, folder)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        waiting = {door: pool.submit(read, base, profile, dataset, where) for door, read in doors.items()}
    return {door: sorted(float(value) for value in found.result()) for door, found in waiting.items()}


@pytest.mark.usefixtures("reckoned")
def test_the_same_figure_comes_through_every_door(province: Province, folder: Path) -> None:
    figure = province.figure()
    before = len(entries_of(province.workshop.database, province.workshop.signer))
    found = told(ALL, province.base, folder, FIGURE_DATASET, tuple(figure.conditions))
    assert found == {door: [figure.value] for door in ALL}
    entries = entries_of(province.workshop.database, province.workshop.signer)[before:]
    assert {entry["details"].get("door") for entry in entries if entry["dataset"] == FIGURE_DATASET} >= IN_THE_LEDGER


@pytest.mark.usefixtures("reckoned")
def test_a_figure_altered_on_its_way_is_told_altered_by_each_doors_client(province: Province, folder: Path) -> None:
    """No client tells a figure from anywhere but what came through its door: so the test above sees a door that tells another."""
    figure = province.figure()
    with altering(province.base, figure.value, figure.value + 1) as base:
        found = told(ALL, base, folder, FIGURE_DATASET, tuple(figure.conditions))
    assert found == {door: [pytest.approx(figure.value + 1)] for door in ALL}


def test_every_figure_printed_comes_through_every_door_and_no_other(province: Province, folder: Path) -> None:
    printed = sorted(figure.value for figure in province.figures())
    found = told({**EVERY, **STATISTICS}, province.base, folder, FIGURE_DATASET, ())
    assert [door for door, values in found.items() if values != printed] == []


def test_the_same_readings_come_through_every_door(province: Province, folder: Path) -> None:
    """A station's day: what has a place and a time of its own goes through every door too."""
    first = httpx.get(f"{province.base}/v1/datasets/{READINGS}/records", params={"limit": "1"}, timeout=PATIENCE).json()["records"][0][
        "values"
    ]
    where = (f"station_code={first['station_code']}", f"indicator={first['indicator']}")
    found = told(EVERY, province.base, folder, READINGS, where)
    expected = found["JSON API"]
    assert len(expected) > 1
    assert found == dict.fromkeys(EVERY, expected)


REFUSED = {
    "json": ("GET", f"/v1/datasets/{RESTRICTED}/records"),
    "odata": ("GET", f"/odata/v4/{by_set(RESTRICTED)}"),
    "odata count": ("GET", f"/odata/v4/{by_set(RESTRICTED)}/$count"),
    "ckan": ("GET", f"/api/3/action/datastore_search?resource_id={RESTRICTED}"),
    "odata entity": ("GET", f"/odata/v4/{by_set(RESTRICTED)}(parcel_id='1',holder_no=1)"),
    "file": ("GET", f"/dataset/{RESTRICTED}.csv"),
    "parquet": ("GET", f"/dataset/{RESTRICTED}.parquet"),
    "workbook": ("GET", f"/dataset/{RESTRICTED}.xlsx"),
    "a version": ("GET", f"/dataset/{RESTRICTED}/versions/1.json"),
    "changes": ("GET", f"/v1/datasets/{RESTRICTED}/changes"),
    "delta": ("POST", f"/delta-sharing/shares/open/schemas/{RESTRICTED.split('.', 1)[0]}/tables/{RESTRICTED.split('.', 1)[1]}/query"),
}


@pytest.mark.parametrize("who", ["nobody", "a stranger", "a bad token", "a partner of another dataset"])
def test_what_is_refused_at_one_door_is_refused_at_each(province: Province, who: str) -> None:
    tokens = {"a stranger": province.token(STRANGER), "a bad token": "abc", "a partner of another dataset": province.token()}
    headers = {"Lienthong-Purpose": "doi-chieu", "Lienthong-Official": "can-bo-01"}
    headers |= {"Authorization": f"Bearer {tokens[who]}"} if who in tokens else {}
    before = len(entries_of(province.workshop.database, province.workshop.signer))
    statuses = {}
    for door, (method, path) in REFUSED.items():
        answer = httpx.request(method, province.base + path, headers=headers, json={} if method == "POST" else None, timeout=PATIENCE)
        statuses[door] = answer.status_code
        assert b"HK" not in answer.content, door  # no holder's number
    assert [door for door, status in statuses.items() if status not in (401, 403, 404)] == []
    entries = entries_of(province.workshop.database, province.workshop.signer)[before:]
    assert not [entry for entry in entries if entry["event"].startswith("answer:") and entry["event"] != "answer:request:denied"]
    denied = [entry for entry in entries if entry["event"] == "answer:request:denied" and entry["dataset"] == RESTRICTED]
    assert len(denied) >= len(REFUSED) - 1  # a share without such a table is 404, and a bad token 401, before any right is asked
    assert len({entry["outcome"] for entry in denied}) == 1
