"""A table or query of a SQLite database that was delivered as a file: opened for reading alone, with nothing in it trusted.

The file is opened as one that does not change, so nothing is written beside it and no lock is taken. One that has not put its changes
into the file yet (a write-ahead log or a journal lies beside it) is refused, for half of it would be read.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pyarrow as pa

from lienthong.connectors.base import Batch, Position, ReadContext
from lienthong.connectors.files import FoundFile, fingerprint_files, read_files
from lienthong.connectors.sql_drivers import as_texts
from lienthong.connectors.sql_options import SqlOptions
from lienthong.connectors.sql_reading import read_talk
from lienthong.connectors.sql_sources import SQLITE, Described
from lienthong.contracts import Source
from lienthong.errors import HostileInputError, SourceError

LONGEST_VALUE = 64 * 1024 * 1024
STEPS_BETWEEN_LOOKS = 100_000
DEFAULT_SECONDS = 600.0
MOST_TABLES = 200
READS = {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE, sqlite3.SQLITE_PRAGMA}
PRAGMAS = (
    "trusted_schema = off",
    "query_only = on",
    "cell_size_check = on",
    "mmap_size = 0",
    "temp_store = file",
)  # what is put in order may be the whole file: on disk
LIMITS = {
    sqlite3.SQLITE_LIMIT_ATTACHED: 0,
    sqlite3.SQLITE_LIMIT_LENGTH: LONGEST_VALUE,
    sqlite3.SQLITE_LIMIT_SQL_LENGTH: 200_000,
    sqlite3.SQLITE_LIMIT_EXPR_DEPTH: 200,
    sqlite3.SQLITE_LIMIT_COMPOUND_SELECT: 100,
    sqlite3.SQLITE_LIMIT_TRIGGER_DEPTH: 0,
    sqlite3.SQLITE_LIMIT_WORKER_THREADS: 0,
}


class SqliteFile:
    """Connector `sqlite_file`. Options: `table` or `query`, `key`, `columns`, `where`, `timeout_seconds`."""

    def fingerprint(self, source: Source, context: ReadContext) -> str | None:
        return fingerprint_files(source, context)

    def read(self, source: Source, context: ReadContext, after: Position | None = None) -> Iterator[Batch]:
        options = SqlOptions.take(source, context, "sqlite")

        def read_one(found: FoundFile, at: Mapping[str, Any] | None) -> Iterator[Batch]:
            return _read_file(found, options, context.batch_rows, at)

        return read_files(source, context, after, read_one)


def tables_of(path: Path) -> dict[str, tuple[int, tuple[str, ...]]]:
    """Table → (rows, columns of its primary key), for the tables somebody made. Raises SourceError for a file that cannot be read."""
    try:
        with closing(_open(path, DEFAULT_SECONDS)) as connection:
            named = connection.execute(
                "select name from sqlite_master where type = 'table' and name not like 'sqlite\\_%' escape '\\' order by name"
            )
            names = [name for (name,) in named.fetchmany(MOST_TABLES)]
            return {name: (_count(connection, name), _key(connection, name)) for name in names}
    except sqlite3.Error as error:
        raise SourceError(f"`{path.name}`: không đọc được cơ sở dữ liệu SQLite / the SQLite database cannot be read: {error}.") from error


def _count(connection: sqlite3.Connection, table: str) -> int:
    return int(connection.execute(f"select count(*) from {SQLITE.quote(table)}").fetchone()[0])  # noqa: S608 # a name, quoted


def _key(connection: sqlite3.Connection, table: str) -> tuple[str, ...]:
    columns = connection.execute(f"pragma table_xinfo({SQLITE.quote(table)})").fetchall()
    return tuple(str(each[1]) for each in sorted((each for each in columns if each[5]), key=lambda each: int(each[5])))


def _read_file(found: FoundFile, options: SqlOptions, batch_rows: int, at: Mapping[str, Any] | None) -> Iterator[Batch]:
    for ending in ("-wal", "-journal"):
        beside = Path(f"{found.path}{ending}")
        if beside.exists() and beside.stat().st_size:
            raise SourceError(
                f"`{found.file.uri}`: còn thay đổi chưa ghi vào tệp / has changes that are not in the file yet (`{beside.name}`).",
                hint="Deliver a copy made with: sqlite3 FILE '.backup COPY'.",
            )
    try:
        with closing(_open(found.path, options.timeout_seconds or DEFAULT_SECONDS)) as connection:
            for batch in read_talk(SqliteTalk(options, connection), options, batch_rows, at):
                yield Batch(found.file, batch.table, batch.source_rows, batch.position, batch.broken)
    except sqlite3.Error as error:
        kind = HostileInputError if "authoriz" in str(error) or "prohibited" in str(error) or "unsafe" in str(error) else SourceError
        raise kind(f"`{found.file.uri}`: không đọc được cơ sở dữ liệu SQLite / the SQLite database cannot be read: {error}.") from error


def _open(path: Path, seconds: float) -> sqlite3.Connection:
    connection = sqlite3.connect(f"file:{quote(str(path.absolute()))}?mode=ro&immutable=1", uri=True, isolation_level=None)
    connection.text_factory = _text
    for limit, most in LIMITS.items():
        connection.setlimit(limit, most)
    for pragma in PRAGMAS:
        connection.execute(f"pragma {pragma}")
    until = time.monotonic() + seconds
    connection.set_progress_handler(lambda: time.monotonic() > until, STEPS_BETWEEN_LOOKS)
    connection.set_authorizer(_authorise)
    return connection


def _text(value: bytes) -> str:
    """Text that is no UTF-8 keeps its bytes in sight."""
    return value.decode("utf-8", "backslashreplace")


def _authorise(action: int, first: str | None, second: str | None, database: str | None, inner: str | None) -> int:
    """Reading, functions that only reckon, and the pragma that names columns: nothing else, whatever a view in the file says."""
    del database, inner
    if action == sqlite3.SQLITE_PRAGMA:
        return sqlite3.SQLITE_OK if first in ("table_xinfo", "index_list", "index_info") else sqlite3.SQLITE_DENY
    if action == sqlite3.SQLITE_FUNCTION and second in (
        "load_extension",
        "readfile",
        "writefile",
        "edit",
        "fts3_tokenizer",
        "zeroblob",
        "randomblob",
    ):
        return sqlite3.SQLITE_DENY
    return sqlite3.SQLITE_OK if action in READS else sqlite3.SQLITE_DENY


class SqliteTalk:
    dialect = SQLITE

    def __init__(self, options: SqlOptions, connection: sqlite3.Connection) -> None:
        self._options = options
        self._connection = connection

    def described(self) -> Sequence[Described]:
        if self._options.query:
            cursor = self._connection.execute(f"select * from {self.origin()} limit 0")  # noqa: S608 # a query that was checked
            return [self.dialect.described(column[0], "text") for column in cursor.description]
        rows = self._connection.execute(f"pragma table_xinfo({self.dialect.quote(self._options.table[0])})").fetchall()
        return [self.dialect.described(row[1], row[2] or "text") for row in rows if row[6] != 1]  # 1: a hidden column of a virtual table

    def origin(self) -> str:
        return f"({self._options.query})" if self._options.query else self.dialect.quote(self._options.table[0])

    def is_unique(self, key: Sequence[str]) -> bool:
        del key
        return False  # a key may be empty there, and types are each value's own: rows are ordered and compared as text

    def tie_break(self) -> str:
        return ""

    def one(self, statement: str) -> str | None:
        found = self._connection.execute(statement).fetchone()
        return None if found is None or found[0] is None else str(found[0])

    def now(self, kind: str) -> str:
        del kind
        return self.one("select datetime('now')") or ""

    def stream(self, statement: str, columns: int, rows: int) -> Iterator[pa.Table]:
        cursor = self._connection.execute(statement)
        while found := cursor.fetchmany(rows):
            yield as_texts(found, columns)
