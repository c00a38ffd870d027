"""Answers already given to submissions, by caller and idempotency key, so that sending twice does it once."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from lienthong.store.database import Connection, queries
from lienthong.store.tables import current


@dataclass(frozen=True)
class StoredSubmission:
    body_digest: bytes
    answer: dict[str, Any]


def find(connection: Connection, caller: str, dataset_id: str, idempotency_key: str) -> StoredSubmission | None:
    """The answer given to this key before, or None."""
    values = {"caller": caller, "dataset": dataset_id, "key": idempotency_key}
    row = connection.execute(queries("submissions")["find"], values).fetchone()
    return None if row is None else StoredSubmission(bytes(row[0]), row[1])


def keep(
    connection: Connection, caller: str, dataset_id: str, idempotency_key: str, body_digest: bytes, run_id: int,
    answer: Mapping[str, Any], at: datetime,
) -> None:  # fmt: skip
    """Remember an answer in the transaction that made it true."""
    values = {
        "caller": caller,
        "dataset": dataset_id,
        "key": idempotency_key,
        "body_digest": body_digest,
        "run": run_id,
        "answer": json.dumps(answer, ensure_ascii=False),
        "at": at,
    }
    connection.execute(queries("submissions")["keep"], values)


def published_rows(connection: Connection, dataset_id: str, run_id: int) -> dict[int, str]:
    """Row number → key of the rows of a run that changed a record or made one, seen inside the run's own transaction."""
    statement = queries("submissions")["published_rows"].format(current=current(dataset_id))
    return dict(connection.execute(statement, {"run": run_id, "dataset": dataset_id}).fetchall())


def run_issues(connection: Connection, run_id: int) -> dict[int, list[dict[str, Any]]]:
    """Row number → its issues, in words."""
    found: dict[int, list[dict[str, Any]]] = {}
    for row_no, column, rule, code, severity, vi, en in connection.execute(
        queries("submissions")["run_issues"], {"run": run_id}
    ).fetchall():
        found.setdefault(row_no, []).append(
            {"column": column, "rule": rule, "code": code, "severity": severity, "expected_vi": vi, "expected_en": en}
        )
    return found


def held_rows(connection: Connection, run_id: int) -> dict[int, tuple[int, str | None]]:
    """Row number → (quarantine item, key) of rows of a run that wait."""
    rows = connection.execute(queries("submissions")["held_rows"], {"run": run_id}).fetchall()
    return {row_no: (item_id, key) for row_no, item_id, key in rows}
