"""`GET /v1/events`: the stream as server-sent events, under the caller's agreements, each piece in the ledger before it leaves.

What the caller may see is decided anew for every piece: a token that expired, an agreement that was suspended end the stream in words.
"""

from __future__ import annotations

import time
from collections import Counter as Tally
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from lienthong.access import ANONYMOUS
from lienthong.clock import vietnam_date
from lienthong.contracts import Contract
from lienthong.errors import BadRequest, Denied, LienthongError, NotFound, QuotaExceeded, RequestError, Stopped, Unauthenticated
from lienthong.sharing.cloud_events import encode_one, type_name
from lienthong.sharing.event_entries import entry_of_events
from lienthong.sharing.filters import refuse_control_characters, shown
from lienthong.sharing.quota import count_delivery
from lienthong.sharing.stream import KNOWN_TYPES, Chosen, Following, Place, Told, cursor_of, follow, place_of, right_now, tell
from lienthong.sharing.subscribing import is_type
from lienthong.sharing.way_out import no_dataset
from lienthong.store import Connection, events
from lienthong.web.asking import PRIVATE, Counter, public_contracts, request_bytes
from lienthong.web.authorising import Authoriser
from lienthong.web.bell import Bell
from lienthong.web.headers import OFFICIAL, PURPOSE, header_text
from lienthong.web.problem import problem_of

EVENT_STREAM = "text/event-stream"
HEARTBEAT_SECONDS = 15.0
LOOK_SECONDS = 5.0  # how often it is looked without a ring
MOST_STREAMS = 1_000  # of one process
MOST_STREAMS_EACH = 10  # of one subsystem
MOST_DATASETS = 100
PIECE = 100
PARAMETERS = ("dataset", "type", "after")


@dataclass(frozen=True)
class _Asked:
    """What a stream was asked for."""

    contracts: tuple[Contract, ...]
    chosen: Chosen
    place: Place | None


class Streams:
    """All open streams of this process."""

    def __init__(self, counter: Counter, authorise: Authoriser, bell: Bell) -> None:
        self._counter = counter
        self._authorise = authorise
        self._bell = bell
        self._open: Tally[str] = Tally()

    def routes(self) -> list[Route]:
        return [Route("/v1/events", self._begin, methods=["GET"])]

    async def _begin(self, request: Request) -> Response:
        asked = self._read(request)
        caller = await run_in_threadpool(self._first_rights, request, asked)
        if self._open.total() >= MOST_STREAMS or self._open[caller] >= MOST_STREAMS_EACH:
            raise QuotaExceeded(
                f"At most {MOST_STREAMS_EACH} streams of one subsystem may be open.",
                hint="Close one: a single stream can follow all datasets.",
                hint_vi="Hãy đóng bớt một dòng: chỉ một dòng cũng theo dõi được mọi bộ dữ liệu.",
                vi=f"Mỗi hệ thống mở nhiều nhất {MOST_STREAMS_EACH} dòng sự kiện.",
                retry_after=30,
            )
        place = asked.place if asked.place is not None else await run_in_threadpool(self._now)
        self._bell.open(self._counter.database_url)
        headers = {**PRIVATE, "X-Accel-Buffering": "no"}
        return StreamingResponse(self._send(request, asked, caller, place), media_type=EVENT_STREAM, headers=headers)

    def _read(self, request: Request) -> _Asked:
        named, types = [], []
        after = request.headers.get("last-event-id")
        for name, text in request.query_params.multi_items():
            refuse_control_characters(name, text)
            if name not in PARAMETERS:
                raise BadRequest(
                    f"Unknown parameter `{shown(name)}`.",
                    hint=f"Known: {', '.join(PARAMETERS)}.",
                    hint_vi=f"Các tham số đã biết: {', '.join(PARAMETERS)}.",
                    vi=f"Không có tham số `{shown(name)}`.",
                )
            if name == "dataset":
                named += text.split(",")
            elif name == "type":
                types += text.split(",")
            elif after is None:
                after = text
        return _Asked(
            self._contracts(named), Chosen(read_types(types)), None if after is None else place_of(self._counter.desk, after)
        )  # fmt: skip

    def _contracts(self, named: Sequence[str]) -> tuple[Contract, ...]:
        """The datasets named, or all: which of them the caller may follow is decided for each piece."""
        found = []
        for name in dict.fromkeys(named):
            contract = self._counter.contracts.get(name)
            if contract is None:
                raise no_dataset(name)
            found.append(contract)
        return tuple(found)

    def _first_rights(self, request: Request, asked: _Asked) -> str:
        """Who asks. What it names it must be allowed; of all datasets, at least one. Denials are in the ledger, quotas are charged."""
        if asked.contracts:
            rights = [self._authorise(request, contract, "changes") for contract in asked.contracts]
            return rights[0].caller
        followed = self._followed(request, asked)
        if not followed:
            first = next(iter(public_contracts(self._counter)), None)
            if first is None:
                raise NotFound("There is no dataset.", vi="Chưa có bộ dữ liệu nào.")
            self._authorise(request, first, "changes")
        return next((each.right.caller for each in followed if each.right is not None), ANONYMOUS)

    def _followed(self, request: Request, asked: _Asked) -> list[Following]:
        """What may be followed at this moment. Raises Unauthenticated, or Denied for a dataset that was named."""
        caller = self._authorise.identify(request)
        purpose, official = (header_text(name, request.headers.get(name, "").encode("latin-1")) for name in (PURPOSE, OFFICIAL))
        register, at = self._authorise.register(), self._counter.clock()
        on, address = vietnam_date(at), self._authorise.address(request)
        found = []
        for contract in asked.contracts or self._counter.contracts.values():
            try:
                right = right_now(register, contract, caller, official, purpose, on, address, at)
            except (Denied, Stopped, Unauthenticated):
                if asked.contracts:
                    raise
                continue
            found.append(follow(self._counter.contracts, register, right, contract, asked.chosen, on, at))
        return found

    def _now(self) -> Place:
        with self._counter.connection() as connection:
            events.put_in_order(connection)
        with self._counter.connection() as connection:
            return Place(events.newest_position(connection))

    async def _send(self, request: Request, asked: _Asked, caller: str, place: Place) -> AsyncIterator[bytes]:
        self._open[caller] += 1
        try:
            yield f"retry: 2000\nid: {cursor_of(self._counter.desk, place)}\n\n".encode()
            quiet_since = time.monotonic()
            while not self._bell.is_closed:
                rung = self._bell.rung
                try:
                    told, place, more = await run_in_threadpool(self._piece, request, asked, caller, place)
                except RequestError as error:  # the answer has begun: the reason is the stream's last event
                    yield _last_words(error)
                    return
                if told:
                    yield told
                    quiet_since = time.monotonic()
                if more:
                    continue
                await self._bell.wait(LOOK_SECONDS, rung)
                if time.monotonic() - quiet_since >= HEARTBEAT_SECONDS:
                    yield b": heartbeat\n\n"
                    quiet_since = time.monotonic()
        finally:
            self._open[caller] -= 1
            if not self._open[caller]:
                del self._open[caller]

    def _piece(self, request: Request, asked: _Asked, caller: str, place: Place) -> tuple[bytes, Place, bool]:
        """The next events as they are sent, with their entries in the ledger."""
        followed = self._followed(request, asked)
        with self._counter.connection() as connection:
            events.put_in_order(connection)
        with self._counter.connection() as connection:
            piece = tell(connection, self._counter.desk, followed, place, PIECE)
            messages = [(told, self._message(told)) for told in piece.for_caller(caller)]
            if messages:
                self._note(connection, request, followed, messages)
        body = b"".join(message for _, message in messages)
        if not body and piece.place != place:  # nothing for this caller, but it need not look there again
            body = f"id: {cursor_of(self._counter.desk, piece.place)}\n\n".encode()
        return body, piece.place, piece.more

    def _message(self, told: Told) -> bytes:
        head = f"id: {cursor_of(self._counter.desk, told.place)}\nevent: {type_name(told.type)}\ndata: "
        return head.encode() + encode_one(told, self._counter.public_url) + b"\n\n"

    def _note(
        self, connection: Connection, request: Request, followed: Sequence[Following], messages: Sequence[tuple[Told, bytes]]
    ) -> None:  # fmt: skip
        """One entry a dataset, counted where its agreement's quota counts deliveries; as the last statement of the transaction."""
        at, asked = self._counter.clock(), request_bytes(request)
        entries = []
        for following in sorted(followed, key=lambda each: each.contract.id):  # the order of `Deliveries`
            ours = [(told, message) for told, message in messages if told.dataset == following.contract.id]
            if ours and following.right is not None:
                count_delivery(connection, following.right, vietnam_date(at))
                body = b"".join(message for _, message in ours)
                told = [each for each, _ in ours]
                entries.append(entry_of_events(following.contract, following.right, at, asked, body, told, {"road": "sse"}))
        self._counter.append_all(entries, connection)


def read_types(types: Sequence[str]) -> frozenset[str]:
    """Types of events as a caller names them: one, or all of a kind by `kind:*`. Raises BadRequest naming the known ones."""
    for type in types:
        if not is_type(type):
            raise BadRequest(
                f"There is no type of event `{shown(type)}`.",
                hint=f"Known: {', '.join(KNOWN_TYPES)}.",
                hint_vi=f"Các loại đã biết: {', '.join(KNOWN_TYPES)}.",
                vi=f"Không có loại sự kiện `{shown(type)}`.",
            )
    return frozenset(types)


def _last_words(error: LienthongError) -> bytes:
    _, document, _ = problem_of(error)
    return b"event: problem\ndata: " + msgspec.json.encode(document) + b"\n\n"
