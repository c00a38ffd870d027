"""Questions: a tree of conditions finds what the same tree finds in plain Python, within bounds, and never past a right."""

from __future__ import annotations

import operator
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any as Anything

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lienthong.errors import BadRequest, Denied, QuestionTooLong
from lienthong.sharing.cursors import Cursors
from lienthong.sharing.pages import Desk
from lienthong.sharing.questions import (
    DEEPEST,
    LARGEST_OFFSET,
    LARGEST_PAGE,
    MOST_LEAVES,
    All,
    Any,
    Compare,
    Expression,
    IsNull,
    Not,
    OneOf,
    Question,
    Sort,
    Text,
    Within,
    give_answer,
)
from lienthong.sharing.records import VersionBook
from lienthong.sharing.rights import Right
from lienthong.store import Connection, Database
from lienthong.store.answers import Condition
from tests.sharing.publications import BEGIN, CONTRACT, Publisher, make_property

Rows = dict[str, tuple[str | None, int | None]]
ROWS: Rows = {
    "a": ("Nguyễn An", 3), "b": ("Trần Bình", None), "c": (None, 7), "d": ("nguyễn dung", 3), "e": ("100%_\\", -2), "f": ("", 0),
    "g'; drop table x; --": ("Ồn Ào", 12),
}  # fmt: skip
EVERYTHING = Right("VN/GOV/H10.12/doc", visible=("no", "name", "size"))
PLACES = replace(
    CONTRACT,
    id="test.places",
    properties=(
        make_property("no", key_position=1, required=True),
        make_property("name", standard="geometry"),
        make_property("size", "integer"),
    ),
)


@pytest.fixture(scope="module")
def published(postgres_server: Anything) -> Iterator[Publisher]:
    from tests.conftest import fresh_database

    with fresh_database(postgres_server) as url, Database(url).connect() as connection:
        publisher = Publisher(connection)
        publisher.apply()
        publisher.publish(ROWS)
        yield publisher


@pytest.fixture(scope="module")
def desk() -> Desk:
    return Desk(Cursors(b"secret"), VersionBook())


def keys(publisher: Publisher, desk: Desk, where: Expression | None, right: Right = EVERYTHING, **more: Anything) -> list[str]:
    answer = give_answer(publisher.connection, desk, publisher.contract, Question(where=where, **more), right)
    return answer.keys or []


LEAF = st.one_of(
    st.builds(Compare, st.just("size"), st.sampled_from(["eq", "ne", "gt", "ge", "lt", "le"]), st.sampled_from([-2, 0, 3, 3.5, 7])),
    st.builds(Compare, st.just("no"), st.sampled_from(["eq", "ge", "lt"]), st.sampled_from(["a", "c", "g'; drop table x; --", "z"])),
    st.builds(Compare, st.just("name"), st.just("eq"), st.sampled_from(["nguyễn an", "", "ồn ào"]), st.just("lower")),
    st.builds(Compare, st.just("name"), st.just("gt"), st.sampled_from([0, 5, 9]), st.just("length")),
    st.builds(OneOf, st.just("size"), st.sampled_from([(3, 7), (0,), ()])),
    st.builds(
        Text, st.just("name"), st.sampled_from(["contains", "starts_with", "ends_with"]), st.sampled_from(["Ng", "n", "%", "_\\", ""])
    ),
    st.builds(IsNull, st.sampled_from(["name", "size"])),
)
TREE = st.recursive(
    LEAF, lambda inner: st.one_of(st.builds(Not, inner), *(st.builds(kind, st.lists(inner, max_size=3).map(tuple)) for kind in (All, Any)))
)


def holds(expression: Expression, row: dict[str, Anything]) -> bool | None:
    """Three-valued, as SQL is: None where an empty value leaves it open."""
    if isinstance(expression, All | Any):
        found = [holds(part, row) for part in expression.parts]
        decided = isinstance(expression, Any)
        return decided if decided in found else None if None in found else not decided
    if isinstance(expression, Not):
        inner = holds(expression.part, row)
        return None if inner is None else not inner
    assert not isinstance(expression, Within)
    value = row[expression.column]
    if isinstance(expression, IsNull):
        return value is None
    if value is None:
        return False if isinstance(expression, OneOf) and not expression.values else None
    value = {"": lambda v: v, "lower": str.lower, "length": len}[expression.function](value)
    if isinstance(expression, OneOf):
        return value in expression.values
    if isinstance(expression, Text):
        if expression.op == "contains":
            return expression.value in value
        return bool(value.startswith(expression.value) if expression.op == "starts_with" else value.endswith(expression.value))
    return bool(getattr(operator, expression.op)(value, expression.value))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(TREE)
def test_a_tree_finds_what_it_says(published: Publisher, desk: Desk, tree: Expression) -> None:
    expected = [key for key, (name, size) in sorted(ROWS.items()) if holds(tree, {"no": key, "name": name, "size": size})]
    assert keys(published, desk, tree) == expected


def test_pages_follow_each_other_in_any_order_and_tell_the_total(published: Publisher, desk: Desk) -> None:
    for sorts in [(), (Sort("size"),), (Sort("size", is_descending=True), Sort("name"))]:
        whole = keys(published, desk, None, sorts=sorts)
        found: list[str] = []
        cursor: str | None = None
        while True:
            page = give_answer(published.connection, desk, CONTRACT, Question(sorts=sorts, limit=2, cursor=cursor, count=True), EVERYTHING)
            assert page.total == len(ROWS)
            found += page.keys or []
            cursor = page.next
            if cursor is None:
                break
        assert found == whole
        assert keys(published, desk, None, sorts=sorts, limit=3, offset=2) == whole[2:5]


def test_no_rows_may_be_asked_for_to_have_the_total(published: Publisher, desk: Desk) -> None:
    answer = give_answer(published.connection, desk, CONTRACT, Question(limit=0, count=True, where=IsNull("name")), EVERYTHING)
    assert (answer.rows, answer.total, answer.next) == ([], 1, None)


@pytest.mark.parametrize(
    "where",
    [Compare("size", "eq", 3), Not(IsNull("size")), Any((Compare("no", "eq", "a"), OneOf("size", (1,)))), Text("name", "contains", "N")],
)
def test_what_is_not_seen_whole_filters_in_no_disguise(published: Publisher, desk: Desk, where: Expression) -> None:
    right = replace(EVERYTHING, visible=("no",), masked={"name": "initials"})
    with pytest.raises(Denied, match="not part of this agreement"):
        keys(published, desk, where, right)
    with pytest.raises(Denied):
        keys(published, desk, None, right, sorts=(Sort("size"),))


def test_rows_outside_the_agreement_do_not_exist_whatever_is_asked(published: Publisher, desk: Desk) -> None:
    right = replace(EVERYTHING, conditions=(Condition("size", "gte", 3),))
    everything = Any((IsNull("size"), Not(IsNull("size"))))
    assert keys(published, desk, everything, right) == ["a", "c", "d", "g'; drop table x; --"]
    answer = give_answer(published.connection, desk, CONTRACT, Question(where=everything, count=True, limit=1), right)
    assert answer.total == 4


def test_masked_fields_are_masked_and_a_key_not_seen_whole_is_not_told(published: Publisher, desk: Desk) -> None:
    right = replace(EVERYTHING, visible=("size",), masked={"no": "last2", "name": "initials"})
    answer = give_answer(published.connection, desk, CONTRACT, Question(fields=("name", "size"), limit=1), right)
    assert (answer.keys, answer.rows) == (None, [("N. A.", 3)])
    less = replace(EVERYTHING, visible=("no",), masked={})
    assert give_answer(published.connection, desk, CONTRACT, Question(fields=("name", "no"), limit=1), less).withheld == ("name",)


def nested(depth: int) -> Expression:
    tree: Expression = IsNull("name")
    for _ in range(depth):
        tree = Not(tree)
    return tree


@pytest.mark.parametrize(
    "question",
    [
        Question(where=Compare("nam", "eq", "x")),
        Question(where=Compare("size", "eq", "3; drop table x")),
        Question(where=Compare("size", "eq", 2**70)),
        Question(where=Compare("size", "eq", float("nan"))),
        Question(where=Compare("size", "like", 1)),
        Question(where=Compare("size", "eq", True)),
        Question(where=Compare("size", "eq", "1", "lower")),
        Question(where=Compare("size", "eq", 1, "pg_sleep")),
        Question(where=Compare("name", "eq", "\x00")),
        Question(where=Compare("name", "eq", "\ud800")),
        Question(where=Compare("name", "eq", "x" * 2000)),
        Question(where=Text("size", "contains", "1")),
        Question(where=Text("name", "like", "a\\")),
        Question(where=Text("name", "similar to", "a")),
        Question(where=OneOf("size", tuple(range(5000)))),
        Question(where=nested(DEEPEST + 1)),
        Question(where=nested(500)),
        Question(where=Any(tuple(IsNull("name") for _ in range(MOST_LEAVES + 1)))),
        Question(where=Within(("name",), (0, 0, 1, 1))),
        Question(limit=LARGEST_PAGE + 1),
        Question(limit=-1),
        Question(offset=LARGEST_OFFSET + 1),
        Question(fields=("nobody",)),
        Question(sorts=(Sort("nobody"),)),
        Question(cursor="abc"),
    ],
)
def test_what_makes_no_sense_is_refused_and_never_passed_over(published: Publisher, desk: Desk, question: Question) -> None:
    with pytest.raises(BadRequest):
        give_answer(published.connection, desk, CONTRACT, question, EVERYTHING)


def test_a_cursor_of_one_question_opens_no_other(published: Publisher, desk: Desk) -> None:
    cursor = give_answer(published.connection, desk, CONTRACT, Question(limit=1), EVERYTHING).next
    with pytest.raises(BadRequest):
        give_answer(published.connection, desk, CONTRACT, Question(limit=1, cursor=cursor, where=IsNull("name")), EVERYTHING)


def test_a_question_that_takes_too_long_ends_with_a_word(published: Publisher, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(connection: Connection, *_: Anything) -> None:
        connection.execute("select pg_sleep(10)")

    monkeypatch.setattr("lienthong.sharing.questions.read_page", slow)
    with pytest.raises(QuestionTooLong), published.connection.transaction():
        give_answer(published.connection, replace(desk, question_seconds=0.01), CONTRACT, Question(), EVERYTHING)
    monkeypatch.undo()
    assert len(keys(published, desk, None)) == len(ROWS)


def test_the_past_is_asked_the_same_way(database_url: str, desk: Desk) -> None:
    with Database(database_url).connect() as connection:
        publisher = Publisher(connection)
        publisher.apply()
        publisher.publish(ROWS)
        publisher.publish({"a": ("Nguyễn An", 4)})
        assert keys(publisher, desk, Compare("size", "ge", 3)) == ["a"]
        then = Question(where=Compare("size", "ge", 3), known_at=BEGIN + timedelta(hours=1), count=True)
        answer = give_answer(connection, desk, CONTRACT, then, EVERYTHING)
        assert (answer.version, answer.keys, answer.total) == (1, ["a", "c", "d", "g'; drop table x; --"], 4)


def test_a_box_finds_the_places_that_touch_it(database_url: str, desk: Desk) -> None:
    shapes = {
        "point": '{"type":"Point","coordinates":[105.5,21.5]}',
        "area": '{"type":"Polygon","coordinates":[[[104,20],[105,20],[105,21],[104,20]]]}',
        "far": '{"type":"MultiPolygon","coordinates":[[[[10,10],[11,10],[11,11],[10,10]]]]}',
        "empty": '{"type":"Point","coordinates":[]}',
    }
    with Database(database_url).connect() as connection:
        publisher = Publisher(connection, PLACES)
        publisher.apply()
        publisher.publish({key: (shape, None) for key, shape in shapes.items()})
        assert keys(publisher, desk, Within(("name",), (104.5, 20.5, 106, 22))) == ["area", "point"]
        assert keys(publisher, desk, Not(Within(("name",), (104.5, 20.5, 106, 22)))) == ["far"]
        for box in [(2.0, 0.0, 1.0, 1.0), (0.0, 0.0, float("inf"), 1.0), (0.0, float("nan"), 1.0, 1.0)]:
            with pytest.raises(BadRequest):
                keys(publisher, desk, Within(("name",), box))


def test_values_never_reach_the_statement_as_words(published: Publisher, desk: Desk) -> None:
    assert keys(published, desk, Compare("no", "eq", "g'; drop table x; --")) == ["g'; drop table x; --"]
    with pytest.raises(psycopg.errors.UndefinedTable), published.connection.transaction():
        published.connection.execute("select 1 from x")
