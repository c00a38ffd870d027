"""What a list request may ask, and the words with which the rest is refused."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lienthong.errors import BadRequest, Denied
from lienthong.sharing.cursors import Cursors
from lienthong.sharing.filters import read_list
from lienthong.sharing.rights import Right
from lienthong.store.answers import Condition, Sort
from tests.sharing.publications import CONTRACT, make_property

EVERY_TYPE = replace(
    CONTRACT,
    properties=(
        *CONTRACT.properties,
        make_property("area", "number"),
        make_property("alive", "boolean"),
        make_property("born_on", "date"),
        make_property("seen_at", "timestamp"),
        make_property("sort"),
    ),
)


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("name", "Nguyễn", Condition("name", "eq", "Nguyễn")),
        ("name.starts_with", "Ng", Condition("name", "starts_with", "Ng")),
        ("name.in", "a,b", Condition("name", "in", ["a", "b"])),
        ("size.gte", "-3", Condition("size", "gte", -3)),
        ("area.lte", "1.5", Condition("area", "lte", 1.5)),
        ("alive", "true", Condition("alive", "eq", True)),
        ("born_on", "1980-03-07", Condition("born_on", "eq", date(1980, 3, 7))),
        ("seen_at.gte", "2026-01-01T07:00:00", Condition("seen_at", "gte", datetime(2026, 1, 1, tzinfo=UTC))),
        ("seen_at.gte", "2026-01-01T07:00:00 07:00", Condition("seen_at", "gte", datetime(2026, 1, 1, tzinfo=UTC))),
        ("sort.eq", "x", Condition("sort", "eq", "x")),
    ],
)
def test_a_filter_is_read_by_the_type_of_its_field(name: str, text: str, expected: Condition) -> None:
    assert read_list([(name, text)], EVERY_TYPE).conditions == (expected,)


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("nmae", "x", "Did you mean `name`"),
        ("limt", "5", "Did you mean `limit`"),
        ("name.contains", "x", "unknown operator `contains`"),
        ("size", "many", "expected a whole number, found `many`"),
        ("size", str(2**63), "whole number"),
        ("size", "１２", "whole number"),
        ("size.starts_with", "1", "is for text"),
        ("area", "nan", "a number"),
        ("area", "1_0", "a number"),
        ("alive", "yes", "true or false"),
        ("born_on", "07/03/1980", "a date like"),
        ("born_on", "20200101", "a date like"),
        ("seen_at", "now", "an instant like"),
        ("limit", "0", "expected 1 to"),
        ("fields", "name,nam", "there is no `nam`"),
        ("sort", "-siz", "Did you mean `size`"),
        ("as_of", "2026-02-30", "a date like"),
        ("name", "a\x00b", "NUL"),
        ("name.in", ",".join("x" * 1 for _ in range(201)), "at most 200"),
    ],
)
def test_what_is_not_understood_is_refused_in_words(name: str, text: str, says: str) -> None:
    with pytest.raises(BadRequest) as refused:
        read_list([(name, text)], EVERY_TYPE)
    assert says in str(refused.value)


def test_a_parameter_given_twice_is_refused() -> None:
    with pytest.raises(BadRequest, match="given twice"):
        read_list([("limit", "1"), ("limit", "2")], CONTRACT)


def test_fields_and_order_keep_their_sequence() -> None:
    wanted = read_list([("fields", "size,no,size"), ("sort", "-size,name,size")], CONTRACT)
    assert wanted.fields == ("size", "no")
    assert wanted.sorts == (Sort("size", True), Sort("name"))


@pytest.mark.parametrize("right", [Right("x", visible=("no",)), Right("x", visible=("no", "name"), masked={"name": "initials"})])
def test_a_field_not_seen_whole_neither_filters_nor_sorts(right: Right) -> None:
    for parameter in (("name", "x"), ("name.gte", "x"), ("sort", "name")):
        with pytest.raises(Denied, match="`name`"):
            right.require_whole(read_list([parameter], CONTRACT).named)


@given(st.lists(st.tuples(st.text(max_size=12), st.text(max_size=12)), max_size=4))
@settings(max_examples=100, deadline=None)
def test_any_parameters_are_read_or_refused(parameters: list[tuple[str, str]]) -> None:
    with suppress(BadRequest):
        read_list(parameters, EVERY_TYPE)


PLACES: st.SearchStrategy[list[Any]] = st.lists(
    st.one_of(st.none(), st.booleans(), st.text(), st.integers(-(2**63), 2**63 - 1), st.dates(), st.datetimes(timezones=st.just(UTC))),
    max_size=4,
)


@given(PLACES)
@settings(max_examples=60, deadline=None)
def test_a_cursor_opens_to_the_place_it_was_sealed_with(place: list[Any]) -> None:
    cursors = Cursors(b"secret")
    assert cursors.open("list", cursors.seal("list", place)) == place


def test_a_cursor_of_another_question_key_or_hand_is_refused() -> None:
    cursor = Cursors(b"secret").seal("list a", [1, "x"])
    changed = ("A" if cursor[20] != "A" else "B").join((cursor[:20], cursor[21:]))
    for cursors, purpose, text in [
        (Cursors(b"secret"), "list b", cursor),
        (Cursors(b"other"), "list a", cursor),
        (Cursors(b"secret"), "list a", changed),
        (Cursors(b"secret"), "list a", "không"),
        (Cursors(b"secret"), "list a", ""),
        (Cursors(b"secret"), "list a", "AA"),
    ]:
        with pytest.raises(BadRequest, match="cursor"):
            cursors.open(purpose, text)
