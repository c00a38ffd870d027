"""Calls of a REST service through the platform: real platform, real provider, two processes."""

from __future__ import annotations

import contextlib
import hashlib
import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from lienthong.pipeline.service_acts import resume_service, stop_service
from tests.conftest import fresh_database
from tests.web.brokered import AGENCY, DEFINITION, OFFICER, OPENAPI, REST, Brokered, brokering, publish, wait_until
from tests.web.served import CALLER


@pytest.fixture(scope="module")
def brokered(postgres_server: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Brokered]:
    with fresh_database(postgres_server) as url, brokering(url, tmp_path_factory.mktemp("brokered")) as running:
        yield running


@pytest.fixture(scope="module")
def client(brokered: Brokered) -> Iterator[httpx.Client]:
    with httpx.Client(headers=brokered.served.headers(), timeout=120) as opened:
        yield opened


@pytest.fixture(autouse=True)
def _nothing_seen(brokered: Brokered) -> None:
    brokered.seen()


def test_a_call_is_answered_and_proved(brokered: Brokered, client: httpx.Client) -> None:
    answer = client.get(brokered.address("/1.0/licences/7"))
    assert (answer.status_code, answer.json()) == (200, {"licence_no": "7", "holder": "Công ty"})
    entry = brokered.calls()[-1]
    assert (entry["event"], entry["outcome"], entry["agreement"], entry["dataset"]) == ("call:service:answered", "answered", "DV-1", REST)
    assert entry["answer_digest"] == hashlib.sha256(answer.content).hexdigest()
    assert entry["details"]["endpoint"] == "GET /licences/{number}"
    assert entry["details"]["call"] == answer.headers["lienthong-call"]
    assert "/licences/7" not in json.dumps(entry)
    assert brokered.served.verdict().ok


def test_the_provider_is_told_who_asks_and_can_prove_it(brokered: Brokered, client: httpx.Client) -> None:
    client.get(
        brokered.address("/licences/7"),
        headers={"Lienthong-Caller": "forged", "X-Forwarded-For": "1.2.3.4", "Cookie": "a=b", "X-Other": "kept"},
    )
    (seen,) = brokered.seen()
    headers = dict(seen["headers"])
    keys = KeySet.import_key_set(httpx.get(brokered.served.base + "/.well-known/jwks.json").json())
    statement = jwt.decode(headers["lienthong-identity"], keys, algorithms=["EdDSA", "Ed25519"])
    claims = statement.claims
    assert (claims["sub"], claims["aud"], claims["official"], claims["agreement"]) == (CALLER, REST, "can-bo-01", "DV-1")
    assert claims["path"] == hashlib.sha256(b"GET /licences/7?").hexdigest()
    assert statement.header["typ"] == "lienthong-call+jwt"
    assert (headers["lienthong-caller"], headers["x-api-key"], headers["x-other"]) == (CALLER, "bi-mat", "kept")
    assert not {"authorization", "cookie", "x-forwarded-for"} & set(headers)
    assert headers["host"] == urlsplit(brokered.provider).netloc
    refused = httpx.get(
        brokered.address("/licences/7"), headers={**client.headers, "Authorization": f"Bearer {headers['lienthong-identity']}"}
    )
    assert refused.status_code == 401


def test_what_would_speak_for_the_platform_is_not_returned(brokered: Brokered, client: httpx.Client) -> None:
    headers = client.get(brokered.address("/licences/7")).headers
    assert headers["x-kept"] == "1"
    assert not {"set-cookie", "access-control-allow-origin"} & set(headers)
    assert headers.get("server") != "inside"
    assert headers["content-security-policy"].startswith("sandbox")
    assert headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    ("verb", "path", "rule"),
    [("GET", "/secret", "other_endpoint"), ("DELETE", "/licences/7", "other_endpoint"), ("GET", "/licences/7/x", "other_endpoint"), ("POST", "/big/1", "other_endpoint")],
)  # fmt: skip
def test_what_was_not_agreed_is_denied_and_in_the_ledger(brokered: Brokered, client: httpx.Client, verb: str, path: str, rule: str) -> None:
    answer = client.request(verb, brokered.address(path))
    assert (answer.status_code, answer.json()["rule"]) == (403, rule)
    assert (brokered.calls()[-1]["event"], brokered.calls()[-1]["outcome"]) == ("answer:request:denied", rule)
    assert brokered.seen() == []


def test_a_denied_call_carries_the_request_that_would_open_it(client: httpx.Client, brokered: Brokered) -> None:
    number = "075099000017"
    told = [client.get(brokered.address(path)).json() for path in ("/secret", f"/nothing/{number}")]
    assert told[0]["request"] == told[1]["request"]  # whether the path is there is not told
    assert number not in json.dumps(told)
    way_out = told[0]["request"]
    body = way_out["body"]
    assert (body["service"], body["provider"], body["consumer"]) == (REST, AGENCY, CALLER)
    assert {"GET /secret", "GET /licences/*"} <= set(body["endpoints"])
    assert all(endpoint.startswith("GET ") for endpoint in body["endpoints"])
    asked = {**body, "endpoints": ["GET /secret"]}
    filed = client.request(way_out["method"], brokered.served.base + way_out["href"], json=asked).json()
    assert (filed["state"], filed["missing"]) == ("requested", [])


def test_a_request_for_a_service_is_filled_in(client: httpx.Client, brokered: Brokered) -> None:
    template = brokered.served.base + "/v1/agreements/template"
    made = client.get(template, params={"service": REST, "purpose": "tra-cuu"}).json()["body"]
    assert {"GET /licences/*", "PUT /licences/*", "POST /echo"} <= set(made["endpoints"])
    assert "tra-cuu" in made["purposes"]
    assert client.get(template, params={"service": "test.nothing"}).status_code == 404


def test_without_a_token_nothing_is_called(brokered: Brokered) -> None:
    assert httpx.get(brokered.address("/licences/7")).status_code == 401
    assert httpx.get(brokered.address("/licences/7"), headers={"Authorization": "Bearer x"}).status_code == 401
    assert brokered.calls()[-1]["event"] == "answer:request:denied"
    assert brokered.seen() == []


HOSTILE = [
    "/licences/../secret", "/licences/%2e%2e/secret", "/licences/..%2fsecret", "/licences/%2e%2e%2fsecret", "/licences/..%5csecret", "/licences/%252e%252e/secret",
    "/licences/.%2e/secret", "/licences/7;/../../secret", "/licences/7;x=1", "/licences//7", "/licences/7%00", "/licences/%c0%ae%c0%ae/secret", "/licences/7%0d%0aX:%20y",
    "/licences/\\..\\secret", "/licences/%ef%bc%8e%ef%bc%8e/secret", "/licences/./7", "//licences/7", "/1.0/../../../health", "/1.0/licences/..;/secret",
]  # fmt: skip


@pytest.mark.parametrize("path", HOSTILE)
def test_a_path_of_two_meanings_never_reaches_the_provider(brokered: Brokered, client: httpx.Client, path: str) -> None:
    status, _ = raw(brokered, client, f"GET /v1/services/{REST}{path} HTTP/1.1")
    assert status in (400, 403, 404)
    assert brokered.seen() == []


def test_what_is_forwarded_is_what_was_matched(brokered: Brokered, client: httpx.Client) -> None:
    status, _ = raw(brokered, client, f"GET /v1/services/{REST}/licences/%41%20%C4%91%3f?a=%2e%2e HTTP/1.1")
    assert status == 200
    (seen,) = brokered.seen()
    assert (seen["path"], seen["query"]) == ("/base/licences/A%20%C4%91%3F", "a=%2e%2e")


@pytest.mark.parametrize(
    "framing",
    [
        "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /base/secret HTTP/1.1\r\nHost: x\r\n\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\nGET /base/secret HTTP/1.1\r\nHost: x\r\n\r\n",
        "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
        "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\nGET /base/secret HTTP/1.1\r\nHost: x\r\n\r\n",
        "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
        "Content-Length: +5\r\n\r\nhello",
        "Connection: x-api-key, lienthong-identity\r\nX_Api_Key: forged\r\nX-Http-Method-Override: DELETE\r\nContent-Length: 0\r\n\r\n",
    ],
)
def test_nothing_is_smuggled(brokered: Brokered, client: httpx.Client, framing: str) -> None:
    raw(brokered, client, f"POST /v1/services/{REST}/echo HTTP/1.1\r\nContent-Type: application/octet-stream", framing)
    for seen in brokered.seen():
        headers = [name for name, _ in seen["headers"]]
        assert (seen["verb"], seen["path"]) == ("POST", "/base/echo")
        assert len([n for n in headers if n in ("content-length", "transfer-encoding")]) <= 1
        assert dict(seen["headers"])["x-api-key"] == "bi-mat"
        assert not {"x_api_key", "x-http-method-override"} & set(headers)


def test_a_request_that_is_not_what_was_described_is_refused(brokered: Brokered, client: httpx.Client) -> None:
    wrong = client.post(brokered.address("/licences"), json={"holder": 5})
    assert wrong.status_code == 422
    assert "body.holder: type" in wrong.json()["detail_en"]
    assert client.get(brokered.address("/licences?limit=11")).status_code == 422
    assert client.post(brokered.address("/licences"), content=b"{", headers={"Content-Type": "application/json"}).status_code == 422
    assert brokered.seen() == []
    assert brokered.calls()[-1]["outcome"] == "refused"


def test_what_changes_something_is_in_the_ledger_before_it_is_forwarded(brokered: Brokered, client: httpx.Client) -> None:
    answer = client.post(brokered.address("/licences"), json={"licence_no": "9"})
    assert answer.status_code == 201
    assert answer.headers["location"] == f"{brokered.served.base}/v1/services/{REST}/1.0/licences/new"
    begun, ended = brokered.calls()[-2:]
    assert (begun["event"], ended["event"]) == ("call:service:begun", "call:service:ended")
    assert begun["details"]["call"] == ended["details"]["call"]
    assert ended["request_digest"] == hashlib.sha256(answer.request.content).hexdigest()


def test_an_answer_that_is_not_what_was_promised_is_reported(brokered: Brokered, client: httpx.Client) -> None:
    answer = client.get(brokered.address("/licences/wrong"))
    assert (answer.status_code, answer.headers["lienthong-faults"]) == (200, "1")
    assert brokered.calls()[-1]["details"]["faults"] == 1


@pytest.mark.parametrize("query", ["", "?chunked"])
def test_a_long_answer_goes_by_between_two_entries(brokered: Brokered, client: httpx.Client, query: str) -> None:
    digest, size = hashlib.sha256(), 0
    with client.stream("GET", brokered.address(f"/big/200{query}")) as answer:
        for piece in answer.iter_raw():
            digest.update(piece)
            size += len(piece)
    assert size == 200 * 65_536
    begun, ended = brokered.calls()[-2:]
    assert (begun["event"], ended["event"], ended["outcome"]) == ("call:service:begun", "call:service:ended", "answered")
    assert (ended["answer_digest"], ended["details"]["answer_bytes"]) == (digest.hexdigest(), size)


def test_a_long_request_goes_by_without_being_kept(brokered: Brokered, client: httpx.Client) -> None:
    before = resident(brokered)
    answer = client.post(
        brokered.address("/echo"), content=(b"y" * 65_536 for _ in range(800)), headers={"Content-Type": "application/octet-stream"}
    )
    assert answer.json() == {"size": 800 * 65_536}
    assert resident(brokered) - before < 40 * 1024  # of 50 MB that went through
    assert brokered.calls()[-1]["request_digest"] == hashlib.sha256(b"y" * 65_536 * 800).hexdigest()


def test_a_request_larger_than_the_service_takes_is_refused(brokered: Brokered, client: httpx.Client) -> None:
    kind = {"Content-Type": "application/octet-stream"}
    status, _ = raw(brokered, client, f"POST /v1/services/{REST}/echo HTTP/1.1", f"Content-Length: {65 * 2**20}\r\n\r\n")
    assert status == 413
    streamed = client.post(brokered.address("/echo"), content=(b"y" * 2**20 for _ in range(70)), headers=kind)
    assert streamed.status_code == 413


def test_a_caller_that_goes_away_is_told_in_the_ledger(brokered: Brokered, client: httpx.Client) -> None:
    with client.stream("GET", brokered.address("/big/900")) as answer:
        next(answer.iter_raw())
    wait_until(lambda: brokered.calls()[-1]["event"] == "call:service:ended")
    assert brokered.calls()[-1]["outcome"] in ("abandoned", "broken")


def test_a_provider_that_is_slow_is_given_up(brokered: Brokered, client: httpx.Client) -> None:
    answer = client.post(brokered.address("/slow"))
    assert (answer.status_code, answer.json()["rule"]) == (503, "too_slow")
    assert len(brokered.seen()) == 1  # a POST is never tried twice
    assert brokered.calls()[-1]["outcome"] == "failed"
    client.get(brokered.address("/licences/7"))  # the circuit has its good word again


def test_a_failing_provider_is_asked_again_where_that_is_safe(brokered: Brokered, client: httpx.Client) -> None:
    brokered.fail(2)
    assert client.get(brokered.address("/licences/31")).status_code == 200
    assert brokered.calls()[-1]["details"]["tries"] == 3
    brokered.seen()
    brokered.fail(1)
    assert client.post(brokered.address("/licences"), json={"licence_no": "9"}).status_code == 503
    assert len(brokered.seen()) == 1
    client.get(brokered.address("/licences/7"))


def test_a_circuit_opens_and_closes_again(brokered: Brokered, client: httpx.Client) -> None:
    brokered.fail(100)
    for _ in range(3):
        client.post(brokered.address("/echo"), content=b"a", headers={"Content-Type": "application/octet-stream"})
    brokered.seen()
    opened = client.get(brokered.address("/licences/32"))
    wait_until(lambda: client.get(brokered.address("/licences/32")).json().get("rule") == "circuit_open")
    assert opened.status_code == 503
    brokered.fail(0)
    wait_until(lambda: client.get(brokered.address("/licences/32")).status_code == 200)


def test_answers_are_kept_as_the_provider_allows_and_no_longer(brokered: Brokered, client: httpx.Client) -> None:
    first = client.get(brokered.address("/licences/50?cache=max-age=60"))
    again = client.get(brokered.address("/licences/50?cache=max-age=60"))
    assert (again.content, "age" in again.headers, len(brokered.seen())) == (first.content, True, 1)
    assert brokered.calls()[-1]["outcome"] == "cached"
    assert client.get(brokered.address("/licences/50?cache=max-age=60"), headers={"If-None-Match": '"50"'}).status_code == 304
    assert client.get(brokered.address("/licences/50?cache=max-age=60"), headers={"Cache-Control": "no-cache"}).status_code == 200
    assert [dict(seen["headers"]).get("if-none-match") for seen in brokered.seen()] == ['"50"']
    client.put(brokered.address("/licences/50"), json={})
    brokered.seen()
    client.get(brokered.address("/licences/50?cache=max-age=60"))
    assert len(brokered.seen()) == 1
    for said in ("no-store", "private", ""):
        client.get(brokered.address(f"/licences/51?cache={said}"))
        client.get(brokered.address(f"/licences/51?cache={said}"))
        assert len(brokered.seen()) == 2, said


def test_an_old_answer_stands_in_when_the_provider_fails(brokered: Brokered, client: httpx.Client) -> None:
    address = brokered.address("/licences/60?cache=max-age=0")
    assert client.get(address).status_code == 200
    brokered.fail(3)
    stale = client.get(address)
    assert (stale.status_code, brokered.calls()[-1]["outcome"]) == (200, "stale")
    brokered.fail(0)
    client.get(brokered.address("/licences/7"))


def test_another_official_is_not_answered_from_the_cache(brokered: Brokered, client: httpx.Client) -> None:
    for official in ("a", "b"):
        client.get(brokered.address("/licences/52?cache=max-age=60"), headers={"Lienthong-Official": official})
    assert len(brokered.seen()) == 2


def test_a_redirect_is_passed_on_and_never_followed(brokered: Brokered, client: httpx.Client) -> None:
    answer = client.get(brokered.address("/redirect"))
    assert answer.status_code == 302
    assert len(brokered.seen()) == 1


def test_an_announced_stop_is_told_with_its_end(brokered: Brokered, client: httpx.Client) -> None:
    from datetime import UTC, datetime, timedelta

    now = datetime.now(UTC)
    stop_service(brokered.served.workshop, OFFICER, REST, now, now + timedelta(hours=2), ("Nâng cấp hệ thống.", "An upgrade."))
    wait_until(lambda: client.get(brokered.address("/licences/7")).status_code == 503)
    told = client.get(brokered.address("/licences/7"))
    assert (told.json()["code"], "Nâng cấp" in told.json()["detail"], int(told.headers["retry-after"]) > 7000) == (
        "service-stopped",
        True,
        True,
    )
    resume_service(brokered.served.workshop, OFFICER, REST)
    wait_until(lambda: client.get(brokered.address("/licences/7")).status_code == 200)


def test_an_unknown_service_version_or_operation_is_not_found(brokered: Brokered, client: httpx.Client) -> None:
    assert client.get(brokered.address("/licences/7", service="test.none")).status_code == 404
    assert client.get(brokered.address("/9.9/licences/7")).status_code == 403  # no version: a path of its own, which was not agreed on
    answer = client.patch(brokered.address("/licences"))
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, POST")


def test_an_agreement_for_one_service_opens_no_other(brokered: Brokered, client: httpx.Client) -> None:
    publish(brokered.served, {**DEFINITION, "id": "test.other"}, json.dumps(OPENAPI))
    wait_until(lambda: client.get(brokered.address("/licences/7", service="test.other")).status_code != 404)
    assert client.get(brokered.address("/licences/7", service="test.other")).json()["rule"] == "no_agreement"


def test_versions_stand_side_by_side(brokered: Brokered, client: httpx.Client) -> None:
    newer = json.loads(json.dumps(OPENAPI))
    newer["paths"].pop("/redirect")
    publish(brokered.served, {**DEFINITION, "version": "2.0", "default": False}, json.dumps(newer))
    wait_until(lambda: client.get(brokered.address("/2.0/licences/7")).status_code == 200)
    assert client.get(brokered.address("/1.0/redirect")).status_code == 302
    assert client.get(brokered.address("/redirect")).status_code == 404  # the newest is what is meant without a version
    assert client.get(brokered.address("/licences/7")).headers["lienthong-service"] == f"{REST}/2.0"
    assert AGENCY == "H10.10"


def resident(brokered: Brokered) -> int:
    """KiB of the serving process and what it started."""
    found, parents = {}, {}
    for path in Path("/proc").glob("[0-9]*/status"):
        with contextlib.suppress(OSError):  # it has ended since
            fields = dict(line.split(":\t", 1) for line in path.read_text().splitlines() if ":\t" in line)
            number = int(path.parent.name)
            found[number], parents[number] = int(fields.get("VmRSS", "0 kB").split()[0]), int(fields["PPid"])
    ours = {brokered.served.process.pid}
    while more := {number for number, parent in parents.items() if parent in ours} - ours:
        ours |= more
    return sum(found[number] for number in ours if number in found)


def raw(brokered: Brokered, client: httpx.Client, line: str, rest: str = "\r\n") -> tuple[int | None, bytes]:
    """(status, answer) of bytes sent as they are."""
    host, port = brokered.served.base.removeprefix("http://").split(":")
    headers = "".join(f"{n}: {client.headers[n]}\r\n" for n in ("Authorization", "Lienthong-Purpose", "Lienthong-Official"))
    with socket.create_connection((host, int(port)), timeout=120) as connection:
        answer = b""
        try:
            connection.sendall(f"{line}\r\nHost: x\r\nConnection: close\r\n{headers}{rest}".encode())
            while part := connection.recv(65_536):
                answer += part
        except (ConnectionResetError, BrokenPipeError, TimeoutError):
            pass
    return (int(answer.split(b" ", 2)[1]), answer) if answer else (None, b"")
