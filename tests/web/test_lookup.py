"""Look-ups by key: what each caller sees of a record, and what each look-up leaves in the ledger."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from lienthong.access import Quota, Register
from tests.conftest import fresh_database
from tests.factories import START
from tests.web.counters import AGREEMENTS, EVERYTHING, OWNER, PART, READER, ROWS, SENDER, Province, asking, entries, make_app, make_province

PERSON = "/v1/datasets/test.people/records"
CODE = "/v1/datasets/test.codes/records"


@pytest.fixture(scope="module")
def province(postgres_server: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Province]:
    with fresh_database(postgres_server) as url:
        made = make_province(url, Path(tmp_path_factory.mktemp("province")))
        made.publish_people([("P1", "Nguyễn Thị An", "07/03/1980", 3), *ROWS[1:]])
        yield made


@pytest.fixture(scope="module")
def client(province: Province) -> Iterator[TestClient]:
    with TestClient(make_app(province)) as opened:
        yield opened


def last(province: Province) -> dict[str, Any]:
    return entries(province)[-1]


def test_a_record_tells_three_kinds_of_missing_value_apart(client: TestClient) -> None:
    answer = client.get(f"{PERSON}/P5", headers=asking(READER))
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    assert answer.json() == {
        "key": "P5",
        "version": 1,
        "valid_from": "2026-07-01",
        "values": {"record_no": "P5", "full_name": "Phạm Thị Em", "born_on": None, "children": None, "phone": None},
        "withheld": [],
        "not_delivered": ["phone"],
    }


def test_masks_and_withheld_fields_hold_on_the_hot_path_too(client: TestClient) -> None:
    found = client.get(f"{PERSON}/P1", headers=asking(PART)).json()
    assert found["values"] == {"record_no": "P1", "full_name": "N. T. A.", "born_on": "1980"}
    assert found["withheld"] == ["children", "phone"]


def test_a_row_outside_the_filter_is_as_if_it_were_not_there(client: TestClient) -> None:
    outside, nowhere = (client.get(f"{PERSON}/{key}", headers=asking(PART)) for key in ("P3", "P999"))
    assert (outside.status_code, outside.json()) == (nowhere.status_code, nowhere.json())
    assert outside.status_code == 404


@pytest.mark.parametrize(("caller", "key"), [(READER, "P1"), (PART, "P1"), (PART, "P2"), (EVERYTHING, "P5")])
def test_both_roads_give_the_same_record(client: TestClient, caller: str, key: str) -> None:
    hot = client.get(f"{PERSON}/{key}", headers=asking(caller)).json()
    routed = client.get(f"{PERSON}/{key}", params={"known_at": "2026-12-31T00:00:00Z"}, headers=asking(caller)).json()
    assert routed == hot


def test_a_record_can_be_asked_for_as_it_was_known(client: TestClient, province: Province) -> None:
    with province.workshop.database.connect() as connection:
        first = connection.execute("select known_at from lienthong.versions where dataset_id = 'test.people' and version = 1").fetchone()
    assert first is not None
    then = client.get(
        f"{PERSON}/P1", params={"known_at": (first[0] + timedelta(milliseconds=1)).isoformat()}, headers=asking(READER)
    ).json()
    assert (then["version"], then["values"]["children"]) == (1, 2)
    now = client.get(f"{PERSON}/P1", headers=asking(READER)).json()
    assert (now["version"], now["values"]["children"]) == (2, 3)
    before = client.get(f"{PERSON}/P1", params={"known_at": START.isoformat()}, headers=asking(READER))
    assert before.status_code == 404


def test_fields_asked_for_are_the_fields_given(client: TestClient) -> None:
    found = client.get(f"{PERSON}/P1", params={"fields": "children,record_no"}, headers=asking(READER)).json()
    assert list(found["values"]) == ["children", "record_no"]


@pytest.mark.parametrize(("name", "value"), [("as_of", "31/02/2026"), ("known_at", "yesterday"), ("fields", "nothing"), ("limit", "3")])
def test_a_parameter_that_makes_no_sense_is_named(client: TestClient, name: str, value: str) -> None:
    answer = client.get(f"{PERSON}/P1", params={name: value}, headers=asking(READER))
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"


def test_the_entry_says_who_why_what_and_holds_no_personal_data(client: TestClient, province: Province) -> None:
    answer = client.get(f"{PERSON}/P1", headers=asking(PART))
    entry = last(province)
    assert entry["event"] == "answer:record:given"
    assert (entry["caller"], entry["official"], entry["purpose"]) == (PART, "can-bo-01", "xet-tro-cap")
    assert (entry["agreement"], entry["legal_basis"], entry["dataset"], entry["version"]) == (
        "TT-mot-phan",
        "NĐ 278/2025",
        "test.people",
        2,
    )
    assert entry["fields"] == ["record_no", "full_name", "born_on"]
    assert entry["answer_digest"] == hashlib.sha256(answer.content).hexdigest()
    assert "P1" not in json.dumps(entry)
    assert "1980" not in json.dumps(entry)


def test_what_is_not_found_is_an_entry_about_the_same_subject(client: TestClient, province: Province) -> None:
    subjects = []
    for parameters in ({}, {"as_of": "2026-07-01"}):
        assert client.get(f"{PERSON}/P404", params=parameters, headers=asking(READER)).status_code == 404
        entry = last(province)
        assert (entry["event"], entry["outcome"]) == ("answer:record:missing", "missing")
        subjects.append(entry["subject"])
    assert subjects[0] == subjects[1]


@pytest.mark.parametrize(
    ("caller", "headers", "status", "rule"),
    [
        (SENDER, {}, 403, "other_operation"),
        (OWNER, {"Lienthong-Purpose": ""}, 403, "no_purpose"),
        (OWNER, {"Lienthong-Official": ""}, 403, "no_official"),
        ("VN/GOV/H10.12/khac", {}, 403, "no_agreement"),
        (READER, {"Lienthong-Purpose": ""}, 403, "no_purpose"),
        (READER, {"Lienthong-Purpose": "to-mo"}, 403, "other_purpose"),
        (READER, {"Lienthong-Official": ""}, 403, "no_official"),
        (READER, {"Authorization": "Bearer abc"}, 401, None),
        (READER, {"Authorization": "Basic abc"}, 401, None),
        (READER, {"Authorization": "Bearer "}, 401, None),
    ],
)
@pytest.mark.parametrize("parameters", [{}, {"fields": "record_no"}], ids=["hot", "routed"])
def test_a_denial_names_its_rule_and_is_in_the_ledger_first(
    client: TestClient, province: Province, caller: str, headers: dict[str, str], status: int, rule: str | None, parameters: dict[str, str]
) -> None:  # fmt: skip
    answer = client.get(f"{PERSON}/P1", params=parameters, headers=asking(caller) | headers)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json().get("rule") == rule
    assert ("www-authenticate" in answer.headers) == (status == 401)
    entry = last(province)
    assert (entry["event"], entry["outcome"]) == ("answer:request:denied", rule or "unauthenticated")


@pytest.mark.parametrize("header", ["Lienthong-Purpose", "Lienthong-Official"])
def test_a_denial_says_in_vietnamese_too_what_to_do_next(client: TestClient, header: str) -> None:
    told = client.get(f"{PERSON}/P1", headers=asking(READER, **{header: ""})).json()
    assert header in told["hint"]
    assert header in told["hint_vi"]
    assert told["hint"] != told["hint_vi"]


@pytest.mark.parametrize("parameters", [{}, {"fields": "record_no,full_name"}], ids=["hot", "routed"])
def test_a_body_reads_back_what_it_delivered_without_an_agreement_and_it_is_in_the_ledger(
    client: TestClient, province: Province, parameters: dict[str, str]
) -> None:  # fmt: skip
    answer = client.get(f"{PERSON}/P1", params=parameters, headers=asking(OWNER))
    assert (answer.status_code, answer.json()["withheld"]) == (200, [])
    entry = last(province)
    assert (entry["event"], entry["caller"], entry["legal_basis"]) == ("answer:record:given", OWNER, "Nghị định 194/2025/NĐ-CP điều 16.1")


def test_nobody_in_particular_sees_open_data_only(client: TestClient) -> None:
    assert client.get(f"{CODE}/01").json()["values"] == {"code": "01", "label": "Một"}
    assert client.get(f"{PERSON}/P1").status_code == 401


def test_a_dataset_that_is_not_there_is_not_found(client: TestClient) -> None:
    for path in ("/v1/datasets/test.nothing/records/P1", "/v1/datasets/test.nothing/records/P1?fields=a"):
        answer = client.get(path, headers=asking(READER))
        assert (answer.status_code, answer.json()["code"]) == (404, "not-found")


def test_a_quota_ends_and_says_when_to_come_back(province: Province) -> None:
    limited = tuple(replace(a, quota=Quota(per_minute=2, per_day=100)) for a in AGREEMENTS)
    app = make_app(province)
    app._services.register = Register({}, limited)
    with TestClient(app) as client:
        answers = [client.get(f"{PERSON}/P1", headers=asking(READER)) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[2].json()["code"] == "quota-exceeded"
    assert int(answers[2].headers["retry-after"]) >= 1


def test_a_daily_quota_outlives_the_process(province: Province) -> None:
    limited = tuple(replace(a, id=f"{a.id}-day", quota=Quota(per_day=3)) for a in AGREEMENTS)
    statuses = []
    for _ in range(2):
        app = make_app(province)
        app._services.register = Register({}, limited)
        with TestClient(app) as client:
            statuses += [client.get(f"{PERSON}/P1", headers=asking(READER)).status_code for _ in range(2)]
    assert statuses == [200, 200, 200, 429]
