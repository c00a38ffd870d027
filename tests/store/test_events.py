"""The stream of events: however writers commit, each reader sees every event once, in one order for all."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from importlib import resources
from pathlib import Path

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lienthong.store import Connection, Database, events
from tests.sharing.publications import Publisher

WRITERS, EACH = 6, 40
STREAM = next(Path(str(resources.files("lienthong.store"))).glob("migrations/*_events.sql"))


@pytest.fixture
def connection(database_url: str) -> Iterator[Connection]:
    with Database(database_url).connect(autocommit=True) as opened:
        yield opened


def taken(connection: Connection, after: int = 0) -> list[str]:
    events.put_in_order(connection)
    return [event.subject for event in events.read(connection, after, 10_000)]


def test_an_event_committed_late_is_not_missed(database_url: str, connection: Connection) -> None:
    with Database(database_url).connect() as slow:
        events.append(slow, "a:b", "x", "slow")  # has the smaller number
        events.append(connection, "a:b", "x", "quick")
        assert taken(connection) == ["quick"]
        last = events.newest_position(connection)
        slow.commit()
    assert taken(connection, last) == ["slow"]
    assert taken(connection) == ["quick", "slow"]


def test_what_is_rolled_back_never_was(database_url: str, connection: Connection) -> None:
    with Database(database_url).connect() as other:
        events.append(other, "a:b", "x", "never")
        other.rollback()
    events.append(connection, "a:b", "x", "was")
    assert taken(connection) == ["was"]
    assert events.newest_position(connection) == 1


def test_a_long_transaction_holds_back_nobody_elses_events(database_url: str, connection: Connection) -> None:
    with Database(database_url).connect() as slow:
        slow.execute("create table held (n integer)")  # a transaction with a number of its own, older than all that follows
        events.append(connection, "a:b", "x", "seen")
        assert taken(connection) == ["seen"]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(st.tuples(st.integers(0, 3), st.sampled_from(["append", "commit", "roll_back", "read"])), max_size=30))
def test_whatever_order_they_commit_in_a_reader_by_position_sees_each_once(database_url: str, steps: list[tuple[int, str]]) -> None:
    with psycopg.connect(database_url, autocommit=True) as cleaner:
        cleaner.execute("truncate lienthong.events, lienthong.events_waiting")
    writers = [Database(database_url).connect() for _ in range(4)]
    pending: list[list[str]] = [[] for _ in writers]
    committed: list[str] = []
    seen: list[str] = []
    place, number = 0, 0
    with Database(database_url).connect(autocommit=True) as reader:

        def read() -> None:
            nonlocal place
            events.put_in_order(reader)
            for event in events.read(reader, place, 1_000):
                assert event.position == place + 1
                place = event.position
                seen.append(event.subject)

        for writer, step in steps:
            if step == "append":
                number += 1
                events.append(writers[writer], "a:b", "x", f"{writer}.{number}")
                pending[writer].append(f"{writer}.{number}")
            elif step == "commit":
                writers[writer].commit()
                committed += pending[writer]
                pending[writer] = []
            elif step == "roll_back":
                writers[writer].rollback()
                pending[writer] = []
            else:
                read()
                assert sorted(seen) == sorted(committed)
        read()
        assert sorted(seen) == sorted(committed)
        for writer in range(4):  # what one writer left keeps its order
            own = [subject for subject in seen if subject.startswith(f"{writer}.")]
            assert own == sorted(own, key=lambda subject: int(subject.partition(".")[2]))
    for each in writers:
        each.close()


def test_many_writers_and_readers_at_once(database_url: str) -> None:
    database, done = Database(database_url), threading.Event()
    seen: list[list[tuple[int, str]]] = [[] for _ in range(3)]

    def write(writer: int) -> None:
        with database.connect() as connection:
            for n in range(EACH):
                events.append(connection, "a:b", "x", f"{writer}.{n}")
                events.append(connection, "a:b", "x", f"{writer}.{n}+")
                connection.rollback() if n % 7 == 0 else connection.commit()

    def follow(reader: int) -> None:
        with database.connect(autocommit=True) as connection:
            place = 0
            while True:
                is_last = done.is_set()
                events.put_in_order(connection)
                found = events.read(connection, place, 17)
                seen[reader] += [(event.position, event.subject) for event in found]
                place = found[-1].position if found else place
                if is_last and not found:
                    return

    readers = [threading.Thread(target=follow, args=(n,)) for n in range(3)]
    writers = [threading.Thread(target=write, args=(n,)) for n in range(WRITERS)]
    for thread in (*readers, *writers):
        thread.start()
    for thread in writers:
        thread.join(120)
    done.set()
    for thread in readers:
        thread.join(120)
    wanted = {f"{w}.{n}{mark}" for w in range(WRITERS) for n in range(EACH) if n % 7 for mark in ("", "+")}
    assert seen[0] == seen[1] == seen[2]
    assert [position for position, _ in seen[0]] == list(range(1, len(wanted) + 1))
    assert {subject for _, subject in seen[0]} == wanted


def test_a_version_stands_in_the_stream_for_its_records(connection: Connection, database_url: str) -> None:
    with Database(database_url).connect() as own:
        publisher = Publisher(own)
        publisher.apply()
        publisher.publish({"a": ("x", 1), "b": ("y", 1)})
        publisher.publish({"a": ("x", 2)})
    events.put_in_order(connection)
    found = events.read(connection, 0, 10, ["test.things"])
    assert [(event.type, event.subject) for event in found] == [("version:published", "1"), ("version:published", "2")]
    assert found[1].data == {"version": 2, "inserted": 0, "updated": 1, "ended": 1, "contract_version": "1.0.0"}


def test_versions_published_before_there_was_a_stream_are_in_it(database_url: str) -> None:
    database = Database(database_url)
    with database.connect() as own:
        publisher = Publisher(own)
        publisher.apply()
        publisher.publish({"a": ("x", 1)})
        own.execute("drop table events, events_waiting")
        own.execute("drop trigger match_events_told on match_events")
        own.execute("drop function events_of_matching, events_put_in_order, event_append")
        own.execute(STREAM.read_text("utf-8").encode())
        events.put_in_order(own)
        assert [(event.type, event.source, event.subject) for event in events.read(own, 0, 10)] == [
            ("version:published", "test.things", "1")
        ]
