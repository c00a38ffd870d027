"""Keeps files and requests about personal data, and every step of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg.types.json import Jsonb

from lienthong.store.database import Connection, queries

MOST = 500


@dataclass(frozen=True)
class Step:
    act: str
    state: str
    at: datetime
    by_whom: str
    words: str = ""
    legal_text: str = ""


@dataclass(frozen=True)
class Case:
    """A file or a request as it stands; `person` is the sealed number of who asks."""

    case: int
    kind: str
    agency: str
    dataset: str
    subject: str | None
    person: bytes | None
    content: Mapping[str, Any]
    opened_at: datetime
    opened_by: str
    begins_at: datetime
    answer_by: datetime | None
    act_by: datetime
    legal_basis: str
    state: str = "open"
    moved_at: datetime | None = None

    def due(self) -> datetime | None:
        """What is due next; None when it has ended."""
        if self.state == "open" and self.answer_by is not None:
            return min(self.answer_by, self.act_by)
        return self.act_by if self.state in ("open", "answered") else None

    def is_overdue(self, now: datetime) -> bool:
        due = self.due()
        return due is not None and due < now


@dataclass(frozen=True)
class Which:
    """Which cases are wanted; None: whatever."""

    case: int | None = None
    agency: str | None = None
    subject: str | None = None
    is_live: bool = False
    overdue_at: datetime | None = None
    limit: int = MOST


def open_case(connection: Connection, case: Case) -> int:
    """Keep a new case; its number."""
    row = connection.execute(
        queries("privacy")["open"],
        {
            "kind": case.kind, "agency": case.agency, "dataset": case.dataset, "subject": case.subject, "person": case.person,
            "content": Jsonb(dict(case.content)), "opened_at": case.opened_at, "opened_by": case.opened_by, "begins_at": case.begins_at,
            "answer_by": case.answer_by, "act_by": case.act_by, "legal_basis": case.legal_basis,
        },
    ).fetchone()  # fmt: skip
    assert row is not None  # insert … returning gives one
    return int(row[0])


def add_step(connection: Connection, case: int, step: Step) -> None:
    connection.execute(
        queries("privacy")["step"],
        {
            "case": case, "act": step.act, "state": step.state, "at": step.at, "by": step.by_whom, "words": step.words,
            "legal_text": step.legal_text,
        },
    )  # fmt: skip


def hold(connection: Connection, case: int) -> None:
    """Nobody else moves this case until the transaction ends."""
    connection.execute(queries("privacy")["hold"], {"case": case})


def cases(connection: Connection, which: Which) -> list[Case]:
    """Cases as they stand, what is due first at the top."""
    asked = {
        "case": which.case, "agency": which.agency, "subject": which.subject, "live": which.is_live, "overdue_at": which.overdue_at,
        "limit": which.limit,
    }  # fmt: skip
    return [Case(*row) for row in connection.execute(queries("privacy")["cases"], asked)]


def steps(connection: Connection, case: int) -> list[Step]:
    return [Step(*row) for row in connection.execute(queries("privacy")["steps"], {"case": case})]
