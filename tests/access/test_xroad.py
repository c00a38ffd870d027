"""X-Road's words: names, hashes, faults."""

from __future__ import annotations

import hashlib
from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lienthong.access.xroad import (
    FaultStyle,
    Member,
    called,
    client_of,
    fault_begins,
    fault_status,
    party_of,
    request_hash,
    retained,
    same_fault,
    server_of,
    spelled,
)
from lienthong.errors import BadRequest

PARTS = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=20).filter(lambda text: text not in (".", ".."))


def test_an_address_names_service_and_path() -> None:
    found = called("/r1/VN/GOV/H10.10/du-lieu/test.licences/records/1%2FGP?x=1".partition("?")[0])
    assert found.service.provider == Member("VN", "GOV", "H10.10", "du-lieu")
    assert found.service.code == "test.licences"
    assert found.rest == "/records/1%2FGP"


@pytest.mark.parametrize("path", ["/r1/VN/GOV/H10.10/du-lieu", "/r1/", "/r1/a/b/c//d", "/r2/a/b/c/d/e", "/r1/a/b/../d/e", "/r1/a/b/%2e%2e/d/e", "/r1/a/b/%zz/d/e", "/r1/a/b/%ff/d/e", "/r1/a/b/%00/d/e"])  # fmt: skip
def test_an_address_that_names_no_service_is_refused(path: str) -> None:
    with pytest.raises(BadRequest):
        called(path)


def test_a_slash_inside_a_part_does_not_move_the_borders() -> None:
    member = client_of("VN/GOV/H10.12%2Ftra-cuu")
    assert member == Member("VN", "GOV", "H10.12/tra-cuu")
    assert member.identity is None
    assert client_of("VN/GOV/H10.12%2Ftra-cuu/x").identity is None
    assert str(client_of("VN/GOV/H10.12/tra-cuu").identity) == "VN/GOV/H10.12/tra-cuu"


def test_a_member_alone_is_no_subsystem() -> None:
    assert client_of("VN/GOV/H10.12").identity is None


@pytest.mark.parametrize("value", ["", "VN/GOV", "VN/GOV/H10/a/b", "VN//H10/a", "VN/GOV/H10/a%00"])
def test_a_client_of_another_number_of_parts_is_refused(value: str) -> None:
    with pytest.raises(BadRequest):
        client_of(value)


def test_a_server_has_four_parts_and_a_party_one_or_two() -> None:
    assert server_of("VN/GOV/H10/ss1") == ("VN", "GOV", "H10", "ss1")
    assert party_of("COM/0100109106") == ("COM", "0100109106")
    assert party_of("0100109106") == ("", "0100109106")
    for read, value in ((server_of, "VN/GOV/H10"), (server_of, "VN/GOV/H10/a/b"), (party_of, "a/b/c")):
        with pytest.raises(BadRequest):
            read(value)


@given(st.lists(PARTS, min_size=4, max_size=4))
def test_a_name_written_and_read_is_the_same(parts: list[str]) -> None:
    member = Member(*parts)
    assert client_of(str(member)) == member


def test_the_hash_of_a_request_without_a_body_is_over_its_head() -> None:
    headers = [(b"accept", b"application/json"), (b"x-road-client", b"VN/GOV/A/b"), (b"x-road-request-id", b"1")]
    head = b"GET\r\n/r1/VN/GOV/A/b/c?x=1\r\naccept:application/json\r\nx-road-client:VN/GOV/A/b\r\nx-road-request-id:1\r\n"
    assert request_hash("GET", "/r1/VN/GOV/A/b/c?x=1", headers, b"") == b64encode(hashlib.sha512(head).digest()).decode()


def test_the_hash_of_a_request_with_a_body_is_over_both_hashes() -> None:
    head = hashlib.sha512(b"POST\r\n/r1/VN/GOV/A/b/c\r\n").digest()
    both = hashlib.sha512(head + hashlib.sha512(b"{}").digest()).digest()
    assert request_hash("POST", "/r1/VN/GOV/A/b/c", [], b"{}") == b64encode(both).decode()


def test_headers_of_one_connection_do_not_belong_to_the_message() -> None:
    headers = [
        (b"Host", b"a"),
        (b"X-Road-Request-Hash", b"forged"),
        (b"X-Road-Request-Id", b"forged"),
        (b"User-Agent", b"x"),
        (b"a", b"1"),
        (b"a", b"2"),
    ]
    assert retained(headers) == [(b"a", b"1"), (b"a", b"2")]


@pytest.mark.parametrize(
    ("fault", "camel"),
    [
        ("server.serverproxy.access_denied", "Server.ServerProxy.AccessDenied"),
        ("client.bad_request", "Client.BadRequest"),
        ("server.clientproxy.ssl_authentication_failed", "Server.ClientProxy.SslAuthenticationFailed"),
    ],
)
def test_faults_have_two_spellings_and_are_one(fault: str, camel: str) -> None:
    assert spelled(fault, FaultStyle.CAMEL) == camel
    assert spelled(fault, FaultStyle.SNAKE) == fault
    assert same_fault(fault, camel)
    assert fault_begins(camel, fault.rpartition(".")[0])


def test_a_refusal_is_a_server_s_fault_and_a_bad_message_is_not() -> None:
    assert fault_status("Server.ServerProxy.AccessDenied") == 500
    assert fault_status("client.bad_request") == 400
    assert fault_status("serverless.thing") == 400
