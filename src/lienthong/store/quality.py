"""Profiles and scores of versions, and what drifted: counted in the database, no value of a person leaves it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import sql

from lienthong.contracts import Contract, Property
from lienthong.store.database import Connection, queries
from lienthong.store.tables import current

MOST_BUCKETS = 400


@dataclass(frozen=True)
class ScoredVersion:
    """One version's scores: dimension → per cent of its records without an issue of it."""

    version: int
    run_id: int
    at: datetime
    records: int
    scores: Mapping[str, float]


@dataclass(frozen=True)
class DriftNote:
    dataset_id: str
    version: int
    kind: str
    column: str
    found: float
    usual: float
    vi: str
    en: str
    at: datetime


def unprofiled(connection: Connection) -> list[tuple[str, int, int]]:
    """(dataset, version, run) of newest versions without a profile."""
    return connection.execute(queries("quality")["unprofiled"]).fetchall()


def count_records(connection: Connection, contract: Contract, names: Sequence[str]) -> tuple[int, dict[str, int]]:
    """(records there are, column → how many are empty)."""
    empties = sql.SQL(", ").join(sql.SQL("count(*) - count({})").format(sql.Identifier(name)) for name in names)
    row = connection.execute(queries("quality")["count_records"].format(empties=empties, current=current(contract.id))).fetchone()
    assert row is not None  # an aggregate
    return int(row[0]), dict(zip(names, map(int, row[1:]), strict=True))


def buckets(connection: Connection, contract: Contract, p: Property, kind: str) -> dict[str, int]:
    """How a column's values lie: `value` by name, `length` of a text, `size` of a number (its power of two), `year` of a date."""
    column = sql.Identifier(p.name)
    told = {
        "value": "{}::text",
        "length": "length({}::text)::text",
        "size": "case when {0} = 0 then '0' else concat(case when {0} < 0 then '-' end, floor(log(2, abs({0})::numeric))::text) end",
        "year": "extract(year from {})::text",
    }[kind]
    statement = queries("quality")["buckets"].format(
        bucket=sql.SQL(told).format(column), column=column, current=current(contract.id), most=sql.Literal(MOST_BUCKETS)
    )
    return {str(bucket): int(count) for bucket, count in connection.execute(statement).fetchall()}


def issues_of(connection: Connection, dataset_id: str, run_id: int) -> list[tuple[str, str, int]]:
    """(rule, severity, issues) of one run."""
    return connection.execute(queries("quality")["broken_now"], {"dataset": dataset_id, "run": run_id}).fetchall()


def keep_profile(
    connection: Connection,
    dataset_id: str,
    version: int,
    run_id: int,
    profile: Mapping[str, Any],
    scores: Mapping[str, float],
    at: datetime,
) -> bool:
    """Keep what a version looks like; false where somebody kept it before."""
    values = {
        "dataset": dataset_id, "version": version, "run": run_id, "at": at, "profile": json.dumps(profile, ensure_ascii=False),
        "scores": json.dumps(scores),
    }  # fmt: skip
    return connection.execute(queries("quality")["keep_profile"], values).rowcount == 1


def keep_drift(connection: Connection, note: DriftNote) -> None:
    values = {"dataset": note.dataset_id, **{name: value for name, value in vars(note).items() if name != "dataset_id"}}
    connection.execute(queries("quality")["keep_drift"], values)


def newest(connection: Connection, dataset_id: str) -> tuple[int, bool] | None:
    """(a dataset's newest version, whether its profile is kept); None before the first."""
    return connection.execute(queries("quality")["newest_version"], {"dataset": dataset_id}).fetchone()


def profiles(connection: Connection, dataset_id: str, before: int, limit: int) -> list[dict[str, Any]]:
    """Profiles of versions before one, newest first."""
    values = {"dataset": dataset_id, "before": before, "limit": limit}
    return [row[0] for row in connection.execute(queries("quality")["profiles"], values).fetchall()]


def history(connection: Connection, dataset_id: str, limit: int = 50) -> list[ScoredVersion]:
    """A dataset's scores over time, newest first."""
    rows = connection.execute(queries("quality")["history"], {"dataset": dataset_id, "limit": limit}).fetchall()
    return [ScoredVersion(*row) for row in rows]


def notes(connection: Connection, dataset_id: str | None = None, limit: int = 50) -> list[DriftNote]:
    """What drifted, newest first."""
    return [DriftNote(*row) for row in connection.execute(queries("quality")["notes"], {"dataset": dataset_id, "limit": limit}).fetchall()]


def scores_now(connection: Connection) -> list[tuple[str, int, datetime, int, dict[str, float]]]:
    """(dataset, version, when, records, scores) of every dataset's newest profile."""
    return connection.execute(queries("quality")["scores_now"]).fetchall()


def trends(connection: Connection, limit: int) -> dict[str, list[ScoredVersion]]:
    """Dataset → its last scored versions, oldest first."""
    found: dict[str, list[ScoredVersion]] = {}
    for dataset, *row in connection.execute(queries("quality")["trends"], {"limit": limit}).fetchall():
        found.setdefault(dataset, []).append(ScoredVersion(*row))
    return found


def runs_waiting(connection: Connection) -> dict[str, list[int]]:
    """Dataset → runs that wait for a person."""
    return dict(connection.execute(queries("quality")["runs_waiting"]).fetchall())


def notes_from(connection: Connection, at: datetime) -> list[DriftNote]:
    """What drifted since an instant, of all datasets, newest first."""
    return [DriftNote(*row) for row in connection.execute(queries("quality")["notes_from"], {"since": at}).fetchall()]


def rules_by_run(connection: Connection, dataset_id: str, limit: int = 10) -> list[tuple[int, datetime, str, str, int]]:
    """(run, when, rule, severity, issues), newest run first."""
    return connection.execute(queries("quality")["rules_by_run"], {"dataset": dataset_id, "limit": limit}).fetchall()


def since(connection: Connection, at: datetime) -> list[tuple[str, int]]:
    """(dataset, version) of each note since an instant."""
    return connection.execute(queries("quality")["notes_since"], {"since": at}).fetchall()
