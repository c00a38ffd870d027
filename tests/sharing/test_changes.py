"""Whoever follows the change feed from its beginning has, at its end, exactly what the dataset says."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lienthong.errors import BadRequest
from lienthong.sharing.changes import give_changes
from lienthong.sharing.cursors import Cursors
from lienthong.sharing.pages import Desk
from lienthong.sharing.records import VersionBook
from lienthong.sharing.rights import Right
from lienthong.store import Connection, Database
from lienthong.store.answers import Condition
from tests.sharing.publications import CONTRACT, Publisher, Values
from tests.sharing.test_answers import SIZES, _forget

EVERYTHING = Right("VN/GOV/H10.02/test", visible=("no", "name", "size"))
ONLY_X = Right("VN/GOV/H10.02/test", visible=("no", "name", "size"), conditions=(Condition("name", "eq", "x"),))


@pytest.fixture
def connection(database_url: str) -> Iterator[Connection]:
    with Database(database_url).connect() as opened:
        yield opened


class Follower:
    """Keeps a copy of a dataset by the change feed alone."""

    def __init__(self, connection: Connection, right: Right, limit: int) -> None:
        self.connection = connection
        self.right = right
        self.limit = limit
        self.desk = Desk(Cursors(b"secret"), VersionBook())
        self.cursor: str | None = None
        self.copy: dict[str, tuple[Any, Any]] = {}
        self.places: list[tuple[int, str]] = []

    def step(self) -> bool:
        """Take one page; gives whether there is more."""
        parameters = [("limit", str(self.limit))] + ([("after", self.cursor)] if self.cursor else [])
        answer = json.loads(give_changes(self.connection, self.desk, CONTRACT, parameters, self.right).body)
        for change in answer["changes"]:
            self._take(change)
        self.cursor = answer["next"]
        return bool(answer["more"])

    def catch_up(self) -> None:
        while self.step():
            pass

    def _take(self, change: dict[str, Any]) -> None:
        key = change["key"]
        self.places.append((change["version"], key))
        assert (key in self.copy) == (change["op"] != "insert")
        if change["op"] == "end":
            assert change["record"] is None
            del self.copy[key]
        else:
            values = change["record"]["values"]
            self.copy[key] = (values["name"], values["size"])


def test_a_follower_sees_first_fill_inserts_updates_and_ends_in_order(connection: Connection) -> None:
    publisher = Publisher(connection)
    publisher.apply()
    publisher.publish({"b": ("x", 1), "a": ("x", 2)})
    publisher.publish({"a": ("y", 2), "c": ("x", 3)})
    follower = Follower(connection, EVERYTHING, 100)
    follower.catch_up()
    assert follower.places == [(1, "a"), (1, "b"), (2, "a"), (2, "b"), (2, "c")]
    assert follower.copy == publisher.states[2]


def test_a_row_that_leaves_the_callers_part_ends_for_the_caller(connection: Connection) -> None:
    publisher = Publisher(connection)
    publisher.apply()
    follower = Follower(connection, ONLY_X, 1)
    publisher.publish({"a": ("x", 1), "b": ("y", 1)})
    follower.catch_up()
    assert follower.copy == {"a": ("x", 1)}
    publisher.publish({"a": ("y", 1), "b": ("x", 1)})
    follower.catch_up()
    assert follower.copy == {"b": ("x", 1)}


@pytest.mark.parametrize(
    "parameters", [[("after", "x")], [("limit", "0")], [("limit", "1001")], [("afer", "")], [("limit", "1"), ("limit", "1")]]
)
def test_what_the_feed_does_not_know_is_refused(connection: Connection, parameters: list[tuple[str, str]]) -> None:
    publisher = Publisher(connection)
    publisher.apply()
    with pytest.raises(BadRequest):
        give_changes(connection, Desk(Cursors(b"secret"), VersionBook()), CONTRACT, parameters, EVERYTHING)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    snapshots=st.lists(st.tuples(SIZES, st.integers(0, 3)), min_size=1, max_size=6),
    limit=st.integers(1, 4),
    is_filtered=st.booleans(),
)
def test_following_while_versions_appear_ends_with_the_same_rows(
    connection: Connection, snapshots: list[tuple[Values, int]], limit: int, is_filtered: bool
) -> None:
    _forget(connection)
    publisher = Publisher(connection)
    publisher.apply()
    follower = Follower(connection, ONLY_X if is_filtered else EVERYTHING, limit)
    state: Values = {}
    for snapshot, steps in snapshots:
        if publisher.publish(snapshot) is not None:
            state = snapshot
        for _ in range(steps):
            follower.step()
    follower.catch_up()
    assert follower.copy == {key: value for key, value in state.items() if not is_filtered or value[0] == "x"}
    assert follower.places == sorted(set(follower.places))
    connection.commit()
