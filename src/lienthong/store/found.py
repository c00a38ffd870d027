"""Reads entries by their marks, through the one function the serving role has for it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from lienthong.store.database import Connection, queries


class Found(NamedTuple):
    """An entry that may be the one looked for; `body` is None where it is not in the store any more."""

    mark: int
    position: int
    body: str | None


def found(connection: Connection, marks: Sequence[int], before: int, limit: int) -> list[Found]:
    """Entries with one of these marks before a position, the newest first."""
    asked = {"marks": list(marks), "before": before, "limit": limit}
    return [Found(*row) for row in connection.execute(queries("found")["found"], asked)]


def found_upto(connection: Connection) -> int:
    """How many entries, from the first on, can be found."""
    row = connection.execute(queries("found")["upto"]).fetchone()
    return 0 if row is None else int(row[0])
