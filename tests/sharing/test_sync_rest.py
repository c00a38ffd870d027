"""A REST endpoint that keeps rows and place together has the agreed view, exactly once in effect, whatever answer was lost."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from lienthong.sharing import syncing
from tests.sharing.syncs import definition_of, make_source, rows


@dataclass
class Endpoint:
    """An agency's endpoint. `loses`: takes a delta and hangs up before answering."""

    url: str = ""
    place: str = ""
    held: dict[str, list[Any]] = field(default_factory=dict)
    taken: int = 0
    loses: int = 0

    def take(self, body: dict[str, Any]) -> int:
        if body["reset"]:
            self.held, self.place = {}, ""
        if body["before"] != self.place:
            return 409
        self.held.update({record[0]: record for record in body["records"]})
        for key in body["gone"]:
            self.held.pop(key, None)
        self.place = body["after"]
        self.taken += 1
        return 204


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    found = Endpoint()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer(200 if found.place else 404, {"place": found.place})

        def do_POST(self) -> None:
            assert self.headers["authorization"] == "Bearer mat-khau"
            status = found.take(json.loads(self.rfile.read(int(self.headers["content-length"]))))
            if found.loses > 0 and status == 204:
                found.loses -= 1
                self.connection.close()
                return
            self._answer(status, {})

        def _answer(self, status: int, body: Any) -> None:
            text = b"" if status == 204 else json.dumps(body).encode()
            self.send_response(status)
            self.send_header("content-length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_: Any) -> None:
            """Tests are quiet."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    found.url = f"http://127.0.0.1:{server.server_port}/copy"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield found
    server.shutdown()
    server.server_close()


def test_an_endpoint_follows_though_answers_are_lost(
    database_url: str, tmp_path: Path, endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(syncing, "FILL_ROWS", 20)
    source = make_source(database_url, tmp_path)
    source.publish(rows(50))
    definition = definition_of("rest", endpoint.url, password="${P}")
    plain = source.office

    def office(**more: Any) -> Any:
        from dataclasses import replace

        return replace(plain(**more), variables={"P": "mat-khau"})

    monkeypatch.setattr(source, "office", office)
    endpoint.loses = 3
    states = [source.sync(definition).state for _ in range(6)]
    assert states[-1] == "following"
    assert "failing" in states
    assert sorted(endpoint.held) == [row[0] for row in source.expected()]
    source.publish(rows(40, 20))
    endpoint.loses = 1
    for _ in range(3):
        source.sync(definition)
    assert sorted(endpoint.held) == [row[0] for row in source.expected()]
    assert [endpoint.held[row[0]][2:4] for row in source.expected()] == [list(row[2:4]) for row in source.expected()]
