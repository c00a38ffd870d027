"""`GET /v1/datasets/{id}/records/{key}`, by hand in front of the router: the one address most requests are for.

Token cache → plan (rights, worked out once) → look-up and commit shared with whoever waits (`sharing.lookup`) → answer.
"""

from __future__ import annotations

import asyncio
import hmac
import time
from collections.abc import Awaitable, Callable, MutableMapping
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import unquote_to_bytes

from starlette.exceptions import HTTPException

from lienthong.access import ANONYMOUS, AccessRequest, Operation
from lienthong.clock import vietnam_date
from lienthong.contracts import Contract
from lienthong.errors import BadRequest, LienthongError, NotFound, RequestError, UnknownDataset
from lienthong.ledger import Entry, Event, encode
from lienthong.sharing.exchanges import CARRIED, DOOR, Asked, Carried
from lienthong.sharing.ledger_writer import Waiter
from lienthong.sharing.lookup import Found, LookUps
from lienthong.sharing.plans import Plan, PlanBook
from lienthong.sharing.way_out import as_told, no_dataset
from lienthong.web.headers import OFFICIAL, PURPOSE, check_escapes, header_text
from lienthong.web.problem import answer_problem
from lienthong.web.recording import trace_of
from lienthong.web.steady import LOOK_UP_STEP, SteadyWaiter, until_step

if TYPE_CHECKING:
    from lienthong.web.quick import Head
    from lienthong.web.recording import Recorder
    from lienthong.web.services import Services

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

PREFIX = b"/v1/datasets/"
MIDDLE = b"/records/"
LONGEST_PATH = 2_000
JSON = (b"content-type", b"application/json")
NO_STORE = (b"cache-control", b"no-store")


class HotPath:
    """Answers look-ups by key. Everything it raises becomes a problem document, and a denial is an entry before it is an answer."""

    def __init__(self, services: Services, recorder: Recorder) -> None:
        self._services = services
        self._recorder = recorder
        self._clock = services.workshop.clock
        self._plans = PlanBook(services.rules.offer)
        self._look_ups = LookUps(services.store, services.ledger, self._clock, services.subject_key, recorder.book.add_look_ups)
        self.absent = problem_answer(
            NotFound("There is no such record among those you may see.", vi="Không có bản ghi này trong phạm vi được xem.")
        )

    @staticmethod
    def wants(scope: Scope) -> bool:
        """Whether a request is one of ours: a plain look-up by key, with no question about time or fields."""
        path = _path(scope)
        if not path.startswith(PREFIX) or scope["query_string"]:
            return False
        dataset, middle, key = path[len(PREFIX) :].partition(MIDDLE)
        return bool(middle and key and scope["method"] in ("GET", "HEAD")) and b"/" not in dataset and b"/" not in key

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        del receive  # a look-up has no body
        began, mark = time.time(), time.perf_counter()
        asked = Asked("", "", "look_up", "", "", "")
        try:
            plan, key, official = await self._asked(scope, asked)
        except LienthongError as error:
            if isinstance(error, UnknownDataset):
                await asyncio.sleep(until_step(mark, time.perf_counter(), LOOK_UP_STEP))
            answer = problem_answer(error)
            asked.rule = str(error.facts.get("rule", error.code))
            self._recorder.note(asked, scope, began, time.perf_counter() - mark, answer.status, len(answer.body))
        else:
            found = await self._look_ups.ask(plan, key, official, scope.get(CARRIED) or _traced(scope))
            if found is None and plan.is_of_some_rows:
                await asyncio.sleep(until_step(mark, time.perf_counter(), LOOK_UP_STEP))
            answer = self.absent if found is None else _given(found)
        await send({"type": "http.response.start", "status": answer.status, "headers": answer.headers})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else answer.body})

    def admit(self, dataset: str, head: Head, client: str) -> Plan | None:
        """What a plain look-up of a dataset may have, counted against its quota; None: its quota must be asked about first.

        `client`: the address the request comes from. Raises LienthongError, with nothing counted or noted.
        """
        contract = self._services.contracts.get(dataset)
        if contract is None:
            raise no_dataset(dataset)
        now = self._clock()
        today = vietnam_date(now)
        plan = self._plan(contract, self._services.tokens.subsystem_of(head.authorization), head.purpose, head.official, client, now, today)
        if plan.is_limited and not self._services.quotas.take_held(plan.agreement, plan.quota, today):
            return None
        return plan

    def ask(self, plan: Plan, key: str, official: str, waiter: Waiter[Found | None]) -> None:
        """Have `waiter` given the record of a key, None when there is none the plan lets see, once its entry is committed."""
        self._look_ups.ask_for(SteadyWaiter(waiter) if plan.is_of_some_rows else waiter, plan, key, official)

    def _plan(
        self, contract: Contract, caller: str | None, purpose: str, official: str, address: str, now: datetime, today: date
    ) -> Plan:  # fmt: skip
        register = self._services.register
        plan = self._plans.known((caller, contract.id, purpose, bool(official)), register, today)
        if plan is None:
            asked = AccessRequest(caller, contract.id, Operation.LOOK_UP, purpose, official, address, now)
            plan = self._plans.plan(asked, contract, register, today)
        return plan

    async def _asked(self, scope: Scope, asked: Asked) -> tuple[Plan, str, str]:
        """(what the caller may have, the key, the official). Raises what a request can be refused with, its entry committed."""
        services = self._services
        contract, key = self._place(scope)
        asked.service, asked.provider, asked.key = contract.id, contract.agency, key
        sent = _headers(scope)
        now = self._clock()
        caller: str | None = None
        purpose = official = ""
        try:
            purpose, official = header_text(PURPOSE, sent.purpose), header_text(OFFICIAL, sent.official)
            caller = services.tokens.subsystem_of(sent.authorization, scope)
            address = services.addresses.of(scope) if services.register.depends(caller, contract.id) else ""
            today = vietnam_date(now)
            plan = self._plan(contract, caller, purpose, official, address, now, today)
            if plan.is_limited and not services.quotas.take_held(plan.agreement, plan.quota, today):
                await services.quotas.take(plan.agreement, plan.quota, today)
        except RequestError as error:
            await self._note_denial(error, contract, caller, purpose, official, scope, now)
            raise as_told(error, contract, caller, services.register) from error
        finally:
            asked.caller, asked.purpose, asked.official = caller or ANONYMOUS, purpose, official
        asked.agreement = plan.agreement
        return plan, key, official

    def _place(self, scope: Scope) -> tuple[Contract, str]:
        path = _path(scope)
        if len(path) > LONGEST_PATH:
            raise BadRequest(f"Expected an address of at most {LONGEST_PATH} bytes.", vi=f"Địa chỉ dài nhất {LONGEST_PATH} byte.")
        dataset, _, key = path[len(PREFIX) :].partition(MIDDLE)
        if b"%" in path:
            check_escapes(path)
            dataset, key = unquote_to_bytes(dataset), unquote_to_bytes(key)
        try:
            name, wanted = dataset.decode("utf-8"), key.decode("utf-8")
        except UnicodeDecodeError as error:
            raise BadRequest("The address is not UTF-8.", vi="Địa chỉ không phải UTF-8.") from error
        if "\x00" in wanted:
            raise BadRequest("A key holds no NUL.", vi="Khóa bản ghi không chứa ký tự NUL.")
        contract = self._services.contracts.get(name)
        if contract is None:
            raise no_dataset(name)
        return contract, wanted

    async def _note_denial(
        self, error: RequestError, contract: Contract, caller: str | None, purpose: str, official: str, scope: Scope, now: datetime
    ) -> None:
        """The refusal is in the ledger; the key asked for is in it only as a keyed hash of the address."""
        subject = hmac.digest(self._services.subject_key, scope["path"].encode(), "sha256").hex()
        entry = Entry(
            now,
            Event.REQUEST_DENIED,
            caller or ANONYMOUS,
            official,
            purpose,
            agreement=str(error.facts.get("agreement", "")),
            dataset=contract.id,
            subject=subject,
            outcome=str(error.facts.get("rule", error.code)),
            details={"operation": Operation.LOOK_UP.value},
        )
        await self._services.ledger.append(encode(entry))


class Answer(NamedTuple):
    """An answer ready to be sent."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes


def _given(found: Found) -> Answer:
    more = [(name.lower().encode(), value.encode("ascii")) for name, value in found.retiring]
    return Answer(
        200,
        [JSON, (b"lienthong-version", b"%d" % found.version), NO_STORE, (b"content-length", b"%d" % len(found.body)), *more],
        found.body,
    )


def problem_answer(cause: BaseException | int) -> Answer:
    """The problem document of an error, or of a bare HTTP status."""
    error = HTTPException(cause) if isinstance(cause, int) else cause
    response = answer_problem(None, error if isinstance(error, Exception) else RuntimeError())
    return Answer(response.status_code, list(response.raw_headers), bytes(response.body))


def _traced(scope: Scope) -> Carried | None:
    """What goes along of a request that is part of a caller's trace."""
    trace = trace_of(scope)
    return (DOOR, None, trace) if trace else None


def _path(scope: Scope) -> bytes:
    """The address as it was sent, without its question."""
    raw: bytes | None = scope.get("raw_path")
    return scope["path"].encode() if raw is None else raw.partition(b"?")[0]


class _Sent(NamedTuple):
    purpose: bytes
    official: bytes
    authorization: str | None


def _headers(scope: Scope) -> _Sent:
    purpose = official = b""
    authorization: str | None = None
    for name, value in scope["headers"]:
        if name == b"authorization":
            authorization = value.decode("latin-1")
        elif name == b"lienthong-purpose":
            purpose = value
        elif name == b"lienthong-official":
            official = value
    return _Sent(purpose, official, authorization)
