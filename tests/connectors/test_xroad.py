"""Other members' services, read through a security server: our own provider side as a second real process, and recorded answers of X-Road."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from lienthong.connectors import http_session, xroad_soap
from lienthong.errors import HostileInputError, SourceError
from tests.conftest import fresh_database
from tests.connectors.reading import check_resuming, make_source, read_all
from tests.web.served import CALLER, DATASET, LICENCES, Served, serving

PROVIDER = "VN/GOV/H10.10/du-lieu"
NAMED = {"client": CALLER, "user_id": "cán bộ 01", "issue": "tra-cuu"}
REST: dict[str, Any] = {
    "xroad": {**NAMED, "service": f"{PROVIDER}/{DATASET}"},
    "path": "/records",
    "items": "records",
    "fields": {"so": "key", "ten": "values.holder"},
    "query": {"limit": "70"},
    "paging": {"kind": "cursor", "size_parameter": "", "cursor_parameter": "cursor", "next": "next"},
}
SOAP: dict[str, Any] = {
    "xroad": {**NAMED, "service": f"{PROVIDER}/{DATASET}.list"},
    "namespace": f"urn:lienthong:{DATASET}",
    "parameters": {"parameter@limit": "90"},
    "cursor": "parameter@cursor",
    "next": "next",
    "row": "record",
    "fields": {"so": "key", "ten": "values/holder"},
}


@pytest.fixture(scope="module")
def served(postgres_server: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = Path(tmp_path_factory.mktemp("provider"))
    environment = {"LIENTHONG_XROAD_NETWORKS": "127.0.0.1/32"}
    with (
        fresh_database(postgres_server) as url,
        serving(url, folder, environment=environment, agreement={"operations": ["list"]}) as server,
    ):
        yield server


@pytest.fixture(autouse=True)
def _without_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_session.Session.__init__, "__defaults__", (lambda _: None, None))
    monkeypatch.setattr(xroad_soap, "FIRST_WAIT_SECONDS", 0.0)


def test_all_rows_come_through_rest_page_by_page(served: Served) -> None:
    source = make_source("xroad_rest", served.base, **REST)
    rows = read_all(source).rows
    assert len(rows) == LICENCES
    assert {"so": "7/GP-UBND", "ten": "Công ty số 7"} in rows
    last = served.bodies()[-1]
    assert (last["caller"], last["official"], last["purpose"]) == (CALLER, "cán bộ 01", "tra-cuu")


def test_all_rows_come_through_soap_page_by_page(served: Served) -> None:
    source = make_source("xroad_soap", f"{served.base}/soap", **SOAP)
    assert read_all(source, 40).rows == read_all(make_source("xroad_rest", served.base, **REST)).rows
    assert served.bodies()[-1]["official"] == "cán bộ 01"


def test_reading_through_soap_goes_on_where_it_stopped(served: Served) -> None:
    check_resuming(make_source("xroad_soap", f"{served.base}/soap", **SOAP), (80,))


@pytest.mark.parametrize(("connector", "options", "path"), [("xroad_rest", REST, ""), ("xroad_soap", SOAP, "/soap")])
def test_a_refusal_is_told_in_words_and_not_tried_again(served: Served, connector: str, options: dict[str, Any], path: str) -> None:
    before = len(served.bodies())
    refused = {**options, "xroad": {**options["xroad"], "issue": "khac"}}
    with pytest.raises(SourceError, match=r"Server\.ServerProxy\.AccessDenied") as error:
        read_all(make_source(connector, served.base + path, **refused))
    assert "right" in error.value.hint
    assert len(served.bodies()) == before + 1


class Recorded:
    """A security server that says what was recorded of real ones, in turn; the last for ever."""

    def __init__(self, *answers: tuple[int, dict[str, str], bytes]) -> None:
        self.asked: list[dict[str, str]] = []
        left = list(answers)
        recorded = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *args: Any) -> None:
                pass

            def do_GET(self) -> None:
                recorded.asked.append(dict(self.headers))
                status, headers, body = left.pop(0) if len(left) > 1 else left[0]
                self.send_response(status)
                for name, value in {"Content-Length": str(len(body)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                self.do_GET()

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def recorded() -> Iterator[Callable[..., Recorded]]:
    made: list[Recorded] = []

    def make(*answers: tuple[int, dict[str, str], bytes]) -> Recorded:
        made.append(Recorded(*answers))
        return made[-1]

    yield make
    for server in made:
        server.server.shutdown()
        server.server.server_close()


def error(kind: str) -> tuple[int, dict[str, str], bytes]:
    body = f'{{"type":"{kind}","message":"Could not connect","detail":"0b2c"}}'.encode()
    return 500, {"X-Road-Error": kind, "Content-Type": "application/json"}, body


ROWS = (200, {"Content-Type": "application/json"}, b'{"records":[{"key":"1","values":{"holder":"A"}}],"next":null}')


@pytest.mark.parametrize("kind", ["Server.ClientProxy.NetworkError", "server.clientproxy.network_error"])
def test_a_fault_that_may_pass_is_tried_again_with_a_new_id(recorded: Callable[..., Recorded], kind: str) -> None:
    server = recorded(error(kind), ROWS)
    assert len(read_all(make_source("xroad_rest", server.url, **REST)).rows) == 1
    assert len({headers["X-Road-Id"] for headers in server.asked}) == 2
    assert server.asked[0]["X-Road-Client"] == CALLER


@pytest.mark.parametrize("kind", ["Server.ServerProxy.UnknownService", "server.serverproxy.unknown_service", "Client.BadRequest"])
def test_a_fault_that_stays_is_told_at_once_in_either_spelling(recorded: Callable[..., Recorded], kind: str) -> None:
    server = recorded(error(kind))
    with pytest.raises(SourceError, match="Could not connect"):
        read_all(make_source("xroad_rest", server.url, **REST))
    assert len(server.asked) == 1


def test_the_service_s_own_error_is_not_x_road_s(recorded: Callable[..., Recorded]) -> None:
    server = recorded((404, {}, b"{}"))
    with pytest.raises(SourceError, match="404"):
        read_all(make_source("xroad_rest", server.url, **REST))


def test_an_answer_to_another_message_is_not_taken(recorded: Callable[..., Recorded]) -> None:
    server = recorded((200, {"X-Road-Id": "another", "Content-Type": "application/json"}, ROWS[2]))
    with pytest.raises(SourceError, match="another message"):
        read_all(make_source("xroad_rest", server.url, **REST))


SOAP_FAULT = b"""<?xml version="1.0" encoding="utf-8"?><SOAP-ENV:Envelope xmlns:SOAP-ENV="http://schemas.xmlsoap.org/soap/envelope/"
 xmlns:xroad="http://x-road.eu/xsd/xroad.xsd"><SOAP-ENV:Body><SOAP-ENV:Fault><faultcode>Server.ServerProxy.UnknownService</faultcode>
<faultstring>Unknown service: SERVICE:VN/GOV/1</faultstring><faultactor/><detail><xroad:faultDetail>1f</xroad:faultDetail></detail>
</SOAP-ENV:Fault></SOAP-ENV:Body></SOAP-ENV:Envelope>"""
BOMB = b'<!DOCTYPE a [<!ENTITY a "aaaa">]><SOAP-ENV:Envelope xmlns:SOAP-ENV="http://schemas.xmlsoap.org/soap/envelope/">&a;</SOAP-ENV:Envelope>'


@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        ((500, {}, SOAP_FAULT), SourceError, "UnknownService"),
        ((200, {}, BOMB), SourceError, "document type"),
        ((200, {}, b"<html>"), SourceError, "well-formed"),
        ((404, {}, b""), SourceError, "404"),
        ((200, {}, b" " * 3_000_000), HostileInputError, "longer"),
    ],
)
def test_soap_answers_that_are_none_are_told(recorded: Callable[..., Recorded], answer: Any, kind: type[Exception], words: str) -> None:
    with pytest.raises(kind, match=words):
        read_all(make_source("xroad_soap", recorded(answer).url, **SOAP))


@pytest.mark.parametrize(
    "xroad",
    [None, {}, {"client": CALLER}, {"client": "VN/GOV/H1", "service": f"{PROVIDER}/x"}, {"client": CALLER, "service": PROVIDER}, {**NAMED, "service": f"{PROVIDER}/x", "security_server": "a/b"}, {**NAMED, "service": f"{PROVIDER}/x", "khac": "1"}],
)  # fmt: skip
def test_identifiers_that_are_none_are_refused_before_anything_is_sent(xroad: Any) -> None:
    options = {**REST, "xroad": xroad} if xroad is not None else {name: value for name, value in REST.items() if name != "xroad"}
    with pytest.raises(SourceError):
        read_all(make_source("xroad_rest", "http://127.0.0.1:1", **options))
