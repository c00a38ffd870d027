"""Whoever follows the stream has, at its end, exactly what the dataset says to them; and a span that is told again says the same."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lienthong.errors import BadRequest
from lienthong.sharing.cursors import Cursors
from lienthong.sharing.pages import Desk
from lienthong.sharing.records import VersionBook
from lienthong.sharing.rights import Right
from lienthong.sharing.stream import BEGINNING, Chosen, Following, Place, Told, cursor_of, place_of, tell
from lienthong.store import Connection, Database, events
from lienthong.store.answers import Condition
from tests.sharing.publications import CONTRACT, Publisher, Values
from tests.sharing.test_answers import SIZES, _forget

CALLER = "VN/GOV/H10.02/test"
EVERYTHING = Right(CALLER, visible=("no", "name", "size"))
ONLY_X = Right(CALLER, visible=("no", "name", "size"), conditions=(Condition("name", "eq", "x"),))
NO_KEY = Right(CALLER, visible=("name",), masked={"no": "last3"}, withheld=("size",))


@pytest.fixture
def connection(database_url: str) -> Iterator[Connection]:
    with Database(database_url).connect() as opened:
        yield opened


def desk() -> Desk:
    return Desk(Cursors(b"secret"), VersionBook())


def follow_all(connection: Connection, right: Right, chosen: Chosen, limit: int, at: Place = BEGINNING) -> tuple[list[Told], Place]:
    """Everything after a place, piece by piece; each piece told again says the same."""
    told: list[Told] = []
    following, own = Following(CONTRACT, right, chosen), desk()
    events.put_in_order(connection)
    connection.commit()
    while True:
        piece = tell(connection, own, [following], at, limit)
        if piece.told:
            again = tell(connection, own, [following], at, limit, piece.place)
            assert [(each.id, each.type) for each in again.told] == [(each.id, each.type) for each in piece.told]
        told += piece.told
        at = place_of(own, cursor_of(own, piece.place))  # as a client would keep it
        if not piece.more:
            return told, at


def copy_of(told: list[Told], before: dict[str, Any] | None = None) -> dict[str, Any]:
    copy = dict(before or {})
    for each in told:
        if each.type.startswith("record:"):
            key = each.data.key
            assert (key in copy) == (each.type != "record:inserted")
            if each.type == "record:ended":
                del copy[key]
            else:
                values = each.data.record.values
                copy[key] = (values.f1, values.f2)
    return copy


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    snapshots=st.lists(st.tuples(SIZES, st.booleans()), min_size=1, max_size=5),
    limit=st.integers(1, 5),
    is_filtered=st.booleans(),
    lanes=st.sampled_from([1, 3]),
)
def test_the_feed_equals_the_table(
    connection: Connection, snapshots: list[tuple[Values, bool]], limit: int, is_filtered: bool, lanes: int
) -> None:  # fmt: skip
    _forget(connection)
    connection.execute("truncate events, events_waiting")
    publisher = Publisher(connection)
    publisher.apply()
    right = ONLY_X if is_filtered else EVERYTHING
    places = [BEGINNING] * lanes
    copies: list[dict[str, Any]] = [{} for _ in range(lanes)]
    ids: list[str] = []
    state: Values = {}
    for snapshot, looks in [*snapshots, (snapshots[-1][0], True)]:
        if publisher.publish(snapshot) is not None:
            state = snapshot
        if looks:
            for lane in range(lanes):
                told, places[lane] = follow_all(connection, right, Chosen(lane=lane, lanes=lanes), limit, places[lane])
                copies[lane] = copy_of(told, copies[lane])
                ids += [each.id for each in told]
    wanted = {key: value for key, value in state.items() if not is_filtered or value[0] == "x"}
    assert {key: value for copy in copies for key, value in copy.items()} == wanted
    assert len(ids) == len(set(ids))
    connection.commit()


def test_a_key_that_is_not_seen_whole_is_nowhere_in_an_event(connection: Connection) -> None:
    publisher = Publisher(connection)
    publisher.apply()
    publisher.publish({"secret-key": ("x", 1)})
    publisher.publish({"secret-key": ("y", 1)})
    told, _ = follow_all(connection, NO_KEY, Chosen(), 10)
    assert [each.type for each in told] == ["record:inserted", "version:published", "record:updated", "version:published"]
    assert told[0].subject is None
    assert told[0].data.key is None
    assert "secret-key" not in told[0].id
    assert told[0].id.partition("-")[2] != told[2].id.partition("-")[2]  # the same record is not known again by its ids
    assert "size" in told[0].data.record.withheld


def test_a_notice_for_one_subsystem_is_told_to_no_other(connection: Connection) -> None:
    publisher = Publisher(connection)
    publisher.apply()
    events.append(connection, "agreement:suspended", CONTRACT.id, "TT-1", {"consumer": "VN/GOV/H10.12/khac"})
    events.append(connection, "stop:planned", CONTRACT.id, "S-1", {"from": "2026-12-01"})
    connection.commit()
    events.put_in_order(connection)
    piece = tell(connection, desk(), [Following(CONTRACT, EVERYTHING)], BEGINNING, 10)
    assert [each.type for each in piece.for_caller(CALLER)] == ["stop:planned"]
    assert [each.type for each in piece.for_caller("VN/GOV/H10.12/khac")] == ["agreement:suspended", "stop:planned"]


def test_a_notice_for_an_agency_is_told_to_its_systems_alone(connection: Connection) -> None:
    publisher = Publisher(connection)
    publisher.apply()
    events.append(connection, "correction:proposed", CONTRACT.id, "7", {"owner": "H10.12", "proposal": 7})
    events.append(connection, "correction:accepted", CONTRACT.id, "7", {"consumer": CALLER, "proposal": 7})
    connection.commit()
    events.put_in_order(connection)
    piece = tell(connection, desk(), [Following(CONTRACT, EVERYTHING)], BEGINNING, 10)
    assert [each.type for each in piece.for_caller("VN/GOV/H10.12/khac")] == ["correction:proposed"]
    assert [each.type for each in piece.for_caller("VN/GOV/H10.13/khac")] == []
    assert "correction:accepted" in [each.type for each in piece.for_caller(CALLER)]


def test_a_cursor_that_was_not_given_here_is_refused() -> None:
    for cursor in ("~abc", "-1", "1.5", "", "9" * 19, "٣"):
        with pytest.raises(BadRequest):
            place_of(desk(), cursor)
