"""Where failing rows wait, with everything that is wrong with them. Nothing leaves but by going through, or by a word of its source."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import polars as pl
import pyarrow as pa
from psycopg import sql

from lienthong.store.copying import copy_frames
from lienthong.store.database import Connection, queries

ISSUES_SCHEMA = pa.schema(
    [
        ("dataset_id", pa.string()),
        ("run_id", pa.int64()),
        ("row_no", pa.int64()),
        ("column_name", pa.string()),
        ("rule", pa.string()),
        ("code", pa.string()),
        ("severity", pa.string()),
        ("found", pa.string()),
        ("expected_vi", pa.string()),
        ("expected_en", pa.string()),
    ]
)


@dataclass(frozen=True)
class HeldRow:
    """A row that did not pass: `raw` is the row as it came, by source column."""

    row_no: int
    source_row: int | None
    file_no: int | None
    digest: int | None
    key: str | None
    raw: Mapping[str, str | None]
    item: int | None = None  # the item it is, where that is known: a correction that did not help


@dataclass(frozen=True)
class Item:
    """A row waiting in quarantine, or one that has left it, with its issues."""

    item_id: int
    run_id: int
    row_no: int
    source_row: int | None
    uri: str | None
    sheet: str | None
    key: str | None
    state: str
    since: datetime
    ended_at: datetime | None
    raw: dict[str, str | None]
    corrected: dict[str, str | None] | None
    issues: list[dict[str, Any]]


def hold(connection: Connection, dataset_id: str, run_id: int, rows: Sequence[HeldRow], at: datetime) -> None:
    """Put rows into quarantine; a row that waits already (same digest) stays the same item and moves to this run."""
    waiting = _waiting_items(connection, dataset_id, [row.digest for row in rows if row.digest is not None])
    known, fresh = [(row.item, row) for row in rows if row.item is not None], []
    for row in (row for row in rows if row.item is None):
        items = waiting.get(row.digest, []) if row.digest is not None else []
        if items:
            known.append((items.pop(0), row))
        else:
            fresh.append(row)
    if known:
        connection.execute(
            queries("quarantine")["renew"],
            {
                "run": run_id,
                "items": [item for item, _ in known],
                "row_nos": [row.row_no for _, row in known],
                "keys": [row.key for _, row in known],
                "source_rows": [row.source_row for _, row in known],
                "file_nos": [row.file_no for _, row in known],
            },
        )
    with (
        connection.cursor() as cursor,
        cursor.copy("copy quarantine (dataset_id, run_id, row_no, source_row, file_no, digest, key, raw, since) from stdin") as copy,
    ):
        for row in fresh:
            raw = json.dumps(dict(row.raw), ensure_ascii=False).replace("\\u0000", "")  # jsonb holds no NUL; landing does
            copy.write_row((dataset_id, run_id, row.row_no, row.source_row, row.file_no, row.digest, row.key, raw, at))


def _waiting_items(connection: Connection, dataset_id: str, digests: Sequence[int]) -> dict[int, list[int]]:
    found: dict[int, list[int]] = {}
    rows = connection.execute(queries("quarantine")["waiting_by_digest"], {"dataset": dataset_id, "digests": list(digests)}).fetchall()
    for item_id, digest in rows:
        found.setdefault(digest, []).append(item_id)
    return found


def note_issues(connection: Connection, dataset_id: str, run_id: int, issues: pl.DataFrame) -> None:
    """Keep the issues of a run, of rows held back and of rows kept with a warning; `issues` as `quality.ISSUE_SCHEMA`."""
    frame = issues.with_columns(
        pl.lit(dataset_id).alias("dataset_id"),
        pl.lit(run_id, pl.Int64).alias("run_id"),
        pl.col("found").str.replace_all("\x00", "", literal=True),
    )
    copy_frames(connection, sql.Identifier("lienthong", "issues"), ISSUES_SCHEMA, [frame])


def supersede(connection: Connection, dataset_id: str, source_name: str, run_id: int, at: datetime) -> int:
    """End the items of earlier runs of a source that its newest snapshot no longer holds."""
    values = {"dataset": dataset_id, "source": source_name, "run": run_id, "at": at}
    return connection.execute(queries("quarantine")["supersede"], values).rowcount


def release(connection: Connection, items: Sequence[int], run_id: int, at: datetime) -> int:
    """End items whose row went through."""
    return connection.execute(queries("quarantine")["release"], {"items": list(items), "run": run_id, "at": at}).rowcount


def release_by_key(connection: Connection, dataset_id: str, keys: Sequence[str], run_id: int, at: datetime) -> int:
    """End items of earlier runs whose key a right row of this run bears: the row was mended in its file and handed in again."""
    values = {"dataset": dataset_id, "keys": list(keys), "run": run_id, "at": at}
    return connection.execute(queries("quarantine")["release_by_key"], values).rowcount


def note_corrections(connection: Connection, corrected: Mapping[int, Mapping[str, str | None]]) -> None:
    """Keep what was changed in each item, beside what came."""
    told = [json.dumps(dict(changes), ensure_ascii=False).replace("\\u0000", "") for changes in corrected.values()]
    connection.execute(queries("quarantine")["note_corrections"], {"items": list(corrected), "corrected": told})


def all_waiting(connection: Connection, dataset_id: str) -> list[tuple[int, int]]:
    """(item, digest of its row) of every item that waits."""
    return connection.execute(queries("quarantine")["all_waiting"], {"dataset": dataset_id}).fetchall()


def corrections(connection: Connection, dataset_id: str) -> dict[int, dict[str, str | None]]:
    """Digest of a row as it came → what a person changed in it, for rows that then went through."""
    return dict(connection.execute(queries("quarantine")["corrections"], {"dataset": dataset_id}).fetchall())


def list_items(
    connection: Connection, dataset_id: str, state: str | None = "waiting", after: int = 0, limit: int = 100, run_id: int | None = None
) -> list[Item]:
    """Items of a dataset in order of item number, after `after`; `state` None: all states; `run_id`: those of one run."""
    values = {"dataset": dataset_id, "state": state, "after": after, "limit": limit, "run": run_id}
    return [Item(*row) for row in connection.execute(queries("quarantine")["list"], values).fetchall()]


def show_item(connection: Connection, item_id: int) -> tuple[str, int | None, Item] | None:
    """(dataset, digest, item), or None when there is no such item."""
    return find_items(connection, [item_id]).get(item_id)


def find_items(connection: Connection, items: Sequence[int]) -> dict[int, tuple[str, int | None, Item]]:
    """(dataset, digest, item) of each item there is, by number."""
    rows = connection.execute(queries("quarantine")["find"], {"items": list(items)}).fetchall()
    return {row[0]: (row[13], row[14], Item(*row[:13])) for row in rows}


def item_of_row(connection: Connection, run_id: int, row_no: int) -> tuple[int, str] | None:
    """(item, state) of a row of a run that waits or waited."""
    row = connection.execute(queries("quarantine")["of_row"], {"run": run_id, "row_no": row_no}).fetchone()
    return None if row is None else (row[0], row[1])


def key_of_row(connection: Connection, run_id: int, row_no: int) -> str | None:
    """The key noted of a row of a run that waits or waited."""
    row = connection.execute(queries("quarantine")["of_row"], {"run": run_id, "row_no": row_no}).fetchone()
    return None if row is None else row[2]


def issues_of_row(connection: Connection, run_id: int, row_no: int) -> list[dict[str, Any]]:
    """What was found in a row of a run, errors first."""
    names = ("column", "rule", "code", "severity", "found", "expected_vi", "expected_en")
    rows = connection.execute(queries("quarantine")["issues_of_row"], {"run": run_id, "row_no": row_no}).fetchall()
    return [dict(zip(names, row, strict=True)) for row in rows]


def waiting_numbers(connection: Connection, dataset_id: str) -> list[int]:
    """The numbers of all items of a dataset that wait, oldest first."""
    return [number for (number,) in connection.execute(queries("quarantine")["waiting_numbers"], {"dataset": dataset_id}).fetchall()]


def issues_waiting(connection: Connection, dataset_id: str) -> list[tuple[str, str, int]]:
    """(property, code, rows that wait with it), errors of one property alone."""
    return connection.execute(queries("quarantine")["issues_waiting"], {"dataset": dataset_id}).fetchall()


def counts(connection: Connection, dataset_id: str) -> dict[str, int]:
    """Items by state."""
    return dict(connection.execute(queries("quarantine")["counts"], {"dataset": dataset_id}).fetchall())


def withdraw(connection: Connection, run_id: int, by_run: int, at: datetime) -> int:
    """End the items of a run that was withdrawn, by the run that withdraws it."""
    return connection.execute(queries("quarantine")["withdraw"], {"run": run_id, "by": by_run, "at": at}).rowcount


def wait_again(connection: Connection, run_id: int) -> int:
    """Have the items a withdrawn run had ended wait again."""
    return connection.execute(queries("quarantine")["wait_again"], {"run": run_id}).rowcount
