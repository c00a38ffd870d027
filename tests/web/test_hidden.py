"""A dataset whose very entry is kept from the public: who has no part in it finds no trace of it, at any address."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from time import perf_counter
from typing import Any

import pytest
from starlette.testclient import TestClient

from lienthong.web.steady import LOOK_UP_STEP
from tests.conftest import fresh_database
from tests.web.counters import OWNER, READER, Province, asking, entries, make_app, make_province

STRANGER = "VN/GOV/H10.19/la"
ROOT = "/v1/datasets/test.people"
LISTS = (
    "/v1/datasets", "/openapi.json", "/v1/catalogue", "/catalog.jsonld", "/sitemap.xml", "/changes.atom", "/v1/open-data", "/v1/catalogue/dictionary.json", "/odata/v4", "/odata/v4/$metadata",
    "/ogc/collections", "/api/3/action/package_list", "/sdmx/2.1/dataflow/all/all/latest", "/", "/index.json", "/datasets.json", "/status.json", "/docs", "/v1/disclosure",
)  # fmt: skip
ENTRIES = (
    ROOT, f"{ROOT}/openapi.json", f"{ROOT}/asyncapi.json", f"{ROOT}/records", f"{ROOT}/records/P1", f"{ROOT}/records/P1?at=2026-07-01", f"{ROOT}/changes", f"{ROOT}/lineage",
    "/datasets/test.people", "/datasets/test.people.json", "/v1/catalogue/dataset/test.people", "/ogc/collections/test.people", "/ogc/collections/test.people/items",
    "/odata/v4/test_people", "/catalog/test.people.ttl", "/api/3/action/package_show?id=test.people", f"{ROOT}/datapackage.json", f"{ROOT}/contract.odcs.yaml", f"{ROOT}/records.csv-metadata.json",
    "/docs/test.people", "/datasets/test.people/download/csv", "/v1/events?dataset=test.people",
)  # fmt: skip


@pytest.fixture(scope="module")
def province(postgres_server: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Province]:
    with fresh_database(postgres_server) as url:
        made = make_province(url, Path(tmp_path_factory.mktemp("province")))
        hidden = replace(made.people, document={"customProperties": [{"property": "catalogueEntry", "value": "restricted"}]})
        yield replace(made, people=hidden, workshop=replace(made.workshop, contracts={**made.workshop.contracts, hidden.id: hidden}))


@pytest.fixture(scope="module")
def client(province: Province) -> Iterator[TestClient]:
    with TestClient(make_app(province), follow_redirects=True) as opened:
        yield opened


@pytest.mark.parametrize("address", LISTS)
def test_no_list_names_it(client: TestClient, address: str) -> None:
    answer = client.get(address)
    assert answer.status_code == (404 if "sdmx" in address else 200), answer.text[:300]  # no flow at all is SDMX's 404
    assert "test.people" not in answer.text
    assert "test_people" not in answer.text


@pytest.mark.parametrize("address", ENTRIES)
def test_its_own_address_answers_as_one_that_was_never_there(client: TestClient, address: str) -> None:
    for headers in ({}, asking(STRANGER)):
        here, nowhere = client.get(address, headers=headers), client.get(address.replace("people", "nobody"), headers=headers)
        assert (here.status_code, here.text.replace("people", "nobody")) == (nowhere.status_code, nowhere.text), address
        assert here.status_code in (400, 404)


def test_who_has_an_agreement_or_owns_it_is_told_the_truth(client: TestClient) -> None:
    assert client.get(f"{ROOT}/records/P1", headers=asking(READER)).status_code == 200
    assert client.get(f"{ROOT}/records", headers=asking(READER)).status_code == 200
    without = client.get(
        f"{ROOT}/records/P1", headers={name: value for name, value in asking(READER).items() if name != "Lienthong-Purpose"}
    )
    assert (without.status_code, without.json()["rule"]) == (403, "no_purpose")
    assert client.get(f"{ROOT}/quarantine", headers=asking(OWNER)).status_code == 200


def test_the_ledger_keeps_the_true_reason(client: TestClient, province: Province) -> None:
    assert client.get(f"{ROOT}/records/P1", headers=asking(STRANGER)).status_code == 404
    last = entries(province)[-1]
    assert (last["event"], last["dataset"], last["outcome"]) == ("answer:request:denied", "test.people", "no_agreement")


SERVICE = "/r1/VN/GOV/H10.02/du-lieu/test.people"
XROAD = (
    SERVICE, f"{SERVICE}/P1", f"{SERVICE}/changes", "/r1/VN/GOV/H10.02/du-lieu/getOpenAPI?serviceCode=test.people", "/wsdl?xRoadInstance=VN&memberClass=GOV&memberCode=H10.02&subsystemCode=du-lieu&serviceCode=test.people.get",
    "/govstack/VN/GOV/H10.02/du-lieu/getOpenAPI?serviceCode=test.people", f"/govstack{SERVICE}/P1",
)  # fmt: skip
SOAP = """<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" xmlns:x="http://x-road.eu/xsd/xroad.xsd" xmlns:i="http://x-road.eu/xsd/identifiers">
<s:Header><x:client i:objectType="SUBSYSTEM"><i:xRoadInstance>VN</i:xRoadInstance><i:memberClass>GOV</i:memberClass><i:memberCode>H10.19</i:memberCode><i:subsystemCode>la</i:subsystemCode></x:client>
<x:service i:objectType="SERVICE"><i:xRoadInstance>VN</i:xRoadInstance><i:memberClass>GOV</i:memberClass><i:memberCode>H10.02</i:memberCode><i:subsystemCode>du-lieu</i:subsystemCode><i:serviceCode>{service}</i:serviceCode></x:service>
<x:id>1</x:id><x:userId>can-bo-01</x:userId><x:issue>xet-tro-cap</x:issue><x:protocolVersion>4.0</x:protocolVersion></s:Header>
<s:Body><t:{service} xmlns:t="urn:t">{body}</t:{service}></s:Body></s:Envelope>"""


def by_xroad(caller: str) -> dict[str, str]:
    return {**asking(caller), "X-Road-Client": caller, "X-Road-UserId": "can-bo-01", "X-Road-Issue": "xet-tro-cap"}


@pytest.mark.parametrize("address", XROAD)
def test_x_road_and_govstack_answer_as_for_a_service_that_was_never_there(client: TestClient, address: str) -> None:
    headers = by_xroad(STRANGER)
    if "govstack" in address:
        headers = {("GovStack-Client" if name == "X-Road-Client" else name): value for name, value in headers.items()}
    here, nowhere = (client.get(place, headers=headers) for place in (address, address.replace("people", "nobody")))
    assert here.status_code == nowhere.status_code != 200, (address, here.text)
    assert _without_detail(here).replace("people", "nobody") == _without_detail(nowhere)


@pytest.mark.parametrize(
    ("service", "body"),
    [("test.people.get", "<t:key>P1</t:key>"), ("getWsdl", "<t:serviceCode>test.people</t:serviceCode>")],
)
def test_soap_answers_as_for_a_service_that_was_never_there(client: TestClient, service: str, body: str) -> None:
    headers = {**asking(STRANGER), "Content-Type": "text/xml"}
    texts = []
    for name in ("people", "nobody"):
        told = SOAP.format(service=service.replace("people", name), body=body.replace("people", name))
        answer = client.post("/soap", content=told.encode(), headers=headers)
        texts.append((answer.status_code, re.sub("<[^>]*faultDetail[^>]*>[^<]*<", "", answer.text).replace("people", "nobody")))
    assert texts[0] == texts[1]
    assert texts[0][0] == 500
    assert "nobody" in texts[0][1]


def test_x_road_keeps_the_true_reason_of_both_in_the_ledger(client: TestClient, province: Province) -> None:
    for address in (SERVICE, SERVICE.replace("people", "nobody")):
        client.get(address, headers=by_xroad(STRANGER))
    last = [(entry["event"], entry["caller"], entry.get("dataset", ""), entry["outcome"]) for entry in entries(province)[-2:]]
    assert last == [
        ("answer:request:denied", STRANGER, "test.people", "no_agreement"),
        ("answer:request:denied", STRANGER, "", "unknown_service"),
    ]


def test_x_road_serves_it_to_who_has_an_agreement(client: TestClient) -> None:
    assert client.get(f"{SERVICE}/P1", headers=by_xroad(READER)).status_code == 200
    assert client.get(XROAD[3], headers=by_xroad(READER)).status_code == 200
    assert client.get(XROAD[3], headers=by_xroad(OWNER)).status_code == 200


def _without_detail(answer: Any) -> str:
    """What an answer says, but the number it is found again by."""
    return re.sub('"detail": ?"[0-9a-f-]{36}"', "", answer.text)


@pytest.mark.parametrize("address", [ROOT, f"{ROOT}/records", f"{ROOT}/changes"])
def test_it_and_one_that_was_never_there_leave_an_entry_each(client: TestClient, province: Province, address: str) -> None:
    for headers, rules in ((asking(STRANGER), ("no_agreement", "unknown_dataset")), ({}, ("no_identity", "unknown_dataset"))):
        before = len(entries(province))
        for place in (address, address.replace("people", "nobody")):
            assert client.get(place, headers=headers).status_code == 404
        last = entries(province)[before:]
        assert [(entry.get("dataset", ""), entry["outcome"]) for entry in last] == list(zip(("test.people", ""), rules, strict=True))


@pytest.mark.parametrize("address", [f"{ROOT}/records", f"{ROOT}/records/P1", f"{ROOT}/records/P1?fields=phone", f"{ROOT}/changes"])
def test_it_and_one_that_was_never_there_are_answered_at_a_whole_step(client: TestClient, address: str) -> None:
    for place in (address, address.replace("people", "nobody")):
        began = perf_counter()
        assert client.get(place, headers=asking(STRANGER)).status_code == 404
        assert perf_counter() - began >= LOOK_UP_STEP
