"""Agencies: the newest state of each, and every earlier one."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from lienthong.access import Agencies, Agency
from lienthong.store.database import Connection, queries
from lienthong.store.tables import current


def read(connection: Connection) -> Agencies:
    """All agencies as they are known now."""
    rows = connection.execute(queries("agencies")["all"]).fetchall()
    return Agencies({row[0]: Agency(row[0], row[1], row[2], row[3], row[4], row[5], tuple(row[6])) for row in rows})


def keep(connection: Connection, agency: Agency, by: str, at: datetime) -> None:
    """What is known of an agency from now on; what was known before stays in its history."""
    connection.execute(queries("agencies")["end"], {"code": agency.code, "at": at})
    values = {
        "code": agency.code, "name": agency.name, "kind": agency.kind, "parent": agency.parent, "valid_from": agency.valid_from,
        "valid_to": agency.valid_to, "successors": list(agency.successors), "at": at, "by": by,
    }  # fmt: skip
    connection.execute(queries("agencies")["begin"], values)


def history(connection: Connection, code: str) -> list[tuple[Any, ...]]:
    """(code, name, kind, parent, valid_from, valid_to, successors, since, by whom, ended_at), oldest first."""
    return connection.execute(queries("agencies")["history"], {"code": code}).fetchall()


def of_register(connection: Connection, dataset: str, on: date) -> list[Agency]:
    """The agencies of a published dataset as they stood on a day: what closes later is not known yet."""
    statement = queries("agencies")["of_register"].format(current=current(dataset))
    return [Agency(row[0], row[1], row[2], row[3], row[4], row[5]) for row in connection.execute(statement, {"on": on}).fetchall()]
