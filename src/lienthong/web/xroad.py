"""The X-Road door, information system's side, REST: `/r1/{instance}/{class}/{member}/{subsystem}/{service}[/path]`, and `/listClients`.

A dataset is a service, and so is a brokered service under its own paths. Of a dataset `/records/{key}` or `/{key}` looks up one record, `/records` or nothing lists, `/changes` is the change feed,
`POST /records` sends records. `X-Road-Issue` names the purpose and `X-Road-UserId` the official, unless our own headers do.
"""

from __future__ import annotations

from collections.abc import MutableMapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, quote

import msgspec

from lienthong.access import words_of_closed
from lienthong.access import xroad_faults as faults
from lienthong.access.xroad import (
    Called,
    Header,
    Member,
    ServiceName,
    called,
    client_of,
    fault_status,
    new_id,
    party_of,
    request_hash,
    retained,
    server_of,
    spelled,
)
from lienthong.access.xroad_soap import Fault, printable
from lienthong.clock import vietnam_date
from lienthong.errors import BadRequest
from lienthong.store.exchange_records import Message as Said
from lienthong.web import xroad_shapes as shapes
from lienthong.web.headers import check_escapes
from lienthong.web.recording import trace_of
from lienthong.web.xroad_gate import LONGEST_ADDRESS, Gate, Inner, Receive, Scope, Send, last, log, read_body, replay
from lienthong.web.xroad_monitoring import SERVICES as MONITORING
from lienthong.web.xroad_monitoring import told
from lienthong.web.xroad_services import METASERVICES

PREFIX = b"/r1/"
LIST_CLIENTS = b"/listClients"
NO_STORE = (b"cache-control", b"no-store")
OF_XROAD = b"x-road-"
PROOFS = frozenset(
    {b"lienthong-security-server", b"client-cert", b"dpop", b"signature", b"signature-input", b"accept-signature"}
)  # of this request, judged already
LONGEST_ID = 200
DOOR = "xroad-rest"
PROTOCOL = "1"  # of REST messages


@dataclass
class Message:
    """A REST message as it came, and what its answer must name."""

    scope: Scope
    raw_path: str
    query: bytes
    headers: list[Header]
    id: str = ""
    request_id: str = field(default_factory=new_id)
    client: Member | None = None
    called: Called | None = None
    body: bytes = b""

    @property
    def accept(self) -> str:
        return last(self.headers, b"accept") or ""

    def record(self) -> Said:
        """What the operational record keeps of it."""
        party = last(self.headers, b"x-road-represented-party")
        party_class, party_code = ("", "") if party is None else party_of(party)
        return Said(
            self.id,
            self.request_id,
            last(self.headers, b"x-road-userid") or "",
            last(self.headers, b"x-road-issue") or "",
            party_class,
            party_code,
            PROTOCOL,
            last(self.headers, b"x-road-security-server") or "",
        )

    def answer_headers(self) -> list[Header]:
        """What X-Road adds to an answer."""
        assert self.client is not None
        assert self.called is not None
        target = self.raw_path + (f"?{self.query.decode('latin-1')}" if self.query else "")
        added = [*self.headers, (b"x-road-request-id", self.request_id.encode())]
        if last(self.headers, b"x-road-id") is None:
            added.append((b"x-road-id", self.id.encode()))
        return [
            (b"x-road-client", str(self.client).encode()),
            (b"x-road-service", str(self.called.service).encode()),
            (b"x-road-id", self.id.encode()),
            (b"x-road-request-id", self.request_id.encode()),
            (b"x-road-request-hash", request_hash(self.scope["method"], target, added, self.body).encode()),
        ]


class XRoadDoor:
    """Answers X-Road REST messages."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate

    @staticmethod
    def wants(scope: Scope) -> bool:
        path = _raw_path(scope)
        return path.startswith(PREFIX) or path == LIST_CLIENTS

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        message = Message(scope, _raw_path(scope).decode("latin-1"), scope["query_string"], retained(scope["headers"]))
        try:
            if message.raw_path == LIST_CLIENTS.decode():
                await self._list_clients(message, send)
            else:
                await self._answer(message, receive, send)
        except Fault as error:
            await self._fault(message, error, send)
        except BadRequest as error:
            await self._fault(message, Fault(faults.BAD_REQUEST, error.message), send)

    async def _answer(self, message: Message, receive: Receive, send: Send) -> None:
        service = _read(message).service
        assert message.client is not None
        authorization = await self._gate.prove(message.scope, message.client)
        message.body = await read_body(receive)
        if service.code in METASERVICES or service.code in MONITORING:
            await self._metaservice(message, service, send)
            return
        inner = await self._inner(message, service, authorization)
        await self._gate.hand_on(message.scope, inner, replay(message.body, receive), _Outgoing(self, message, send))

    async def _inner(self, message: Message, service: ServiceName, authorization: str) -> Inner:
        directory = self._gate.directory
        self._refuse_closed(service)
        contract = directory.dataset(service, message.client)
        brokered = directory.brokered(service) if contract is None else None
        assert message.client is not None
        if contract is None and brokered is None:
            await self._gate.note_unknown(message.client, service)
            kind = faults.UNKNOWN_SERVICE if directory.is_here(service.provider) else faults.UNKNOWN_MEMBER
            raise Fault(kind, f"Unknown service: {service.label}")
        assert message.called is not None
        if contract is not None:
            path = f"/v1/datasets/{contract.id}{inner_path(message.called.rest)}"
        else:  # the broker judges the path, as it came
            path = f"/v1/services/{service.code}{_resent(message.called.rest) or '/'}"
        carried = (DOOR, message.record(), trace_of(message.scope))
        return Inner(message.scope["method"], path, message.query, inner_headers(message.headers, authorization), carried)

    async def _list_clients(self, message: Message, send: Send) -> None:
        settings, asked = self._gate.services.settings, dict(parse_qsl(message.query.decode("latin-1"), keep_blank_values=True))
        instance = asked.get("xRoadInstance", settings.instance)
        if message.scope["method"] not in ("GET", "HEAD"):
            raise Fault(faults.BAD_REQUEST, "listClients is read with GET.")
        if instance != settings.instance:
            raise Fault(faults.INVALID_REQUEST, f"Unknown X-Road instance: {printable(instance)[:80]}")
        found = self._gate.directory.clients(self._gate.services.register)
        await _send(send, 200, *shapes.clients(found, as_xml=not shapes.wants_json(message.accept)), [], message)

    async def _metaservice(self, message: Message, service: ServiceName, send: Send) -> None:
        directory, services = self._gate.directory, self._gate.services
        assert message.client is not None
        self._refuse_closed(service)
        if not directory.is_here(service.provider):
            raise Fault(faults.UNKNOWN_MEMBER, f"Unknown service: {service.label}")
        as_xml = shapes.wants_xml(message.accept)
        if service.code == "listMethods":
            answer = shapes.methods(directory.methods(service.provider), as_xml=as_xml)
        elif service.code == "allowedMethods":
            today = vietnam_date(services.workshop.clock())
            answer = shapes.methods(directory.allowed(service.provider, message.client, services.register, today), as_xml=as_xml)
        elif service.code == "getOpenAPI":
            answer = self._openapi(message, service)
        elif service.code in MONITORING:
            asked = dict(parse_qsl(message.query.decode("latin-1")))
            answer = shapes.JSON, msgspec.json.encode(await told(services, message.client, service.code, asked))
        else:
            raise Fault(faults.UNKNOWN_SERVICE, f"Unknown service: {service.label}")
        await _send(send, 200, *answer, message.answer_headers(), message)

    def _refuse_closed(self, service: ServiceName) -> None:
        """Raises Fault for a message to an agency that has closed: it is told who took its place."""
        services, code = self._gate.services, service.provider.member
        agencies, today = services.register.agencies, vietnam_date(services.workshop.clock())
        if agencies.is_closed(code, today):
            raise Fault(faults.UNKNOWN_MEMBER, words_of_closed(code, agencies.replaced_by(code, today))[1] + ".")

    def _openapi(self, message: Message, service: ServiceName) -> tuple[str, bytes]:
        asked = {name.lower(): value for name, value in parse_qsl(message.query.decode("latin-1"))}
        code = asked.get("servicecode", "")
        if not code:
            raise Fault(faults.INVALID_REQUEST, 'Missing the required parameter "serviceCode"')
        contract = self._gate.directory.dataset(ServiceName(service.provider, code), message.client)
        if contract is None:
            return self._brokered_openapi(ServiceName(service.provider, code))
        return shapes.JSON, msgspec.json.encode(self._gate.directory.openapi(contract))

    def _brokered_openapi(self, name: ServiceName) -> tuple[str, bytes]:
        """Collectors match the words of both refusals (pr-mrest §4.5)."""
        brokered = self._gate.directory.brokered(name)
        if brokered is None:
            raise Fault(faults.INTERNAL_ERROR, f"Unknown service: {name.label}")
        document = self._gate.directory.described(brokered)
        if document is None:
            raise Fault(faults.INTERNAL_ERROR, "Invalid service type: REST")
        return shapes.JSON, msgspec.json.encode(document)

    async def _fault(self, message: Message, error: Fault, send: Send) -> None:
        detail = new_id()
        kind = spelled(error.kind, self._gate.style)
        log.info("xroad_fault", fault=error.kind, detail=detail)
        headers: list[Header] = [(b"x-road-error", kind.encode())]
        if message.client is not None and message.called is not None:
            headers += message.answer_headers()
        answer = shapes.fault(kind, error.message, detail, as_xml=shapes.wants_xml(message.accept))
        await _send(send, fault_status(error.kind), *answer, headers, message)

    async def refuse(self, message: Message, status: int, body: bytes, send: Send) -> None:
        """The platform's own refusal as X-Road says it: the rule stays named."""
        try:
            problem = msgspec.json.decode(body)
        except msgspec.MsgspecError:
            problem = {}
        assert message.called is not None
        rule = problem.get("rule") or problem.get("code") or "denied"
        words = (
            f"Request is not allowed: {message.called.service.label} ({rule}): {problem.get('detail', '')} · {problem.get('detail_en', '')}"
        )
        await self._fault(message, Fault(faults.NOT_AUTHENTICATED if status == 401 else faults.ACCESS_DENIED, words, rule=rule), send)


class _Outgoing:
    """An answer on its way out: ours gets X-Road's headers, a refusal becomes a fault. Rows pass as they come."""

    def __init__(self, door: XRoadDoor, message: Message, send: Send) -> None:
        self._door = door
        self._message = message
        self._send = send
        self._refused: int | None = None
        self._held = b""

    async def __call__(self, event: MutableMapping[str, Any]) -> None:
        if event["type"] == "http.response.start":
            if event["status"] in (401, 403):
                self._refused = event["status"]
                return
            kept = [(name, value) for name, value in event.get("headers", ()) if not name.lower().startswith(OF_XROAD)]
            await self._send({**event, "headers": [*kept, *self._message.answer_headers()]})
        elif self._refused is not None:
            self._held += event.get("body", b"")
            if not event.get("more_body", False):
                await self._door.refuse(self._message, self._refused, self._held, self._send)
        else:
            await self._send(event)


def inner_path(rest: str) -> str:
    """Where in a dataset's own API a path behind a service leads. Raises BadRequest for one that climbs or leads nowhere.

    Segments are compared and handed on as they were sent: what was judged is what is called.
    """
    if len(rest) > LONGEST_ADDRESS:
        raise BadRequest(f"Expected an address of at most {LONGEST_ADDRESS} characters.")
    check_escapes(rest.encode("latin-1"))
    segments = rest.split("/")[1:] if rest else []
    if segments and not segments[-1]:
        segments.pop()
    for segment in segments:
        if not segment or _plain(segment) in (".", "..") or ";" in segment:
            raise BadRequest("The path holds an empty part, `.`, `..` or `;`.")
    if not segments or segments == ["records"]:
        return "/records"
    if segments == ["changes"]:
        return "/changes"
    if len(segments) == 2 and segments[0] == "records":
        return f"/records/{_resent(segments[1])}"
    if len(segments) == 1:
        return f"/records/{_resent(segments[0])}"
    raise BadRequest("A dataset has /records, /records/{key} and /changes.")


def inner_headers(headers: list[Header], authorization: str) -> list[Header]:
    """The headers of a call of our own API: X-Road's become ours, nothing that says who asks is passed on as it came."""
    dropped = PROOFS | {b"authorization", b"lienthong-purpose", b"lienthong-official", b"accept"}
    kept = [(name, value) for name, value in headers if not name.lower().startswith(OF_XROAD) and name.lower() not in dropped]
    purpose = last(headers, b"lienthong-purpose") or last(headers, b"x-road-issue") or ""
    official = last(headers, b"lienthong-official") or last(headers, b"x-road-userid") or ""
    kept += [
        (b"authorization", authorization.encode("latin-1")),
        (b"accept", (last(headers, b"accept") or "application/json").encode("latin-1")),
    ]
    kept += [(name, quoted(text)) for name, text in ((b"lienthong-purpose", purpose), (b"lienthong-official", official)) if text]
    return kept


def quoted(text: str) -> bytes:
    """A header's text as our own doors read it."""
    return text.encode("ascii") if text.isascii() else quote(text, safe=" ").encode("ascii")


def _read(message: Message) -> Called:
    """Read what a message says of itself. Raises Fault or BadRequest."""
    headers = message.headers
    message_id = last(headers, b"x-road-id")
    if message_id is not None and (not 0 < len(message_id) <= LONGEST_ID or not message_id.isprintable() or not message_id.isascii()):
        raise Fault(faults.BAD_REQUEST, f"X-Road-Id: expected 1 to {LONGEST_ID} plain characters.")
    message.id = message_id or new_id()
    found = called(message.raw_path)
    client = last(headers, b"x-road-client")
    if client is None:
        raise Fault(faults.BAD_REQUEST, "Missing the required header X-Road-Client.")
    try:
        message.client = client_of(client)
    except BadRequest as error:
        raise Fault(faults.INVALID_CLIENT, error.message) from error
    for name, read in ((b"x-road-security-server", server_of), (b"x-road-represented-party", party_of)):
        value = last(headers, name)
        if value is not None:
            read(value)
    message.called = found
    return found


async def _send(send: Send, status: int, kind: str, body: bytes, headers: list[Header], message: Message) -> None:
    own: list[Header] = [(b"content-type", kind.encode()), (b"content-length", b"%d" % len(body)), NO_STORE]
    await send({"type": "http.response.start", "status": status, "headers": [*own, *headers]})
    await send({"type": "http.response.body", "body": b"" if message.scope["method"] == "HEAD" else body})


def _raw_path(scope: Scope) -> bytes:
    raw: bytes | None = scope.get("raw_path")
    return quote(scope["path"]).encode() if raw is None else raw.partition(b"?")[0]


def _plain(segment: str) -> str:
    """A segment with dots decoded, however often they were encoded."""
    before = ""
    while before != segment:
        before, segment = segment, segment.replace("%2e", ".").replace("%2E", ".").replace("%25", "%")
    return segment


def _resent(segment: str) -> str:
    """A segment as it was sent, with what a client may send unencoded."""
    return segment if segment.isascii() else quote(segment.encode("latin-1"), safe="%")
