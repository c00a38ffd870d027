"""Readings over MQTT (a real mosquitto): nothing lost, acknowledged when landed, never faster than they land."""

from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from lienthong.connectors import Batch, ReadContext, get_connector, mqtt_stream, stream_rows
from lienthong.connectors.probing import preview, probe
from lienthong.contracts import Delivery, Source
from lienthong.errors import HostileInputError, SourceError
from lienthong.pipeline import run_dataset
from lienthong.store import Database
from tests.connectors.folders import HERE
from tests.factories import make_contract, make_property, make_workshop
from tests.servers import Certificates, certificates, free_port, kill_all, program, running

CONTEXT = ReadContext(batch_rows=100, networks=HERE)
FIELDS = {"mã": "id", "giá trị": "v.value"}


@dataclass
class Broker:
    port: int
    folder: Path
    made: Certificates

    @contextmanager
    def up(self) -> Iterator[subprocess.Popen[bytes]]:
        with running([program("mosquitto", "mosquitto"), "-c", str(self.folder / "config")], self.port) as process:
            yield process

    def source(self, name: str, **more: Any) -> Source:
        options = {
            "topics": [f"{name}/+/số-liệu"], "client_id": name, "password": "mat-khau", "fields": FIELDS, "ca": str(self.made.ca),
            "quiet_seconds": 1, "landing_seconds": 30, "timeout_seconds": 60, **more,
        }  # fmt: skip
        return Source("stream", "mqtt_stream", f"mqtts://tram@localhost:{self.port}", Delivery.INCREMENTAL, options)

    def publish(self, topic: str, *payloads: Any) -> None:
        client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
        client.username_pw_set("tram", "mat-khau")
        client.tls_set(str(self.made.ca))
        client.max_inflight_messages_set(1000)
        client.connect("localhost", self.port)
        client.loop_start()
        for each in payloads:
            client.publish(topic, each if isinstance(each, bytes | str) else json.dumps(each), qos=1).wait_for_publish(60)
        client.disconnect()
        client.loop_stop()


def make_broker(folder: Path) -> Broker:
    made, port = certificates(folder), free_port()
    passwords = folder / "passwords"
    subprocess.run(
        [program("mosquitto_passwd", "mosquitto"), "-b", "-c", str(passwords), "tram", "mat-khau"], check=True, capture_output=True
    )
    (folder / "config").write_text(
        f"listener {port} 127.0.0.1\ncertfile {made.certificate}\nkeyfile {made.key}\nallow_anonymous false\npassword_file {passwords}\n"
        f"user root\npersistence true\npersistence_location {folder}/\nmax_queued_messages 0\nlog_type none\n",
        encoding="utf-8",
    )
    return Broker(port, folder, made)


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    made = make_broker(tmp_path_factory.mktemp("mqtt"))
    with made.up():
        yield made


def reading(number: int) -> dict[str, Any]:
    return {"id": number, "v": {"value": number / 2}}


def subscribe(source: Source) -> None:
    """The session begins; from now on the broker keeps what comes."""
    landed(source)


def landed(source: Source, context: ReadContext = CONTEXT, after: Any = None) -> list[Batch]:
    """All that waits, each batch acknowledged as soon as it is here, as the landing does."""
    batches = []
    for batch in get_connector("mqtt_stream").read(source, context, after):
        batches.append(batch)
        if batch.on_landed is not None:
            threading.Timer(0.05, batch.on_landed).start()
    return batches


def ids(batches: list[Batch]) -> list[str]:
    return [str(row["mã"]) for batch in batches for row in batch.table.to_pylist()]


def test_what_came_while_nobody_read_is_read_once_in_order(broker: Broker) -> None:
    source = broker.source("a", topic_column="chủ đề", topic_pattern="a/(?P<trạm>[^/]+)/")
    subscribe(source)
    broker.publish("a/T1/số-liệu", *map(reading, range(250)), [reading(900), reading(901)])
    found = landed(source)
    assert ids(found) == [str(n) for n in (*range(250), 900, 901)]
    assert found[0].table.slice(1, 1).to_pylist() == [{"mã": "1", "giá trị": "0.5", "trạm": "T1", "chủ đề": "a/T1/số-liệu"}]
    assert found[-1].position == {"received": 251}
    assert all(len(batch.table) + len(batch.broken) <= 100 for batch in found)  # a batch may end early where the broker pauses
    nothing = landed(source, after=found[-1].position)
    assert ([len(batch.table) for batch in nothing], nothing[0].table.column_names) == ([0], ["mã", "giá trị", "trạm", "chủ đề"])


def test_what_did_not_land_comes_again(broker: Broker) -> None:
    source = broker.source("b", landing_seconds=0.2)
    subscribe(source)
    broker.publish("b/T1/số-liệu", *map(reading, range(150)))
    batches = []
    for batch in get_connector("mqtt_stream").read(source, CONTEXT, None):
        batches.append(batch)
        if len(batches) == 1 and batch.on_landed is not None:
            batch.on_landed()  # the second never lands
    assert ids(batches) == [str(n) for n in range(150)]
    assert sorted(map(int, ids(landed(source)))) == list(range(100, 150))


def test_no_more_is_sent_than_the_window_until_something_lands(broker: Broker) -> None:
    source = broker.source("c", landing_seconds=0.2)
    subscribe(source)
    broker.publish("c/T1/số-liệu", *map(reading, range(50)))
    context = replace(CONTEXT, batch_rows=10)
    given = sum(batch.table.num_rows for batch in get_connector("mqtt_stream").read(source, context, None))
    assert given == 20
    assert len(ids(landed(source, context))) == 50


def test_messages_of_many_rows_make_batches_of_bounded_bytes(broker: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mqtt_stream, "BATCH_BYTES", 20_000)
    monkeypatch.setattr(mqtt_stream, "WAITING_BYTES", 20_000)
    monkeypatch.setattr(stream_rows, "TABLE_ROWS", 150)
    source = broker.source("j")
    subscribe(source)
    broker.publish("j/T1/số-liệu", *([reading(n) for n in range(first, first + 100)] for first in range(0, 5_000, 100)))
    found = landed(source)
    assert ids(found) == [str(n) for n in range(5_000)]
    assert len(found) > 5
    assert max(batch.table.num_rows for batch in found) <= 1_000
    assert [number.as_py() for batch in found for number in batch.source_rows][::100] == list(range(1, 51))


def test_what_was_acknowledged_does_not_come_again_although_more_was_on_its_way(broker: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mqtt_stream, "BATCH_BYTES", 1 << 20)
    monkeypatch.setattr(mqtt_stream, "WAITING_BYTES", 1 << 20)
    source = broker.source("k", max_rows=1_000)
    subscribe(source)
    broker.publish("k/T1/số-liệu", *({**reading(n), "x": "x" * 10_000} for n in range(3_000)))
    found: list[str] = []
    context = replace(CONTEXT, batch_rows=20_000)
    while more := ids(landed(source, context)):
        found += more
    assert sorted(map(int, found)) == list(range(3_000))


def test_who_brings_messages_waits_for_room() -> None:
    inbox = mqtt_stream._Inbox()
    message = mqtt.MQTTMessage()
    message.payload = b"x" * mqtt_stream.WAITING_BYTES
    inbox.put(message)
    bringing = threading.Thread(target=inbox.put, args=(message,))
    bringing.start()
    bringing.join(0.3)
    assert bringing.is_alive()
    assert inbox.get(1) is message
    bringing.join(5)
    assert not bringing.is_alive()
    assert inbox.get(1) is message
    assert inbox.get(0.01) is None


def test_what_is_no_reading_waits_as_a_broken_row(broker: Broker) -> None:
    source = broker.source("d", max_message_bytes=1000)
    subscribe(source)
    broker.publish(
        "d/T1/số-liệu", b"\xff\xfe", "12", '{"id": 1', reading(7), b'{"id": "a\\u0000b"}', b'{"id":"' + b"x" * 2000 + b'"}', b"[" * 100_000
    )
    (batch,) = landed(source)
    assert ids([batch]) == ["7"]
    assert [(row.source_row, row.code) for row in batch.broken] == [(n, "row.object") for n in (1, 2, 3, 5, 6, 7)]


def test_a_broker_that_dies_and_comes_back_loses_nothing(tmp_path: Path) -> None:
    broker = make_broker(tmp_path)
    source = broker.source("e", quiet_seconds=2, timeout_seconds=60)
    with broker.up() as process:
        subscribe(replace(source, options={**source.options, "quiet_seconds": 0.2}))
        broker.publish("e/T1/số-liệu", *map(reading, range(30)))
        reading_on = get_connector("mqtt_stream").read(source, replace(CONTEXT, batch_rows=30), None)
        first = next(reading_on)
        assert first.on_landed is not None
        process.terminate()  # it writes down what it keeps
        process.wait(120)
    with broker.up():
        first.on_landed()
        broker.publish("e/T1/số-liệu", reading(30))
        rest = []
        for batch in reading_on:
            rest.append(batch)
            if batch.on_landed is not None:
                threading.Timer(0.05, batch.on_landed).start()
        assert set(ids([first, *rest])) == {str(n) for n in range(31)}


def test_a_broker_that_dies_for_good_is_told_in_words(tmp_path: Path) -> None:
    broker = make_broker(tmp_path)
    source = broker.source("f", quiet_seconds=5, timeout_seconds=1)
    with broker.up() as process:
        reading_on = get_connector("mqtt_stream").read(source, CONTEXT, None)
        threading.Timer(0.5, kill_all, (process,)).start()
        with pytest.raises(SourceError, match="went away and did not come back"):
            next(reading_on)


@pytest.mark.parametrize(
    ("more", "words"),
    [({"password": "nham-roi"}, "refuses"), ({"ca": ""}, "certificate is not trusted"), ({"topics": []}, "`topics` is required")],
)
def test_what_keeps_it_from_reading_is_told_in_words(broker: Broker, more: dict[str, Any], words: str) -> None:
    with pytest.raises(SourceError, match=words) as told:
        list(get_connector("mqtt_stream").read(broker.source("g", **more), CONTEXT, None))
    assert "nham-roi" not in str(told.value)
    with pytest.raises(HostileInputError, match="in no network"):
        list(get_connector("mqtt_stream").read(broker.source("g"), ReadContext(), None))


def test_looking_takes_nothing_from_the_session(broker: Broker) -> None:
    source = broker.source("h")
    subscribe(source)
    broker.publish("h/T1/số-liệu", reading(1))
    steps = list(probe(source, CONTEXT))
    assert all(step.is_ok for step in steps), steps
    assert [step.en for step in steps][-2] == "subscribed"
    assert preview(source, CONTEXT, 5)[0].column_names == ["mã", "giá trị"]
    assert ids(landed(source)) == ["1"]


def test_a_run_publishes_what_came_and_the_broker_forgets_it(broker: Broker, database_url: str) -> None:
    properties = (make_property("mã", key_position=1), make_property("giá trị"))
    contract = make_contract("x", properties=properties, sources=(broker.source("i"),))
    workshop = replace(make_workshop(database_url, contract), read_context=CONTEXT)
    assert run_dataset(workshop, contract).state in ("unchanged", "published")
    broker.publish("i/T1/số-liệu", *map(reading, range(250)), "hỏng")
    outcome = run_dataset(workshop, contract)
    assert (outcome.rows_in, outcome.rows_published, outcome.rows_quarantined) == (251, 250, 1)
    assert run_dataset(workshop, contract).rows_in == 0
    with Database(database_url).connect() as connection:
        assert connection.execute("select count(*) from data.test_people").fetchone() == (250,)
