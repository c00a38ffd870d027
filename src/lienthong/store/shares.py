"""What Delta Sharing leaves in the database: profiles of recipients, grants, which files of them were read; and the rows a version changed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from psycopg import sql

from lienthong.store.answers import Ask, condition_text, stream_statement
from lienthong.store.database import Connection, queries
from lienthong.store.tables import changes, current, history

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class Profile:
    """What lets a recipient's tools in: for one subsystem, purpose and official. `kind`: bearer, secret (OAuth), key (the subsystem's own)."""

    profile: str
    subsystem: str
    kind: str
    purpose: str
    official: str
    secret: bytes | None
    made_at: datetime
    made_by: str
    expires_at: datetime
    replaces: str | None = None
    ended_at: datetime | None = None

    def stands(self, at: datetime) -> bool:
        return self.expires_at > at and (self.ended_at is None or self.ended_at > at)


@dataclass(frozen=True)
class Grant:
    """Leave to read the files of one answer: who, why, of what, seen how. `version` to `last_version` of changes; else both the one."""

    grant_id: str
    profile: str | None
    subsystem: str
    token: str | None
    got_with: str | None
    purpose: str
    official: str
    agreement: str
    legal_basis: str
    dataset_id: str
    operation: str
    version: int
    last_version: int
    right_digest: str
    fields: tuple[str, ...]
    made_at: datetime
    expires_at: datetime


def add_profile(connection: Connection, profile: Profile) -> None:
    connection.execute(queries("shares")["add_profile"], asdict(profile))


def profile_named(connection: Connection, profile: str) -> Profile | None:
    row = connection.execute(queries("shares")["profile"], {"profile": profile}).fetchone()
    return None if row is None else Profile(*row)


def profiles(connection: Connection, agency: str | None, limit: int = 500) -> list[Profile]:
    """An agency's, or everybody's, newest first."""
    return [Profile(*row) for row in connection.execute(queries("shares")["profiles"], {"agency": agency, "limit": limit}).fetchall()]


def end_profile(connection: Connection, profile: str, at: datetime, by: str) -> bool:
    """Whether it was not over by then already."""
    return connection.execute(queries("shares")["end_profile"], {"profile": profile, "ended_at": at, "ended_by": by}).fetchone() is not None


def add_grant(connection: Connection, grant: Grant) -> None:
    connection.execute(queries("shares")["add_grant"], {**asdict(grant), "fields": list(grant.fields)})


def grant_named(connection: Connection, grant_id: str, at: datetime) -> tuple[Grant, bool] | None:
    """The grant, and whether the profile it was made for still stands."""
    row = connection.execute(queries("shares")["grant"], {"grant_id": grant_id, "at": at}).fetchone()
    if row is None:
        return None
    *values, stands = row
    values[14] = tuple(values[14])
    return Grant(*values), stands


def note_read(connection: Connection, grant_id: str, file: str, at: datetime) -> bool:
    """Whether this is the first read of a grant's file."""
    return connection.execute(queries("shares")["note_read"], {"grant_id": grant_id, "file": file, "at": at}).fetchone() is not None


def forget(connection: Connection, before: datetime) -> None:
    """Let go of grants that were over by then."""
    connection.execute(queries("shares")["forget_reads"], {"before": before})
    connection.execute(queries("shares")["forget_grants"], {"before": before})


def stream_changes(database_url: str, ask: Ask, version: int, *, is_first_fill: bool) -> Iterator[pa.RecordBatch]:
    """What a version did to the caller's rows, in key order: the fields and `_change_type` as the Delta change feed has it.

    A row that came into the caller's part is an insert, one that left it a delete.
    """
    columns = sql.SQL(", ").join(sql.Identifier(name) for name in ask.fields)
    conditions = sql.SQL(" and ").join(
        [sql.SQL("true"), *(condition_text(condition, sql.Literal(condition.value)) for condition in ask.conditions)]
    )
    statement = queries("shares")["first_fill" if is_first_fill else "changes_of"].format(
        columns=columns,
        state_columns=sql.SQL(", ").join(sql.Identifier("state", name) for name in ask.fields),
        current=current(ask.dataset_id),
        history=history(ask.dataset_id),
        changes=changes(ask.dataset_id),
        version=sql.Literal(version),
        conditions=conditions,
    )
    return stream_statement(database_url, statement.as_string(None))
