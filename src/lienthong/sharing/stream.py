"""The stream of events as one follower may know it: records that changed, versions, identities, notices; in order, none missed.

The stream holds no records (`store.events`): a version's event is told as the changes of its records, in order of key, under the agreement
of this moment, and then as itself. A row that comes into the follower's part of the dataset is inserted for this follower; one that leaves it ends.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any, NamedTuple

import msgspec

from lienthong.access import ANONYMOUS, AccessRequest, Identity, Operation, Register, decide
from lienthong.contracts import Contract, Layer
from lienthong.errors import BadRequest
from lienthong.masterdata.entities import Entity, entities_of
from lienthong.masterdata.golden_values import PROVENANCE
from lienthong.sharing.golden import SeesRegister, event_for, read_goldens
from lienthong.sharing.pages import Desk
from lienthong.sharing.records import Record, shape_of
from lienthong.sharing.rights import Right, right_of
from lienthong.sharing.way_out import denial_of
from lienthong.store import Connection, events
from lienthong.store.answers import KEY, STATE, Ask, ChangedRow, Condition, read_changes, read_first_fill
from lienthong.store.events import ENTITIES_CHANGED, VERSION_PUBLISHED, StreamEvent
from lienthong.store.identities import StoredEvent

RECORD_TYPES = {"insert": "record:inserted", "update": "record:updated", "end": "record:ended"}
ENTITY_KINDS = ("created", "joined", "left", "merged", "split", "revived", "ended", "changed")
NOTICES = ("agreement", "correction", "stop", "schema", "subscription", "sync")  # kinds of events that are told as they were left
KNOWN_TYPES = (
    *RECORD_TYPES.values(),
    VERSION_PUBLISHED,
    *(f"entity:{kind}" for kind in ENTITY_KINDS),
    *(f"{kind}:*" for kind in ("record", "version", "entity", *NOTICES)),
)
MOST_LOOKED = 2_000  # of one piece
FIRST_VERSION = 1
_EVENTS = 100
_LEAST_ROWS, _MOST_ROWS = 20, 1_000
_SEALED = "~"


class Place(NamedTuple):
    """Where a follower is: what comes before `position` is told. `within` None: that event too; else what is in it up to there."""

    position: int
    within: str | None = None


BEGINNING = Place(0)


@dataclass(frozen=True)
class Chosen:
    """What a follower asked for. `types` empty: all; one may end in `:*`. Of several lanes one is told: what has a key goes by its key."""

    types: frozenset[str] = frozenset()
    conditions: tuple[Condition, ...] = ()
    lane: int = 0
    lanes: int = 1

    def takes(self, type: str) -> bool:
        return not self.types or type in self.types or f"{type.partition(':')[0]}:*" in self.types

    def is_ours(self, key: str | None) -> bool:
        """Whether a key's events go by this lane; what has none goes by the first."""
        if self.lanes == 1:
            return True
        return self.lane == (0 if key is None else zlib.crc32(key.encode()) % self.lanes)


@dataclass(frozen=True)
class Following:
    """A dataset as one follower follows it. `right` None: nothing that has content, only that it changed."""

    contract: Contract
    right: Right | None
    chosen: Chosen = Chosen()
    entity: Entity | None = None
    sees: SeesRegister = field(default=lambda _: False, compare=False)

    @property
    def sources(self) -> tuple[str, ...]:
        named = (self.contract.id,)
        return named if self.entity is None else (*named, f"entity/{self.entity.name}")


class Change(msgspec.Struct, gc=False):
    """What the event of a record holds."""

    op: str
    key: str | None
    version: int
    known_at: datetime
    record: Record | None


@dataclass(frozen=True)
class Told:
    """One event as its follower sees it. `place`: where to go on after it; `hidden_key` is for the platform alone."""

    place: Place
    id: str
    type: str
    dataset: str
    subject: str | None
    at: datetime
    data: Any
    version: int | None = None
    hidden_key: str | None = None
    audience: str | None = None  # the subsystem, or `agency/` and the code of the agency, it is meant for; None: all who follow


@dataclass(frozen=True)
class Piece:
    """Some events in order, the place to go on from, and whether there is more already."""

    told: tuple[Told, ...]
    place: Place
    more: bool

    def for_caller(self, caller: str) -> tuple[Told, ...]:
        """Without the notices that are meant for somebody else."""
        if all(each.audience is None for each in self.told):
            return self.told
        agency = caller.split("/")[2] if caller.count("/") == 3 else ""  # X-Road's four parts
        return tuple(each for each in self.told if each.audience in (None, caller, f"agency/{agency}"))


def follow(
    contracts: Mapping[str, Contract], register: Register, right: Right, contract: Contract, chosen: Chosen, on: date, at: datetime | None = None
) -> Following:  # fmt: skip
    """How a right follows a dataset. Raises Denied when a condition is on a field that the right does not show whole."""
    right.require_whole(tuple(condition.column for condition in chosen.conditions))
    entity = entities_of(contracts).get(contract.entity or "") if contract.layer is Layer.MASTER else None

    def sees(other: Contract) -> bool:
        caller = None if right.caller == ANONYMOUS else right.caller
        if caller is not None and Identity.parse(caller).agency == other.agency:
            return True
        asked = AccessRequest(caller, other.id, Operation.LOOK_UP, right.purpose, right.official, right.address, at)
        decision = decide(asked, other, register, on)
        return decision.allowed and right_of(decision, other, right.caller).sees_key(other)

    return Following(contract, right, chosen, entity, sees)


def right_now(
    register: Register, contract: Contract, caller: str | None, official: str, purpose: str, on: date, address: str = "", at: datetime | None = None
) -> Right:  # fmt: skip
    """The right to follow a dataset as it is at this moment. Raises Unauthenticated, Denied or Stopped, with the way out."""
    asked = AccessRequest(caller, contract.id, Operation.CHANGES, purpose, official, address, at)
    decision = decide(asked, contract, register, on)
    if not decision.allowed:
        raise denial_of(decision, asked, contract, on)
    return replace(right_of(decision, contract, caller or ANONYMOUS, official, purpose), address=address)


def tell(
    connection: Connection, desk: Desk, followed: Sequence[Following], place: Place, limit: int, until: Place | None = None
) -> Piece:  # fmt: skip
    """What comes after a place, up to `limit` events; with `until`, exactly what comes up to that place.

    What is committed must have been put in order before (`store.events.put_in_order`). Notices meant for one subsystem are among them:
    `Piece.for_caller` leaves out those of others.
    """
    told: list[Told] = []
    for looked, (at, one) in enumerate(_walk(connection, desk, followed, place, limit, until), 1):
        place = at
        if one is not None:
            told.append(one)
        if until is not None:
            if at == until or at.position > until.position or (at.position == until.position and at.within is None):
                return Piece(tuple(told), until, True)
        elif len(told) >= limit or looked >= MOST_LOOKED:
            return Piece(tuple(told), place, True)
    return Piece(tuple(told), place, False)


def fields_told(contract: Contract, right: Right) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(fields told, fields withheld). Where a golden record's values come from is told by `/v1/entities`, which knows who may know."""
    told, withheld = right.fields_of(contract, ())
    return tuple(name for name in told if name != PROVENANCE), tuple(name for name in withheld if name != PROVENANCE)


def cursor_of(desk: Desk, place: Place) -> str:
    """A place as text. Inside an event it holds a key, so it is sealed."""
    return str(place.position) if place.within is None else _SEALED + desk.cursors.seal("events", list(place))


def place_of(desk: Desk, cursor: str) -> Place:
    """The place of a cursor. Raises BadRequest when it was not given here."""
    if cursor.startswith(_SEALED):
        position, within = desk.cursors.open("events", cursor.removeprefix(_SEALED))
        return Place(position, within)
    if not (cursor.isascii() and cursor.isdigit()) or len(cursor) > 18:
        raise BadRequest(
            "This cursor was not given for this stream.",
            hint="Use the `id` of the last event you took, or begin without one.",
            vi="Con trỏ này không thuộc dòng sự kiện này.",
            hint_vi="Dùng `id` của sự kiện cuối cùng đã nhận, hoặc bắt đầu không kèm con trỏ.",
        )
    return Place(int(cursor))


def _walk(
    connection: Connection, desk: Desk, followed: Sequence[Following], place: Place, limit: int, until: Place | None
) -> Iterator[tuple[Place, Told | None]]:  # fmt: skip
    """Every place after `place` in order, each with what is told there, if anything."""
    by_source = {source: each for each in followed for source in each.sources}
    after = place.position if place.within is None else place.position - 1
    rows = min(max(limit, _LEAST_ROWS), _MOST_ROWS)
    while True:
        found = events.read(connection, after, _EVENTS, list(by_source))
        for event in found:
            following = by_source[event.source]
            within = place.within if event.position == place.position else None
            if event.type == VERSION_PUBLISHED:
                last = until.within if until is not None and until.position == event.position else None
                yield from _records(connection, desk, following, event, within, rows, last)
            elif event.type == ENTITIES_CHANGED:
                yield from _identities(connection, desk, following, event, within, rows)
            yield Place(event.position), _itself(following, event)
        if len(found) < _EVENTS:
            return
        after = found[-1].position


def _records(
    connection: Connection, desk: Desk, following: Following, event: StreamEvent, within: str | None, rows: int, last: str | None
) -> Iterator[tuple[Place, Told | None]]:  # fmt: skip
    """The changes a version made, as the follower sees them."""
    right, contract, chosen = following.right, following.contract, following.chosen
    if right is None or not any(chosen.takes(type) for type in RECORD_TYPES.values()):
        return
    version = int(event.data["version"])
    fields, withheld = fields_told(contract, right)
    ask = Ask(contract.id, fields, (*right.conditions, *chosen.conditions))
    shape = shape_of(connection, desk.book, contract, right, fields, withheld, begin=STATE)
    known_at = desk.book.facts(connection, contract.id, version).known_at
    sees_key = right.sees_key(contract)
    after = within or ""
    while True:
        changed = _changed(connection, ask, version, after, rows, last)
        for row in changed:
            after = row[STATE]
            place = Place(event.position, after)
            type, data = _change(row, shape, known_at, sees_key=sees_key)
            if type is None or not chosen.takes(type) or not chosen.is_ours(after):
                yield place, None
                continue
            id = f"{event.position}-{desk.cursors.tag(f'event {event.position}', after)}"
            subject = after if sees_key else None
            yield place, Told(place, id, type, contract.id, subject, known_at, data, version, after)
        if len(changed) < rows:
            return


def _changed(connection: Connection, ask: Ask, version: int, after: str, rows: int, last: str | None) -> list[ChangedRow]:
    if version != FIRST_VERSION:
        return read_changes(connection, ask, version, after, version, rows)
    if last is not None:  # of a first fill only rows within the conditions are read, and these may have changed since the range was settled
        ask = replace(ask, conditions=(*ask.conditions, Condition(KEY, "lte", last)))
    return read_first_fill(connection, ask, version, after, rows)


def _change(row: ChangedRow, shape: Any, known_at: datetime, *, sees_key: bool) -> tuple[str | None, Change | None]:
    op, is_within, was_within, key, version = row[: STATE + 2]
    if not is_within and not was_within:  # nothing, for a follower of a part of the rows
        return None, None
    shown = key if sees_key else None
    if not is_within:
        return RECORD_TYPES["end"], Change("end", shown, version, known_at, None)
    seen = "update" if was_within else "insert"
    return RECORD_TYPES[seen], Change(seen, shown, version, known_at, shape(row) if op != "e" else None)


def _identities(
    connection: Connection, desk: Desk, following: Following, event: StreamEvent, within: str | None, rows: int
) -> Iterator[tuple[Place, Told | None]]:  # fmt: skip
    """What became of identities, as far as the follower's agreement covers them."""
    entity, right, chosen = following.entity, following.right, following.chosen
    if entity is None or right is None or not any(chosen.takes(f"entity:{kind}") for kind in ENTITY_KINDS):
        return
    after = 0 if within is None else int(within)
    while True:
        found = events.of_matching(connection, event.data, after, rows)
        is_seen = _sight(connection, desk, entity, right, found)
        for one in found:
            after = one.event
            place = Place(event.position, str(after))
            type = f"entity:{one.kind}"
            told = None
            if chosen.takes(type) and chosen.is_ours(one.id):
                told = event_for(one, entity, is_seen, following.sees)
            if told is None:
                yield place, None
                continue
            data = {name: told[name] for name in ("kind", "id", "others", "records", "at")}
            id = f"{event.position}-{after}"
            yield place, Told(place, id, type, following.contract.id, one.id, one.at, data, None, one.id)
        if len(found) < rows:
            return


def _sight(
    connection: Connection, desk: Desk, entity: Entity, right: Right, found: Sequence[StoredEvent]
) -> Callable[[str], bool]:  # fmt: skip
    """Whether a golden record among these is within the agreement's rows."""
    if not right.conditions:
        return lambda _: True
    ids = sorted({id for one in found for id in (one.id, *one.others)})
    return set(read_goldens(connection, desk, entity.master, right, ids)).__contains__


def _itself(following: Following, event: StreamEvent) -> Told | None:
    """A version's own event, or a notice, for whom it is meant."""
    subject, chosen = event.type.partition(":")[0], following.chosen
    if not chosen.takes(event.type) or not chosen.is_ours(None):
        return None
    if event.type == VERSION_PUBLISHED:
        version = int(event.data["version"])
        return Told(
            Place(event.position), str(event.position), event.type, event.source, event.subject, event.at, dict(event.data), version
        )
    if subject not in NOTICES:
        return None
    told = Told(Place(event.position), str(event.position), event.type, event.source, event.subject or None, event.at, dict(event.data))
    agency = event.data.get("owner")
    return replace(told, audience=event.data.get("consumer") or (f"agency/{agency}" if agency else None))
