"""Rows that claim one key: order never decides."""

from __future__ import annotations

from typing import Any

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from lienthong.contracts import Rule
from lienthong.quality import duplicates, key_conflicts, repeats
from tests.quality.factories import make_contract, make_property

CONTRACT = make_contract(make_property("no", key_position=1, title_vi="Số"), make_property("name"))


def rows(*claims: tuple[int, str, int]) -> pl.DataFrame:
    return pl.DataFrame(list(claims), schema={"row_no": pl.Int64, "key": pl.String, "content": pl.Int64}, orient="row")


def found(frame: pl.DataFrame) -> list[tuple[int, str]]:
    return sorted(frame.select("row_no", "code").iter_rows())


def test_of_rows_that_say_the_same_the_first_passes() -> None:
    assert found(duplicates(rows((1, "a", 5), (2, "b", 1), (3, "a", 5)), CONTRACT)) == [(3, "duplicate.row")]


def test_rows_that_differ_all_wait() -> None:
    issues = duplicates(rows((1, "a", 5), (2, "a", 6), (3, "a", 5)), CONTRACT)
    assert found(issues) == [(1, "duplicate.key"), (2, "duplicate.key"), (3, "duplicate.key")]
    assert issues["expected_vi"][0].startswith("Khóa Số")


def test_a_row_beside_an_unchanged_record_of_its_key_waits() -> None:
    assert found(key_conflicts([(4, "a", True), (5, "b", False)], CONTRACT)) == [(4, "duplicate.row"), (5, "duplicate.key")]


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 2)), max_size=20), st.randoms())
@settings(max_examples=50, deadline=None)
def test_what_is_kept_does_not_depend_on_order(claims: list[tuple[str, int]], random: Any) -> None:
    def kept(order: list[tuple[str, int]]) -> set[tuple[str, int]]:
        frame = rows(*((n, key, content) for n, (key, content) in enumerate(order, 1)))
        held = set(duplicates(frame, CONTRACT)["row_no"])
        passed = [claim for n, claim in enumerate(order, 1) if n not in held]
        assert len({key for key, _ in passed}) == len(passed)
        return set(passed)

    mixed = list(claims)
    random.shuffle(mixed)
    assert kept(claims) == kept(mixed)


def test_a_value_that_repeats_elsewhere_is_named_with_its_rule() -> None:
    rule = Rule("name.unique", "unique", ("name",))
    found = repeats([(7, "Bình")], rule, CONTRACT)
    assert found.select("row_no", "column_name", "code", "severity", "found").rows() == [(7, "name", "unique", "error", "Bình")]
    assert repeats([], rule, CONTRACT).is_empty()
