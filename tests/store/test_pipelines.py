"""What is sent many statements at a time: it is committed whole or not at all, however much it is, and a failure leaves the connection fit for use."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import psycopg
import pytest

from lienthong.store import Connection, Database
from lienthong.store.pipelines import Statement, ask, send_held, text_array, while_waiting

SECONDS = 20
MUCH = "x" * 20_000_000  # more than fits between a program and its server at once
ADD = Statement(b"insert into said (word) values ($1) returning word", ("text",))
ALL = Statement(b"select word from said order by word", ())
HALF = Statement(b"select 1 / $1", ("integer",))
NOWHERE = Statement(b"select $1 from nowhere", ("text",))


@pytest.fixture
def connection(database_url: str) -> Iterator[Connection]:
    with Database(database_url).connect() as made:
        made.execute("create table said (word text)")
        made.commit()
        yield made
        made.rollback()


def words(connection: Connection) -> list[str]:
    found = [word for (word,) in connection.execute("select word from said order by word")]
    connection.rollback()
    return found


def test_a_transaction_that_sent_more_than_fits_between_us_and_the_server_is_committed(database_url: str) -> None:
    connection = Database(database_url).connect()
    done = threading.Event()

    def work() -> None:
        with connection.pipeline():
            connection.execute("create table much (content text)")
            for _ in range(3):
                connection.execute("insert into much values (%s)", (MUCH,))
            connection.commit()
        done.set()

    threading.Thread(target=work, daemon=True).start()
    assert done.wait(SECONDS), f"nothing was committed after {SECONDS} s"
    found = connection.execute("select count(*), sum(length(content)) from much").fetchone()
    connection.close()
    assert found == (3, 3 * len(MUCH))


def test_what_is_committed_in_a_pipeline_stays_and_what_came_after_it_does_not(connection: Connection) -> None:
    with connection.pipeline():
        ask(connection, ADD, ["first"])
        connection.execute("insert into said values ('second')")
        connection.commit()
        ask(connection, ADD, ["third"])
        assert ask(connection, ALL, []).rows() == [("first",), ("second",), ("third",)]
    assert connection.info.transaction_status == psycopg.pq.TransactionStatus.INTRANS
    connection.rollback()
    assert words(connection) == ["first", "second"]


def test_a_transaction_rolled_back_in_a_pipeline_leaves_nothing(connection: Connection) -> None:
    with connection.pipeline():
        ask(connection, ADD, ["first"])
        connection.rollback()
        ask(connection, ADD, ["second"])
        connection.commit()
    assert words(connection) == ["second"]


def test_a_transaction_begun_before_a_pipeline_goes_on_in_it(connection: Connection) -> None:
    connection.execute("insert into said values ('before')")
    with connection.pipeline():
        ask(connection, ADD, ["within"]).rows()
        connection.commit()
    assert words(connection) == ["before", "within"]


@pytest.mark.parametrize("is_answered", [True, False])
def test_a_failure_in_a_pipeline_is_raised_and_nothing_is_committed(connection: Connection, is_answered: bool) -> None:
    def work() -> None:
        with connection.pipeline():
            ask(connection, ADD, ["lost"])
            broken = ask(connection, HALF, ["0"])
            if is_answered:
                broken.rows()
            ask(connection, ALL, [])
            connection.commit()

    with pytest.raises(psycopg.errors.DivisionByZero):
        work()
    connection.rollback()
    assert words(connection) == []
    with connection.pipeline():
        ask(connection, ADD, ["kept"])
        assert ask(connection, ALL, []).rows() == [("kept",)]
        connection.commit()
    assert words(connection) == ["kept"]


def test_a_failure_in_a_transaction_begun_before_leaves_the_connection_fit_for_use(connection: Connection) -> None:
    connection.execute("insert into said values ('lost')")
    with pytest.raises(psycopg.errors.DivisionByZero), connection.pipeline():
        ask(connection, HALF, ["0"]).rows()
    connection.rollback()
    assert words(connection) == []


def test_a_statement_the_server_could_not_prepare_is_prepared_when_it_can(connection: Connection) -> None:
    for _ in range(2):
        with pytest.raises(psycopg.errors.UndefinedTable), connection.pipeline():
            ask(connection, NOWHERE, ["x"]).rows()
        connection.rollback()
    connection.execute("create table nowhere ()")
    with connection.pipeline():
        assert ask(connection, NOWHERE, ["x"]).rows() == []


def test_a_statement_is_prepared_again_after_all_were_forgotten(connection: Connection) -> None:
    for n in range(8):  # psycopg prepares its own after five, and forgets all when a transaction is rolled back
        with connection.pipeline():
            ask(connection, ADD, [str(n)]).rows()
            connection.execute("select word from said where word = %s", ("x",)).fetchall()
            connection.execute("select word from said where word = %s", ("x",)).fetchall()
        connection.rollback()
    assert words(connection) == []


def test_outside_a_pipeline_a_statement_is_answered_at_once(connection: Connection) -> None:
    assert ask(connection, ADD, ["alone"]).rows() == [("alone",)]
    connection.commit()
    assert words(connection) == ["alone"]


def test_what_was_held_is_sent_once(connection: Connection) -> None:
    with connection.pipeline():
        added = ask(connection, ADD, ["one"])
        send_held(connection)
        send_held(connection)
        assert added.rows() == [("one",)]
        connection.commit()
    assert words(connection) == ["one"]


def test_an_answer_that_was_wanted_is_there_while_the_server_works_on_the_next(connection: Connection) -> None:
    wait = Statement(b"select pg_sleep($1::integer)", ("integer",))
    with connection.pipeline():
        first = ask(connection, ADD, ["first"])
        send_held(connection, first)
        second = ask(connection, wait, ["2"])
        send_held(connection, second)
        before = time.monotonic()
        assert first.rows() == [("first",)]
        assert time.monotonic() - before < 1.5  # of the two seconds that the second takes
        assert not second.is_there
        second.rows()
        connection.rollback()


def test_a_failure_before_a_wanted_answer_is_raised_when_it_is_asked_for(connection: Connection) -> None:
    with pytest.raises(psycopg.errors.DivisionByZero), connection.pipeline():
        failing = ask(connection, HALF, ["0"])
        send_held(connection, failing)
        second = ask(connection, ADD, ["second"])
        send_held(connection, second)
        second.rows()
    connection.rollback()
    assert words(connection) == []


@pytest.mark.parametrize("is_committed", [True, False])
def test_what_may_be_done_meanwhile_is_done_once_when_all_was_sent_and_before_the_answer(
    connection: Connection, is_committed: bool
) -> None:
    seen: list[bool] = []
    with connection.pipeline():
        added = ask(connection, ADD, ["first"])
        while_waiting(connection, lambda: seen.append(added.is_there))
        if is_committed:
            connection.commit()
        assert added.rows() == [("first",)]
        assert ask(connection, ALL, []).rows() == [("first",)]
    assert seen == [False]
    connection.rollback()
    assert words(connection) == (["first"] if is_committed else [])


def test_outside_a_pipeline_what_may_be_done_meanwhile_is_done_at_once(connection: Connection) -> None:
    seen: list[int] = []
    while_waiting(connection, lambda: seen.append(1))
    assert seen == [1]


def test_an_array_of_texts_reads_as_it_was(connection: Connection) -> None:
    texts = ["", "NULL", None, "a,b", "{x}", 'say "so"', "back\\slash", "Đặng Thị Ngọc", " spaces ", "line\nbreak"]
    echo = Statement(b"select $1", ("text[]",))
    assert ask(connection, echo, [text_array(texts)]).rows() == [(texts,)]
    assert ask(connection, echo, [text_array([])]).rows() == [([],)]
