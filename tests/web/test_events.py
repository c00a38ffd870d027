"""The stream over HTTP: server-sent events that go on where they stopped, end with the right they rest on, and are all in the ledger."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from lienthong.pipeline import run_dataset
from lienthong.store.embedded import EmbeddedServer
from tests.conftest import fresh_database, open_folder
from tests.web.served import CALLER, DATASET, LICENCES, Served, serving

EVENTS = f"/v1/events?dataset={DATASET}"


@dataclass
class Message:
    id: str = ""
    event: str = ""
    data: Any = None


@dataclass
class Reader:
    """Reads server-sent events as a browser would."""

    lines: Iterator[str]
    retry: int | None = None
    heard: list[str] = field(default_factory=list)

    def messages(self) -> Iterator[Message]:
        message = Message()
        for line in self.lines:
            name, _, text = line.partition(": ")
            if not line:
                if message.data is not None or message.id:
                    yield message
                message = Message()
            elif name == "id":
                message.id = text
            elif name == "event":
                message.event = text
            elif name == "data":
                message.data = json.loads(text)
            else:
                self.heard.append(line)

    def take(self, count: int) -> list[Message]:
        """So many events with content."""
        found: list[Message] = []
        if count:
            for message in self.messages():
                if message.data is not None:
                    found.append(message)
                if len(found) == count:
                    break
        return found


@pytest.fixture(scope="module")
def served(postgres_server: EmbeddedServer) -> Iterator[Served]:
    with (
        fresh_database(postgres_server) as url,
        open_folder() as folder,
        serving(url, folder, agreement={"operations": ["changes"]}) as one,
    ):
        yield one


def write(served: Served, changed: dict[int, str]) -> None:
    """A delivery in which some holders are others."""
    lines = ["licence_no,holder", *(f"{n}/GP-UBND,{changed.get(n, f'Công ty số {n}')}" for n in range(LICENCES))]
    (served.folder / "licences.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    run_dataset(served.workshop, served.workshop.contracts[DATASET])


def reading(served: Served, after: str | None = None, path: str = EVENTS, **headers: str) -> Any:
    more = {"Last-Event-ID": after} if after is not None else {}
    return httpx.stream("GET", served.base + path, headers={**served.headers(), **more, **headers}, timeout=120)


def test_a_first_fill_is_told_record_by_record_then_the_version_itself(served: Served) -> None:
    with reading(served, "0") as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        found = Reader(answer.iter_lines()).take(LICENCES + 1)
    keys = [message.data["subject"] for message in found[:-1]]
    assert keys == sorted(keys)
    assert len(set(keys)) == LICENCES
    assert {message.event for message in found[:-1]} == {"vn.lienthong.record.inserted"}
    first = found[0].data
    assert (first["specversion"], first["source"], first["data"]["op"]) == ("1.0", f"{served.base}/v1/datasets/{DATASET}", "insert")
    assert first["data"]["record"]["values"]["holder"].startswith("Công ty")
    assert found[-1].event == "vn.lienthong.version.published"
    assert found[-1].data["data"]["inserted"] == LICENCES
    entries = [body for body in served.bodies() if body["event"] == "answer:events:given"]
    assert sum(body["details"]["events"] for body in entries) >= LICENCES + 1
    assert all(body["caller"] == CALLER and body["official"] == "can-bo-01" and body["agreement"] == "TT-1" for body in entries)


def test_a_stream_goes_on_inside_a_version_where_it_stopped(served: Served) -> None:
    with reading(served, "0") as answer:
        first = Reader(answer.iter_lines()).take(7)
    assert first[-1].data["subject"] not in first[-1].id  # a cursor inside a version is sealed
    with reading(served, first[-1].id) as answer:
        rest = Reader(answer.iter_lines()).take(LICENCES + 1 - 7)
    ids = [message.data["id"] for message in [*first, *rest]]
    assert len(set(ids)) == LICENCES + 1
    assert rest[0].data["subject"] > first[-1].data["subject"]


def test_what_is_published_while_somebody_listens_is_told_at_once(served: Served) -> None:
    found: list[Message] = []
    began, took = threading.Event(), threading.Event()

    def listen() -> None:
        with reading(served) as answer:
            reader = Reader(answer.iter_lines())
            for message in reader.messages():
                began.set()  # the first message says where the stream begins
                if message.data is not None:
                    found.append(message)
                if len(found) == 3:
                    took.set()
                    return

    listener = threading.Thread(target=listen)
    listener.start()
    assert began.wait(120)
    write(served, {7: "Công ty mới", 8: "Công ty khác"})
    assert took.wait(120)
    listener.join(120)
    assert [(message.data["data"].get("op"), message.data.get("subject")) for message in found] == [
        ("update", "7/GP-UBND"),
        ("update", "8/GP-UBND"),
        (None, "2"),
    ]
    assert found[0].data["data"]["record"]["values"]["holder"] == "Công ty mới"


def test_only_the_types_asked_for_are_told(served: Served) -> None:
    with reading(served, "0", f"{EVENTS}&type=version:published") as answer:
        found = Reader(answer.iter_lines()).take(1)
    assert found[0].event == "vn.lienthong.version.published"


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        (f"{EVENTS}&type=record:imagined", {}, 400),
        (f"{EVENTS}&what=1", {}, 400),
        ("/v1/events?dataset=test.nothing", {}, 404),
        (EVENTS, {"Last-Event-ID": "~forged"}, 400),
        (EVENTS, {"Last-Event-ID": "-1"}, 400),
        (EVENTS, {"Lienthong-Purpose": "khac"}, 403),
        ("/v1/events", {"Lienthong-Purpose": "khac"}, 403),
        (EVENTS, {"Authorization": "Bearer x.y.z"}, 401),
    ],
)
def test_what_may_not_be_followed_is_refused_before_anything_is_sent(
    served: Served, path: str, headers: dict[str, str], status: int
) -> None:  # fmt: skip
    with reading(served, None, path, **headers) as answer:
        answer.read()
        assert answer.status_code == status
        assert answer.json()["code"]


def test_a_suspended_agreement_ends_the_stream_in_words(served: Served) -> None:
    path = Path(served.folder) / "agreements/agreements/one.yaml"
    before = path.read_text("utf-8")
    began, words = threading.Event(), []

    def listen() -> None:
        with reading(served) as answer:
            for message in Reader(answer.iter_lines()).messages():
                began.set()
                if message.data is not None:
                    words.append(message)

    listener = threading.Thread(target=listen)
    listener.start()
    assert began.wait(120)
    try:
        path.write_text(json.dumps({**yaml.safe_load(before), "state": "suspended"}, ensure_ascii=False), "utf-8")
        listener.join(120)
    finally:
        path.write_text(before, "utf-8")
    assert not listener.is_alive()
    assert [(message.event, message.data["rule"]) for message in words] == [("problem", "not_active")]


def test_where_the_quota_counts_deliveries_a_stream_past_it_ends_in_words(served: Served) -> None:
    path = Path(served.folder) / "agreements/agreements/one.yaml"
    before = path.read_text("utf-8")
    began, words = threading.Event(), []

    def listen() -> None:
        with reading(served) as answer:
            for message in Reader(answer.iter_lines()).messages():
                began.set()
                if message.data is not None:
                    words.append(message)

    for _ in range(600):  # until the agreement is in force again as it was
        with reading(served) as answer:
            if answer.status_code == 200:
                break
    listener = threading.Thread(target=listen)
    listener.start()
    assert began.wait(120)
    try:
        path.write_text(json.dumps({**yaml.safe_load(before), "quota": {"per_day": 2, "deliveries": True}}, ensure_ascii=False), "utf-8")
        for n in range(60):  # once the change is in force two more pieces are told
            write(served, {n: "Công ty đổi tên"})
            listener.join(1)
            if not listener.is_alive():
                break
    finally:
        path.write_text(before, "utf-8")
    assert not listener.is_alive()
    assert (words[-1].event, words[-1].data["code"], words[-1].data["clause"]) == ("problem", "quota-exceeded", "quota")
    assert all(message.event != "problem" for message in words[:-1])
