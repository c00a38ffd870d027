"""A table or query of another PostgreSQL database, streamed in Arrow batches (ADBC), every column cast to text by its server.

One read-only, repeatable-read transaction sees one state of the source. Rows come in the order of the key, so a position is a key and
stays true while the source lives on. Rows with an empty key come first: they too must reach quarantine.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pyarrow as pa
from psycopg import sql

from lienthong.connectors.base import Batch, Position, ReadContext, SourceFile
from lienthong.connectors.files import row_numbers
from lienthong.connectors.options import Options
from lienthong.connectors.variables import expand
from lienthong.contracts import Source
from lienthong.errors import SourceError

SETTINGS = (
    "set datestyle to 'ISO, YMD'",
    "set timezone to 'UTC'",
    "set intervalstyle to 'iso_8601'",
    "set bytea_output to 'hex'",
    "begin isolation level repeatable read read only",
)
_DATABASE_URL = re.compile(r"^postgres(ql)?://")


@dataclass(frozen=True)
class SqlOptions:
    url: str
    table: tuple[str, ...]  # schema and name
    key: tuple[str, ...]
    columns: tuple[str, ...]  # empty: all
    where: str
    timeout_seconds: float

    @classmethod
    def take(cls, source: Source, context: ReadContext) -> SqlOptions:
        options = Options.of(source, context)
        taken = cls(
            url=expand(source.location, context.variables),
            table=tuple(part for part in options.text("table").split(".") if part),
            key=options.texts("key"),
            columns=options.texts("columns"),
            where=options.text("where"),
            timeout_seconds=options.seconds("timeout_seconds", 0),
        )
        options.close()
        if len(taken.table) != 2:
            raise SourceError(f"Option `table`: expected `schema.table`, found `{'.'.join(taken.table)}`.")
        if not taken.key:
            raise options.required("key")
        if not _DATABASE_URL.match(taken.url):
            raise SourceError(f"Nguồn/source `{source.name}`: expected a location postgresql://…, found something else.")
        return taken

    @property
    def uri(self) -> str:
        """Where rows come from, without user and password."""
        parts = urlsplit(self.url)
        place = parts.hostname or "local"
        port = f":{parts.port}" if parts.port else ""
        return f"postgresql://{place}{port}{parts.path}#{'.'.join(self.table)}"


class SqlDatabase:
    """Connector `sql_database`. Options: `table`, `key`, `columns`, `where`, `timeout_seconds`."""

    def fingerprint(self, source: Source, context: ReadContext) -> str | None:
        del source, context
        return None  # to know it, every row would have to be read

    def read(self, source: Source, context: ReadContext, after: Position | None = None) -> Iterator[Batch]:
        import adbc_driver_manager  # noqa: PLC0415 # both bring pandas: half a second of each process, if loaded at once
        import adbc_driver_postgresql.dbapi as adbc  # type: ignore[import-untyped]  # noqa: PLC0415 # publishes no types

        options = SqlOptions.take(source, context)
        try:
            with adbc.connect(options.url, autocommit=True) as connection, connection.cursor() as cursor:
                yield from _Reader(options, cursor, context.batch_rows).batches(after)
        except (adbc_driver_manager.Error, psycopg.Error, pa.ArrowException, OSError) as error:  # a failing stream speaks as Arrow
            raise SourceError(
                f"`{options.uri}`: không đọc được cơ sở dữ liệu / the database cannot be read: {_said(error, options.url)}.",
                hint="Is it up, and may this account select from the table?",
            ) from error


class _Reader:
    def __init__(self, options: SqlOptions, cursor: Any, batch_rows: int) -> None:
        self._options = options
        self._cursor = cursor
        self._batch_rows = batch_rows
        self._file = SourceFile(uri=options.uri)
        for statement in SETTINGS:
            cursor.execute(statement)
        if options.timeout_seconds:
            cursor.execute(f"set local statement_timeout to {int(options.timeout_seconds * 1000)}")
        self._types = self._described()
        # Rows that share a key need an order too; a view has no place of its rows, so their text must do.
        self._tie_break = sql.SQL("_row::text") if self._is_view() else sql.SQL("_row.tableoid, _row.ctid")
        self._columns = options.columns or tuple(self._types)
        missing = [name for name in (*self._columns, *options.key) if name not in self._types]
        if missing:
            raise SourceError(f"`{options.uri}`: không có cột / has no column {', '.join(missing)}; it has {', '.join(self._types)}.")

    def _described(self) -> dict[str, str]:
        """Columns of the table with their types as the server writes them."""
        schema, table = self._options.table
        query = sql.SQL(
            "select a.attname::text, format_type(a.atttypid, a.atttypmod) from pg_attribute a "
            "join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace "
            "where n.nspname = {} and c.relname = {} and a.attnum > 0 and not a.attisdropped order by a.attnum"
        ).format(schema, table)
        self._cursor.execute(query.as_string(None))
        described = {str(name): str(kind) for name, kind in self._cursor.fetchall()}
        if not described:
            raise SourceError(f"`{self._options.uri}`: không có bảng / has no table `{schema}.{table}`, or this account may not see it.")
        return described

    def _is_view(self) -> bool:
        query = sql.SQL("select table_type = 'VIEW' from information_schema.tables where table_schema = {} and table_name = {}")
        self._cursor.execute(query.format(*self._options.table).as_string(None))
        found = self._cursor.fetchone()
        return bool(found and found[0])

    def batches(self, after: Position | None) -> Iterator[Batch]:
        row = 0 if after is None else int(after["row"])
        key: list[str] | None = None if after is None else after["key"]
        same = 0 if after is None else int(after["same"])
        any_batch = False
        if key is None:
            for table in self._stream(self._keyless(offset=row)):
                row += table.num_rows
                any_batch = True
                yield self._batch(table, row, None, 0)
        for table in self._stream(self._keyed(key, same)):
            row += table.num_rows
            any_batch = True
            last, count = self._last_key(table)
            same = count + (same if count == table.num_rows and last == key else 0)
            key = last
            yield self._batch(table, row, key, same)
        if not any_batch:
            empty = pa.table({name: pa.array([], pa.string()) for name in self._columns})
            yield Batch(self._file, empty, row_numbers(1, 0), {"row": row, "key": key, "same": same})

    def _last_key(self, table: pa.Table) -> tuple[list[str], int]:
        """The key of the last row, and how many rows at the end bear it."""
        key = table.columns[len(self._columns) :]
        last = [column[table.num_rows - 1].as_py() for column in key]
        count = 1
        while count < table.num_rows and [column[table.num_rows - 1 - count].as_py() for column in key] == last:
            count += 1
        return last, count

    def _batch(self, table: pa.Table, row: int, key: Sequence[str] | None, same: int) -> Batch:
        columns = [column.cast(pa.string()) for column in table.columns[: len(self._columns)]]
        return Batch(
            self._file,
            pa.Table.from_arrays(columns, names=list(self._columns)),
            row_numbers(row - table.num_rows + 1, table.num_rows),
            {"row": row, "key": key, "same": same},
        )

    def _stream(self, query: sql.Composed) -> Iterator[pa.Table]:
        """The query's rows, regrouped to `batch_rows` at a time; the driver's own batches follow its buffer."""
        self._cursor.execute(query.as_string(None))
        waiting: list[pa.RecordBatch] = []
        rows = 0
        for batch in self._cursor.fetch_record_batch():
            waiting.append(batch)
            rows += batch.num_rows
            while rows >= self._batch_rows:
                table = pa.Table.from_batches(waiting)
                yield table.slice(0, self._batch_rows)
                waiting = table.slice(self._batch_rows).to_batches()
                rows -= self._batch_rows
        if rows:
            yield pa.Table.from_batches(waiting)

    def _keyless(self, offset: int) -> sql.Composed:
        empty = sql.SQL(" or ").join(sql.SQL("{} is null").format(sql.Identifier("_row", name)) for name in self._options.key)
        return sql.SQL("{} and ({}) order by {} offset {}").format(self._select(), empty, self._tie_break, sql.Literal(offset))

    def _keyed(self, after: Sequence[str] | None, same: int) -> sql.Composed:
        """Rows with a whole key, from the position on: `same` rows of its key were given already."""
        key = [sql.Identifier("_row", name) for name in self._options.key]  # unqualified it would be the text of the select list
        filled = sql.SQL(" and ").join(sql.SQL("{} is not null").format(name) for name in key)
        query = sql.SQL("{} and {}").format(self._select(), filled)
        if after is not None:
            values = [
                sql.SQL("{}::{}").format(sql.Literal(value), sql.SQL(self._types[name]))  # the server's own spelling of a type
                for name, value in zip(self._options.key, after, strict=True)
            ]
            query += sql.SQL(" and ({}) >= ({})").format(sql.SQL(", ").join(key), sql.SQL(", ").join(values))
        query += sql.SQL(" order by {}, {}").format(sql.SQL(", ").join(key), self._tie_break)
        return query + sql.SQL(" offset {}").format(sql.Literal(same)) if after is not None else query

    def _select(self) -> sql.Composed:
        """Columns as text, then the key as text under names of no column."""
        shown = [sql.SQL("{}::text").format(sql.Identifier(name)) for name in self._columns]
        key = [
            sql.SQL("{}::text as {}").format(sql.Identifier(name), sql.Identifier(f"\u00a0key{n}"))
            for n, name in enumerate(self._options.key)
        ]
        where = sql.SQL(f"({self._options.where})") if self._options.where else sql.SQL("true")  # the contract's own condition
        return sql.SQL("select {} from {} as _row where {}").format(
            sql.SQL(", ").join([*shown, *key]), sql.Identifier(*self._options.table), where
        )


def _said(error: Exception, url: str) -> str:
    """The first line of what the driver says, without the password."""
    said = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    password = urlsplit(url).password
    return said.replace(password, "…") if password else said
