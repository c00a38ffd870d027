"""Drift is what moved against history, and nothing else; the index of two equal distributions is nought."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lienthong.quality.drift import ColumnProfile, Profile, drifts, profile_document, profile_of, psi

TITLES = {"state": ("Tình trạng", "State")}
BUCKETS = st.dictionaries(st.sampled_from("abcdef"), st.integers(1, 1000), min_size=1)


def made(records: int = 1000, empty: int = 0, **buckets: int) -> Profile:
    return Profile(records, {"state": ColumnProfile(empty, buckets or {"a": 500, "b": 500}, True)})


@pytest.mark.parametrize(
    ("now", "kinds"),
    [
        (made(), []),
        (made(1300), ["rows"]),
        (made(700), ["rows"]),
        (made(1000, 60), ["empty"]),
        (made(a=500, b=495, c=5), ["new_values"]),
        (made(a=900, b=100), ["distribution"]),
        (made(a=550, b=450), []),
        (made(100, 90), []),  # too few to say
    ],
)
def test_what_moved_is_told(now: Profile, kinds: list[str]) -> None:
    assert [drift.kind for drift in drifts(now, [made(), made()], TITLES)] == kinds


def test_without_history_nothing_drifts() -> None:
    assert drifts(made(), [], TITLES) == []


def test_values_are_named_where_they_are_listed_alone() -> None:
    now = Profile(1000, {"state": ColumnProfile(0, {"a": 500, "b": 490, "Nguyễn An": 10}, is_listed=False)})
    assert drifts(now, [made()], TITLES) == []


@given(BUCKETS, BUCKETS)
def test_the_index_is_nought_for_the_same_never_below_and_the_same_both_ways(one: dict[str, int], other: dict[str, int]) -> None:
    assert psi(one, one) == pytest.approx(0)
    assert psi(one, other) >= 0
    assert psi(one, other) == pytest.approx(psi(other, one))


def test_a_profile_is_kept_whole() -> None:
    assert profile_of(profile_document(made(7, 3))) == made(7, 3)
