"""A connection used before is used again, unless something went wrong with it."""

from __future__ import annotations

import psycopg
import pytest

from lienthong.store import Database


def process_of(database: Database) -> int:
    with database.warm() as connection:
        row = connection.execute("select pg_backend_pid()").fetchone()
    assert row is not None
    return int(row[0])


def test_one_after_the_other_use_one_connection_and_two_at_once_have_two(database_url: str) -> None:
    database = Database(database_url)
    first = process_of(database)
    assert process_of(database) == first
    with database.warm():
        assert process_of(database) != first


def test_what_was_done_is_committed_and_what_failed_is_not(database_url: str) -> None:
    database = Database(database_url)
    with database.warm() as connection:
        connection.execute("create table tried (n integer)")
    with pytest.raises(psycopg.errors.DivisionByZero), database.warm() as connection:
        connection.execute("insert into tried values (1)")
        connection.execute("select 1 / 0")
    with database.warm() as connection:
        assert connection.execute("select count(*) from tried").fetchone() == (0,)


def test_a_connection_the_server_ended_is_not_used_again(database_url: str) -> None:
    database = Database(database_url)
    ended = process_of(database)
    with database.connect(autocommit=True) as other:
        other.execute("select pg_terminate_backend(%s, 5000)", (ended,))
    assert process_of(database) != ended
