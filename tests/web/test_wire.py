"""Connections of a real server: plain look-ups are answered where their bytes arrive, and no way of sending them makes a difference."""

from __future__ import annotations

import hashlib
import json
import re
import socket
import time
from collections.abc import Iterator, Mapping
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lienthong.web.quick import Head, _read
from tests.conftest import fresh_database
from tests.web.served import CALLER, LICENCES, RECORDS, Served, serving


@pytest.fixture(scope="module", params=["1", "2"], ids=["one worker", "two workers"])
def served(request: pytest.FixtureRequest, postgres_server: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("served")
    with (
        fresh_database(postgres_server) as url,
        serving(url, folder, number="GP-{}", environment={"LIENTHONG_WORKERS": request.param}) as running,
    ):
        yield running


@pytest.fixture(scope="module")
def headers(served: Served) -> dict[str, str]:
    return served.headers()


def _head(key: str, headers: Mapping[str, str], *more: str, verb: str = "GET") -> bytes:
    lines = [f"{verb} {RECORDS}/{key} HTTP/1.1", "Host: here", *(f"{name}: {value}" for name, value in headers.items()), *more]
    return "\r\n".join([*lines, "", ""]).encode()


class Line:
    """A bare connection, to send what no client would."""

    def __init__(self, served: Served) -> None:
        port = int(served.base.rsplit(":", 1)[1])
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=120)
        self._read = self._socket.makefile("rb")

    def send(self, data: bytes) -> None:
        self._socket.sendall(data)

    def answer(self) -> tuple[int, dict[str, str], bytes]:
        """(status, headers, body) of the next answer; status 0 when the other side hung up."""
        status = re.match(rb"HTTP/1\.1 (\d{3})", self._read.readline())
        if status is None:
            return 0, {}, b""
        headers = {}
        while (line := self._read.readline().strip()) != b"":
            name, _, value = line.partition(b": ")
            headers[name.decode().lower()] = value.decode()
        return int(status.group(1)), headers, self._read.read(int(headers.get("content-length", 0)))

    def close(self) -> None:
        self._read.close()
        self._socket.close()


@pytest.fixture
def line(served: Served) -> Iterator[Line]:
    opened = Line(served)
    yield opened
    opened.close()


def test_a_plain_look_up_is_answered_as_any_other_way_of_asking(line: Line, headers: dict[str, str]) -> None:
    line.send(_head("GP-7", headers))
    plain = line.answer()
    line.send(_head("GP-7", headers, "X-Other: makes it go the ordinary way"))
    ordinary = line.answer()
    assert plain[0] == ordinary[0] == 200
    assert plain[2] == ordinary[2]
    assert plain[1] == ordinary[1]
    assert json.loads(plain[2])["values"] == {"licence_no": "GP-7", "holder": "Công ty số 7"}


def test_a_plain_look_up_of_nothing_is_the_same_problem_as_any_other(line: Line, headers: dict[str, str]) -> None:
    line.send(_head("GP-none", headers))
    plain = line.answer()
    line.send(_head("GP-none", headers, "X-Other: 1"))
    assert plain == line.answer()
    assert (plain[0], plain[1]["content-type"]) == (404, "application/problem+json")


def test_every_plain_answer_has_its_entry(served: Served, line: Line, headers: dict[str, str]) -> None:
    given = []
    for n in range(20):
        line.send(_head(f"GP-{n}", headers))
        status, _, body = line.answer()
        assert status == 200
        given.append(hashlib.sha256(body).hexdigest())
    entries = [body for body in served.bodies() if body["event"] == "answer:record:given" and body["caller"] == CALLER]
    assert [body["answer_digest"] for body in entries[-20:]] == given
    assert served.verdict().ok


def test_requests_sent_ahead_are_answered_in_their_order(line: Line, headers: dict[str, str]) -> None:
    ways = [_head(f"GP-{n}", headers, *(["X-Other: 1"] if n % 3 == 0 else [])) for n in range(60)]
    line.send(b"".join(ways))
    found = [json.loads(line.answer()[2])["key"] for _ in ways]
    assert found == [f"GP-{n}" for n in range(60)]


def test_requests_sent_before_the_last_is_answered_wait_their_turn(line: Line, headers: dict[str, str]) -> None:
    for n in range(40):
        line.send(_head(f"GP-{n}", headers))
    assert [json.loads(line.answer()[2])["key"] for _ in range(40)] == [f"GP-{n}" for n in range(40)]


def test_a_request_in_pieces_is_one_request(line: Line, headers: dict[str, str]) -> None:
    whole = _head("GP-5", headers)
    for start in range(0, len(whole), 37):
        line.send(whole[start : start + 37])
        time.sleep(0.002)  # each in a packet of its own
    assert json.loads(line.answer()[2])["key"] == "GP-5"
    line.send(_head("GP-6", headers))
    assert json.loads(line.answer()[2])["key"] == "GP-6"


def test_one_who_hangs_up_before_the_answer_disturbs_nobody(served: Served, headers: dict[str, str]) -> None:
    for n in range(20):
        gone = Line(served)
        gone.send(_head(f"GP-{n}", headers))
        gone.close()
    assert httpx.get(f"{served.base}{RECORDS}/GP-1", headers=headers).status_code == 200


@pytest.mark.parametrize(
    ("change", "rule"),
    [({"Authorization": ""}, None), ({"Lienthong-Purpose": "khac"}, "other_purpose"), ({"Lienthong-Official": ""}, "no_official")],
)
def test_a_plain_look_up_without_right_is_refused_and_noted(
    served: Served, line: Line, headers: dict[str, str], change: dict[str, str], rule: str | None
) -> None:
    line.send(_head("GP-1", {name: value for name, value in {**headers, **change}.items() if value}))
    status, _, body = line.answer()
    assert status == (401 if rule is None else 403)
    assert rule is None or json.loads(body)["rule"] == rule
    assert served.bodies()[-1]["event"] == "answer:request:denied"


def test_a_head_too_large_is_refused_in_words(served: Served, headers: dict[str, str]) -> None:
    line = Line(served)
    line.send(b"GET /health HTTP/1.1\r\nHost: x\r\nX-Long: " + b"a" * 70_000)
    status, sent, body = line.answer()
    assert (status, sent["connection"], json.loads(body)["code"]) == (431, "close", "headers-too-large")
    assert line.answer()[0] == 0
    line.close()


@pytest.mark.parametrize(("verb", "status"), [("FROBNICATE", 501), ("get", 501)])
def test_an_unknown_verb_is_told_so(served: Served, headers: dict[str, str], verb: str, status: int) -> None:
    line = Line(served)
    line.send(_head("GP-1", headers, verb=verb))
    found, _, body = line.answer()
    assert (found, json.loads(body)["code"]) == (status, "method-not-known")
    line.close()


@pytest.mark.parametrize(
    "smuggled",
    [
        "Content-Length: 5",
        "Transfer-Encoding: chunked",
        "Content-Length: 5\r\nTransfer-Encoding: chunked",
        "Expect: 100-continue",
        " folded: x",
    ],
)
def test_nothing_that_speaks_of_a_body_is_plain(headers: dict[str, str], smuggled: str) -> None:
    whole = _head("GP-1", headers, smuggled)
    assert _read(whole[whole.index(b"\r\n") + 2 :]) is None


def test_two_different_tokens_in_one_head_are_not_plain(headers: dict[str, str]) -> None:
    whole = _head("GP-1", headers, "Authorization: Bearer other")
    assert _read(whole[whole.index(b"\r\n") + 2 :]) is None


@given(st.binary(max_size=300))
def test_whatever_arrives_is_plain_only_as_a_whole_head_of_known_headers(block: bytes) -> None:
    head = _read(block)
    if head is not None:
        assert block.endswith(b"\r\n\r\n")
        assert block.count(b"\r\n\r\n") == 1


@given(st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=30).filter(lambda t: "%" not in t))
def test_what_a_plain_head_says_is_what_was_sent(value: str) -> None:
    block = f"Host: x\r\nAuthorization: Bearer {value}\r\nlienthong-purpose:{value}\r\nLIENTHONG-OFFICIAL: \t{value} \r\n\r\n"
    assert _read(block.encode()) == Head(f"Bearer {value}", value, value)


def test_there_are_as_many_licences_as_are_asked_for(served: Served, headers: dict[str, str]) -> None:
    last = httpx.get(f"{served.base}{RECORDS}/GP-{LICENCES - 1}", headers=headers)
    assert last.status_code == 200
