"""Figures about the index of golden records: counted in the database, no value of any record leaves it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from psycopg import sql

from lienthong.store.database import Connection, queries


@dataclass(frozen=True)
class AskedAttribute:
    """One attribute to be counted. `authorities`: registers whose value counts, the first before the second.

    `feature`: place (from 1) of the feature that is equal when two values are the same; None: values are compared as they stand.
    `is_date`: a year alone agrees with a date of that year.
    """

    name: str
    authorities: tuple[str, ...]
    feature: int | None = None
    is_date: bool = False


@dataclass(frozen=True)
class CountedAttribute:
    """Of one register's records: values `filled` and how many of them are `held` by an authority before it, and agree.

    Characters are those of the values that agree.
    """

    source: str
    attribute: str
    records: int
    filled: int
    held: int
    agree: int
    characters: int


def count_reuse(connection: Connection, entity: str, asked: Sequence[AskedAttribute]) -> list[CountedAttribute]:
    """Count every register of an entity, attribute by attribute, in one statement. Nothing for an entity without records."""
    if not asked:
        return []
    connection.execute(queries("reports")["reuse_memory"])
    authorities = sorted({source for each in asked for source in each.authorities})
    statement = queries("reports")["reuse"].format(
        typed=_listed(sql.SQL("{} text").format(sql.Identifier(each.name)) for each in asked),
        values=_listed(part for n, each in enumerate(asked) for part in _values(n, each)),
        held=_listed([sql.SQL("count(*) as records"), *(part for n, each in enumerate(asked) for part in _held(n, each))]),
        compared=_listed(part for n, each in enumerate(asked) for part in _compared(n, each)),
        counts=_listed(_counts(n) for n in range(len(asked))),
    )
    rows = connection.execute(statement, {"entity": entity, "authorities": authorities}).fetchall()
    return [
        CountedAttribute(row[0], each.name, row[1], *(int(value or 0) for value in row[2 + 4 * n : 6 + 4 * n]))
        for row in rows
        for n, each in enumerate(asked)
    ]


def _values(n: int, asked: AskedAttribute) -> list[sql.Composed]:
    """Of a record: its value and the feature it is compared by; the other features stay where they are."""
    found = [sql.SQL("told.{} as {}").format(sql.Identifier(asked.name), _column("v", n))]
    if asked.feature is not None and asked.authorities:
        found.append(sql.SQL("features[{}] as {}").format(sql.Literal(asked.feature), _column("s", n)))
    return found


def _held(n: int, asked: AskedAttribute) -> list[sql.Composed]:
    """Of a golden record: what each authority says, as values and as features."""
    found = []
    for place, source in enumerate(asked.authorities):
        condition = sql.SQL("filter (where source = {} and {} is not null)").format(sql.Literal(source), _column("v", n))
        found.append(sql.SQL("array_agg({}) {} as {}").format(_column("v", n), condition, _column("h", n, place)))
        if asked.feature is not None:
            found.append(sql.SQL("array_agg({}) {} as {}").format(_column("s", n), condition, _column("f", n, place)))
    return found


def _compared(n: int, asked: AskedAttribute) -> list[sql.Composed]:
    """Of a record: its value, whether an authority before its register holds one, and whether they agree."""
    value, held = _column("v", n), _first_held("h", n, asked)
    same = [sql.SQL("{} = any({})").format(value, held)]
    if asked.feature is not None and asked.authorities:
        same.append(sql.SQL("{} = any({})").format(_column("s", n), _first_held("f", n, asked)))
    if asked.is_date and asked.authorities:
        same.append(
            sql.SQL("exists (select from unnest({}) as told (one) where starts_with(told.one, {}) or starts_with({}, told.one))").format(
                held, value, value
            )
        )
    return [
        sql.SQL("{}").format(value),
        sql.SQL("{} is not null and {} is not null as {}").format(value, held, _column("is_held", n)),
        sql.SQL("coalesce({}, false) as {}").format(sql.SQL(" or ").join(same), _column("agrees", n)),
    ]


def _first_held(kind: str, n: int, asked: AskedAttribute) -> sql.Composable:
    """What the first authority that stands before the record's own register says; nothing for the first authority itself."""
    names = [_column(kind, n, place) for place in range(len(asked.authorities))]
    if not names:
        return sql.SQL("null::text[]")
    cases = [
        sql.SQL("when {} then {}").format(
            sql.Literal(source), sql.SQL("null") if place == 0 else sql.SQL("coalesce({})").format(_listed(names[:place]))
        )
        for place, source in enumerate(asked.authorities)
    ]
    return sql.SQL("case source {} else coalesce({}) end").format(sql.SQL(" ").join(cases), _listed(names))


def _counts(n: int) -> sql.Composed:
    parts = (
        sql.SQL("count({})").format(_column("v", n)),
        sql.SQL("count(*) filter (where {})").format(_column("is_held", n)),
        sql.SQL("count(*) filter (where {})").format(_column("agrees", n)),
        sql.SQL("sum(length({})) filter (where {})").format(_column("v", n), _column("agrees", n)),
    )
    return _listed(parts)


def _column(kind: str, *places: int) -> sql.Identifier:
    return sql.Identifier("_".join((kind, *map(str, places))))


def _listed(parts: Iterable[sql.Composable]) -> sql.Composed:
    return sql.SQL(", ").join(parts)


def last_bulk_model(connection: Connection, entity: str) -> Mapping[str, Any] | None:
    """The document of the model by which everything of an entity was last matched; None when it never was."""
    row = connection.execute(queries("reports")["last_bulk_model"], {"entity": entity}).fetchone()
    return None if row is None else row[0]


def by_source(connection: Connection, entity: str) -> list[tuple[str, int, int]]:
    """(register, records, golden records) of an entity."""
    return [tuple(row) for row in connection.execute(queries("reports")["by_source"], {"entity": entity}).fetchall()]


def overlaps(connection: Connection, entity: str) -> list[tuple[str, str, int]]:
    """(register, register, golden records both speak of), each two registers once."""
    return [tuple(row) for row in connection.execute(queries("reports")["overlaps"], {"entity": entity}).fetchall()]


def judgements(connection: Connection, entity: str) -> list[tuple[str, str, int]]:
    """(rule, model or steward; verdict; how many are in force)."""
    return [tuple(row) for row in connection.execute(queries("reports")["judgements"], {"entity": entity}).fetchall()]


def waiting(connection: Connection, entity: str) -> list[tuple[str, int]]:
    """(why, how many pairs wait for a person)."""
    return [tuple(row) for row in connection.execute(queries("reports")["waiting"], {"entity": entity}).fetchall()]


def events(connection: Connection, entity: str, since: datetime) -> list[tuple[date, str, int]]:
    """(day in Vietnam, kind of event, how many)."""
    return [tuple(row) for row in connection.execute(queries("reports")["events"], {"entity": entity, "since": since}).fetchall()]
