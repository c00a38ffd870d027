"""What persons said moves a model towards the truth, by as much as it stands for; without a word nothing moves."""

from __future__ import annotations

import random

import pytest

from lienthong.masterdata.kinds import Attribute
from lienthong.masterdata.labels import LEARNT_COUNTS, SamePair, taught
from lienthong.masterdata.plan import Plan
from lienthong.masterdata.predicates import Features

PLAN = Plan("thing", (Attribute("code", "category", {}),), (), (), frozenset())
LEARNT = [[(0.9, 0.1), (0.1, 0.9)]]  # said: one in ten differs


def pair(differs: bool, stands_for: float | None = None) -> SamePair:
    def of(value: str) -> Features:
        return tuple(value for _ in PLAN.columns)

    return SamePair(of("a"), of("b" if differs else "a"), stands_for)


def differing(parameters: list[list[tuple[float, float]]]) -> float:
    return parameters[0][-1][0]


def test_without_words_nothing_moves() -> None:
    assert taught(PLAN, LEARNT, [], 1_000) == LEARNT


def test_reviewed_pairs_move_a_wrong_weight_towards_the_truth() -> None:
    chance, truth = random.Random(1), 0.4
    few, many = ([pair(chance.random() < truth, 7.0) for _ in range(count)] for count in (30, 3_000))
    a_little, nearly = differing(taught(PLAN, LEARNT, few, 1_000)), differing(taught(PLAN, LEARNT, many, 1_000))
    assert 0.1 < a_little < nearly
    assert nearly == pytest.approx(truth, abs=0.04)
    assert all(u == before for (_, u), (_, before) in zip(taught(PLAN, LEARNT, many, 1_000)[0], LEARNT[0], strict=True))


def test_a_reviewed_pair_counts_by_what_it_stands_for() -> None:
    pairs = [*(pair(True, 1.0) for _ in range(50)), *(pair(False, 99.0) for _ in range(50))]
    assert differing(taught(PLAN, LEARNT, pairs, 1_000)) < 0.1


def test_a_hundred_reviewed_pairs_weigh_as_much_as_what_was_learnt() -> None:
    pairs = [pair(True, 3.0) for _ in range(int(LEARNT_COUNTS))]
    assert differing(taught(PLAN, LEARNT, pairs, 1_000)) == pytest.approx((0.1 + 1.0) / 2)


def test_decisions_on_hard_pairs_stand_for_themselves_alone() -> None:
    pairs = [pair(True) for _ in range(50)]
    assert differing(taught(PLAN, LEARNT, pairs, 10_000)) == pytest.approx((0.1 * 10_000 + 50) / 10_050)


def test_a_pair_with_an_empty_side_says_nothing() -> None:
    empty: Features = tuple(None for _ in PLAN.columns)
    assert taught(PLAN, LEARNT, [SamePair(empty, empty, 5.0)], 1_000) == LEARNT
