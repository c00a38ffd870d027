"""One connection of HTTP/1.1, on uvicorn's parser: plain look-ups are answered at once (`web.quick`), everything else is ASGI.

What uvicorn leaves open is closed here: how large the head of a request may be, how long a caller may take to send it, and the words of
a refusal. Requests of one connection are answered in the order they came: while one is being answered, the next waits unread.
"""

from __future__ import annotations

import asyncio
import sys
from typing import Any

from httptools import HttpParserInvalidMethodError
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol
from uvicorn.server import ServerState

from lienthong.sharing.lookup import Found
from lienthong.web.hot import Answer, problem_answer
from lienthong.web.quick import answer_of

LARGEST_HEAD = 65_536  # bytes of request line and headers
SECONDS_FOR_A_HEAD = 20.0
SECONDS_IDLE = 75.0
SECONDS_TO_FINISH = 4.0  # for answers under way when the server is told to stop
SECONDS_BETWEEN_LOOKS = 5.0  # at each connection: cheaper than a timer for each request


class Wire(HttpToolsProtocol):
    """A connection. It is itself the waiter of the look-up it is answering, of which there is never more than one."""

    def __init__(
        self, config: Config, server_state: ServerState, app_state: dict[str, Any], _loop: asyncio.AbstractEventLoop | None = None
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._quick = self.app.quick
        self._host = ""
        self._is_answering = False  # a plain look-up
        self._is_between = True  # no part of a request has been read
        self._is_reading_head = False
        self._is_ending = False
        self._head_bytes = 0
        self._unread = b""
        self._since = 0.0
        self._timer: asyncio.TimerHandle | None = None

    # What arrives

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._host = self.client[0] if self.client else ""
        self._since = self.loop.time()
        self._timer = self.loop.call_later(SECONDS_BETWEEN_LOOKS, self._look)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._unread = b""
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._is_answering:
            self._unread += data
            self.flow.pause_reading()
            return
        if self._is_between and (self.cycle is None or self.cycle.response_complete) and self._quick.take(data, self._host, self):
            self._is_answering = True
            return
        super().data_received(data)
        if self._is_reading_head:
            self._head_bytes += len(data)
            if self._head_bytes > LARGEST_HEAD:
                self._refuse(431)

    def on_message_begin(self) -> None:
        self._is_between, self._is_reading_head = False, True
        self._head_bytes = 0
        self._since = self.loop.time()
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._is_reading_head = False
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._is_between = True
        super().on_message_complete()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._unset_keepalive_if_required()
        self._since = self.loop.time()

    def send_400_response(self, msg: str) -> None:
        del msg  # the parser's own words
        self._refuse(501 if isinstance(sys.exc_info()[1], HttpParserInvalidMethodError) else 400)  # RFC 9110 §9.1

    # The answer to a plain look-up

    def done(self) -> bool:
        return self.transport.is_closing()

    def set_result(self, found: Found | None) -> None:
        if found is None:
            self._send(self.app.hot.absent)
        else:
            self.transport.write(answer_of(found, _common(self.server_state)))
            self._finish()

    def set_exception(self, error: BaseException) -> None:
        self._send(problem_answer(error))

    def _send(self, answer: Answer, *more: tuple[bytes, bytes]) -> None:
        lines = [STATUS_LINE[answer.status], _common(self.server_state)]
        lines += [b"%b: %b\r\n" % header for header in (*answer.headers, *more)]
        self.transport.write(b"".join((*lines, b"\r\n", answer.body)))
        self._finish()

    def _finish(self) -> None:
        self.server_state.total_requests += 1
        self._is_answering = False
        self._since = self.loop.time()
        if self._is_ending:
            self.transport.close()
        elif self._unread:
            data, self._unread = self._unread, b""
            self.flow.resume_reading()
            self.data_received(data)

    # Ends

    def _refuse(self, status: int) -> None:
        """Say what is wrong with what was sent, and hang up: where the next request begins cannot be known."""
        if not self.transport.is_closing():
            self._is_ending = True
            self._send(problem_answer(status), (b"connection", b"close"))

    def _look(self) -> None:
        """Hang up on who has sent nothing for long, or half a head."""
        if self.transport.is_closing():
            return
        quiet = self.loop.time() - self._since
        is_busy = self._is_answering or not (self.cycle is None or self.cycle.response_complete)
        if self._is_reading_head and quiet > SECONDS_FOR_A_HEAD:
            self._refuse(408)
        elif not is_busy and quiet > SECONDS_IDLE:
            self.transport.close()
        else:
            self._timer = self.loop.call_later(SECONDS_BETWEEN_LOOKS, self._look)

    def shutdown(self) -> None:
        if self._is_answering:
            self._is_ending = True
        else:
            super().shutdown()
            self.loop.call_later(SECONDS_TO_FINISH, self.transport.close)  # who listens to a stream would listen for ever


def _common(state: ServerState) -> bytes:
    """The header lines every answer carries; made anew when the server's date has moved on."""
    global _lines  # noqa: PLW0603 # one value of one process, replaced whole
    headers = state.default_headers
    if _lines[0] is not headers:
        _lines = (headers, b"".join(b"%b: %b\r\n" % header for header in headers))
    return _lines[1]


_lines: tuple[list[tuple[bytes, bytes]], bytes] = ([], b"")
