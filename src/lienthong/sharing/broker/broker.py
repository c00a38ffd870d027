"""One call of a brokered service, from its right to its ledger entry, whatever door it came in by.

    admit → hold the request → (example | kept answer | provider) → hold the answer → entry committed → answer

A request or an answer too long to be held goes by piece by piece. Then two entries are left: that it began, committed before the first byte of the
answer is given, and how it ended, with both digests, committed before the last.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qsl

from lienthong.access import ANONYMOUS, Operation, SafePath, safe_path, safe_query
from lienthong.clock import Clock, vietnam_date
from lienthong.contracts.services import Kind, ServiceState
from lienthong.contracts.services.model import Check
from lienthong.contracts.services.translating import query_values, request_envelope
from lienthong.errors import LienthongError, NotAMethod, NotFound, ProviderError, RequestError, Unprocessable
from lienthong.ledger import Entry, Event, SubjectKey, encode
from lienthong.log import get_logger
from lienthong.sharing.broker import samples
from lienthong.sharing.broker.admitting import Gate, check_stop
from lienthong.sharing.broker.book import Book, Offer
from lienthong.sharing.broker.cache import AnswerCache, Kept, directives
from lienthong.sharing.broker.case import Case
from lienthong.sharing.broker.conditions import CONDITIONS, conditional, validators, without
from lienthong.sharing.broker.forwarding import FAILING, Asked, Reply, forward, wrong
from lienthong.sharing.broker.identity import Stamp
from lienthong.sharing.broker.incoming import HELD, Incoming
from lienthong.sharing.broker.mapped_calls import json_body, json_type, soap_headers, translated
from lienthong.sharing.broker.messages import Answer, Call, forwarded
from lienthong.sharing.broker.passing import NO_BODY, Passing, hold
from lienthong.sharing.broker.providers import Providers
from lienthong.sharing.broker.soap_reading import SoapReader, check_actions
from lienthong.sharing.ledger_writer import Writer

LARGEST_MAPPED = 4 * 1024 * 1024  # of an answer that is translated: it is held whole
FAULTS_TOLD = 10
log = get_logger("broker")


@dataclass
class Broker:
    """Answers calls. `is_sandbox`: from examples, whatever a service says."""

    book: Callable[[], Book]
    gate: Gate
    providers: Providers
    ledger: Writer
    stamp: Stamp
    clock: Clock
    subject_key: SubjectKey
    base_url: str
    is_sandbox: bool = False
    cache: AnswerCache = field(default_factory=AnswerCache)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    async def call(self, call: Call) -> Answer:
        """The answer of a call. Raises RequestError with its entry committed; of a SOAP call its facts hold `soap`, the version to answer in."""
        now, began = self.clock(), time.monotonic()
        book = self.book()
        offer = book.find(call.service, call.version, vietnam_date(now))
        call.agency = offer.service.agency
        is_soap = offer.service.kind is Kind.SOAP and call.path in (b"", b"/") and call.verb == "POST"
        try:
            case = await (self._soap_case if is_soap else self._rest_case)(call, offer, now, began)
        except RequestError as error:
            error.facts.setdefault("soap", _version(call) if is_soap else "")
            await self._note_denial(error, call, offer, now)
            raise
        call.endpoint, call.agreement = case.route.endpoint, case.decision.agreement
        try:
            check_stop(book, offer, now)
            return await self._answer(case, is_soap=is_soap)
        except RequestError as error:
            error.facts.setdefault("soap", _version(call) if is_soap else "")
            await self._note_failure(error, case)
            raise

    async def note_refusal(self, call: Call, error: RequestError) -> None:
        """The entry of a call that a door refused before it got here; none for a service there is not."""
        now = self.clock()
        try:
            offer = self.book().find(call.service, call.version, vietnam_date(now))
        except RequestError:
            return
        await self._note_denial(error, call, offer, now)

    # Admission

    async def _rest_case(self, call: Call, offer: Offer, now: datetime, began: float) -> Case:
        path, query = safe_path(call.path or b"/"), safe_query(call.query)
        decision = await self.gate.admit(call, offer, call.verb, path.text, now)
        found = offer.service.route(call.verb, path.text)
        if found is None:
            verbs = offer.service.verbs_of(path.text)
            if verbs:
                raise NotAMethod(f"Expected {', '.join(verbs)}.", vi=f"Chỉ nhận {', '.join(verbs)}.", allow=", ".join(verbs))
            raise NotFound(
                "The service has no such operation.",
                hint="Its openapi.json lists them.",
                vi="Dịch vụ không có thao tác này.",
                hint_vi="openapi.json của dịch vụ liệt kê các thao tác.",
            )
        incoming = Incoming(call.body, call.length, offer.service.limits.request_bytes)
        return Case(call, offer, decision, found[0], found[1], path, query, incoming, began)

    async def _soap_case(self, call: Call, offer: Offer, now: datetime, began: float) -> Case:
        """The operation is in the body: enough of it is read to know which, no more."""
        self.gate.knows(call, offer, now)
        query = safe_query(call.query)
        incoming = Incoming(call.body, call.length, offer.service.limits.request_bytes)
        reader = SoapReader(call.header("content-type"))
        incoming.look, incoming.close = reader.feed, reader.end
        await incoming.hold_until(lambda: reader.root is not None)
        name = offer.service.root_names.get(reader.root or "")
        if name is None:
            raise NotFound(
                "The service has no such operation.",
                hint="Its WSDL lists them.",
                vi="Dịch vụ không có thao tác này.",
                hint_vi="WSDL của dịch vụ liệt kê các thao tác.",
            )
        check_actions(reader.actions, call.header("soapaction"), offer.service.soap_operation(name)["action"], name)
        decision = await self.gate.admit(call, offer, "POST", f"/{name}", now)
        route = next(r for r in offer.service.routes if r.soap == name and not r.is_mapped)
        return Case(call, offer, decision, route, {}, SafePath("", ""), query, incoming, began)

    # Answering

    async def _answer(self, case: Case, *, is_soap: bool) -> Answer:
        await case.incoming.hold()
        if not is_soap:
            self._check_request(case)
        if self.is_sandbox or case.offer.service.is_mock:
            return await self._from_example(case, is_soap=is_soap)
        kept, key = self._kept(case)
        asked_for = directives(case.call.header("cache-control"))
        if kept is not None and kept.is_fresh(time.monotonic(), asked_for):
            return await self._from_cache(case, kept, "cached")
        if "only-if-cached" in asked_for:
            raise _not_kept()
        if not case.incoming.is_whole or case.call.verb in case.offer.service.logs_first:
            await self._begin(case)
        try:
            reply = await self._ask(case, kept)
        except ProviderError:
            if kept is not None and kept.may_stand_in(time.monotonic()):
                return await self._from_cache(case, kept, "stale")
            raise
        try:
            if reply.status in FAILING and kept is not None and kept.may_stand_in(time.monotonic()):
                return await self._from_cache(case, kept, "stale")
            if reply.status == 304 and kept is not None:
                self.cache.refresh(key, kept, case.offer.service.cache, reply.headers, time.monotonic())
                return await self._from_cache(case, kept, "cached")
            return await self._pass_on(case, reply, key)
        except BaseException:
            reply.close()
            raise

    def _check_request(self, case: Case) -> None:
        checks, incoming = case.offer.service.checks, case.incoming
        if case.mapped is not None or checks.request is Check.OFF:
            return
        body = incoming.whole if incoming.is_whole else None
        found = case.offer.checker.request_faults(case.route, case.values, case.query, body, case.call.header("content-type").lower())
        if found and checks.request is Check.REFUSE:
            told = "; ".join(found[:FAULTS_TOLD])
            raise Unprocessable(
                f"The request is not what the service describes: {told}.", vi=f"Yêu cầu không đúng mô tả của dịch vụ: {told}."
            )
        case.faults += found

    async def _ask(self, case: Case, kept: Kept | None) -> Reply:
        service, call, mapped = case.offer.service, case.call, case.mapped
        provider, base = self.providers.of(service)
        verb, path, query = call.verb, case.path.sent, case.query
        headers = forwarded(call.headers)
        body: Incoming | bytes | None = (case.incoming.whole or None) if case.incoming.is_whole else case.incoming
        if mapped is not None:
            body = request_envelope(mapped, case.values, query_values(parse_qsl(query, keep_blank_values=True)), json_body(case))
            verb, path, query = "POST", "", ""
            headers = [(n, v) for n, v in headers if n not in ("content-type", "accept", "soapaction") and n not in CONDITIONS]
            headers += soap_headers(mapped)
        elif service.kind is Kind.SOAP:
            path = ""
        if service.cache.seconds and verb in ("GET", "HEAD") and not call.header("range"):
            headers = [(n, v) for n, v in headers if n not in CONDITIONS]
            headers += validators(kept)
        if isinstance(body, Incoming) and call.length is not None:
            headers.append(("content-length", str(call.length)))
        headers.append(("accept-encoding", "identity"))
        headers += self.stamp.headers(call, case.decision.agreement, case.id, f"{verb} {path}?{query}", self.clock())
        asked = Asked(verb, path, query, headers, body)
        before = time.monotonic()
        try:
            return await forward(provider, base, service, asked)
        finally:
            case.tries, case.provider_seconds = asked.tries, time.monotonic() - before

    async def _pass_on(self, case: Case, reply: Reply, key: tuple[str, ...]) -> Answer:
        """Hold a short answer until its entry is committed; let a long one go by between two entries."""
        service = case.offer.service
        if reply.length is not None and reply.length > service.limits.answer_bytes and case.call.verb != "HEAD":
            raise wrong(service, "too_large")
        source = reply.pieces()
        held, is_whole = await hold(reply, source, case.call.verb, HELD if case.mapped is None else LARGEST_MAPPED)
        if not is_whole and case.mapped is not None:
            raise wrong(service, "too_large")
        if not is_whole:
            reply.be_patient()
            await self._begin(case)
            return Answer(reply.status, self._headers(case, reply), stream=Passing(self, case, reply, held, source), length=reply.length)
        reply.close()
        body, status = b"".join(held), reply.status
        if case.mapped is not None:
            status, body = translated(case, status, body)
            headers = [
                *without(self._headers(case, reply), "content-type", "etag", "last-modified", "content-encoding"),
                ("content-type", json_type(status)),
            ]
        elif service.kind is Kind.REST and service.checks.answer is not Check.OFF:
            faults = case.offer.checker.answer_faults(case.route, status, body, reply.header("content-type").lower())
            if faults and service.checks.answer is Check.REFUSE:
                raise wrong(service, "not_promised")
            case.faults += faults
        if case.mapped is None:
            headers = self._headers(case, reply)
        if case.call.verb in ("GET", "HEAD") and case.mapped is None and not case.call.header("range"):
            if service.cache.seconds:
                asked = directives(case.call.header("cache-control"))
                if case.call.verb == "GET":
                    self.cache.keep(key, service.cache, forwarded(case.call.headers), asked, status, reply.headers, body, time.monotonic())
                status, body = conditional(case.call, status, reply.headers, body)
        elif status < 400:
            self.cache.forget((service.id, service.version, case.path.sent))
        await self.end(case, "answered", status, len(body), sha256(body).hexdigest())
        length = reply.length if case.call.verb == "HEAD" else len(body)
        return Answer(status, headers, body, length=None if status in NO_BODY else length)

    async def _from_example(self, case: Case, *, is_soap: bool) -> Answer:
        service = case.offer.service
        while not case.incoming.is_whole:  # of a request nobody is sent, only its digest is kept
            async for _ in case.incoming.pieces():
                pass
        if is_soap:
            kind = "text/xml; charset=utf-8" if service.soap["version"] == "1.1" else "application/soap+xml; charset=utf-8"
            status, body = 200, samples.soap_sample(service, case.route.soap)
        else:
            status, kind, body = samples.rest_sample(service, case.route, case.call.header("prefer"))
        headers = [("content-type", kind)] if kind else []
        await self.end(case, "mocked", status, len(body), sha256(body).hexdigest())
        return Answer(status, [*headers, *self._ours(case, headers), ("lienthong-mock", "true")], body, length=len(body))

    def _kept(self, case: Case) -> tuple[Kept | None, tuple[str, ...]]:
        """(the kept answer to the same question under the same right, the key it is kept by)."""
        service, call = case.offer.service, case.call
        key = (case.decision.agreement, call.purpose, call.official, case.query, service.id, service.version, case.path.sent)
        if not service.cache.seconds or call.verb not in ("GET", "HEAD") or call.header("range") or case.mapped is not None:
            return None, key
        return self.cache.find(key, forwarded(call.headers)), key

    async def _from_cache(self, case: Case, kept: Kept, outcome: str) -> Answer:
        status, body = conditional(case.call, kept.status, kept.headers, kept.body)
        own = [(n, v) for n, v in kept.headers if n not in ("age", "date")] + [("age", str(int(kept.age(time.monotonic()))))]
        await self.end(case, outcome, status, len(body), sha256(body).hexdigest())
        return Answer(status, [*own, *self._ours(case, own)], body, length=None if status in NO_BODY else len(body))

    def _headers(self, case: Case, reply: Reply) -> list[tuple[str, str]]:
        """The provider's headers and ours; what leads to its own address leads to ours."""
        own = [(n, self._public(case, v) if n in ("location", "content-location") else v) for n, v in reply.headers if n != "date"]
        return [*own, *self._ours(case, own)]

    def _ours(self, case: Case, own: list[tuple[str, str]]) -> list[tuple[str, str]]:
        offer = case.offer
        found = [
            ("lienthong-call", case.id),
            ("lienthong-service", f"{offer.service.id}/{offer.service.version}"),
            ("x-content-type-options", "nosniff"),
            ("content-security-policy", "sandbox; default-src 'none'"),  # another agency's page must not act as one of ours
        ]
        if not any(name == "cache-control" for name, _ in own):
            found.append(("cache-control", "no-store"))
        if offer.state is ServiceState.DEPRECATED and offer.sunset_on is not None:
            end = datetime(
                offer.sunset_on.year, offer.sunset_on.month, offer.sunset_on.day, 16, 59, 59, tzinfo=UTC
            )  # the day's end in Vietnam
            found += [
                ("sunset", format_datetime(end, usegmt=True)),
                ("deprecation", f"@{int(offer.since.timestamp())}"),
            ]  # RFC 8594, RFC 9745
        if case.faults:
            found.append(("lienthong-faults", str(len(case.faults))))
        return found

    def _public(self, case: Case, value: str) -> str:
        service = case.offer.service
        _, base = self.providers.of(service)
        root = f"{self.base_url}/v1/services/{service.id}/{service.version}"
        inside = base.partition("://")[2].partition("/")[2]
        prefix = f"/{inside}" if inside else ""
        if value.startswith(base) and value[len(base) :][:1] in ("", "/", "?"):
            return root + value[len(base) :]
        if value.startswith("/") and not value.startswith("//") and value.startswith(prefix):
            return root + value[len(prefix) :]
        return value

    # The ledger

    async def _begin(self, case: Case) -> None:
        if not case.has_begun:
            case.has_begun = True
            await self.ledger.append(encode(self._entry(case, Event.CALL_BEGUN, "begun", {})))

    async def end(self, case: Case, outcome: str, status: int, size: int, digest: str) -> None:
        """Commit the entry of a call's end; only then may its last byte be given."""
        event = Event.CALL_ENDED if case.has_begun else Event.CALL_ANSWERED
        details: dict[str, Any] = {
            "status": status,
            "request_bytes": case.incoming.size,
            "answer_bytes": size,
            "provider_ms": round(case.provider_seconds * 1000, 1),
            "ms": round((time.monotonic() - case.began) * 1000, 1),
        }
        if case.tries > 1:
            details["tries"] = case.tries
        if case.faults:
            details["faults"] = len(case.faults)
        await self.ledger.append(encode(self._entry(case, event, outcome, details, digest)))

    def end_later(self, case: Case, outcome: str, status: int, size: int, digest: str) -> None:
        """The same when nobody waits any more: the consumer has gone."""
        task = asyncio.get_running_loop().create_task(self.end(case, outcome, status, size, digest))
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.warning("call_end_not_kept", error=type(task.exception()).__name__)

    def _entry(self, case: Case, event: Event, outcome: str, details: dict[str, Any], digest: str = "") -> Entry:
        service, call = case.offer.service, case.call
        return Entry(
            self.clock(), event, call.caller or ANONYMOUS, call.official, call.purpose, case.decision.legal_basis, case.decision.agreement,
            service.id, subject=self._subject(call), request_digest=case.incoming.digest if case.incoming.is_whole else "",
            answer_digest=digest, outcome=outcome,
            details={"call": case.id, "service_version": service.version, "endpoint": case.route.endpoint, **details},
        )  # fmt: skip

    def _subject(self, call: Call) -> str:
        """A keyed hash of what was asked about: the address holds persons' numbers, the ledger does not."""
        return self.subject_key.hash_of(b"%s %s?%s" % (call.service.encode(), call.path, call.query))

    async def _note_denial(self, error: RequestError, call: Call, offer: Offer, now: datetime) -> None:
        entry = Entry(
            now, Event.REQUEST_DENIED, call.caller or ANONYMOUS, call.official, call.purpose, dataset=offer.service.id, subject=self._subject(call),
            outcome=str(error.facts.get("rule", error.code)),
            details={"operation": Operation.CALL.value, "service_version": offer.service.version},
        )  # fmt: skip
        await self.ledger.append(encode(entry))

    async def _note_failure(self, error: RequestError, case: Case) -> None:
        """A call that was admitted and not answered is an entry too."""
        outcome = "failed" if isinstance(error, ProviderError) else "refused"
        await self.end(case, outcome, error.status, 0, "")


def _version(call: Call) -> str:
    return "1.2" if "application/soap+xml" in call.header("content-type").lower() else "1.1"


def _not_kept() -> LienthongError:
    return ProviderError("Nothing is kept that could be given without asking.", vi="Không có câu trả lời lưu sẵn.", rule="only_if_cached")
