"""What is known of each sync, and the agreed view as the store reads it: rows in key order, by key, and their hashes added up."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, LiteralString

from psycopg import sql

from lienthong.store.answers import Condition, condition_text
from lienthong.store.database import Connection, queries
from lienthong.store.tables import current, history

if TYPE_CHECKING:
    import pyarrow as pa

BUCKET_DIGITS = 3  # as in connectors.row_hash, whose text `_TEXTS` makes
_TEXTS: dict[str, LiteralString] = {
    "string": "{}",
    "integer": "{}::text",
    "number": "encode(float8send({}), 'hex')",
    "boolean": "{}::text",
    "date": "to_char({}, 'YYYY-MM-DD')",
    "timestamp": "to_char({} at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS.US')",
}


@dataclass(frozen=True)
class SyncState:
    """How a sync stands. `state` is filling, following, waiting (for a person), stopped, failing or paused."""

    sync: str
    state: str
    said_vi: str
    said_en: str
    version: int | None
    delivered: int
    failures: int
    next_try_at: datetime | None
    worked_at: datetime | None
    announced: Mapping[str, Any] | None
    checked_at: datetime | None
    checked: Mapping[str, Any] | None
    asked: str | None


@dataclass(frozen=True)
class Drift:
    """A row of a copy that was not as it should be: changed, missing, or foreign (not ours)."""

    found_at: datetime
    key: str
    kind: str
    fields: tuple[str, ...]
    put_back_at: datetime | None


@dataclass(frozen=True)
class View:
    """Which rows and fields of a dataset; `kinds` are the fields' logical types."""

    dataset_id: str
    fields: tuple[str, ...]
    kinds: tuple[str, ...]
    conditions: tuple[Condition, ...] = ()


def states(connection: Connection) -> dict[str, SyncState]:
    return {row[0]: SyncState(*row) for row in connection.execute(queries("syncs")["all"]).fetchall()}


def whose(connection: Connection) -> list[tuple[str, str, str]]:
    """(sync, dataset, subsystem) of every sync that ever ran."""
    return [(row[0], row[1], row[2]) for row in connection.execute(queries("syncs")["whose"])]


def state(connection: Connection, sync: str) -> SyncState | None:
    row = connection.execute(queries("syncs")["one"], {"sync": sync}).fetchone()
    return None if row is None else SyncState(*row)


def note(
    connection: Connection, sync: str, dataset: str, consumer: str, state: str, *, vi: str = "", en: str = "", version: int | None = None,
    failures: int = 0, next_try_at: datetime | None = None, worked_at: datetime | None = None,
) -> None:  # fmt: skip
    """Remember how a sync stands."""
    connection.execute(
        queries("syncs")["note"],
        {
            "sync": sync, "dataset": dataset, "consumer": consumer, "state": state, "vi": vi, "en": en, "version": version, "failures": failures,
            "next_try_at": next_try_at, "worked_at": worked_at,
        },
    )  # fmt: skip


def note_delivery(connection: Connection, sync: str, dataset: str, consumer: str, state: str, rows: int) -> None:
    values = {"sync": sync, "dataset": dataset, "consumer": consumer, "state": state, "rows": rows}
    connection.execute(queries("syncs")["delivered"], values)


def announce(connection: Connection, sync: str, announced: Mapping[str, Any] | None) -> None:
    text = None if announced is None else json.dumps(announced, ensure_ascii=False)
    connection.execute(queries("syncs")["announce"], {"sync": sync, "announced": text})


def note_check(connection: Connection, sync: str, at: datetime, checked: Mapping[str, Any]) -> None:
    connection.execute(queries("syncs")["checked"], {"sync": sync, "at": at, "checked": json.dumps(checked, ensure_ascii=False)})


def ask(connection: Connection, sync: str, what: str, by: str) -> bool:
    """Remember what a person wants done now (run, check, repair); False when the sync never ran."""
    return connection.execute(queries("syncs")["ask"], {"sync": sync, "what": what, "by": by}).rowcount == 1


def answered(connection: Connection, sync: str, what: str) -> None:
    connection.execute(queries("syncs")["answered"], {"sync": sync, "what": what})


def add_drifts(connection: Connection, sync: str, drifts: Sequence[Drift]) -> None:
    rows = [
        {"sync": sync, "at": d.found_at, "key": d.key, "kind": d.kind, "fields": list(d.fields), "put_back_at": d.put_back_at}
        for d in drifts
    ]
    with connection.cursor() as cursor:
        cursor.executemany(queries("syncs")["add_drift"], rows)


def drifts(connection: Connection, sync: str, limit: int = 100) -> list[Drift]:
    rows = connection.execute(queries("syncs")["drifts"], {"sync": sync, "limit": limit}).fetchall()
    return [Drift(at, key, kind, tuple(fields), put_back) for at, key, kind, fields, put_back in rows]


def newest_versions(connection: Connection, datasets: Sequence[str]) -> dict[str, int]:
    """Dataset → its newest version, 0 where nothing is published."""
    return dict(connection.execute(queries("syncs")["newest"], {"datasets": list(datasets)}).fetchall())


class ViewReader:
    """Reads a view in Arrow tables of (lienthong_key, fields…), over one connection."""

    def __init__(self, cursor: Any, view: View) -> None:
        self._cursor = cursor
        self._view = view

    def rows(self, version: int, after: str, limit: int) -> pa.Table:
        """Rows as a version had them, in key order, after a key."""
        return self._fetch(
            queries("syncs")["rows"].format(**_parts(self._view, version), after=sql.Literal(after), limit=sql.Literal(limit))
        )

    def rows_of(self, version: int, keys: Sequence[str]) -> pa.Table:
        return self._fetch(queries("syncs")["rows_of"].format(**_parts(self._view, version), keys=sql.Literal(list(keys))))

    def _fetch(self, statement: sql.Composed) -> pa.Table:
        self._cursor.execute(statement.as_string(None))
        return self._cursor.fetch_arrow_table()


@contextmanager
def reading(database_url: str, view: View) -> Iterator[ViewReader]:
    import adbc_driver_postgresql.dbapi as adbc  # type: ignore[import-untyped]  # noqa: PLC0415 # no types are published; loaded where rows are read

    with adbc.connect(database_url, autocommit=True) as connection, connection.cursor() as cursor:
        cursor.execute("set timezone to 'UTC'")
        yield ViewReader(cursor, view)


def sums(connection: Connection, view: View, version: int) -> list[tuple[Any, ...]]:
    """(bucket, rows, four sums) of a view as a version had it."""
    return connection.execute(queries("syncs")["sums"].format(hashed=_hashed(view, version))).fetchall()


def hashes(connection: Connection, view: View, version: int, buckets: Sequence[str]) -> dict[str, str]:
    """Key → hash of the rows of some buckets."""
    statement = queries("syncs")["hashes"].format(hashed=_hashed(view, version))
    return dict(connection.execute(statement, {"buckets": list(buckets)}).fetchall())


def _hashed(view: View, version: int) -> sql.Composed:
    texts: list[sql.Composable] = [sql.Identifier("_key")]
    texts += [sql.SQL(_TEXTS[kind]).format(sql.Identifier(name)) for name, kind in zip(view.fields, view.kinds, strict=True)]
    parts = [sql.SQL("coalesce('v' || char_length({0}) || ':' || {0}, 'n')").format(text) for text in texts]
    return queries("syncs")["hashed"].format(**_parts(view, version), text=sql.SQL(" || ").join(parts), digits=sql.Literal(BUCKET_DIGITS))


def _parts(view: View, version: int) -> dict[str, sql.Composable]:
    conditions: list[sql.Composable] = [condition_text(condition, sql.Literal(condition.value)) for condition in view.conditions]
    return {
        "columns": sql.SQL(", ").join(sql.Identifier(name) for name in view.fields),
        "current": current(view.dataset_id),
        "history": history(view.dataset_id),
        "version": sql.Literal(version),
        "conditions": sql.SQL(" and ").join(conditions or [sql.SQL("true")]),
    }
