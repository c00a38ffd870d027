"""Proves what the tables promise and the database alone does not enforce. Reads everything, changes nothing."""

from __future__ import annotations

from dataclasses import dataclass

from lienthong.store.database import Connection, queries
from lienthong.store.tables import changes, current, history

PROMISES = {
    "overlaps": ("Không có hai trạng thái của một bản ghi chồng nhau", "No two states of a record overlap on both axes of time"),
    "beyond_version": ("Mọi dòng thuộc một phiên bản đã công bố", "Every row belongs to a published version"),
    "unsettled_runs": ("Dòng nhận = công bố + không đổi + chờ xử lý", "Rows in = published + unchanged + quarantined"),
    "version_counts": ("Số bản ghi bằng tổng thay đổi của các phiên bản", "The records there are equal the sum of all versions' changes"),
    "unlisted_changes": ("Luồng thay đổi liệt kê đủ mọi thay đổi", "The change feed lists every change"),
}


@dataclass(frozen=True)
class Finding:
    """One promise about one dataset: `found` is how many things break it, 0 when it holds."""

    dataset_id: str
    promise: str
    found: int
    vi: str
    en: str


def check_datasets(connection: Connection) -> list[Finding]:
    """Check every promise of every applied dataset; findings in order of dataset, broken or not."""
    rows = connection.execute("select dataset_id from datasets order by dataset_id").fetchall()
    return [finding for (dataset_id,) in rows for finding in _check(connection, dataset_id)]


def _check(connection: Connection, dataset_id: str) -> list[Finding]:
    tables = {"current": current(dataset_id), "history": history(dataset_id), "changes": changes(dataset_id)}
    findings = []
    for promise, (vi, en) in PROMISES.items():
        row = connection.execute(queries("integrity")[promise].format(**tables), {"dataset": dataset_id}).fetchone()
        findings.append(Finding(dataset_id, promise, abs(int(row[0])) if row is not None else 0, vi, en))
    return findings
