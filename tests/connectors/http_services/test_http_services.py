"""Services in JSON and XML as agencies have them: questions that are posted, keys in addresses, changes since a time, packed answers."""

from __future__ import annotations

import base64
import gzip
import json
import threading
import zlib
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from lienthong.connectors import ReadContext, fingerprint, http_session
from lienthong.connectors.http_session import Access, Limits, Session
from lienthong.contracts import Delivery, Source
from lienthong.errors import HostileInputError, SourceError
from tests.connectors.reading import check_resuming, make_source, read_all

ROWS = [{"ma": f"{n:04d}", "luc": f"2026-01-{n:02d}T00:00:00Z", "xoa": n % 5 == 0} for n in range(1, 14)]
Given = tuple[int, bytes, dict[str, str]]


class Register:
    """Answers as `answer` says: (method, path, query, headers, body) → (status, body, headers)."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, str], bytes]] = []
        self.answer: Callable[[str, str, dict[str, str], Any, bytes], Given] = lambda *_: (404, b"", {})
        register = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def log_message(self, *args: Any) -> None:
                pass

            def handle_any(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                parts = urlsplit(self.path)
                query = {name: values[0] for name, values in parse_qs(parts.query).items()}
                register.asked.append((self.command, query, body))
                status, data, headers = register.answer(self.command, parts.path, query, self.headers, body)
                self.send_response(status)
                for name, value in {"Content-Length": str(len(data)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(data)

            do_GET = do_POST = do_HEAD = handle_any  # noqa: N815 # names of the library

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def register(monkeypatch: pytest.MonkeyPatch) -> Iterator[Register]:
    monkeypatch.setattr(http_session, "LONGEST_WAIT_SECONDS", 0.01)
    made = Register()
    yield made
    made.server.shutdown()
    made.server.server_close()


def as_json(rows: list[dict[str, Any]], **more: Any) -> Given:
    return 200, json.dumps({"rows": rows, **more}).encode(), {}


def paged(query: dict[str, Any], rows: list[dict[str, Any]] = ROWS) -> list[dict[str, Any]]:
    page, size = int(query.get("page", 1)), int(query.get("size", 5))
    return rows[(page - 1) * size : page * size]


def service(register: Register, delivery: Delivery = Delivery.SNAPSHOT, kind: str = "http_json", **more: Any) -> Source:
    usual: dict[str, Any] = {"items": "rows", "paging": {"kind": "page", "size": 5}} if kind == "http_json" else {}
    return make_source(kind, f"{register.url}/so", delivery, **usual, **more)


def test_a_question_may_be_posted_with_its_pages_inside(register: Register) -> None:
    register.answer = lambda method, _path, _query, _headers, body: as_json(paged(json.loads(body)) if method == "POST" else [])
    source = service(register, method="POST", body={"tu_ngay": "2026-01-01", "loc": {"xa": ["1", "2"]}})
    assert [row["ma"] for row in read_all(source).rows] == [row["ma"] for row in ROWS]
    asked = json.loads(register.asked[0][2])
    assert asked == {"tu_ngay": "2026-01-01", "loc": {"xa": ["1", "2"]}, "page": 1, "size": 5}
    check_resuming(source, (3,))


def xml(rows: list[dict[str, Any]], following: str = "") -> Given:
    items = "".join(f'<hs:HoSo ma="{row["ma"]}"><hs:Luc>{row["luc"]}</hs:Luc></hs:HoSo>' for row in rows)
    return 200, f'<?xml version="1.0"?><hs:TraLoi xmlns:hs="urn:x"><hs:Trang><hs:Sau>{following}</hs:Sau><hs:Tong>13</hs:Tong></hs:Trang>{items}</hs:TraLoi>'.encode(), {}  # fmt: skip


@pytest.mark.parametrize("paging", [
    {"kind": "page", "size": 5}, {"kind": "page", "size": 5, "total": "Trang/Tong"}, {"kind": "offset", "size": 5, "page_parameter": "bo", "size_parameter": "size"},
    {"kind": "cursor", "size": 5, "next": "Trang/Sau"}, {"kind": "next_link", "size": 5, "next": "Trang/Sau"},
])  # fmt: skip
def test_answers_in_xml_are_paged_like_those_in_json(register: Register, paging: dict[str, Any]) -> None:
    def answer(_method: str, _path: str, query: dict[str, str], _headers: Any, _body: bytes) -> Given:
        start = int(query.get("bo") or query.get("cursor") or (int(query.get("page", 1)) - 1) * 5)
        more = str(start + 5) if start + 5 < len(ROWS) else ""
        return xml(ROWS[start : start + 5], f"/so?cursor={more}&amp;size=5" if more and paging["kind"] == "next_link" else more)

    register.answer = answer
    source = service(register, kind="http_xml", row="HoSo", fields={"mã": "@ma", "lúc": "Luc"}, paging=paging)
    reading = read_all(source)
    assert [row["mã"] for row in reading.rows] == [row["ma"] for row in ROWS]
    assert reading.rows[0]["lúc"] == "2026-01-01T00:00:00Z"
    check_resuming(source, (4,))


@pytest.mark.parametrize("body", [
    b'<!DOCTYPE x [<!ENTITY a "b">]><x><HoSo ma="&a;"/></x>', b"<x><HoSo></x>", b"<html><body>login", b"", b"\xff\xfe",
    b'<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY lol "lol"><!ENTITY lol2 "&lol;&lol;">]><x>&lol2;</x>',
])  # fmt: skip
def test_hostile_or_broken_xml_is_refused(register: Register, body: bytes) -> None:
    register.answer = lambda *_: (200, body, {})
    with pytest.raises(SourceError, match=r"DOCTYPE|XML"):
        read_all(service(register, kind="http_xml", row="HoSo", fields={"mã": "@ma"}))


def test_a_part_given_twice_breaks_its_row_alone(register: Register) -> None:
    register.answer = lambda *_: (200, b"<x><HoSo><A>1</A><A>2</A></HoSo><HoSo><A>3</A></HoSo></x>", {})
    reading = read_all(service(register, kind="http_xml", row="HoSo", fields={"a": "A"}))
    assert (reading.rows, [row.code for row in reading.broken]) == ([{"a": "3"}], ["row.repeated"])


def test_a_key_may_stand_in_the_address_and_is_in_no_message(register: Register) -> None:
    register.answer = lambda _m, _p, query, _h, _b: as_json(paged(query)) if query.get("khoa") == "s3cret" else (403, b"", {})
    auth = {"kind": "api_key", "parameter": "khoa", "token": "${KEY}"}
    source = service(register, auth=auth, query={"loai": "a"})
    reading = read_all(source, variables={"KEY": "s3cret"})
    assert len(reading.rows) == 13
    assert "s3cret" not in reading.batches[0].file.uri
    with pytest.raises(SourceError, match="403") as caught:
        read_all(source, variables={"KEY": "wr0ng"})
    assert "wr0ng" not in str(caught.value)


def test_a_client_may_show_itself_by_basic_where_it_gets_its_token(register: Register) -> None:
    def answer(method: str, _path: str, query: dict[str, str], headers: Any, body: bytes) -> Given:
        if method == "POST":
            told = base64.b64decode(headers["Authorization"].removeprefix("Basic ")).decode()
            return (200, b'{"access_token": "t1"}', {}) if told == "lgsp:a%2Bb" and b"secret" not in body else (401, b"", {})
        return as_json(paged(query)) if headers["Authorization"] == "Bearer t1" else (401, b"", {})

    register.answer = answer
    auth = {
        "kind": "oauth2_client_credentials",
        "credentials": "basic",
        "token_url": register.url,
        "client_id": "lgsp",
        "client_secret": "a+b",
    }
    assert len(read_all(service(register, auth=auth)).rows) == 13


def test_requests_come_no_quicker_than_agreed(register: Register) -> None:
    register.answer = lambda *_: as_json([])
    waited: list[float] = []
    with Session(register.url, Access("none"), Limits(5, 0, 1000, requests_per_second=2), sleep=waited.append) as session:
        for _ in range(5):
            session.get(register.url, {}, "trang")
    assert len(waited) == 4
    assert all(0 < seconds <= 2.5 for seconds in waited)


def test_changes_since_the_last_reading_with_ends_among_them(register: Register) -> None:
    rows: list[dict[str, Any]] = [dict(row) for row in ROWS]

    def answer(_m: str, _p: str, query: dict[str, str], _h: Any, _b: bytes) -> Given:
        return as_json(paged(query, [row for row in rows if row["luc"] >= query.get("tu", "")]))

    register.answer = answer
    source = service(
        register, Delivery.CHANGES, since={"parameter": "tu", "field": "luc", "overlap": 3600}, ended={"field": "xoa"},
        fields={"mã": "ma"},
    )  # fmt: skip
    whole = read_all(source)
    ended = whole.batches[0].ended
    assert ended is not None
    assert not any(ended.to_pylist())
    assert [row["mã"] for row in whole.rows] == [row["ma"] for row in ROWS if not row["xoa"]], "what ended before is no part of the whole"
    end = whole.batches[-1].position
    assert (end["since"], whole.batches[-1].table.num_rows) == ("2026-01-13T00:00:00Z", 0)
    rows += [{"ma": "0099", "luc": "2026-01-14T00:00:00Z", "xoa": False}, {"ma": "0001", "luc": "2999-01-01T00:00:00Z", "xoa": True}]
    later = read_all(source, after=end)
    assert register.asked[-1][1]["tu"] == "2026-01-12T23:00:00Z"
    assert [row["mã"] for row in later.rows] == ["0013", "0099", "0001"]
    assert later.batches[0].ended is not None
    assert later.batches[0].ended.to_pylist() == [False, False, True]
    assert later.batches[-1].position["since"] == "2026-01-14T00:00:00Z", "a clock far ahead moves nothing"
    first = next(iter(read_all(source, 3).batches))
    assert [row["mã"] for row in read_all(source, after=first.position).rows] == [row["ma"] for row in rows[3:] if not row["xoa"]]


def test_since_needs_a_delivery_of_changes(register: Register) -> None:
    with pytest.raises(SourceError, match="delivery: changes"):
        read_all(service(register, since={"field": "luc"}))


def raw_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    return packer.compress(data) + packer.flush()


@pytest.mark.parametrize(("name", "pack"), [("gzip", gzip.compress), ("deflate", zlib.compress), ("deflate", raw_deflate)])
def test_packed_answers_are_read_and_bombs_are_met_by_the_bound(register: Register, name: str, pack: Callable[[bytes], bytes]) -> None:
    register.answer = lambda _m, _p, query, _h, _b: (200, pack(as_json(paged(query))[1]), {"Content-Encoding": name})
    assert len(read_all(service(register)).rows) == 13
    bomb = pack(b" " * 50_000_000)
    register.answer = lambda *_: (200, bomb, {"Content-Encoding": name})
    with pytest.raises(HostileInputError, match="longer than"):
        read_all(service(register, max_bytes=1_000_000))


@pytest.mark.parametrize("packed", ["gzip, gzip", "br", "x-unknown"])
def test_packing_nobody_asked_for_is_refused(register: Register, packed: str) -> None:
    register.answer = lambda *_: (200, gzip.compress(gzip.compress(b"[]")), {"Content-Encoding": packed})
    with pytest.raises(HostileInputError, match="not asked for"):
        read_all(service(register))


def test_a_packed_answer_that_is_damaged_or_ends_early_is_told(register: Register) -> None:
    whole = gzip.compress(as_json(ROWS)[1])
    register.answer = lambda *_: (200, whole[:40], {"Content-Encoding": "gzip"})
    with pytest.raises(SourceError, match="cannot be reached"):
        read_all(service(register, retries=1))
    register.answer = lambda *_: (200, b"not gzip at all", {"Content-Encoding": "gzip"})
    with pytest.raises(SourceError, match="damaged"):
        read_all(service(register))


def test_the_same_content_is_recognised_by_its_mark_where_the_contract_trusts_it(register: Register) -> None:
    mark = ['"a1"']
    register.answer = lambda method, _p, query, _h, _b: (200, b"" if method == "HEAD" else as_json(paged(query))[1], {"ETag": mark[0]})
    source = service(register, unchanged_by="etag")
    one, again = fingerprint(source, ReadContext()), fingerprint(source, ReadContext())
    mark[0] = '"a2"'
    assert (one == again, one != fingerprint(source, ReadContext()), fingerprint(service(register), ReadContext())) == (True, True, None)
    assert {method for method, _, _ in register.asked} == {"HEAD"}
    register.answer = lambda *_: (405, b"", {})
    assert fingerprint(source, ReadContext()) is None
