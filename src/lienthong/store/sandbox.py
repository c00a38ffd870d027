"""The mark that makes a database a sandbox, the seed it goes back to, and the going back.

Only an empty database takes the mark. What is kept over a reset is the ledger, who people are, and what they have learnt; everything
else is put back as it was when it was filled, in one transaction.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from psycopg import sql

from lienthong.errors import StoreError
from lienthong.store.database import Connection, queries

SEED = "sandbox_seed"
KEPT = frozenset(
    {
        "schema_versions", "sandbox_mark", "training_learners", "training_starts", "training_completions", "persons", "person_roles", "sessions",
        "second_factors", "sign_in_failures", "oidc_codes", "used_assertions", "revoked_tokens", "duty_beats", "register_edge",
    }
)  # fmt: skip
KEPT_BEGINS = "ledger_"
DATA = "data"  # the schema of datasets' own tables
LOCK_SECONDS = 10


@dataclass(frozen=True)
class Standing:
    """When it was marked, filled (from which contracts) and last put back."""

    marked_at: datetime
    filled_at: datetime | None
    filled_from: str
    reset_at: datetime | None


@dataclass(frozen=True)
class _Table:
    schema: str
    name: str
    columns: tuple[str, ...]
    refers_to: frozenset[str]

    @property
    def full(self) -> str:
        return f"{self.schema}.{self.name}"

    @property
    def place(self) -> sql.Identifier:
        return sql.Identifier(self.schema, self.name)

    @property
    def seed(self) -> sql.Identifier:
        return sql.Identifier(SEED, f"{self.schema}__{self.name}"[:63])

    @property
    def written(self) -> sql.Composed:
        return sql.SQL(", ").join(map(sql.Identifier, self.columns))


def is_marked(connection: Connection) -> bool:
    """Whether this database is a sandbox."""
    row = connection.execute(queries("training")["is_marked"]).fetchone()
    return row is not None and bool(row[0])


def mark(connection: Connection, at: datetime) -> None:
    """Make an empty database a sandbox. Raises StoreError for one in which anything was ever kept."""
    row = connection.execute(queries("training")["is_empty"]).fetchone()
    if row is None or not row[0]:
        raise StoreError(
            "This database holds data already: it cannot become a sandbox.", hint="Name an empty one in LIENTHONG_SANDBOX_DATABASE_URL."
        )
    connection.execute(queries("training")["mark"], {"at": at})


def standing(connection: Connection) -> Standing | None:
    """How the sandbox stands; None where this is none."""
    row = connection.execute(queries("training")["standing"]).fetchone()
    return None if row is None else Standing(*row)


def note_filled(connection: Connection, at: datetime, origin: str) -> None:
    connection.execute(queries("training")["filled"], {"at": at, "from": origin})


def clear(connection: Connection) -> None:
    """Take everything out that is not kept, and the seed. Raises StoreError where this is no sandbox."""
    _require_mark(connection)
    connection.execute(sql.SQL("drop schema if exists {} cascade").format(sql.Identifier(SEED)))
    tables = _tables(connection)
    _empty(connection, tables)
    for table in tables:
        if table.schema == DATA:  # contracts make them anew
            connection.execute(sql.SQL("drop table {}").format(table.place))


def keep_seed(connection: Connection) -> None:
    """Remember everything as it stands now, as what to go back to."""
    _require_mark(connection)
    connection.execute(sql.SQL("drop schema if exists {} cascade").format(sql.Identifier(SEED)))
    connection.execute(sql.SQL("create schema {}").format(sql.Identifier(SEED)))
    for table in _tables(connection):
        connection.execute(sql.SQL("create table {} as select {} from {}").format(table.seed, table.written, table.place))


def put_back(connection: Connection, at: datetime) -> None:
    """Everything as it was when the seed was kept; numbers go on, so that none is given twice.

    Raises StoreError where this is no sandbox, or the tables are no longer those of the seed.
    """
    _require_mark(connection)
    connection.execute("select set_config('lock_timeout', %s, true)", (f"{LOCK_SECONDS}s",))
    tables = _in_order(_tables(connection))
    there = {row[0] for row in connection.execute("select tablename::text from pg_tables where schemaname = %s", (SEED,))}
    missing = [table.full for table in tables if f"{table.schema}__{table.name}"[:63] not in there]
    if missing:
        raise StoreError(f"The seed does not know {', '.join(missing[:3])}.", hint="lienthong sandbox fill")
    _empty(connection, tables)
    for table in tables:
        connection.execute(sql.SQL("alter table {} disable trigger user").format(table.place))
        connection.execute(
            sql.SQL("insert into {} ({}) overriding system value select {} from {}").format(
                table.place, table.written, table.written, table.seed
            )
        )
        connection.execute(sql.SQL("alter table {} enable trigger user").format(table.place))
    connection.execute(queries("training")["was_reset"], {"at": at})


def _require_mark(connection: Connection) -> None:
    if not is_marked(connection):
        raise StoreError("This database is no sandbox: nothing in it is put back.", hint="lienthong sandbox fill makes one.")


def _tables(connection: Connection) -> list[_Table]:
    """Those that are put back."""
    found = [
        _Table(schema, name, tuple(columns), frozenset(refers))
        for schema, name, columns, refers in connection.execute(queries("training")["tables"])
    ]
    return [t for t in found if t.schema == DATA or (t.name not in KEPT and not t.name.startswith(KEPT_BEGINS))]


def _empty(connection: Connection, tables: Iterable[_Table]) -> None:
    places = [table.place for table in tables]
    if places:
        connection.execute(sql.SQL("truncate {}").format(sql.SQL(", ").join(places)))


def _in_order(tables: list[_Table]) -> list[_Table]:
    """What others refer to before them."""
    found: list[_Table] = []
    left = {table.full: table for table in tables}
    while left:
        ready = [table for table in left.values() if not table.refers_to & left.keys()]
        if not ready:
            raise StoreError(f"Tables refer to each other in a circle: {', '.join(sorted(left))}.")
        for table in ready:
            found.append(left.pop(table.full))
    return found
