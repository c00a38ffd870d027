"""The golden record of a cluster as a row of its master dataset: chosen values, and where each came from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any, Protocol

from lienthong.contracts import Contract
from lienthong.masterdata.survivorship import Override, Policy, Statement, golden, provenance

PROVENANCE = "provenance"  # the property of a master contract that says where each value came from


class Member(Protocol):
    """A record of a cluster."""

    @property
    def source(self) -> str: ...
    @property
    def key(self) -> str: ...
    @property
    def content(self) -> Mapping[str, Any] | None: ...
    @property
    def dated(self) -> date | None: ...


def statements_of(members: Iterable[Member]) -> list[Statement]:
    """What the records say, one statement a value."""
    return [
        Statement(attribute, value, member.source, member.key, member.dated)
        for member in members
        for attribute, value in (member.content or {}).items()
    ]


def golden_row(id: str, members: Sequence[Member], policy: Policy, master: Contract, overrides: Sequence[Override]) -> dict[str, Any]:
    """`_key`, every property of the master contract (typed, None where no record says anything) and the provenance."""
    chosen = golden(statements_of(members), policy, overrides)
    row: dict[str, Any] = {"_key": id}
    for p in master.properties:
        if p.key_position is not None:
            row[p.name] = id
        elif p.name == PROVENANCE:
            row[p.name] = provenance(chosen)
        else:
            row[p.name] = typed(chosen[p.name].value, p.logical_type) if p.name in chosen else None
    return row


def typed(text: Any, logical_type: str) -> Any:
    """A value as its property wants it; one that does not fit is no value."""
    try:
        if logical_type == "integer":
            return int(text)
        if logical_type == "number":
            return float(text)
        if logical_type == "boolean":
            return str(text) == "true"
        if logical_type == "date":
            return date.fromisoformat(str(text)).isoformat()
    except ValueError:
        return None
    return str(text)
