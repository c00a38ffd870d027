"""What subsystems were seen to do in the sandbox."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from lienthong.store.database import Connection, queries


class Check(NamedTuple):
    """One conformance check of a subsystem; `state` is what its next try is held against."""

    name: str
    state: Mapping[str, Any]
    tries: int
    evidence: Mapping[str, Any] | None
    passed_at: datetime | None


def checks(connection: Connection, identifier: str) -> dict[str, Check]:
    """What was tried, by name."""
    return {row[0]: Check(*row) for row in connection.execute(queries("onboarding")["of"], {"identifier": identifier}).fetchall()}


def hold(connection: Connection, identifier: str, name: str) -> Check:
    """A check, held until the transaction ends: two tries at once are told apart."""
    row = connection.execute(queries("onboarding")["hold"], {"identifier": identifier, "name": name}).fetchone()
    assert row is not None
    return Check(*row)


def note_try(connection: Connection, identifier: str, name: str, state: Mapping[str, Any]) -> None:
    connection.execute(queries("onboarding")["tried"], {"identifier": identifier, "name": name, "state": json.dumps(dict(state))})


def note_pass(connection: Connection, identifier: str, name: str, evidence: Mapping[str, Any], at: datetime) -> bool:
    """Keep that a check was passed, with what was seen; False when it was before."""
    values = {"identifier": identifier, "name": name, "evidence": json.dumps(dict(evidence)), "at": at}
    return connection.execute(queries("onboarding")["passed"], values).rowcount == 1


def first_keys(connection: Connection, identifier: str | None) -> list[tuple[str, str, datetime]]:
    """(identifier, agency, when it got its first production key) of one open subsystem, or of all."""
    return connection.execute(queries("onboarding")["first_keys"], {"identifier": identifier}).fetchall()


def calls_of_new(connection: Connection, identifier: str | None) -> list[tuple[str, datetime, int, int, int]]:
    """(caller, day, calls, refused, failed) in the weeks after a first production key, in order of days."""
    return connection.execute(queries("onboarding")["calls_of_new"], {"identifier": identifier}).fetchall()
