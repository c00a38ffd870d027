"""Corrections proposed to the agency that decides: what was proposed, by whom, until when, and what became of it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from lienthong.store.database import Connection, queries


@dataclass(frozen=True)
class Proposal:
    """`kind` is change, begin or end; `state` open, accepted, refused or withdrawn. `by_agency` empty: a citizen."""

    proposal: int
    dataset_id: str
    key: str
    kind: str
    values: Mapping[str, Any]
    version: int
    reason: str
    evidence: Mapping[str, Any]
    owner: str
    by_name: str
    by_agency: str
    by_subsystem: str
    made_at: datetime
    due_on: date
    state: str = "open"
    decided_at: datetime | None = None
    words: str = ""
    published: int | None = None

    def is_overdue(self, on: date) -> bool:
        return self.state == "open" and self.due_on < on


def add(connection: Connection, made: Proposal) -> int:
    """Remember a proposal; gives its number (that of `made` does not count)."""
    values = {
        "dataset": made.dataset_id, "key": made.key, "kind": made.kind, "values": _json(made.values), "version": made.version,
        "reason": made.reason, "evidence": _json(made.evidence), "owner": made.owner, "by_name": made.by_name, "by_agency": made.by_agency,
        "by_subsystem": made.by_subsystem, "made_at": made.made_at, "due_on": made.due_on,
    }  # fmt: skip
    row = connection.execute(queries("proposals")["add"], values).fetchone()
    assert row is not None  # `returning` of an insert
    return int(row[0])


def open_alike(connection: Connection, made: Proposal) -> int | None:
    """An open proposal of the same proposer about a value of this one."""
    values = {
        "dataset": made.dataset_id, "key": made.key, "kind": made.kind, "by_agency": made.by_agency, "by_name": made.by_name,
        "owner": made.owner, "fields": sorted(made.values),
    }  # fmt: skip
    row = connection.execute(queries("proposals")["open_alike"], values).fetchone()
    return None if row is None else int(row[0])


def find(connection: Connection, proposal: int, *, lock: bool = False) -> Proposal | None:
    row = connection.execute(queries("proposals")["lock" if lock else "one"], {"proposal": proposal}).fetchone()
    return None if row is None else Proposal(*row)


def listed(
    connection: Connection, *, owner: str | None = None, by_agency: str | None = None, by_name: str | None = None, state: str | None = None,
    overdue_on: date | None = None, after: int = 0, limit: int = 100,
) -> list[Proposal]:  # fmt: skip
    """Proposals after a number, oldest first; `overdue_on`: open ones whose day is past then."""
    values = {
        "owner": owner, "by_agency": by_agency, "by_name": by_name, "state": state, "before": overdue_on, "after": after, "limit": limit,
    }  # fmt: skip
    return [Proposal(*row) for row in connection.execute(queries("proposals")["list"], values).fetchall()]


def decide(connection: Connection, proposal: int, state: str, by: str, words: str, at: datetime, published: int | None = None) -> bool:
    """Close an open proposal; False when it is not open any more."""
    values = {"proposal": proposal, "state": state, "by": by, "words": words, "at": at, "published": published}
    return connection.execute(queries("proposals")["decide"], values).rowcount == 1


def _json(value: Mapping[str, Any] | Sequence[Any]) -> str:
    return json.dumps(value, ensure_ascii=False)
