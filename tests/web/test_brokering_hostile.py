"""Providers that lie, stall, flood or point inside: what they do stays with them."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from tests.conftest import fresh_database
from tests.web.brokered import AGENCY, DEFINITION, OPENAPI, Brokered, agree, brokering, publish, wait_until
from tests.web.brokered import AGREEMENT as USUAL

SERVICE = "test.hostile"
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


class RawProvider:
    """A server that says the bytes it is told to say, and counts who connects."""

    def __init__(self) -> None:
        self.says: list[tuple[float, bytes]] = []
        self.connections = 0
        self.port = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._end: asyncio.Event | None = None
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), daemon=True)

    async def _run(self) -> None:
        self._loop, self._end = asyncio.get_running_loop(), asyncio.Event()
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._end.wait()  # what is still being served is cancelled with the loop
        server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            await reader.readuntil(b"\r\n\r\n")
            for pause, said in self.says:
                await asyncio.sleep(pause)
                writer.write(said)
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    @contextmanager
    def running(self) -> Iterator[RawProvider]:
        self._thread.start()
        self._ready.wait(120)
        try:
            yield self
        finally:
            assert self._loop is not None
            assert self._end is not None
            self._loop.call_soon_threadsafe(self._end.set)
            self._thread.join(120)


@pytest.fixture(scope="module")
def hostile() -> Iterator[RawProvider]:
    with RawProvider().running() as running:
        yield running


@pytest.fixture(scope="module")
def brokered(postgres_server: Any, tmp_path_factory: pytest.TempPathFactory, hostile: RawProvider) -> Iterator[Brokered]:
    folder = tmp_path_factory.mktemp("hostile")
    agreements = [
        {**USUAL, "id": f"DV-{name}", "service": name} for name in (SERVICE, "test.inside", "test.named", "test.unset", "test.mapped")
    ]
    agree(folder, *agreements)
    base = f"http://127.0.0.1:{hostile.port}/base"
    with fresh_database(postgres_server) as url, brokering(url, folder, LIENTHONG_PROVIDER_HOSTILE=base) as running:
        short = {"connect": 1, "first_byte": 0.6, "idle": 0.6, "total": 2}
        common = {**DEFINITION, "timeouts": short, "breaker": {"failures": 1000}, "retry": {"times": 0}, "credentials": {}, "cache": {}}
        document = json.dumps(OPENAPI)
        publish(running.served, {**common, "id": SERVICE, "base_url": "${HOSTILE}", "limits": {"answer_bytes": "1 MiB"}}, document)
        publish(running.served, {**common, "id": "test.inside", "base_url": "http://169.254.169.254/latest"}, document)
        publish(running.served, {**common, "id": "test.named", "base_url": "http://[::ffff:10.1.2.3]/api"}, document)
        publish(running.served, {**common, "id": "test.unset", "base_url": "${NOWHERE}/api"}, document)
        publish(running.served, {**common, "id": "test.mapped", "base_url": "http://0x0a000001/api"}, document)
        wait_until(lambda: httpx.get(running.address("/licences/1", "test.mapped")).status_code == 401)
        yield running


@pytest.fixture(scope="module")
def client(brokered: Brokered) -> Iterator[httpx.Client]:
    with httpx.Client(headers=brokered.served.headers(), timeout=120) as opened:
        yield opened


def ask(brokered: Brokered, client: httpx.Client, path: str = "/licences/1") -> httpx.Response:
    return client.get(brokered.address(path, SERVICE))


SHORT = b'{"licence_no": "1"}'
LIES: dict[str, list[tuple[float, bytes]]] = {
    "no http": [(0, b"hello\r\n\r\n")],
    "nothing": [],
    "half a head": [(0, HEAD)],
    "shorter than told": [(0, HEAD + b"Content-Length: 500\r\n\r\n" + SHORT)],
    "a broken chunk": [(0, HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n" + SHORT)],
    "chunks without an end": [(0, HEAD + b'Transfer-Encoding: chunked\r\n\r\n5\r\n{"a":\r\n')],
    "two lengths": [(0, HEAD + b"Content-Length: 19\r\nContent-Length: 5\r\n\r\n" + SHORT)],
    "length and chunks": [(0, HEAD + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n13\r\n" + SHORT + b"\r\n0\r\n\r\n")],
    "a negative length": [(0, HEAD + b"Content-Length: -1\r\n\r\n" + SHORT)],
    "a huge header": [(0, HEAD + b"X-A: " + b"a" * 20_000 + b"\r\nContent-Length: 19\r\n\r\n" + SHORT)],
    "many headers": [(0, HEAD + b"".join(b"X-%d: a\r\n" % n for n in range(300)) + b"Content-Length: 19\r\n\r\n" + SHORT)],
    "a header with a line in it": [(0, HEAD + b"X-A: a\rSet-Cookie: b=c\r\nContent-Length: 19\r\n\r\n" + SHORT)],
    "larger than allowed": [(0, HEAD + b"Content-Length: 2000000\r\n\r\n" + b"a" * 2_000_000)],
    "a head that drips": [(0.4, bytes([byte])) for byte in HEAD[:20]],
    "a body that drips": [(0, HEAD + b"Content-Length: 500\r\n\r\n"), *((0.4, b"a") for _ in range(20))],
}  # fmt: skip


@pytest.mark.parametrize("lie", LIES)
def test_a_provider_that_lies_is_a_502_or_503_and_in_the_ledger(
    brokered: Brokered, client: httpx.Client, hostile: RawProvider, lie: str
) -> None:
    hostile.says = LIES[lie]
    answer = ask(brokered, client)
    assert answer.status_code in (502, 503), answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert "set-cookie" not in answer.headers
    assert brokered.calls()[-1]["outcome"] == "failed"


@pytest.mark.parametrize(
    "rest",
    [[(0.0, b"a" * 100_000)], [(0.0, b"a" * 100_000), (5.0, b"a")], [(0.0, b"10000\r\n" + b"a" * 65_536 + b"\r\nzz\r\n")]],
    ids=["cut off", "stalls", "broken chunk"],
)
def test_a_long_answer_that_breaks_off_does_not_look_whole(
    brokered: Brokered, client: httpx.Client, hostile: RawProvider, rest: list[tuple[float, bytes]]
) -> None:
    framing = (
        b"Transfer-Encoding: chunked\r\n\r\n10000\r\n" + b"b" * 65_536 + b"\r\n"
        if b"zz" in rest[0][1]
        else b"Content-Length: 900000\r\n\r\n"
    )
    hostile.says = [(0, HEAD + framing), *rest]
    with pytest.raises(httpx.RemoteProtocolError):
        ask(brokered, client)
    wait_until(lambda: brokered.calls()[-1]["event"] == "call:service:ended")
    assert brokered.calls()[-1]["outcome"] == "broken"


def test_a_stream_that_grows_past_its_limit_is_ended(brokered: Brokered, client: httpx.Client, hostile: RawProvider) -> None:
    hostile.says = [(0, HEAD + b"Transfer-Encoding: chunked\r\n\r\n"), *((0, b"10000\r\n" + b"a" * 65_536 + b"\r\n") for _ in range(40))]
    with pytest.raises(httpx.RemoteProtocolError):
        ask(brokered, client)


def test_more_than_was_told_is_not_taken_for_the_next_answer(brokered: Brokered, client: httpx.Client, hostile: RawProvider) -> None:
    forged = b'HTTP/1.1 200 OK\r\nContent-Length: 22\r\n\r\n{"licence_no":"forged"}'
    hostile.says = [(0, HEAD + b"Content-Length: 19\r\n\r\n" + SHORT + forged)]
    assert [ask(brokered, client).status_code for _ in range(3)].count(200) <= 3
    hostile.says = [(0, HEAD + b"Content-Length: 19\r\n\r\n" + SHORT)]
    for _ in range(3):
        answer = ask(brokered, client)
        assert answer.status_code != 200 or answer.content == SHORT


def test_a_slow_provider_holds_up_nobody_else(brokered: Brokered, client: httpx.Client, hostile: RawProvider) -> None:
    hostile.says = [(3.0, b"")]

    async def both() -> list[httpx.Response]:
        async with httpx.AsyncClient(headers=client.headers, timeout=120) as other:
            slow = [asyncio.create_task(other.get(brokered.address("/licences/1", SERVICE))) for _ in range(20)]
            quick = await other.get(brokered.address("/licences/1"))
            assert not any(task.done() for task in slow)
            return [quick, *await asyncio.gather(*slow)]

    quick, *slow = asyncio.run(both())
    assert quick.status_code == 200
    assert {answer.json()["rule"] for answer in slow} == {"too_slow"}


@pytest.mark.parametrize("service", ["test.inside", "test.named", "test.mapped"])
def test_an_address_outside_the_allowed_networks_is_never_connected_to(brokered: Brokered, client: httpx.Client, service: str) -> None:
    answer = client.get(brokered.address("/licences/1", service))
    assert (answer.status_code, answer.json()["code"]) == (503, "provider-unavailable")
    assert answer.json()["rule"] in ("not_allowed", "no_answer")


def test_a_variable_that_is_not_set_is_told_without_its_value(brokered: Brokered, client: httpx.Client) -> None:
    answer = client.get(brokered.address("/licences/1", "test.unset"))
    assert (answer.status_code, answer.json()["rule"]) == (503, "no_address")
    assert AGENCY not in answer.text
