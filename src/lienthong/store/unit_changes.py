"""Changes of communes a province decided: what stands, and what bears the codes they are about."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from psycopg import sql

from lienthong.standards.admin_units import Key
from lienthong.standards.unit_changes import BegunUnit, UnitChange
from lienthong.store.database import Connection, queries
from lienthong.store.tables import current

MOST_SHOWN = 500


@dataclass(frozen=True)
class KeptChange:
    """A change under its number, and the proposal two persons decided it by."""

    number: int
    change: UnitChange
    proposal: int
    decided_at: datetime
    taken_back_at: datetime | None


def standing(connection: Connection, on: date | None = None) -> list[KeptChange]:
    """Changes that were not taken back, as they were decided; with `on` those alone whose day has come."""
    return [_kept(row) for row in connection.execute(queries("unit_changes")["standing"], {"on": on}).fetchall()]


def everything(connection: Connection) -> list[KeptChange]:
    """Every change, those taken back too, the newest first."""
    return [_kept(row) for row in connection.execute(queries("unit_changes")["all"], {"limit": MOST_SHOWN}).fetchall()]


def _kept(row: Sequence[Any]) -> KeptChange:
    begun = tuple(BegunUnit(code, name, tuple(of.split())) for code, name, of in row[6])
    return KeptChange(row[0], UnitChange(row[1], row[2], begun), row[3], row[4], row[5])


def lock(connection: Connection) -> None:
    """One change at a time, until the transaction ends."""
    connection.execute(queries("unit_changes")["lock"])


def add(connection: Connection, change: UnitChange, proposal: int, at: datetime) -> int:
    """Keep a change; its number is given here."""
    row = connection.execute(
        queries("unit_changes")["add"], {"on": change.on, "resolution": change.resolution, "proposal": proposal, "at": at}
    ).fetchone()
    assert row is not None
    for unit in change.begun:
        connection.execute(
            queries("unit_changes")["add_unit"], {"change": row[0], "code": unit.code, "name": unit.name, "made_of": list(unit.of)}
        )
    return int(row[0])


def take_back(connection: Connection, change: int, proposal: int, at: datetime) -> bool:
    """A change does not stand any longer; False when it did not before."""
    return connection.execute(queries("unit_changes")["take_back"], {"change": change, "proposal": proposal, "at": at}).rowcount == 1


def applied(connection: Connection) -> frozenset[str]:
    """Datasets that have their tables."""
    return frozenset(row[0] for row in connection.execute(queries("unit_changes")["applied"]).fetchall())


def bearing(connection: Connection, dataset: str, fields: Sequence[str], codes: Sequence[str]) -> dict[str, int]:
    """Field → how many published records bear one of these codes there."""
    names = [sql.Identifier(field) for field in fields]
    counts = sql.SQL(", ").join(sql.SQL("count(*) filter (where {} = any(%(codes)s))").format(name) for name in names)
    any_of = sql.SQL(" or ").join(sql.SQL("{} = any(%(codes)s)").format(name) for name in names)
    statement = queries("unit_changes")["counted"].format(counts=counts, current=current(dataset), any=any_of)
    row = connection.execute(statement, {"codes": list(codes)}).fetchone()
    return dict(zip(fields, row or [0] * len(fields), strict=True))


def telling(connection: Connection, dataset: str, codes: Sequence[str], since: date) -> int:
    """How many of these codes a published list of units tells of as units that began on a day."""
    statement = queries("unit_changes")["telling"].format(current=current(dataset))
    row = connection.execute(statement, {"codes": list(codes), "since": since}).fetchone()
    return 0 if row is None else int(row[0])


def indicators(connection: Connection, units: Sequence[Key]) -> list[str]:
    """Indicators with a figure of one of these units."""
    values = {"codes": [code for code, _ in units], "since": [since for _, since in units]}
    return [row[0] for row in connection.execute(queries("unit_changes")["indicators"], values).fetchall()]
