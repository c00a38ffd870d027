"""`GET /v1/reports/…`: figures about the platform, for any subsystem that proved who it is. No value of any record is in them."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from lienthong.access import Quota
from lienthong.ledger import Entry, Event
from lienthong.reports.reuse import reuse_document, reuse_report
from lienthong.reports.standing import index_document, index_report
from lienthong.sharing.filters import read_known
from lienthong.sharing.formats import JSON
from lienthong.store import Connection
from lienthong.web.asking import PRIVATE, Counter, request_bytes
from lienthong.web.authorising import Authoriser
from lienthong.web.identified import identify

QUOTA = Quota(per_minute=10, per_day=500)
KEPT = timedelta(minutes=5)  # counting a million records takes some ten seconds
Report = Callable[[Connection], dict[str, Any]]


class _Kept:
    """A report counted at most once in five minutes by a process, whoever asks; its answer says when."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._lock = threading.Lock()
        self._at: datetime | None = None
        self._body = b""

    def body(self, counter: Counter) -> bytes:
        with self._lock:
            at = counter.clock()
            if self._at is None or at - self._at >= KEPT:
                with counter.workshop.database.connect() as connection:
                    self._body = msgspec.json.encode({"counted_at": at, **self._report(connection)})
                self._at = at
            return self._body


def routes_of(counter: Counter, authorise: Authoriser, characters_per_minute: float) -> list[Route]:
    """The routes of this file."""

    def reuse(connection: Connection) -> dict[str, Any]:
        return reuse_document(reuse_report(connection, counter.contracts, characters_per_minute))

    def index(connection: Connection) -> dict[str, Any]:
        return index_document(index_report(connection, counter.contracts, counter.clock()))

    made: dict[str, Report] = {"reuse": reuse, "index": index}
    return [Route(f"/v1/reports/{name}", partial(_given, counter, authorise, name, _Kept(report))) for name, report in made.items()]


async def _given(counter: Counter, authorise: Authoriser, name: str, kept: _Kept, request: Request) -> Response:
    read_known(request.query_params.multi_items(), ())
    return await run_in_threadpool(_answer, counter, authorise, name, kept, request)


def _answer(counter: Counter, authorise: Authoriser, name: str, kept: _Kept, request: Request) -> Response:
    who = identify(counter, authorise, request, "", f"report {name}", QUOTA, with_reason=False)
    body = kept.body(counter)
    counter.append(
        Entry(
            at=counter.clock(),
            event=Event.REPORT_GIVEN,
            caller=who.caller,
            official=who.official,
            purpose=who.purpose,
            request_digest=hashlib.sha256(request_bytes(request)).hexdigest(),
            answer_digest=hashlib.sha256(body).hexdigest(),
            outcome="given",
            details={"report": name},
        )
    )
    return Response(body, media_type=JSON, headers=PRIVATE)
