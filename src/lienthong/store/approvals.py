"""Proposals that wait for a second person, and how they were decided. A decided one never changes again."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from lienthong.store.database import Connection, queries

MOST_SHOWN = 500


@dataclass(frozen=True)
class Proposal:
    """What somebody proposed. `state`: waiting, approved, refused, withdrawn; `digest` is of the document that was seen."""

    number: int
    kind: str
    document: Mapping[str, Any]
    digest: str
    agency: str
    reason: str
    proposed_by: str
    proposed_at: datetime
    expires_at: datetime
    state: str = "waiting"
    decided_by: str | None = None
    decided_at: datetime | None = None
    words: str | None = None


def add(connection: Connection, proposal: Proposal) -> int:
    """Keep a new proposal; its number is given here."""
    values = {
        "kind": proposal.kind,
        "document": json.dumps(proposal.document, ensure_ascii=False),
        "digest": proposal.digest,
        "agency": proposal.agency,
        "reason": proposal.reason,
        "by": proposal.proposed_by,
        "at": proposal.proposed_at,
        "expires_at": proposal.expires_at,
    }
    row = connection.execute(queries("approvals")["propose"], values).fetchone()
    assert row is not None
    return int(row[0])


def find(connection: Connection, number: int) -> Proposal | None:
    row = connection.execute(queries("approvals")["find"], {"proposal": number}).fetchone()
    return None if row is None else Proposal(*row)


def take(connection: Connection, number: int) -> Proposal | None:
    """A proposal, held until the transaction ends: two who decide at once do so one after the other."""
    row = connection.execute(queries("approvals")["take"], {"proposal": number}).fetchone()
    return None if row is None else Proposal(*row)


def decide(connection: Connection, number: int, state: str, by: str, words: str, at: datetime) -> None:
    connection.execute(queries("approvals")["decide"], {"proposal": number, "state": state, "by": by, "words": words, "at": at})


def waiting(connection: Connection, kinds: Sequence[str], at: datetime) -> list[Proposal]:
    """Proposals of some kinds that wait and have not lapsed, oldest first."""
    rows = connection.execute(queries("approvals")["waiting"], {"kinds": list(kinds), "at": at, "limit": MOST_SHOWN}).fetchall()
    return [Proposal(*row) for row in rows]
