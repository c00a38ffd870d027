"""The list of data shared by default: who must look through it, and by when. A request within the provider's standing offer waits for nobody.

An agency looks through its own part. What a review finds changed is told against the one before, so nobody has to remember it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from lienthong.access.opening import months_after
from lienthong.contracts import Contract, LegalBasis, Sharing

LEGAL_BASIS = (
    LegalBasis("Nghị định 194/2025/NĐ-CP điều 16", date(2025, 8, 19), None),
    LegalBasis("Nghị định 47/2020/NĐ-CP điều 3.5, 34 (đã hết hiệu lực; giữ làm cách làm)", date(2020, 5, 25), date(2025, 10, 21)),
)


@dataclass(frozen=True)
class DefaultPart:
    """An agency's part of the list: what is on it, since its last review what came and went, and the day by which it is to be reviewed."""

    agency: str
    datasets: tuple[str, ...]
    added: tuple[str, ...]
    removed: tuple[str, ...]
    reviewed_on: date | None
    due_on: date

    def is_overdue(self, today: date) -> bool:
        return self.due_on < today


def shared_by_default(contracts: Iterable[Contract]) -> dict[str, list[Contract]]:
    """Data shared by default, by agency."""
    found: dict[str, list[Contract]] = {}
    for contract in sorted(contracts, key=lambda each: each.id):
        if contract.sharing is Sharing.DEFAULT:
            found.setdefault(contract.agency, []).append(contract)
    return found


def part_of(
    agency: str, listed: Iterable[str], reviewed: Iterable[str] | None, reviewed_on: date | None, since: date, months: int
) -> DefaultPart:
    """`reviewed`: what was on it at the last review, None where there was none; the first is due so many months after `since`."""
    now, before = set(listed), set(reviewed or ())
    added = () if reviewed is None else tuple(sorted(now - before))
    removed = () if reviewed is None else tuple(sorted(before - now))
    return DefaultPart(agency, tuple(sorted(now)), added, removed, reviewed_on, months_after(reviewed_on or since, months))
