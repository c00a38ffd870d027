"""The facade after GovStack's Information Mediator: the same services in its own representation, below `/govstack`.

`/govstack/listClients`, `/govstack/{instance}/{class}/{member}/{application}/listMethods|allowedMethods|getOpenAPI`, and data requests under
`/govstack/r1/{instance}/{class}/{member}/{application}/{service}/{path}`, which answer as our own API does (a refusal is a 403 here). Rooms of
events are an application's `api/v1/eventType`, `pub/v1`, `api/v1/subs`, `pull/v1`. `/r1/…` itself is answered so to who names itself as GovStack does.
Who calls is named by `X-GovStack-Client` or `Information-Mediator-Client`, and proved as at the X-Road door.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import parse_qsl

import msgspec

from lienthong.access import xroad_faults as faults
from lienthong.access.xroad import Called, Member, ServiceName, called, client_of, new_id, retained
from lienthong.access.xroad_soap import Fault
from lienthong.clock import vietnam_date
from lienthong.errors import BadRequest, Denied, NotFound, RequestError, Unauthenticated
from lienthong.store.exchange_records import Message
from lienthong.web.hot import problem_answer
from lienthong.web.recording import trace_of
from lienthong.web.xroad import inner_headers, inner_path
from lienthong.web.xroad_gate import Gate, Inner, Receive, Scope, Send, last, read_body, replay
from lienthong.web.xroad_services import Offered

PREFIX = b"/govstack/"
DOOR = "govstack"
CLIENT_HEADERS = (b"x-govstack-client", b"information-mediator-client")
OURS = ("VN", "GOV")
ROOM_PARTS = ("api", "pub", "pull")
DIRECTORY = ("listMethods", "allowedMethods", "getOpenAPI")
TYPE = b"application/json; charset=utf-8"
_NO_DIGIT_FIRST = re.compile(r"[A-Za-z][A-Za-z0-9._-]*")  # instance and class
_NO_LINE_FIRST = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")  # member, application, service


class GovStackDoor:
    """Answers in GovStack's representation."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate

    @staticmethod
    def wants(scope: Scope) -> bool:
        if scope["path"].startswith("/r1/"):
            return last(scope["headers"], CLIENT_HEADERS[0]) is not None and last(scope["headers"], b"x-road-client") is None
        return bool(scope["path"].startswith(PREFIX.decode()))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        raw = scope.get("raw_path") or scope["path"].encode()
        path = raw.partition(b"?")[0].decode("latin-1").removeprefix(PREFIX.decode()).removeprefix("/")
        try:
            if path.startswith("r1/"):
                await self._request(scope, receive, send, f"/{path}")
            else:
                await _send(
                    send, 200, self._directory(scope, path) if not path.endswith("/allowedMethods") else await self._allowed(scope, path)
                )
        except RequestError as error:
            await _problem(send, error)
        except Fault as error:
            await _problem(send, _as_problem(error))

    async def _request(self, scope: Scope, receive: Receive, send: Send, path: str) -> None:
        found, headers = called(path), retained(scope["headers"])
        client = _client(scope)
        authorization = await self._gate.prove(scope, client)
        body = await read_body(receive)
        message = Message(last(headers, b"x-govstack-id") or new_id(), new_id())
        carried = (DOOR, message, trace_of(scope))
        kept = [(name, value) for name, value in inner_headers(headers, authorization) if name.lower() not in CLIENT_HEADERS]
        inner = Inner(scope["method"], await self._place(found, client), scope["query_string"], kept, carried)
        await self._gate.hand_on(scope, inner, replay(body, receive), send)

    async def _place(self, found: Called, client: Member) -> str:
        directory = self._gate.directory
        contract = directory.dataset(found.service, client)
        if contract is not None:
            return f"/v1/datasets/{contract.id}{inner_path(found.rest)}"
        if directory.brokered(found.service) is not None:
            return f"/v1/services/{found.service.code}{found.rest or '/'}"
        identity = found.service.provider.identity
        if found.service.code in ROOM_PARTS and identity is not None and (identity.instance, identity.member_class) == OURS:
            return f"/v1/rooms/{identity.agency}/{identity.subsystem}/{found.service.code}{found.rest}"
        await self._gate.note_unknown(client, found.service)
        raise NotFound(
            "There is no such service.",
            hint="listMethods tells of all.",
            hint_vi="listMethods cho biết mọi dịch vụ.",
            vi="Không có dịch vụ này.",
        )

    def _directory(self, scope: Scope, path: str) -> Any:
        if scope["method"] != "GET":
            raise BadRequest("The directory is read with GET.", vi="Danh bạ chỉ đọc bằng GET.")
        directory, services = self._gate.directory, self._gate.services
        if path == "listClients":
            return {"member": [_member(client) for client, _ in directory.clients(services.register)]}
        provider, call = _provider(path)
        if call == "listMethods":
            return {"member": [_method(offered) for offered in directory.methods(provider)]}
        asked = dict(parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True))
        code = _checked("serviceCode", asked.get("serviceCode", ""), _NO_LINE_FIRST)
        name = ServiceName(provider, code)
        contract, brokered = directory.dataset(name), directory.brokered(name)
        document = directory.openapi(contract) if contract is not None else directory.described(brokered) if brokered is not None else None
        if document is None:
            raise NotFound("There is no such service, or it has no OpenAPI document.", vi="Không có dịch vụ hoặc mô tả này.")
        return msgspec.json.encode(document).decode()  # the document as a JSON string, as the mediator's own interface has it

    async def _allowed(self, scope: Scope, path: str) -> Any:
        provider, _ = _provider(path)
        client = _client(scope)
        await self._gate.prove(scope, client)
        services = self._gate.services
        today = vietnam_date(services.workshop.clock())
        found: Iterable[Offered] = self._gate.directory.allowed(provider, client, services.register, today)
        return {"member": [_method(offered) for offered in found]}


def _provider(path: str) -> tuple[Member, str]:
    """(provider, call) of a directory's address. Raises BadRequest for an identifier that is none, NotFound for another address."""
    parts = path.split("/")
    if len(parts) != 5 or parts[4] not in DIRECTORY:
        raise NotFound("There is no such address.", vi="Không có địa chỉ này.")
    rules = (_NO_DIGIT_FIRST, _NO_DIGIT_FIRST, _NO_LINE_FIRST, _NO_LINE_FIRST)
    names = ("GovStackInstance", "memberClass", "memberCode", "applicationCode")
    return Member(*(_checked(name, text, rule) for name, text, rule in zip(names, parts, rules, strict=False))), parts[4]


def _checked(name: str, text: str, rule: re.Pattern[str]) -> str:
    if not rule.fullmatch(text):
        raise BadRequest(f"`{name}` is no identifier.", vi=f"`{name}` không phải là định danh.")
    return text


def _client(scope: Scope) -> Member:
    named = [value for value in (last(scope["headers"], name) for name in CLIENT_HEADERS) if value is not None]
    if not named or len(set(named)) != 1:
        raise BadRequest("Expected one client in X-GovStack-Client or Information-Mediator-Client.", vi="Thiếu tiêu đề X-GovStack-Client.")
    return client_of(named[0])


def _member(client: Member) -> dict[str, Any]:
    named = {
        "objectType": {"object_type": "SUBSYSTEM" if client.subsystem else "MEMBER"},
        "GovStackInstance": client.instance,
        "memberClass": client.member_class,
        "memberCode": client.member,
    }
    return {**named, "applicationCode": client.subsystem} if client.subsystem else named


def _method(offered: Offered) -> dict[str, Any]:
    endpoints = [{"method": method, "path": path} for method, path in offered.endpoints]
    return {
        **_member(offered.name.provider),
        "objectType": {"object_type": "SERVICE"},
        "serviceType": offered.kind,
        "serviceCode": offered.name.code,
        "endpointList": {"member": endpoints},
    }


def _as_problem(error: Fault) -> RequestError:
    if error.kind == faults.NOT_AUTHENTICATED:
        return Unauthenticated(error.message, rule="no_identity")
    if error.kind == faults.ACCESS_DENIED:
        return Denied(error.message, rule="no_agreement")
    return BadRequest(error.message)


async def _problem(send: Send, error: RequestError) -> None:
    answer = problem_answer(error)
    await send({"type": "http.response.start", "status": answer.status, "headers": answer.headers})
    await send({"type": "http.response.body", "body": answer.body})


async def _send(send: Send, status: int, value: Any) -> None:
    body = msgspec.json.encode(value)
    headers = [(b"content-type", TYPE), (b"content-length", b"%d" % len(body)), (b"cache-control", b"no-store")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
