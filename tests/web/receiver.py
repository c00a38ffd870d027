"""A subscriber: a real HTTP server that keeps what it is sent and answers as it is told to."""

from __future__ import annotations

import json
import queue
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Received:
    path: str
    headers: dict[str, str]
    body: bytes
    at: float

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def events(self) -> list[dict[str, Any]]:
        found = json.loads(self.body)
        return found if isinstance(found, list) else [found]

    @property
    def subjects(self) -> list[str | None]:
        return [event.get("subject") for event in self.events]


@dataclass
class Receiver:
    """`answers`: path → status, headers, what to wait for before answering; 204 at once where nothing is said."""

    base: str
    answers: dict[str, tuple[int, dict[str, str], threading.Event | None]] = field(default_factory=dict)
    _queues: dict[str, queue.Queue[Received]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def at(self, path: str) -> queue.Queue[Received]:
        """What came to a path, in order."""
        with self._lock:
            return self._queues.setdefault(path, queue.Queue())

    def take(self, path: str, seconds: float = 120) -> Received:
        return self.at(path).get(timeout=seconds)

    def answer(self, path: str, status: int, headers: dict[str, str] | None = None, after: threading.Event | None = None) -> None:
        self.answers[path] = (status, headers or {}, after)


@contextmanager
def receiving() -> Iterator[Receiver]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            receiver.at(self.path).put(Received(self.path, headers, body, time.time()))
            status, more, after = receiver.answers.get(self.path, (204, {}, None))
            if after is not None:
                after.wait(120)
            self.send_response(status)
            for name, value in more.items():
                self.send_header(name, value)
            if status != 204:
                self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    receiver = Receiver(f"http://127.0.0.1:{server.server_address[1]}")
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
