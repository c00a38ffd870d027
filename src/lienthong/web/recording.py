"""Leaves a record of every exchange (`sharing.exchanges`): timed around its handler, kept a second later, beside nobody's way.

What is recorded is what a handler said it was asked for (`Asked` in the request's scope): data, reports, batches; not pages of documentation.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable, MutableMapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from lienthong.access import ANONYMOUS
from lienthong.log import get_logger
from lienthong.sharing.exchanges import ASKED, CARRIED, DOOR, Asked, ExchangeBook
from lienthong.store.exchange_records import Exchange, Gathered, outcome_of, pack

if TYPE_CHECKING:
    from lienthong.web.services import Services
    from lienthong.web.xroad_gate import Application, Receive, Scope, Send

FLUSH_SECONDS = 1.0
_TRACE = re.compile(rb"00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")
Watcher = Callable[[Gathered], None]
log = get_logger("web")


class Recorder:
    """Keeps records of exchanges. `watchers` see each second's records too: metrics, traces."""

    def __init__(self, services: Services) -> None:
        settings = services.settings
        self._services = services
        self._server = f"{settings.host}:{settings.port}"
        self.book = ExchangeBook()
        self.watchers: list[Watcher] = []

    async def around(self, application: Application, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, and record it when its handler said what was asked."""
        began, mark = time.time(), time.perf_counter()
        status = bytes_out = 0

        async def sending(event: MutableMapping[str, Any]) -> None:
            nonlocal status, bytes_out
            if event["type"] == "http.response.start":
                status = event["status"]
            else:
                bytes_out += len(event.get("body", b""))
            await send(event)

        try:
            await application(scope, receive, sending)
        finally:
            asked = scope.get(ASKED)
            if asked is not None:
                self.note(asked, scope, began, time.perf_counter() - mark, status or 500, bytes_out)

    def note(self, asked: Asked, scope: Scope, began: float, took: float, status: int, bytes_out: int) -> None:
        """Record an exchange that has ended."""
        if not asked.service:
            return
        door, message, trace = scope.get(CARRIED) or (DOOR, None, trace_of(scope))
        self.book.add(
            Exchange(
                int(began * 1000),
                int(took * 1_000_000),
                door,
                asked.provider,
                asked.service,
                asked.operation,
                asked.caller or ANONYMOUS,
                asked.official,
                asked.purpose,
                asked.agreement,
                status,
                outcome_of(status, asked.operation),
                asked.rule,
                _length(scope),
                bytes_out,
                message=message,
                trace=trace,
            ),
            asked.key,
        )

    async def keep_on(self) -> None:
        """Keep what waits, again and again; cancelled at the end, and then `flush` once more."""
        while True:
            await asyncio.sleep(FLUSH_SECONDS)
            await self.flush()

    async def flush(self) -> None:
        """Keep what waits now. A database that is away is no reason to lose it, nor to stop."""
        waiting = await asyncio.to_thread(self.book.take)
        for place, gathered in enumerate(waiting):
            for watcher in self.watchers:
                try:
                    await asyncio.to_thread(watcher, gathered)
                except Exception as error:  # a gauge that fails must not stop the record
                    log.warning("exchanges_not_watched", error=type(error).__name__)
            try:
                body = await asyncio.to_thread(pack, gathered)
                first, last = gathered.span_ms()
                await self._services.store.add_exchanges(self._server, _instant(first), _instant(last), len(gathered), body)
            except Exception as error:  # the database may be away for a while; try again in a second
                lost = self.book.put_back(waiting[place:])
                log.warning("exchanges_not_kept", error=type(error).__name__, lost=lost)
                return


def trace_of(scope: Scope) -> str:
    """The caller's `traceparent`, when it is one."""
    for name, value in scope["headers"]:
        if name == b"traceparent":
            return value.decode() if _TRACE.fullmatch(value) else ""
    return ""


def _instant(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def _length(scope: Scope) -> int:
    if scope["method"] in ("GET", "HEAD"):
        return 0
    for name, value in scope["headers"]:
        if name == b"content-length":
            return int(value) if value.isdigit() and len(value) < 16 else 0
    return 0
