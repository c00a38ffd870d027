"""Approved security levels of subsystems: the one that counts, every earlier one, and the file that shows it where it was sent."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from lienthong.access import ApprovedLevel
from lienthong.store.database import Connection, queries


class KeptLevel(NamedTuple):
    """An approval as it was recorded."""

    identifier: str
    approved: ApprovedLevel
    has_file: bool
    by: str
    at: datetime
    ended_at: datetime | None


def current(connection: Connection, identifier: str | None = None) -> dict[str, KeptLevel]:
    """The approval that counts, of each subsystem that has one, or of one."""
    rows = connection.execute(queries("security_levels")["current"], {"identifier": identifier}).fetchall()
    return {row[0]: _kept(row) for row in rows}


def history(connection: Connection, identifier: str) -> list[KeptLevel]:
    """All approvals recorded of one subsystem, the newest first."""
    return [_kept(row) for row in connection.execute(queries("security_levels")["history"], {"identifier": identifier}).fetchall()]


def keep(connection: Connection, identifier: str, approved: ApprovedLevel, content: bytes | None, by: str, at: datetime) -> None:
    """The approval that counts from now on."""
    connection.execute(queries("security_levels")["end"], {"identifier": identifier, "at": at})
    values = {**vars(approved), "identifier": identifier, "content": content, "by": by, "at": at}
    connection.execute(queries("security_levels")["begin"], values)


def file_of(connection: Connection, identifier: str) -> tuple[str, bytes] | None:
    """(name, content) of the file that shows the approval that counts; None where only its digest was given."""
    row = connection.execute(queries("security_levels")["file"], {"identifier": identifier}).fetchone()
    return None if row is None else (row[0], bytes(row[1]))


def carry_over(connection: Connection, old: str, new: str, by: str, at: datetime) -> None:
    """A subsystem under a new name keeps its approval."""
    connection.execute(queries("security_levels")["carry"], {"old": old, "new": new, "by": by, "at": at})


def _kept(row: tuple[object, ...]) -> KeptLevel:
    identifier, *approved, has_file, by, at, ended_at = row
    return KeptLevel(identifier, ApprovedLevel(*approved), has_file, by, at, ended_at)  # type: ignore[arg-type] # as the query lists them
