"""Single records written through the axis: the record as it is, and values that stand against what its source goes on saying."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import sql

from lienthong.contracts import Contract
from lienthong.store.database import Connection, queries
from lienthong.store.publishing import STAGE
from lienthong.store.tables import SQL_TYPES, columns_of, current, history


@dataclass(frozen=True)
class StandingRecord:
    """A current record: its version, the digest of the row behind it, the source that version came by, its values by property."""

    version: int
    digest: int
    source_name: str
    delivered: frozenset[str]
    values: Mapping[str, Any]


def record(connection: Connection, contract: Contract, key: str) -> StandingRecord | None:
    """The record of a key as it stands."""
    statement = queries("writes")["record"].format(current=current(contract.id), columns=_qualified(contract))
    row = connection.execute(statement, {"dataset": contract.id, "key": key}).fetchone()
    if row is None:
        return None
    version, digest, source, delivered, *values = row
    return StandingRecord(version, digest, source, frozenset(delivered), dict(zip(_names(contract), values, strict=True)))


def record_then(connection: Connection, contract: Contract, key: str, version: int) -> Mapping[str, Any] | None:
    """The record's values as a version made them, if that state was replaced since; None when there was none."""
    statement = queries("writes")["record_then"].format(history=history(contract.id), columns=columns_of(contract))
    row = connection.execute(statement, {"key": key, "version": version}).fetchone()
    return None if row is None else dict(zip(_names(contract), row, strict=True))


def keep_untouched(connection: Connection, contract: Contract, touched: Sequence[str]) -> None:
    """Give the one staged record back every value that was not to be changed, exactly as it stands."""
    kept = [sql.Identifier(name) for name in _names(contract) if name not in touched]
    if kept:
        assignments = sql.SQL(", ").join(sql.SQL("{0} = held.{0}").format(name) for name in kept)
        connection.execute(queries("writes")["keep_untouched"].format(assignments=assignments, current=current(contract.id)))


def restore_written(connection: Connection, contract: Contract, at: datetime, *, is_owners_word: bool) -> None:
    """Put standing written values into staged rows. `is_owners_word`: the rows were sent by the owner just now and replace its own."""
    for field, any_foreign, any_own in connection.execute(queries("writes")["written_fields"], {"dataset": contract.id}).fetchall():
        names = _column(contract, field)
        if names is None:
            continue
        values = {"dataset": contract.id, "field": field, "restores_own": not is_owners_word, "at": at}
        if any_foreign or not is_owners_word:
            connection.execute(queries("writes")["restore_written"].format(**names), values)
        if any_own:
            connection.execute(queries("writes")["end_overtaken"].format(**names), values)


def settle_ended(connection: Connection, contract: Contract) -> int:
    """Take rows off the stage whose record was ended here and of which the source says nothing new; gives how many."""
    row = connection.execute(queries("writes")["any_ends"], {"dataset": contract.id}).fetchone()
    if row is None or not row[0]:
        return 0
    row = connection.execute(queries("writes")["settle_ended"].format(current=current(contract.id)), {"dataset": contract.id}).fetchone()
    return 0 if row is None else int(row[0])


@dataclass(frozen=True)
class Write:
    """Whose write of which record became which version, by which run."""

    key: str
    version: int
    run_id: int
    agency: str
    at: datetime


def note_writes(connection: Connection, contract: Contract, write: Write, fields: Sequence[str]) -> None:
    """Remember the values a write has just published, in its transaction."""
    for field in fields:
        names = _column(contract, field)
        assert names is not None  # a property of the contract
        values = {
            "dataset": contract.id, "key": write.key, "field": field, "version": write.version, "run": write.run_id, "agency": write.agency,
            "is_foreign": write.agency != contract.agency, "at": write.at,
        }  # fmt: skip
        ended = connection.execute(queries("writes")["end_write"], values).fetchone()
        values |= {"has_replaced": ended is not None, "replaced": None if ended is None else ended[0]}
        statement = queries("writes")["add_write"].format(**names, current=current(contract.id), history=history(contract.id))
        connection.execute(statement, values)


def stage_end(connection: Connection, contract: Contract, key: str) -> None:
    """Make ready for `VersionWriter.publish(end_missing=True)` to end this one record."""
    connection.execute(queries("publish")["make_stage"].format(current=current(contract.id), stage=STAGE))
    connection.execute(queries("writes")["make_gone"].format(current=current(contract.id)), {"key": key})
    connection.execute(queries("publish")["make_held_back"])


def note_end(connection: Connection, contract: Contract, key: str, digest: int, run_id: int, at: datetime) -> None:
    """Remember that a record was ended here; its written values end with it."""
    values = {"dataset": contract.id, "key": key, "keys": [key], "digest": digest, "run": run_id, "at": at}
    connection.execute(queries("writes")["add_end"], values)
    connection.execute(queries("writes")["end_of_keys"], values)


def _names(contract: Contract) -> list[str]:
    return [p.name for p in contract.properties]


def _qualified(contract: Contract) -> sql.Composed:
    return sql.SQL(", ").join(sql.Identifier("state", name) for name in _names(contract))


def _column(contract: Contract, field: str) -> dict[str, sql.Composable] | None:
    """A field's column and its type; None when the contract no longer has it."""
    found = next((p for p in contract.properties if p.name == field), None)
    return None if found is None else {"field": sql.Identifier(field), "type": sql.SQL(SQL_TYPES[found.logical_type])}
