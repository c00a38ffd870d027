"""Checks before a dataset is opened, over HTTP and on the officer's page."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from starlette.testclient import TestClient

from lienthong.web.openapi import describe
from tests.web.counters import OWNER, READER, URL, Province, asking, entries, make_app, make_province

CODES, PEOPLE = "/v1/datasets/test.codes", "/v1/datasets/test.people"
PAGE = "/console/datasets/test.codes/opening"


@pytest.fixture(scope="module")
def province(postgres_server: object, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Province]:
    from tests.conftest import fresh_database

    with fresh_database(postgres_server) as url:  # type: ignore[arg-type] # the session's server
        yield make_province(url, Path(tmp_path_factory.mktemp("province")))


@pytest.fixture(scope="module")
def client(province: Province) -> Iterator[TestClient]:
    with TestClient(make_app(province)) as opened:
        yield opened


def described(path: str, method: str, province: Province) -> Any:
    answers = describe([province.people, province.codes], URL)["paths"][path][method]["responses"]
    return answers["200"]["content"]["application/json"]["schema"]


def test_a_check_is_told_in_counts_and_kept(province: Province, client: TestClient) -> None:
    made = client.post(f"{PEOPLE}/release-checks", headers=asking(OWNER))
    assert made.status_code == 200, made.text
    jsonschema.validate(made.json(), described("/v1/datasets/{dataset}/release-checks", "post", province))
    assert (made.json()["verdict"], made.json()["rows"]) == ("forbidden", 5)
    assert {each["rule"] for each in made.json()["findings"]} == {"no_licence", "classified"}
    assert "Nguyễn" not in made.text
    listed = client.get(f"{PEOPLE}/release-checks", headers=asking(OWNER))
    jsonschema.validate(listed.json(), described("/v1/datasets/{dataset}/release-checks", "get", province))
    assert listed.json()["checks"][0]["check"] == made.json()["check"]
    assert entries(province)[-1]["event"] == "opening:rows:checked"


def test_nobody_can_allow_what_is_forbidden(client: TestClient) -> None:
    number = client.post(f"{PEOPLE}/release-checks", headers=asking(OWNER)).json()["check"]
    path = f"{PEOPLE}/release-checks/{number}/decide"
    answer = client.post(path, headers=asking(OWNER), json={"outcome": "allowed", "reason": "Mở"})
    assert (answer.status_code, answer.json()["rule"]) == (409, "no_licence")
    refused = client.post(path, headers=asking(OWNER), json={"outcome": "refused", "reason": "Có dữ liệu cá nhân"})
    assert refused.json()["decision"]["outcome"] == "refused"


def test_a_check_of_another_dataset_is_none_of_this_one(client: TestClient) -> None:
    number = client.post(f"{PEOPLE}/release-checks", headers=asking(OWNER)).json()["check"]
    answer = client.post(f"{CODES}/release-checks/{number}/decide", headers=asking(OWNER), json={"outcome": "refused", "reason": "x"})
    assert answer.status_code == 404


def test_what_to_blur_is_proposed_with_its_loss(province: Province, client: TestClient) -> None:
    answer = client.post(f"{PEOPLE}/release-proposal", headers=asking(OWNER))
    jsonschema.validate(answer.json(), described("/v1/datasets/{dataset}/release-proposal", "post", province))
    assert answer.json()["dropped"] == ["record_no", "full_name", "born_on"]


@pytest.mark.parametrize(("headers", "status"), [({}, 401), (asking(READER), 403)])
def test_others_neither_check_nor_look(client: TestClient, headers: dict[str, str], status: int) -> None:
    assert client.post(f"{CODES}/release-checks", headers=headers).status_code == status
    assert client.get(f"{CODES}/release-checks", headers=headers).status_code == status
    assert client.get(PAGE, headers=headers).status_code == status


def test_the_officer_s_page_checks_proposes_and_decides(province: Province, client: TestClient) -> None:
    headers = asking(OWNER)
    assert "Bộ dữ liệu này chưa được kiểm tra lần nào." in client.get(PAGE, headers=headers).text
    done = client.post(PAGE, headers=headers, data={"word": "check"}, follow_redirects=False)
    assert (done.status_code, done.headers["location"]) == (303, PAGE)
    shown = client.get(PAGE, headers=headers).text
    assert "không được mở" in shown
    assert "Hợp đồng chưa nêu giấy phép dữ liệu mở" in shown
    assert "Không cần khái quát hóa trường nào." in client.post(PAGE, headers=headers, data={"word": "propose"}).text
    number = client.get(f"{PAGE}.json", headers=headers).json()["checks"][0]["check"]
    decided = client.post(PAGE, headers=headers, data={"word": "refused", "check": str(number), "reason": "Chưa có giấy phép"})
    assert "Đã ghi nhận quyết định." in decided.text
    assert "Chưa có giấy phép" in decided.text
    assert client.post(PAGE, headers=headers, data={"word": "burn"}).status_code == 422
    assert f"{number},1," in client.get(f"{PAGE}.csv", headers=headers).text
