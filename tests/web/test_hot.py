"""The hot path on a real server: many at once, other writers beside it, requests that make no sense, a database that goes away."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import socket
import threading
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import psycopg
import pytest

from lienthong.ledger import Entry, Event
from lienthong.store import append_entries
from tests.conftest import fresh_database
from tests.web.served import CALLER, LICENCES, RECORDS, Served, serving

MANY = 250
CONNECTIONS = 64


@pytest.fixture(scope="module")
def served(postgres_server: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with fresh_database(postgres_server) as url, serving(url, tmp_path_factory.mktemp("served")) as running:
        yield running


@pytest.fixture(scope="module")
def client(served: Served) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=served.base, headers=served.headers()) as opened:
        yield opened


def address(number: int) -> str:
    return f"{RECORDS}/{quote(f'{number}/GP-UBND', safe='')}"


def test_a_key_with_a_slash_is_found_now_and_in_the_past(client: httpx.Client) -> None:
    now = client.get(address(7))
    assert now.status_code == 200
    assert now.json()["values"] == {"licence_no": "7/GP-UBND", "holder": "Công ty số 7"}
    then = client.get(address(7), params={"known_at": datetime.now(UTC).isoformat()})
    assert then.json() == now.json()


def test_every_answer_of_many_at_once_has_exactly_one_entry(served: Served) -> None:
    headers = served.headers()
    before = len(served.bodies())
    stop = threading.Event()
    writer = threading.Thread(target=_write_beside, args=(served, stop))
    writer.start()
    try:
        answers = asyncio.run(_ask_many(served.base, headers))
    finally:
        stop.set()
        writer.join()
    assert Counter(answer.status_code for answer in answers) == {200: MANY * 9 // 10, 404: MANY // 10}
    entries = [body for body in served.bodies()[before:] if body["event"].startswith("answer:record") and body["caller"] == CALLER]
    given = Counter(hashlib.sha256(answer.content).hexdigest() for answer in answers if answer.status_code == 200)
    assert Counter(body["answer_digest"] for body in entries if body["outcome"] == "given") == given
    assert sum(body["outcome"] == "missing" for body in entries) == MANY // 10
    beside = sum(body["caller"] == "beside" for body in served.bodies())
    assert beside > 0
    verdict = served.verdict()
    assert verdict.ok, verdict.en


async def _ask_many(base: str, headers: dict[str, str]) -> list[httpx.Response]:
    limits = httpx.Limits(max_connections=CONNECTIONS)
    async with httpx.AsyncClient(base_url=base, headers=headers, limits=limits, timeout=120) as client:
        numbers = [n % LICENCES if n % 10 else LICENCES + n for n in range(MANY)]
        return await asyncio.gather(*(client.get(address(number)) for number in numbers))


def _write_beside(served: Served, stop: threading.Event) -> None:
    """Another process of the platform, such as a run, that appends to the same ledger."""
    with served.workshop.database.connect() as connection:
        while not stop.is_set():
            append_entries(connection, [Entry(datetime.now(UTC), Event.RUN_UNCHANGED, "beside")], served.workshop.signer)
            connection.commit()
            stop.wait(0.01)


def test_a_denied_caller_learns_nothing_of_what_exists(served: Served, client: httpx.Client) -> None:
    bare = {"Lienthong-Purpose": "khac"}
    here, gone = client.get(address(1), headers=bare), client.get(address(LICENCES + 1), headers=bare)
    assert (here.status_code, here.json()) == (gone.status_code, gone.json())
    assert here.json()["rule"] == "other_purpose"
    assert [body["outcome"] for body in served.bodies()[-2:]] == ["other_purpose", "other_purpose"]


def test_head_answers_without_a_body_and_with_its_entry(served: Served, client: httpx.Client) -> None:
    answer = client.head(address(2))
    assert (answer.status_code, answer.content) == (200, b"")
    assert served.bodies()[-1]["event"] == "answer:record:given"


@pytest.mark.parametrize("verb", ["POST", "OPTIONS", "TRACE"])
def test_another_verb_is_not_allowed_and_says_what_is(client: httpx.Client, verb: str) -> None:
    answer = client.request(verb, address(1))
    assert answer.status_code == 405
    assert "GET" in answer.headers["allow"]
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("path", [f"{RECORDS}/%zz", f"{RECORDS}/%ff", f"{RECORDS}/a%00b", "/v1/datasets/%e1/records/1", "/docs/%g1"])
def test_an_address_that_is_no_text_is_a_bad_request(served: Served, path: str) -> None:
    status, body = _raw(served, f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
    assert status in (400, 404), body
    if path.startswith(RECORDS):
        assert status == 400


@pytest.mark.parametrize("size", [70_000, 2_000_000])
def test_headers_too_large_are_refused_and_the_server_goes_on(served: Served, client: httpx.Client, size: int) -> None:
    status, _ = _raw(served, b"GET /health HTTP/1.1\r\nHost: x\r\nX-Long: " + b"a" * size + b"\r\nConnection: close\r\n\r\n")
    assert status in (None, 200, 400, 413, 431)
    assert client.get("/health").status_code == 200


def test_an_official_may_be_named_in_vietnamese(served: Served, client: httpx.Client) -> None:
    for sent in ("Nguyễn Văn Ân".encode(), quote("Nguyễn Văn Ân").encode()):
        assert client.get(address(3), headers=[(b"lienthong-official", sent)]).status_code == 200
        assert served.bodies()[-1]["official"] == "Nguyễn Văn Ân"
    refused = client.get(address(3), headers={"Lienthong-Official": "a" * 201})
    assert refused.status_code == 400


def test_a_revoked_token_is_refused_within_two_seconds(served: Served) -> None:
    headers = served.headers()
    assert httpx.get(served.base + address(1), headers=headers).status_code == 200
    claims = _claims(headers["Authorization"].split()[1])
    with served.workshop.database.connect() as connection:
        connection.execute(
            "insert into lienthong.revoked_tokens (jti, expires_at) values (%s, %s)",
            (claims["jti"], datetime.now(UTC) + timedelta(hours=1)),
        )
        connection.commit()
    until = datetime.now(UTC) + timedelta(seconds=2)
    while httpx.get(served.base + address(1), headers=headers).status_code == 200:
        assert datetime.now(UTC) < until
    assert httpx.get(served.base + address(1), headers=headers).json()["code"] == "unauthenticated"


def test_health_says_how_long_the_ledger_is(served: Served, client: httpx.Client) -> None:
    known = len(served.bodies())
    health = client.get("/health").json()
    assert (health["status"], health["database"], health["ledger"]) == ("ok", "ok", "ok")
    assert health["ledger_size"] == known


def test_connections_that_die_are_replaced(served: Served, client: httpx.Client) -> None:
    with psycopg.connect(served.workshop.database.url, autocommit=True) as connection:
        connection.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()"
        )
    statuses = [client.get(address(1)).status_code for _ in range(4)]
    assert set(statuses) <= {200, 503}
    assert statuses[-1] == 200
    assert [client.get(address(1), params={"fields": "holder"}).status_code for _ in range(4)] == [200] * 4
    assert served.verdict().ok


@pytest.fixture
def agreements(served: Served, client: httpx.Client) -> Iterator[Path]:
    """The folder of agreements; what a test changes there is undone, and the undoing is waited for."""
    folder = served.folder / "agreements"
    kept = {path: path.read_text("utf-8") for path in folder.rglob("*.yaml")}
    yield folder
    for path, text in kept.items():
        path.write_text(text, "utf-8")
    becomes(client, 200)


def becomes(client: httpx.Client, status: int) -> httpx.Response:
    """The first answer of this status, within two seconds."""
    until = datetime.now(UTC) + timedelta(seconds=2)
    while (answer := client.get(address(1))).status_code != status:
        assert datetime.now(UTC) < until
    return answer


def test_a_suspended_agreement_denies_within_two_seconds(client: httpx.Client, agreements: Path) -> None:
    path = agreements / "agreements" / "one.yaml"
    assert client.get(address(1)).status_code == 200
    path.write_text(path.read_text("utf-8").replace('"state": "active"', '"state": "suspended"'), "utf-8")
    assert becomes(client, 403).json()["rule"] == "not_active"


def test_a_closed_subsystem_is_shut_out_with_the_token_it_has(client: httpx.Client, agreements: Path) -> None:
    path = agreements / "subsystems" / "one.yaml"
    path.write_text(path.read_text("utf-8").replace('"title_vi"', '"active": false, "title_vi"'), "utf-8")
    becomes(client, 401)


def test_a_faulty_agreement_leaves_in_force_what_was(client: httpx.Client, agreements: Path) -> None:
    path = agreements / "agreements" / "one.yaml"
    path.write_text(path.read_text("utf-8").replace('"state": "active"', '"state": "sleeping"'), "utf-8")
    until = datetime.now(UTC) + timedelta(seconds=2)
    while datetime.now(UTC) < until:
        assert client.get(address(1)).status_code == 200


def _claims(token: str) -> dict[str, Any]:
    part = token.split(".")[1]
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return found


def _raw(served: Served, request: bytes) -> tuple[int | None, bytes]:
    """(status, answer) of bytes sent as they are; None when the server hung up without a word."""
    host, port = served.base.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=120) as connection:
        answer = b""
        try:
            connection.sendall(request)
            while part := connection.recv(65_536):
                answer += part
        except (ConnectionResetError, BrokenPipeError):
            pass
    return (int(answer.split(b" ", 2)[1]), answer) if answer else (None, b"")
