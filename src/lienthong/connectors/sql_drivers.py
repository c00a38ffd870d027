"""Conversations with SQL Server and Oracle, through drivers that whoever needs them installs (`python-tds`, `oracledb`)."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from typing import Any
from urllib.parse import unquote, urlsplit

import pyarrow as pa

from lienthong.connectors.sql_options import SqlOptions, said
from lienthong.connectors.sql_sources import ORACLE, SQLSERVER, Described, SqlDialect
from lienthong.errors import SourceError

CONNECT_SECONDS = 10
ANSWER_SECONDS = 600
WALL_CLOCK = "to_char(sysdate, 'YYYY-MM-DD HH24:MI:SS')"
EXTRAS = {"pytds": ("sqlserver", "python-tds"), "oracledb": ("oracle", "oracledb")}


def driver(module: str) -> Any:
    """The driver. Raises SourceError saying what to install."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        extra, package = EXTRAS[module]
        raise SourceError(
            f"Chưa cài trình điều khiển `{package}` / the driver `{package}` is not installed.",
            hint=f"pip install 'lienthong[{extra}]'",
        ) from error


def _judged(options: SqlOptions, port: int) -> str:
    """Whom the driver connects to: the judged address. By its name only where the server must prove that it is the one so called."""
    host, _, addresses = options.addresses(port)
    return host if options.tls == "required" or options.ca else addresses[0]


@contextmanager
def _words(options: SqlOptions, error_of: type[Exception]) -> Iterator[None]:
    try:
        yield
    except (error_of, OSError, pa.ArrowException) as error:
        raise SourceError(
            f"`{options.uri}`: không đọc được cơ sở dữ liệu / the database cannot be read: {said(error, {'password': options.password})}.",
            hint="Is it up, and may this account select from the table?",
        ) from error


@contextmanager
def talk_sqlserver(options: SqlOptions) -> Iterator[SqlServerTalk]:
    """A session marked as reading only, over one state of the database if it allows snapshots."""
    tds = driver("pytds")
    place = urlsplit(options.url)
    with (
        _words(options, tds.Error),
        closing(
            tds.connect(
                server=_judged(options, 1433),
                port=place.port or 1433,
                database=unquote(place.path.lstrip("/")),
                user=unquote(place.username or ""),
                password=options.password,
                login_timeout=CONNECT_SECONDS,
                timeout=options.timeout_seconds or ANSWER_SECONDS,
                readonly=True,
                autocommit=True,
                cafile=options.ca or None,
                appname="lienthong",
            )
        ) as connection,
        closing(connection.cursor()) as cursor,
    ):
        cursor.execute("select snapshot_isolation_state from sys.databases where name = db_name()")
        allowed = cursor.fetchone()
        cursor.execute(f"set transaction isolation level {'snapshot' if allowed and allowed[0] == 1 else 'read committed'}")
        cursor.execute("begin transaction")
        try:
            yield SqlServerTalk(options, cursor)
        finally:
            with suppress(tds.Error):
                cursor.execute("rollback transaction")


@contextmanager
def talk_oracle(options: SqlOptions) -> Iterator[OracleTalk]:
    """A read-only transaction, which sees one state of the database."""
    oracledb = driver("oracledb")
    place = urlsplit(options.url)
    protocol = "tcps" if options.tls == "required" or options.ca else "tcp"
    oracledb.defaults.fetch_lobs = False
    with (
        _words(options, oracledb.Error),
        closing(
            oracledb.connect(
                user=unquote(place.username or ""),
                password=options.password,
                host=_judged(options, 1521),
                port=place.port or 1521,
                service_name=unquote(place.path.lstrip("/")),
                protocol=protocol,
                ssl_server_dn_match=True,
                wallet_location=options.ca or None,
                tcp_connect_timeout=CONNECT_SECONDS,
            )
        ) as connection,
        closing(connection.cursor()) as cursor,
    ):
        connection.call_timeout = int((options.timeout_seconds or ANSWER_SECONDS) * 1000)
        cursor.execute("alter session set time_zone = '+00:00'")
        cursor.execute("set transaction read only")
        yield OracleTalk(options, cursor)


class DriverTalk:
    """What the drivers of Python's database interface have in common."""

    dialect: SqlDialect

    def __init__(self, options: SqlOptions, cursor: Any) -> None:
        self._options = options
        self._cursor = cursor

    def origin(self) -> str:
        return f"({self._options.query})" if self._options.query else ".".join(map(self.dialect.quote, self._options.table))

    def tie_break(self) -> str:
        return ""

    def one(self, statement: str) -> str | None:
        self._cursor.execute(statement)
        found = self._cursor.fetchone()
        return None if found is None or found[0] is None else str(found[0])

    def stream(self, statement: str, columns: int, rows: int) -> Iterator[pa.Table]:
        self._cursor.arraysize = min(rows, 10_000)
        self._cursor.execute(statement)
        while found := self._cursor.fetchmany(rows):
            yield as_texts(found, columns)

    def _unique(self, rows: Sequence[tuple[Any, ...]], key: Sequence[str]) -> bool:
        """(index, column, whether it may be empty) of unique indexes: is one all in the key, and never empty?"""
        indexes: dict[str, list[tuple[str, bool]]] = {}
        for index, column, is_nullable in rows:
            indexes.setdefault(str(index), []).append((str(column), bool(is_nullable)))
        return any(all(column in key and not is_nullable for column, is_nullable in columns) for columns in indexes.values())


class SqlServerTalk(DriverTalk):
    dialect = SQLSERVER

    def described(self) -> Sequence[Described]:
        if self._options.query:
            self._cursor.execute(
                "select name, system_type_name, 0 from sys.dm_exec_describe_first_result_set(%s, null, 0)", (self._options.query,)
            )
        else:
            self._cursor.execute(
                "select column_name, data_type, 0 from information_schema.columns where table_schema = %s and table_name = %s order by ordinal_position",
                self._options.table,
            )
        return [self.dialect.described(str(name), str(kind), int(length)) for name, kind, length in self._cursor.fetchall()]

    def is_unique(self, key: Sequence[str]) -> bool:
        if self._options.query:
            return False
        self._cursor.execute(
            "select i.name, c.name, c.is_nullable from sys.indexes i join sys.index_columns ic on ic.object_id = i.object_id and ic.index_id = i.index_id "
            "join sys.columns c on c.object_id = ic.object_id and c.column_id = ic.column_id "
            "where i.object_id = object_id(%s) and i.is_unique = 1 and i.has_filter = 0 and ic.is_included_column = 0",
            (self.origin(),),
        )
        return self._unique(self._cursor.fetchall(), key)

    def now(self, kind: str) -> str:
        text = {"date": "convert(nvarchar(10), sysdatetime(), 23)", "instant": "convert(nvarchar(27), sysutcdatetime(), 121) + N'+00'"}
        return self.one(f"select {text.get(kind, 'convert(nvarchar(30), sysdatetime(), 121)')}") or ""


class OracleTalk(DriverTalk):
    dialect = ORACLE

    def described(self) -> Sequence[Described]:
        if self._options.query:
            self._cursor.execute(f"select * from {self.origin()} where 1 = 0")  # noqa: S608 # a query that was checked
            return [
                self.dialect.described(c.name, c.type.name.removeprefix("DB_TYPE_").replace("_", " ")) for c in self._cursor.description
            ]
        self._cursor.execute(
            "select column_name, data_type from all_tab_columns where owner = :1 and table_name = :2 order by column_id",
            list(self._options.table),
        )
        return [self.dialect.described(str(name), str(kind)) for name, kind in self._cursor.fetchall()]

    def is_unique(self, key: Sequence[str]) -> bool:
        if self._options.query:
            return False
        self._cursor.execute(
            "select c.constraint_name, c.column_name, case when t.nullable = 'Y' then 1 else 0 end from all_constraints k "
            "join all_cons_columns c on c.owner = k.owner and c.constraint_name = k.constraint_name "
            "join all_tab_columns t on t.owner = k.owner and t.table_name = k.table_name and t.column_name = c.column_name "
            "where k.owner = :1 and k.table_name = :2 and k.constraint_type in ('P', 'U')",
            list(self._options.table),
        )
        return self._unique(self._cursor.fetchall(), key)

    def now(self, kind: str) -> str:
        instant = "to_char(sys_extract_utc(systimestamp), 'YYYY-MM-DD HH24:MI:SS.FF') || '+00'"
        return self.one(f"select {instant if kind == 'instant' else WALL_CLOCK} from dual") or ""  # noqa: S608 # texts of ours


def as_texts(rows: Sequence[Sequence[Any]], columns: int) -> pa.Table:
    """Rows of a driver in columns of text."""
    found = list(zip(*rows, strict=True)) if rows else [()] * columns
    return pa.Table.from_arrays([pa.array(map(_text, column), pa.string()) for column in found], names=[str(n) for n in range(columns)])


def _text(value: Any) -> str | None:
    """Values that are no text yet: whole numbers and fractions as they read back, bytes as hexadecimal digits."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bytes | bytearray | memoryview):
        return "\\x" + bytes(value).hex()
    return repr(value) if isinstance(value, float) else str(value)
