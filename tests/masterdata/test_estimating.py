"""Estimates from a stratified sample are right on the whole, and their intervals hold the truth about as often as they say."""

from __future__ import annotations

import random
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lienthong.masterdata.estimating import PRIOR_BITS, Reviewed, Reviewer, Said, estimate, kappa, offset, precision, recall, wilson

# stratum → (joined, pairs, share that is one)
WORLD = {
    "joined identifier": (True, 40_000, 0.9995),
    "joined 8": (True, 30_000, 0.998),
    "joined 0": (True, 3_000, 0.95),
    "near -3": (False, 1_500, 0.45),
    "near -8": (False, 3_000, 0.1),
    "near -16": (False, 30_000, 0.003),
}
REVIEWED = {"joined identifier": 40, "joined 8": 50, "joined 0": 60, "near -3": 60, "near -8": 60, "near -16": 60}


def drawn(chance: random.Random) -> list[Reviewed]:
    return [
        Reviewed(name, "a|b", is_joined, chance.random() < share, pairs / REVIEWED[name])
        for name, (is_joined, pairs, share) in WORLD.items()
        for _ in range(REVIEWED[name])
    ]


def test_estimates_are_right_on_the_whole_and_intervals_hold_the_truth_about_as_often_as_they_say() -> None:
    ones = {name: pairs * share for name, (_, pairs, share) in WORLD.items()}
    joined = [name for name, (is_joined, _, _) in WORLD.items() if is_joined]
    true_precision = sum(ones[name] for name in joined) / sum(WORLD[name][1] for name in joined)
    true_recall = sum(ones[name] for name in joined) / sum(ones.values())
    chance, times = random.Random(3), 1_000
    held, sums = Counter[str](), Counter[str]()
    for _ in range(times):
        pairs = drawn(chance)
        for name, share, truth in (("precision", precision(pairs), true_precision), ("recall", recall(pairs), true_recall)):
            assert share is not None
            held[name] += share.low <= truth <= share.high
            sums[name] += share.value  # type: ignore[assignment] # a sum of shares
    assert sums["precision"] / times == pytest.approx(true_precision, abs=0.001)
    assert sums["recall"] / times == pytest.approx(true_recall, abs=0.002)
    assert held["precision"] / times >= 0.93
    assert held["recall"] / times >= 0.91


def test_a_pair_nobody_could_decide_is_left_out_and_the_others_of_its_stratum_stand_for_it() -> None:
    said = [
        Said("s", "a|b", True, True, 90.0, 5.0, verdicts)
        for verdicts in (["same"], ["same", "same"], ["apart", "same", "apart"], ["unsure"], ["same", "apart"], [])
    ]
    found = estimate(said)
    assert (found.pairs, found.reviewed, found.covered) == (6, 3, 1.0)
    assert found.precision is not None
    assert found.precision.value == pytest.approx(2 / 3)
    assert found.agreement == pytest.approx((1 / 3, -1 / 2))


def test_without_verdicts_there_is_no_estimate() -> None:
    found = estimate([Said("s", "a|b", True, True, 90.0, 5.0, [])])
    assert (found.precision, found.recall, found.agreement) == (None, None, None)


def test_reviewers_who_always_agree_have_a_kappa_of_one_and_who_guess_of_none() -> None:
    assert kappa([("same", "same"), ("apart", "apart")]) == (1.0, 1.0)
    assert kappa([("same", "same")]) == (1.0, 1.0)
    assert kappa([("same", "apart"), ("same", "same"), ("apart", "apart"), ("apart", "same")]) == (0.5, 0.0)


def looked(*words: tuple[str, str]) -> Said:
    """A pair on which these persons said this, in this order."""
    return Said("s", "a|b", True, True, 90.0, 5.0, [verdict for _, verdict in words], by=[name for name, _ in words])


def test_each_reviewer_is_told_by_how_many_they_saw_and_how_often_the_other_said_the_same() -> None:
    found = estimate(
        [
            looked(("an", "same")),
            looked(("an", "same"), ("binh", "same")),
            looked(("binh", "apart"), ("an", "apart")),
            looked(("an", "unsure"), ("binh", "unsure")),
            looked(("chi", "same"), ("an", "apart"), ("binh", "apart")),
            looked(),
        ]
    )
    assert found.by_reviewer == {"an": Reviewer(5, 4, 3), "binh": Reviewer(4, 3, 3), "chi": Reviewer(1, 1, 0)}


@settings(max_examples=60)
@given(
    st.lists(
        st.lists(st.tuples(st.sampled_from("abcd"), st.sampled_from(["same", "apart", "unsure"])), max_size=3, unique_by=lambda w: w[0])
    )
)
def test_reviewers_together_agree_as_often_as_pairs_do(pairs: list[list[tuple[str, str]]]) -> None:
    found = estimate([looked(*words) for words in pairs])
    twice = [words for words in pairs if len(words) > 1]
    assert sum(each.looked for each in found.by_reviewer.values()) == sum(map(len, pairs))
    assert sum(each.twice for each in found.by_reviewer.values()) == 2 * len(twice)
    equal = sum(each.equal for each in found.by_reviewer.values())
    assert equal == 2 * sum(words[0][1] == words[1][1] for words in twice)
    if found.agreement is not None:
        assert found.agreement[0] == pytest.approx(equal / 2 / len(twice))


@settings(max_examples=60)
@given(st.floats(0, 1), st.floats(1, 10_000))
def test_an_interval_holds_what_was_seen(value: float, size: float) -> None:
    low, high = wilson(value, size)
    assert 0 <= low <= value <= high <= 1


def test_verdicts_move_weights_towards_the_truth_and_few_of_them_only_a_little() -> None:
    chance, off = random.Random(5), 3.0

    def seen(count: int) -> list[Reviewed]:
        weights = [chance.uniform(-8, 8) for _ in range(count)]
        return [Reviewed("s", "a|b", bits > 0, chance.random() < 1 / (1 + 2 ** -(bits + off)), 1.0, bits) for bits in weights]

    found = offset(seen(2_000))
    assert found.bits == pytest.approx(off, abs=3 * found.error)
    assert found.error < 0.3
    assert offset([]).bits == 0.0
    assert offset([]).error == pytest.approx(PRIOR_BITS)
    assert abs(offset([Reviewed("s", "a|b", False, True, 1.0, -6.0)]).bits) < 2 * PRIOR_BITS
    ruled = [Reviewed("s", "a|b", True, False, 1.0, 30.0, by_weight=False)] * 50
    assert offset(ruled).bits == 0.0


def test_an_estimate_says_how_much_of_the_index_it_speaks_of() -> None:
    found = estimate([Said("a", "a|b", True, True, 90.0, 5.0, ["same"]), Said("b", "a|b", False, True, 30.0, -5.0, [])])
    assert found.covered == pytest.approx(0.75)


def test_an_estimate_for_two_registers_knows_that_others_share_its_strata() -> None:
    own = [Reviewed("s", "a|b", True, n > 0, 10.0) for n in range(10)]
    others = [Reviewed("s", "a|c", True, True, 10.0) for _ in range(90)]
    alone, among = precision(own), precision([*own, *others], "a|b")
    assert alone is not None
    assert among is not None
    assert (among.value, among.reviewed) == (alone.value, alone.reviewed)
    assert among.low == pytest.approx(alone.low, abs=0.03)  # one in ten wrong of ten, however many others there were
