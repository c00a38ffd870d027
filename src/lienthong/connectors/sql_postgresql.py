"""The conversation with another PostgreSQL: streamed in Arrow batches (ADBC), every column cast to text by its server."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg
import pyarrow as pa
from psycopg import sql

from lienthong.connectors.sql_options import SqlOptions, pinned, said
from lienthong.connectors.sql_sources import POSTGRESQL, Described
from lienthong.errors import SourceError

SETTINGS = (
    "set datestyle to 'ISO, YMD'",
    "set timezone to 'UTC'",
    "set intervalstyle to 'iso_8601'",
    "set bytea_output to 'hex'",
    "set extra_float_digits to 1",
    "begin isolation level repeatable read read only",
)


@contextmanager
def talk_postgresql(options: SqlOptions) -> Iterator[PostgresTalk]:
    """One read-only, repeatable-read transaction. Raises SourceError for whatever the server or the line says."""
    import adbc_driver_manager  # noqa: PLC0415 # both bring pandas: half a second of each process, if loaded at once
    import adbc_driver_postgresql.dbapi as adbc  # type: ignore[import-untyped]  # noqa: PLC0415 # publishes no types

    try:
        with adbc.connect(to_connect(options), autocommit=True) as connection, connection.cursor() as cursor:
            for statement in SETTINGS:
                cursor.execute(statement)
            if options.timeout_seconds:
                cursor.execute(f"set local statement_timeout to {int(options.timeout_seconds * 1000)}")
            yield PostgresTalk(options, cursor)
    except (adbc_driver_manager.Error, psycopg.Error, pa.ArrowException, OSError) as error:  # a failing stream speaks as Arrow
        raise SourceError(
            f"`{options.uri}`: không đọc được cơ sở dữ liệu / the database cannot be read: {said(error, {'password': options.password})}.",
            hint="Is it up, and may this account select from the table?",
        ) from error


def to_connect(options: SqlOptions) -> str:
    """The location as it is connected to: the address that was judged, and the certificate that is demanded of the server."""
    url = pinned(options.url)
    if options.tls == "off":
        return url
    words = "sslmode=verify-full" + (f"&sslrootcert={options.ca}" if options.ca else "&sslrootcert=system")
    return f"{url}{'&' if '?' in url else '?'}{words}"


class PostgresTalk:
    dialect = POSTGRESQL

    def __init__(self, options: SqlOptions, cursor: Any) -> None:
        self._options = options
        self._cursor = cursor

    def described(self) -> Sequence[Described]:
        """Columns with their types as the server writes them."""
        if self._options.query:
            return self._described_query()
        schema, table = self._options.table
        query = sql.SQL(
            "select a.attname::text, format_type(a.atttypid, a.atttypmod) from pg_attribute a "
            "join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace "
            "where n.nspname = {} and c.relname = {} and a.attnum > 0 and not a.attisdropped order by a.attnum"
        ).format(schema, table)
        self._cursor.execute(query.as_string(None))
        return [self.dialect.described(str(name), str(kind)) for name, kind in self._cursor.fetchall()]

    def _described_query(self) -> Sequence[Described]:
        """Over a connection of its own, for the types of a query's columns are in no catalogue."""
        with psycopg.connect(to_connect(self._options), autocommit=True, options="-c default_transaction_read_only=on") as connection:
            cursor = connection.execute(f"select * from {self.origin()} _row limit 0".encode())  # noqa: S608 # a query that was checked
            columns = cursor.description or ()
            named = connection.execute("select format_type(t, null) from unnest(%s::oid[]) as t", ([c.type_code for c in columns],))
            return [self.dialect.described(c.name, str(kind[0])) for c, kind in zip(columns, named, strict=True)]

    def origin(self) -> str:
        return f"({self._options.query})" if self._options.query else sql.Identifier(*self._options.table).as_string(None)

    def is_unique(self, key: Sequence[str]) -> bool:
        del key
        return False  # the place of a row orders those that share a key at no cost

    def tie_break(self) -> str:
        """A view or query has no place of its rows, so their text must do."""
        if self._options.query:
            return "_row::text"
        query = sql.SQL("select table_type = 'VIEW' from information_schema.tables where table_schema = {} and table_name = {}")
        self._cursor.execute(query.format(*self._options.table).as_string(None))
        found = self._cursor.fetchone()
        return "_row::text" if found and found[0] else "_row.tableoid, _row.ctid"

    def one(self, statement: str) -> str | None:
        self._cursor.execute(statement)
        found = self._cursor.fetchone()
        return None if found is None or found[0] is None else str(found[0])

    def now(self, kind: str) -> str:
        spelled = {"date": "current_date::text", "datetime": "localtimestamp::text"}.get(kind, "current_timestamp::text")
        return self.one(f"select {spelled}") or ""

    def stream(self, statement: str, columns: int, rows: int) -> Iterator[pa.Table]:
        """The driver's own batches follow its buffer; they are regrouped."""
        self._cursor.execute(statement)
        waiting: list[pa.RecordBatch] = []
        count = 0
        for batch in self._cursor.fetch_record_batch():
            waiting.append(batch)
            count += batch.num_rows
            while count >= rows:
                table = pa.Table.from_batches(waiting)
                yield _texts(table.slice(0, rows), columns)
                waiting = table.slice(rows).to_batches()
                count -= rows
        if count:
            yield _texts(pa.Table.from_batches(waiting), columns)


def _texts(table: pa.Table, columns: int) -> pa.Table:
    return pa.Table.from_arrays([column.cast(pa.string()) for column in table.columns], names=[str(n) for n in range(columns)])
