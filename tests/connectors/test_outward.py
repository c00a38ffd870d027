"""What others name is judged by the address it leads to, each time, and only that address is connected to."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import pytest

from lienthong.clock import system_clock
from lienthong.connectors.outward import Poster, Sent, check_url, may_reach, read_networks
from lienthong.errors import SettingsError, Unprocessable
from tests.web.receiver import receiving

NONE = read_networks("")
LOOPBACK = read_networks("127.0.0.0/8")


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.8.9.1", "10.0.0.1", "172.16.5.5", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1", # noqa: S104 # refused, not bound to
        "255.255.255.255", "192.0.2.1", "198.18.0.1", "240.0.0.1", "::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "fd00:ec2::254",
        "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "2002:7f00:1::", "2002:a00:1::",
        "2001:db8::1", "not an address", "",
    ],
)  # fmt: skip
def test_what_is_not_public_is_not_reached(address: str) -> None:
    assert not may_reach(address, NONE)


@pytest.mark.parametrize("address", ["8.8.8.8", "203.113.131.1", "2001:4860:4860::8888", "::ffff:8.8.8.8"])
def test_what_is_public_is(address: str) -> None:
    assert may_reach(address, NONE)


def test_a_network_that_is_allowed_is_reached_and_its_neighbours_are_not() -> None:
    networks = read_networks("10.20.0.0/16, fd12::/16")
    assert may_reach("10.20.3.4", networks)
    assert may_reach("::ffff:10.20.3.4", networks)
    assert may_reach("fd12::5", networks)
    assert not may_reach("10.21.0.1", networks)
    with pytest.raises(SettingsError):
        read_networks("10.20.0.0/99")


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/", "https://127.0.0.1/", "https://localhost/", "https://2130706433/", "https://0x7f.1/", "https://127.1/",
        "https://[::1]/", "https://[::ffff:127.0.0.1]/", "https://a@8.8.8.8/", "https://8.8.8.8/#x", "https://8.8.8.8:0/", "https:///x",
        "gopher://8.8.8.8/", "https://8.8.8.8:99999/", "https://8.8.8.8\\@127.0.0.1/", "https://8.8.8.8/ x", "http://8.8.8.8/",
        "https://không.example/", "https://" + "a" * 2000, "https://no-such-host.invalid/",
    ],
)  # fmt: skip
def test_an_address_that_is_wrong_is_refused_as_it_is_registered(url: str) -> None:
    with pytest.raises(Unprocessable):
        check_url(url, NONE)


def test_a_public_address_is_taken() -> None:
    check_url("https://8.8.8.8/nhan", NONE)
    check_url("http://127.0.0.1:81/nhan", LOOPBACK)


def post(url: str, networks: Any = LOOPBACK, timeout: float = 5) -> Sent:
    async def go() -> Sent:
        poster = Poster(networks, timeout, system_clock)
        try:
            return await poster.post(url, {"Content-Length": "2"}, b"{}")
        finally:
            await poster.close()

    return asyncio.run(go())


def test_a_name_that_changes_its_mind_is_judged_again(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = [[(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("8.8.8.8", 443))]]
    real = socket.getaddrinfo

    def resolve(host: Any, *rest: Any, **more: Any) -> Any:
        if host != "doi.example":
            return real(host, *rest, **more)
        return answers.pop() if answers else [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 443))]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    check_url("https://doi.example/", NONE)  # public as it is registered
    assert post("https://doi.example/", NONE).reason == "address_refused"


def test_one_address_that_is_not_allowed_spoils_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 443)) for address in ("8.8.8.8", "10.0.0.1")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    with pytest.raises(Unprocessable):
        check_url("https://hai.example/", NONE)
    assert post("https://hai.example/", NONE).reason == "address_refused"


def test_answers_are_read_to_a_bound_redirects_are_not_followed_and_time_is_limited() -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        try:
            if b"/endless" in head:
                writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
                while True:
                    writer.write(b"8000\r\n" + b"x" * 0x8000 + b"\r\n")
                    await writer.drain()
            elif b"/drip" in head:
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
                while True:
                    writer.write(b"x")
                    await writer.drain()
                    await asyncio.sleep(0.1)
            elif b"/nonsense" in head:
                writer.write(b"nonsense\r\n\r\n")
            else:
                writer.write(b"HTTP/1.1 307 Go\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n")
            await writer.drain()
        except ConnectionError:
            pass
        writer.close()

    async def go() -> list[Sent]:
        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        poster = Poster(LOOPBACK, 1, system_clock)
        paths = ("endless", "drip", "moved", "nonsense")
        found = [await poster.post(f"http://127.0.0.1:{port}/{path}", {"Content-Length": "2"}, b"{}") for path in paths]
        await poster.close()
        server.close()
        return found

    endless, drip, moved, nonsense = asyncio.run(go())
    assert endless.status == 200
    assert (drip.status, drip.reason) == (None, "timed_out")
    assert moved.status == 307
    assert (nonsense.status, nonsense.reason) == (None, "not_reached")
    assert post("http://127.0.0.1:9/").reason == "not_reached"


def test_what_the_other_side_asks_to_wait_is_told() -> None:
    with receiving() as receiver:
        receiver.answer("/wait", 503, {"Retry-After": "12"})
        assert post(receiver.base + "/wait").retry_after == 12
        receiver.answer("/wait", 503, {"Retry-After": "soon"})
        assert post(receiver.base + "/wait").retry_after is None
        assert post("http://10.0.0.1/").reason == "address_refused"
