"""Runs: what was begun, how far it came, how it ended."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from lienthong.store.database import Connection, queries

AGAIN = "again"  # stands for the fingerprint of a run that judges earlier deliveries anew: it brought none of its own


@dataclass(frozen=True)
class Counts:
    """What became of the rows of a run: rows_in = published + unchanged + quarantined, always."""

    rows_in: int = 0
    rows_published: int = 0
    rows_unchanged: int = 0
    rows_quarantined: int = 0
    rows_ended: int = 0
    warnings: int = 0


@dataclass(frozen=True)
class StoredRun:
    run_id: int
    dataset_id: str
    source_name: str
    delivery: str
    state: str
    contract_digest: str
    fingerprint: str | None
    started_at: datetime
    ended_at: datetime | None
    delivered_on: date
    rows_in: int
    rows_published: int
    rows_unchanged: int
    rows_quarantined: int
    rows_ended: int
    warnings: int
    version: int | None
    waits_for: list[dict[str, Any]] | None
    error: str | None


@dataclass(frozen=True)
class Unfinished:
    """A run that was cut off: its landing can go on after `position`, or is complete."""

    run_id: int
    state: str
    fingerprint: str | None
    position: Mapping[str, Any] | None
    rows_in: int
    delivered_on: date
    contract_digest: str
    delivery: str


@dataclass(frozen=True)
class LastDone:
    """The newest run of a source that ended well."""

    run_id: int
    fingerprint: str | None
    contract_digest: str
    position: Mapping[str, Any] | None
    rows_in: int
    rows_quarantined: int
    version: int | None


def begin(
    connection: Connection, dataset_id: str, source_name: str, delivery: str, contract_digest: str,
    fingerprint: str | None, at: datetime, delivered_on: date,
) -> int:  # fmt: skip
    """Begin a run in state landing; gives its number."""
    row = connection.execute(
        queries("runs")["begin"],
        {
            "dataset": dataset_id,
            "source": source_name,
            "delivery": delivery,
            "contract_digest": contract_digest,
            "fingerprint": fingerprint,
            "at": at,
            "delivered_on": delivered_on,
        },
    ).fetchone()
    assert row is not None  # `returning` of an insert
    return int(row[0])


def keep_fingerprint(connection: Connection, run_id: int, fingerprint: str) -> None:
    """What a delivery turned out to be that was read while it was fetched."""
    connection.execute(queries("runs")["keep_fingerprint"], {"run": run_id, "fingerprint": fingerprint})


def deliveries(connection: Connection, dataset_id: str, source_name: str) -> list[int]:
    """Runs of a source whose rows are believed, in their order, from the last one that read it whole; none that judged others anew."""
    values = {"dataset": dataset_id, "source": source_name, "again": AGAIN}
    return [int(row[0]) for row in connection.execute(queries("runs")["deliveries"], values).fetchall()]


def unfinished(connection: Connection, dataset_id: str, source_name: str) -> Unfinished | None:
    row = connection.execute(queries("runs")["unfinished"], {"dataset": dataset_id, "source": source_name}).fetchone()
    return None if row is None else Unfinished(*row)


def last_done(connection: Connection, dataset_id: str, source_name: str) -> LastDone | None:
    row = connection.execute(queries("runs")["last_done"], {"dataset": dataset_id, "source": source_name}).fetchone()
    return None if row is None else LastDone(*row)


def waiting(connection: Connection, dataset_id: str) -> int | None:
    """The newest run of the dataset that waits for a person."""
    row = connection.execute(queries("runs")["waiting"], {"dataset": dataset_id}).fetchone()
    return None if row is None else int(row[0])


def landed(connection: Connection, run_id: int, rows_in: int, position: Mapping[str, Any] | None) -> None:
    connection.execute(
        queries("runs")["landed"], {"run": run_id, "rows_in": rows_in, "position": None if position is None else json.dumps(position)}
    )


def finish(
    connection: Connection, run_id: int, state: str, at: datetime, counts: Counts, contract_digest: str,
    version: int | None = None, waits_for: object = None,
) -> None:  # fmt: skip
    connection.execute(
        queries("runs")["finish"],
        {
            "run": run_id,
            "state": state,
            "at": at,
            **counts.__dict__,
            "contract_digest": contract_digest,
            "version": version,
            "waits_for": None if waits_for is None else json.dumps(waits_for, ensure_ascii=False),
            "error": None,
        },
    )


def fail(connection: Connection, run_id: int, at: datetime, error: str, state: str = "failed") -> None:
    connection.execute(queries("runs")["fail"], {"run": run_id, "state": state, "at": at, "error": error})


def show(connection: Connection, run_id: int) -> StoredRun | None:
    row = connection.execute(queries("runs")["show"], {"run": run_id}).fetchone()
    return None if row is None else StoredRun(*row)


def recent(connection: Connection, dataset_id: str | None = None, limit: int = 20) -> list[StoredRun]:
    return [StoredRun(*row) for row in connection.execute(queries("runs")["recent"], {"dataset": dataset_id, "limit": limit}).fetchall()]


def last_contract_digest(connection: Connection, dataset_id: str) -> str | None:
    """The contract under which the newest version was judged; None before the first."""
    row = connection.execute(queries("runs")["last_contract_digest"], {"dataset": dataset_id}).fetchone()
    return None if row is None else str(row[0])


@dataclass(frozen=True)
class Decision:
    """A person's word on a run: approved or withdrawn."""

    act: str
    by_whom: str
    reason: str
    made_by_run: int | None
    at: datetime


@dataclass(frozen=True)
class PeriodRevision:
    """One change of a period after it closed; as it closed it was revision 1."""

    period: str
    revision: int
    version: int
    run_id: int
    rows: int
    by_whom: str
    reason: str
    at: datetime


def last_rows_in(connection: Connection, dataset_id: str, source_name: str) -> int:
    """Rows of the newest whole delivery of a source that ended well; 0 before the first."""
    row = connection.execute(queries("runs")["last_rows_in"], {"dataset": dataset_id, "source": source_name}).fetchone()
    return 0 if row is None else int(row[0])


def last_delivered_columns(connection: Connection, dataset_id: str, source_name: str) -> list[str]:
    """The properties that came with the newest version of a source; none before the first."""
    row = connection.execute(queries("runs")["last_delivered_columns"], {"dataset": dataset_id, "source": source_name}).fetchone()
    return [] if row is None else list(row[0])


def withdrawn_with(connection: Connection, dataset_id: str, source_name: str, fingerprint: str | None, run_id: int) -> int | None:
    """The run, other than `run_id`, that brought this very delivery and was withdrawn."""
    if not fingerprint:
        return None
    values = {"dataset": dataset_id, "source": source_name, "fingerprint": fingerprint, "run": run_id}
    row = connection.execute(queries("runs")["withdrawn_with"], values).fetchone()
    return None if row is None else int(row[0])


def withdraw_published(connection: Connection, run_id: int) -> None:
    connection.execute(queries("runs")["withdraw_published"], {"run": run_id})


def decide(connection: Connection, run_id: int, act: str, by: str, reason: str, at: datetime, made_by: int | None = None) -> None:
    """Keep a person's word on a run."""
    values = {"run": run_id, "act": act, "by": by, "reason": reason, "made_by": made_by, "at": at}
    connection.execute(queries("runs")["decide"], values)


def decisions(connection: Connection, run_id: int) -> list[Decision]:
    """What persons decided of a run, oldest first."""
    return [Decision(*row) for row in connection.execute(queries("runs")["decisions"], {"run": run_id}).fetchall()]


def revise_period(
    connection: Connection, dataset_id: str, period: str, rows: int, version: int, run_id: int, by: str, reason: str, at: datetime
) -> None:
    """Keep that a closed period changed."""
    values = {
        "dataset": dataset_id,
        "period": period,
        "rows": rows,
        "version": version,
        "run": run_id,
        "by": by,
        "reason": reason,
        "at": at,
    }
    connection.execute(queries("runs")["revise_period"], values)


def period_revisions(connection: Connection, dataset_id: str, limit: int = 100) -> list[PeriodRevision]:
    """Revisions of a dataset's closed periods, newest first."""
    rows = connection.execute(queries("runs")["period_revisions"], {"dataset": dataset_id, "limit": limit}).fetchall()
    return [PeriodRevision(*row) for row in rows]


def waiting_with(connection: Connection, dataset_id: str, source_name: str, fingerprint: str | None) -> int | None:
    """The run of a source that waits for a person with this very delivery."""
    if not fingerprint:
        return None
    values = {"dataset": dataset_id, "source": source_name, "fingerprint": fingerprint}
    row = connection.execute(queries("runs")["waiting_with"], values).fetchone()
    return None if row is None else int(row[0])
