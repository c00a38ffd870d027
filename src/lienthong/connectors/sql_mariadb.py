"""The conversation with MariaDB or MySQL: each row fetched as one text, parted in columns afterwards.

The driver (PyMySQL) connects, signs in and asks; the rows are taken off the line here, for the driver makes Python objects of every value:
26,000 rows of ten columns a second against 170,000 (measured on one busy machine; ConnectorX 210,000, without a transaction of ours).
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Any
from urllib.parse import unquote, urlsplit

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pymysql
from pymysql.connections import Connection
from pymysql.cursors import SSCursor

from lienthong.connectors.sql_options import SqlOptions, said
from lienthong.connectors.sql_reading import NotOneText
from lienthong.connectors.sql_sources import ABSENT, MARIADB, SEPARATOR, Described
from lienthong.errors import SourceError

CONNECT_SECONDS = 10
ANSWER_SECONDS = 600  # the longest silence on the line
FULL_PACKET = 0xFFFFFF
SESSION = "set session sql_mode = 'NO_BACKSLASH_ESCAPES', session time_zone = '+00:00', session net_write_timeout = 600"


@contextmanager
def talk_mariadb(options: SqlOptions) -> Iterator[MariaTalk]:
    """One read-only transaction over one state of the database. Raises SourceError for whatever server or line say."""
    connection = None
    try:
        connection = _connect(options)
        _begin(connection, options)
        yield MariaTalk(options, connection)
    except (pymysql.Error, OSError, ssl.SSLError, pa.ArrowException) as error:
        raise SourceError(
            f"`{options.uri}`: không đọc được cơ sở dữ liệu / the database cannot be read: {said(error, {'password': options.password})}.",
            hint="Is it up, and may this account select from the table?",
        ) from error
    finally:
        if connection is not None and connection.open:
            connection._force_close()  # type: ignore[attr-defined]  # noqa: SLF001 # close() would fetch what is left of the rows


def _connect(options: SqlOptions) -> Connection[Any]:
    place = urlsplit(options.url)
    context = None
    if options.tls == "required" or options.ca:
        context = ssl.create_default_context(cafile=options.ca or None)
    return pymysql.connect(
        host=place.hostname or "127.0.0.1", port=place.port or 3306, user=unquote(place.username or ""), password=options.password.encode(),
        database=unquote(place.path.lstrip("/")) or None, charset="utf8mb4", autocommit=True, connect_timeout=CONNECT_SECONDS,
        read_timeout=ANSWER_SECONDS, write_timeout=ANSWER_SECONDS, local_infile=False, ssl=context,
        init_command=SESSION,
    )  # fmt: skip


def _begin(connection: Connection[Any], options: SqlOptions) -> None:
    with connection.cursor() as cursor:
        if options.timeout_seconds:
            cursor.execute("select version()")
            is_mariadb = "mariadb" in str((cursor.fetchone() or ("",))[0]).lower()
            limit = (
                f"max_statement_time = {options.timeout_seconds}"
                if is_mariadb
                else f"max_execution_time = {int(options.timeout_seconds * 1000)}"
            )
            cursor.execute(f"set session {limit}")
        cursor.execute("set session transaction isolation level repeatable read")
        cursor.execute("start transaction with consistent snapshot, read only")


class MariaTalk:
    dialect = MARIADB

    def __init__(self, options: SqlOptions, connection: Connection[Any]) -> None:
        self._options = options
        self._connection = connection

    def described(self) -> Sequence[Described]:
        if self._options.query:
            return self._described_query()
        rows = self._rows(
            "select column_name, data_type, coalesce(numeric_precision, 0) from information_schema.columns "
            "where table_schema = %s and table_name = %s order by ordinal_position", self._options.table,
        )  # fmt: skip
        return [self.dialect.described(name, kind, int(length)) for name, kind, length in rows]

    def _described_query(self) -> Sequence[Described]:
        """The types of a query's columns, from the kinds its answer names."""
        with self._connection.cursor() as cursor:
            cursor.execute(f"select * from {self.origin()} _row limit 0")  # noqa: S608 # a query that was checked
            fields = cursor._result.fields  # noqa: SLF001 # the only place that tells lengths and character sets
            return [self.dialect.described(f.name, _kind_of(f), f.length) for f in fields]

    def origin(self) -> str:
        return f"({self._options.query})" if self._options.query else ".".join(map(self.dialect.quote, self._options.table))

    def is_unique(self, key: Sequence[str]) -> bool:
        """A unique index over columns of the key that are never empty."""
        if self._options.query:
            return False
        rows = self._rows(
            "select index_name, column_name, nullable from information_schema.statistics where table_schema = %s and table_name = %s and non_unique = 0",
            self._options.table,
        )
        indexes: dict[str, list[tuple[str, str]]] = {}
        for index, column, nullable in rows:
            indexes.setdefault(index, []).append((column, nullable or ""))
        return any(all(column in key and not nullable for column, nullable in columns) for columns in indexes.values())

    def tie_break(self) -> str:
        return ""

    def one(self, statement: str) -> str | None:
        rows = self._rows(statement, None)
        return None if not rows or rows[0][0] is None else str(rows[0][0])

    def now(self, kind: str) -> str:
        text = {"date": "cast(current_date as char)", "instant": "concat(current_timestamp(6), '+00')"}
        if kind == "datetime":  # written by the clock on the server's wall
            return self.one("select cast(convert_tz(current_timestamp(6), '+00:00', @@system_time_zone) as char)") or self._far()
        return self.one(f"select {text[kind]}") or self._far()

    def _far(self) -> str:
        """Where the server cannot tell its own time of day: a day ahead of UTC, which no zone is past."""
        return self.one("select cast(current_timestamp(6) + interval 1 day as char)") or ""

    def _rows(self, statement: str, values: Sequence[str] | None) -> list[tuple[Any, ...]]:
        with self._connection.cursor() as cursor:
            cursor.execute(statement, values)
            return list(cursor.fetchall())

    def stream(self, statement: str, columns: int, rows: int) -> Iterator[pa.Table]:
        cursor = SSCursor(self._connection)
        cursor.execute(statement)
        result = cursor._result  # type: ignore[attr-defined]  # noqa: SLF001 # what the driver would make objects of
        result.unbuffered_active = False  # nobody but us reads on
        is_one = result.field_count == 1 and statement.startswith(f"select {self.dialect.together.partition('(')[0]}(")
        part = _parted if is_one else _split
        packets = _packets(self._connection._rfile)  # type: ignore[attr-defined]  # noqa: SLF001 # as above
        try:
            while waiting := list(islice(packets, rows)):
                yield part(waiting, columns)
        except NotOneText:
            for _ in packets:  # the line must be empty before the next question
                pass
            self._connection._next_seq_id = 0  # type: ignore[attr-defined]  # noqa: SLF001 # as below
            raise
        self._connection._next_seq_id = 0  # type: ignore[attr-defined]  # noqa: SLF001 # the line is free for the next question


def _packets(line: Any) -> Iterator[bytes]:
    """The rows of an answer as they stand on the line, up to its end."""
    read = line.read
    while True:
        head = read(4)
        if len(head) < 4:
            raise pymysql.err.OperationalError(2013, "Lost connection to the server during query")
        size = head[0] | head[1] << 8 | head[2] << 16
        row = read(size)
        while size == FULL_PACKET:  # a row longer than a packet goes on in the next
            head = read(4)
            size = head[0] | head[1] << 8 | head[2] << 16
            row += read(size)
        if row[:1] == b"\xfe" and len(row) < 9:
            return
        if row[:1] == b"\xff":
            pymysql.err.raise_mysql_exception(row)
        yield row


def _value(row: bytes, at: int) -> tuple[bytes | None, int]:
    """A value at a place of a row, and where the next one begins."""
    first = row[at]
    if first < 251:
        return row[at + 1 : at + 1 + first], at + 1 + first
    if first == 251:
        return None, at + 1
    width = {252: 2, 253: 3, 254: 8}[first]
    begin = at + 1 + width
    size = int.from_bytes(row[at + 1 : begin], "little")
    return row[begin : begin + size], begin + size


def _parted(rows: list[bytes], columns: int) -> pa.Table:
    """Rows that are one text each, in columns."""
    texts = [row[1:] if row[0] < 251 else _value(row, 0)[0] for row in rows]
    if None in texts:
        raise SourceError(
            "Một dòng dài hơn máy chủ cho phép / a row is longer than the server allows (max_allowed_packet).",
            hint="Name fewer columns in the option `columns`, or raise the limit.",
        )
    parts = pc.split_pattern(pa.array(texts, pa.binary()).cast(pa.string()), SEPARATOR)
    if not pc.all(pc.equal(pc.list_value_length(parts), columns)).as_py():
        raise NotOneText
    values = parts.values
    found = [values.take(pa.array(np.arange(n, len(values), columns))) for n in range(columns)]
    absent = pa.scalar(ABSENT)
    return _table([pc.if_else(pc.equal(column, absent), pa.scalar(None, pa.string()), column) for column in found])


def _split(rows: list[bytes], columns: int) -> pa.Table:
    """Rows of several values, in columns."""
    found: list[list[bytes | None]] = [[] for _ in range(columns)]
    for row in rows:
        at = 0
        for column in found:
            value, at = _value(row, at)
            column.append(value)
    return _table([pa.array(column, pa.binary()).cast(pa.string()) for column in found])


def _table(columns: Sequence[pa.Array]) -> pa.Table:
    return pa.Table.from_arrays(list(columns), names=[str(n) for n in range(len(columns))])


BINARY, TEXT_FIELDS = 63, {249, 250, 251, 252, 253, 254, 245}
FIELDS = {
    0: "decimal", 1: "tinyint", 2: "smallint", 3: "int", 4: "float", 5: "double", 7: "timestamp", 8: "bigint", 9: "mediumint", 10: "date",
    11: "time", 12: "datetime", 13: "year", 16: "bit", 246: "decimal", 255: "geometry",
}  # fmt: skip


def _kind_of(field: Any) -> str:
    """A type's name from the number the protocol has for it."""
    if field.type_code in TEXT_FIELDS:
        return "varbinary" if field.charsetnr == BINARY else "varchar"
    return FIELDS.get(field.type_code, "varchar")
