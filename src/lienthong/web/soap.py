"""The X-Road door, SOAP 4.0: `POST /soap` (and `/`, where a security server sends it), `GET /wsdl`.

A dataset has three services, `<dataset>.lookUp`, `.list` and `.changes`; `listMethods`, `allowedMethods` and `getWsdl` tell of them.
Each is handed on to the platform's own API, and its JSON comes back as the elements of the dataset's WSDL.
"""

from __future__ import annotations

from collections.abc import Iterable
from email import policy
from email.parser import BytesParser
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

import msgspec
from lxml import etree

from lienthong.access import xroad_faults as faults
from lienthong.access.xroad import Header, Member, ServiceName, new_id, spelled
from lienthong.access.xroad_soap import (
    INSTANCE,
    LARGEST_ENVELOPE,
    PROTOCOL,
    XROAD,
    Envelope,
    Fault,
    printable,
    read_envelope,
    request_digest,
    write_answer,
    write_fault,
)
from lienthong.clock import vietnam_date
from lienthong.contracts import Contract
from lienthong.errors import NotFound
from lienthong.store.exchange_records import Message
from lienthong.web.recording import trace_of
from lienthong.web.xroad import quoted
from lienthong.web.xroad_gate import Answered, Gate, Inner, Receive, Scope, Send, last, log, read_body
from lienthong.web.xroad_monitoring import ATTACHMENT, HEALTH, asked_in, health_body, operational_body, told
from lienthong.web.xroad_monitoring import SERVICES as MONITORING
from lienthong.web.xroad_services import ENDPOINTS, Offered
from lienthong.web.xroad_shapes import method_list
from lienthong.web.xroad_wsdl import CHANGES, LIST, LOOK_UP, OPERATIONS, code, namespace, wsdl

PATHS = ("/soap", "/soap/")
WSDL_PATH = "/wsdl"
XML = b"text/xml; charset=utf-8"
ENVELOPES = ("text/xml", "application/soap+xml", "application/xop+xml")
MOST_PARAMETERS = 200
DOOR = "xroad-soap"
_OPERATION_OF = {ENDPOINTS[operation][1]: name for operation, name in zip(ENDPOINTS, OPERATIONS, strict=False)}


class SoapDoor:
    """Answers X-Road SOAP messages."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate

    @staticmethod
    def wants(scope: Scope) -> bool:
        path, method = scope["path"], scope["method"]
        if path == WSDL_PATH:
            return bool(method == "GET")
        return bool(method == "POST" and (path in PATHS or path == "/"))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            if scope["path"] == WSDL_PATH:
                await _send(send, 200, XML, self._wsdl(scope))
                return
            kind = last(scope["headers"], b"content-type") or ""
            kind, text = envelope_of(kind, await read_body(receive))
            request = read_envelope(text)
            status, kind, answer = await self._answer(scope, request, text)
            await _send(send, status, kind.encode(), answer)
        except Fault as error:
            await _send(send, 500, XML, self._fault(error))

    async def _answer(self, scope: Scope, request: Envelope, text: bytes) -> tuple[int, str, bytes]:
        gate = self._gate
        authorization = await gate.prove(scope, request.client)
        digest = request_digest(text)
        provider, service = request.service.provider, request.service.code
        if not gate.directory.is_here(provider):
            raise Fault(faults.UNKNOWN_MEMBER, f"Unknown service: {request.service.label}")
        if service in ("listMethods", "allowedMethods"):
            return 200, XML.decode(), write_answer(request, self._methods(request), digest)
        if service in MONITORING:
            return 200, *await self._monitoring(request, digest)
        if service == "getWsdl":
            return 200, *self._get_wsdl(request, digest)
        try:
            contract, operation = self._service(request.service, request.client)
        except Fault:
            await gate.note_unknown(request.client, ServiceName(provider, service.rpartition(".")[0]))
            raise
        inner = Inner(
            "GET",
            *_asked(contract, operation, request.body),
            _headers(scope, request, authorization),
            (DOOR, _record(request), trace_of(scope)),
        )
        answered = await gate.buffered(scope, inner)
        return 200, XML.decode(), write_answer(request, _given(contract, operation, answered, request), digest)

    def _service(self, name: ServiceName, client: Member | None) -> tuple[Contract, str]:
        dataset, _, operation = name.code.rpartition(".")
        contract = self._gate.directory.dataset(ServiceName(name.provider, dataset), client)
        if contract is None or operation not in OPERATIONS:
            raise Fault(faults.UNKNOWN_SERVICE, f"Unknown service: {name.label}")
        return contract, operation

    def _methods(self, request: Envelope) -> etree._Element:
        directory, services, provider = self._gate.directory, self._gate.services, request.service.provider
        if request.service.code == "listMethods":
            found: Iterable[Offered] = directory.methods(provider)
        else:
            found = directory.allowed(provider, request.client, services.register, vietnam_date(services.workshop.clock()))
        by_operation = (
            Offered(ServiceName(provider, f"{offered.name.code}.{_OPERATION_OF[path]}"), offered.title, ())
            for offered in found
            for method, path in offered.endpoints
            if method == "GET"
        )
        return method_list(_once(by_operation), f"{request.service.code}Response")

    def _get_wsdl(self, request: Envelope, digest: str) -> tuple[str, bytes]:
        """The description beside the envelope, as a MIME attachment (pr-meta §5)."""
        wanted = next((child.text or "" for child in request.body if etree.QName(child).localname == "serviceCode"), "").strip()
        if not wanted:
            raise Fault(faults.INVALID_REQUEST, 'Missing the required parameter "serviceCode"')
        contract = self._described(request.service.provider, wanted, request.client)
        body = etree.Element(f"{{{XROAD}}}getWsdlResponse")
        etree.SubElement(body, f"{{{XROAD}}}serviceCode").text = printable(wanted)
        kind = "text/xml; charset=utf-8"
        return _multipart(((kind, write_answer(request, body, digest), "part-0"), (kind, self._written(contract), "part-1")))

    async def _monitoring(self, request: Envelope, digest: str) -> tuple[str, bytes]:
        """Operational data are packed beside the envelope; health data are in it."""
        answer = await told(self._gate.services, request.client, request.service.code, asked_in(request.body))
        if request.service.code == HEALTH:
            return XML.decode(), write_answer(request, health_body(answer, request.service.provider), digest)
        body, packed = operational_body(answer)
        return _multipart(
            (("text/xml; charset=utf-8", write_answer(request, body, digest), "part-0"), ("application/gzip", packed, ATTACHMENT))
        )

    def _described(self, provider: Member, service: str, client: Member | None = None) -> Contract:
        """The dataset a service belongs to; its own id will do."""
        contract = self._gate.directory.dataset(ServiceName(provider, service), client)
        if contract is None:
            contract, _ = self._service(ServiceName(provider, service), client)
        return contract

    def _wsdl(self, scope: Scope) -> bytes:
        asked = dict(parse_qsl(scope["query_string"].decode("latin-1")))
        names = ("xRoadInstance", "memberClass", "memberCode", "subsystemCode")
        provider = Member(*(asked.get(name, "") for name in names))
        try:
            return self._written(self._described(provider, asked.get("serviceCode", "")))
        except Fault as error:
            raise NotFound(
                "There is no such service.",
                hint="listMethods tells of all.",
                hint_vi="listMethods cho biết mọi dịch vụ.",
                vi="Không có dịch vụ này.",
            ) from error

    def _written(self, contract: Contract) -> bytes:
        return wsdl(contract, f"{self._gate.services.settings.public_url}/soap")

    def _fault(self, error: Fault) -> bytes:
        detail = new_id()
        log.info("xroad_fault", fault=error.kind, detail=detail)
        kind = error.kind if error.kind in ("Client", "Server") else spelled(error.kind, self._gate.style)
        return write_fault(kind, error.message, detail)


def envelope_of(kind: str, body: bytes) -> tuple[str, bytes]:
    """(type, bytes) of the envelope in a request: the body itself, or the first part of `multipart/related`. Raises Fault."""
    plain = kind.partition(";")[0].strip().lower()
    if plain in ENVELOPES:
        return plain, body
    if plain != "multipart/related":
        raise Fault(faults.INVALID_CONTENT, f"Expected Content-Type text/xml or multipart/related, found `{printable(plain)[:60]}`.")
    message = BytesParser(policy=policy.HTTP).parsebytes(b"Content-Type: " + kind.encode("latin-1") + b"\r\n\r\n" + body)
    parts = message.get_payload() if message.is_multipart() else []
    first: Any = parts[0] if isinstance(parts, list) and parts else None
    if first is None or first.get_content_type() not in ENVELOPES:
        raise Fault(faults.INVALID_CONTENT, "The first part of the message is no SOAP envelope.")
    text = first.get_payload(decode=True)
    if not isinstance(text, bytes) or len(text) > LARGEST_ENVELOPE:
        raise Fault(faults.INVALID_SOAP, f"The envelope is larger than {LARGEST_ENVELOPE:,} bytes.")
    return plain, text


def _asked(contract: Contract, operation: str, body: etree._Element) -> tuple[str, bytes]:
    """(path, query) of our own API for the body of a request."""
    root = f"/v1/datasets/{contract.id}"
    own = namespace(contract)
    fields = [(etree.QName(child), child) for child in body if isinstance(child.tag, str)]
    allowed = {LOOK_UP: {"key"}, LIST: {"parameter"}, CHANGES: {"after", "limit"}}[operation]
    strange = [name.localname for name, _ in fields if name.namespace not in (own, None) or name.localname not in allowed]
    if strange or len(fields) > MOST_PARAMETERS:
        raise Fault("Client", f"`{contract.id}.{operation}` takes {', '.join(sorted(allowed))}.")
    if operation == LOOK_UP:
        keys = [(child.text or "").strip() for _, child in fields]
        if len(keys) != 1 or not keys[0]:
            raise Fault("Client", "Expected one key.")
        return f"{root}/records/{quote(keys[0], safe='')}", b""
    if operation == LIST:
        pairs = [(child.get("name", ""), child.text or "") for _, child in fields]
        return f"{root}/records", urlencode(pairs).encode()
    return f"{root}/changes", urlencode([(name.localname, child.text or "") for name, child in fields]).encode()


def _headers(scope: Scope, request: Envelope, authorization: str) -> list[Header]:
    purpose = last(scope["headers"], b"lienthong-purpose") or request.issue
    official = last(scope["headers"], b"lienthong-official") or request.user_id
    headers = [(b"authorization", authorization.encode("latin-1")), (b"accept", b"application/json")]
    return headers + [(n, quoted(text)) for n, text in ((b"lienthong-purpose", purpose), (b"lienthong-official", official)) if text]


def _record(request: Envelope) -> Message:
    return Message(request.id, new_id(), request.user_id, request.issue, *request.represented, PROTOCOL)


def _given(contract: Contract, operation: str, answered: Answered, request: Envelope) -> etree._Element:
    """The body of an answer. Raises Fault for what our own API refused."""
    if answered.status == 404 and operation == LOOK_UP:
        return etree.Element(_own(contract, f"{code(contract, LOOK_UP)}Response"), nsmap={"tns": namespace(contract)})
    found = msgspec.json.decode(answered.body) if answered.body else {}
    if answered.status != 200:
        raise _refused(answered.status, found, request)
    root = etree.Element(_own(contract, f"{code(contract, operation)}Response"), nsmap={"tns": namespace(contract), "xsi": INSTANCE})
    if operation == LOOK_UP:
        _row(root, contract, found)
        return root
    _leaf(root, contract, "version", found["version"])
    if operation == LIST:
        for record in found["records"]:
            _row(root, contract, record)
        _leaf(root, contract, "next", found["next"])
        return root
    for change in found["changes"]:
        node = etree.SubElement(root, _own(contract, "change"))
        for name, key in (("cursor", "cursor"), ("op", "op"), ("key", "key"), ("version", "version"), ("knownAt", "known_at")):
            _leaf(node, contract, name, change[key])
        if change["record"] is not None:
            _row(node, contract, change["record"])
    _leaf(root, contract, "next", found["next"])
    _leaf(root, contract, "more", found["more"])
    return root


def _row(parent: etree._Element, contract: Contract, record: dict[str, Any]) -> None:
    node = etree.SubElement(parent, _own(contract, "record"))
    for name, key in (("key", "key"), ("version", "version"), ("validFrom", "valid_from")):
        _leaf(node, contract, name, record[key])
    values = etree.SubElement(node, _own(contract, "values"))
    for p in contract.properties:
        if p.name in record["values"]:
            value = record["values"][p.name]
            if value is None:
                etree.SubElement(values, _own(contract, p.name)).set(f"{{{INSTANCE}}}nil", "true")
            else:
                _leaf(values, contract, p.name, value)
    for name, key in (("withheld", "withheld"), ("notDelivered", "not_delivered")):
        for text in record[key]:
            _leaf(node, contract, name, text)


def _leaf(parent: etree._Element, contract: Contract, name: str, value: Any) -> None:
    if value is not None:
        text = str(value).lower() if isinstance(value, bool) else str(value)
        etree.SubElement(parent, _own(contract, name)).text = printable(text)


def _own(contract: Contract, name: str) -> str:
    return f"{{{namespace(contract)}}}{name}"


def _refused(status: int, problem: dict[str, Any], request: Envelope) -> Fault:
    words = f"{problem.get('detail', '')} · {problem.get('detail_en', '')}"
    if status in (401, 403):
        rule = problem.get("rule") or problem.get("code") or "denied"
        return Fault(faults.ACCESS_DENIED, f"Request is not allowed: {request.service.label} ({rule}): {words}", rule=rule)
    return Fault("Client" if 400 <= status < 500 and status != 429 else "Server", words)


def _once(found: Iterable[Offered]) -> list[Offered]:
    return list({offered.name.code: offered for offered in found}.values())


def _multipart(parts: Iterable[tuple[str, bytes, str]]) -> tuple[str, bytes]:
    """(content type, body) of parts: each its type, its bytes, its id."""
    boundary = f"lienthong-{new_id()}"
    text = b"".join(
        f"--{boundary}\r\nContent-Type: {kind}\r\nContent-Transfer-Encoding: binary\r\nContent-ID: <{name}>\r\n\r\n".encode()
        + body
        + b"\r\n"
        for kind, body, name in parts
    )
    return f'multipart/related; type="text/xml"; start="<part-0>"; boundary="{boundary}"', text + f"--{boundary}--\r\n".encode()


async def _send(send: Send, status: int, kind: bytes, body: bytes) -> None:
    headers = [(b"content-type", kind), (b"content-length", b"%d" % len(body)), (b"cache-control", b"no-store")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
