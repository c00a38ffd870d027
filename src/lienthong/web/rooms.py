"""`/v1/rooms/{agency}/{application}/…`: rooms of events, under the addresses of GovStack's publish/subscribe interface.

`api/v1/eventType[/{t}]` (the room's own subsystem), `pub/v1/{t}[/{id}]` (publishers), `api/v1/subs[/{t}]` and `pull/v1/{t}[/{id}]` (subscribers).
The GovStack facade hands its own addresses on to these.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from lienthong.access import ANONYMOUS, AccessRequest, Decision, Operation, decide_call
from lienthong.clock import vietnam_date
from lienthong.errors import NotFound, RequestError
from lienthong.ledger import Entry, Event, encode
from lienthong.sharing import rooms
from lienthong.sharing.exchanges import ASKED, Asked
from lienthong.sharing.rooms import Room, Visitor
from lienthong.sharing.subscribing import Clerk
from lienthong.sharing.way_out import Callee, denial_of
from lienthong.web.asking import PRIVATE
from lienthong.web.bodies import read_json
from lienthong.web.headers import OFFICIAL, PURPOSE, header_text
from lienthong.web.services import Services

ROOT = "/v1/rooms/{agency}/{application}"
_ENCODE = msgspec.json.Encoder().encode


@dataclass(frozen=True)
class Visit:
    """One request in a room. `body` is read only where there is one."""

    clerk: Clerk
    room: Room
    visitor: Visitor
    type: str
    id: str
    body: Any = None


Act = Callable[[Visit], Response]


class Rooms:
    """The handlers, over one clerk."""

    def __init__(self, services: Services, clerk: Clerk, address: Callable[[Request], str]) -> None:
        self._services = services
        self._clerk = clerk
        self._address = address

    def routes(self) -> list[Route]:
        found: dict[str, dict[str, tuple[Act, bool]]] = {
            "/api/v1/eventType": {"POST": (_make_type, True), "GET": (_types, False)},
            "/api/v1/eventType/{type}": {"GET": (_type, False), "DELETE": (_end_type, True)},
            "/pub/v1/{type}": {"POST": (_publish, False)},
            "/pub/v1/{type}/{id}": {"GET": (_status, False), "DELETE": (_stop, False)},
            "/api/v1/subs": {"GET": (_subscriptions, False)},
            "/api/v1/subs/{type}": {"GET": (_subscription, False), "POST": (_subscribe, False), "PATCH": (_change, False), "DELETE": (_leave, False)},
            "/pull/v1/{type}": {"GET": (_pull, False)},
            "/pull/v1/{type}/{id}": {"DELETE": (_acknowledge, False)},
        }  # fmt: skip
        return [Route(ROOT + path, partial(self._answer, acts), methods=list(acts)) for path, acts in found.items()]

    async def _answer(self, acts: dict[str, tuple[Act, bool]], request: Request) -> Response:
        act, is_managers = acts["GET" if request.method == "HEAD" else request.method]
        room = Room(request.path_params["agency"], request.path_params["application"])
        visitor = await self._admit(request, room, is_managers=is_managers)
        body = await read_json(request, rooms.LARGEST_BODY) if request.method in ("POST", "PATCH") else None
        visit = Visit(self._clerk, room, visitor, request.path_params.get("type", ""), request.path_params.get("id", ""), body)
        return await run_in_threadpool(act, visit)

    async def _admit(self, request: Request, room: Room, *, is_managers: bool) -> Visitor:
        """Who comes in. Raises Unauthenticated, Denied, QuotaExceeded, BadRequest, NotFound; a refusal is in the ledger first."""
        services, now = self._services, self._services.workshop.clock()
        inside = request.url.path.split("/", 5)[5]
        asked = Asked(room.service, room.agency, f"{request.method} /{inside.split('/')[0]}", ANONYMOUS, "", "")
        visitor = Visitor(ANONYMOUS, "", "")
        try:
            purpose, official = (header_text(name, request.headers.get(name, "").encode("latin-1")) for name in (PURPOSE, OFFICIAL))
            caller = services.tokens.subsystem_of(request.headers.get("authorization"), request.scope)
            visitor = Visitor(caller or ANONYMOUS, official, purpose)
            if caller is not None and room.identifier not in services.register.subsystems:
                raise NotFound("There is no such room.", vi="Không có phòng sự kiện này.")
            request.scope[ASKED] = asked
            if is_managers and caller is not None:
                rooms.check_manager(room, caller)
            decision = self._decided(request, room, visitor, f"/{inside}")
            asked.agreement = decision.agreement
            await services.quotas.take(decision.agreement or f"room {visitor.caller}", decision.quota, vietnam_date(now))
        except RequestError as error:
            asked.rule = str(error.facts.get("rule", error.code))
            entry = Entry(
                now, Event.REQUEST_DENIED, visitor.caller, visitor.official, visitor.purpose, dataset=room.service, outcome=asked.rule,
                details={"operation": Operation.CALL.value},
            )  # fmt: skip
            await services.ledger.append(encode(entry))
            raise
        finally:
            asked.caller, asked.official, asked.purpose = visitor.caller, visitor.official, visitor.purpose
        return Visitor(visitor.caller, official, purpose, decision.agreement, decision.legal_basis)

    def _decided(self, request: Request, room: Room, visitor: Visitor, path: str) -> Decision:
        services, now = self._services, self._services.workshop.clock()
        if visitor.caller == room.identifier:
            return Decision(allowed=True, legal_basis="owner")
        caller = None if visitor.caller == ANONYMOUS else visitor.caller
        asked = AccessRequest(caller, room.service, Operation.CALL, visitor.purpose, visitor.official, self._address(request), now)
        today = vietnam_date(now)
        verb = "GET" if request.method == "HEAD" else request.method
        decision = decide_call(asked, room.agency, verb, path, services.register, today)
        if not decision.allowed:
            raise denial_of(decision, asked, _callee(room, path), today, services.rules.offer)
        return decision


def _callee(room: Room, path: str) -> Callee:
    """What a request for a room would name: what was asked for, down to the type of event."""
    root = "/".join(path.split("/")[: 4 if path.startswith("/pu") else 5])
    return Callee(room.service, room.agency, f"Phòng sự kiện {room.identifier}", (f"* {root}", f"* {root}/**"))


def _make_type(visit: Visit) -> Response:
    rooms.make_type(visit.clerk, visit.room, visit.visitor, visit.body)
    return _json({"eventType": visit.body["eventType"]})


def _types(visit: Visit) -> Response:
    found = rooms.types(visit.clerk, visit.room)
    return _json(found) if found else _nothing()


def _type(visit: Visit) -> Response:
    schema = rooms.schema_of(visit.clerk, visit.room, visit.type)
    return _nothing() if schema is None else _json({"eventType": visit.type, "schema": schema})


def _end_type(visit: Visit) -> Response:
    rooms.end_type(visit.clerk, visit.room, visit.visitor, visit.type)
    return _nothing()


def _publish(visit: Visit) -> Response:
    return _json({"id": rooms.publish(visit.clerk, visit.room, visit.visitor, visit.type, visit.body)}, 201)


def _status(visit: Visit) -> Response:
    return _json(rooms.status(visit.clerk, visit.room, visit.visitor, visit.type, visit.id))


def _stop(visit: Visit) -> Response:
    rooms.stop(visit.clerk, visit.room, visit.visitor, visit.type, visit.id)
    return _nothing()


def _subscriptions(visit: Visit) -> Response:
    return _json(rooms.subscriptions(visit.clerk, visit.room, visit.visitor))


def _subscription(visit: Visit) -> Response:
    return _json(rooms.subscriptions(visit.clerk, visit.room, visit.visitor, visit.type)[0])


def _subscribe(visit: Visit) -> Response:
    return _json(rooms.subscribe(visit.clerk, visit.room, visit.visitor, visit.type, visit.body))


def _change(visit: Visit) -> Response:
    return _json(rooms.change(visit.clerk, visit.room, visit.visitor, visit.type, visit.body), 201)


def _leave(visit: Visit) -> Response:
    rooms.leave(visit.clerk, visit.room, visit.visitor, visit.type)
    return _nothing()


def _pull(visit: Visit) -> Response:
    return _json(rooms.pull(visit.clerk, visit.room, visit.visitor, visit.type))


def _acknowledge(visit: Visit) -> Response:
    rooms.acknowledge(visit.clerk, visit.room, visit.visitor, visit.type, visit.id)
    return _nothing()


def _nothing() -> Response:
    return Response(status_code=204, headers=PRIVATE)


def _json(value: Any, status: int = 200) -> Response:
    return Response(_ENCODE(value), status, media_type="application/json", headers=PRIVATE)
