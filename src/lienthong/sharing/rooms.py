"""Rooms of events after GovStack's publish/subscribe interface: what is asked of a room, judged and done, each act with its entry.

A room is a subsystem of an agency; it alone says which types of events it has and what they look like. Who publishes or subscribes needs an
agreement with the room's agency about the service `room.<agency>.<application>`, whose endpoints name what may be done: `POST /pub/v1/birth`,
`* /api/v1/subs/birth`, `* /pull/v1/birth/**`. Delivery is at least once; a subscriber has what was published after it came.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID, uuid4

import jsonschema_rs
import msgspec

from lienthong.connectors.outward import check_url
from lienthong.errors import BadRequest, Conflict, Denied, NotFound
from lienthong.ledger import Entry, Event
from lienthong.sharing.filters import shown
from lienthong.sharing.signing import SHARED, new_secret
from lienthong.sharing.subscribing import Clerk
from lienthong.store import Connection, append_entries
from lienthong.store import rooms as store
from lienthong.store.rooms import RoomEvent, RoomSubscription

LARGEST_BODY = 262_144
MOST_TYPES = 200
MOST_FAULTS = 10
TTL, LONGEST_TTL = 3_600, 30 * 86_400
WORKED_ON = timedelta(seconds=30)  # out of strict order, how long an event that was pulled is not given to another
PUSH, PULL = "PUSH", "PULL"
SECRET = "room secret {}"  # noqa: S105 # what it is sealed for, not a secret
_TYPE = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,99}")
_ENCODE = msgspec.json.Encoder().encode


@dataclass(frozen=True)
class Room:
    """A room: its agency's code and the application's, as X-Road names a subsystem."""

    agency: str
    application: str

    @property
    def name(self) -> str:
        return f"{self.agency}/{self.application}"

    @property
    def identifier(self) -> str:
        return f"VN/GOV/{self.name}"

    @property
    def service(self) -> str:
        """What agreements call it."""
        return f"room.{self.agency.lower().replace('.', '-')}.{self.application.lower()}"


@dataclass(frozen=True)
class Visitor:
    """Who acts in a room, under which agreement."""

    caller: str
    official: str
    purpose: str
    agreement: str = ""
    legal_basis: str = ""


def make_type(clerk: Clerk, room: Room, visitor: Visitor, document: Any) -> None:
    """Make a type of events. Raises BadRequest for what is no schema, Conflict when there is one."""
    found = _object(document, {"eventType", "schema"})
    type, schema = _type(found.get("eventType")), found.get("schema")
    if not isinstance(schema, dict):
        raise BadRequest("`schema`: expected a JSON Schema as an object.", vi="`schema`: cần một JSON Schema.")
    _validator(schema)
    at = clerk.clock()
    with clerk.database.connect() as connection:
        if len(store.types(connection, room.name)) >= MOST_TYPES:
            raise BadRequest(f"A room has at most {MOST_TYPES} types.", vi=f"Mỗi phòng có nhiều nhất {MOST_TYPES} loại sự kiện.")
        if not store.put_type(connection, room.name, type, schema, at):
            raise Conflict(f"There is an event type `{type}`.", vi=f"Đã có loại sự kiện `{type}`.")
        _enter(connection, clerk, Event.ROOM_TYPE_MADE, room, visitor, at, {"type": type})


def types(clerk: Clerk, room: Room) -> list[str]:
    """The types of a room."""
    with clerk.database.connect() as connection:
        return store.types(connection, room.name)


def schema_of(clerk: Clerk, room: Room, type: str) -> Mapping[str, Any] | None:
    """What events of a type look like; None: there is no such type."""
    with clerk.database.connect() as connection:
        return store.schema_of(connection, room.name, type)


def end_type(clerk: Clerk, room: Room, visitor: Visitor, type: str) -> None:
    """Take a type away; what was published of it goes on being delivered. Raises NotFound."""
    at = clerk.clock()
    with clerk.database.connect() as connection:
        if not store.end_type(connection, room.name, type, at):
            raise _no_type(type)
        _enter(connection, clerk, Event.ROOM_TYPE_ENDED, room, visitor, at, {"type": type})


def publish(clerk: Clerk, room: Room, visitor: Visitor, type: str, document: Any) -> UUID:
    """Publish an event to all who subscribe now. Raises BadRequest naming what breaks the schema (never a value), NotFound for an unknown type."""
    found = _object(document, {"eventType", "event"})
    if found.get("eventType") != type:
        raise BadRequest("`eventType` differs from the address.", vi="`eventType` khác với địa chỉ.")
    event, at = uuid4(), clerk.clock()
    with clerk.database.connect() as connection:
        schema = store.schema_of(connection, room.name, type)
        if schema is None:
            raise _no_type(type)
        faults = [_place(fault) for fault, _ in zip(_validator(schema).iter_errors(found.get("event")), range(MOST_FAULTS), strict=False)]
        if faults:
            raise BadRequest(
                f"The event breaks the schema at {'; '.join(faults)}.", vi=f"Sự kiện không đúng lược đồ ở {'; '.join(faults)}."
            )
        subscribers = store.publish(connection, event, room.name, type, visitor.caller, found["event"], at)
        details = {"type": type, "room_event": str(event), "subscribers": subscribers}
        _enter(connection, clerk, Event.ROOM_PUBLISHED, room, visitor, at, details, found["event"])
    return event


def status(clerk: Clerk, room: Room, visitor: Visitor, type: str, id: str) -> dict[str, Any]:
    """An event's publication as its publisher sees it: without its body, with how far it has come."""
    with clerk.database.connect() as connection:
        found = _published(connection, room, visitor, type, id)
        told = [
            {"subscriberId": party(s.subscriber), "state": s.state, "attempts": s.attempts, "status": s.status, "since": s.since}
            for s in store.standing(connection, found.event)
        ]
    return {**_item(found), "stoppedAt": found.stopped_at, "deliveries": told}


def stop(clerk: Clerk, room: Room, visitor: Visitor, type: str, id: str) -> None:
    """Stop an event: who has not got it does not get it. Raises NotFound, also for one that was stopped."""
    at = clerk.clock()
    with clerk.database.connect() as connection:
        found = _published(connection, room, visitor, type, id)
        if not store.stop_event(connection, room.name, type, found.event, at):
            raise _no_event()
        _enter(connection, clerk, Event.ROOM_STOPPED, room, visitor, at, {"type": type, "room_event": str(found.event)})


def subscribe(clerk: Clerk, room: Room, visitor: Visitor, type: str, document: Any) -> dict[str, Any]:
    """Subscribe to a type. Of a PUSH subscription the answer holds its secret, this once. Raises BadRequest, NotFound, Conflict."""
    new = _wish(clerk, RoomSubscription(uuid4(), room.name, type, visitor.caller, visitor.official, visitor.purpose, PUSH), document)
    new, secret = _with_secret(clerk, new)
    at = clerk.clock()
    with clerk.database.connect() as connection:
        if store.schema_of(connection, room.name, type) is None:
            raise _no_type(type)
        if not store.subscribe(connection, new, at):
            raise Conflict(
                "There is such a subscription.",
                hint="PATCH changes it.",
                vi="Đã có đăng ký này.",
                hint_vi="Dùng PATCH để thay đổi đăng ký đó.",
            )
        _enter(connection, clerk, Event.ROOM_SUBSCRIBED, room, visitor, at, _how(new))
    return subscription_item(new) | secret


def change(clerk: Clerk, room: Room, visitor: Visitor, type: str, document: Any) -> dict[str, Any]:
    """Change how a subscription is delivered. Raises BadRequest, NotFound."""
    at = clerk.clock()
    with clerk.database.connect() as connection:
        changed, secret = _with_secret(clerk, _wish(clerk, _mine(connection, room, visitor, type), document))
        store.change_subscription(connection, changed)
        _enter(connection, clerk, Event.ROOM_CHANGED, room, visitor, at, _how(changed))
    return subscription_item(changed) | secret


def leave(clerk: Clerk, room: Room, visitor: Visitor, type: str) -> None:
    """End a subscription; what waits for it is let go. Raises NotFound."""
    at = clerk.clock()
    with clerk.database.connect() as connection:
        found = _mine(connection, room, visitor, type)
        store.end_subscription(connection, found.subscription, at)
        _enter(connection, clerk, Event.ROOM_LEFT, room, visitor, at, {"type": type})


def subscriptions(clerk: Clerk, room: Room, visitor: Visitor, type: str | None = None) -> list[dict[str, Any]]:
    """The visitor's own subscriptions. Raises NotFound when there is none."""
    with clerk.database.connect() as connection:
        found = store.subscriptions(connection, room.name, visitor.caller, type)
    if not found:
        raise _no_subscription()
    return [subscription_item(each) for each in found]


def pull(clerk: Clerk, room: Room, visitor: Visitor, type: str) -> dict[str, Any]:
    """The next event that was not acknowledged; its entry is committed before it leaves. Raises NotFound when there is none, BadRequest for PUSH."""
    at = clerk.clock()
    with clerk.database.connect() as connection:
        found = _pulled(connection, room, visitor, type)
        event = store.pull(connection, found, at, at + WORKED_ON)
        if event is None:
            raise NotFound("No event waits.", vi="Không có sự kiện nào đang chờ.")
        _enter(connection, clerk, Event.ROOM_GIVEN, room, visitor, at, {"type": type, "room_event": str(event.event)}, event.body)
    return {**_item(event), "event": event.body}


def acknowledge(clerk: Clerk, room: Room, visitor: Visitor, type: str, id: str) -> None:
    """Say that an event has arrived: it is not given again. Raises NotFound when it does not wait."""
    with clerk.database.connect() as connection:
        found = _pulled(connection, room, visitor, type)
        if not store.acknowledge(connection, _uuid(id), found.subscription, clerk.clock()):
            raise _no_event()


def check_manager(room: Room, caller: str) -> None:
    """Only the room itself says what it holds. Raises Denied."""
    if caller != room.identifier:
        raise Denied(
            "Only the room's own subsystem may do this.", vi="Chỉ hệ thống của chính phòng này được làm việc này.", rule="not_the_owner"
        )


def party(identifier: str) -> dict[str, str]:
    """A subsystem as GovStack writes it."""
    return dict(zip(("instanceId", "memberClass", "memberCode", "applicationCode"), identifier.split("/"), strict=False))


def subscription_item(found: RoomSubscription) -> dict[str, Any]:
    """A subscription as GovStack writes it; `options.url` is ours: where pushes go."""
    options: dict[str, Any] = {"TTL": found.ttl, "FIFO": found.fifo} | ({"url": found.url} if found.url else {})
    return {
        "id": found.subscription, "subscriberId": party(found.subscriber), "eventType": found.type, "delivery": found.delivery, "options": options,
    }  # fmt: skip


def push_body(push: store.Due) -> bytes:
    """What is sent to a subscriber."""
    event = RoomEvent(push.event, push.sequence, push.room, push.type, push.publisher, push.body, push.at, None)
    return _ENCODE({**_item(event), "event": push.body})


def sent_entry(push: store.Due, room: Room, agreement: str, legal_basis: str, at: datetime) -> Entry:
    """The entry of a push that is about to leave."""
    return Entry(
        at, Event.ROOM_SENT, push.subscriber, push.official, push.purpose, legal_basis, agreement, room.service,
        answer_digest=sha256(push_body(push)).hexdigest(), outcome="sent",
        details={"type": push.type, "room_event": str(push.event), "attempt": push.attempts + 1},
    )  # fmt: skip


def _item(event: RoomEvent) -> dict[str, Any]:
    return {
        "id": event.event, "sequence": event.sequence, "publisherId": party(event.publisher), "eventType": event.type, "publishedAt": event.at,
    }  # fmt: skip


def _wish(clerk: Clerk, before: RoomSubscription, document: Any) -> RoomSubscription:
    found = _object(document, {"id", "subscriberId", "eventType", "delivery", "options"})
    if found.get("eventType", before.type) != before.type:
        raise BadRequest("`eventType` differs from the address.", vi="`eventType` khác với địa chỉ.")
    delivery = found.get("delivery", before.delivery)
    if delivery not in (PUSH, PULL):
        raise BadRequest("`delivery`: expected PUSH or PULL.", vi="`delivery`: cần PUSH hoặc PULL.")
    options = _object(found.get("options", {}), {"TTL", "FIFO", "url"})
    ttl, fifo, url = options.get("TTL", before.ttl), options.get("FIFO", before.fifo), options.get("url", before.url)
    if not isinstance(ttl, int) or isinstance(ttl, bool) or not 1 <= ttl <= LONGEST_TTL:
        raise BadRequest(f"`options.TTL`: expected seconds, 1 to {LONGEST_TTL}.", vi=f"`options.TTL`: cần số giây từ 1 đến {LONGEST_TTL}.")
    if not isinstance(fifo, bool):
        raise BadRequest("`options.FIFO`: expected true or false.", vi="`options.FIFO`: cần true hoặc false.")
    if delivery == PULL:
        return replace(before, delivery=PULL, ttl=ttl, fifo=fifo, url="", sealed=None)
    if not isinstance(url, str) or not url:
        raise BadRequest("`options.url`: expected where pushes go.", vi="`options.url`: cần địa chỉ nhận sự kiện.")
    if url != before.url:
        check_url(url, clerk.networks)
    return replace(before, delivery=PUSH, ttl=ttl, fifo=fifo, url=url)


def _with_secret(clerk: Clerk, wanted: RoomSubscription) -> tuple[RoomSubscription, dict[str, str]]:
    """A PUSH subscription that has no secret yet gets one; it is shown this once."""
    if wanted.delivery == PULL or wanted.sealed is not None:
        return wanted, {}
    made = new_secret(SHARED)
    sealed = clerk.sealer.seal(made.private, SECRET.format(wanted.subscription))
    return replace(wanted, sealed=sealed), {"secret": made.shown}


def _mine(connection: Connection, room: Room, visitor: Visitor, type: str) -> RoomSubscription:
    found = store.subscriptions(connection, room.name, visitor.caller, type)
    if not found:
        raise _no_subscription()
    return found[0]


def _pulled(connection: Connection, room: Room, visitor: Visitor, type: str) -> RoomSubscription:
    found = _mine(connection, room, visitor, type)
    if found.delivery != PULL:
        raise Conflict(
            "This subscription is pushed.",
            hint="PATCH it to PULL.",
            vi="Đăng ký này nhận theo cách PUSH.",
            hint_vi="Dùng PATCH để chuyển sang PULL.",
        )
    return found


def _published(connection: Connection, room: Room, visitor: Visitor, type: str, id: str) -> RoomEvent:
    """An event of the visitor's own; to the room itself, any."""
    found = store.event_of(connection, room.name, type, _uuid(id))
    if found is None or visitor.caller not in (found.publisher, room.identifier):
        raise _no_event()
    return found


def _how(found: RoomSubscription) -> dict[str, Any]:
    return {"type": found.type, "delivery": found.delivery, "ttl": found.ttl, "fifo": found.fifo}


def _enter(
    connection: Connection, clerk: Clerk, event: Event, room: Room, visitor: Visitor, at: datetime, details: Mapping[str, Any], body: Any = None
) -> None:  # fmt: skip
    entry = Entry(
        at, event, visitor.caller, visitor.official, visitor.purpose, visitor.legal_basis, visitor.agreement, room.service,
        answer_digest="" if body is None else sha256(_ENCODE(body)).hexdigest(), outcome="done", details=dict(details),
    )  # fmt: skip
    append_entries(connection, [entry], clerk.signer)


def _validator(schema: Mapping[str, Any]) -> Any:
    """Raises BadRequest for what is no JSON Schema, or leads outside itself."""
    try:
        return jsonschema_rs.validator_for(dict(schema), offline=True, pattern_options=jsonschema_rs.RegexOptions())
    except (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError, ValueError) as error:
        raise BadRequest("`schema` is no JSON Schema that stands by itself.", vi="`schema` không phải JSON Schema độc lập.") from error


def _place(fault: Any) -> str:
    """Where a value breaks which rule; the value itself is not told."""
    path = "/".join(str(step) for step in fault.instance_path) or "the event"
    return f"{shown(path)}: {'/'.join(str(step) for step in fault.schema_path) or 'schema'}"


def _type(name: Any) -> str:
    if not isinstance(name, str) or not _TYPE.fullmatch(name):
        raise BadRequest("`eventType`: expected a letter, then letters, digits, `_`, `-`.", vi="`eventType`: cần chữ cái, số, `_`, `-`.")
    return name


def _object(document: Any, names: set[str]) -> dict[str, Any]:
    if not isinstance(document, dict):
        raise BadRequest("Expected an object.", vi="Cần một đối tượng JSON.")
    for name in document:
        if name not in names:
            raise BadRequest(f"`{shown(str(name))}` is not understood.", vi=f"Không hiểu `{shown(str(name))}`.")
    return document


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise _no_event() from error


def _no_type(type: str) -> NotFound:
    return NotFound(f"There is no event type `{shown(type)}`.", vi=f"Không có loại sự kiện `{shown(type)}`.")


def _no_event() -> NotFound:
    return NotFound("There is no such event.", vi="Không có sự kiện này.")


def _no_subscription() -> NotFound:
    return NotFound("There is no such subscription.", vi="Không có đăng ký này.")
