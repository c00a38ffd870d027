"""A dataset whose very entry is kept from the public: who has no part in it finds no trace of it, at any address."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

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
