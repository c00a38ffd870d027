"""Endpoints follow X-Road's patterns; a path has one meaning or none; no agreement opens another's service."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path
from urllib.parse import quote, unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lienthong.access import (
    AccessRequest,
    Agencies,
    Agency,
    Operation,
    Register,
    decide_call,
    load_agreements,
    matches_endpoint,
    new_key_pair,
    read_endpoint,
    safe_path,
    safe_query,
)
from lienthong.errors import AgreementError, BadRequest
from tests.access.test_decide import CALLER, make_agreement

DAY = date(2026, 7, 1)


@pytest.mark.parametrize(
    ("pattern", "path", "is_match"),
    [
        ("/persons/*", "/persons/1", True),
        ("/persons/*", "/persons/", True),
        ("/persons/*", "/persons/1/relatives", False),
        ("/persons/**", "/persons/1/relatives", True),
        ("/persons/*/relatives", "/persons/1/relatives", True),
        ("/persons", "/Persons", False),
        ("/persons", "/persons/", False),
        ("/a.c", "/abc", False),
        (r"/a\*c", "/a*c", True),
        (r"/a\*c", "/abc", False),
        ("/**", "/", True),
        ("/***", "/a/b", True),
    ],
)
def test_a_pattern_matches_the_whole_path(pattern: str, path: str, is_match: bool) -> None:
    assert matches_endpoint(f"GET {pattern}", "GET", path) is is_match


def test_a_verb_opens_no_other_but_head_goes_with_get() -> None:
    assert [verb for verb in ("GET", "HEAD", "POST", "DELETE") if matches_endpoint("GET /a", verb, "/a")] == ["GET", "HEAD"]
    assert matches_endpoint("* /a", "DELETE", "/a")


@pytest.mark.parametrize("text", ["/persons", "GET persons", "FETCH /a", "GET /a\\", "", "GET"])
def test_what_is_no_endpoint_is_refused(text: str) -> None:
    with pytest.raises(BadRequest):
        read_endpoint(text)


HOSTILE = [
    b"/a/../b", b"/a/./b", b"/a/%2e%2e/b", b"/a/%2E%2e/b", b"/a/.%2e/b", b"/a/%2e./b", b"/..", b"/a/%252e%252e/b", b"/a%2fb", b"/a%2Fb",
    b"/a%5cb", b"/a\\..\\b", b"/a;x=1/b", b"/a/..;/b", b"/a%3bx/b", b"//a", b"/a//b", b"/a/%00", b"/a%00.json", b"/a/%c0%ae%c0%ae/b",
    b"/a/%c0%af", b"/a/%e0%80%ae/b", b"/a/%ff", b"/a/%zz", b"/a/%", b"/a/%u002e%u002e/b", b"/a b", b"/a\r\nX: y", b"/a%0d%0aX:%20y", "/đ".encode(),
    b"a/b", b"", b"/" + b"a" * 2_001, b"/a/%EF%BC%8E%EF%BC%8E/b", b"/a%EF%BC%8Fb", b"/a%EF%BC%9Bb", b"/a/%E2%80%A5/b", b"/a/%25%32%65/b", b"/a%7f",
]  # fmt: skip


@pytest.mark.parametrize("raw", HOSTILE, ids=repr)
def test_a_path_of_two_meanings_is_refused(raw: bytes) -> None:
    with pytest.raises(BadRequest):
        safe_path(raw)


@pytest.mark.parametrize("raw", [b"a=%0", b"a#b", b"a\r\nb", b"a b", b"a" * 8_001, "đ".encode()], ids=repr)
def test_a_query_that_could_end_a_line_is_refused(raw: bytes) -> None:
    with pytest.raises(BadRequest):
        safe_query(raw)


@given(st.lists(st.text(min_size=1, max_size=20), min_size=1, max_size=4))
def test_what_is_forwarded_is_what_was_matched(segments: list[str]) -> None:
    try:
        found = safe_path(("/" + "/".join(quote(s, safe="") for s in segments)).encode())
    except (BadRequest, UnicodeEncodeError):
        return
    assert found.text == "/" + "/".join(segments)
    assert unquote(found.sent) == found.text
    assert unquote(unquote(found.sent)) == found.text
    assert found.sent.count("/") == len(segments)
    assert ".." not in found.sent.split("/")
    assert safe_path(found.sent.encode()) == found


@given(st.binary(max_size=60))
def test_no_bytes_at_all_lead_out_of_their_folder(raw: bytes) -> None:
    try:
        found = safe_path(b"/open/" + raw)
    except BadRequest:
        return
    for seen in (found.sent, unquote(found.sent), unquote(unquote(found.sent))):
        assert seen.startswith("/open/")
        assert not {".", ".."} & set(seen.split("/"))
        assert not set(seen) & set("\\;\x00\r\n")


ASKED = AccessRequest(CALLER, "svc.persons", Operation.CALL, "xet-tro-cap", "can-bo")
AGREED = make_agreement(
    dataset="svc.persons", provider="H10.02", operations=frozenset({Operation.CALL}), endpoints=("GET /persons/*",), fields=None, masked=()
)


def rule(asked: AccessRequest = ASKED, provider: str = "H10.02", verb: str = "GET", path: str = "/persons/1") -> str:
    return decide_call(asked, provider, verb, path, Register({}, (AGREED,)), DAY).rule


def test_a_call_that_was_agreed_is_allowed() -> None:
    assert rule() == ""
    assert decide_call(ASKED, "H10.02", "GET", "/persons/1", Register({}, (AGREED,)), DAY).agreement == "A1"


def test_each_other_call_is_denied_by_its_rule() -> None:
    assert rule(verb="POST") == "other_endpoint"
    assert rule(path="/persons") == "other_endpoint"
    assert rule(replace(ASKED, caller=None)) == "no_identity"
    assert rule(replace(ASKED, purpose="khac")) == "other_purpose"
    assert rule(replace(ASKED, official="")) == "no_official"


def test_a_closed_agency_calls_nothing_and_is_told_who_took_its_place() -> None:
    code = CALLER.split("/")[2]
    agencies = Agencies({code: Agency(code, "x", valid_to=DAY, successors=("H19.05",))})
    decision = decide_call(ASKED, "H10.02", "GET", "/persons/1", Register({}, (AGREED,), agencies=agencies), DAY)
    assert (decision.allowed, decision.rule) == (False, "agency_closed")
    assert "H19.05" in decision.en


def test_an_agreement_for_one_service_opens_no_other_and_no_other_agencys() -> None:
    assert rule(replace(ASKED, dataset="svc.other")) == "no_agreement"
    assert rule(provider="H10.99") == "no_agreement"


SERVICE = """
id: A1
provider: H10.02
consumer: VN/GOV/H10.12/tro-cap
service: svc.persons
endpoints: ["get /persons/*", "POST /search"]
purposes: {xet-tro-cap: {vi: Xét, en: Benefits}}
legal_basis: law
term: {from: 2026-01-01}
"""


def read(folder: Path, text: str) -> Register:
    (folder / "subsystems").mkdir()
    (folder / "agreements").mkdir()
    (folder / "subsystems" / "a.yaml").write_text(f"identifier: {CALLER}\nkeys:\n- jwk: {new_key_pair()[1]}\n", "utf-8")
    (folder / "agreements" / "a.yaml").write_text(text, "utf-8")
    return load_agreements(folder, {})


def test_an_agreement_about_a_service_is_read(tmp_path: Path) -> None:
    (agreement,) = read(tmp_path, SERVICE).agreements
    assert (agreement.dataset, agreement.operations, agreement.endpoints) == (
        "svc.persons",
        frozenset({Operation.CALL}),
        ("GET /persons/*", "POST /search"),
    )


@pytest.mark.parametrize("wrong", ['endpoints: ["persons"]', "endpoints: []", 'endpoints: "GET /a"\noperations: [look_up]'])
def test_an_endpoint_that_says_nothing_is_a_fault(tmp_path: Path, wrong: str) -> None:
    with pytest.raises(AgreementError, match="endpoints"):
        read(tmp_path, SERVICE.replace('endpoints: ["get /persons/*", "POST /search"]', wrong))
