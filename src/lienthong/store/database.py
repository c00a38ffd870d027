"""One PostgreSQL, its connections, its schema and its named queries. No query text lives in Python but what must be composed."""

from __future__ import annotations

import atexit
import os
import re
import select
import zlib
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, LiteralString, TypeVar, cast

import psycopg
from psycopg import sql

from lienthong.errors import DatabaseUnreachable, DatasetBusyError, StoreError
from lienthong.store.pipelines import PipelinedConnection

Connection = psycopg.Connection[tuple[Any, ...]]
Given = TypeVar("Given")

WEB_ROLE = "lienthong_web"
OLDEST_SERVER = 150_000
LOCK_CLASS = 0x4C54  # "LT": keeps our advisory locks apart from those of others in the same database


@dataclass(frozen=True)
class Database:
    """A PostgreSQL database by its URL. Each connection is the caller's to close (`with database.connect() as …`)."""

    url: str

    def connect(self, *, autocommit: bool = False) -> Connection:
        """A new connection. Raises DatabaseUnreachable in words (never the password)."""
        try:
            return PipelinedConnection.connect(self.url, autocommit=autocommit, options="-c search_path=lienthong,public -c timezone=UTC")
        except psycopg.OperationalError as error:
            said = str(error).splitlines()[0]
            raise DatabaseUnreachable(
                f"PostgreSQL does not answer: {said}.",
                hint="Check that the server runs and that LIENTHONG_DATABASE_URL is right.",
                vi=f"PostgreSQL không trả lời: {said}.",
                hint_vi="Xem máy chủ có chạy không và LIENTHONG_DATABASE_URL đã đúng chưa.",
            ) from error

    @contextmanager
    def warm(self) -> Iterator[Connection]:
        """A connection as `connect` gives it, one used before where it is idle: for it the server has read its catalogues already.

        Commits at the end of the block; after an error it is rolled back and closed. For acts that set nothing for the session.
        """
        kept = _idle.setdefault((os.getpid(), self.url), deque())
        connection = _taken(kept) or self.connect()
        try:
            yield connection
            connection.commit()
        except BaseException:
            connection.close()
            raise
        kept.append(connection)
        if len(kept) > _MOST_IDLE and (spare := _taken(kept)) is not None:
            spare.close()

    def apply_schema(self) -> None:
        """Create our tables where there are none; safe to call at every start and by several processes at once."""
        past_changes(self._apply_schema)

    def _apply_schema(self) -> None:
        with self.connect() as connection:
            refuse_older(connection.info.server_version)
            connection.execute("select pg_advisory_xact_lock(%s, 0)", (LOCK_CLASS,))
            found = connection.execute("select to_regclass('lienthong.schema_versions') is not null").fetchone()
            if found is None or not found[0]:
                connection.execute(_resource("schema.sql"))
            for number, name in migrations():
                newest = connection.execute("select max(number) from lienthong.schema_versions").fetchone()
                if newest is not None and newest[0] < number:
                    connection.execute(_resource(f"migrations/{name}"))
                    connection.execute("insert into lienthong.schema_versions (number) values (%s)", (number,))
            connection.execute(_resource("roles.sql"))


def past_changes(attempt: Callable[[], Given]) -> Given:
    """What `attempt` gives, asked again where somebody changed the same table meanwhile.

    Who may read a table and how it is built is a row of PostgreSQL's catalogue: of two that change it at once the second is not
    made to wait but fails, "tuple concurrently updated". `attempt` must be one whole transaction.
    """
    for _ in range(_MOST_TRIES - 1):
        with suppress(psycopg.errors.InternalError_):
            return attempt()
    return attempt()


def refuse_older(version: int) -> None:
    """Raises StoreError where a server is too old for what our statements need; `version` as libpq tells it, 150004 for 15.4."""
    if version < OLDEST_SERVER:
        found, needed = version // 10_000, OLDEST_SERVER // 10_000
        raise StoreError(
            f"The server is PostgreSQL {found}; {needed} or newer is needed.",
            hint="Move the data to a newer server, or leave LIENTHONG_DATABASE_URL empty to use the embedded one.",
            vi=f"Máy chủ là PostgreSQL {found}; cần bản {needed} trở lên.",
            hint_vi="Chuyển sang máy chủ mới hơn, hoặc để trống LIENTHONG_DATABASE_URL để dùng PostgreSQL đi kèm.",
        )


_MOST_TRIES = 5
_MOST_IDLE = 2  # of one process and one database
_idle: dict[tuple[int, str], deque[Connection]] = {}  # by process: a child must not speak on its parent's connection


def _taken(kept: deque[Connection]) -> Connection | None:
    """An idle connection that is still good: what the server says unasked is that it ended it."""
    while kept:
        try:
            connection = kept.pop()
        except IndexError:  # another thread took the last one
            return None
        if not connection.closed and not select.select([connection.fileno()], [], [], 0)[0]:
            return connection
        connection.close()
    return None


@atexit.register
def _leave() -> None:
    for (process, _), kept in _idle.items():
        while process == os.getpid() and kept:
            kept.pop().close()


def take_web_role(connection: Connection) -> None:
    """Work from now on under the role that reads what is shared and can only append to the ledger, where there is one."""
    connection.execute(
        "select set_config('role', %(role)s, false) where exists (select from pg_roles where rolname = %(role)s)"
        " and pg_has_role(current_user, %(role)s, 'member')",
        {"role": WEB_ROLE},
    )
    connection.commit()


def migrations() -> list[tuple[int, str]]:
    """(number, file) of what carries an older database forward, in order. `schema.sql` is the readable whole of them."""
    files = resources.files("lienthong.store").joinpath("migrations").iterdir()
    return sorted((int(file.name[:4]), file.name) for file in files if file.name.endswith(".sql"))


def _resource(name: str) -> str:
    return resources.files("lienthong.store").joinpath(name).read_text("utf-8")


@cache
def queries(name: str) -> dict[str, sql.SQL]:
    """The named queries of `queries/<name>.sql`: `-- name: <query>` begins each."""
    text = _resource(f"queries/{name}.sql")
    parts = re.split(r"^-- name: (\w+)\s*$", text, flags=re.MULTILINE)[1:]
    return {parts[i]: sql.SQL(cast("LiteralString", parts[i + 1].strip().rstrip(";"))) for i in range(0, len(parts), 2)}


@contextmanager
def dataset_lock(connection: Connection, dataset_id: str, *, wait_seconds: float = 0) -> Iterator[None]:
    """Hold the one right to change a dataset for as long as the block lasts; it ends with the connection too.

    `connection` must be in autocommit. Raises DatasetBusyError when another run holds it for longer than `wait_seconds`.
    """
    number = zlib.crc32(dataset_id.encode()) - 2**31
    connection.execute("select set_config('lock_timeout', %s, false)", (f"{int(wait_seconds * 1000)}ms",))
    if wait_seconds > 0:
        try:
            connection.execute("select pg_advisory_lock(%s, %s)", (LOCK_CLASS, number))
        except psycopg.errors.LockNotAvailable as error:
            raise _busy(dataset_id) from error
    else:
        row = connection.execute("select pg_try_advisory_lock(%s, %s)", (LOCK_CLASS, number)).fetchone()
        if row is None or not row[0]:
            raise _busy(dataset_id)
    try:
        yield
    finally:
        if not connection.closed:
            connection.execute("select pg_advisory_unlock(%s, %s)", (LOCK_CLASS, number))


def _busy(dataset_id: str) -> DatasetBusyError:
    return DatasetBusyError(
        f"`{dataset_id}` is being changed by another run.", hint="Wait for it to end, then try again.", dataset=dataset_id,
        vi=f"`{dataset_id}` đang được một lần nạp khác thay đổi.", hint_vi="Chờ lần nạp đó xong rồi thử lại.",
    )  # fmt: skip
