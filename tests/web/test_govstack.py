"""GovStack's representation: its harness's schema and examples, and the same rights as everywhere."""

from __future__ import annotations

import gzip
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import jsonschema
import pytest
from lxml import etree

from tests.conftest import fresh_database
from tests.web.served import CALLER, DATASET, Served, serving
from tests.web.test_soap import envelope

BASE = "/govstack/VN/GOV/H10.10/du-lieu"
DATA = f"/govstack/r1/VN/GOV/H10.10/du-lieu/{DATASET}"
KEY = quote("7/GP-UBND", safe="")
TEXT = {"type": "string"}
ENDPOINT = {"type": "object", "properties": {"method": TEXT, "path": TEXT}, "additionalProperties": False}
MEMBER = {
    "type": "object",
    "properties": {
        "objectType": {"type": "object", "properties": {"object_type": {"enum": ["MEMBER", "SUBSYSTEM", "SERVER", "SERVICE"]}}, "additionalProperties": False},
        **dict.fromkeys(("serviceType", "GovStackInstance", "memberClass", "memberCode", "applicationCode", "serviceCode", "serviceVersion"), TEXT),
        "endpointList": {"type": "object", "properties": {"member": {"type": "array", "items": ENDPOINT}}, "additionalProperties": False},
    },
    "additionalProperties": False,
}  # fmt: skip
SCHEMA = {
    "type": "object",
    "properties": {"member": {"type": "array", "items": MEMBER}},
    "required": ["member"],
    "additionalProperties": False,
}


@pytest.fixture(scope="module")
def served(postgres_server: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = Path(tmp_path_factory.mktemp("govstack"))
    with fresh_database(postgres_server) as url, serving(url, folder, environment={"LIENTHONG_XROAD_NETWORKS": "127.0.0.1/32"}) as server:
        yield server


@pytest.fixture(scope="module")
def client(served: Served) -> Iterator[httpx.Client]:
    headers = {"X-GovStack-Client": CALLER, "Lienthong-Purpose": "tra-cuu", "Lienthong-Official": "can-bo-01"}
    with httpx.Client(base_url=served.base, headers=headers, timeout=120) as opened:
        yield opened


@pytest.mark.parametrize("path", ["/govstack/listClients", f"{BASE}/listMethods", f"{BASE}/allowedMethods"])
def test_the_directory_fits_the_harness_s_schema(client: httpx.Client, path: str) -> None:
    answer = client.get(path)
    assert answer.headers["content-type"] == "application/json; charset=utf-8"
    jsonschema.validate(answer.raise_for_status().json(), SCHEMA)
    assert answer.json()["member"]


def test_a_document_is_a_string_of_json(client: httpx.Client) -> None:
    answer = client.get(f"{BASE}/getOpenAPI", params={"serviceCode": DATASET}, headers={"Information-Mediator-Client": CALLER})
    assert isinstance(answer.json(), str)
    assert set(json.loads(answer.json())["paths"]) == {"/records", "/records/{key}", "/changes"}


@pytest.mark.parametrize(
    ("path", "code"),
    [("1nval1d/GOV/H10.10/du-lieu", "a"), ("VN/1nval1d/H10.10/du-lieu", "a"), ("VN/GOV/_invalid/du-lieu", "a"), ("VN/GOV/H10.10/_invalid", "a"), ("VN/GOV/H10.10/du-lieu", "_invalid"), ("VN/GOV/H10.10/du-lieu", ""), ("VN/GOV/H10.10/du-lieu", None)],
)  # fmt: skip
def test_identifiers_that_are_none_are_bad_requests(client: httpx.Client, path: str, code: str | None) -> None:
    params = {} if code is None else {"serviceCode": code}
    assert client.get(f"/govstack/{path}/getOpenAPI", params=params).status_code == 400


def test_data_is_answered_under_the_same_rights(client: httpx.Client, served: Served) -> None:
    assert client.get(f"{DATA}/records/{KEY}").json()["values"]["holder"] == "Công ty số 7"
    assert served.bodies()[-1]["caller"] == CALLER
    refused = client.get(f"{DATA}/records/{KEY}", headers={"Lienthong-Purpose": "khac"})
    assert (refused.status_code, refused.json()["rule"]) == (403, "other_purpose")
    assert client.get(f"{DATA}/records/khong-co").status_code == 404
    assert client.get("/govstack/r1/VN/GOV/H10.10/du-lieu/test.khac/x").status_code == 404
    assert client.get(f"{DATA}/records/%2e%2e").status_code == 400


def test_a_name_in_a_header_proves_nothing(client: httpx.Client, served: Served) -> None:
    assert client.get(f"{DATA}/records/{KEY}", headers={"X-Forwarded-For": "1.2.3.4"}).status_code == 401
    two = {"Information-Mediator-Client": "VN/GOV/H99/khac"}
    assert client.get(f"{DATA}/records/{KEY}", headers=two).status_code == 400
    token = {"Authorization": served.headers()["Authorization"], "X-GovStack-Client": "VN/GOV/H99/khac"}
    assert client.get(f"{DATA}/records/{KEY}", headers=token).status_code == 401


def test_monitoring_is_told_over_x_road_in_both_shapes(client: httpx.Client, served: Served) -> None:
    asked = {"X-Road-Client": CALLER}
    meta = "/r1/VN/GOV/H10.10/du-lieu"
    client.get(f"{DATA}/records/{KEY}")
    until = time.monotonic() + 120
    found: list[Any] = []
    while time.monotonic() < until and not found:
        found = (
            client.get(f"{meta}/getSecurityServerOperationalData", params={"recordsFrom": 0}, headers=asked)
            .raise_for_status()
            .json()["records"]
        )
        time.sleep(0.2)
    assert found[0]["serviceCode"] == DATASET
    assert client.get(f"{meta}/getSecurityServerOperationalData", headers=asked).status_code == 400
    health = client.get(f"{meta}/getSecurityServerHealthData", headers=asked).json()
    assert health["servicesEvents"][0]["serviceCode"] == DATASET
    om = 'xmlns:om="http://x-road.eu/xsd/op-monitoring.xsd"'
    body = f"<om:getSecurityServerOperationalData {om}><om:searchCriteria><om:recordsFrom>0</om:recordsFrom></om:searchCriteria></om:getSecurityServerOperationalData>"  # fmt: skip
    answer = client.post("/soap", content=envelope("getSecurityServerOperationalData", body), headers={"Content-Type": "text/xml"})
    assert answer.headers["content-type"].startswith("multipart/related")
    boundary = answer.content.partition(b"\r\n")[0]
    _, first, second, _ = answer.content.split(boundary)
    records = json.loads(gzip.decompress(second.partition(b"\r\n\r\n")[2].removesuffix(b"\r\n")))["records"]
    count = etree.fromstring(first.partition(b"\r\n\r\n")[2].strip()).findtext(".//{http://x-road.eu/xsd/op-monitoring.xsd}recordsCount")
    assert int(count) == len(records) > 0
    text = client.post("/soap", content=envelope("getSecurityServerHealthData", f"<om:getSecurityServerHealthData {om}/>"), headers={"Content-Type": "text/xml"}).text  # fmt: skip
    assert f"<id:serviceCode>{DATASET}</id:serviceCode>" in text
    assert served.bodies()[-1]["details"]["report"] == "getSecurityServerHealthData"
