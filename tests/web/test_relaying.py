"""Events are relayed to NATS JetStream: each once, in order, none lost while it is away; records only where an agreement says so."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import nats
import pytest

from lienthong.clock import system_clock
from lienthong.pipeline import run_dataset
from lienthong.settings import Settings
from lienthong.store import subscriptions as store
from lienthong.web.register_watch import take_folder
from lienthong.web.relaying import relay
from tests.templates import Template
from tests.web.counters import ROWS, Province, copied_province, entries

RELAY = "VN/GOV/H10.02/nats"
BINARY = shutil.which("nats-server", path=f"{os.environ['PATH']}:/usr/sbin")
AGREEMENT = {
    "id": "TT-nats", "provider": "H10.02", "consumer": RELAY, "dataset": "test.people", "state": "active", "operations": ["changes"],
    "purposes": {"chuyen-tiep": {"vi": "Chuyển tiếp", "en": "Relay"}}, "legal_basis": "NĐ 278/2025", "term": {"from": "2020-01-01"},
    "fields": ["record_no", "children"],
}  # fmt: skip


class Nats:
    """A NATS server with JetStream that can go away and come back."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"nats://127.0.0.1:{self.port}"
        self._command = [str(BINARY), "-a", "127.0.0.1", "-p", str(self.port), "-js", "-sd", str(folder)]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait(120)
            self._process = None

    def messages(self, count: int) -> list[Any]:
        """The first so many messages of the stream."""

        async def read() -> list[Any]:
            client = await nats.connect(self.url, max_reconnect_attempts=60, reconnect_time_wait=0.2, connect_timeout=60)
            try:
                stream = client.jetstream()
                for _ in range(1200):
                    try:
                        if (await stream.stream_info("LIENTHONG")).state.messages >= count:
                            break
                    except nats.js.errors.NotFoundError:
                        pass
                    await asyncio.sleep(0.1)
                subscription = await stream.subscribe("lienthong.>", ordered_consumer=True)
                return [await subscription.next_msg(timeout=120) for _ in range(count)]
            finally:
                await client.close()

        return asyncio.run(read())


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Nats]:
    if BINARY is None:
        pytest.skip("NATS is not installed (Debian's package `nats-server`)")
    one = Nats(tmp_path / "nats")
    one.start()
    yield one
    one.stop()


@pytest.fixture
def province(counters_template: Template, tmp_path: Path) -> Iterator[Province]:
    folder = tmp_path / "agreements"
    for name, document in {
        "subsystems/one.yaml": {"identifier": RELAY, "title_vi": "Chuyển tiếp", "title_en": "Relay"},
        "agreements/one.yaml": AGREEMENT,
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(json.dumps(document), "utf-8")
    with copied_province(counters_template, tmp_path) as made:
        take_folder(made.workshop, folder, "production")
        yield made


@contextmanager
def relaying(province: Province, server: Nats) -> Iterator[None]:
    settings = Settings(home=province.folder / "home", nats_url=server.url, nats_subsystem=RELAY)
    ended = threading.Event()
    workshop = replace(province.workshop, clock=system_clock)
    thread = threading.Thread(target=relay, args=(settings, workshop, ended))
    thread.start()
    try:
        for _ in range(1200):
            with province.workshop.database.connect() as connection:
                if len(store.some(connection, roads=["nats"])) == 2:
                    break
            ended.wait(0.1)
        yield
    finally:
        ended.set()
        thread.join(120)
        assert not thread.is_alive()


def test_events_are_relayed_once_each_though_the_server_goes_away(province: Province, server: Nats) -> None:
    with relaying(province, server):
        province.publish_people([(*ROWS[0][:3], 7), *ROWS[1:]])
        first = server.messages(2)
        assert [message.subject for message in first] == ["lienthong.test.people.record.updated", "lienthong.test.people.version.published"]
        event = json.loads(first[0].data)
        assert event["data"]["record"]["values"] == {"record_no": "P1", "children": 7}
        assert event["data"]["record"]["withheld"] == ["full_name", "born_on", "phone"]
        server.stop()
        province.publish_people([(*ROWS[0][:3], 8), (*ROWS[1][:3], 8), *ROWS[2:]])
        (province.folder / "codes.csv").write_text("code,label\n01,Một\n02,Hai\n03,Ba\n", encoding="utf-8")
        run_dataset(province.workshop, province.codes)
        server.start()
        messages = server.messages(7)
    keys = [message.headers["Nats-Msg-Id"] for message in messages]
    assert len(set(keys)) == 7
    people = [json.loads(message.data) for message in messages if ".people." in message.subject]
    assert [(event["type"].rsplit(".", 2)[-2:], event.get("subject")) for event in people] == [
        (["record", "updated"], "P1"), (["version", "published"], "2"),
        (["record", "updated"], "P1"), (["record", "updated"], "P2"), (["version", "published"], "3"),
    ]  # fmt: skip
    given = [entry for entry in entries(province) if entry["event"] == "answer:events:given"]
    assert {entry["caller"] for entry in given} == {RELAY}
    assert {entry["details"]["road"] for entry in given} == {"nats"}


def test_without_an_agreement_only_that_something_changed_is_relayed(province: Province, server: Nats) -> None:
    folder = province.folder / "agreements"
    (folder / "agreements/one.yaml").write_text(json.dumps({**AGREEMENT, "operations": ["look_up"]}), "utf-8")
    take_folder(province.workshop, folder, "production")
    with relaying(province, server):
        province.publish_people([(*ROWS[0][:3], 7), *ROWS[1:]])
        message = server.messages(1)[0]
    assert message.subject == "lienthong.test.people.version.published"
    assert "P1" not in message.data.decode()
