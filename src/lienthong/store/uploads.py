"""Remembers files that were handed in, how far they have come, and what came of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from lienthong.store.database import Connection, queries


@dataclass(frozen=True)
class Upload:
    """`state`: waiting, running, done, failed. `step`, `rows`, `total`: how far, while it runs. `error`: why it failed, in words."""

    upload: int
    dataset_id: str
    agency: str
    by_whom: str
    file_name: str
    size_bytes: int
    sha256: str
    is_whole: bool
    state: str
    step: str
    rows: int
    total: int | None
    run_id: int | None
    error: str | None
    at: datetime
    ended_at: datetime | None


@dataclass(frozen=True)
class WaitingRow:
    """A row that did not pass: `raw` is source column → value as it came, `run` the one that judged it last."""

    item: int
    run: int
    row_no: int
    source_row: int | None
    key: str | None
    raw: dict[str, str | None]
    corrected: dict[str, str | None] | None
    issues: list[dict[str, Any]]


def add(
    connection: Connection, dataset_id: str, agency: str, by: str, file_name: str, size: int, sha256: str, at: datetime, *, is_whole: bool
) -> int:  # fmt: skip
    values = {"dataset": dataset_id, "agency": agency, "by": by, "file_name": file_name, "size": size, "sha256": sha256, "is_whole": is_whole, "at": at}  # fmt: skip
    row = connection.execute(queries("uploads")["add"], values).fetchone()
    assert row is not None  # `returning` gives it
    return int(row[0])


def next_to_do(connection: Connection) -> Upload | None:
    row = connection.execute(queries("uploads")["next"]).fetchone()
    return None if row is None else Upload(*row)


def progress(connection: Connection, upload: int, step: str, rows: int, total: int | None) -> None:
    connection.execute(queries("uploads")["progress"], {"upload": upload, "step": step, "rows": rows, "total": total})


def finish(connection: Connection, upload: int, at: datetime, run_id: int | None, error: str | None = None) -> None:
    """With an error it failed."""
    values = {"upload": upload, "state": "done" if error is None else "failed", "run": run_id, "error": error, "at": at}
    connection.execute(queries("uploads")["finish"], values)


def show(connection: Connection, upload: int) -> Upload | None:
    row = connection.execute(queries("uploads")["show"], {"upload": upload}).fetchone()
    return None if row is None else Upload(*row)


def recent(connection: Connection, agency: str, dataset_id: str | None = None, limit: int = 20) -> list[Upload]:
    values = {"agency": agency, "dataset": dataset_id, "limit": limit}
    return [Upload(*row) for row in connection.execute(queries("uploads")["recent"], values)]


def waiting_of_run(connection: Connection, dataset_id: str, run_id: int, after: int = 0, limit: int = 50) -> list[WaitingRow]:
    values = {"dataset": dataset_id, "run": run_id, "after": after, "limit": limit}
    return [WaitingRow(*row) for row in connection.execute(queries("uploads")["waiting_of_run"], values)]


def count_of_run(connection: Connection, run_id: int) -> int:
    row = connection.execute(queries("uploads")["count_of_run"], {"run": run_id}).fetchone()
    return 0 if row is None else int(row[0])
