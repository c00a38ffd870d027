"""A wire on which one figure is told as another, in whatever form it goes by: text of any kind, Parquet, a page.

What a client says it found behind this wire shows that it tells what comes, and not what it kept, knows or fetched elsewhere.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import urlsplit

import httpx
import pyarrow.compute
import pyarrow.parquet

NOT_PASSED = ("host", "accept-encoding", "range", "connection", "content-length")
NOT_ANSWERED = ("content-length", "content-encoding", "connection", "transfer-encoding", "date", "server", "accept-ranges", "etag")
DECIMALS = 2  # of a figure, as a page rounds it


@contextmanager
def altering(upstream: str, figure: float, other: float) -> Iterator[str]:
    """Where a server is that answers as `upstream` does, but with the one figure for the other."""
    here = _Quiet(("127.0.0.1", 0), BaseHTTPRequestHandler)
    base = f"http://127.0.0.1:{here.server_port}"
    addresses = [(urlsplit(upstream).netloc.encode(), urlsplit(base).netloc.encode())]
    spellings = [(one.encode(), two.encode()) for one, two in zip(_spellings(figure), _spellings(other), strict=True)]

    def altered(content: bytes, media_type: str) -> bytes:
        if "parquet" in media_type:
            return _parquet(content, figure, other)
        for one, two in addresses:
            content = content.replace(one, two)
        for one, two in spellings:
            content = re.sub(rb"(?<![\d.])" + re.escape(one) + rb"(?!\d)", two, content)
        return content

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _pass_on(self) -> None:
            sent = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {name: value for name, value in self.headers.items() if name.lower() not in NOT_PASSED}
            method = "GET" if self.command == "HEAD" else self.command
            found = httpx.request(method, upstream + self.path, headers={**headers, "Accept-Encoding": "identity"}, content=sent)
            body = altered(found.content, found.headers.get("Content-Type", ""))
            asked = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range") or "")
            whole = len(body)
            if asked and found.status_code == 200:
                first, last = int(asked[1]), min(int(asked[2] or whole - 1), whole - 1)
                body = body[first : last + 1]
                self.send_response(206)
                self.send_header("Content-Range", f"bytes {first}-{last}/{whole}")
            else:
                self.send_response(found.status_code)
            for name, value in found.headers.items():
                if name not in NOT_ANSWERED and name != "content-range":
                    self.send_header(name, value.replace(upstream, base))
            self.send_header("Accept-Ranges", "bytes")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        do_GET = do_POST = do_HEAD = _pass_on  # noqa: N815 # the library's names

        def log_message(self, *_: object) -> None:
            """Nothing on the terminal."""

    here.RequestHandlerClass = Handler
    Thread(target=here.serve_forever, daemon=True).start()
    try:
        yield base
    finally:
        here.shutdown()
        here.server_close()


class _Quiet(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """A client may leave when it has what it wants; what goes wrong here fails the test by what the client then says."""


def _spellings(value: float) -> tuple[str, ...]:
    return repr(value), f"{value:.{DECIMALS}f}", f"{value:.{DECIMALS}f}".replace(".", ",")


def _parquet(content: bytes, figure: float, other: float) -> bytes:
    table = pyarrow.parquet.read_table(io.BytesIO(content))
    for place, field in enumerate(table.schema):
        if pyarrow.types.is_floating(field.type):
            column = table.column(place)
            told = pyarrow.compute.if_else(pyarrow.compute.equal(column, figure), pyarrow.scalar(other, field.type), column)
            table = table.set_column(place, field, told)
    out = io.BytesIO()
    pyarrow.parquet.write_table(table, out)
    return out.getvalue()
