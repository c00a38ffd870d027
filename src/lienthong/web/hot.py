"""`GET /v1/datasets/{id}/records/{key}`, by hand in front of the router: the one address most requests are for.

Token cache → decision cache → look-up shared with whoever waits → mask → entry → commit shared with whoever waits → answer.
"""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import unquote_to_bytes

import msgspec

from lienthong.access import ANONYMOUS, AccessRequest, Decision, Operation, decide, mask, matches
from lienthong.clock import vietnam_date
from lienthong.contracts import Contract
from lienthong.errors import BadRequest, Denied, LienthongError, NotFound, RequestError, Unauthenticated
from lienthong.ledger import Entry, Event, encode
from lienthong.web.headers import OFFICIAL, PURPOSE, check_escapes, header_text
from lienthong.web.problem import PROBLEM, problem_of

if TYPE_CHECKING:
    from lienthong.web.services import Services

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Row = tuple[Any, ...]

PREFIX = b"/v1/datasets/"
MIDDLE = b"/records/"
LONGEST_PATH = 2_000
OURS = 3  # _key, _version, _valid_from
MOST_PLANS = 10_000


@dataclass(slots=True)
class Plan:
    """What one caller gets of any record of a dataset, worked out once: `places` are (field, place in the row, mask)."""

    decision: Decision
    places: tuple[tuple[str, int, str | None], ...]
    withheld: tuple[str, ...]
    fields: tuple[str, ...]


class HotPath:
    """Answers look-ups by key. Everything it raises becomes a problem document, and a denial is an entry before it is an answer."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._clock = services.workshop.clock
        self._plans: dict[tuple[str | None, str, str, bool, date], Plan] = {}
        self._delivered: dict[str, dict[int, frozenset[str]]] = {}
        self._encode = msgspec.json.Encoder().encode

    @staticmethod
    def wants(scope: Scope) -> bool:
        """Whether a request is one of ours: a plain look-up by key, with no question about time or fields."""
        raw = scope.get("raw_path")
        path: bytes = scope["path"].encode() if raw is None else raw.partition(b"?")[0]
        if not path.startswith(PREFIX) or scope["query_string"]:
            return False
        dataset, middle, key = path[len(PREFIX) :].partition(MIDDLE)
        return bool(middle and key and scope["method"] in ("GET", "HEAD")) and b"/" not in dataset and b"/" not in key

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        del receive  # a look-up has no body
        try:
            status, body, headers = await self._answer(scope)
        except LienthongError as error:
            status, document, more = problem_of(error)
            body = self._encode(document)
            headers = [(b"content-type", PROBLEM.encode()), *((name.lower().encode(), value.encode()) for name, value in more.items())]
        headers += [(b"cache-control", b"no-store"), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})

    async def _answer(self, scope: Scope) -> tuple[int, bytes, list[tuple[bytes, bytes]]]:
        services = self._services
        contract, key = self._asked(scope)
        sent = _headers(scope)
        now = self._clock()
        caller: str | None = None
        purpose = official = ""
        try:
            purpose, official = header_text(PURPOSE, sent.purpose), header_text(OFFICIAL, sent.official)
            caller = services.tokens.subsystem_of(sent.authorization)
            plan = self._plan(caller, contract, purpose, bool(official), vietnam_date(now))
            services.quotas.take(plan.decision.agreement, plan.decision.quota, vietnam_date(now), time.monotonic())
        except RequestError as error:
            await self._note_denial(error, contract, caller, purpose, official, scope, now)
            raise
        row = await services.lookups.row(contract.id, key)
        if row is not None and plan.decision.row_filter and not self._passes(plan, contract, row):
            row = None
        body = b"" if row is None else self._encode(await self._record(contract, plan, row))
        entry = Entry(
            now,
            Event.ANSWER_RECORD if row is not None else Event.ANSWER_MISSING,
            caller or ANONYMOUS,
            official,
            purpose,
            plan.decision.legal_basis,
            plan.decision.agreement,
            contract.id,
            None if row is None else row[1],
            hmac.digest(services.subject_key, f"{contract.id}\x1f{key}".encode(), "sha256").hex(),
            plan.fields,
            "",
            hashlib.sha256(body).hexdigest(),
            "given" if row is not None else "missing",
        )
        await services.ledger.append(encode(entry))
        if row is None:
            raise NotFound("There is no such record among those you may see.", vi="Không có bản ghi này trong phạm vi được xem.")
        return 200, body, [(b"content-type", b"application/json"), (b"lienthong-version", str(row[1]).encode())]

    def _asked(self, scope: Scope) -> tuple[Contract, str]:
        raw = scope.get("raw_path")
        path: bytes = scope["path"].encode() if raw is None else raw.partition(b"?")[0]
        if len(path) > LONGEST_PATH:
            raise BadRequest(f"Expected an address of at most {LONGEST_PATH} bytes.")
        dataset, _, key = path[len(PREFIX) :].partition(MIDDLE)
        check_escapes(path)
        try:
            name, wanted = unquote_to_bytes(dataset).decode("utf-8"), unquote_to_bytes(key).decode("utf-8")
        except UnicodeDecodeError as error:
            raise BadRequest("The address is not UTF-8.") from error
        if "\x00" in wanted:
            raise BadRequest("A key holds no NUL.")
        contract = self._services.contracts.get(name)
        if contract is None:
            raise NotFound("There is no such dataset.", hint="GET /v1/datasets lists them.", vi="Không có bộ dữ liệu này.")
        return contract, wanted

    def _plan(self, caller: str | None, contract: Contract, purpose: str, has_official: bool, on: date) -> Plan:
        key = (caller, contract.id, purpose, has_official, on)
        plan = self._plans.get(key)
        if plan is None:
            plan = self._new_plan(AccessRequest(caller, contract.id, Operation.LOOK_UP, purpose, "x" if has_official else ""), contract, on)
            if len(self._plans) >= MOST_PLANS:
                self._plans.clear()
            self._plans[key] = plan
        return plan

    def _new_plan(self, asked: AccessRequest, contract: Contract, on: date) -> Plan:
        decision = decide(asked, contract, self._services.register, on)
        if not decision.allowed:
            kind = Unauthenticated if decision.rule == "no_identity" else Denied
            raise kind(decision.en, rule=decision.rule, vi=decision.vi, en=decision.en)
        shown = {*decision.visible, *decision.masked}
        places = tuple(
            (p.name, OURS + place, decision.masked.get(p.name)) for place, p in enumerate(contract.properties) if p.name in shown
        )
        return Plan(decision, places, decision.withheld, tuple(name for name, _, _ in places))

    async def _record(self, contract: Contract, plan: Plan, row: Row) -> dict[str, Any]:
        values = {name: row[place] if kind is None else mask(kind, row[place]) for name, place, kind in plan.places}
        not_delivered: list[str] = []
        if None in values.values():
            delivered = await self._delivered_columns(contract.id, row[1])
            not_delivered = [name for name, value in values.items() if value is None and name not in delivered]
        return {
            "key": row[0],
            "version": row[1],
            "valid_from": row[2],
            "values": values,
            "withheld": plan.withheld,
            "not_delivered": not_delivered,
        }

    async def _delivered_columns(self, dataset_id: str, version: int) -> frozenset[str]:
        known = self._delivered.get(dataset_id)
        if known is None or version not in known:
            known = self._delivered[dataset_id] = await self._services.store.delivered_columns(dataset_id)
        return known.get(version, frozenset())

    def _passes(self, plan: Plan, contract: Contract, row: Row) -> bool:
        places = {p.name: row[OURS + place] for place, p in enumerate(contract.properties)}
        return matches(plan.decision.row_filter, places)

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
            dataset=contract.id,
            subject=subject,
            outcome=str(error.facts.get("rule", error.code)),
            details={"operation": Operation.LOOK_UP.value},
        )
        await self._services.ledger.append(encode(entry))


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
