"""Agencies' services, as such services are: tokens that expire, pages, now and then «slow down».

`python -m demo.province.agency_server --data FILE… --port N [--flaky]`; each file is a service, `/api/<the file's name>`; prints its address
when it listens.
"""

from __future__ import annotations

import argparse
import json
import secrets
import time
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

CLIENT_ID, CLIENT_SECRET = "lien-thong", "bi-mat-mau"  # of the demo service, which serves invented data on this machine
TOKEN_SECONDS = 600
MOST_ROWS = 1000
EVERY_FLAKY = 7
LOOKED_UP = "/tra-cuu/doanh-nghiep"
PUBLIC = ("ma_so_thue", "ten", "loai_hinh", "ngay_thanh_lap", "trang_thai", "nganh_chinh")


class Service(ThreadingHTTPServer):
    """The rows of each service, the tokens given out, and whether the services are moody ones."""

    daemon_threads = True

    def __init__(self, address: tuple[str, int], rows: Mapping[str, list[dict[str, Any]]], *, is_flaky: bool = False) -> None:
        super().__init__(address, Handler)
        self.rows = rows
        self.tokens: dict[str, float] = {}
        self.is_flaky = is_flaky
        self.requests = 0


class Handler(BaseHTTPRequestHandler):
    server: Service
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(min(int(self.headers.get("Content-Length") or 0), 10_000)).decode("utf-8", "replace")
        form = parse_qs(body)
        if self.path != "/token" or form.get("client_id") != [CLIENT_ID] or form.get("client_secret") != [CLIENT_SECRET]:
            self._answer(401, {"loi": "Sai tài khoản"})
            return
        token = secrets.token_urlsafe(24)
        self.server.tokens[token] = time.monotonic() + TOKEN_SECONDS
        self._answer(200, {"access_token": token, "token_type": "Bearer", "expires_in": TOKEN_SECONDS})

    def do_GET(self) -> None:
        asked = urlsplit(self.path)
        if asked.path.startswith(LOOKED_UP):
            self._look_up(unquote(asked.path.removeprefix(LOOKED_UP)).removeprefix("/"), parse_qs(asked.query))
            return
        rows = self.server.rows.get(asked.path.removeprefix("/api/"))
        if rows is None:
            self._answer(404, {"loi": "Không có địa chỉ này"})
            return
        token = self.headers.get("Authorization", "").removeprefix("Bearer ")
        if self.server.tokens.get(token, 0) < time.monotonic():
            self._answer(401, {"loi": "Cần đăng nhập"})
            return
        self.server.requests += 1
        if self.server.is_flaky and self.server.requests % EVERY_FLAKY == 0:
            self._answer(429, {"loi": "Quá nhiều yêu cầu"}, {"Retry-After": "1"})
            return
        query = parse_qs(asked.query)
        page, size = int(query.get("page", ["1"])[0]), min(int(query.get("size", ["500"])[0]), MOST_ROWS)
        self._answer(200, {"tong_so": len(rows), "trang": page, "du_lieu": rows[(page - 1) * size : page * size]})

    def _look_up(self, number: str, query: Mapping[str, list[str]]) -> None:
        """Enterprises by tax code, or by a part of the name: what the register tells anybody, no person among it."""
        if self.headers.get("X-Api-Key") != CLIENT_SECRET:
            self._answer(401, {"loi": "Sai khóa"})
            return
        rows = self.server.rows.get("doanh-nghiep", [])
        if number:
            found = next((row for row in rows if row["ma_so_thue"] == number), None)
            self._answer(404, {"loi": "Không có doanh nghiệp này"}) if found is None else self._answer(200, _told(found))
            return
        name, most = query.get("ten", [""])[0].casefold(), min(int(query.get("toi_da", ["20"])[0]), 20)
        named = (row for row in rows if name in row["ten"].casefold())
        self._answer(200, {"du_lieu": [_told(row) for row in islice(named, most)]})

    def _answer(self, status: int, value: dict[str, Any], headers: dict[str, str] | None = None) -> None:
        body = json.dumps(value, ensure_ascii=False).encode()
        self.send_response(status)
        for name, text in {"Content-Type": "application/json", "Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(name, text)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # the base class's own name
        """The demo's terminal shows the card, not each request."""


def _told(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: row[name] for name in PUBLIC if row.get(name) is not None}


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--data", type=Path, nargs="+", required=True)
    arguments.add_argument("--port", type=int, default=0)
    arguments.add_argument("--flaky", action="store_true")
    given = arguments.parse_args()
    service = Service(
        ("127.0.0.1", given.port), {path.stem: json.loads(path.read_text("utf-8")) for path in given.data}, is_flaky=given.flaky
    )
    print(f"http://127.0.0.1:{service.server_address[1]}", flush=True)
    try:
        service.serve_forever()
    except KeyboardInterrupt:
        service.server_close()


if __name__ == "__main__":
    main()
