"""Who has to do with a dataset whose contract changes, what is applied now, and breaking changes that are announced."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

from psycopg.types.json import Jsonb

from lienthong.store.database import Connection, queries
from lienthong.store.tables import table_name


class AgreementUse(NamedTuple):
    agreement: str
    consumer: str
    state: str
    fields: Any  # names, `all`, or name → how


class Read(NamedTuple):
    """Answers somebody was given: under which agreement (empty: open data), with which fields, how many, the last of them when."""

    caller: str
    agreement: str
    fields: list[str]
    answers: int
    last_at: datetime


class AppliedContract(NamedTuple):
    document: dict[str, Any]
    digest: str
    version: int  # the newest published; 0: none


class StoredNotice(NamedTuple):
    notice: int
    dataset: str
    old: dict[str, Any]
    new: dict[str, Any]
    version: str
    retires: list[str]
    announced_at: datetime
    ends_on: date


def agreements(connection: Connection, dataset: str) -> list[AgreementUse]:
    return [AgreementUse(*row) for row in _all(connection, "agreements", dataset=dataset)]


def subscriptions(connection: Connection, dataset: str) -> list[tuple[str, str, str]]:
    """(subscription, caller, road)."""
    return _all(connection, "subscriptions", dataset=dataset)


def syncs(connection: Connection, dataset: str) -> list[tuple[str, str, str]]:
    """(sync, consumer, state)."""
    return _all(connection, "syncs", dataset=dataset)


def reads(connection: Connection, dataset: str, since: datetime) -> list[Read]:
    needle = '"dataset":' + json.dumps(dataset)
    return [Read(*row) for row in _all(connection, "reads", dataset=dataset, needle=needle, since=since)]


def applied(connection: Connection, dataset: str) -> AppliedContract | None:
    row = connection.execute(_query("applied"), {"dataset": dataset}).fetchone()
    return None if row is None else AppliedContract(*row)


def columns(connection: Connection, dataset: str) -> list[tuple[str, str]]:
    """(column, type) of the current table, in order; none where there is no table."""
    return _all(connection, "columns", table=table_name(dataset))


def last_run(connection: Connection, dataset: str) -> tuple[int, float] | None:
    """(rows, seconds) of the newest run that published."""
    return connection.execute(_query("last_run"), {"dataset": dataset}).fetchone()


def lock(connection: Connection, dataset: str) -> None:
    """Contracts of one dataset are applied and announced one at a time, until the transaction ends."""
    connection.execute(_query("lock"), {"name": f"apply {dataset}"})


def announce(
    connection: Connection, dataset: str, old: Mapping[str, Any], new: Mapping[str, Any], version: str, retires: Sequence[str], at: datetime, by: str,
    reason: str, ends_on: date,
) -> int:  # fmt: skip
    row = connection.execute(
        _query("announce"),
        {"dataset": dataset, "old": Jsonb(old), "new": Jsonb(new), "version": version, "retires": list(retires), "at": at, "by": by, "reason": reason, "ends_on": ends_on},
    ).fetchone()  # fmt: skip
    assert row is not None  # `returning` of an insert
    return int(row[0])


def running(connection: Connection) -> list[StoredNotice]:
    return [StoredNotice(*row) for row in _all(connection, "running")]


def newest(connection: Connection) -> dict[str, tuple[int, str]]:
    """Dataset → (its newest notice, in which state)."""
    return {dataset: (number, state) for dataset, number, state in _all(connection, "newest")}


def end(connection: Connection, notice: int, at: datetime) -> bool:
    """Whether it was still running."""
    return connection.execute(_query("end"), {"notice": notice, "at": at}).fetchone() is not None


def withdraw(connection: Connection, notice: int, at: datetime, by: str, reason: str, leaves: Sequence[str]) -> bool:
    """Whether it was still running. `leaves`: fields only the version that is taken back had."""
    values = {"notice": notice, "at": at, "by": by, "reason": reason, "leaves": list(leaves)}
    return connection.execute(_query("withdraw"), values).fetchone() is not None


def _all(connection: Connection, name: str, **values: Any) -> list[Any]:
    return connection.execute(_query(name), values).fetchall()


def _query(name: str) -> Any:
    return queries("changing")[name]
