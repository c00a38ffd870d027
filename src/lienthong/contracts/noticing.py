"""Two versions of a contract side by side while a notice runs: what is answered then, and what from its last day on.

A change that only takes fields away is answered as both at once: the fields of the old version are still there, those of the new are there already.
Any other breaking change gives one field two meanings, so the old version stays in force whole until the notice ends (ADR 37).
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from lienthong.contracts.comparing import Change, Verdict, compare
from lienthong.contracts.load import build
from lienthong.contracts.model import Contract, Retiring

REMOVED = "property.removed"


@dataclass(frozen=True)
class Notice:
    """A breaking change that was announced. `ends_on`: the first day the old version is no longer answered."""

    number: int
    old: Contract
    new: Contract
    retiring: Retiring

    @property
    def is_side_by_side(self) -> bool:
        return are_removals(compare(self.old, self.new))


def are_removals(changes: tuple[Change, ...]) -> bool:
    """Whether all that breaks is fields taken away."""
    return all(change.what == REMOVED for change in changes if change.verdict is Verdict.BREAKING)


def removed_fields(old: Contract, new: Contract) -> tuple[str, ...]:
    names = {p.name for p in new.properties}
    return tuple(p.name for p in old.properties if p.name not in names)


def in_force(notice: Notice, today: date) -> Contract:
    """The contract that is answered and judged by on a day."""
    if today >= notice.retiring.ends_on:
        return notice.new
    found = merged(notice.old, notice.new) if notice.is_side_by_side else notice.old
    return replace(found, retiring=notice.retiring)


def merged(old: Contract, new: Contract) -> Contract:
    """The new version with the fields it takes away: optional now, without rules, filled as long as they are delivered."""
    document: dict[str, Any] = copy.deepcopy(dict(new.document))
    kept = set(removed_fields(old, new))
    names = {p.name for p in new.properties} | kept
    for found in old.document["schema"][0]["properties"]:
        if found.get("name") not in kept:
            continue
        left = {word: value for word, value in copy.deepcopy(found).items() if word not in ("required", "unique", "primaryKey", "primaryKeyPosition", "quality", "logicalTypeOptions")}  # fmt: skip
        words = [
            each for each in left.get("customProperties", []) if each.get("property") != "asOf" or each.get("value") in (*names, "delivery")
        ]
        document["schema"][0]["properties"].append({**left, "customProperties": words})
    return build(document, f"{new.id} {old.version} + {new.version}")
