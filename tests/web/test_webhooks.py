"""Events are sent to subscribers: signed, in order, none missed, whatever becomes of the subscriber, the agreement or the worker."""

from __future__ import annotations

import base64
import json
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cloudevents.core.formats.json as json_format
import httpx
import pytest
import standardwebhooks
import yaml
from cloudevents.core.v1.event import CloudEvent
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from lienthong.pipeline import run_dataset
from lienthong.store.embedded import EmbeddedServer
from tests import patience
from tests.conftest import fresh_database, open_folder
from tests.web.receiver import Received, Receiver, receiving
from tests.web.served import CALLER, DATASET, LICENCES, Served, serving

PATIENCE = {
    "LIENTHONG_WORKER": "1",
    "LIENTHONG_WEBHOOK_NETWORKS": "127.0.0.0/8",
    "LIENTHONG_WEBHOOK_RETRY_SECONDS": "1,1",
    "LIENTHONG_WEBHOOK_TIMEOUT_SECONDS": "5",
}


@pytest.fixture(scope="module")
def served(postgres_server: EmbeddedServer) -> Iterator[Served]:
    agreement = {"operations": ["changes"]}
    with (
        fresh_database(postgres_server) as url,
        open_folder() as folder,
        serving(url, folder, agreement=agreement, environment=PATIENCE, anew=True) as one,
    ):
        yield one


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    with receiving() as one:
        yield one


class Holders:
    """Deliveries of the register in which some holders are others than before."""

    def __init__(self) -> None:
        self.said: dict[int, str] = {}
        self.number = 0

    def change(self, served: Served, *licences: int) -> list[str]:
        """Publish a version in which these have new holders; their keys in the feed's order."""
        self.number += 1
        self.said |= dict.fromkeys(licences, f"Công ty lần {self.number}")
        lines = ["licence_no,holder", *(f"{n}/GP-UBND,{self.said.get(n, f'Công ty số {n}')}" for n in range(LICENCES))]
        (served.folder / "licences.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
        run_dataset(served.workshop, served.workshop.contracts[DATASET])
        return sorted(f"{n}/GP-UBND" for n in licences)


holders = Holders()


def subscribe(served: Served, receiver: Receiver, path: str, **more: Any) -> dict[str, Any]:
    wish = {"dataset": DATASET, "url": receiver.base + path, "types": ["record:*"], **more}
    answer = httpx.post(served.base + "/v1/subscriptions", json=wish, headers=served.headers())
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


def asked(served: Served, method: str, path: str, **more: Any) -> httpx.Response:
    return httpx.request(method, f"{served.base}/v1/subscriptions{path}", headers=served.headers(), **more)


def until(served: Served, id: str, holds: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """The subscription once something holds of it."""
    end = time.monotonic() + patience.SECONDS
    found: dict[str, Any] = {}
    while time.monotonic() < end:
        found = asked(served, "GET", f"/{id}").json()
        if holds(found):
            return found
        threading.Event().wait(0.1)
    raise AssertionError(found)


def end(served: Served, made: dict[str, Any]) -> None:
    assert asked(served, "DELETE", f"/{made['id']}").status_code == 204


def verify(made: dict[str, Any], received: Received) -> Any:
    """As an outside library does."""
    secret = next(each["secret"] for each in made["secrets"] if each["kind"] == "v1")
    return standardwebhooks.Webhook(secret).verify(received.body, received.headers)


def test_changes_come_signed_as_cloudevents_and_are_in_the_ledger(served: Served, receiver: Receiver) -> None:
    made = subscribe(served, receiver, "/whole", signatures=["v1", "v1a"], types=[])
    keys = holders.change(served, 3, 4)
    received = receiver.take("/whole")
    verify(made, received)
    assert received.headers["content-type"] == "application/cloudevents-batch+json"
    assert received.subjects[:2] == keys
    assert [event["type"] for event in received.events] == ["vn.lienthong.record.updated"] * 2 + ["vn.lienthong.version.published"]
    event = json_format.JSONFormat().read(CloudEvent, json.dumps(received.events[0]).encode())
    assert (event.get_subject(), event.get_type()) == (keys[0], "vn.lienthong.record.updated")
    assert event.get_source() == f"{served.base}/v1/datasets/{DATASET}"
    pair = next(each["secret"] for each in made["secrets"] if each["kind"] == "v1a")
    assert pair.startswith("whpk_")
    signature = next(part for part in received.headers["webhook-signature"].split() if part.startswith("v1a,"))
    content = f"{received.id}.{received.headers['webhook-timestamp']}.".encode() + received.body
    key = Ed25519PublicKey.from_public_bytes(base64.b64decode(pair.removeprefix("whpk_")))
    key.verify(base64.b64decode(signature.removeprefix("v1a,")), content)
    entry = next(body for body in reversed(served.bodies()) if body["event"] == "answer:events:given")
    assert (entry["caller"], entry["official"], entry["agreement"]) == (CALLER, "can-bo-01", "TT-1")
    assert (entry["details"]["delivery"], entry["details"]["road"]) == (received.id, "webhook")
    assert len(base64.b64decode(entry["details"]["subjects"])) == 2 * 8  # findable by both records
    assert keys[0] not in json.dumps(entry)
    assert "secret" not in json.dumps(asked(served, "GET", f"/{made['id']}").json())
    end(served, made)


def test_the_feed_equals_the_table_and_comes_in_order(served: Served, receiver: Receiver) -> None:
    made = subscribe(served, receiver, "/copy", **{"from": "beginning", "most": 37})
    copy: dict[str, str] = {}
    places: list[tuple[int, str]] = []

    def take() -> None:
        for event in receiver.take("/copy").events:
            data = event["data"]
            places.append((data["version"], data["key"]))
            assert (data["key"] in copy) == (data["op"] != "insert")
            copy[data["key"]] = data["record"]["values"]["holder"]

    while len(copy) < LICENCES:
        take()
    key = holders.change(served, 11)[0]
    while copy[key] != holders.said[11]:
        take()
    with served.workshop.database.connect() as connection:
        rows = connection.execute("select licence_no, holder from data.test_licences").fetchall()
    assert copy == dict(rows)
    assert places == sorted(places)
    assert len(places) == len(set(places))
    end(served, made)


def test_one_event_each_and_only_what_was_asked_for(served: Served, receiver: Receiver) -> None:
    conditions = [{"field": "licence_no", "operator": "in", "value": ["21/GP-UBND", "22/GP-UBND"]}]
    made = subscribe(served, receiver, "/one", form="one", conditions=conditions, types=["record:updated"])
    holders.change(served, 20, 21, 22)
    first, second = receiver.take("/one"), receiver.take("/one")
    assert first.headers["content-type"] == "application/cloudevents+json"
    assert [*first.subjects, *second.subjects] == ["21/GP-UBND", "22/GP-UBND"]
    assert receiver.at("/one").empty()
    end(served, made)


def test_a_failed_delivery_is_tried_again_under_the_same_id_and_order_is_kept(served: Served, receiver: Receiver) -> None:
    receiver.answer("/failing", 500)
    made = subscribe(served, receiver, "/failing", form="one")
    holders.change(served, 31, 32)
    first = receiver.take("/failing")
    receiver.answer("/failing", 204)
    second, third = receiver.take("/failing"), receiver.take("/failing")
    assert first.id == second.id != third.id
    assert first.body == second.body
    assert [*second.subjects, *third.subjects] == ["31/GP-UBND", "32/GP-UBND"]
    verify(made, second)
    log = asked(served, "GET", f"/{made['id']}/deliveries").json()["deliveries"]
    assert ("failed", 500, 1) in [(line["outcome"], line["status"], line["number"]) for line in log]
    end(served, made)


def test_what_is_given_up_is_a_dead_letter_that_can_be_replayed(served: Served, receiver: Receiver) -> None:
    receiver.answer("/dead", 500)
    made = subscribe(served, receiver, "/dead", form="one")
    holders.change(served, 41)
    tries = [receiver.take("/dead") for _ in range(3)]
    found = until(served, made["id"], lambda found: found["dead_letters"] == 1)
    assert found["state"] == "active"
    assert found["failing_since"] is not None
    receiver.answer("/dead", 204)
    holders.change(served, 42)
    assert receiver.take("/dead").subjects == ["42/GP-UBND"]  # what comes after does not wait for ever
    letters = asked(served, "GET", f"/{made['id']}/dead-letters").json()["dead_letters"]
    assert [(letter["delivery"], letter["attempts"], letter["reason"]) for letter in letters] == [(tries[0].id, 3, "status 500")]
    assert asked(served, "POST", f"/{made['id']}/dead-letters/replay", json={}).json() == {"replayed": [tries[0].id]}
    again = receiver.take("/dead")
    assert (again.id, again.subjects) == (tries[0].id, ["41/GP-UBND"])
    until(served, made["id"], lambda found: found["dead_letters"] == 0 and found["pending"] == 0)
    assert asked(served, "POST", f"/{made['id']}/dead-letters/replay", json={}).status_code == 404
    end(served, made)


def test_retry_after_is_honoured(served: Served, receiver: Receiver) -> None:
    receiver.answer("/busy", 503, {"Retry-After": "4"})
    made = subscribe(served, receiver, "/busy")
    holders.change(served, 51)
    first = receiver.take("/busy")
    receiver.answer("/busy", 204)
    second = receiver.take("/busy")
    assert second.id == first.id
    assert second.at - first.at >= 3.9
    end(served, made)


def test_gone_disables_until_it_is_taken_up_again(served: Served, receiver: Receiver) -> None:
    receiver.answer("/gone", 410)
    made = subscribe(served, receiver, "/gone")
    notices = subscribe(served, receiver, "/notices", types=["subscription:*"])
    keys = holders.change(served, 61)
    receiver.take("/gone")
    notice = receiver.take("/notices").events[0]
    assert (notice["type"], notice["data"]["why"]) == ("vn.lienthong.subscription.disabled", "gone")
    assert until(served, made["id"], lambda found: found["state"] == "disabled")["why"] == "gone"
    receiver.answer("/gone", 204)
    assert asked(served, "POST", f"/{made['id']}/resume").json()["state"] == "active"
    assert receiver.take("/gone").subjects == keys
    stopped = [body for body in served.bodies() if body["event"] == "subscription:events:stopped"]
    assert stopped[-1]["details"] == {"subscription": made["id"], "state": "disabled", "why": "gone"}
    end(served, made)
    end(served, notices)


def test_a_slow_subscriber_delays_nobody(served: Served, receiver: Receiver) -> None:
    released = threading.Event()
    receiver.answer("/slow", 204, after=released)
    slow = subscribe(served, receiver, "/slow")
    quick = [subscribe(served, receiver, f"/quick{n}") for n in range(5)]
    holders.change(served, 71)
    receiver.take("/slow")
    for n in range(5):
        receiver.take(f"/quick{n}")
    holders.change(served, 72)
    for n in range(5):
        receiver.take(f"/quick{n}")
    assert receiver.at("/slow").empty()
    released.set()
    assert receiver.take("/slow").subjects
    for made in (slow, *quick):
        end(served, made)


def test_by_key_a_failing_record_holds_back_only_its_own_lane(served: Served, receiver: Receiver) -> None:
    made = subscribe(served, receiver, "/lanes", ordering="key", form="one")
    keys = holders.change(served, *range(80, 96))
    received = [receiver.take("/lanes") for _ in range(16)]
    assert sorted(str(each.subjects[0]) for each in received) == keys
    assert asked(served, "GET", f"/{made['id']}").json()["ordering"] == "key"
    end(served, made)


def test_a_suspended_agreement_sends_nothing_and_catches_up_afterwards(served: Served, receiver: Receiver) -> None:
    made = subscribe(served, receiver, "/held")
    first = holders.change(served, 101)
    assert receiver.take("/held").subjects == first
    path = Path(served.folder) / "agreements/agreements/one.yaml"
    before = path.read_text("utf-8")
    path.write_text(json.dumps({**yaml.safe_load(before), "state": "suspended"}, ensure_ascii=False), "utf-8")
    try:
        headers = served.headers()
        changes = f"{served.base}/v1/datasets/{DATASET}/changes"
        patience.until(lambda: httpx.get(changes, headers=headers).status_code == 403, "the server's knowing")
        second = holders.change(served, 102)
        third = holders.change(served, 103)
        assert until(served, made["id"], lambda found: found["held"] != "")["held"] == "not_active"
        assert receiver.at("/held").empty()
    finally:
        path.write_text(before, "utf-8")
    assert receiver.take("/held").subjects == [*second, *third]
    assert until(served, made["id"], lambda found: (found["held"], found["pending"]) == ("", 0))
    end(served, made)


def test_a_new_secret_signs_beside_the_old_for_a_while(served: Served, receiver: Receiver) -> None:
    made = subscribe(served, receiver, "/secrets")
    renewed = asked(served, "POST", f"/{made['id']}/secrets", json={"kind": "v1", "overlap_hours": 1}).json()
    holders.change(served, 111)
    received = receiver.take("/secrets")
    verify(made, received)
    verify({"secrets": [renewed]}, received)
    last = asked(served, "POST", f"/{made['id']}/secrets", json={"overlap_hours": 0}).json()
    holders.change(served, 112)
    received = receiver.take("/secrets")
    verify({"secrets": [last]}, received)
    with pytest.raises(standardwebhooks.WebhookVerificationError):
        verify({"secrets": [renewed]}, received)
    end(served, made)


def test_a_test_delivery_says_how_it_went(served: Served, receiver: Receiver) -> None:
    made = subscribe(served, receiver, "/test")
    answer = asked(served, "POST", f"/{made['id']}/test").json()
    assert (answer["outcome"], answer["status"]) == ("delivered", 204)
    received = receiver.take("/test")
    verify(made, received)
    assert received.events[0]["type"] == "vn.lienthong.subscription.tested"
    receiver.answer("/test", 302, {"Location": receiver.base + "/elsewhere"})
    assert asked(served, "POST", f"/{made['id']}/test").json()["status"] == 302
    assert receiver.at("/elsewhere").empty()  # no redirect is followed
    end(served, made)


def test_killed_in_the_middle_it_is_sent_again_under_the_same_id(served: Served, receiver: Receiver) -> None:
    never, before = threading.Event(), []
    receiver.answer("/killed", 204, after=never)
    made = subscribe(served, receiver, "/killed")
    keys = holders.change(served, 121, 122)
    before.append(receiver.take("/killed"))
    for process in workers_of(served):
        os.kill(process, signal.SIGKILL)
    receiver.answer("/killed", 204)
    after = receiver.take("/killed", 40)
    assert (after.id, after.subjects) == (before[0].id, keys)
    until(served, made["id"], lambda found: found["pending"] == 0)
    never.set()
    end(served, made)


def workers_of(served: Served) -> list[int]:
    """The worker processes beside a server."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            command = (folder / "cmdline").read_bytes()
            environment = (folder / "environ").read_bytes()
        except OSError:
            continue
        if b"lienthong.web.worker" in command and served.folder.name.encode() in environment:
            found.append(int(folder.name))
    assert found
    return found


@pytest.mark.parametrize(
    ("wish", "status"),
    [
        ({"url": "http://10.1.2.3/x"}, 422),
        ({"url": "https://localhost:1/x", "dataset": "nothing"}, 422),
        ({"url": "https://169.254.169.254/latest/meta-data"}, 422),
        ({"url": "https://[::ffff:10.0.0.1]/x"}, 422),
        ({"url": "https://user:word@127.0.0.1/x"}, 422),
        ({"url": "ftp://127.0.0.1/x"}, 422),
        ({"url": "https://127.0.0.1/x#y"}, 422),
        ({"types": ["record:imagined"]}, 422),
        ({"conditions": [{"field": "nothing", "operator": "eq", "value": "1"}]}, 422),
        ({"conditions": [{"field": "holder", "operator": "like", "value": "1"}]}, 422),
        ({"most": 0}, 422),
        ({"most": True}, 422),
        ({"ordering": "none"}, 422),
        ({"from": "~forged"}, 400),
        ({"signatures": []}, 422),
        ({"what": 1}, 422),
    ],
)
def test_what_makes_no_sense_is_refused(served: Served, wish: dict[str, Any], status: int) -> None:
    document = {"dataset": DATASET, "url": "http://127.0.0.1:9/x", **wish}
    answer = httpx.post(served.base + "/v1/subscriptions", json=document, headers=served.headers())
    assert answer.status_code == status, answer.text


def test_anothers_subscription_is_not_there(served: Served, receiver: Receiver) -> None:
    made = subscribe(served, receiver, "/mine")
    assert asked(served, "GET", "/sub_000000000000000000000000").status_code == 404
    assert httpx.get(f"{served.base}/v1/subscriptions/{made['id']}").status_code == 401
    assert made["id"] in [each["id"] for each in asked(served, "GET", "").json()["subscriptions"]]
    end(served, made)
    assert asked(served, "POST", f"/{made['id']}/resume").status_code == 409


def test_the_whole_ledger_verifies_afterwards(served: Served) -> None:
    assert served.verdict().ok
