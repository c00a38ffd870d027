"""One record written over HTTP: versions, both sides of a conflict as the caller may see them, and nothing without a right."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.templates import Template
from tests.web.counters import EVERYTHING, OWNER, PART, READER, Province, asking, copied_province, entries, make_app

RECORD = "/v1/datasets/test.people/records/"


@pytest.fixture
def province(counters_template: Template, tmp_path: Path) -> Iterator[Province]:
    with copied_province(counters_template, tmp_path) as copy:
        yield copy


@pytest.fixture
def client(province: Province) -> Iterator[TestClient]:
    with TestClient(make_app(province)) as opened:
        yield opened


def patch(client: TestClient, key: str, values: Any, caller: str = OWNER, **headers: str) -> Any:
    return client.patch(RECORD + key, json={"values": values}, headers=asking(caller, **headers))


def test_a_write_is_answered_with_the_new_version_and_seen_at_once(client: TestClient, province: Province) -> None:
    answer = patch(client, "P1", {"children": 4}, **{"If-Match": '"1"'})
    assert (answer.status_code, answer.headers["etag"]) == (200, '"2"')
    assert answer.json()["record"]["children"] == 4
    read = client.get(RECORD + "P1", headers=asking(READER)).json()
    assert (read["version"], read["values"]["children"]) == (2, 4)
    feed = client.get("/v1/datasets/test.people/changes", params={"after": "1:P5"}, headers=asking(READER)).json()
    assert [(c["op"], c["key"]) for c in feed["changes"]] == [("update", "P1")]
    written = next(entry for entry in entries(province) if entry["event"] == "record:values:written")
    assert written["subject"] == next(e for e in entries(province) if e["event"] == "answer:record:given")["subject"]
    assert "P1" not in str(written["details"])


@pytest.mark.parametrize(("headers", "body", "status"), [({"If-Match": '"1"'}, {}, 412), ({}, {"version": 1}, 409)])
def test_a_write_from_an_older_version_gets_both_sides(client: TestClient, headers: dict[str, str], body: Any, status: int) -> None:
    patch(client, "P1", {"children": 4}, **{"If-Match": '"1"'})
    answer = client.patch(RECORD + "P1", json={"values": {"phone": "0123"}, **body}, headers=asking(OWNER, **headers))
    assert answer.status_code == status
    told = answer.json()
    assert (told["version"], told["current"]["children"], told["base"]["children"], told["sent"]) == (2, 4, 2, {"phone": "0123"})
    assert told["changed_since"] == ["children"]


def test_a_change_must_say_which_version_it_was_made_from(client: TestClient) -> None:
    assert patch(client, "P1", {"children": 4}).status_code == 428
    assert patch(client, "P1", {"children": 4}, **{"If-Match": "*"}).status_code == 400
    assert patch(client, "P1", {"children": 4}, **{"If-Match": '"0"'}).status_code == 400


def test_a_broken_rule_is_told_by_field(client: TestClient) -> None:
    answer = patch(client, "P1", {"full_name": "", "born_on": "31/02/2001"}, **{"If-Match": '"1"'})
    assert answer.status_code == 422
    assert {v["field"]: v["fate"] for v in answer.json()["verdicts"]} == {"full_name": "refused", "born_on": "refused"}


def test_put_begins_a_record_or_says_it_whole(client: TestClient) -> None:
    new = {"record_no": "P9", "full_name": "Đỗ Thị Chín", "children": 1}
    begun = client.put(RECORD + "P9", json={"values": new}, headers=asking(OWNER, **{"If-None-Match": "*"}))
    assert (begun.status_code, begun.json()["version"]) == (200, 2)
    again = client.put(RECORD + "P9", json={"values": new}, headers=asking(OWNER, **{"If-None-Match": "*"}))
    assert again.status_code == 412
    whole = client.put(RECORD + "P9", json={"values": {"full_name": "Đỗ Thị Chín"}, "version": 2}, headers=asking(OWNER))
    assert (whole.status_code, whole.json()["record"]["children"]) == (200, None)


def test_delete_ends_a_record(client: TestClient) -> None:
    assert client.delete(RECORD + "P1", headers=asking(OWNER)).status_code == 428
    assert client.delete(RECORD + "P1", headers=asking(OWNER, **{"If-Match": '"1"'})).status_code == 200
    assert client.get(RECORD + "P1", headers=asking(READER)).status_code == 404


def test_who_is_not_authoritative_is_pointed_to_a_proposal(client: TestClient, province: Province) -> None:
    for caller in (EVERYTHING.replace("H10.02", "H10.12"), "VN/GOV/H10.99/khac"):
        assert patch(client, "P1", {"children": 9}, caller, **{"If-Match": '"1"'}).status_code == 403
    answer = patch(client, "P1", {"children": 9}, READER, **{"If-Match": '"1"'})
    assert (answer.status_code, answer.json()["rule"]) == (403, "not_authoritative")
    assert client.patch(RECORD + "P1", json={"values": {}}).status_code == 401


def test_a_row_outside_the_agreement_does_not_exist_for_a_writer(client: TestClient) -> None:
    there = patch(client, "P3", {"born_on": "1990-02-02"}, PART, **{"If-Match": '"1"'})
    missing = patch(client, "P77", {"born_on": "1990-02-02"}, PART, **{"If-Match": '"1"'})
    assert there.status_code == missing.status_code == 403  # decided before anything is read


CANNOT: list[tuple[Any, int]] = [
    ({"values": {"nothing": 1}}, 422), ({"values": []}, 422), ({"values": {"children": [1]}}, 422), ({"values": {}}, 422), ([], 422),
    ({"values": {"children": 1}, "more": 1}, 422), ({"values": {"children": 1}, "version": "1"}, 400), ({"values": {"record_no": "P2"}}, 409),
    ({"values": {"full_name": "\x00"}}, 422), ({"values": {"full_name": "x" * 1_000_001}}, 413),
]  # fmt: skip


def test_a_body_that_cannot_be_used_is_refused(client: TestClient) -> None:
    for body, status in CANNOT:
        answer = client.patch(RECORD + "P1", json=body, headers=asking(OWNER, **{"If-Match": '"1"'}))
        assert answer.status_code == status, answer.text
