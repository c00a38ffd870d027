"""Rooms of events: types with a schema, publishing, pulling and pushing, each under the room's agreements, at both addresses."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
import standardwebhooks

from lienthong.access import ASSERTION_TYPE, make_assertion, new_key_pair
from lienthong.store.embedded import EmbeddedServer
from tests.conftest import fresh_database, open_folder
from tests.web.receiver import Receiver, receiving
from tests.web.served import Served, serving

ROOM, PUBLISHER, SUBSCRIBER, STRANGER = "VN/GOV/H10.11/su-kien", "VN/GOV/H10.03/ho-tich", "VN/GOV/H10.12/bhxh", "VN/GOV/H10.13/khac"
OURS, THEIRS = "/v1/rooms/H10.11/su-kien", "/govstack/r1/VN/GOV/H10.11/su-kien"
BIRTH = {
    "type": "object",
    "required": ["dateTime", "gender"],
    "properties": {"dateTime": {"type": "string", "format": "date-time"}, "gender": {"enum": ["M", "F"]}, "n": {"type": "integer"}},
    "additionalProperties": False,
}
PATIENCE = {"LIENTHONG_WORKER": "1", "LIENTHONG_WEBHOOK_NETWORKS": "127.0.0.0/8", "LIENTHONG_WEBHOOK_RETRY_SECONDS": "1,1"}


class Town:
    """A served room and the tokens of who comes to it."""

    def __init__(self, served: Served, keys: dict[str, Any]) -> None:
        self.served = served
        self.clients = {who: httpx.Client(base_url=served.base, headers=self._headers(who, key), timeout=120) for who, key in keys.items()}

    def _headers(self, who: str, key: Any) -> dict[str, str]:
        endpoint = self.served.base + "/oauth/token"
        assertion = make_assertion(key, who, endpoint, datetime.now(UTC))
        form = {"grant_type": "client_credentials", "client_assertion_type": ASSERTION_TYPE, "client_assertion": assertion}
        token = httpx.post(endpoint, data=form).raise_for_status().json()["access_token"]
        return {
            "Authorization": f"Bearer {token}",
            "Lienthong-Purpose": "ho-tich",
            "Lienthong-Official": "can-bo-01",
            "X-GovStack-Client": who,
        }

    def ask(self, who: str, method: str, path: str, document: Any = None, root: str = OURS) -> httpx.Response:
        return self.clients[who].request(method, root + path, json=document)

    def publish(self, n: int, root: str = OURS) -> str:
        event = {"dateTime": "2026-05-01T11:25:00+07:00", "gender": "F", "n": n}
        answer = self.ask(PUBLISHER, "POST", "/pub/v1/birth", {"eventType": "birth", "event": event}, root)
        assert answer.status_code == 201, answer.text
        id: str = answer.json()["id"]
        return id


@pytest.fixture(scope="module")
def town(postgres_server: EmbeddedServer) -> Iterator[Town]:
    keys, folder_of = {}, "agreements"
    with fresh_database(postgres_server) as url, open_folder() as folder:
        for number, who in enumerate((ROOM, PUBLISHER, SUBSCRIBER, STRANGER)):
            private, public = new_key_pair()
            keys[who] = private
            _write(
                folder / folder_of / "subsystems" / f"{number}.yaml",
                {"identifier": who, "title_vi": who, "title_en": who, "keys": [{"jwk": public}]},
            )
        for number, (who, endpoints) in enumerate(
            {
                PUBLISHER: ["* /pub/v1/birth", "* /pub/v1/birth/**"],
                SUBSCRIBER: ["* /api/v1/subs/**", "GET /api/v1/subs", "* /pull/v1/**"],
            }.items()
        ):
            _write(folder / folder_of / "agreements" / f"room-{number}.yaml", {
                "id": f"PHONG-{number}", "provider": "H10.11", "consumer": who, "service": "room.h10-11.su-kien", "state": "active", "endpoints": endpoints,
                "purposes": {"ho-tich": {"vi": "Hộ tịch", "en": "Civil status"}}, "legal_basis": "NĐ 278/2025", "term": {"from": "2020-01-01"},
            })  # fmt: skip
        with serving(url, folder, environment=PATIENCE) as served:
            found = Town(served, keys)
            assert found.ask(ROOM, "GET", "/api/v1/eventType").status_code == 204
            assert found.ask(ROOM, "POST", "/api/v1/eventType", {"eventType": "birth", "schema": BIRTH}).status_code == 200
            yield found


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    with receiving() as one:
        yield one


def _write(path: Path, document: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document, ensure_ascii=False), encoding="utf-8")


@pytest.fixture
def pulling(town: Town) -> Iterator[None]:
    town.ask(SUBSCRIBER, "DELETE", "/api/v1/subs/birth")
    assert town.ask(SUBSCRIBER, "POST", "/api/v1/subs/birth", {"delivery": "PULL", "options": {"FIFO": True}}).status_code == 200
    yield
    town.ask(SUBSCRIBER, "DELETE", "/api/v1/subs/birth")


@pytest.mark.usefixtures("pulling")
@pytest.mark.parametrize("root", [OURS, THEIRS])
def test_events_are_pulled_in_order_until_they_are_acknowledged(town: Town, root: str) -> None:
    ids = [town.publish(n, root) for n in range(3)]
    for id in ids:
        first = town.ask(SUBSCRIBER, "GET", "/pull/v1/birth", root=root)
        assert (first.status_code, first.json()["id"]) == (200, id)
        assert town.ask(SUBSCRIBER, "GET", "/pull/v1/birth", root=root).json() == first.json()
        assert first.json()["publisherId"]["applicationCode"] == "ho-tich"
        assert town.ask(SUBSCRIBER, "DELETE", f"/pull/v1/birth/{id}", root=root).status_code == 204
        assert town.ask(SUBSCRIBER, "DELETE", f"/pull/v1/birth/{id}", root=root).status_code == 404
    assert town.ask(SUBSCRIBER, "GET", "/pull/v1/birth", root=root).status_code == 404
    told = town.ask(PUBLISHER, "GET", f"/pub/v1/birth/{ids[0]}", root=root).json()
    assert [(each["subscriberId"]["applicationCode"], each["state"]) for each in told["deliveries"]] == [("bhxh", "acknowledged")]
    assert "event" not in told


@pytest.mark.usefixtures("pulling")
def test_out_of_order_two_workers_get_two_events(town: Town) -> None:
    assert town.ask(SUBSCRIBER, "PATCH", "/api/v1/subs/birth", {"options": {"FIFO": False}}).status_code == 201
    ids = {town.publish(n) for n in range(2)}
    assert {town.ask(SUBSCRIBER, "GET", "/pull/v1/birth").json()["id"] for _ in range(2)} == ids
    assert town.ask(SUBSCRIBER, "GET", "/pull/v1/birth").status_code == 404  # both are being worked on


@pytest.mark.usefixtures("pulling")
def test_a_stopped_event_and_one_past_its_time_are_not_given(town: Town) -> None:
    id = town.publish(1)
    assert town.ask(PUBLISHER, "DELETE", f"/pub/v1/birth/{id}").status_code == 204
    assert town.ask(PUBLISHER, "DELETE", f"/pub/v1/birth/{id}").status_code == 404
    assert town.ask(SUBSCRIBER, "GET", "/pull/v1/birth").status_code == 404
    assert town.ask(SUBSCRIBER, "PATCH", "/api/v1/subs/birth", {"options": {"TTL": 1}}).status_code == 201
    town.publish(2)
    with town.served.workshop.database.connect() as connection:
        connection.execute("update lienthong.room_deliveries set until = now() - interval '1 second' where state = 'waiting'")
    assert town.ask(SUBSCRIBER, "GET", "/pull/v1/birth").status_code == 404


@pytest.mark.parametrize(
    ("event", "place"),
    [({"gender": "F"}, "required"), ({"dateTime": "2026-05-01T11:25:00Z", "gender": "Bí mật"}, "gender"), ([], "type"), (None, "type"), ({"dateTime": "x", "gender": "F", "khac": 1}, "additionalProperties")],
)  # fmt: skip
def test_what_breaks_the_schema_is_told_by_place_never_by_value(town: Town, event: Any, place: str) -> None:
    answer = town.ask(PUBLISHER, "POST", "/pub/v1/birth", {"eventType": "birth", "event": event})
    assert answer.status_code == 400
    assert place in answer.json()["detail"]
    assert "mật" not in answer.text


def test_only_the_room_makes_types_and_only_whom_it_agreed_with_comes_in(town: Town) -> None:
    other = {"eventType": "death", "schema": {"type": "object"}}
    assert town.ask(PUBLISHER, "POST", "/api/v1/eventType", other).json()["rule"] == "not_the_owner"
    assert town.ask(ROOM, "POST", "/api/v1/eventType", {"eventType": "birth", "schema": {}}).status_code == 409
    assert (
        town.ask(ROOM, "POST", "/api/v1/eventType", {"eventType": "x", "schema": {"$ref": "http://127.0.0.1:1/schema"}}).status_code == 400
    )
    assert town.ask(ROOM, "POST", "/api/v1/eventType", {"eventType": "x", "schema": {"type": "nothing"}}).status_code == 400
    assert town.ask(ROOM, "POST", "/api/v1/eventType", other).status_code == 200
    event = {"eventType": "death", "event": {}}
    assert town.ask(PUBLISHER, "POST", "/pub/v1/death", event).json()["rule"] == "other_endpoint"
    assert town.ask(SUBSCRIBER, "POST", "/pub/v1/birth", {"eventType": "birth", "event": {}}).json()["rule"] == "other_endpoint"
    assert town.ask(STRANGER, "GET", "/pull/v1/birth").json()["rule"] == "no_agreement"
    assert httpx.get(f"{town.served.base}{OURS}/pull/v1/birth").status_code == 401
    assert httpx.get(f"{town.served.base}{THEIRS}/pull/v1/birth", headers={"X-GovStack-Client": SUBSCRIBER}).status_code == 401
    assert town.ask(SUBSCRIBER, "GET", "/pull/v1/birth", root="/v1/rooms/H10.11/khong-co").status_code == 404
    assert town.ask(ROOM, "DELETE", "/api/v1/eventType/death").status_code == 204
    assert town.ask(ROOM, "DELETE", "/api/v1/eventType/death").status_code == 404


def test_an_event_is_pushed_signed_and_again_until_it_arrives(town: Town, receiver: Receiver) -> None:
    assert town.ask(SUBSCRIBER, "POST", "/api/v1/subs/birth", {"options": {"url": "http://10.1.2.3/x"}}).status_code == 422
    receiver.answer("/sinh", 500)
    made = town.ask(SUBSCRIBER, "POST", "/api/v1/subs/birth", {"options": {"url": f"{receiver.base}/sinh", "FIFO": True}}).json()
    ids = [town.publish(n) for n in (7, 8)]
    refused = receiver.take("/sinh")
    receiver.answer("/sinh", 204)
    arrived = [receiver.take("/sinh") for _ in ids]
    assert [each.id for each in (refused, *arrived)] == [ids[0], *ids]
    told = standardwebhooks.Webhook(made["secret"]).verify(arrived[0].body, arrived[0].headers)
    assert (told["event"]["n"], told["eventType"]) == (7, "birth")
    assert "secret" not in town.ask(SUBSCRIBER, "GET", "/api/v1/subs/birth").json()
    assert town.ask(SUBSCRIBER, "GET", "/pull/v1/birth").status_code == 409
    sent = [body for body in town.served.bodies() if body["event"] == "room:event:sent"]
    assert [body["details"]["attempt"] for body in sent] == [1, 2, 1]
    assert town.ask(SUBSCRIBER, "DELETE", "/api/v1/subs/birth").status_code == 204
    assert town.ask(SUBSCRIBER, "DELETE", "/api/v1/subs/birth").status_code == 404


def test_bodies_everyone_is_through_with_are_not_kept(town: Town) -> None:
    from lienthong.store import rooms

    id = town.publish(9)
    now = datetime.now(UTC)
    with town.served.workshop.database.connect() as connection:
        rooms.let_go(connection, now, now)
        kept = connection.execute("select body, publisher from lienthong.room_events where event = %s", (id,)).fetchone()
    assert kept == (None, PUBLISHER)
    assert town.served.verdict().ok
