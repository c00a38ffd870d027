"""Checks made before a dataset is opened, and what was decided on them. A decision stands until the next; nothing is taken away."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from lienthong.store.database import Connection, queries

MOST_SHOWN = 200


@dataclass(frozen=True)
class Check:
    """One check. `shape`: digest of what was checked of the contract; `report`: what was measured and found, in counts."""

    number: int
    dataset: str
    version: int
    contract_version: str
    shape: str
    verdict: str
    report: Mapping[str, Any]
    checked_by: str
    checked_at: datetime


@dataclass(frozen=True)
class Decision:
    """`outcome`: allowed or refused. `proposed_by`: the first of two persons, where two decided."""

    check: int
    dataset: str
    shape: str
    outcome: str
    reason: str
    proposed_by: str | None
    decided_by: str
    decided_at: datetime
    ended_at: datetime | None


def add_check(connection: Connection, check: Check) -> int:
    """Keep a check; its number is given here."""
    values = {
        "dataset": check.dataset,
        "version": check.version,
        "contract_version": check.contract_version,
        "shape": check.shape,
        "verdict": check.verdict,
        "report": json.dumps(check.report, ensure_ascii=False),
        "by": check.checked_by,
        "at": check.checked_at,
    }
    row = connection.execute(queries("releasing")["add_check"], values).fetchone()
    assert row is not None
    return int(row[0])


def find_check(connection: Connection, number: int) -> Check | None:
    row = connection.execute(queries("releasing")["find_check"], {"number": number}).fetchone()
    return None if row is None else Check(*row)


def list_checks(connection: Connection, dataset: str | None) -> list[Check]:
    """Newest first."""
    rows = connection.execute(queries("releasing")["list_checks"], {"dataset": dataset, "limit": MOST_SHOWN}).fetchall()
    return [Check(*row) for row in rows]


def add_decision(connection: Connection, decision: Decision) -> None:
    """Let a decision stand from now on; the one before ends. Two at once stand one after the other."""
    connection.execute(queries("releasing")["lock_dataset"], {"dataset": decision.dataset})
    connection.execute(queries("releasing")["end_decision"], {"dataset": decision.dataset, "at": decision.decided_at})
    values = {
        "check": decision.check,
        "dataset": decision.dataset,
        "shape": decision.shape,
        "outcome": decision.outcome,
        "reason": decision.reason,
        "proposed_by": decision.proposed_by,
        "by": decision.decided_by,
        "at": decision.decided_at,
    }
    connection.execute(queries("releasing")["add_decision"], values)


def standing_decision(connection: Connection, dataset: str) -> Decision | None:
    row = connection.execute(queries("releasing")["standing"], {"dataset": dataset}).fetchone()
    return None if row is None else Decision(*row)


def decisions_of(connection: Connection, dataset: str | None) -> list[Decision]:
    """Newest first, those that ended too."""
    rows = connection.execute(queries("releasing")["decisions"], {"dataset": dataset, "limit": MOST_SHOWN}).fetchall()
    return [Decision(*row) for row in rows]
