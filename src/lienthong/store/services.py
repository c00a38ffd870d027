"""Brokered services as they stand and as they were, and the stops announced for them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from lienthong.store.database import LOCK_CLASS, Connection, queries


@dataclass(frozen=True)
class StoredService:
    """One version of one service from `begun_at` on."""

    revision: int
    service: str
    version: str
    agency: str
    state: str
    sunset_on: date | None
    definition: Mapping[str, Any]
    description: str
    understood: Mapping[str, Any]
    begun_at: datetime
    by_whom: str


@dataclass(frozen=True)
class Stop:
    """Calls of a service are not taken from `begins_at` on, until it is ended; `restores_at` is what was announced."""

    stop: int
    service: str
    agency: str
    begins_at: datetime
    restores_at: datetime
    reason_vi: str
    reason_en: str


def current_services(connection: Connection) -> list[StoredService]:
    """Every version of every service, in order of both."""
    return [StoredService(*row) for row in connection.execute(queries("services")["current"]).fetchall()]


def service_history(connection: Connection, service: str) -> list[StoredService]:
    """All that a service ever was, oldest first."""
    return [StoredService(*row) for row in connection.execute(queries("services")["history"], {"service": service}).fetchall()]


def current_stops(connection: Connection) -> dict[str, Stop]:
    """Service → the stop under way or announced."""
    return {row[1]: Stop(*row) for row in connection.execute(queries("services")["stops"]).fetchall()}


def services_stamp(connection: Connection) -> tuple[int, int, int]:
    """Another one whenever anything of a service has changed."""
    row = connection.execute(queries("services")["stamp"]).fetchone()
    assert row is not None
    return row[0], row[1], row[2]


def lock_service(connection: Connection, service: str) -> None:
    """Let nobody else change a service until the transaction ends."""
    connection.execute(queries("services")["lock"], {"class": LOCK_CLASS, "service": service})


def keep_service(
    connection: Connection, service: str, version: str, agency: str, state: str, sunset_on: date | None, definition: Mapping[str, Any],
    description: str, understood: Mapping[str, Any], at: datetime, by_whom: str,
) -> int:  # fmt: skip
    """End what a version was and begin what it is. Gives the revision."""
    values = {
        "service": service,
        "version": version,
        "agency": agency,
        "state": state,
        "sunset_on": sunset_on,
        "definition": json.dumps(definition, ensure_ascii=False),
        "description": description,
        "understood": json.dumps(understood, ensure_ascii=False),
        "at": at,
        "by_whom": by_whom,
    }
    connection.execute(queries("services")["end_row"], values)
    row = connection.execute(queries("services")["begin_row"], values).fetchone()
    assert row is not None
    revision: int = row[0]
    return revision


def keep_stop(
    connection: Connection, service: str, agency: str, begins_at: datetime, restores_at: datetime, reason: tuple[str, str], at: datetime,
    by_whom: str,
) -> int:  # fmt: skip
    """Announce a stop; `reason` in Vietnamese and English. It takes the place of one announced before. Gives its number."""
    values = {
        "service": service,
        "agency": agency,
        "begins_at": begins_at,
        "restores_at": restores_at,
        "reason_vi": reason[0],
        "reason_en": reason[1],
        "at": at,
        "by_whom": by_whom,
    }
    connection.execute(queries("services")["end_stops"], values)
    row = connection.execute(queries("services")["begin_stop"], values).fetchone()
    assert row is not None
    number: int = row[0]
    return number


def end_stop(connection: Connection, service: str, at: datetime) -> int | None:
    """Take calls again. Gives the stop that ended, None when there was none."""
    row = connection.execute(queries("services")["end_stops"], {"service": service, "at": at}).fetchone()
    return None if row is None else int(row[0])
