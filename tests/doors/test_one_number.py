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

from lienthong.contracts.indicators.load import load_indicators
from lienthong.pipeline import indicating
from lienthong.reports.measures import NAMES
from tests.doors.environments import ask
from tests.doors.province import FIGURE_DATASET, RESTRICTED, ROOT, STRANGER, Province
from tests.store.ledgers import entries_of

READINGS = "environment.readings"
PATIENCE = 240.0  # seconds: every client at once makes a small machine slow
AT_ONCE = 3  # clients: a machine of two cores is busy with as many
Read = Callable[[Province, str, str, tuple[str, ...]], Any]  # province, profile of Delta Sharing, dataset, conditions → the values found


def of_json(province: Province, _: str, dataset: str, where: tuple[str, ...]) -> Any:
    asked = dict(condition.split("=", 1) for condition in where) | {"limit": "1000"}
    answer = httpx.get(f"{province.base}/v1/datasets/{dataset}/records", params=asked, timeout=PATIENCE)
    return [record["values"]["value"] for record in answer.raise_for_status().json()["records"]]


def of_csv(province: Province, _: str, dataset: str, where: tuple[str, ...]) -> Any:
    answer = httpx.get(
        f"{province.base}/v1/datasets/{dataset}/records", headers={"Accept": "text/csv"}, timeout=PATIENCE
    ).raise_for_status()
    wanted = dict(condition.split("=", 1) for condition in where)
    rows = csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig")))
    return [float(row["value"]) for row in rows if all(row[name] == value for name, value in wanted.items())]


def by(client: str, name: Callable[[str], str] = str) -> Read:
    """What a client's script finds at the server."""
    return lambda province, _, dataset, where: ask(client, "figure", province.base, name(dataset), "value", *where)


def by_set(dataset: str) -> str:
    return dataset.replace(".", "_").replace("-", "_")


def of_delta(_: Province, profile: str, dataset: str, where: tuple[str, ...]) -> Any:
    return ask("delta", "figure", profile, dataset, "value", *where)


def of_sdmx(province: Province, _: str, dataset: str, where: tuple[str, ...]) -> Any:
    once, again = ask("sdmx1", "figure", province.base, by_set(dataset), *where)  # generic and structure-specific
    assert once == again
    return [once]


def of_pysdmx(province: Province, _: str, dataset: str, where: tuple[str, ...]) -> Any:
    found = ask("pysdmx_reader", "figure", province.base, by_set(dataset), *where)
    assert found["faults"] == []
    once, again = found["values"]
    assert once == again
    return [once]


EVERY: Mapping[str, Read] = {
    "JSON API": of_json,
    "CSV": of_csv,
    "Parquet (pyarrow)": by("arrow"),
    "OData (python-odata)": by("python_odata", by_set),
    "CKAN (ckanapi)": by("ckan"),
    "Data Package (frictionless)": by("packages"),
    "CSV on the Web (csvw)": by("csv_web"),
    "DCAT distribution (rdflib)": by("dcat"),
    "Delta Sharing (delta-sharing)": of_delta,
    "OGC API – Features (OWSLib)": by("geo"),
}
STATISTICS: Mapping[str, Read] = {"SDMX (sdmx1)": of_sdmx, "SDMX (pysdmx)": of_pysdmx}


@pytest.fixture(scope="module")
def profile(province: Province, tmp_path_factory: pytest.TempPathFactory) -> str:
    path: Path = tmp_path_factory.mktemp("profile") / "open.share"
    path.write_bytes(httpx.get(province.base + "/delta-sharing/open.share", timeout=PATIENCE).raise_for_status().content)
    return str(path)


def told(doors: Mapping[str, Read], province: Province, profile: str, dataset: str, where: tuple[str, ...]) -> dict[str, list[float]]:
    """What each door tells, by door."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        waiting = {door: pool.submit(read, province, profile, dataset, where) for door, read in doors.items()}
    return {door: sorted(float(value) for value in found.result()) for door, found in waiting.items()}


def test_the_same_figure_comes_through_every_door(province: Province, profile: str) -> None:
    figure = province.figure()
    doors = {**EVERY, **STATISTICS}
    found = told(doors, province, profile, FIGURE_DATASET, tuple(figure.conditions))
    assert found == {door: [figure.value] for door in doors}


def test_the_same_readings_come_through_every_door(province: Province, profile: str) -> None:
    """A station's day: what has a place goes through the door of places too."""
    first = httpx.get(f"{province.base}/v1/datasets/{READINGS}/records", params={"limit": "1"}, timeout=PATIENCE).json()["records"][0][
        "values"
    ]
    where = (f"station_code={first['station_code']}", f"indicator={first['indicator']}")
    found = told(EVERY, province, profile, READINGS, where)
    expected = found["JSON API"]
    assert len(expected) > 1
    assert found == dict.fromkeys(EVERY, expected)


def test_the_indicator_page_tells_the_figure_it_is_reckoned_from(province: Province) -> None:
    """The poor's share is weighted by each district's population: the page shows that population, and its data twin too."""
    asked = {"indicator_code": "DS01", "sort": "-year,district_code", "limit": "1"}
    answer = httpx.get(f"{province.base}/v1/datasets/{FIGURE_DATASET}/records", params=asked, timeout=PATIENCE)
    values = answer.raise_for_status().json()["records"][0]["values"]
    indicator = load_indicators(ROOT / "indicators", province.workshop.contracts, NAMES)["poor-rate"]
    indicating.compute(province.workshop, indicator, {}, 60)
    page = (
        httpx.get(f"{province.base}/board/poor-rate.json", params={"period": str(values["year"])}, timeout=PATIENCE)
        .raise_for_status()
        .json()
    )
    bases = {place["code"]: place["base"] for place in page["places"]}
    assert bases[values["district_code"]] == values["value"]


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
