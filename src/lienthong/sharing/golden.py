"""What one caller is told of golden records: values as its agreement shows them, and where they come from as far as it may know.

A register's name and date tell that it knows somebody; its own key of a record is told only to who may look that register up.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import msgspec

from lienthong.contracts import Contract
from lienthong.masterdata.entities import Entity
from lienthong.masterdata.golden_values import PROVENANCE
from lienthong.sharing.pages import Desk
from lienthong.sharing.records import shape_of
from lienthong.sharing.rights import Right
from lienthong.store import Connection
from lienthong.store.answers import KEY, Ask, Condition, read_page
from lienthong.store.identities import Member, StoredEvent

SeesRegister = Callable[[Contract], bool]
SeesWhole = Callable[[Contract], frozenset[str]]  # the fields of a register a caller sees whole, of every record of it
STEWARD = "steward"  # the source of a value that a steward set


@dataclass(frozen=True)
class Golden:
    """A golden record as the caller sees it. `held`: attribute → [source, record, rule, how many values were said], whatever is shown."""

    id: str
    version: int
    record: Mapping[str, Any]
    held: Mapping[str, Sequence[Any]]


def read_goldens(
    connection: Connection, desk: Desk, master: Contract, right: Right, ids: Sequence[str], version: int | None = None,
    as_of: date | None = None,
) -> dict[str, Golden]:  # fmt: skip
    """The golden records of these ids that the caller's agreement covers; `version`: as they were then, `as_of`: what held on that day."""
    if not ids:
        return {}
    fields, withheld = right.fields_of(master, ())
    fields = tuple(name for name in fields if name != PROVENANCE)
    withheld = tuple(name for name in withheld if name != PROVENANCE)
    has_provenance = any(p.name == PROVENANCE for p in master.properties)
    columns = (*fields, PROVENANCE) if has_provenance else fields
    ask = Ask(master.id, columns, (*right.conditions, Condition(KEY, "in", list(ids))), limit=len(ids), version=version, as_of=as_of)
    page = read_page(connection, ask)
    shape = shape_of(connection, desk.book, master, right, fields, withheld)
    found = {}
    for row in page.rows:
        said = json.loads(row[-1]) if has_provenance and row[-1] else {}
        found[row[0]] = Golden(row[0], page.version, msgspec.to_builtins(shape(row)), said)
    return found


def sources_of(entity: Entity, members: Iterable[Member], sees: SeesRegister) -> tuple[list[dict[str, Any]], int]:
    """(the records the caller may look up, how many others there are)."""
    allowed = {register.source for register in entity.registers if sees(register.contract)}
    told, others = [], 0
    for member in members:
        if member.source not in allowed:
            others += 1
            continue
        told.append({"source": member.source, "key": member.key, "dated": member.dated, "since": member.since})
    return told, others


def provenance_of(golden: Golden, entity: Entity, right: Right, sees: SeesRegister) -> dict[str, dict[str, Any]]:
    """Attribute → where its value comes from, of the attributes the caller is shown."""
    allowed = {register.source for register in entity.registers if sees(register.contract)}
    told = {}
    for name, (source, key, rule, said) in golden.held.items():
        if name in right.shown:
            told[name] = {"source": source, "key": key if source in allowed else None, "rule": rule, "values_said": said}
    return told


def conflicts_of(golden: Golden, entity: Entity, right: Right, members: Sequence[Member], whole: SeesWhole) -> dict[str, dict[str, Any]]:
    """Attribute → what its registers say, where they do not say the same: of the attributes the caller is shown, masked as those are.

    A register's own value is told only to who sees the fields it comes from whole; of the others `withheld` counts.
    """
    registers = {register.source: (register, whole(register.contract)) for register in entity.registers}

    def is_told(member: Member, name: str) -> bool:
        if member.source not in registers:  # no contract names it any more
            return False
        register, seen = registers[member.source]
        return {*register.role.attributes.get(name, ("",))} <= seen

    def one(member: Member, name: str) -> dict[str, Any]:
        register, seen = registers[member.source]
        key = member.key if all(p.name in seen for p in register.contract.key) else None
        return {"value": right.shown_of({name: member.content[name]})[name], "source": member.source, "key": key, "dated": member.dated}

    told = {}
    for name, (_, _, _, different) in golden.held.items():
        if different < 2 or name not in right.shown:
            continue
        speaking = [member for member in members if member.content.get(name) is not None]
        said = [one(member, name) for member in speaking if is_told(member, name)]
        told[name] = {"said": said, "withheld": len(speaking) - len(said)}
    return told


def event_for(event: StoredEvent, entity: Entity, is_seen: Callable[[str], bool], sees: SeesRegister) -> dict[str, Any] | None:
    """An event as the caller may know it; None when it is about golden records outside its agreement."""
    if not is_seen(event.id):
        return None
    allowed = {register.source for register in entity.registers if sees(register.contract)}
    is_merge = event.kind == "merged"  # what was merged into a record the caller sees leads to it
    return {
        "event": event.event,
        "kind": f"entity:{event.kind}",
        "id": event.id,
        "others": [other for other in event.others if is_merge or is_seen(other)],
        "records": [name for name in event.records if name.partition("/")[0] in allowed],
        "at": event.at,
    }
