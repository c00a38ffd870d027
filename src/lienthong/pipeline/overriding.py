"""A steward's value on a golden record, until its last day or its withdrawal; and who a record was taken for at an earlier instant."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from lienthong.clock import vietnam_date
from lienthong.errors import NotFound, Unprocessable
from lienthong.ledger import Entry, Event
from lienthong.masterdata.entities import entities_of
from lienthong.masterdata.golden_values import PROVENANCE, golden_row, typed
from lienthong.masterdata.kinds import features_of
from lienthong.masterdata.survivorship import Override
from lienthong.pipeline.judge import cleaning
from lienthong.pipeline.match_models import in_force
from lienthong.pipeline.matching import PLATFORM, EntityIndex, Name
from lienthong.pipeline.stewarding import HERE, Through, require_reason
from lienthong.pipeline.workshop import Workshop
from lienthong.standards import PROBLEMS
from lienthong.store import Connection, append_entries
from lienthong.store import stewarding as store
from lienthong.store.matching import GoldenVersion, Index, StoredRecord, publish_goldens


@dataclass(frozen=True)
class Overridden:
    """The act, and what publishing the golden record did."""

    act: int
    version: GoldenVersion


def override(
    workshop: Workshop, index: EntityIndex, golden_id: str, attribute: str, value: str | None, by: str, reason: str, until: date | None = None,
    through: Through = HERE,
) -> Overridden:  # fmt: skip
    """Set a value whatever the registers say; None says there is none. It takes the place of an earlier steward's value.

    Raises NotFound for a golden record that does not stand, Unprocessable for an attribute or value that cannot be.
    """
    at = workshop.clock()
    _check(index, attribute, value, reason, until, vietnam_date(at))
    value = None if value is None else _cleaned(workshop, index, attribute, value)
    with workshop.database.connect() as connection:
        index_store, golden = _standing(connection, index, golden_id)
        act = index_store.add_act("override", at, by, reason, details={"attribute": attribute})
        store.end_overrides(connection, golden, attribute, at)
        store.add_override(connection, golden, attribute, value, by, reason, at, until, act)
        return _show(workshop, connection, index, index_store, {golden: golden_id}, act, by, {"act": act, "attribute": attribute}, through)


def withdraw(
    workshop: Workshop, index: EntityIndex, golden_id: str, attribute: str, by: str, reason: str, through: Through = HERE
) -> Overridden:  # fmt: skip
    """End a steward's value: what the registers say holds again. Raises NotFound when there is none, Unprocessable without a reason."""
    require_reason(reason)
    at = workshop.clock()
    with workshop.database.connect() as connection:
        index_store, golden = _standing(connection, index, golden_id)
        act = index_store.add_act("override", at, by, reason, details={"attribute": attribute, "withdrawn": True})
        if not store.end_overrides(connection, golden, attribute, at):
            raise NotFound(
                f"`{golden_id}` has no steward's value of `{attribute}`.",
                hint="Its provenance says which values are a steward's.",
                vi=f"`{golden_id}` không có giá trị `{attribute}` do người quản lý đặt.",
                hint_vi="Nguồn gốc giá trị cho biết giá trị nào do người quản lý đặt.",
            )
        return _show(
            workshop,
            connection,
            index,
            index_store,
            {golden: golden_id},
            act,
            by,
            {"act": act, "attribute": attribute, "withdrawn": True},
            through,
        )


def expire(workshop: Workshop, index: EntityIndex) -> int:
    """End the values whose last day is past, each golden record shown as its registers have it; how many ended."""
    at = workshop.clock()
    with workshop.database.connect() as connection:
        index_store = Index(connection, index.entity.name)
        index_store.lock()
        past = store.overdue(connection, index.entity.name, vietnam_date(at))
        if not past:
            return 0
        act = index_store.add_act("override", at, PLATFORM, "hết ngày cuối · the last day is past", details={"expired": len(past)})
        for golden, _, attribute in past:
            store.end_overrides(connection, golden, attribute, at)
        goldens = {golden: id for golden, id, _ in past}
        _show(workshop, connection, index, index_store, goldens, act, PLATFORM, {"act": act, "expired": len(past)}, HERE)
        return len(past)


def expire_all(workshop: Workshop) -> int:
    """The same for every entity; a model is read only where something is past its day."""
    ended = 0
    for entity in entities_of(workshop.contracts).values():
        with workshop.database.connect() as connection:
            past = store.overdue(connection, entity.name, vietnam_date(workshop.clock()))
            model = in_force(connection, entity) if past else None
        if model is not None:
            ended += expire(workshop, EntityIndex(entity, model))
    return ended


def who(workshop: Workshop, name: Name, known_at: datetime) -> str | None:
    """The golden record a register's record was part of at that instant; None: it was not known then."""
    with workshop.database.connect() as connection:
        return store.who_then(connection, name, known_at)


def members(workshop: Workshop, index: EntityIndex, golden_id: str, known_at: datetime) -> list[Name]:
    """The records that were taken for one at that instant, by register and key."""
    with workshop.database.connect() as connection:
        return store.members_then(connection, index.entity.name, golden_id, known_at)


def _check(index: EntityIndex, attribute: str, value: str | None, reason: str, until: date | None, today: date) -> None:
    free = {p.name: p for p in index.master.properties if p.key_position is None and p.name != PROVENANCE}
    if attribute not in free:
        raise Unprocessable(
            f"`{index.master.id}` has no attribute `{attribute}` to set.",
            hint=f"One of {', '.join(free)}.",
            vi=f"`{index.master.id}` không có thuộc tính `{attribute}` để đặt.",
            hint_vi=f"Một trong {', '.join(free)}.",
        )
    logical_type = free[attribute].logical_type
    if value is not None and typed(value, logical_type) is None:
        raise Unprocessable(
            f"`{attribute}`: expected a value of type {logical_type}.",
            hint="Dates are written YYYY-MM-DD.",
            vi=f"`{attribute}`: cần giá trị kiểu {logical_type}.",
            hint_vi="Ngày viết YYYY-MM-DD.",
        )
    read = next((features_of(a, value) for a in index.model.plan.attributes if a.name == attribute), (attribute,))
    if value is not None and all(feature is None for feature in read):
        raise Unprocessable(
            f"`{attribute}`: the value cannot be read as what it is to be.",
            hint="Dates are written YYYY-MM-DD.",
            vi=f"`{attribute}`: không đọc được giá trị theo kiểu của nó.",
            hint_vi="Ngày viết YYYY-MM-DD.",
        )
    require_reason(reason)
    if until is not None and until < today:
        raise Unprocessable(
            "A steward's value needs a last day that is not past.",
            hint="Without a last day it holds until withdrawn.",
            vi="Ngày cuối của giá trị đặt tay không được ở quá khứ.",
            hint_vi="Không nêu ngày cuối thì giá trị có hiệu lực cho đến khi được rút.",
        )


def _cleaned(workshop: Workshop, index: EntityIndex, attribute: str, value: str) -> str:
    """The value as the standard of a register's column of that attribute writes it; as it came where none speaks of it alone."""
    for register in index.entity.registers:
        columns = register.role.attributes.get(attribute, ())
        found = next((p for p in register.contract.properties if len(columns) == 1 and p.name == columns[0] and p.standard), None)
        if found is None or found.as_of is not None:
            continue
        standard, options = cleaning(found, accept_synthetic_ids=workshop.accept_synthetic_ids, province=workshop.province)
        cleaned = standard.clean(value, options)
        if cleaned.problem is not None and PROBLEMS[cleaned.problem].severity == "error":
            problem = PROBLEMS[cleaned.problem]
            raise Unprocessable(
                f"`{attribute}`: {problem.en}",
                hint=problem.expected_en,
                vi=f"`{attribute}`: {problem.vi}. Cần {problem.expected_vi}",
                hint_vi=problem.expected_vi,
            )
        return value if cleaned.value is None else str(cleaned.value)
    return value


def _standing(connection: Connection, index: EntityIndex, golden_id: str) -> tuple[Index, int]:
    index_store = Index(connection, index.entity.name)
    index_store.lock()
    golden = store.golden(connection, index.entity.name, golden_id)
    if golden is None:
        raise NotFound(
            f"No golden record `{golden_id}` stands.",
            hint="It may have been merged into another.",
            vi=f"Không có bản ghi gốc `{golden_id}`.",
            hint_vi="Có thể đã gộp vào bản ghi khác.",
        )
    return index_store, golden


def _show(
    workshop: Workshop, connection: Connection, index: EntityIndex, index_store: Index, goldens: Mapping[int, str], act: int, by: str,
    details: Mapping[str, Any], through: Through,
) -> Overridden:  # fmt: skip
    """Publish the golden records (number → id) as they now are, with their events and the ledger entry."""
    at = workshop.clock()
    today = vietnam_date(at)
    standing: dict[int, list[Override]] = defaultdict(list)
    for golden, attribute, value, whose, why, until in index_store.overrides(goldens):
        if until is None or until >= today:
            standing[golden].append(Override(attribute, value, whose, why, until))
    members: dict[int, list[StoredRecord]] = defaultdict(list)
    for record in index_store.of_goldens(goldens):
        members[record.golden].append(record)
    rows = [golden_row(id, members[golden], index.policy, index.master, standing[golden]) for golden, id in goldens.items()]
    version = publish_goldens(connection, index.master, rows, [], act, [], at, today).read()
    entry = Entry(
        at=at,
        event=Event.OVERRIDE_MADE,
        caller=through.caller,
        official=by,
        purpose=through.purpose,
        dataset=index.master.id,
        outcome="done",
        details=details,
    )
    append_entries(connection, [entry], workshop.signer)
    return Overridden(act, version)
