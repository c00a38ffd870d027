"""What every X-Road door shares: who calls (proved, never only said), and the call handed on to the platform's own API.

A caller is believed for one of two reasons: the request carries our access token, and the token's subsystem is the one the message
names; or it comes from the province's own security server (`web.xroad_trust`), which has proved the name. Nothing else opens the gate.
What is behind it (agreement, quota, withheld fields, ledger) is the same as at every other door, because it is the same door.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from lienthong.access import ANONYMOUS
from lienthong.access import xroad_faults as faults
from lienthong.access.xroad import FaultStyle, Header, Member, ServiceName
from lienthong.access.xroad_soap import Fault
from lienthong.errors import SettingsError, Unauthenticated
from lienthong.ledger import Entry, Event, encode
from lienthong.log import get_logger
from lienthong.sharing.broker import Book
from lienthong.sharing.exchanges import CARRIED, Carried
from lienthong.web.xroad_services import Directory
from lienthong.web.xroad_trust import Trust

if TYPE_CHECKING:
    from lienthong.web.services import Services

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

LARGEST_BODY = 16 * 1024 * 1024  # what X-Road itself logs of a message is 10 MiB
LONGEST_ADDRESS = 4_000
MOST_TOKENS = 1_000
log = get_logger("xroad")


@dataclass(frozen=True)
class Inner:
    """A call of the platform's own API."""

    method: str
    path: str  # as sent: percent-encoded
    query: bytes
    headers: Sequence[Header]
    carried: Carried


@dataclass(frozen=True)
class Answered:
    """An answer held whole."""

    status: int
    headers: Mapping[bytes, bytes]
    body: bytes


class Gate:
    """Proves callers and hands calls on to the application."""

    def __init__(self, services: Services, application: Application, book: Callable[[], Book]) -> None:
        settings = services.settings
        self.services = services
        self.directory = Directory(settings, services.contracts, book, services.workshop.clock, lambda: services.register)
        self.style = _style(settings.xroad_fault_style)
        self._trust = Trust.of(settings)
        self._application = application
        self._tokens: dict[str, tuple[str, datetime]] = {}

    async def prove(self, scope: Scope, client: Member) -> str:
        """The Authorization header to go on with. Raises Fault; a refusal is in the ledger first."""
        sent = {name.lower(): value for name, value in scope["headers"]}
        authorization = sent.get(b"authorization")
        identity = client.identity
        if authorization is not None:
            try:
                proved = self.services.tokens.subsystem_of(authorization.decode("latin-1"), scope)
            except Unauthenticated as error:
                await self._note(ANONYMOUS, "unauthenticated")
                raise Fault(faults.NOT_AUTHENTICATED, error.message) from error
            if identity is None or proved != str(identity):
                await self._note(proved or ANONYMOUS, "other_client")
                raise Fault(faults.NOT_AUTHENTICATED, "The access token was given to another subsystem than X-Road-Client names.")
            return f"Bearer {self._token(proved)}"  # one bound to a key or a certificate proves this request, not the one handed on
        peer = (scope.get("client") or ("", 0))[0]
        if not self._trust.holds(peer, sent):
            await self._note(ANONYMOUS, "no_identity")
            raise Fault(
                faults.NOT_AUTHENTICATED,
                f"{_kind(client)}:{client} is not proved: send a Bearer token of that subsystem, or call through the security server.",
            )
        if identity is None:
            await self._note(ANONYMOUS, "no_agreement")
            raise Fault(faults.ACCESS_DENIED, f"Request is not allowed: {_kind(client)}:{client} is no subsystem known here.")
        return f"Bearer {self._token(str(identity))}"

    async def buffered(self, scope: Scope, inner: Inner, body: bytes = b"") -> Answered:
        """Call the platform's own API and hold its answer."""
        status, headers, parts = 0, dict[bytes, bytes](), list[bytes]()

        async def send(message: MutableMapping[str, Any]) -> None:
            nonlocal status, headers
            if message["type"] == "http.response.start":
                status, headers = message["status"], dict(message.get("headers", ()))
            elif message["type"] == "http.response.body":
                parts.append(message.get("body", b""))

        await self.hand_on(scope, inner, replay(body), send)
        return Answered(status, headers, b"".join(parts))

    async def hand_on(self, scope: Scope, inner: Inner, receive: Receive, send: Send) -> None:
        """Call the platform's own API; its answer goes to `send` as it comes."""
        called: Scope = {
            **scope,
            "method": inner.method,
            "path": unquote(inner.path),
            "raw_path": inner.path.encode("ascii"),
            "query_string": inner.query,
            "headers": list(inner.headers),
            CARRIED: inner.carried,
        }
        await self._application(called, receive, send)

    def _token(self, subsystem: str) -> str:
        """An access token of ours for a subsystem the security server has proved: it is closed, revoked and counted like any other."""
        now = self.services.workshop.clock()
        kept = self._tokens.get(subsystem)
        if kept is None or kept[1] <= now:
            if len(self._tokens) >= MOST_TOKENS:
                self._tokens.clear()
            half_its_life = timedelta(seconds=self.services.tokens.minutes * 30)
            kept = self._tokens[subsystem] = (self.services.tokens.issue(subsystem, now), now + half_its_life)
        return kept[0]

    async def note_unknown(self, client: Member, name: ServiceName) -> None:
        """A service that is not there, or not for this client, has its entry either way: so that both take as long. A ledger tells the true reason."""
        dataset = self.directory.kept_from(name, client)
        await self._note(str(client.identity or client), "no_agreement" if dataset else "unknown_service", dataset)

    async def _note(self, caller: str, rule: str, dataset: str = "") -> None:
        """The refusal is in the ledger; who it said it was is not, where nobody proved it."""
        entry = Entry(
            self.services.workshop.clock(), Event.REQUEST_DENIED, caller, dataset=dataset, outcome=rule, details={"operation": "xroad"}
        )
        await self.services.ledger.append(encode(entry))


def replay(body: bytes, after: Receive | None = None) -> Receive:
    """A `receive` that gives a body that was read already, then what `after` gives; without it nothing more ever comes."""
    is_given = False

    async def receive() -> MutableMapping[str, Any]:
        nonlocal is_given
        if not is_given:
            is_given = True
            return {"type": "http.request", "body": body, "more_body": False}
        if after is None:
            await asyncio.Event().wait()
            raise AssertionError("nothing ends this wait but its own end")
        return await after()

    return receive


async def read_body(receive: Receive, most_bytes: int = LARGEST_BODY) -> bytes:
    """A request's body. Raises Fault when it is too large or its sender went away."""
    parts, size = list[bytes](), 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Fault(faults.BAD_REQUEST, "The request ended before its body did.")
        part = message.get("body", b"")
        size += len(part)
        if size > most_bytes:
            raise Fault(faults.BAD_REQUEST, f"The message is larger than {most_bytes:,} bytes.")
        parts.append(part)
        if not message.get("more_body", False):
            return b"".join(parts)


def last(headers: Iterable[Header], name: bytes) -> str | None:
    """The value of a header; of a repeated one the last (pr-rest §4.2)."""
    found = [value for key, value in headers if key.lower() == name]
    if not found:
        return None
    try:
        return found[-1].decode("utf-8").strip()
    except UnicodeDecodeError:
        return found[-1].decode("latin-1").strip()


def _kind(client: Member) -> str:
    return "SUBSYSTEM" if client.subsystem else "MEMBER"


def _style(text: str) -> FaultStyle:
    try:
        return FaultStyle(text)
    except ValueError as error:
        raise SettingsError(f"LIENTHONG_XROAD_FAULT_STYLE: expected camel or snake, found `{text}`.") from error
