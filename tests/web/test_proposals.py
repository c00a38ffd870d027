"""A correction proposed reaches the agency that decides, with a clock; it shows its maker nothing that their agreement does not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from lienthong.access import Actor, Role
from lienthong.errors import Conflict, Denied, NotFound
from lienthong.pipeline import proposing
from lienthong.pipeline.proposing import Evidence, Wish
from lienthong.pipeline.writing import Manner
from lienthong.store import events
from tests.templates import Template
from tests.web.counters import OWNER, PART, READER, Province, asking, copied_province, entries, make_app

PROPOSALS = "/v1/proposals"
RECORD = "/v1/datasets/test.people/records/"


@pytest.fixture
def province(counters_template: Template, tmp_path: Path) -> Iterator[Province]:
    with copied_province(counters_template, tmp_path) as copy:
        yield copy


@pytest.fixture
def client(province: Province) -> Iterator[TestClient]:
    with TestClient(make_app(province)) as opened:
        yield opened


def propose(client: TestClient, caller: str = READER, key: str = "P1", **more: Any) -> Any:
    document = {"dataset": "test.people", "key": key, "values": {"children": 4}, "reason": "Có giấy khai sinh"}
    return client.post(PROPOSALS, json={**document, **more}, headers=asking(caller))


def send(client: TestClient, path: str, document: Any, caller: str = OWNER) -> Any:
    return client.post(f"{PROPOSALS}/{path}", json=document, headers=asking(caller))


def test_a_proposal_reaches_the_owner_and_accepted_is_the_owners_act(client: TestClient, province: Province) -> None:
    made = propose(client, evidence={"document": "GKS-12/2026"}).json()["proposals"][0]
    assert (made["state"], made["owner"], made["due_on"]) == ("open", "H10.02", "2026-07-08")  # five working days
    waiting = client.get(PROPOSALS, headers=asking(OWNER)).json()["proposals"]
    assert [(p["proposal"], p["by"]["agency"], p["evidence"]) for p in waiting] == [
        (made["proposal"], "H10.12", {"document": "GKS-12/2026"})
    ]
    seen = client.get(f"{PROPOSALS}/{made['proposal']}", headers=asking(OWNER)).json()
    assert seen["standing"] == {"version": 1, "values": {"children": 2}}
    done = send(client, f"{made['proposal']}/accept", {"version": 1}).json()
    assert (done["state"], done["dataset_version"]) == ("accepted", 2)
    assert client.get(RECORD + "P1", headers=asking(READER)).json()["values"]["children"] == 4
    found = [e for e in entries(province) if e["event"] in ("record:values:written", "correction:values:accepted")]
    assert {e["event"] for e in found} == {"record:values:written", "correction:values:accepted"}
    assert {e["details"]["proposal"] for e in found} == {made["proposal"]}
    assert len({e["subject"] for e in found}) == 1
    with province.workshop.database.connect() as connection:
        events.put_in_order(connection)
        left = events.read(connection, 0, 100)
        told = [e for e in left if e.type == "correction:accepted"]
    assert [(e.data["consumer"], e.data["state"]) for e in told] == [(READER, "accepted")]
    assert send(client, f"{made['proposal']}/accept", {"version": 2}).status_code == 409
    assert [e.data["due_on"] for e in left if e.type == "correction:proposed"]  # the agency that decides was told until when


def test_accepting_what_one_did_not_see_writes_nothing(client: TestClient) -> None:
    number = propose(client).json()["proposals"][0]["proposal"]
    client.patch(RECORD + "P1", json={"values": {"children": 9}}, headers=asking(OWNER, **{"If-Match": '"1"'}))
    answer = send(client, f"{number}/accept", {"version": 1})
    assert (answer.status_code, answer.json()["current"]["children"]) == (409, 9)
    assert client.get(f"{PROPOSALS}/{number}", headers=asking(READER)).json()["state"] == "open"


def test_a_refusal_needs_a_reason_and_is_told(client: TestClient) -> None:
    number = propose(client).json()["proposals"][0]["proposal"]
    assert send(client, f"{number}/refuse", {"reason": " "}).status_code == 422
    assert send(client, f"{number}/refuse", {"reason": "Giấy không hợp lệ"}).json()["state"] == "refused"
    seen = client.get(PROPOSALS, params={"side": "made"}, headers=asking(READER)).json()["proposals"]
    assert [(p["state"], p["words"]) for p in seen] == [("refused", "Giấy không hợp lệ")]


def test_only_its_maker_withdraws_and_only_the_owner_decides(client: TestClient) -> None:
    number = propose(client).json()["proposals"][0]["proposal"]
    assert send(client, f"{number}/withdraw", {}).status_code == 403
    assert send(client, f"{number}/accept", {"version": 1}, READER).status_code == 403
    assert send(client, f"{number}/refuse", {"reason": "x"}, READER).status_code == 403
    assert client.get(f"{PROPOSALS}/{number}", headers=asking(PART)).status_code == 404
    assert send(client, f"{number}/withdraw", {}, READER).json()["state"] == "withdrawn"
    assert send(client, f"{number}/accept", {"version": 1}).status_code == 409


def test_a_proposal_shows_its_maker_nothing_of_what_stands(client: TestClient) -> None:
    made = propose(client, PART, "P1", values={"full_name": "Nguyễn Thị Anh"}).json()["proposals"][0]
    seen = client.get(f"{PROPOSALS}/{made['proposal']}", headers=asking(PART)).json()
    assert "standing" not in seen
    assert "Nguyễn Thị An," not in str(seen)
    assert propose(client, PART, "P1", values={"children": 3}).status_code == 403  # not among its fields
    hidden, missing = (propose(client, PART, key, values={"full_name": "Lê"}) for key in ("P3", "P77"))
    assert (
        (hidden.status_code, hidden.json()["detail"]) == (missing.status_code, missing.json()["detail"]) == (404, missing.json()["detail"])
    )
    whole = {"record_no": "P3", "full_name": "Lê"}
    begun = [propose(client, PART, key, values={**whole, "record_no": key}).json()["proposals"][0]["kind"] for key in ("P3", "P77")]
    assert begun == ["begin", "begin"]


def test_what_is_past_its_day_is_on_the_list_of_the_overdue(client: TestClient, province: Province) -> None:
    propose(client)
    assert client.get(PROPOSALS, params={"overdue": "true"}, headers=asking(OWNER)).json()["proposals"] == []
    with province.workshop.database.connect() as connection:
        connection.execute("update lienthong.correction_proposals set due_on = date '2026-06-30'")
    late = client.get(PROPOSALS, params={"overdue": "true"}, headers=asking(OWNER)).json()["proposals"]
    assert [p["overdue"] for p in late] == [True]


def test_a_change_of_what_others_decide_over_becomes_a_proposal(client: TestClient) -> None:
    document = {"values": {"children": 4}, "reason": "Có giấy khai sinh"}
    answer = client.patch(RECORD + "P1", json=document, headers=asking(READER, **{"If-Match": '"1"'}))
    assert answer.status_code == 200
    assert [(v["field"], v["fate"], v["owner"]) for v in answer.json()["verdicts"]] == [("children", "proposed", "H10.02")]
    assert len(client.get(PROPOSALS, headers=asking(OWNER)).json()["proposals"]) == 1


CANNOT: list[tuple[dict[str, Any], int]] = [
    ({"reason": " "}, 422), ({"values": {}}, 422), ({"values": {"nothing": 1}}, 422), ({"values": {"born_on": "31/02/2001"}}, 422),
    ({"dataset": "no"}, 404), ({"evidence": {"record": {"dataset": "test.people", "key": "P1"}}}, 422), ({"evidence": []}, 422),
    ({"end": True}, 422), ({"more": 1}, 422),
]  # fmt: skip


def test_what_cannot_be_proposed_is_told(client: TestClient) -> None:
    for more, status in CANNOT:
        assert propose(client, **more).status_code == status, more


def test_the_same_is_not_proposed_twice(client: TestClient) -> None:
    assert propose(client).status_code == 200
    assert propose(client, values={"children": 5}).status_code == 409
    assert propose(client, values={"phone": "0912345678"}).status_code == 200


def test_a_citizen_proposes_about_what_they_may_see(province: Province) -> None:
    citizen = Actor("cong-dan-01", "", frozenset({Role.CITIZEN}))
    other = Actor("cong-dan-02", "", frozenset({Role.CITIZEN}))
    wish = Wish("P1", {"full_name": "Nguyễn Thị Anh"}, "Sai tên đệm", Evidence("Ảnh giấy tờ"), fields=("full_name",))
    made = proposing.propose(province.workshop, province.people, wish, citizen, Manner("citizen"), lambda day: day)[0]
    assert (made.by_agency, made.by_name) == ("", "cong-dan-01")
    assert proposing.find(province.workshop, made.proposal, citizen).state == "open"
    with pytest.raises(NotFound):
        proposing.find(province.workshop, made.proposal, other)
    with pytest.raises(Denied):
        proposing.withdraw(province.workshop, made, other, Manner())
    with pytest.raises(Denied):
        proposing.propose(
            province.workshop, province.people, Wish("P1", {"phone": "1"}, "x", fields=("full_name",)), citizen, Manner(), lambda day: day
        )
    proposing.withdraw(province.workshop, made, citizen, Manner())
    with pytest.raises(Conflict):
        proposing.withdraw(province.workshop, made, citizen, Manner())


def test_a_record_that_should_end_is_ended_by_its_owner(client: TestClient) -> None:
    made = client.post(
        PROPOSALS, json={"dataset": "test.people", "key": "P2", "end": True, "reason": "Trùng"}, headers=asking(READER)
    ).json()["proposals"][0]
    assert send(client, f"{made['proposal']}/accept", {"version": 1}).json()["state"] == "accepted"
    assert client.get(RECORD + "P2", headers=asking(READER)).status_code == 404
