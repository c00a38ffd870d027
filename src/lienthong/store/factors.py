"""Second factors, failed attempts and the built-in provider's codes. Secrets arrive sealed and leave sealed."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

from lienthong.store.database import Connection, queries


class Factor(NamedTuple):
    """One second factor of a person."""

    number: int
    kind: str
    label: str
    sealed: bytes
    credential: bytes | None
    last_used: int
    made_at: datetime


def add(
    connection: Connection, person: int, kind: str, sealed: bytes, at: datetime, *, label: str = "", credential: bytes | None = None, last_used: int = 0
) -> int:  # fmt: skip
    """Keep a factor; gives its number."""
    values = {"person": person, "kind": kind, "label": label, "sealed": sealed, "credential": credential, "last_used": last_used, "at": at}
    row = connection.execute(queries("factors")["add"], values).fetchone()
    assert row is not None
    return int(row[0])


def held(connection: Connection, person: int, kind: str) -> list[Factor]:
    """A person's factors of a kind, held until the transaction ends: a code is not taken twice at once."""
    return [_factor(row) for row in connection.execute(queries("factors")["of"], {"person": person, "kind": kind}).fetchall()]


def shown(connection: Connection, person: int) -> list[Factor]:
    """All factors in force of a person."""
    return [_factor(row) for row in connection.execute(queries("factors")["shown"], {"person": person}).fetchall()]


def use(connection: Connection, factor: int, used: int) -> bool:
    """Note how far a factor is used; False when it was used that far already."""
    return connection.execute(queries("factors")["use"], {"factor": factor, "used": used}).rowcount == 1


def end(connection: Connection, person: int, factor: int, at: datetime) -> bool:
    return connection.execute(queries("factors")["end"], {"person": person, "factor": factor, "at": at}).rowcount == 1


def end_kind(connection: Connection, person: int, kind: str, at: datetime) -> None:
    connection.execute(queries("factors")["end_kind"], {"person": person, "kind": kind, "at": at})


def note_failure(connection: Connection, account: bytes, at: datetime) -> None:
    connection.execute(queries("factors")["failed"], {"account": account, "at": at})


def failures(connection: Connection, account: bytes, since: datetime) -> int:
    """How often it failed since."""
    row = connection.execute(queries("factors")["failures"], {"account": account, "since": since}).fetchone()
    assert row is not None
    return int(row[0])


def forgive(connection: Connection, account: bytes) -> None:
    connection.execute(queries("factors")["forgive"], {"account": account})


def forget(connection: Connection, before: datetime) -> None:
    """Old failures and codes nobody came for."""
    connection.execute(queries("factors")["forget"], {"before": before})
    connection.execute(queries("factors")["forget_codes"], {"before": before})


def keep_code(connection: Connection, code_hash: bytes, sealed: bytes, expires_at: datetime) -> None:
    connection.execute(queries("factors")["keep_code"], {"code_hash": code_hash, "sealed": sealed, "expires_at": expires_at})


def take_code(connection: Connection, code_hash: bytes) -> tuple[bytes, datetime] | None:
    """What a code stands for and until when; a second time there is nothing."""
    row = connection.execute(queries("factors")["take_code"], {"code_hash": code_hash}).fetchone()
    return None if row is None else (bytes(row[0]), row[1])


def _factor(row: tuple[Any, ...]) -> Factor:
    number, kind, label, sealed, credential, last_used, made_at = row
    return Factor(number, kind, label, bytes(sealed), None if credential is None else bytes(credential), last_used, made_at)
