"""Sessions of signed-in persons: found by the hash of a cookie, what they say sealed. No cookie can be made from what is here."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from lienthong.store.database import Connection, queries


class StoredSession(NamedTuple):
    """`sealed`: who it is, unreadable without the platform's key."""

    sealed: bytes
    began_at: datetime
    seen_at: datetime
    second_factor_at: datetime | None


def begin(connection: Connection, token_hash: bytes, holder: bytes, session: StoredSession) -> None:
    values = {
        "token_hash": token_hash,
        "holder": holder,
        "sealed": session.sealed,
        "began_at": session.began_at,
        "at": session.seen_at,
        "second_factor_at": session.second_factor_at,
    }
    connection.execute(queries("sessions")["begin"], values)


def find(connection: Connection, token_hash: bytes) -> StoredSession | None:
    """The session of a cookie, unless it was ended."""
    row = connection.execute(queries("sessions")["find"], {"token_hash": token_hash}).fetchone()
    return None if row is None else StoredSession(bytes(row[0]), row[1], row[2], row[3])


def note_seen(connection: Connection, token_hash: bytes, at: datetime) -> None:
    connection.execute(queries("sessions")["seen"], {"token_hash": token_hash, "at": at})


def end(connection: Connection, token_hash: bytes, at: datetime) -> bool:
    """Signed out here; False when it was already."""
    return connection.execute(queries("sessions")["end"], {"token_hash": token_hash, "at": at}).rowcount == 1


def end_all(connection: Connection, holder: bytes, at: datetime) -> int:
    """Signed out everywhere; how many sessions ended."""
    return connection.execute(queries("sessions")["end_all"], {"holder": holder, "at": at}).rowcount


def forget(connection: Connection, before: datetime) -> int:
    """Sessions that began before; how many."""
    return connection.execute(queries("sessions")["forget"], {"before": before}).rowcount
