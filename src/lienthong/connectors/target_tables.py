"""A table in an agency's MariaDB, SQL Server or Oracle, through the driver each of them has.

The driver of MariaDB is part of Lienthong; those of SQL Server (`pyodbc`) and Oracle (`oracledb`) are installed by who needs them.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import unquote, urlsplit

import pyarrow as pa

from lienthong.connectors.row_hash import KEY, Column, Sums, add_up, arrow_schema, bucket_of, row_hashes, sums_from
from lienthong.connectors.target import Delta, Place, TargetError, TargetMoved, TargetOptions, in_pieces
from lienthong.connectors.target_dialects import DIALECTS, Dialect
from lienthong.connectors.target_place import PLACES, from_text, to_text

CONNECT_SECONDS = 10
ANSWER_SECONDS = 600
ROWS_AT_A_TIME = 2_000
PORTS = {"mariadb": 3306, "sqlserver": 1433, "oracle": 1521}
DRIVERS = {"mariadb": "pymysql", "sqlserver": "pyodbc", "oracle": "oracledb"}


def connect(kind: str, options: TargetOptions) -> Any:
    """A connection by the driver of that kind, its words being those of Python's database interface. Raises TargetError."""
    try:
        driver = importlib.import_module(DRIVERS[kind])
    except ImportError as error:
        raise TargetError(
            f"The driver `{DRIVERS[kind]}` is not installed.",
            hint=f"pip install {DRIVERS[kind]}",
            vi=f"Chưa cài trình điều khiển `{DRIVERS[kind]}`.",
        ) from error
    place = urlsplit(options.location)
    host, port, name = place.hostname or "127.0.0.1", place.port or PORTS[kind], unquote(place.path.lstrip("/"))
    user = unquote(place.username or "")
    try:
        if kind == "mariadb":
            return driver.connect(
                host=host, port=port, user=user, password=options.password, database=name, charset="utf8mb4", autocommit=False,
                connect_timeout=CONNECT_SECONDS, read_timeout=ANSWER_SECONDS, write_timeout=ANSWER_SECONDS,
                unix_socket=options.more.get("socket") or None, ssl={"ca": options.more["ca"]} if options.more.get("ca") else None,
                init_command="set session sql_mode = 'STRICT_ALL_TABLES', session time_zone = '+00:00', session tx_isolation = 'READ-COMMITTED'",
            )  # fmt: skip
        if kind == "sqlserver":
            words = {
                "DRIVER": "{ODBC Driver 18 for SQL Server}", "SERVER": f"{host},{port}", "DATABASE": name, "UID": user,
                "PWD": "{" + options.password.replace("}", "}}") + "}", "Encrypt": "yes",
            }  # fmt: skip
            return driver.connect(";".join(f"{word}={value}" for word, value in words.items()), autocommit=False, timeout=CONNECT_SECONDS)
        return driver.connect(user=user, password=options.password, dsn=f"{host}:{port}/{name}", tcp_connect_timeout=CONNECT_SECONDS)
    except driver.Error as error:
        raise _told(error, options.password) from error


class DriverTarget:
    """One sync's table, over one connection."""

    def __init__(self, sync: str, options: TargetOptions, connection: Any = None) -> None:
        self._sync = sync
        self._dialect: Dialect = DIALECTS[options.kind]
        schema, _, self._name = str(options.more["table"]).rpartition(".")
        self._table = self._dialect.table(schema, self._name)
        self._places = self._dialect.table(schema, PLACES)
        self._password = options.password
        self._connection = connect(options.kind, options) if connection is None else connection
        self._error: type[Exception] = importlib.import_module(DRIVERS[options.kind]).Error if connection is None else Exception

    def close(self) -> None:
        self._connection.close()

    def place(self) -> Place | None:
        if not self._is_there(self._places):
            return None
        rows = self._read(self._dialect.read_place(self._places), (self._sync,))
        return from_text(str(rows[0][0])) if rows else None

    def holds_rows(self) -> bool:
        return self._is_there(self._table) and bool(self._read(self._dialect.any_row(self._table)))

    def begin(self, place: Place) -> None:
        if not self._is_there(self._places):
            with self._changing() as cursor:
                cursor.execute(self._dialect.create_places(self._places))
        if not self._is_there(self._table):
            with self._changing() as cursor:
                cursor.execute(self._dialect.create_table(self._table, place.columns))
        else:
            self._read(
                self._dialect.select(self._table, [KEY, *(c.name for c in place.columns)], rows=1), ("",)
            )  # fails where one is missing
        with self._changing() as cursor:
            cursor.execute(self._dialect.add_place(self._places), (self._sync, to_text(place)))

    def load(self, rows: pa.Table, before: Place, after: Place) -> None:
        names = [KEY, *(c.name for c in before.columns)]
        with self._changing() as cursor:
            self._send(cursor, self._dialect.insert(self._table, names), rows.cast(arrow_schema(before.columns)))
            self._move(cursor, before, after)

    def apply(self, delta: Delta, before: Place, after: Place) -> None:
        names = [KEY, *(c.name for c in before.columns)]
        with self._changing() as cursor:
            if delta.gone:
                cursor.executemany(self._dialect.delete(self._table), [(key,) for key in delta.gone])
            if delta.rows.num_rows:
                self._send(cursor, self._dialect.upsert(self._table, names), delta.rows.cast(arrow_schema(before.columns)))
            self._move(cursor, before, after)

    def reshape(self, add: Sequence[Column], drop: Sequence[str], before: Place, after: Place) -> None:
        """Each change of the table commits by itself there; done again, those that are made already are passed over."""
        for name in drop:
            if self._has(name):
                with self._changing() as cursor:
                    cursor.execute(self._dialect.drop_column(self._table, name))
        for column in add:
            if not self._has(column.name):
                with self._changing() as cursor:
                    cursor.execute(self._dialect.add_column(self._table, column))
        with self._changing() as cursor:
            self._move(cursor, before, after)

    def sums(self, columns: Sequence[Column]) -> Sums:
        statement = self._dialect.sums(self._table, columns)
        if statement is not None:
            return sums_from(self._read(statement, ()))
        found: Sums = {}
        for piece in self._stream(columns):
            add_up(row_hashes(piece, columns), found)
        return found

    def hashes(self, columns: Sequence[Column], buckets: Sequence[str]) -> dict[str, str]:
        statement = self._dialect.hashes(self._table, columns, len(buckets))
        if statement is not None:
            return {str(key): str(text) for key, text in self._read(statement, tuple(buckets))}
        wanted, found = set(buckets), {}
        for piece in self._stream(columns):
            found.update({key: text for key, text in row_hashes(piece, columns).items() if bucket_of(key) in wanted})
        return found

    def rows(self, columns: Sequence[Column], keys: Sequence[str]) -> pa.Table:
        schema = arrow_schema(columns)
        pieces = [schema.empty_table()]
        for at in range(0, len(keys), 500):
            some = tuple(keys[at : at + 500])
            pieces.append(self._table_of(self._read(self._dialect.select(self._table, schema.names, rows=len(some)), some), columns))
        return pa.concat_tables(pieces)

    def _stream(self, columns: Sequence[Column]) -> Iterator[pa.Table]:
        """Every row, a few thousand at a time; the server keeps the rest back."""
        statement = self._dialect.select(self._table, [KEY, *(c.name for c in columns)])
        with self._words():
            cursor = (
                self._connection.cursor(importlib.import_module("pymysql.cursors").SSCursor)
                if self._is_mariadb
                else self._connection.cursor()
            )
            try:
                cursor.execute(statement)
                while rows := cursor.fetchmany(ROWS_AT_A_TIME):
                    yield self._table_of(rows, columns)
            finally:
                cursor.close()
            self._connection.rollback()

    @property
    def _is_mariadb(self) -> bool:
        return self._dialect.name == "mariadb"

    def _table_of(self, rows: Sequence[Sequence[Any]], columns: Sequence[Column]) -> pa.Table:
        schema = arrow_schema(columns)
        kinds = ["string", *(c.kind for c in columns)]
        arrays = [pa.array([_back(kinds[n], row[n]) for row in rows], f.type) for n, f in enumerate(schema)]
        return pa.Table.from_arrays(arrays, schema=schema)

    def _send(self, cursor: Any, statement: str, rows: pa.Table) -> None:
        for piece in in_pieces(rows, ROWS_AT_A_TIME):
            columns = [[_sent(value) for value in column.to_pylist()] for column in piece.columns]
            cursor.executemany(statement, list(zip(*columns, strict=True)))

    def _move(self, cursor: Any, before: Place, after: Place) -> None:
        held, wanted = to_text(before), to_text(after)
        if held == wanted:  # a server may count only rows that change
            cursor.execute(self._dialect.read_place(self._places), (self._sync,))
            found = cursor.fetchone()
            moved = found is not None and str(found[0]) == held
        else:
            cursor.execute(self._dialect.move_place(self._places), (wanted, self._sync, held))
            moved = cursor.rowcount == 1
        if not moved:
            raise TargetMoved("The place in the target was moved by somebody else.", vi="Vị trí ở đích đã bị nơi khác thay đổi.")

    def _has(self, column: str) -> bool:
        try:
            self._read(self._dialect.select(self._table, [column], rows=0) + " where 1 = 0")
        except TargetError:
            return False
        return True

    def _is_there(self, table: str) -> bool:
        try:
            self._read(f"select 1 from {table} where 1 = 0")  # noqa: S608 # a quoted name
        except TargetError as error:
            if isinstance(error.__cause__, self._error) and not self._is_lost():
                return False
            raise
        return True

    def _is_lost(self) -> bool:
        """Whether it is the connection that fails, and not the table that is not there."""
        try:
            cursor = self._connection.cursor()
            cursor.execute("select 1 from dual" if self._dialect.name == "oracle" else "select 1")
            cursor.fetchall()
        except self._error:
            return True
        return False

    def _read(self, statement: str, values: Sequence[Any] = ()) -> list[Sequence[Any]]:
        """Rows of a statement; what was read is let go of, so that the next reading sees the newest."""
        with self._words():
            cursor = self._connection.cursor()
            try:
                if self._is_mariadb or values:
                    cursor.execute(statement, tuple(values))
                else:
                    cursor.execute(statement)
                found = list(cursor.fetchall())
            finally:
                cursor.close()
            self._connection.rollback()
        return found

    @contextmanager
    def _changing(self) -> Iterator[Any]:
        """A transaction: committed at the end of the block, rolled back when it fails."""
        with self._words():
            cursor = self._connection.cursor()
            try:
                yield cursor
                self._connection.commit()
            except BaseException:
                with suppress(self._error):  # the connection may be gone, and what was not committed with it
                    self._connection.rollback()
                raise
            finally:
                cursor.close()

    @contextmanager
    def _words(self) -> Iterator[None]:
        try:
            yield
        except TargetError:
            raise
        except self._error as error:
            raise _told(error, self._password) from error


def _sent(value: Any) -> Any:
    """A value as drivers take it: instants in UTC without saying so."""
    return value.astimezone(UTC).replace(tzinfo=None) if isinstance(value, datetime) else value


def _back(kind: str, value: Any) -> Any:
    """A value as we gave it, from what a driver gives."""
    if value is None:
        return None
    if kind == "boolean":
        return bool(value)
    if kind == "timestamp":
        return value.replace(tzinfo=UTC) if isinstance(value, datetime) else None
    if kind == "date":
        return value.date() if isinstance(value, datetime) else value if isinstance(value, date) else None
    if kind == "string":
        return str(value.read() if hasattr(value, "read") else value)
    return int(value) if kind == "integer" else float(value)


def _told(error: Exception, password: str) -> TargetError:
    """What the driver says, without a value of a row or the password."""
    code = error.args[0] if error.args and isinstance(error.args[0], int) else ""
    about_rows = type(error).__name__ in ("DataError", "IntegrityError")
    said = "" if about_rows else str(error.args[-1] if error.args else error).splitlines()[0][:300]
    if password:
        said = said.replace(password, "…")
    name = f"{type(error).__name__} {code}".strip()
    return TargetError(
        f"The database of the target: {name} {said}".rstrip() + ".",
        hint="Is it up, and may this account write there?",
        vi=f"Cơ sở dữ liệu đích: {name} {said}".rstrip() + ".",
        hint_vi="Cơ sở dữ liệu có đang chạy không, tài khoản này có được ghi vào đó không?",
    )
