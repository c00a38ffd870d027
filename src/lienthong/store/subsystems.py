"""Subsystems and their keys: the newest state of each, every earlier one, and the questions new keys have to answer."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple

from lienthong.store.database import Connection, queries


@dataclass(frozen=True)
class KeptSubsystem:
    """A subsystem as it is known now. `origin`: folder, act or merger."""

    identifier: str
    agency: str
    title_vi: str
    title_en: str
    is_active: bool
    origin: str


class KeptKey(NamedTuple):
    """A key that is not revoked; `valid_to` is its last day."""

    identifier: str
    kid: str
    thumbprint: str
    jwk: Mapping[str, Any]
    environment: str
    proof: str
    valid_from: date | None
    valid_to: date | None
    since: datetime | None = None


class Question(NamedTuple):
    """What a new key has to sign, and for whom it was asked."""

    identifier: str
    environment: str
    jwk: Mapping[str, Any]
    asked_by: str
    expires_at: datetime


def everything(connection: Connection) -> dict[str, KeptSubsystem]:
    """All subsystems by identifier."""
    return {row[0]: KeptSubsystem(*row) for row in connection.execute(queries("subsystems")["all"]).fetchall()}


def find(connection: Connection, identifier: str) -> KeptSubsystem | None:
    row = connection.execute(queries("subsystems")["find"], {"identifier": identifier}).fetchone()
    return None if row is None else KeptSubsystem(*row)


def opened_at(connection: Connection, identifier: str) -> datetime:
    """When a registered subsystem was first known."""
    row = connection.execute(queries("subsystems")["opened"], {"identifier": identifier}).fetchone()
    assert row is not None
    found: datetime = row[0]
    return found


def keep(connection: Connection, subsystem: KeptSubsystem, by: str, at: datetime) -> None:
    """What is known of a subsystem from now on."""
    connection.execute(queries("subsystems")["end"], {"identifier": subsystem.identifier, "at": at})
    values = {
        "identifier": subsystem.identifier, "agency": subsystem.agency, "title_vi": subsystem.title_vi, "title_en": subsystem.title_en,
        "is_active": subsystem.is_active, "origin": subsystem.origin, "at": at, "by": by,
    }  # fmt: skip
    connection.execute(queries("subsystems")["begin"], values)


def keys(connection: Connection, identifier: str | None = None) -> list[KeptKey]:
    """Keys not revoked, of one subsystem or of all, oldest first."""
    return [KeptKey(*row) for row in connection.execute(queries("subsystems")["keys"], {"identifier": identifier}).fetchall()]


def add_key(connection: Connection, key: KeptKey, by: str, at: datetime) -> None:
    connection.execute(queries("subsystems")["add_key"], {**key._asdict(), "jwk": json.dumps(dict(key.jwk)), "by": by, "at": at})


def date_key(connection: Connection, key: KeptKey, valid_from: date | None, valid_to: date | None) -> None:
    """From and until when a key is good."""
    values = {"identifier": key.identifier, "environment": key.environment, "kid": key.kid, "valid_from": valid_from, "valid_to": valid_to}
    connection.execute(queries("subsystems")["date_key"], values)


def revoke_key(connection: Connection, identifier: str, environment: str, kid: str, by: str, reason: str, at: datetime) -> bool:
    """Take a key no longer; False when there is no such key in force."""
    values = {"identifier": identifier, "environment": environment, "kid": kid, "by": by, "reason": reason, "at": at}
    return connection.execute(queries("subsystems")["revoke_key"], values).rowcount > 0


def whose(connection: Connection, thumbprint: str, identifier: str, environment: str) -> str | None:
    """Whose a key is or ever was, other than this subsystem's in this environment."""
    values = {"thumbprint": thumbprint, "identifier": identifier, "environment": environment}
    row = connection.execute(queries("subsystems")["used_thumbprint"], values).fetchone()
    return None if row is None else str(row[0])


def was_revoked(connection: Connection, thumbprint: str) -> bool:
    """Whether a key was revoked by an act: it never comes back."""
    row = connection.execute(queries("subsystems")["was_revoked"], {"thumbprint": thumbprint}).fetchone()
    return row is not None and bool(row[0])


def revoked(connection: Connection, since: datetime) -> frozenset[str]:
    """`identifier thumbprint` of keys revoked since."""
    return frozenset(f"{row[0]} {row[1]}" for row in connection.execute(queries("subsystems")["revoked"], {"since": since}).fetchall())


def ask(connection: Connection, challenge: str, question: Question, at: datetime) -> None:
    """Keep a question for a new key; forget those nobody answered."""
    connection.execute(queries("subsystems")["forget_challenges"], {"at": at})
    values = {**question._asdict(), "challenge": challenge, "jwk": json.dumps(dict(question.jwk)), "by": question.asked_by}
    connection.execute(queries("subsystems")["ask"], values)


def answer(connection: Connection, challenge: str) -> Question | None:
    """The question, once."""
    row = connection.execute(queries("subsystems")["answer"], {"challenge": challenge}).fetchone()
    return None if row is None else Question(*row)
