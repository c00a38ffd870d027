"""Pages tell what was known at a version and true on a day, whatever is published meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lienthong.store import Connection, Database
from lienthong.store.answers import Ask, Condition, Page, Sort, read_page
from tests.sharing.publications import CONTRACT, Publisher, Values

FIELDS = ("no", "name", "size")
ASK = Ask(CONTRACT.id, FIELDS)


@pytest.fixture
def connection(database_url: str) -> Iterator[Connection]:
    with Database(database_url).connect() as opened:
        yield opened


@pytest.fixture
def publisher(connection: Connection) -> Publisher:
    publisher = Publisher(connection)
    publisher.apply()
    return publisher


def told(page: Page) -> dict[str, tuple[Any, Any]]:
    return {row[0]: (row[4], row[5]) for row in page.rows}


def read_all(connection: Connection, ask: Ask) -> list[tuple[object, ...]]:
    """Every row of a list, page after page."""
    found: list[tuple[object, ...]] = []
    after, version = None, ask.version
    while True:
        page = read_page(connection, replace(ask, after=after, version=version))
        if not page.rows:
            return found
        found += page.rows
        version = page.version
        last = page.rows[-1]
        after = (*(last[3 + ask.columns.index(sort.column)] for sort in ask.sorts), last[0])


def test_nothing_is_told_before_the_first_version(connection: Connection, publisher: Publisher) -> None:
    assert read_page(connection, ASK) == Page(0, [])


def test_pages_of_one_list_tell_of_one_version(connection: Connection, publisher: Publisher) -> None:
    publisher.publish({"a": ("x", 1), "b": ("x", 2), "c": ("x", 3), "d": ("x", 4)})
    first = read_page(connection, replace(ASK, limit=2))
    publisher.publish({"a": ("x", 1), "c": ("y", 30), "e": ("x", 5)})
    rest = read_page(connection, replace(ASK, version=first.version, after=("b",)))
    assert told(first) | told(rest) == publisher.states[1]


def test_filters_combine(connection: Connection, publisher: Publisher) -> None:
    publisher.publish({"a": ("An", 1), "b": ("Anh", 2), "c": ("Bình", 3), "d": (None, None)})
    cases = [
        ((Condition("name", "starts_with", "An"),), "ab"),
        ((Condition("name", "starts_with", "An"), Condition("size", "gte", 2)), "b"),
        ((Condition("size", "lte", 2),), "ab"),
        ((Condition("no", "in", ["a", "d", "z"]),), "ad"),
        ((Condition("name", "eq", "Bình"),), "c"),
    ]
    for conditions, keys in cases:
        assert "".join(told(read_page(connection, replace(ASK, conditions=conditions)))) == keys


def test_a_filter_cannot_reach_the_statement(connection: Connection, publisher: Publisher) -> None:
    publisher.publish({"a": ("%s' or 1=1 --", 1), "b": ("x", 2)})
    condition = Condition("name", "eq", "%s' or 1=1 --")
    assert list(told(read_page(connection, replace(ASK, conditions=(condition,))))) == ["a"]


SIZES = st.dictionaries(
    st.sampled_from("abcdefgh"), st.tuples(st.sampled_from(["x", "y", None]), st.one_of(st.none(), st.integers(0, 3))), max_size=8
)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(snapshots=st.lists(SIZES, min_size=1, max_size=5), limit=st.integers(1, 3), is_descending=st.booleans())
def test_every_version_and_day_reads_back_as_it_was(
    connection: Connection, snapshots: list[Values], limit: int, is_descending: bool
) -> None:
    publisher = Publisher(connection)
    _forget(connection)
    publisher.apply()
    for snapshot in snapshots:
        publisher.publish(snapshot)
    for version, state in publisher.states.items():
        ask = replace(ASK, version=version, limit=limit, sorts=(Sort("size", is_descending),))
        rows = read_all(connection, ask)
        assert {row[0]: (row[4], row[5]) for row in rows} == state
        assert len(rows) == len(state)
        sizes = [row[5] for row in rows]
        there = [size for size in sizes if size is not None]
        assert sizes == sorted(there, reverse=is_descending) + [None] * (len(sizes) - len(there))  # type: ignore[type-var] # whole numbers
        for earlier, day in publisher.days.items():
            if earlier <= version:
                seen = read_page(connection, replace(ASK, version=version, as_of=day))
                assert told(seen) == publisher.states[earlier]
                assert len(seen.rows) == len(publisher.states[earlier])
    connection.commit()


def _forget(connection: Connection) -> None:
    connection.rollback()
    for table in ("test_things", "test_things_history", "test_things_changes"):
        connection.execute(psycopg.sql.SQL("drop table if exists {}").format(psycopg.sql.Identifier("data", table)))
    connection.execute("truncate lienthong.datasets cascade")
    connection.commit()
