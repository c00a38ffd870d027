"""The conversation with MariaDB or MySQL: each row fetched as one text, parted in columns afterwards.

The driver (PyMySQL) connects, signs in and asks; the rows are taken off the line here, for the driver makes Python objects of every value:
a tenth of the rate (measured). They are parted by the block, not row by row.
"""

from __future__ import annotations

import socket
import ssl
import struct
from array import array
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import unquote, urlsplit

import numpy as np
import pyarrow as pa
import pymysql
from numpy.typing import NDArray
from pymysql.connections import Connection
from pymysql.cursors import SSCursor

from lienthong.connectors.addresses import connected
from lienthong.connectors.sql_options import SqlOptions, said
from lienthong.connectors.sql_reading import NotOneText
from lienthong.connectors.sql_sources import ABSENT, MARIADB, SEPARATOR, Described
from lienthong.errors import SourceError

CONNECT_SECONDS = 10
ANSWER_SECONDS = 600  # the longest silence on the line
HEAD = 4  # bytes of a packet's head: its length in three, its number in one
FULL_PACKET = 0xFFFFFF
NOTHING, LONGEST, WRONG = 0xFB, 0xFE, 0xFF  # what a row or answer may begin with
LEAST_ROW = 9  # a shorter one that begins like the longest is the end of an answer
LENGTHS = np.ones(256, np.int64)  # bytes a text's length takes, by the first of them
LENGTHS[[0xFC, 0xFD, 0xFE]] = 3, 4, 9
TWO_BYTES = 0xFC  # before a text whose length takes two bytes; what is below is the length itself, but for NOTHING
SHORTEST = 64  # bytes: less is not worth looking at all at once
READ_BYTES = 1 << 18
_WORD = struct.Struct("<I")
AT_ONCE = 16_384  # rows parted at once: more do not stay near the processor (a fifth slower at four times as many, measured)
MOST_HELD = 64 << 20  # bytes of rows given at once
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
    host, port, addresses = options.addresses(3306)
    context = None
    if options.tls == "required" or options.ca:
        context = ssl.create_default_context(cafile=options.ca or None)
    connection = pymysql.connect(
        host=host, port=port, user=unquote(place.username or ""), password=options.password.encode(),
        database=unquote(place.path.lstrip("/")) or None, charset="utf8mb4", autocommit=True, connect_timeout=CONNECT_SECONDS,
        read_timeout=ANSWER_SECONDS, write_timeout=ANSWER_SECONDS, local_infile=False, ssl=context,
        init_command=SESSION, defer_connect=True,
    )  # fmt: skip
    line = connected(host, port, addresses, CONNECT_SECONDS)  # the driver would look the name up anew
    line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    line.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    try:
        connection.connect(line)
    except BaseException:
        line.close()
        raise
    return connection


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
            "select column_name, data_type, coalesce(numeric_precision, 0), coalesce(character_set_name, '') from information_schema.columns "
            "where table_schema = %s and table_name = %s order by ordinal_position", self._options.table,
        )  # fmt: skip
        return [
            replace(self.dialect.described(name, kind, int(length)), is_utf8=charset == "utf8mb4") for name, kind, length, charset in rows
        ]

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
        answer = _answer(self._connection._rfile, rows)  # type: ignore[attr-defined]  # noqa: SLF001 # as above
        try:
            for waiting in answer:
                yield part(waiting, columns)
        except NotOneText:
            for _ in answer:  # the line must be empty before the next question
                pass
            self._connection._next_seq_id = 0  # type: ignore[attr-defined]  # noqa: SLF001 # as below
            raise
        self._connection._next_seq_id = 0  # type: ignore[attr-defined]  # noqa: SLF001 # the line is free for the next question


@dataclass(frozen=True)
class _Rows:
    """Rows as they stand on the line, each between its `begins` (behind the packet's head) and its `ends`. `data` is theirs to change."""

    data: NDArray[np.uint8]
    begins: NDArray[np.int64]
    ends: NDArray[np.int64]

    def some(self, first: int) -> _Rows:
        """AT_ONCE of them from one on, or what is left."""
        begins, ends = self.begins[first : first + AT_ONCE], self.ends[first : first + AT_ONCE]
        at = int(begins[0]) - HEAD
        return _Rows(self.data[at : int(ends[-1])], begins - at, ends - at)


def _answer(line: Any, most: int) -> Iterator[_Rows]:
    """The rows of an answer, up to its end; so many at a time, fewer where they are long.

    Rows of one text are found all at once (`_quick`); whatever is not plain is gone through packet by packet, where whether the server ended
    with an error is looked at when nothing follows, and a row longer than a packet is joined.
    """
    held, at = bytearray(), 0
    begins = array("q")
    word_at, begin_at = _WORD.unpack_from, begins.append
    while True:
        quick, at = _quick(held, at, most - len(begins))
        begins.frombytes(quick.tobytes())
        whole = len(held) - HEAD
        while at < whole and len(begins) < most and at <= MOST_HELD:
            size = word_at(held, at)[0] & FULL_PACKET
            end = at + size
            if end > whole:
                break
            if size < LEAST_ROW and held[at + HEAD] == LONGEST:
                if begins:
                    yield _rows(held, begins, at)
                return
            if size == FULL_PACKET:
                end = _joined(held, end + HEAD) - HEAD
                if end < 0:
                    break
                whole = len(held) - HEAD
            begin_at(at)
            at = end + HEAD
        if len(begins) == most or at > MOST_HELD:
            _raise_error(held, begins)
            yield _rows(held, begins, at)
            del held[:at]
            del begins[:]
            at = 0
            continue
        if at == len(held):
            _raise_error(held, begins)
        more = line.read1(READ_BYTES)
        if not more:
            raise pymysql.err.OperationalError(2013, "Lost connection to the server during query")
        held += more


def _quick(held: bytearray, at: int, most: int) -> tuple[NDArray[np.int64], int]:
    """Where packets that are one text each begin, from `at` on, each right behind the one before; and where the first that is none would.

    Such a packet tells its length twice: in its head, whose third byte is nothing but for rows of 64 KiB and more, and before its text.
    """
    there = len(held) - at
    if there < SHORTEST or there < HEAD + (
        _WORD.unpack_from(held, at)[0] & FULL_PACKET
    ):  # a long row is not looked through each time more of it comes
        return np.empty(0, np.int64), at
    seen = np.frombuffer(held, np.uint8, offset=at)
    pairs = np.ndarray((len(seen) - 1,), "<u2", seen, strides=(1,))  # the two bytes from each place on
    heads = np.flatnonzero(seen[2 : len(seen) - 4] == 0)
    sizes = pairs[heads].astype(np.int64)
    said = seen[heads + HEAD].astype(np.int64)
    is_row = said == sizes - 1
    long = np.flatnonzero(sizes > NOTHING)  # from 251 bytes on a text's length takes three
    is_row[long] = (said[long] == TWO_BYTES) & (pairs[heads[long] + HEAD + 1] == sizes[long] - 3)
    is_row &= sizes >= LEAST_ROW
    heads, sizes = heads[is_row], sizes[is_row]
    ends = heads + HEAD + sizes
    follows = np.concatenate([[0], ends[:-1]]) == heads
    count = min(most, int(np.argmin(np.append(follows & (ends <= len(seen)), False))))
    return heads[:count] + at, at if not count else at + int(ends[count - 1])


def _raise_error(held: bytearray, begins: array[int]) -> None:
    """Raise what the server says where the last packet is no row but its error."""
    if begins and held[begins[-1] + HEAD] == WRONG:
        pymysql.err.raise_mysql_exception(bytes(held[begins[-1] + HEAD :]))


def _rows(held: bytearray, begins: array[int], until: int) -> _Rows:
    """Rows whose packets begin there, one after another up to a place."""
    places = np.append(np.frombuffer(begins, np.int64), until)
    return _Rows(np.frombuffer(held, np.uint8, until).copy(), places[:-1] + HEAD, places[1:])


def _joined(held: bytearray, end: int) -> int:
    """A row longer than a packet goes on in the next: make it one. Where it ends; -1: it is not all there, and nothing was done."""
    heads, size = [], FULL_PACKET
    while size == FULL_PACKET:
        if end + HEAD > len(held):
            return -1
        heads.append(end)
        size = int.from_bytes(held[end : end + HEAD - 1], "little")
        end += HEAD + size
    if end > len(held):
        return -1
    for head in reversed(heads):
        del held[head : head + HEAD]
    return end - HEAD * len(heads)


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


def _parted(rows: _Rows, columns: int) -> pa.Table:
    """Rows that are one text each, in columns."""
    parts = [_parted_at_once(rows.some(first), columns) for first in range(0, len(rows.begins), AT_ONCE)]
    return parts[0] if len(parts) == 1 else pa.concat_tables(parts).combine_chunks()


def _parted_at_once(rows: _Rows, columns: int) -> pa.Table:
    seen = rows.data
    first = seen[rows.begins]
    if (first == NOTHING).any():
        raise SourceError(
            "Một dòng dài hơn máy chủ cho phép / a row is longer than the server allows (max_allowed_packet).",
            hint="Name fewer columns in the option `columns`, or raise the limit.",
        )
    heads = LENGTHS[first]
    for place in range(-HEAD, int(heads.max())):  # a length may look like the sign that parts values
        seen[(rows.begins + place)[heads > place]] = 0
    begins = rows.begins + heads
    found = np.flatnonzero(seen == ord(SEPARATOR))
    if len(found) != len(begins) * (columns - 1):
        raise NotOneText
    signs = found.reshape(len(begins), columns - 1)
    if columns > 1 and ((signs[:, 0] < begins).any() or (signs[:, -1] >= rows.ends).any()):
        raise NotOneText
    places = np.empty((len(begins), columns, 2), np.int32)  # where each text begins and ends
    places[:, 0, 0], places[:, 1:, 0] = begins, signs + 1
    places[:, :-1, 1], places[:, -1, 1] = signs, rows.ends
    return _table(_texts(seen, places))


def _texts(seen: NDArray[np.uint8], places: NDArray[np.int32]) -> list[pa.Array]:
    """The texts between places (rows × columns × 2), a column each, null where there is the sign of nothing. Raises ArrowInvalid where they are none."""
    held = pa.py_buffer(seen)
    pa.Array.from_buffers(pa.binary(), 1, [None, pa.py_buffer(np.array([0, len(seen)], np.int32)), held]).cast(pa.string())
    whole = pa.Array.from_buffers(pa.string(), places.size - 1, [None, pa.py_buffer(places), held])  # texts, and what stands between them
    found = []
    for column in range(places.shape[1]):
        begins, ends = places[:, column, 0], places[:, column, 1]
        maybe = np.flatnonzero(ends - begins == len(ABSENT))
        is_absent = np.all([seen[begins[maybe] + n] == sign for n, sign in enumerate(ABSENT.encode())], axis=0)
        mask = np.zeros(len(begins), np.bool_)
        mask[maybe] = is_absent
        found.append(whole.take(pa.array(np.arange(2 * column, places.size, 2 * places.shape[1]), mask=mask)))
    return found


def _split(rows: _Rows, columns: int) -> pa.Table:
    """Rows of several values, in columns."""
    found: list[list[bytes | None]] = [[] for _ in range(columns)]
    data = rows.data.tobytes()
    for at in rows.begins.tolist():
        for column in found:
            value, at = _value(data, at)  # from one value to the next
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
