"""What of every dataset was published, and when: read at once for the whole catalogue."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from lienthong.store.database import Connection, queries


@dataclass(frozen=True)
class Publication:
    """`version` 0: nothing published yet. `first_at`, `last_at`: when its rows or its contract first and last changed."""

    version: int
    first_at: datetime
    last_at: datetime
    records: int


def publications(connection: Connection) -> dict[str, Publication]:
    """By dataset; one that was never applied is absent."""
    return {row[0]: Publication(*row[1:]) for row in connection.execute(queries("publications")["every"])}


def known_at(connection: Connection, dataset_id: str, version: int) -> datetime | None:
    """Since when a version has been known; None: there is no such version."""
    row = connection.execute(queries("publications")["known_at"], {"dataset": dataset_id, "version": version}).fetchone()
    return None if row is None else row[0]


def contract_documents(connection: Connection, dataset_id: str, version: str) -> list[object]:
    """The ODCS documents that were in force under a contract's version, the newest first."""
    rows = connection.execute(queries("publications")["contracts"], {"dataset": dataset_id, "version": version}).fetchall()
    return [row[0] for row in rows]
