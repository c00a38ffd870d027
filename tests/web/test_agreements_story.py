"""A story through HTTP with a real server: denied, asked for, granted, used, suspended at every door, ended, and all of it proved."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from lienthong.access import ASSERTION_TYPE, make_assertion, new_key_pair
from tests.conftest import fresh_database
from tests.web.served import CALLER, DATASET, RECORDS, Served, serving

PROVIDER = "VN/GOV/H10.10/nguon"
ONE = f"{RECORDS}/1%2FGP-UBND"
DOORS = (ONE, f"{ONE}?fields=holder", RECORDS, f"/v1/datasets/{DATASET}/changes")
SOON = timedelta(seconds=2)


@dataclass
class Party:
    """One side with its token."""

    client: httpx.Client

    def post(self, path: str, **body: Any) -> httpx.Response:
        return self.client.post(path, json=body)

    def get(self, path: str, **more: Any) -> httpx.Response:
        return self.client.get(path, **more)


@pytest.fixture(scope="module")
def served(postgres_server: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with fresh_database(postgres_server) as url, serving(url, tmp_path_factory.mktemp("served")) as running:
        yield running


@pytest.fixture(scope="module")
def provider(served: Served) -> Iterator[Party]:
    """The owner's system, made known to the server while it runs."""
    private, public = new_key_pair()
    subsystem = {"identifier": PROVIDER, "title_vi": "Nguồn", "title_en": "Source", "keys": [{"jwk": public}]}
    (served.folder / "agreements/subsystems/two.yaml").write_text(json.dumps(subsystem), "utf-8")
    with httpx.Client(base_url=served.base, headers={**token_of(served, private), "Lienthong-Official": "can-bo-cho"}) as client:
        yield Party(client)


@pytest.fixture(scope="module")
def consumer(served: Served) -> Iterator[Party]:
    with httpx.Client(base_url=served.base, headers=served.headers()) as client:
        yield Party(client)


def token_of(served: Served, private: Mapping[str, Any]) -> dict[str, str]:
    endpoint = served.base + "/oauth/token"
    until = datetime.now(UTC) + timedelta(seconds=10)
    while True:
        form = {
            "grant_type": "client_credentials", "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": make_assertion(private, PROVIDER, endpoint, datetime.now(UTC)),
        }  # fmt: skip
        answer = httpx.post(endpoint, data=form)
        if answer.status_code == 200:
            return {"Authorization": f"Bearer {answer.json()['access_token']}"}
        assert datetime.now(UTC) < until, answer.text


def becomes(consumer: Party, path: str, status: int, purpose: str) -> httpx.Response:
    until = datetime.now(UTC) + SOON
    while (answer := consumer.get(path, headers={"Lienthong-Purpose": purpose})).status_code != status:
        assert datetime.now(UTC) < until, (path, answer.status_code, answer.text)
    return answer


def test_from_a_denial_to_the_end(served: Served, provider: Party, consumer: Party) -> None:
    denied = consumer.get(RECORDS, headers={"Lienthong-Purpose": "thong-ke"})
    assert denied.status_code == 403
    way_out = denied.json()["request"]
    filed = consumer.client.request(way_out["method"], way_out["href"], json=way_out["body"])
    assert (filed.status_code, filed.json()["state"]) == (200, "requested")
    id = filed.json()["id"]
    again = consumer.client.request(way_out["method"], way_out["href"], json=way_out["body"])
    assert (again.status_code, id in again.json()["detail_en"]) == (409, True)

    due = provider.get("/v1/agreements/deadlines").json()["deadlines"]
    assert [(each["agreement"], each["what"], each["overdue"]) for each in due] == [(id, "answer", False)]
    assert id in [each["id"] for each in provider.get("/v1/agreements?state=requested").json()["agreements"]]

    granted = provider.post(f"/v1/agreements/{id}/grant", reason="đúng thẩm quyền")
    assert (granted.status_code, granted.json()["state"]) == (200, "active"), granted.text
    given = becomes(consumer, RECORDS, 200, "thong-ke").json()
    assert set(given["records"][0]["values"]) == {"licence_no", "holder"}
    assert provider.post(f"/v1/agreements/{id}/grant", reason="lần nữa").status_code == 409

    suspended = provider.post(f"/v1/agreements/{id}/suspend", reason="nghi dùng sai mục đích")
    assert suspended.json()["state"] == "suspended"
    refused = becomes(consumer, RECORDS, 403, "thong-ke").json()
    assert (refused["rule"], refused["agreement"], refused["clause"]) in {
        ("not_active", id, "state"),
        ("other_purpose", "TT-1", "purposes"),
    }

    assert provider.post(f"/v1/agreements/{id}/demand-usage", reason="cần rõ việc dùng").status_code == 200
    assert [each["what"] for each in consumer.get("/v1/agreements/deadlines").json()["deadlines"]] == ["usage"]
    usage = provider.get(f"/v1/agreements/{id}/usage").json()
    assert usage["answers"] >= 1
    assert usage["purposes"] == {"thong-ke": usage["answers"]}
    assert consumer.post(f"/v1/agreements/{id}/report-usage", reason="tổng hợp báo cáo quý").status_code == 200

    assert consumer.post(f"/v1/agreements/{id}/end", reason="xong việc").status_code == 422  # what becomes of copies?
    assert consumer.post(f"/v1/agreements/{id}/end", reason="xong việc", copies="destroyed").json()["state"] == "ended"
    assert [each["what"] for each in consumer.get("/v1/agreements/deadlines").json()["deadlines"]] == ["destruction"]
    assert provider.post(f"/v1/agreements/{id}/confirm-destruction", reason="x").status_code == 403
    assert consumer.post(f"/v1/agreements/{id}/confirm-destruction", reason="đã hủy, biên bản 12").status_code == 200
    assert consumer.get("/v1/agreements/deadlines").json()["deadlines"] == []
    again = consumer.post(f"/v1/agreements/{id}/confirm-destruction", reason="hủy lại")
    assert again.status_code == 409
    assert "đã hủy, biên bản 12" in again.json()["detail"]
    assert again.json()["said_at"]

    history = consumer.get(f"/v1/agreements/{id}/history").json()
    assert [step["act"] for step in history["steps"]] == [
        "request", "grant", "activate", "suspend", "demand_usage", "report_usage", "end", "confirm_destruction",
    ]  # fmt: skip
    verdict = served.verdict()
    assert verdict.ok, verdict.en


def test_a_suspended_agreement_refuses_at_every_door_within_two_seconds(provider: Party, consumer: Party) -> None:
    body = consumer.get(RECORDS, headers={"Lienthong-Purpose": "kiem-tra"}).json()["request"]["body"]
    filed = consumer.post("/v1/agreements", **{**body, "operations": ["look_up", "list", "changes", "bulk"]})
    id = filed.json()["id"]
    assert provider.post(f"/v1/agreements/{id}/grant", reason="đúng").json()["state"] == "active"
    for path in DOORS:
        becomes(consumer, path, 200, "kiem-tra")
    assert provider.post(f"/v1/agreements/{id}/suspend", reason="bảo trì").json()["state"] == "suspended"
    since = datetime.now(UTC)
    for path in DOORS:
        becomes(consumer, path, 403, "kiem-tra")
    assert datetime.now(UTC) - since < SOON
    assert provider.post(f"/v1/agreements/{id}/resume", reason="xong bảo trì").json()["state"] == "active"
    for path in DOORS:
        becomes(consumer, path, 200, "kiem-tra")


def test_a_forced_stop_refuses_everybody_and_is_public(served: Served, provider: Party, consumer: Party) -> None:
    now = datetime.now(UTC)
    body = {"dataset": DATASET, "begins_at": now.isoformat(), "ends_at": (now + timedelta(hours=2)).isoformat(), "reason": "mất điện"}
    too_soon = provider.post("/v1/planned-stops", **body)
    assert too_soon.status_code == 422
    assert consumer.post("/v1/planned-stops", **body, forced=True).status_code == 403
    stop = provider.post("/v1/planned-stops", **body, forced=True).json()["stop"]
    refused = becomes(consumer, ONE, 503, "tra-cuu")
    assert (refused.json()["code"], int(refused.headers["retry-after"]) > 7_000) == ("stopped", True)
    (listed,) = httpx.get(served.base + "/v1/planned-stops").json()["stops"]
    assert (listed["stop"], listed["forced"], listed["under_way"]) == (stop, True, True)
    assert provider.post(f"/v1/planned-stops/{stop}/withdraw", reason="có điện lại").status_code == 200
    becomes(consumer, ONE, 200, "tra-cuu")
    assert httpx.get(served.base + "/v1/planned-stops").json()["stops"] == []


def test_an_officer_is_told_what_a_caller_would_get(provider: Party, consumer: Party) -> None:
    asked = {"dataset": DATASET, "caller": CALLER, "purpose": "tra-cuu", "official": "can-bo-01"}
    told = provider.get("/v1/access/explain", params=asked).json()
    assert (told["allowed"], told["agreement"]) == (True, "TT-1")
    assert {(line["field"], line["shown"], line["clause"]) for line in told["fields"]} == {
        ("licence_no", "whole", "fields"), ("holder", "whole", "fields"),
    }  # fmt: skip
    refused = consumer.get("/v1/access/explain", params=asked | {"purpose": "khac"}).json()
    assert (refused["allowed"], refused["rule"], refused["clause"], refused["fields"]) == (False, "other_purpose", "purposes", [])
    assert consumer.get("/v1/access/explain", params=asked | {"caller": "VN/GOV/H10.99/khac"}).status_code == 403


def test_the_operators_file_and_its_removal_are_acts(served: Served, provider: Party) -> None:
    path = served.folder / "agreements/agreements/two.yaml"
    body = json.loads((served.folder / "agreements/agreements/one.yaml").read_text("utf-8"))
    path.write_text(json.dumps({**body, "id": "TT-2"}), "utf-8")
    assert state_becomes(provider, "TT-2", "active")["origin"] == "file"
    path.unlink()
    state_becomes(provider, "TT-2", "ended")
    assert [step["act"] for step in provider.get("/v1/agreements/TT-2/history").json()["steps"]] == ["declare", "end"]


def state_becomes(party: Party, id: str, state: str) -> Any:
    until = datetime.now(UTC) + SOON * 2
    while True:
        answer = party.get(f"/v1/agreements/{id}")
        if answer.status_code == 200 and answer.json()["state"] == state:
            return answer.json()
        assert datetime.now(UTC) < until, answer.text
