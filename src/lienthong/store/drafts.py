"""Drafts of contracts: drawn from a file, changed by officers, published or withdrawn. A published one never changes again."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

from lienthong.store.database import Connection, queries


class KeptDraft(NamedTuple):
    draft: int
    agency: str
    by_whom: str
    made_at: datetime
    file_name: str
    dataset_id: str
    document: Any
    state: str
    ended_at: datetime | None


def add(connection: Connection, agency: str, by: str, file_name: str, dataset: str, document: str, at: datetime) -> int:
    """Keep a new draft; its number."""
    values = {"agency": agency, "by": by, "file_name": file_name, "dataset": dataset, "document": document, "at": at}
    row = connection.execute(queries("drafts")["add"], values).fetchone()
    assert row is not None
    return int(row[0])


def find(connection: Connection, number: int) -> KeptDraft | None:
    row = connection.execute(queries("drafts")["find"], {"draft": number}).fetchone()
    return None if row is None else KeptDraft(*row)


def take(connection: Connection, number: int) -> KeptDraft | None:
    """A draft, held until the transaction ends."""
    row = connection.execute(queries("drafts")["take"], {"draft": number}).fetchone()
    return None if row is None else KeptDraft(*row)


def of_agency(connection: Connection, agency: str, limit: int = 50) -> list[KeptDraft]:
    """Newest first."""
    return [KeptDraft(*row) for row in connection.execute(queries("drafts")["of_agency"], {"agency": agency, "limit": limit})]


def change(connection: Connection, number: int, dataset: str, document: str) -> None:
    connection.execute(queries("drafts")["change"], {"draft": number, "dataset": dataset, "document": document})


def end(connection: Connection, number: int, state: str, at: datetime) -> None:
    connection.execute(queries("drafts")["end"], {"draft": number, "state": state, "at": at})


def published_since(connection: Connection, since: datetime) -> list[KeptDraft]:
    return [KeptDraft(*row) for row in connection.execute(queries("drafts")["published_since"], {"since": since})]
