"""Reports over HTTP: for whoever proved who it is, with an entry in the ledger, as the API's own page says."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest
from starlette.testclient import TestClient

from lienthong.masterdata.estimating import Estimate, Reviewer, Share
from lienthong.reports.standing import quality_document
from lienthong.web.openapi import describe
from tests.factories import START
from tests.web.counters import READER, URL, Province, asking, entries, make_app, make_province

REPORTS = ("reuse", "index")


@pytest.fixture(scope="module")
def province(postgres_server: object, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Province]:
    from tests.conftest import fresh_database

    with fresh_database(postgres_server) as url:  # type: ignore[arg-type] # the session's server
        yield make_province(url, Path(tmp_path_factory.mktemp("province")))


@pytest.fixture(scope="module")
def client(province: Province) -> Iterator[TestClient]:
    with TestClient(make_app(province)) as opened:
        yield opened


@pytest.mark.parametrize("name", REPORTS)
def test_a_report_is_given_and_leaves_an_entry(province: Province, client: TestClient, name: str) -> None:
    answer = client.get(f"/v1/reports/{name}", headers=asking(READER))
    assert answer.status_code == 200
    schema = describe([], URL)["paths"][f"/v1/reports/{name}"]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    jsonschema.validate(answer.json(), schema)
    last = entries(province)[-1]
    assert (last["event"], last["caller"], last["details"]) == ("report:figures:given", READER, {"report": name})


@pytest.mark.parametrize("name", REPORTS)
def test_nobody_is_told_without_a_token_and_the_refusal_is_in_the_ledger(province: Province, client: TestClient, name: str) -> None:
    answer = client.get(f"/v1/reports/{name}")
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"
    last = entries(province)[-1]
    assert (last["event"], last["outcome"]) == ("answer:request:denied", "no_identity")


def test_how_right_an_index_is_stands_in_the_report_as_the_page_of_the_api_says() -> None:
    share = Share(0.9, 0.8, 0.95, 7)
    found = Estimate(
        9, 7, 0.8, share, None, {"a|b": (share, None)}, (0.5, -0.1), {"can-bo-a": Reviewer(7, 2, 1), "can-bo-b": Reviewer(9, 2, 1)}
    )
    schema = describe([], URL)["paths"]["/v1/reports/index"]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    quality = schema["properties"]["entities"]["items"]["properties"]["quality"]
    document = quality_document(found, START, is_named=False)
    jsonschema.validate(document, quality)
    jsonschema.validate(quality_document(replace(found, agreement=None, by_reviewer={}), START, is_named=False), quality)
    jsonschema.validate(None, quality)
    assert [each["looked"] for each in document["reviewers"]] == [9, 7]
    assert "can-bo" not in str(document)


def test_a_parameter_nobody_knows_is_refused(client: TestClient) -> None:
    assert client.get("/v1/reports/reuse?x=1", headers=asking(READER)).status_code == 400


def test_reports_are_counted_against_a_quota(client: TestClient) -> None:
    statuses = [client.get("/v1/reports/index", headers=asking("VN/GOV/H10.12/voi")).status_code for _ in range(11)]
    assert statuses == [200] * 10 + [429]


def test_a_report_asked_for_twice_is_counted_once_and_says_when(client: TestClient) -> None:
    first, second = (client.get("/v1/reports/reuse", headers=asking(READER)).json()["counted_at"] for _ in range(2))
    assert first == second
