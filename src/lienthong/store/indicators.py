"""Runs formulas under the narrowest role there is, and remembers figures, their parts, and what was asked about them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import psycopg
from psycopg import sql

from lienthong.contracts.indicators import Formula, Period, ReadStanding
from lienthong.contracts.indicators.formula_model import tables_of
from lienthong.errors import StoreError
from lienthong.store.database import Connection, Database, past_changes, queries

MOST_ROWS = 200_000


@dataclass(frozen=True)
class Part:
    """What one unit of administration adds to a figure: the unit's key, a value, and a base where there is one."""

    code: str
    valid_from: date
    value: float
    base: float | None = None


@dataclass(frozen=True)
class Figure:
    """A frozen figure. `faults`: what is missing for it to be final; `reads`: each dataset as it was read."""

    figure: int
    indicator: str
    period: str
    begins_on: date
    until: date
    revision: int
    state: str
    total: float | None
    value: float | None
    base: float | None
    target: float | None
    faults: Sequence[Sequence[str]]
    reads: Sequence[Mapping[str, Any]]
    details: Mapping[str, Any]
    computed_at: datetime
    definition: str


@dataclass(frozen=True)
class Question:
    """An explanation asked for; `place` is empty for the whole province."""

    question: int
    figure: int
    indicator: str
    period: str
    place: str
    place_on: date
    owner: str
    words: str
    asked_by: str
    asked_by_agency: str
    asked_at: datetime
    due_on: date
    state: str = "open"
    answer: str = ""
    answered_by: str = ""
    answered_at: datetime | None = None


def run_formula(database: Database, formula: Formula, period: Period, seconds: int) -> list[dict[str, Any]]:
    """The rows of a formula for a period, each by output name. Its transaction can read the tables it names and nothing else, and leaves nothing.

    Raises StoreError, without any value of a row, for one that fails or takes too long.
    """
    values = {"begins_on": period.begins_on, "until": period.until, "year": period.year}
    try:
        rows = past_changes(lambda: _rows(database, formula, values, seconds))
    except psycopg.Error as error:
        raise StoreError(
            f"A formula could not be reckoned: {type(error).__name__} {error.sqlstate or ''}.".replace(" .", "."),
            hint="Run it by hand on the tables it reads; see docs/reference/indicators.md.",
        ) from error
    if len(rows) > MOST_ROWS:
        raise StoreError(f"A formula gave more than {MOST_ROWS:,} rows.", hint="Group by place and month, not by day.")
    return [dict(zip(formula.outputs, row, strict=True)) for row in rows]


def _rows(database: Database, formula: Formula, values: Mapping[str, Any], seconds: int) -> list[tuple[Any, ...]]:
    with database.connect() as connection:
        try:
            _narrow(connection, formula.reads, seconds)
            statement = sql.SQL(formula.statement)  # written by us from the checked tree
            return connection.execute(statement, values, binary=True).fetchmany(MOST_ROWS + 1)
        finally:
            connection.rollback()


def _narrow(connection: Connection, reads: Iterable[str], seconds: int) -> None:
    """From here on the transaction sees the datasets' tables alone. Where the role could not be made, the checked text must do."""
    said = queries("indicators")
    has_role = connection.execute(said["figures_role"]).fetchone()
    if has_role is not None and has_role[0]:
        for dataset in reads:
            for table in tables_of(dataset):
                connection.execute(said["grant_read"].format(table=sql.Identifier("data", table)))
        connection.execute(said["take_figures_role"])
    connection.execute(said["read_only"], {"milliseconds": f"{seconds * 1000}"})


def read_standings(connection: Connection, datasets: Sequence[str]) -> list[ReadStanding]:
    """Datasets as they stand, in order of id; one that is not applied is absent."""
    found = []
    for row in connection.execute(queries("indicators")["reads"], {"datasets": list(datasets)}):
        rows = row[5] + row[6]
        found.append(ReadStanding(row[0], row[1], row[2], row[3], row[4], round(100 * row[5] / rows, 2) if rows else 0.0))
    return found


def keep_definition(connection: Connection, digest: str, indicator: str, definition: Mapping[str, Any], at: datetime) -> None:
    """Remember what a file said; twice is harmless."""
    values = {"digest": digest, "indicator": indicator, "definition": _json(definition), "at": at}
    connection.execute(queries("indicators")["keep_definition"], values)


def add_figure(
    connection: Connection, indicator: str, definition: str, period: Period, *, state: str, total: float | None, value: float | None,
    base: float | None, target: float | None, faults: Sequence[Sequence[str]], reads: Sequence[Mapping[str, Any]],
    details: Mapping[str, Any], parts: Sequence[Part], at: datetime,
) -> tuple[int, int]:  # fmt: skip
    """Freeze a figure with its parts; gives its number and its revision."""
    values = {
        "indicator": indicator, "definition": definition, "period": period.code, "begins_on": period.begins_on, "until": period.until,
        "state": state, "total": total, "value": value, "base": base, "target": target, "faults": _json(faults), "reads": _json(reads),
        "details": _json(details), "at": at,
    }  # fmt: skip
    row = connection.execute(queries("indicators")["add"], values).fetchone()
    assert row is not None  # `returning` of an insert
    columns = {
        "figure": row[0],
        "codes": [each.code for each in parts],
        "since": [each.valid_from for each in parts],
        "values": [each.value for each in parts],
        "bases": [each.base for each in parts],
    }
    connection.execute(queries("indicators")["add_parts"], columns)
    return int(row[0]), int(row[1])


def newest(connection: Connection, indicator: str, period: str) -> Figure | None:
    """The newest revision of one period's figure."""
    row = connection.execute(queries("indicators")["revisions"], {"indicator": indicator, "period": period}).fetchone()
    return None if row is None else Figure(*row)


def revisions(connection: Connection, indicator: str, period: str) -> list[Figure]:
    """Every revision of one period, newest first."""
    return [Figure(*row) for row in connection.execute(queries("indicators")["revisions"], {"indicator": indicator, "period": period})]


def series(connection: Connection, indicators: Sequence[str]) -> dict[str, list[Figure]]:
    """Indicator → the newest revision of each of its periods, newest period first."""
    found: dict[str, list[Figure]] = {indicator: [] for indicator in indicators}
    for row in connection.execute(queries("indicators")["series"], {"indicators": list(indicators)}):
        found[row[1]].append(Figure(*row))
    return found


def figures(connection: Connection, numbers: Sequence[int]) -> list[Figure]:
    """Figures by their numbers."""
    return [Figure(*row) for row in connection.execute(queries("indicators")["figures"], {"figures": list(numbers)})]


def parts(connection: Connection, figure: int) -> list[Part]:
    """What a figure is the sum of, by unit."""
    return [Part(*row) for row in connection.execute(queries("indicators")["parts"], {"figure": figure})]


def definitions(connection: Connection, digests: Sequence[str]) -> dict[str, Mapping[str, Any]]:
    """Digest → what the file said."""
    return dict(connection.execute(queries("indicators")["definitions"], {"digests": list(digests)}).fetchall())


def seen(connection: Connection, indicator: str, period: str) -> str:
    """What a period's figure was reckoned from when it was last looked at; empty before the first time."""
    row = connection.execute(queries("indicators")["seen"], {"indicator": indicator, "period": period}).fetchone()
    return "" if row is None else str(row[0])


def look(connection: Connection, indicator: str, period: str, seen_now: str, at: datetime) -> None:
    """Remember what a period's figure was reckoned from."""
    connection.execute(queries("indicators")["look"], {"indicator": indicator, "period": period, "seen": seen_now, "at": at})


def ask(connection: Connection, made: Question) -> int:
    """Remember a question; gives its number (that of `made` does not count)."""
    values = {
        "figure": made.figure, "indicator": made.indicator, "period": made.period, "place": made.place, "place_on": made.place_on,
        "owner": made.owner, "words": made.words, "asked_by": made.asked_by, "asked_by_agency": made.asked_by_agency,
        "asked_at": made.asked_at, "due_on": made.due_on,
    }  # fmt: skip
    row = connection.execute(queries("indicators")["ask"], values).fetchone()
    assert row is not None  # `returning` of an insert
    return int(row[0])


def question(connection: Connection, number: int) -> Question | None:
    row = connection.execute(queries("indicators")["question"], {"question": number}).fetchone()
    return None if row is None else Question(*row)


def questions_of(connection: Connection, indicator: str) -> list[Question]:
    """What was asked about an indicator, newest first."""
    return [Question(*row) for row in connection.execute(queries("indicators")["questions_of"], {"indicator": indicator})]


def questions_to(connection: Connection, owner: str) -> list[Question]:
    """What an agency was asked: open ones first, by their day."""
    return [Question(*row) for row in connection.execute(queries("indicators")["questions_to"], {"owner": owner})]


def open_questions(connection: Connection) -> dict[str, int]:
    """Indicator → how many questions stand open."""
    return dict(connection.execute(queries("indicators")["open_questions"]).fetchall())


def answer(connection: Connection, number: int, words: str, by: str, at: datetime) -> bool:
    """Answer an open question; False when it is not open any more."""
    values = {"question": number, "answer": words, "by": by, "at": at}
    return connection.execute(queries("indicators")["answer"], values).rowcount == 1


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
