"""Agencies: kept as a tree with dates, closed on a day, merged in one reviewed act that grants every right anew to the successor.

What a merger touches is previewed whole: subsystems with their keys, persons with their roles, agreements on both sides. Two
operators decide on exactly that preview; when anything of it has changed meanwhile, nothing is done and a new preview is due.
Rights under the old code end with its last day: from then on it is refused, and told who took its place.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from lienthong.access import Act, Actor, Agencies, Agency, Identity, Role, State
from lienthong.clock import vietnam_date
from lienthong.contracts import Contract
from lienthong.errors import Conflict, Denied, NotFound, Unprocessable
from lienthong.ledger import Entry, Event
from lienthong.pipeline.approving import Approved, Kind
from lienthong.pipeline.granting import agency_code
from lienthong.pipeline.workshop import Workshop
from lienthong.store import Connection, append_entries, people, security_levels
from lienthong.store import agencies as store
from lienthong.store import agreements as agreed
from lienthong.store import subsystems as systems
from lienthong.store.agreements import NewStep
from lienthong.store.subsystems import KeptSubsystem

STANDING = frozenset({State.REQUESTED, State.GRANTED, State.ACTIVE, State.SUSPENDED})
LONGEST_NAME = 300


def keep(workshop: Workshop, actor: Actor, agency: Agency) -> None:
    """What is known of an agency from now on. Raises Denied, Unprocessable for a circle or dates that cannot be."""
    _require_operator(actor)
    at = workshop.clock()
    with workshop.database.connect() as connection:
        if _keep_one(connection, agency, actor.name, at):
            _end(workshop, connection, [_kept(agency, actor, at)])


def close(workshop: Workshop, actor: Actor, code: str, on: date, successors: Sequence[str]) -> None:
    """The agency is no longer there from a day on. Raises NotFound, Conflict when it closed before, Unprocessable for unknown successors."""
    _require_operator(actor)
    at = workshop.clock()
    with workshop.database.connect() as connection:
        agency = _closing(store.read(connection), code, on, successors)
        _keep_one(connection, agency, actor.name, at)
        _end(workshop, connection, [_closed(agency, actor.name, at)])


def take_from_register(workshop: Workshop, actor: Actor, dataset: str, on: date) -> int:
    """Take the agencies of a dataset over as they stood on a day (closings after it are not known yet); how many changed.

    One that was closed here stays closed, with who took its place, though the dataset has not heard of it yet.
    """
    _require_operator(actor)
    at, entries = workshop.clock(), []
    with workshop.database.connect() as connection:
        known = store.read(connection).by_code
        for told in store.of_register(connection, dataset, on):
            kept = known.get(told.code)
            is_closed_here = kept is not None and kept.valid_to is not None and told.valid_to is None
            agency = replace(told, valid_to=kept.valid_to, successors=kept.successors) if kept is not None and is_closed_here else told
            if _keep_one(connection, agency, actor.name, at):
                entries.append(_kept(agency, actor, at))
        if entries:
            _end(workshop, connection, entries)
    return len(entries)


@dataclass(frozen=True)
class Merger:
    """What merging some agencies into one would do: a document to look at, and to decide on."""

    merged: tuple[str, ...]
    into: str
    on: date

    def document(self, connection: Connection, contracts: Mapping[str, Contract]) -> dict[str, Any]:
        """Everything affected, in a fixed order."""
        agencies = store.read(connection)
        for code in self.merged:
            _closing(agencies, code, self.on, (self.into,))
        return {
            "from": list(self.merged),
            "into": self.into,
            "on": self.on.isoformat(),
            "subsystems": self._subsystems(connection),
            "people": [
                {"handle": person.handle, "agency": person.agency, "roles": sorted(person.roles)}
                for person in people.everybody(connection)
                if person.agency in self.merged
            ],
            "agreements": self._agreements(connection, contracts),
            "datasets": sorted(contract.id for contract in contracts.values() if contract.agency in self.merged),
            "below": [each.code for code in self.merged for each in agencies.below(code) if each.is_open(self.on)],
        }

    def _subsystems(self, connection: Connection) -> list[dict[str, Any]]:
        known = systems.everything(connection)
        found = []
        taken = set(known)
        for each in known.values():
            if each.agency in self.merged and each.is_active:
                name = self.renamed(each.identifier, taken)
                taken.add(name)
                keys = [key.thumbprint for key in systems.keys(connection, each.identifier)]
                found.append({"identifier": each.identifier, "becomes": name, "keys": keys})
        return found

    def renamed(self, identifier: str, taken: set[str]) -> str:
        """A subsystem's name under the successor: the same, or with the old code where that is somebody's."""
        old = Identity.parse(identifier)
        plain = str(replace(old, agency=self.into))
        return plain if plain not in taken else str(replace(old, agency=self.into, subsystem=f"{old.subsystem}-{old.agency}"[:64]))

    def _agreements(self, connection: Connection, contracts: Mapping[str, Contract]) -> list[dict[str, Any]]:
        found = []
        for kept in agreed.standing(connection, states=sorted(STANDING), limit=100_000):
            of_consumer = Identity.parse(kept.consumer).agency in self.merged
            of_provider = kept.provider in self.merged
            if not of_consumer and not of_provider:
                continue
            contract = contracts.get(kept.dataset)
            follows = of_provider and contract is not None and contract.agency == self.into
            does = "granted anew" if of_consumer else "provider replaced" if follows else "waits for the contract"
            found.append({"id": kept.id, "version": kept.version, "state": kept.state.value, "consumer": kept.consumer, "does": does})
        return found


def preview(workshop: Workshop, merged: Sequence[str], into: str, on: date) -> dict[str, Any]:
    """What a merger would do. Raises NotFound, Conflict, Unprocessable."""
    with workshop.database.connect() as connection:
        return preview_within(connection, workshop.contracts, merged, into, on)


def preview_within(
    connection: Connection, contracts: Mapping[str, Contract], merged: Sequence[str], into: str, on: date
) -> dict[str, Any]:  # fmt: skip
    """As `preview`, as a transaction sees it."""
    codes = tuple(sorted({agency_code(code) for code in merged}))
    target = agency_code(into)
    if not codes or target in codes:
        raise Unprocessable("Agencies merge into another one.", vi="Các cơ quan sáp nhập vào một cơ quan khác.")
    return Merger(codes, target, on).document(connection, contracts)


def _merge(workshop: Workshop, connection: Connection, approved: Approved) -> Sequence[Entry]:
    """The whole act: close, rename, grant anew, on exactly what was previewed."""
    document, at = approved.document, approved.at
    merger = Merger(tuple(document["from"]), str(document["into"]), date.fromisoformat(document["on"]))
    connection.execute("select pg_advisory_xact_lock(hashtext('lienthong subsystems from files'))")
    if merger.document(connection, workshop.contracts) != dict(document):
        raise Conflict(
            "What this merger touches has changed since the preview.",
            hint="Propose it again.",
            vi="Nội dung đã thay đổi từ lúc xem trước.",
            hint_vi="Hãy đề xuất lại.",
        )
    agencies = store.read(connection)
    entries: list[Entry] = []
    for code in merger.merged:
        agency = _closing(agencies, code, merger.on, (merger.into,))
        _keep_one(connection, agency, approved.approved_by, at)
        entries.append(_closed(agency, approved.approved_by, at))
    names = {each["identifier"]: each["becomes"] for each in document["subsystems"]}
    _rename(connection, names, merger, approved)
    _move_people(connection, document["people"], merger, approved)
    done = _regrant(connection, document["agreements"], names, merger, approved)
    details = {
        "from": list(merger.merged), "into": merger.into, "on": merger.on.isoformat(), "subsystems": names,
        "people": [each["handle"] for each in document["people"]], "agreements": done, "proposal": approved.proposal,
        "proposed_by": approved.proposed_by,
    }  # fmt: skip
    agreed.move_edge(connection)
    return [*entries, Entry(at, Event.AGENCIES_MERGED, merger.into, approved.approved_by, outcome="done", details=details)]


MERGE = Kind("agencies_merged", frozenset({Role.OPERATOR}), frozenset({Role.OPERATOR}), _merge)


def _rename(connection: Connection, names: Mapping[str, str], merger: Merger, approved: Approved) -> None:
    known = systems.everything(connection)
    for old, new in names.items():
        each = known[old]
        fresh = KeptSubsystem(new, merger.into, each.title_vi, each.title_en, True, "merger")
        systems.keep(connection, fresh, approved.approved_by, approved.at)
        for key in systems.keys(connection, old):
            systems.add_key(connection, key._replace(identifier=new, proof="merger"), approved.approved_by, approved.at)
        security_levels.carry_over(connection, old, new, approved.approved_by, approved.at)


def _move_people(connection: Connection, moved: Sequence[Mapping[str, Any]], merger: Merger, approved: Approved) -> None:
    for each in moved:
        person = people.by_handle(connection, each["handle"])
        assert person is not None  # the preview was compared a moment ago, in this transaction
        people.move(connection, person.number, merger.into, approved.approved_by, approved.at)
        for role in sorted(person.roles):
            people.grant(connection, person.number, role, approved.proposed_by, approved.approved_by, approved.at)


def _regrant(
    connection: Connection, touched: Sequence[Mapping[str, Any]], names: Mapping[str, str], merger: Merger, approved: Approved
) -> dict[str, str]:  # fmt: skip
    """Old number → new number of agreements granted anew; those whose provider alone changed keep theirs."""
    done: dict[str, str] = {}
    by = Actor(approved.approved_by, merger.into, frozenset({Role.OPERATOR}))
    for each in touched:
        kept = agreed.lock(connection, each["id"])
        assert kept is not None
        if each["does"] == "waits for the contract":
            continue
        document = dict(kept.document)
        if kept.provider in merger.merged:
            document["provider"] = merger.into
        details = {"merger": list(merger.merged), "into": merger.into, "proposal": approved.proposal}
        step = NewStep(Act.DECLARE, kept.state, by, approved.at, reason="sáp nhập cơ quan · agencies merged", details=details)
        if each["does"] == "provider replaced":
            version = agreed.change(connection, document, None, approved.at)
            agreed.add_step(connection, kept.id, version, step)
            done[kept.id] = kept.id
            continue
        document |= {"id": f"{kept.id}-{merger.into}", "consumer": names.get(kept.consumer, kept.consumer)}
        if not agreed.add(connection, document, "request", None, step):
            raise Conflict(f"Agreement {document['id']} is there already.", vi=f"Thỏa thuận {document['id']} đã có.")
        done[kept.id] = str(document["id"])
        if merger.on <= vietnam_date(approved.at):
            agreed.add_step(connection, kept.id, kept.version, replace(step, act=Act.END, state=State.ENDED))
    return done


def _closing(agencies: Agencies, code: str, on: date, successors: Sequence[str]) -> Agency:
    agency = agencies.by_code.get(code)
    if agency is None:
        raise NotFound(f"No agency {code} is registered.", vi=f"Chưa đăng ký cơ quan {code}.")
    unknown = [each for each in successors if each not in agencies.by_code or agencies.is_closed(each, on)]
    if unknown or code in successors:
        raise Unprocessable(f"{', '.join(unknown) or code} cannot take its place.", vi="Cơ quan thay thế không hợp lệ.")
    if agency.valid_to is not None and (agency.valid_to, agency.successors) != (on, tuple(successors)):
        raise Conflict(f"Agency {code} closes on {agency.valid_to} already.", vi=f"Cơ quan {code} đã đóng ngày {agency.valid_to:%d/%m/%Y}.")
    if on <= agency.valid_from:
        raise Unprocessable("It would close before it began.", vi="Ngày đóng trước ngày thành lập.")
    return replace(agency, valid_to=on, successors=tuple(successors))


def _keep_one(connection: Connection, agency: Agency, by: str, at: datetime) -> bool:
    """Keep what is known of an agency; False when it is known already."""
    known = store.read(connection)
    if known.by_code.get(agency.code) == agency:
        return False
    texts = (agency.name, agency.kind, agency.parent)
    if not agency.name.strip() or any(len(text) > LONGEST_NAME or "\x00" in text for text in texts):
        raise Unprocessable("An agency has a name.", vi="Cơ quan phải có tên.")
    if agency_code(agency.code) != agency.code or (agency.parent and agency_code(agency.parent) != agency.parent):
        raise Unprocessable("Expected codes such as H10.12.", vi="Cần mã định danh cơ quan, ví dụ H10.12.")
    if agency.valid_to is not None and agency.valid_to <= agency.valid_from:
        raise Unprocessable("It ends before it begins.", vi="Ngày kết thúc trước ngày bắt đầu.")
    if agency.code in Agencies({**known.by_code, agency.code: agency}).above(agency.code):
        raise Unprocessable("An agency cannot be above itself.", vi="Cơ quan không thể là cấp trên của chính mình.")
    store.keep(connection, agency, by, at)
    return True


def _end(workshop: Workshop, connection: Connection, entries: Sequence[Entry]) -> None:
    agreed.move_edge(connection)
    append_entries(connection, entries, workshop.signer)


def _kept(agency: Agency, actor: Actor, at: datetime) -> Entry:
    details = {"agency": agency.code, "parent": agency.parent, "valid_from": str(agency.valid_from), "valid_to": str(agency.valid_to or "")}
    return Entry(at, Event.AGENCY_KEPT, actor.agency, actor.name, outcome="done", details=details)


def _closed(agency: Agency, by: str, at: datetime) -> Entry:
    details = {"agency": agency.code, "closes_on": str(agency.valid_to), "successors": list(agency.successors)}
    return Entry(at, Event.AGENCY_CLOSED, agency.code, by, outcome="done", details=details)


def _require_operator(actor: Actor) -> None:
    if actor.subsystem or not actor.may(Role.OPERATOR):
        raise Denied("This needs an operator who signed in.", rule="no_role", vi="Việc này cần người vận hành tự đăng nhập.")
