"""A JSON service, met as a real local server: every way of paging, tokens that expire, a service that stumbles."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from lienthong.connectors import http_session
from lienthong.errors import HostileInputError, SourceError
from tests.connectors.reading import check_resuming, make_source, read_all

ROWS = [{"ma": f"{n:04d}", "von": 1000.50, "chu": {"ten": f"Lê {n}"}} for n in range(1, 24)]


class Service:
    """A register with 23 rows; `stumble` may answer in its place."""

    def __init__(self) -> None:
        self.tokens = 0
        self.valid = ""
        self.asked: list[str] = []
        self.stumble: Callable[[BaseHTTPRequestHandler], bool] = lambda _: False
        service = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *args: Any) -> None:
                pass

            def do_GET(self) -> None:
                service.asked.append(self.path)
                if not service.stumble(self):
                    service.answer(self)

            def do_POST(self) -> None:
                form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
                if form.get("client_secret") != ["s3cret"]:
                    send(self, {"error": "invalid_client"}, 401)
                    return
                service.tokens += 1
                service.valid = f"token-{service.tokens}"
                send(self, {"access_token": service.valid, "expires_in": 3600})

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        parts = urlsplit(request.path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        kind = parts.path.strip("/")
        if kind == "secured":
            if request.headers.get("Authorization") != f"Bearer {self.valid}":
                send(request, {}, 401)
                return
            kind = "page"
        size = int(query.get("size") or query.get("limit") or 5)
        start = (int(query.get("page", 1)) - 1) * size if kind == "page" else int(query.get("offset") or query.get("cursor") or 0)
        rows, after = ROWS[start : start + size], start + size
        more = after < len(ROWS)
        headers = {"Link": f'</link?cursor={after}>; rel="next"'} if kind == "link" and more else {}
        following: Any = after if kind == "cursor" else f"{self.url}/next?cursor={after}"
        send(request, {"tong": len(ROWS), "kq": {"rows": rows}, "next": following if more else None}, headers=headers)


def send(request: BaseHTTPRequestHandler, body: Any, status: int = 200, headers: dict[str, str] | None = None) -> bool:
    """Answer, and say that it was answered."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    request.send_response(status)
    for name, value in {"Content-Length": str(len(data)), **(headers or {})}.items():
        request.send_header(name, value)
    request.end_headers()
    request.wfile.write(data)
    return True


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    monkeypatch.setattr(http_session, "LONGEST_WAIT_SECONDS", 0.01)
    service = Service()
    yield service
    service.server.shutdown()
    service.server.server_close()


PAGING = {
    "page": {"kind": "page", "size": 5},
    "offset": {"kind": "offset", "size": 5},
    "cursor": {"kind": "cursor", "next": "next", "size": 5},
    "next": {"kind": "next_link", "next": "next", "size": 5},
    "link": {"kind": "link_header", "size": 5},
}
FIELDS = {"mã": "ma", "vốn": "von", "chủ": "chu.ten"}


@pytest.mark.parametrize("kind", PAGING)
def test_every_way_of_paging_gives_every_row_once_and_goes_on(service: Service, kind: str) -> None:
    source = make_source("http_json", f"{service.url}/{kind}", items="kq.rows", paging=PAGING[kind], fields=FIELDS)
    reading = read_all(source)
    assert [row["mã"] for row in reading.rows] == [row["ma"] for row in ROWS]
    assert reading.rows[0] == {"mã": "0001", "vốn": "1000.5", "chủ": "Lê 1"}
    assert reading.source_rows == list(range(1, 24))
    check_resuming(source, (2, 5, 8))


def test_the_total_ends_the_pages_without_an_empty_one(service: Service) -> None:
    source = make_source("http_json", f"{service.url}/page", items="kq.rows", paging={"kind": "page", "size": 23, "total": "tong"})
    assert len(read_all(source).rows) == 23
    assert len(service.asked) == 1


def oauth(service: Service, **more: Any) -> dict[str, Any]:
    return {
        "kind": "oauth2_client_credentials",
        "token_url": f"{service.url}/token",
        "client_id": "lgsp",
        "client_secret": "${SECRET}",
        **more,
    }


def test_a_token_is_fetched_once_and_again_when_the_service_refuses_it(service: Service) -> None:
    def expire_once(_: BaseHTTPRequestHandler) -> bool:
        if len(service.asked) == 3:
            service.valid = "another"
        return False

    service.stumble = expire_once
    source = make_source("http_json", f"{service.url}/secured", items="kq.rows", paging=PAGING["page"], auth=oauth(service))
    assert len(read_all(source, variables={"SECRET": "s3cret"}).rows) == 23
    assert service.tokens == 2


def test_a_wrong_secret_is_told_without_showing_it(service: Service) -> None:
    source = make_source("http_json", f"{service.url}/secured", items="kq.rows", paging=PAGING["page"], auth=oauth(service))
    with pytest.raises(SourceError, match="gave no token, answered 401") as caught:
        read_all(source, variables={"SECRET": "wr0ng"})
    assert "wr0ng" not in str(caught.value)


@pytest.mark.parametrize("status", [429, 503])
def test_a_service_that_stumbles_is_asked_again(service: Service, status: int) -> None:
    def stumble(request: BaseHTTPRequestHandler) -> bool:
        if len(service.asked) % 2:
            send(request, {}, status, {"Retry-After": "1"})
            return True
        return False

    service.stumble = stumble
    source = make_source("http_json", f"{service.url}/page", items="kq.rows", paging=PAGING["page"])
    assert len(read_all(source).rows) == 23


def test_a_service_that_stays_down_names_the_page(service: Service) -> None:
    def down_from_page_3(request: BaseHTTPRequestHandler) -> bool:
        if "page=3" in request.path:
            send(request, {}, 500)
            return True
        return False

    service.stumble = down_from_page_3
    source = make_source("http_json", f"{service.url}/page", items="kq.rows", paging=PAGING["page"], retries=1)
    with pytest.raises(SourceError, match=r"page 3.*answered 500"):
        read_all(source)


def test_a_connection_cut_in_the_middle_of_an_answer_is_tried_again(service: Service) -> None:
    def cut(request: BaseHTTPRequestHandler) -> bool:
        if len(service.asked) == 2:
            request.send_response(200)
            request.send_header("Content-Length", "1000")
            request.end_headers()
            request.wfile.write(b'{"kq"')
            request.close_connection = True
            return True
        return False

    service.stumble = cut
    source = make_source("http_json", f"{service.url}/page", items="kq.rows", paging=PAGING["page"])
    assert len(read_all(source).rows) == 23


def test_nobody_listening_is_told_in_words() -> None:
    with pytest.raises(SourceError, match="cannot be reached"):
        read_all(make_source("http_json", "http://127.0.0.1:9/", retries=0))


@pytest.mark.parametrize(
    "body", [b"<html>login</html>", b'{"kq": {"other": []}}', b'{"kq": {"rows": 5}}', b'{"kq": {"rows": [{"a": 1}', b"\xff\xfe"]
)
def test_an_answer_that_is_not_the_json_expected_names_the_page(service: Service, body: bytes) -> None:
    service.stumble = lambda request: send(request, body)
    with pytest.raises(SourceError, match="page 1"):
        read_all(make_source("http_json", f"{service.url}/page", items="kq.rows", paging=PAGING["page"]))


def test_credentials_never_follow_a_redirect_to_another_host(service: Service) -> None:
    other = Service()
    service.stumble = lambda request: send(request, {}, 302, {"Location": f"{other.url}/page"})
    source = make_source("http_json", f"{service.url}/page", items="kq.rows", auth={"kind": "bearer", "token": "t"})
    with pytest.raises(HostileInputError, match="máy chủ khác"):
        read_all(source)
    assert other.asked == []
    other.server.shutdown()
    other.server.server_close()


def test_endless_pages_and_endless_answers_are_bounded(service: Service) -> None:
    service.stumble = lambda request: send(request, {"kq": {"rows": []}, "next": "same"})
    with pytest.raises(HostileInputError, match="more than 4 pages"):
        read_all(make_source("http_json", f"{service.url}/x", items="kq.rows", paging={"kind": "cursor"}, max_pages=4))
    service.stumble = lambda request: send(request, b" " * 10_000)
    with pytest.raises(HostileInputError, match="longer than 5000"):
        read_all(make_source("http_json", f"{service.url}/x", items="kq.rows", max_bytes=5000))


def test_items_that_are_no_objects_break_alone(service: Service) -> None:
    service.stumble = lambda request: send(request, b'[{"a": 1}, 5, {"a": "x\\u0000"}]')
    reading = read_all(make_source("http_json", f"{service.url}/x"))
    assert reading.rows == [{"a": "1"}]
    assert [(row.source_row, row.code) for row in reading.broken] == [(2, "row.object"), (3, "row.nul")]
