"""Signed requests are verified before anything else looks at them; answers are signed when the caller asks (`Lienthong-Sign: 1`, `Accept-Signature`).

A signature counts beside the token, never in its place: it must be made with a key of the very subsystem the token is of. Each
nonce, and each DPoP proof, is taken once, by all servers together.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from joserfc.jwk import OKPKey
from starlette.requests import Request

from lienthong.access import ANONYMOUS, SentRequest, SentResponse, joined, sign_response, verify_request
from lienthong.clock import vietnam_date
from lienthong.errors import LienthongError, RequestError, TooLarge, Unauthenticated
from lienthong.ledger import Entry, Event, encode
from lienthong.standards import show_number
from lienthong.web.holding import PROVED
from lienthong.web.hot import Receive, Scope, Send
from lienthong.web.problem import answer_problem

if TYPE_CHECKING:
    from lienthong.web.services import Services

LARGEST = 8 * 1024 * 1024  # of a body that is signed, either way
WANTED = frozenset({b"signature-input", b"signature", b"accept-signature", b"lienthong-sign", b"dpop"})
Application = Callable[[Scope, Receive, Send], Awaitable[None]]


def concerns(scope: Scope) -> bool:
    """Whether a request is signed, proves a key or wants a signed answer."""
    for name, _ in scope["headers"]:  # noqa: SIM110 # a generator costs twice as much, and every request comes by here
        if name in WANTED:
            return True
    return False


def _names_one_of(request: SentRequest, keys: Sequence[Mapping[str, Any]]) -> bool:
    """Whether a signature says that one of these keys made it: where none does, the key may be newer than what is known."""
    named = request.headers.get("signature-input", "")
    return any(str(jwk.get("kid") or named) in named for jwk in keys)


class Signing:
    """Stands around the application for the requests it concerns."""

    def __init__(self, services: Services, key: OKPKey) -> None:
        self._services = services
        self._key = key

    async def around(self, application: Application, scope: Scope, receive: Receive, send: Send) -> None:
        """Verify, call, sign."""
        names = {name for name, _ in scope["headers"]}
        request = SentRequest.of(scope["method"], self._address(scope), scope["headers"])
        label: str | None = None
        if b"lienthong-sign" in names or b"accept-signature" in names:
            send = _Signer(self._key, request, send)
        if b"dpop" in names:
            await self._take_proof(scope)
        try:
            if names & {b"signature-input", b"signature"}:
                body = await _whole(receive)
                label = await self._verify(scope, request, body)
                receive = _again(body)
        except LienthongError as error:
            await answer_problem(Request(scope), error)(scope, receive, send)
            return
        if isinstance(send, _Signer):
            send.label = label
        await application(scope, receive, send)

    async def _verify(self, scope: Scope, request: SentRequest, body: bytes) -> str:
        services, now = self._services, self._services.workshop.clock()
        caller: str | None = None
        try:
            token = services.tokens.peek(request.headers.get("authorization"))
            caller = None if token is None else token.subsystem
            keys = self._keys(caller, now)
            if services.reread is not None and caller is not None and not _names_one_of(request, keys):
                await services.reread.ask()
                keys = self._keys(caller, now)
            signed = verify_request(request, body, keys, now)
            if not await services.store.use_assertion(f"signature {caller}", signed.nonce, signed.expires_at):
                raise Unauthenticated(
                    "This signature was used before.", hint="Sign each request with a nonce of its own.", hint_vi="Hãy ký mỗi yêu cầu với một nonce riêng.",
                    rule="replayed", vi="Chữ ký này đã được dùng.",
                )  # fmt: skip
        except RequestError as error:
            outcome = str(error.facts.get("rule", error.code))
            entry = Entry(now, Event.REQUEST_DENIED, caller or ANONYMOUS, outcome=outcome, details={"operation": "signed"})
            await services.ledger.append(encode(entry))
            raise
        scope["lienthong.signed_with"] = signed.kid
        return signed.label

    def _keys(self, caller: str | None, now: datetime) -> list[Mapping[str, Any]]:
        known = None if caller is None else self._services.register.subsystems.get(caller)
        return [] if known is None else known.keys_on(vietnam_date(now))

    async def _take_proof(self, scope: Scope) -> None:
        """Take a DPoP proof that fits its request. One that does not is told of where a proof is needed, and is nothing elsewhere."""
        holding = self._services.tokens.holding
        if holding is None:
            return
        token = _dpop_token(scope)
        try:
            proof = holding.dpop(scope, token)
        except Unauthenticated:
            return
        if proof is not None:
            is_first = await self._services.store.use_assertion(f"dpop {proof.thumbprint}", proof.jti, proof.expires_at)
            scope[PROVED] = (token, proof if is_first else None)

    def _address(self, scope: Scope) -> str:
        raw = (scope.get("raw_path") or scope["path"].encode()).partition(b"?")[0].decode("latin-1")
        query = scope["query_string"].decode("latin-1")
        address: str = self._services.settings.public_url + raw
        return f"{address}?{query}" if query else address


def _dpop_token(scope: Scope) -> str | None:
    """The token of the DPoP scheme, None without one."""
    for name, value in scope["headers"]:
        if name == b"authorization":
            scheme, _, token = value.decode("latin-1").partition(" ")
            return token if scheme.lower() == "dpop" else None
    return None


class _Signer:
    """Holds an answer until it is whole, then sends it signed. One that grows past what is signed goes out as it is."""

    def __init__(self, key: OKPKey, request: SentRequest, send: Send) -> None:
        self._key, self._request, self._send = key, request, send
        self._start: Any = None
        self._body = bytearray()
        self.label: str | None = None

    async def __call__(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            self._start = message
            return
        if message["type"] != "http.response.body" or self._start is None:
            await self._send(message)
            return
        self._body += message.get("body", b"")
        if message.get("more_body") and len(self._body) <= LARGEST:
            return
        start, self._start = self._start, None
        if not message.get("more_body"):
            start = {**start, "headers": [*start["headers"], *self._signature(start)]}
        await self._send(start)
        await self._send({"type": "http.response.body", "body": bytes(self._body), "more_body": bool(message.get("more_body"))})
        self._body.clear()

    def _signature(self, start: Any) -> list[tuple[bytes, bytes]]:
        response = SentResponse(start["status"], joined(start["headers"]), self._request)
        return sign_response(response, bytes(self._body), self._key, self.label)


async def _whole(receive: Receive) -> bytes:
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return bytes(body)
        body += message.get("body", b"")
        if len(body) > LARGEST:
            raise TooLarge(f"A signed request has at most {LARGEST:,} bytes.", vi=f"Yêu cầu có chữ ký tối đa {show_number(LARGEST)} byte.")
        if not message.get("more_body"):
            return bytes(body)


def _again(body: bytes) -> Receive:
    """What was read, to be read again."""
    given = False

    async def receive() -> Any:
        nonlocal given
        if given:
            return {"type": "http.disconnect"}
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return receive
