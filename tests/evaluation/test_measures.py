"""The measures of matching, by hand-counted cases, and the labelled sets, the same every time."""

from __future__ import annotations

import pytest

from evaluation import sets
from evaluation.measures import quality


def test_pairs_and_records_are_counted_right() -> None:
    found = quality([1, 1, 2, 2, 3], ["a", "a", "a", "b", "b"])
    assert found.precision == pytest.approx(1 / 2)
    assert found.recall == pytest.approx(1 / 4)
    assert found.b3_precision == pytest.approx((1 + 1 + 0.5 + 0.5 + 1) / 5)
    assert found.exact == 0


def test_what_is_right_in_everything_is_one_in_every_measure() -> None:
    found = quality(["x", "x", "y"], [1, 1, 2])
    assert (found.f1, found.b3_f1, found.exact) == (1, 1, 1)


def test_a_seed_gives_the_same_records_every_time() -> None:
    one, again, other = sets.hard(60, seed=5), sets.hard(60, seed=5), sets.hard(60, seed=6)
    assert one.records.equals(again.records)
    assert list(one.truth) == list(again.truth)
    assert not one.records.equals(other.records)
    assert sets.households(60, seed=5).records.equals(sets.households(60, seed=5).records)


def test_hard_records_are_about_ten_a_person() -> None:
    given = sets.hard(300, seed=5)
    assert 8 < given.records.height / len(set(given.truth)) < 12
