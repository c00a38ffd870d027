"""Communes merged or split on a day: everything it touches is shown, then two operators do it in one act.

Records keep the code they were recorded with; what changes is the register (`standards.admin_units`), in every process from the day on.
Agreements whose rows are bounded by communes are widened only where the new commune is wholly made of those they name: nobody sees more
than before without a request of their own. Agencies may be merged in the same act.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from lienthong.access import Act, Actor, Role
from lienthong.clock import vietnam_date
from lienthong.contracts import Contract
from lienthong.errors import Conflict, NotFound, Unprocessable
from lienthong.ledger import Entry, Event
from lienthong.pipeline import agencies
from lienthong.pipeline.approving import Approved, Kind
from lienthong.pipeline.workshop import Workshop
from lienthong.standards.admin_units import MERGED, Unit, UnitRegister, follow_changes, packaged
from lienthong.standards.unit_changes import BegunUnit, UnitChange, faults_of
from lienthong.store import Connection
from lienthong.store import agreements as agreed
from lienthong.store import unit_changes as store
from lienthong.store.agreements import Kept, NewStep

FURTHEST = timedelta(days=366)  # a day further off is a slip of the year
EXTENDED, WAITS, WIDENED, STAYS = "extended", "waits", "widened", "stays"
PLATFORM = "lienthong"

_following = threading.Lock()  # from reading to taking up: what was read before another's change must not be taken up after it


def follow(workshop: Workshop) -> bool:
    """Have this process know the communes as they are today; whether anything is new."""
    with _following, workshop.database.warm() as connection:
        kept = store.standing(connection, vietnam_date(workshop.clock()))
        return follow_changes([each.change for each in kept])


def known(connection: Connection) -> UnitRegister:
    """The register with every change that stands, those to come too."""
    return packaged().with_changes([each.change for each in store.standing(connection)])


def read_change(on: date, resolution: str, begun: Sequence[tuple[str, str, Sequence[str]]]) -> UnitChange:
    """A change as it was asked for: (code, name, codes it is made of) of each new commune, brought into order."""
    units = [BegunUnit(code.strip(), " ".join(name.split()), tuple(sorted(set(of)))) for code, name, of in begun]
    return UnitChange(on, resolution.strip(), tuple(sorted(units, key=lambda unit: unit.code)))


def preview(workshop: Workshop, change: UnitChange, merged: Sequence[str] = (), into: str = "") -> dict[str, Any]:
    """What a change would do, as two persons decide on it. Raises Unprocessable with every fault, and what a merger of agencies raises."""
    with workshop.database.connect() as connection:
        return _document(workshop, connection, change, merged, into)


def _document(workshop: Workshop, connection: Connection, change: UnitChange, merged: Sequence[str], into: str) -> dict[str, Any]:
    register = known(connection)
    faults = faults_of(change, register, MERGED, workshop.province)
    if change.on > vietnam_date(workshop.clock()) + FURTHEST:
        faults.append(("Ngày hiệu lực quá xa.", "The day is too far off."))
    if faults:
        raise Unprocessable(" ".join(en for _, en in faults), vi=" ".join(vi for vi, _ in faults))
    ending = _ending(register, change)
    merger = agencies.preview_within(connection, workshop.contracts, merged, into, change.on) if merged or into else None
    return {
        "on": change.on.isoformat(),
        "resolution": change.resolution,
        "ended": [{"code": u.code, "name": u.name, "valid_from": u.valid_from.isoformat()} for u in ending],
        "begun": [{"code": u.code, "name": u.name, "of": list(u.of)} for u in change.begun],
        "split": list(change.split),
        "agreements": [each.told() for each in _touched(connection, workshop.contracts, change)],
        "agencies": merger,
    }


def _ending(register: UnitRegister, change: UnitChange) -> list[Unit]:
    return [unit for code in change.ended for unit in register.by_code[code] if unit.valid_to is None]


def change_of(document: Mapping[str, Any]) -> UnitChange:
    """The change a previewed document tells of."""
    begun = [(each["code"], each["name"], each["of"]) for each in document["begun"]]
    return read_change(date.fromisoformat(document["on"]), document["resolution"], begun)


# What it touches, beside the act: told, not decided on, for it goes on changing.


@dataclass(frozen=True)
class Bearing:
    """A dataset with records that bear codes of communes that end: field → how many."""

    contract: Contract
    records: Mapping[str, int]


def bearing(connection: Connection, contracts: Mapping[str, Contract], codes: Sequence[str]) -> Iterator[Bearing]:
    """The published datasets whose records bear one of these codes, in order of id."""
    applied = store.applied(connection)
    for contract in contracts.values():
        fields = fields_of(contract)
        if not fields or contract.id not in applied:
            continue
        found = {name: count for name, count in store.bearing(connection, contract.id, fields, codes).items() if count}
        if found:
            yield Bearing(contract, found)


def fields_of(contract: Contract) -> list[str]:
    """The fields of a contract that hold codes of communes."""
    return [p.name for p in contract.properties if p.standard == "admin_unit" and p.standard_options.get("level", "commune") == "commune"]


def naming(contract: Contract, codes: Sequence[str]) -> list[str]:
    """The codes among these that a contract itself names (in a rule, a list of values, a bound)."""
    text = str(contract.document)
    return [code for code in codes if f"'{code}'" in text]


# Agreements


@dataclass(frozen=True)
class Touched:
    """An agreement whose rows are bounded by communes that end: what becomes of it, and the codes that are added to its bounds."""

    kept: Kept
    does: str
    document: Mapping[str, Any]
    adds: tuple[str, ...]

    def told(self) -> dict[str, Any]:
        kept = self.kept
        return {
            "id": kept.id, "version": kept.version, "consumer": kept.consumer, "dataset": kept.dataset, "does": self.does, "adds": list(self.adds),
        }  # fmt: skip


def _touched(connection: Connection, contracts: Mapping[str, Contract], change: UnitChange) -> list[Touched]:
    found = []
    for kept in agreed.standing(connection, states=sorted(agencies.STANDING), limit=100_000):
        contract = contracts.get(kept.dataset)
        if contract is not None and (touched := _of_agreement(kept, frozenset(fields_of(contract)), change)) is not None:
            found.append(touched)
    return found


def _of_agreement(kept: Kept, fields: frozenset[str], change: UnitChange) -> Touched | None:
    """What a change does to an agreement; None where its bounds name no commune that ends."""
    document = dict(kept.document)
    bounds, does, adds = [], set(), set()
    for bound in document.get("row_filter") or ():
        if bound["field"] not in fields or not _names(bound, change.ended):
            bounds.append(bound)
            continue
        named = set(bound["value"] if bound["operator"] == "in" else [bound["value"]])
        is_list = bound["operator"] in ("in", "eq")
        for unit in change.begun:
            if not set(unit.of) & named:
                continue
            if not is_list or not set(unit.of) <= named:
                does.add(WIDENED if unit.code in named else WAITS)
            elif unit.code in named:
                does.add(STAYS)
            else:
                does.add(EXTENDED)
                adds.add(unit.code)
        if not is_list:
            does.add(WAITS)
        extra = adds - named if is_list else set()
        bounds.append({**bound, "operator": "in", "value": sorted(named | extra)} if extra else bound)
    if not does:
        return None
    worst = next(each for each in (WIDENED, WAITS, EXTENDED, STAYS) if each in does)
    return Touched(kept, worst, {**document, "row_filter": bounds}, tuple(sorted(adds)))


def _names(bound: Mapping[str, Any], codes: Sequence[str]) -> bool:
    value, operator = bound["value"], bound["operator"]
    if operator == "in":
        return bool(set(value) & set(codes))
    tests = {
        "eq": lambda code: code == value, "starts_with": lambda code: code.startswith(str(value)), "gte": lambda code: code >= str(value),
        "lte": lambda code: code <= str(value),
    }  # fmt: skip
    return any(tests[operator](code) for code in codes)


# The acts


def _change(workshop: Workshop, connection: Connection, approved: Approved) -> Sequence[Entry]:
    """The whole act, on exactly what was previewed: agencies first, for agreements granted anew are bounded as those before them."""
    document, at = approved.document, approved.at
    store.lock(connection)
    connection.execute("select pg_advisory_xact_lock(hashtext('lienthong subsystems from files'))")
    change, merger = change_of(document), document["agencies"]
    merged, into = (merger["from"], merger["into"]) if merger else ((), "")
    if _document(workshop, connection, change, merged, into) != dict(document):
        raise Conflict(
            "What this change touches has changed since the preview.",
            hint="Propose it again.",
            vi="Nội dung đã thay đổi từ lúc xem trước.",
            hint_vi="Hãy đề xuất lại.",
        )
    entries = list(agencies.MERGE.perform(workshop, connection, replace(approved, document=merger))) if merger else []
    number = store.add(connection, change, approved.proposal, at)
    by = Actor(approved.approved_by, into or PLATFORM, frozenset({Role.OPERATOR}))
    widened = {}
    for each in _touched(connection, workshop.contracts, change):
        if not each.adds:
            continue
        kept = agreed.lock(connection, each.kept.id)
        assert kept is not None
        version = agreed.change(connection, each.document, None, at)
        details = {"change": number, "adds": list(each.adds), "proposal": approved.proposal}
        step = NewStep(Act.DECLARE, kept.state, by, at, reason="đổi đơn vị hành chính · communes changed", details=details)
        agreed.add_step(connection, kept.id, version, step)
        widened[kept.id] = list(each.adds)
    agreed.move_edge(connection)
    details = {
        "change": number, "on": document["on"], "resolution": change.resolution, "ended": list(change.ended),
        "begun": {unit.code: list(unit.of) for unit in change.begun}, "agreements": widened, "proposal": approved.proposal,
        "proposed_by": approved.proposed_by,
    }  # fmt: skip
    return [*entries, Entry(at, Event.UNITS_CHANGED, PLATFORM, approved.approved_by, outcome="done", details=details)]


CHANGE = Kind("units_changed", frozenset({Role.OPERATOR}), frozenset({Role.OPERATOR}), _change)


def taking_back(workshop: Workshop, number: int) -> dict[str, Any]:
    """What taking a change back would undo. Raises NotFound, Conflict when a later change is built upon it."""
    with workshop.database.connect() as connection:
        return _taking_back(connection, number)


def _taking_back(connection: Connection, number: int) -> dict[str, Any]:
    standing = store.standing(connection)
    kept = next((each for each in standing if each.number == number), None)
    if kept is None:
        raise NotFound(f"No change {number} stands.", vi=f"Không có thay đổi {number} đang có hiệu lực.")
    codes = {unit.code for unit in kept.change.begun}
    later = [each.number for each in standing if each.change.on > kept.change.on and codes & set(each.change.ended)]
    if later:
        raise Conflict(f"Change {later[0]} builds upon it.", vi=f"Thay đổi {later[0]} dựa trên thay đổi này.")
    begun = [{"code": unit.code, "name": unit.name, "of": list(unit.of)} for unit in kept.change.begun]
    return {"change": number, "on": kept.change.on.isoformat(), "resolution": kept.change.resolution, "begun": begun}


def _take_back(_: Workshop, connection: Connection, approved: Approved) -> Sequence[Entry]:
    store.lock(connection)
    number = int(approved.document["change"])
    if _taking_back(connection, number) != dict(approved.document):
        raise Conflict("The change is not what was shown.", vi="Thay đổi không còn như lúc xem.")
    store.take_back(connection, number, approved.proposal, approved.at)
    details = {"change": number, "proposal": approved.proposal, "proposed_by": approved.proposed_by}
    return [Entry(approved.at, Event.UNITS_TAKEN_BACK, PLATFORM, approved.approved_by, outcome="done", details=details)]


TAKE_BACK = Kind("units_taken_back", frozenset({Role.OPERATOR}), frozenset({Role.OPERATOR}), _take_back)
