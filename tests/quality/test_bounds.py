"""When a whole delivery is not believable, and what a run says then."""

from __future__ import annotations

import json

import pytest

from lienthong.contracts import Expect, Rule
from lienthong.quality import BoundCounts, judge_bounds, score
from tests.quality.factories import make_contract, make_property

BELIEVABLE = BoundCounts(rows_in=1000, published_before=1000, inserted=10, updated=20, ended=5, quarantined=3)


def test_no_bounds_stop_nothing() -> None:
    assert judge_bounds(Expect(), BoundCounts(rows_in=0)) == ()


@pytest.mark.parametrize(
    ("expect", "bound"),
    [
        (Expect(rows_min=1001), "rows_min"),
        (Expect(rows_max=999), "rows_max"),
        (Expect(changed_max_percent=1.9), "changed_max_percent"),
        (Expect(ended_max_percent=0.4), "ended_max_percent"),
        (Expect(quarantined_max_percent=0.2), "quarantined_max_percent"),
    ],
)
def test_a_broken_bound_says_what_was_found_and_expected(expect: Expect, bound: str) -> None:
    (broken,) = judge_bounds(expect, BELIEVABLE)
    assert broken["bound"] == bound
    assert broken["found"] != broken["expected"]
    assert "1.000" in broken["vi"]
    assert "1,000" in broken["en"]
    json.dumps(broken)


def test_bounds_that_are_just_reached_hold() -> None:
    expect = Expect(rows_min=1000, rows_max=1000, changed_max_percent=2, ended_max_percent=0.5, quarantined_max_percent=0.3)
    assert judge_bounds(expect, BELIEVABLE) == ()


def test_a_first_delivery_has_no_changes_to_judge() -> None:
    assert judge_bounds(Expect(changed_max_percent=0, ended_max_percent=0), BoundCounts(rows_in=10, inserted=10)) == ()


def test_scores_are_shares_of_rows_without_an_issue() -> None:
    contract = make_contract(make_property("a", required=True), rules=[Rule("r", "pattern", ("a",), {"pattern": "x"})])
    scores = {s.dimension: s.percent for s in score(contract, 200, {"a.required": 2, "r": 10, "date": 10, "key": 1})}
    assert scores == {"completeness": 99.0, "conformity": 90.0, "uniqueness": 99.5}
