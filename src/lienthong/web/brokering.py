"""`ANY /v1/services/{service}[/{version}]/{path}`, by hand in front of the router: calls of brokered services over HTTP.

What came in by HTTP becomes a `Call`, its answer HTTP again; everything between is `sharing.broker`'s. What a service is is told by
`web.service_pages`, at the few addresses below a service that are ours.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

import msgspec
from starlette.requests import Request

from lienthong.access import LONGEST_PATH
from lienthong.contracts.services.reading import RESERVED
from lienthong.errors import BadRequest, LienthongError, RequestError, Unauthenticated
from lienthong.ledger import SubjectKey
from lienthong.log import get_logger
from lienthong.sharing.broker import Answer, Book, Broker, Call, Providers
from lienthong.sharing.broker.admitting import Gate
from lienthong.sharing.broker.guarding import read_networks
from lienthong.sharing.broker.identity import Stamp
from lienthong.sharing.broker.providers import provider_variables
from lienthong.sharing.broker.soap_reading import fault_bytes
from lienthong.sharing.exchanges import ASKED, Asked
from lienthong.store.database import take_web_role
from lienthong.store.services import services_stamp
from lienthong.web.headers import OFFICIAL, PURPOSE, header_text
from lienthong.web.hot import Receive, Scope, Send
from lienthong.web.keys import token_key
from lienthong.web.problem import PROBLEM, answer_problem, problem_of

if TYPE_CHECKING:
    from lienthong.web.services import Services

PREFIX = b"/v1/services/"
OUR_WORDS = frozenset(word.encode() for word in RESERVED)
READING = ("GET", "HEAD")
FAULT_TYPES = {"1.1": "text/xml; charset=utf-8", "1.2": "application/soap+xml; charset=utf-8"}
log = get_logger("broker")


class BrokerDoor:
    """Answers calls. Everything raised becomes a problem document, or a fault where SOAP was spoken."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self.book = Book()
        self._stamp: Any = None
        settings, key = services.settings, token_key(services.settings)
        private: Any = key.private_key
        self._providers = Providers(provider_variables(os.environ), read_networks(settings.provider_networks))
        self.broker = Broker(
            lambda: self.book, Gate(lambda: services.register, services.quotas, lambda: services.rules.offer), self._providers, services.ledger,
            Stamp(private.sign, str(key.kid), settings.public_url), services.workshop.clock, SubjectKey(services.subject_key), settings.public_url,
            settings.sandbox,
        )  # fmt: skip

    def look(self) -> None:
        """Put in force what has changed of the services. It may run in any thread: the book is exchanged whole."""
        with self._services.workshop.database.connect() as connection:
            take_web_role(connection)
            stamp = services_stamp(connection)
            if stamp != self._stamp:
                self.book = Book.read(connection)
                self._stamp = stamp

    async def close(self) -> None:
        await self._providers.close()

    @staticmethod
    def wants(scope: Scope) -> bool:
        """Whether a request is a call: below a service, and not one of the addresses that tell of it."""
        path = _path(scope)
        if not path.startswith(PREFIX):
            return False
        _, slash, rest = path[len(PREFIX) :].partition(b"/")
        return not (scope["method"] in READING and (not slash or rest in OUR_WORDS))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        call: Call | None = None
        rule = ""
        try:
            call = self._read(scope, receive)
            await self._prove(call, scope)
            answer = await self.broker.call(call)
        except RequestError as error:
            rule = str(error.facts.get("rule", error.code))
            answer = _refused(error)
        except Exception as error:  # anything unforeseen is a problem document too
            await answer_problem(Request(scope), error)(scope, receive, send)
            return
        finally:
            if call is not None and call.agency:  # of a service there is not nothing is recorded
                scope[ASKED] = _asked(call, rule)
        await _send(answer, scope, receive, send)

    def _read(self, scope: Scope, receive: Receive) -> Call:
        """The call a request is. Raises BadRequest or Unauthenticated."""
        path = _path(scope)
        if len(path) > LONGEST_PATH + 200:
            raise BadRequest("The address is too long.", vi="Địa chỉ quá dài.")
        named, slash, rest = path[len(PREFIX) :].partition(b"/")
        service, version = _plain(named), None
        first, more, after = rest.partition(b"/")
        if first and self.book.has_version(service, _plain(first)):
            version, rest, slash = _plain(first), after, more
        headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]]
        length, has_body = _framing(headers)
        return Call(
            service=service, version=version, verb=scope["method"], path=slash + rest, query=scope["query_string"], headers=headers,
            body=_pieces(receive) if has_body else None, length=length,
        )  # fmt: skip

    async def _prove(self, call: Call, scope: Scope) -> None:
        """Who calls, for whom and why. Raises Unauthenticated or BadRequest, with its entry where the service is one of ours."""
        try:
            call.purpose = header_text(PURPOSE, call.header(PURPOSE).encode("latin-1"))
            call.official = header_text(OFFICIAL, call.header(OFFICIAL).encode("latin-1"))
            call.caller = self._services.tokens.subsystem_of(call.header("authorization") or None, scope)
            if self._services.register.depends(call.caller, call.service):
                call.address = self._services.addresses.of(scope)
        except RequestError as error:
            await self.broker.note_refusal(call, error)
            raise


def _asked(call: Call, rule: str) -> Asked:
    """What the operational record says of a call: the endpoint as the service describes it, never the path."""
    asked = Asked(call.service, call.agency, call.endpoint or "call", call.caller or "", call.official, call.purpose)
    asked.agreement, asked.rule = call.agreement, rule
    return asked


def _path(scope: Scope) -> bytes:
    """The address as it was sent, without its question."""
    raw: bytes | None = scope.get("raw_path")
    return scope["path"].encode() if raw is None else raw.partition(b"?")[0]


def _plain(word: bytes) -> str:
    """A service's id or version: nothing of either needs an escape, so one with an escape is none of them."""
    return word.decode("ascii", "replace")


def _framing(headers: list[tuple[str, str]]) -> tuple[int | None, bool]:
    """(announced length, whether there is a body). Raises BadRequest for one that two readers could cut differently (RFC 9112 §6.3)."""
    lengths = [value for name, value in headers if name == "content-length"]
    codings = [value for name, value in headers if name == "transfer-encoding"]
    if (lengths and codings) or len(set(lengths)) > 1 or any(coding.strip().lower() != "chunked" for coding in codings):
        raise BadRequest("The length of the body is told in two ways.", vi="Độ dài nội dung được nêu theo hai cách.")
    if lengths and not (lengths[0].isascii() and lengths[0].isdigit() and len(lengths[0]) < 19):
        raise BadRequest("Content-Length is no number.", vi="Content-Length không phải là số.")
    length = int(lengths[0]) if lengths else None
    return length, bool(codings) or bool(length)


async def _pieces(receive: Receive) -> AsyncIterator[bytes]:
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise BadRequest("The caller went away.", vi="Bên gọi đã ngắt kết nối.")
        yield message.get("body", b"")
        if not message.get("more_body", False):
            return


async def _send(answer: Answer, scope: Scope, receive: Receive, send: Send) -> None:
    """Pass an answer on. A stream that breaks is left unfinished: the server then ends the connection, and nobody takes it for whole."""
    headers = [(name.encode("latin-1"), value.encode("utf-8", "surrogateescape")) for name, value in answer.headers]
    if answer.length is not None:
        headers.append((b"content-length", b"%d" % answer.length))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    if answer.stream is None:
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else answer.body})
        return
    stream: Any = answer.stream
    gone = asyncio.get_running_loop().create_task(_departure(receive))
    try:
        async for piece in stream:
            if gone.done():  # nobody reads any more, and the server does not say so of itself
                return
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b""})
    except LienthongError as error:
        log.warning("call_broken_off", code=error.code, rule=str(error.facts.get("rule", "")))
        raise
    finally:
        gone.cancel()
        await stream.aclose()


async def _departure(receive: Receive) -> None:
    """Ends when the caller has gone."""
    while (await receive())["type"] != "http.disconnect":
        pass


def _refused(error: RequestError) -> Answer:
    status, document, more = problem_of(error)
    headers = [(name.lower(), value) for name, value in more.items()]
    version = error.facts.get("soap")
    if version and not isinstance(error, Unauthenticated):
        is_callers = status < 500
        body = fault_bytes(version, document["detail_en"], document["detail"], is_callers=is_callers, code=error.code)
        status = 500 if version == "1.1" or not is_callers else 400  # SOAP 1.1 §6.2; SOAP 1.2 part 2 §7.5.2.2
        headers.append(("content-type", FAULT_TYPES[version]))
    else:
        body = msgspec.json.encode(document)
        headers.append(("content-type", PROBLEM))
    return Answer(status, [*headers, ("cache-control", "no-store")], body, length=len(body))
