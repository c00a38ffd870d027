"""Web servers for tests: `server.py KIND ROOT PORT [CERTIFICATE]`; KIND `pages` shows a folder as a page of links, `dav` speaks WebDAV.

`pages` wants the account can-bo; `dav` lets anybody read.
"""

from __future__ import annotations

import base64
import ssl
import sys
from contextlib import suppress
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

kind, root, port, *certificate = sys.argv[1:]
ACCOUNT = "Basic " + base64.b64encode("can-bo:mật-khẩu".encode()).decode()


class Pages(SimpleHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path.endswith("/away.csv"):
            self.send_response(302)
            self.send_header("Location", "http://127.0.0.1:9/other.csv")
            self.end_headers()
        elif self.path.endswith("/endless.csv"):
            self._send_endlessly()
        elif self._is_known():
            super().do_GET()

    def _send_endlessly(self) -> None:
        self.send_response(200)
        self.end_headers()
        if self.command == "HEAD":
            return
        with suppress(OSError):
            while True:
                self.wfile.write(b"a;b\n" * 65_536)

    def do_HEAD(self) -> None:
        if self.path.endswith(("/away.csv", "/endless.csv")):
            self.do_GET()
        elif self._is_known():
            super().do_HEAD()

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""

    def _is_known(self) -> bool:
        if self.headers.get("Authorization") == ACCOUNT:
            return True
        self.send_error(401)
        return False


class Threaded(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""


if kind == "pages":
    server: ThreadingHTTPServer | WSGIServer = ThreadingHTTPServer(("127.0.0.1", int(port)), partial(Pages, directory=root))
else:
    from wsgidav.wsgidav_app import WsgiDAVApp

    app = WsgiDAVApp(
        {
            "provider_mapping": {"/": root},
            "simple_dc": {"user_mapping": {"*": True}},
            "logging": {"enable": False},
            "verbose": 0,
            "lock_storage": False,
        }
    )
    server = make_server("127.0.0.1", int(port), app, Threaded, Quiet)
if certificate:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate[0])
    server.socket = context.wrap_socket(server.socket, server_side=True)
server.serve_forever()
