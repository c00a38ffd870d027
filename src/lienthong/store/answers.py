"""Pages, changes and whole answers: rows as they were known at a version, and as they were true on a day.

A row is a state: current rows are states that last; history holds those that were closed (`docs/explanation/architecture.md`).
Only names and shapes are composed here; values travel as parameters, except in `whole_statement`, which COPY allows none of
and which quotes them through psycopg.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from psycopg import sql

from lienthong.store.database import Connection, queries
from lienthong.store.questions import Bind, Expression, boxes_named, columns_named, condition_of
from lienthong.store.tables import changes, current, history

if TYPE_CHECKING:
    import pyarrow as pa

KEY = "_key"
VERSION = "_version"
READ_AHEAD = 2  # batches of about 16 MB
OURS = 3  # _key, _version, _valid_from come before the fields
_OPERATORS = {
    "eq": sql.SQL("{column} = {value}"),
    "in": sql.SQL("{column} = any({value})"),
    "gte": sql.SQL("{column} >= {value}"),
    "lte": sql.SQL("{column} <= {value}"),
    "starts_with": sql.SQL("starts_with({column}, {value})"),
}
Row = tuple[Any, ...]


@dataclass(frozen=True)
class Condition:
    """`operator` is eq, in, gte, lte or starts_with; `in` has a list for its value."""

    column: str
    operator: str
    value: Any


@dataclass(frozen=True)
class Sort:
    column: str
    is_descending: bool = False


@dataclass(frozen=True)
class Ask:
    """Which rows, in which order. `version` None: the newest; `as_of` None: whatever lasts. `after`: sort values and key of the last row seen.

    `where` holds besides the `conditions`; `offset` rows are passed over after those.
    """

    dataset_id: str
    fields: tuple[str, ...]
    conditions: tuple[Condition, ...] = ()
    sorts: tuple[Sort, ...] = ()
    version: int | None = None
    as_of: date | None = None
    after: tuple[Any, ...] | None = None
    limit: int | None = 100
    where: Expression | None = None
    offset: int = 0

    @property
    def columns(self) -> tuple[str, ...]:
        """The fields, then what the order needs beside them; the key is always there."""
        return (*self.fields, *(s.column for s in self.sorts if s.column not in self.fields and s.column != KEY))


@dataclass(frozen=True)
class Page:
    """Rows of (_key, _version, _valid_from, *ask.columns) at a version."""

    version: int
    rows: list[Row]


@dataclass(frozen=True)
class VersionFacts:
    version: int
    known_at: datetime
    contract_version: str
    delivered_columns: frozenset[str]
    inserted: int
    updated: int
    ended: int
    is_first_fill: bool


# One change: op, whether the state after it and the state before it are among the caller's rows, then that state as in Page; at an end only the key
# and the version of it. A plain row as the server sends it: a page of the feed has a thousand, and naming their places took a twentieth of its time.
ChangedRow = tuple[Any, ...]
STATE = 3  # where a change's key, version, first day and fields begin


def newest_version(connection: Connection, dataset_id: str) -> int | None:
    """The newest published version, 0 when there is none yet, None when the dataset is not applied."""
    row = connection.execute(queries("answers")["newest_version"], {"dataset": dataset_id}).fetchone()
    return None if row is None else row[0]


def version_known_at(connection: Connection, dataset_id: str, instant: datetime) -> int:
    """The version that was the newest at an instant; 0: none was."""
    row = connection.execute(queries("answers")["version_known_at"], {"dataset": dataset_id, "instant": instant}).fetchone()
    return 0 if row is None or row[0] is None else row[0]


def version_facts(connection: Connection, dataset_id: str, after: int = 0, limit: int | None = None) -> list[VersionFacts]:
    """Versions newer than `after`, newest first."""
    rows = connection.execute(queries("answers")["versions"], {"dataset": dataset_id, "after": after, "limit": limit}).fetchall()
    return [VersionFacts(row[0], row[1], row[2], frozenset(row[3]), *row[4:]) for row in rows]


def read_page(connection: Connection, ask: Ask) -> Page:
    """One page. The newest version is read in one statement from the current rows alone; any other from current and history."""
    if ask.as_of is None:
        newest = _newest_page(connection, ask)
        if newest is not None:
            return newest
    version = ask.version
    if version is None:
        version = newest_version(connection, ask.dataset_id) or 0
    if version == 0:
        return Page(0, [])
    values: dict[str, Any] = {}
    statement = queries("answers")["page"].format(
        version=sql.Literal(version),
        columns=_columns(ask.columns),
        states=_states(ask, version),
        conditions=_where(ask, values),
        order=_order(ask.sorts),
        limit=_limit(ask.limit),
        offset=sql.Literal(ask.offset),
    )
    rows = _fetch(connection, statement, values)
    return Page(version, [row[1:] for row in rows])


def count_rows(connection: Connection, ask: Ask, version: int) -> int:
    """How many rows a question has at a version, whatever its page."""
    values: dict[str, Any] = {}
    statement = queries("answers")["count"].format(
        states=_states(replace(ask, fields=(), sorts=()), version), conditions=_where(replace(ask, after=None), values)
    )
    return int(_fetch(connection, statement, values)[0][0])


def read_distinct(connection: Connection, ask: Ask, version: int) -> list[Row]:
    """The different values of `ask.fields` together, in their order, at most `ask.limit` of them."""
    values: dict[str, Any] = {}
    statement = queries("answers")["distinct"].format(
        columns=_columns(ask.fields),
        states=_states(ask, version),
        conditions=_where(ask, values),
        order=sql.SQL(", ").join(sql.SQL(str(place + 1)) for place in range(len(ask.fields))),
        limit=_limit(ask.limit),
    )
    return _fetch(connection, statement, values)


def stream_rows(connection: Connection, ask: Ask, version: int, rows_at_once: int) -> Iterator[list[Row]]:
    """Every row of a question at a version, as in Page, some at a time: read as they are taken, in flat memory. Holds the transaction open."""
    values: dict[str, Any] = {}
    statement = queries("answers")["page"].format(
        version=sql.Literal(version),
        columns=_columns(ask.columns),
        states=_states(ask, version),
        conditions=_where(ask, values),
        order=_order(ask.sorts),
        limit=_limit(ask.limit),
        offset=sql.Literal(ask.offset),
    )
    with connection.cursor("stream", binary=True) as cursor:
        cursor.execute(statement, values)
        while rows := cursor.fetchmany(rows_at_once):
            yield [row[1:] for row in rows]


@contextmanager
def patience(connection: Connection, seconds: float) -> Iterator[None]:
    """No statement of the block takes longer: psycopg.errors.QueryCanceled ends the transaction instead."""
    statement = queries("answers")["patience"]
    connection.execute(statement, {"milliseconds": str(max(1, int(seconds * 1000)))})
    yield
    connection.execute(statement, {"milliseconds": "0"})


def _newest_page(connection: Connection, ask: Ask) -> Page | None:
    """The page if it can be told from the current rows: None when the asked version is an older one, or the dataset is not applied."""
    values: dict[str, Any] = {}
    statement = queries("answers")["newest_page"].format(
        dataset=sql.Literal(ask.dataset_id),
        columns=_columns(ask.columns),
        current=current(ask.dataset_id),
        conditions=_where(ask, values),
        order=_order(ask.sorts),
        limit=_limit(ask.limit),
        offset=sql.Literal(ask.offset),
    )
    rows = _fetch(connection, statement, values)
    if not rows or ask.version not in (None, rows[0][0]):
        return None
    return Page(rows[0][0], [row[1:] for row in rows if row[1] is not None])


def _fetch(connection: Connection, statement: sql.Composed, values: Mapping[str, Any]) -> list[Row]:
    """Planned for these very values: a plan made for any value took twice the time of the right one (measured)."""
    return connection.execute(statement, values, prepare=False, binary=True).fetchall()


def whole_statement(ask: Ask, version: int) -> str:
    """The statement of a whole answer, its values quoted inside it: a stream of record batches takes no parameters."""
    conditions = [condition_text(condition, sql.Literal(condition.value)) for condition in ask.conditions]
    if ask.where is not None:
        conditions.append(condition_of(ask.where, sql.Literal))
    statement = queries("answers")["whole"].format(
        columns=_columns(ask.fields),
        states=_states(ask, version, is_in_order=ask.sorts == (Sort(KEY),)),
        conditions=_all(conditions),
        order=sql.SQL("order by {}").format(_order(ask.sorts)) if ask.sorts else sql.SQL(""),
        limit=sql.SQL("limit {}").format(sql.Literal(ask.limit)) if ask.limit is not None else sql.SQL(""),
    )
    return statement.as_string(None)


def stream_whole(database_url: str, ask: Ask, version: int) -> Iterator[pa.RecordBatch]:
    """Every row as Arrow record batches, a few megabytes at a time, straight from the server's binary COPY."""
    return stream_statement(database_url, whole_statement(ask, version))


def stream_statement(database_url: str, statement: str) -> Iterator[pa.RecordBatch]:
    """The rows of a statement that holds its values, as `stream_whole` gives them."""
    import adbc_driver_postgresql.dbapi as adbc  # type: ignore[import-untyped]  # noqa: PLC0415 # no types are published; loaded when a whole answer is asked for
    import pyarrow as pa  # noqa: PLC0415 # as above

    with adbc.connect(database_url) as connection, connection.cursor() as cursor:
        cursor.execute("set timezone to 'UTC'")
        cursor.execute(statement)
        reader = cursor.fetch_record_batch()
        is_empty = True
        for batch in _ahead(reader):
            is_empty = False
            yield batch
        if is_empty:  # no rows still have columns
            yield pa.RecordBatch.from_pylist([], schema=reader.schema)


def _ahead(reader: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """The batches, read by a thread a little ahead of whoever writes them."""
    waiting: queue.Queue[pa.RecordBatch | BaseException | None] = queue.Queue(READ_AHEAD)
    is_left = threading.Event()

    def read() -> None:
        last: BaseException | None = None
        try:
            for batch in reader:
                waiting.put(batch)
                if is_left.is_set():
                    break
        except BaseException as error:
            last = error  # raised where the batches are taken
        waiting.put(last)

    thread = threading.Thread(target=read, name="read-ahead", daemon=True)
    thread.start()
    try:
        while (batch := waiting.get()) is not None:
            if isinstance(batch, BaseException):
                raise batch
            yield batch
    finally:
        is_left.set()
        while thread.is_alive():
            with suppress(queue.Empty):
                waiting.get(timeout=0.05)


def read_first_fill(connection: Connection, ask: Ask, version: int, key: str, limit: int) -> list[ChangedRow]:
    """The records a first fill brought, after a key, in key order; only those within the caller's rows."""
    values: dict[str, Any] = {"key": key}
    statement = queries("answers")["first_fill_changes"].format(
        current=current(ask.dataset_id),
        history=history(ask.dataset_id),
        columns=_columns(ask.fields),
        version=sql.Literal(version),
        key=sql.Placeholder("key"),
        conditions=_where(ask, values),
        limit=sql.Literal(limit),
    )
    return connection.execute(statement, values, binary=True).fetchall()


def read_changes(connection: Connection, ask: Ask, version: int, key: str, newest: int, limit: int) -> list[ChangedRow]:
    """Changes after (version, key) up to `newest`, in order."""
    values: dict[str, Any] = {"version": version, "key": key, "newest": newest}
    conditions = _where(ask, values)
    was_within: sql.Composable = sql.SQL("page.op <> 'i'")  # with no row filter, what was before was within
    if ask.conditions:
        was_within = queries("answers")["was_within"].format(history=history(ask.dataset_id), conditions=conditions)
    statement = queries("answers")["later_changes"].format(
        current=current(ask.dataset_id),
        changes=changes(ask.dataset_id),
        columns=_columns(ask.fields),
        state_columns=sql.SQL(", ").join(sql.Identifier("state", name) for name in ask.fields or ("_nothing",)),
        conditions=conditions,
        was_within=was_within,
        version=sql.Placeholder("version"),
        key=sql.Placeholder("key"),
        newest=sql.Placeholder("newest"),
        limit=sql.Literal(limit),
    )
    rows = connection.execute(statement, values, binary=True).fetchall()
    gone = [row for row in rows if row[STATE + 2] is None and row[0] != "e"]
    if not gone:
        return rows
    past = _past_states(connection, ask, gone)
    return [_completed(row, past) if row[STATE + 2] is None and row[0] != "e" else row for row in rows]


def _completed(row: ChangedRow, past: Mapping[tuple[str, int], tuple[bool, Row]]) -> ChangedRow:
    """A change whose state is no longer current, with that state out of history."""
    found = past.get((row[STATE], row[STATE + 1]))
    return row if found is None else (row[0], found[0], row[2], *found[1])


def _past_states(connection: Connection, ask: Ask, gone: Sequence[ChangedRow]) -> dict[tuple[str, int], tuple[bool, Row]]:
    """(key, version) → whether that state is within the caller's rows, and the state. What left current is in history for good."""
    values: dict[str, Any] = {"keys": [row[STATE] for row in gone], "versions": [row[STATE + 1] for row in gone]}
    statement = queries("answers")["past_states"].format(
        history=history(ask.dataset_id),
        columns=_columns(ask.fields),
        conditions=_where(ask, values),
        keys=sql.Placeholder("keys"),
        versions=sql.Placeholder("versions"),
    )
    return {(row[1], row[2]): (row[0], row[1:]) for row in connection.execute(statement, values).fetchall()}


def _states(ask: Ask, version: int, *, is_in_order: bool = False) -> sql.Composed:
    """The states a version tells of. `is_in_order`: in the order of keys, for who reads all of them so."""
    read = (*(condition.column for condition in ask.conditions), *columns_named(ask.where), *boxes_named(ask.where))
    wanted = dict.fromkeys([*ask.columns, *(name for name in read if name not in (KEY, VERSION))])
    states = "states_on" if ask.as_of is not None else "states_in_order" if is_in_order else "states_now"
    return queries("answers")[states].format(
        columns=_columns(tuple(wanted)),
        current=current(ask.dataset_id),
        history=history(ask.dataset_id),
        version=sql.Literal(version),
        day=sql.Literal(ask.as_of),
    )


def _columns(names: Sequence[str]) -> sql.Composed:
    if not names:
        return sql.SQL("{}").format(sql.SQL("null as _nothing"))
    return sql.SQL(", ").join(sql.Identifier(name) for name in names)


def _limit(limit: int | None) -> sql.Composable:
    return sql.SQL("all") if limit is None else sql.Literal(limit)


def _where(ask: Ask, values: dict[str, Any]) -> sql.Composed:
    """Conditions and the place to go on after, their values added to `values`."""
    parts = []
    for number, condition in enumerate(ask.conditions):
        name = f"c{number}"
        values[name] = condition.value
        parts.append(condition_text(condition, sql.Placeholder(name)))
    if ask.where is not None:
        parts.append(condition_of(ask.where, _binding(values)))
    if ask.after is not None:
        parts.append(_beyond(ask.sorts, ask.after, values))
    return _all(parts)


def _binding(values: dict[str, Any]) -> Bind:
    def bind(value: Any) -> sql.Composable:
        name = f"w{len(values)}"
        values[name] = value
        return sql.Placeholder(name)

    return bind


def condition_text(condition: Condition, value: sql.Composable) -> sql.Composed:
    """A condition as SQL, its value given beside it."""
    return _OPERATORS[condition.operator].format(column=sql.Identifier(condition.column), value=value)


def _all(parts: Sequence[sql.Composable]) -> sql.Composed:
    return sql.SQL(" and ").join([*parts] or [sql.SQL("true")])


def _order(sorts: Sequence[Sort]) -> sql.Composed:
    parts = [
        sql.SQL("{} desc nulls last" if sort.is_descending else "{} asc nulls last").format(sql.Identifier(sort.column)) for sort in sorts
    ]
    return sql.SQL(", ").join([*parts, sql.SQL("_key")])


def _beyond(sorts: Sequence[Sort], after: Sequence[Any], values: dict[str, Any]) -> sql.Composed:
    """True of rows that come later than `after` in the order: sorted columns with empty values last, then the key."""
    values["after_key"] = after[-1]
    choices: list[sql.Composable] = []
    equal: list[sql.Composable] = []
    for number, (sort, value) in enumerate(zip(sorts, after[:-1], strict=True)):
        name, column = f"after_{number}", sql.Identifier(sort.column)
        values[name] = value
        if value is not None:
            later = sql.SQL(
                "({column} < {value} or {column} is null)" if sort.is_descending else "({column} > {value} or {column} is null)"
            )
            choices.append(_all([*equal, later.format(column=column, value=sql.Placeholder(name))]))
            equal.append(sql.SQL("{} = {}").format(column, sql.Placeholder(name)))
        else:
            equal.append(sql.SQL("{} is null").format(column))
    choices.append(_all([*equal, sql.SQL("_key > {}").format(sql.Placeholder("after_key"))]))
    return sql.SQL("({})").format(sql.SQL(" or ").join(choices))


def summary(facts: VersionFacts) -> Mapping[str, Any]:
    """A version as the catalogue shows it."""
    return {
        "version": facts.version,
        "known_at": facts.known_at,
        "contract_version": facts.contract_version,
        "inserted": facts.inserted,
        "updated": facts.updated,
        "ended": facts.ended,
    }
