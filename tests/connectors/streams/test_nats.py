"""Messages of a JetStream stream (a real nats-server): in order, none lost, none twice, acknowledged when landed."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import nats
import pytest
from nats.js.api import RetentionPolicy, StreamConfig

from lienthong.connectors import Batch, ReadContext, get_connector, nats_stream
from lienthong.connectors.folder_ftp import tls_context
from lienthong.connectors.probing import preview, probe
from lienthong.contracts import Delivery, Source
from lienthong.errors import HostileInputError, SourceError
from lienthong.pipeline import run_dataset
from tests.connectors.folders import HERE
from tests.factories import make_contract, make_property, make_workshop
from tests.servers import Certificates, certificates, free_port, kill_all, program, running

CONTEXT = ReadContext(batch_rows=100, networks=HERE)
FIELDS = {"mã": "id", "giá trị": "v.value"}


@dataclass
class Server:
    port: int
    folder: Path
    made: Certificates

    @contextmanager
    def up(self) -> Iterator[subprocess.Popen[bytes]]:
        with running([program("nats-server", "nats-server"), "-c", str(self.folder / "config")], self.port) as process:
            yield process

    def source(self, name: str, **more: Any) -> Source:
        options = {
            "stream": name, "password": "mat-khau", "ca": str(self.made.ca), "fields": FIELDS,
            "quiet_seconds": 1, "landing_seconds": 30, "timeout_seconds": 60, **more,
        }  # fmt: skip
        return Source("stream", "nats_stream", f"tls://tram@localhost:{self.port}", Delivery.INCREMENTAL, options)

    def ask(self, act: Callable[[Any], Coroutine[Any, Any, Any]]) -> Any:
        async def asked() -> Any:
            client = await nats.connect(
                f"tls://localhost:{self.port}", user="tram", password="mat-khau", tls=tls_context(str(self.made.ca)), allow_reconnect=False
            )
            try:
                return await act(client.jetstream())
            finally:
                await client.close()

        return asyncio.run(asked())

    def make(self, stream: str, retention: RetentionPolicy = RetentionPolicy.LIMITS) -> None:
        self.ask(lambda js: js.add_stream(StreamConfig(name=stream, subjects=[f"{stream}.>"], retention=retention)))

    def publish(self, subject: str, *payloads: Any) -> None:
        async def act(js: Any) -> None:
            for each in payloads:
                await js.publish(subject, each if isinstance(each, bytes) else json.dumps(each).encode())

        self.ask(act)

    def waiting(self, stream: str) -> tuple[int, int]:
        """(messages given and not acknowledged, messages not given)."""
        told = self.ask(lambda js: js.consumer_info(stream, "lienthong"))
        return told.num_ack_pending, told.num_pending


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    made = make_server(tmp_path_factory.mktemp("nats"))
    with made.up():
        yield made


def make_server(folder: Path) -> Server:
    made, port = certificates(folder), free_port()
    (folder / "config").write_text(
        f'listen: "127.0.0.1:{port}"\ntls {{ cert_file: "{made.certificate}", key_file: "{made.key}" }}\n'
        f'authorization {{ user: tram, password: mat-khau }}\njetstream {{ store_dir: "{folder}/kept" }}\n',
        encoding="utf-8",
    )
    return Server(port, folder, made)


def reading(number: int) -> dict[str, Any]:
    return {"id": number, "v": {"value": number / 2}}


def landed(source: Source, after: Any = None, context: ReadContext = CONTEXT) -> list[Batch]:
    batches = []
    for batch in get_connector("nats_stream").read(source, context, after):
        batches.append(batch)
        if batch.on_landed is not None:
            threading.Timer(0.05, batch.on_landed).start()
    return batches


def ids(batches: list[Batch]) -> list[str]:
    return [str(row["mã"]) for batch in batches for row in batch.table.to_pylist()]


def test_messages_of_many_rows_make_batches_of_bounded_bytes(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nats_stream, "BATCH_BYTES", 20_000)
    monkeypatch.setattr(nats_stream, "PULLED_BYTES", 4 << 20)  # four messages of the largest size the server takes
    server.make("many")
    server.publish("many.a", *([reading(n) for n in range(first, first + 100)] for first in range(0, 3_000, 100)))
    found = landed(server.source("many"))
    assert ids(found) == [str(n) for n in range(3_000)]
    assert max(batch.table.num_rows for batch in found) <= 1_000


def test_a_server_slower_than_the_quiet_time_is_waited_for_while_it_has_messages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server = make_server(tmp_path)
    with server.up() as process:
        server.make("s")
        server.publish("s.T1", *map(reading, range(5)))
        consume = nats_stream._Conversation._consume

        async def then_stalls(talk: Any, state: Any, reached: int) -> None:
            await consume(talk, state, reached)
            process.send_signal(signal.SIGSTOP)
            threading.Timer(2.5, process.send_signal, [signal.SIGCONT]).start()

        monkeypatch.setattr(nats_stream._Conversation, "_consume", then_stalls)
        assert ids(landed(server.source("s"))) == [str(n) for n in range(5)]


def test_messages_come_in_order_and_after_any_batch_exactly_the_rest(server: Server) -> None:
    server.make("a")
    server.publish("a.T1.so-lieu", *map(reading, range(250)))
    source = server.source("a", topic_column="chủ đề", time_column="lúc", topic_pattern=r"^a\.(?P<trạm>[^.]+)")
    found = landed(source)
    assert ids(found) == [str(n) for n in range(250)]
    assert [len(batch.table) for batch in found] == [100, 100, 50]
    row = found[0].table.slice(0, 1).to_pylist()[0]
    assert (row["trạm"], row["chủ đề"], str(row["lúc"])[:2]) == ("T1", "a.T1.so-lieu", "20")
    assert server.waiting("a") == (0, 0)
    for done, batch in enumerate(found, 1):
        assert ids(landed(source, batch.position)) == [str(n) for n in range(min(done * 100, 250), 250)]


def test_what_was_given_and_did_not_land_comes_again_in_its_order(server: Server) -> None:
    server.make("b")
    server.publish("b.x", *map(reading, range(300)))
    source = server.source("b", landing_seconds=0.2)
    reading_on = get_connector("nats_stream").read(source, CONTEXT, None)
    first, _ = next(reading_on), next(reading_on)
    assert server.waiting("b")[0] == 200
    reading_on.close()  # type: ignore[attr-defined] # killed before anything landed but the first
    assert ids(landed(source, first.position)) == [str(n) for n in range(100, 300)]


def test_a_work_queue_gives_up_only_what_landed(server: Server) -> None:
    server.make("c", RetentionPolicy.WORK_QUEUE)
    server.publish("c.x", *map(reading, range(150)))
    source = server.source("c")
    reading_on = get_connector("nats_stream").read(source, CONTEXT, None)
    first = next(reading_on)
    reading_on.close()  # type: ignore[attr-defined] # landed, and killed before it was acknowledged
    assert server.ask(lambda js: js.stream_info("c")).state.messages == 150
    assert ids(landed(source, first.position)) == [str(n) for n in range(100, 150)]
    assert server.ask(lambda js: js.stream_info("c")).state.messages == 0
    with pytest.raises(SourceError, match="cannot be looked at"):
        preview(source, CONTEXT, 5)


def test_a_stream_made_anew_is_read_from_its_beginning(server: Server) -> None:
    server.make("d")
    server.publish("d.x", *map(reading, range(5)))
    reached = landed(server.source("d"))[-1].position
    server.ask(lambda js: js.delete_stream("d"))
    server.make("d")
    server.publish("d.x", *map(reading, range(7)))
    assert ids(landed(server.source("d"), reached)) == [str(n) for n in range(7)]


def test_what_is_no_message_of_ours_waits_as_a_broken_row(server: Server) -> None:
    server.make("e")
    server.publish("e.x", b"\xff", reading(1), b"", b"12", b'{"id": {"a": [1, 2.50]}}')
    (batch,) = landed(server.source("e"))
    assert [(row.source_row, row.code) for row in batch.broken] == [(n, "row.object") for n in (1, 3, 4)]
    assert ids([batch]) == ["1", '{"a":[1,2.50]}']


def test_looking_makes_no_consumer_and_takes_nothing(server: Server) -> None:
    server.make("f")
    server.publish("f.x", *map(reading, range(3)))
    steps = list(probe(server.source("f"), CONTEXT))
    assert all(step.is_ok for step in steps), steps
    assert "3 messages (1–3)" in steps[-2].en
    assert preview(server.source("f"), CONTEXT, 2)[1] == [1, 2]
    assert "lienthong" not in [each.name for each in server.ask(lambda js: js.consumers_info("f"))]


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"password": "nham-roi"}, "does not take this account"),
        ({"ca": ""}, "certificate is not trusted"),
        ({"stream": "none"}, "no such stream"),
    ],
)
def test_what_keeps_it_from_reading_is_told_in_words(server: Server, more: dict[str, Any], words: str) -> None:
    with pytest.raises(SourceError, match=words) as told:
        landed(server.source("a", **more))
    assert "nham-roi" not in str(told.value)
    with pytest.raises(HostileInputError, match="in no network"):
        landed(server.source("a"), context=ReadContext())


def test_a_server_that_dies_loses_nothing_and_the_next_reading_goes_on(tmp_path: Path) -> None:
    server = make_server(tmp_path)
    with server.up() as process:
        server.make("g")
        server.publish("g.x", *map(reading, range(250)))
        source = server.source("g", timeout_seconds=1, landing_seconds=1)  # nothing of it lands
        reading_on = get_connector("nats_stream").read(source, CONTEXT, None)
        first = next(reading_on)
        kill_all(process)
        rest = list(reading_on)  # ends with what came, or with nothing more
        assert ids([first, *rest]) == [str(n) for n in range(len(ids([first, *rest])))]
        with pytest.raises(SourceError, match=r"cannot be reached|does not answer"):
            landed(source)
    with server.up():
        assert ids(landed(source, first.position)) == [str(n) for n in range(100, 250)]


def test_a_run_publishes_what_came_and_goes_on_after_it(server: Server, database_url: str) -> None:
    server.make("h")
    properties = (make_property("mã", key_position=1), make_property("giá trị"))
    contract = make_contract("x", properties=properties, sources=(server.source("h"),))
    workshop = replace(make_workshop(database_url, contract), read_context=CONTEXT)
    server.publish("h.x", *map(reading, range(250)), b"hong")
    outcome = run_dataset(workshop, contract)
    assert (outcome.rows_in, outcome.rows_published, outcome.rows_quarantined) == (251, 250, 1)
    assert server.waiting("h") == (0, 0)
    assert run_dataset(workshop, contract).rows_in == 0
    server.publish("h.x", reading(9000))
    assert run_dataset(workshop, contract).rows_in == 1
