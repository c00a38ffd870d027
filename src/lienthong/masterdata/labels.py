"""What persons said teaches the model: how often each rung of a comparison is seen between records that are one.

Two kinds of words weigh differently. A review is a sample of all pairs, so its pairs stand for many; a steward's decision is about the
pairs that were hard, and stands for itself alone. Words that two records are not one say nothing of pairs drawn at random, which is
what `u` is about: they move the cut instead (`pipeline/reviewing.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from lienthong.masterdata.plan import Plan
from lienthong.masterdata.predicates import Comparison, Features

LEARNT_COUNTS = 100.0  # reviewed pairs that weigh as much as what was learnt without labels
LEAST_M = 1e-6

Parameters = list[list[tuple[float, float]]]  # (m, u) of each level of each comparison


class SamePair(NamedTuple):
    """Two records a person said are one, by their features. `stands_for`: how many pairs of the index; None: a decision, itself alone."""

    left: Features
    right: Features
    stands_for: float | None = None


def taught(plan: Plan, parameters: Parameters, pairs: Sequence[SamePair], records: int) -> Parameters:
    """(m, u) with m moved towards what persons said; unchanged without pairs.

    Decisions are added to `records` pairs of the learnt kind, about as many as there are pairs that are one. Reviewed pairs, weighted as a
    sample, count by Kish's effective size against `LEARNT_COUNTS`.
    """
    decided = [pair for pair in pairs if pair.stands_for is None]
    reviewed = [pair for pair in pairs if pair.stands_for is not None]
    places = {column: n for n, column in enumerate(plan.columns)}
    found = []
    for comparison, learnt in zip(plan.comparisons, parameters, strict=True):
        m = [each for each, _ in learnt]
        m = _blended(m, float(records), _counts(comparison, places, [(pair, 1.0) for pair in decided]))
        weighed = _counts(comparison, places, [(pair, pair.stands_for or 0.0) for pair in reviewed])
        m = _blended(m, LEARNT_COUNTS, _scaled(weighed))
        found.append([(each, u) for each, (_, u) in zip(m, learnt, strict=True)])
    return found


class _Counts(NamedTuple):
    by_level: list[float]
    squares: float  # of the single weights


def _counts(comparison: Comparison, places: dict[str, int], pairs: Iterable[tuple[SamePair, float]]) -> _Counts:
    """The weight of the pairs seen on each level; pairs with an empty side are not counted."""
    empty = comparison.empty.test(places)
    tests = [None if level.when is None else level.when.test(places) for level in comparison.levels]
    by_level, squares = [0.0] * len(tests), 0.0
    for pair, weight in pairs:
        if empty(pair.left, pair.right):
            continue
        for n, test in enumerate(tests):
            if test is None or test(pair.left, pair.right):
                by_level[n] += weight
                squares += weight**2
                break
    return _Counts(by_level, squares)


def _scaled(counts: _Counts) -> _Counts:
    """The same shares with Kish's effective number of pairs as their sum."""
    total = sum(counts.by_level)
    if not total:
        return counts
    size = total**2 / counts.squares
    return _Counts([each * size / total for each in counts.by_level], size)


def _blended(m: Sequence[float], strength: float, counts: _Counts) -> list[float]:
    """A share each from what was learnt, counted as `strength` pairs, and from what was seen."""
    if not any(counts.by_level):
        return list(m)
    mixed = [max(strength * each + seen, LEAST_M) for each, seen in zip(m, counts.by_level, strict=True)]
    return [each / sum(mixed) for each in mixed]
