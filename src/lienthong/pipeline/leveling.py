"""How a subsystem stands with its security level: what it needs for what it reads, what was approved, and whether that suffices."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from lienthong.access import ApprovedLevel, Identity, Lowest, Needed, State, fault_of_level, needed_level
from lienthong.contracts import Contract
from lienthong.errors import Denied
from lienthong.settings import Settings
from lienthong.store import Connection
from lienthong.store import agreements as agreed
from lienthong.store import security_levels as store
from lienthong.store.agreements import Kept
from lienthong.store.security_levels import KeptLevel

READING = frozenset({State.REQUESTED, State.GRANTED, State.ACTIVE, State.SUSPENDED})


@dataclass(frozen=True)
class LevelStanding:
    """What is needed and what there is; `fault` is why it does not suffice."""

    needed: Needed
    approved: ApprovedLevel | None
    fault: tuple[str, str] | None
    days_left: int | None
    has_file: bool = False
    recorded_at: datetime | None = None

    @property
    def is_done(self) -> bool:
        return self.fault is None and (self.approved is not None or self.needed.rule is None)

    def is_ending(self, warn_days: int) -> bool:
        """Whether its last day is near, or past."""
        return self.days_left is not None and self.days_left <= warn_days


@dataclass(frozen=True)
class LevelEnding:
    """An approval whose last day is near or past."""

    identifier: str
    level: int
    valid_until: date
    days_left: int


def lowest_of(settings: Settings) -> Lowest:
    """The lowest levels the province takes."""
    return Lowest(settings.security_level_identity, settings.security_level_connected)


def level_standing(
    connection: Connection, contracts: Mapping[str, Contract], identifier: str, lowest: Lowest, today: date
) -> LevelStanding:  # fmt: skip
    """How one subsystem stands: for the datasets of its agreements, those asked for included."""
    held = agreed.standing(connection, consumer=Identity.parse(identifier).agency)
    return _standing(contracts, identifier, held, store.current(connection, identifier).get(identifier), lowest, today)


def level_standings(
    connection: Connection, contracts: Mapping[str, Contract], identifiers: Iterable[str], lowest: Lowest, today: date
) -> dict[str, LevelStanding]:  # fmt: skip
    """How many stand, by identifier."""
    held: dict[str, list[Kept]] = {}
    for kept in agreed.standing(connection):
        held.setdefault(kept.consumer, []).append(kept)
    approved = store.current(connection)
    return {name: _standing(contracts, name, held.get(name, []), approved.get(name), lowest, today) for name in identifiers}


def _standing(
    contracts: Mapping[str, Contract], identifier: str, held: Iterable[Kept], kept: KeptLevel | None, lowest: Lowest, today: date
) -> LevelStanding:  # fmt: skip
    read = {each.dataset for each in held if each.consumer == identifier and each.state in READING}
    needed = needed_level([contracts[dataset] for dataset in sorted(read) if dataset in contracts], lowest, today)
    approved = None if kept is None else kept.approved
    days_left = None if approved is None else (approved.valid_until - today).days
    fault = fault_of_level(approved, needed, today)
    return LevelStanding(needed, approved, fault, days_left, kept is not None and kept.has_file, None if kept is None else kept.at)


def require_level(
    connection: Connection, contracts: Mapping[str, Contract], identifier: str, lowest: Lowest, today: date
) -> None:  # fmt: skip
    """Raises Denied where the evidence does not suffice."""
    fault = level_standing(connection, contracts, identifier, lowest, today).fault
    if fault is not None:
        raise Denied(
            f"No production key: {fault[1]}.",
            rule="no_security_level",
            hint="Record the decision that approves the level: `PUT …/security-level`, or the subsystem's page of the console.",
            vi=f"Chưa nhận khóa chính thức: {fault[0]}.",
            hint_vi="Ghi quyết định phê duyệt cấp độ: `PUT …/security-level`, hoặc ở trang hệ thống của cơ quan.",
        )


def levels_ending(connection: Connection, today: date, warn_days: int) -> list[LevelEnding]:
    """Approvals whose last day is at most so many days away, or past, soonest first."""
    found = [
        LevelEnding(name, kept.approved.level, kept.approved.valid_until, (kept.approved.valid_until - today).days)
        for name, kept in store.current(connection).items()
    ]
    return sorted((each for each in found if each.days_left <= warn_days), key=lambda each: (each.valid_until, each.identifier))


def level_document(standing: LevelStanding, warn_days: int) -> dict[str, Any]:
    """The standing as pages and the API tell it."""
    rule, approved = standing.needed.rule, standing.approved
    basis = None if rule is None else rule.legal_basis
    return {
        "needed": standing.needed.level,
        "why": None if rule is None else rule.why[0],
        "why_en": None if rule is None else rule.why[1],
        "legal_basis": None if basis is None else {"text": basis.text, "valid_from": basis.valid_from, "valid_to": basis.valid_to},
        "approved": None if approved is None else {**vars(approved), "has_file": standing.has_file},
        "is_enough": standing.is_done,
        "fault": None if standing.fault is None else standing.fault[0],
        "fault_en": None if standing.fault is None else standing.fault[1],
        "days_left": standing.days_left,
        "is_ending": standing.is_ending(warn_days),
    }
