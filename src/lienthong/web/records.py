"""The addresses of datasets: what there is, lists, whole answers, changes, rows sent, rows that wait."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Mapping
from functools import partial
from typing import Any, cast

import anyio.to_thread
from anyio import CancelScope
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from lienthong.contracts import Contract
from lienthong.errors import NotAcceptable
from lienthong.ledger import Event
from lienthong.sharing.filters import Wanted, read_list
from lienthong.sharing.formats import FORMATS, JSON, PARQUET, SUFFIXES, Tally, negotiate, write_stream
from lienthong.sharing.pages import Whole, bulk_entry, entry_of, give_page, prepare_whole
from lienthong.sharing.rights import Right
from lienthong.sharing.shares.files import FileStore
from lienthong.sharing.shares.making import whole_name
from lienthong.web import asyncapi, catalogue, changes, fixes, mended, pages_of_docs, quality, quarantine, submissions
from lienthong.web.asking import Counter, answer_headers, contract_of, request_bytes

Handler = Callable[[Counter, Request], Response | Awaitable[Response]]


def routes_of(counter: Counter) -> list[Route]:
    """Every route of this file's neighbours, for the router."""

    def route(path: str, handler: Handler, method: str = "GET") -> Route:
        return Route(path, partial(_answer, handler, counter), methods=[method])

    root = "/v1/datasets/{dataset}"
    return [
        route("/openapi.json", pages_of_docs.openapi),
        route("/v1/datasets", catalogue.listed),
        route(root, catalogue.shown),
        route(f"{root}/openapi.json", pages_of_docs.dataset_openapi),
        route(f"{root}/asyncapi.json", asyncapi.as_json),
        route(f"{root}/asyncapi.yaml", asyncapi.as_yaml),
        Route(f"{root}/records", partial(_records, counter), methods=["GET", "POST"]),
        route(f"{root}/changes", changes.given),
        route(f"{root}/quality", quality.shown),
        route(f"{root}/quarantine", quarantine.listed),
        route(f"{root}/quarantine/workbook", mended.given),
        route(f"{root}/quarantine/workbook", mended.taken, "POST"),
        route(f"{root}/quarantine/fixes", fixes.asked, "POST"),
        route(f"{root}/quarantine/{{item}}", quarantine.corrected, "POST"),
    ]


async def _answer(handler: Handler, counter: Counter, request: Request) -> Response:
    """Run a handler; one that is not a coroutine works in a thread, for it waits for the database."""
    answer = await run_in_threadpool(handler, counter, request)
    return answer if isinstance(answer, Response) else await answer


async def _records(counter: Counter, request: Request) -> Response:
    if request.method == "POST":
        return await submissions.submit(counter, request)
    return await run_in_threadpool(list_of, counter, request)


def list_of(counter: Counter, request: Request) -> Response:
    """A page of records, or the whole as a file of the form that is accepted."""
    contract = contract_of(counter, request)
    chosen = negotiate(request.headers.get("accept"))
    if chosen is None:
        raise NotAcceptable(f"Expected one of {', '.join(FORMATS)} in Accept.", vi=f"Accept phải có một trong: {', '.join(FORMATS)}.")
    right = counter.authorise(request, contract, "list" if chosen == JSON else "bulk")
    wanted = read_list(request.query_params.multi_items(), contract)
    if chosen == JSON:
        return _page(counter, request, contract, wanted, right)
    return file_of(counter, request, contract, wanted, right, chosen)


def _page(counter: Counter, request: Request, contract: Contract, wanted: Wanted, right: Right) -> Response:
    with counter.connection() as connection:
        given = give_page(connection, counter.desk, contract, wanted, right)
        entry = entry_of(Event.ANSWER_PAGE, contract, right, counter.clock(), request_bytes(request), given)
        counter.append(entry, connection)
    return Response(given.body, media_type=JSON, headers=answer_headers(contract, given.version))


def file_of(
    counter: Counter, request: Request, contract: Contract, wanted: Wanted, right: Right, chosen: str, door: str = ""
) -> Response:  # fmt: skip
    """A whole answer as a file of a format. `door`: which of the standards' doors it leaves by."""
    with counter.connection() as connection:
        whole = prepare_whole(connection, counter.desk, contract, wanted, right)
    headers = answer_headers(contract, whole.version) | {
        "Content-Disposition": f'attachment; filename="{contract.id}-{whole.version}.{SUFFIXES[chosen]}"',
        "Lienthong-Withheld": ",".join(whole.withheld),
        "Lienthong-Not-Delivered": ",".join(whole.not_delivered),
        "Vary": "Accept",
    }
    if request.method == "HEAD":
        return Response(media_type=chosen, headers=headers)
    tally = Tally()
    pieces = write_stream(chosen, whole.batches(counter.database_url), whole.masks, tally, with_bom=wanted.bom)
    if chosen == PARQUET and counter.files is not None and not (wanted.conditions or wanted.fields or wanted.limit or wanted.as_of):
        pieces, told = _kept(counter.files, whole_name(contract, whole, right), pieces, tally)
        headers |= told
    return stream_of(counter, request, contract, right, whole, pieces, tally, chosen, headers, door)


def _kept(files: FileStore, name: str, pieces: Iterator[bytes], tally: Tally) -> tuple[Iterator[bytes], dict[str, str]]:
    """The pieces of a Parquet file that was given before under the same right, with their length; else those that come, kept as they are given."""
    found = files.opened(name)
    if found is None:
        return files.while_given(name, pieces, lambda: tally.rows), {}
    made, kept = found
    tally.rows = made.rows
    return kept, {"Content-Length": str(made.size)}


def stream_of(
    counter: Counter, request: Request, contract: Contract, right: Right, whole: Whole, pieces: Iterator[bytes], tally: Tally, chosen: str,
    headers: Mapping[str, str], door: str = "",
) -> Response:  # fmt: skip
    """A whole answer on its way, in pieces that count their rows in `tally`, with an entry before its first byte and one after its last."""
    details = {"format": chosen, **({"door": door} if door else {})}
    answer = _Bulk(counter, contract, right, whole, request_bytes(request), pieces, tally, details)
    return _File(answer.begin(), media_type=chosen, headers=headers)


class _File(StreamingResponse):
    """A stream that is closed at its end however that comes, so that its last entry is written then and not by chance later."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            with CancelScope(shield=True):
                await cast("AsyncGenerator[bytes, None]", self.body_iterator).aclose()


class _Bulk:
    """A whole answer on its way: an entry before its first byte, an entry after its last, also when the client leaves."""

    def __init__(
        self, counter: Counter, contract: Contract, right: Right, whole: Whole, request: bytes, pieces: Iterator[bytes], tally: Tally,
        details: Mapping[str, Any],
    ) -> None:  # fmt: skip
        self._counter = counter
        self._entry = partial(bulk_entry, contract=contract, right=right, request=request, whole=whole)
        self._whole = whole
        self._is_about_persons = contract.is_about_persons
        self._tally = tally
        self._bytes = 0
        self._digest = hashlib.sha256()
        self._details = details
        self._pieces = pieces

    def begin(self) -> AsyncGenerator[bytes, None]:
        """Read the first piece (so that what fails, fails as a problem), commit the entry, and give the pieces."""
        first = next(self._pieces, b"")
        details = {**self._details, **({"scope": self._whole.scope} if self._is_about_persons else {})}
        self._counter.append(self._entry(Event.ANSWER_BULK_BEGUN, at=self._counter.clock(), outcome="begun", details=details))
        return self._stream(first)

    async def _stream(self, first: bytes) -> AsyncGenerator[bytes, None]:
        outcome = "broken"
        piece: bytes | None = first
        try:
            while piece is not None:
                self._bytes += len(piece)
                self._digest.update(piece)
                yield piece
                piece = await anyio.to_thread.run_sync(_next, self._pieces)
            outcome = "complete"
        finally:
            with CancelScope(shield=True):
                await anyio.to_thread.run_sync(self._end, outcome)

    def _end(self, outcome: str) -> None:
        details: dict[str, Any] = {**self._details, "rows": self._tally.rows, "bytes": self._bytes}
        entry = self._entry(
            Event.ANSWER_BULK_ENDED, at=self._counter.clock(), outcome=outcome, details=details, answer_digest=self._digest.hexdigest()
        )
        self._counter.append(entry)


def _next(pieces: Iterator[bytes]) -> bytes | None:
    return next(pieces, None)
