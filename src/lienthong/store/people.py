"""Registered persons and their roles. Roles end and are granted anew; nothing of them is forgotten."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import psycopg

from lienthong.access import Person, Role, SignedIn
from lienthong.errors import Conflict
from lienthong.store.database import Connection, queries


def register(connection: Connection, handle: str, who: SignedIn, agency: str, at: datetime) -> int:
    """A new person's number. Raises Conflict when the handle or the provider's subject is somebody's already."""
    values = {"handle": handle, "issuer": who.issuer, "subject": who.subject, "name": who.name, "agency": agency, "at": at}
    try:
        with connection.transaction():
            row = connection.execute(queries("people")["register"], values).fetchone()
    except psycopg.errors.UniqueViolation as error:
        raise Conflict(
            f"`{handle}`, or the provider's name for this person, is registered already.",
            vi=f"`{handle}` hoặc tên đăng nhập của người này đã được đăng ký.",
        ) from error
    assert row is not None
    return int(row[0])


def end(connection: Connection, person: int, by: str, at: datetime) -> bool:
    """The person has left: no role is theirs any longer. False when they had left already."""
    connection.execute(queries("people")["end_roles"], {"person": person, "by": by, "at": at})
    return connection.execute(queries("people")["end"], {"person": person, "at": at}).rowcount == 1


def grant(connection: Connection, person: int, role: Role, by: str, approved_by: str, at: datetime) -> None:
    """Give a role. Raises Conflict when it is held already; the database itself refuses one person as both."""
    values = {"person": person, "role": role, "by": by, "approved_by": approved_by, "at": at}
    try:
        with connection.transaction():
            connection.execute(queries("people")["grant"], values)
    except psycopg.errors.UniqueViolation as error:
        raise Conflict("The role is held already.", vi="Vai trò này đã được cấp.") from error


def withdraw(connection: Connection, person: int, role: Role, by: str, at: datetime) -> bool:
    """Take a role back; False when it was not held."""
    values = {"person": person, "role": role, "by": by, "at": at}
    return connection.execute(queries("people")["withdraw"], values).rowcount == 1


def move(connection: Connection, person: int, agency: str, by: str, at: datetime) -> None:
    """The person is of another agency; the roles held in the old one end."""
    connection.execute(queries("people")["end_roles"], {"person": person, "by": by, "at": at})
    connection.execute(queries("people")["move"], {"person": person, "agency": agency})


def by_subject(connection: Connection, issuer: str, subject: str) -> Person | None:
    """The person an identity provider means."""
    row = connection.execute(queries("people")["by_subject"], {"issuer": issuer, "subject": subject}).fetchone()
    return None if row is None else _person(row)


def by_handle(connection: Connection, handle: str) -> Person | None:
    row = connection.execute(queries("people")["by_handle"], {"handle": handle}).fetchone()
    return None if row is None else _person(row)


def everybody(connection: Connection) -> list[Person]:
    """All registered persons, by agency and handle."""
    return [_person(row) for row in connection.execute(queries("people")["all"]).fetchall()]


def holders(connection: Connection, role: Role) -> int:
    """How many hold a role."""
    row = connection.execute(queries("people")["holders"], {"role": role}).fetchone()
    assert row is not None
    return int(row[0])


def _person(row: tuple[Any, ...]) -> Person:
    number, handle, name, agency, roles = row
    return Person(number, handle, name, agency, frozenset(Role(role) for role in roles))
