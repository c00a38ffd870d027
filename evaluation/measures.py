"""Precision, recall and F1 of clusters, by pairs and by records (B-cubed)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Quality:
    precision: float
    recall: float
    b3_precision: float
    b3_recall: float
    exact: float  # share of true entities found whole and alone

    @property
    def f1(self) -> float:
        return _f1(self.precision, self.recall)

    @property
    def b3_f1(self) -> float:
        return _f1(self.b3_precision, self.b3_recall)


def quality(found: Sequence[Hashable], truth: Sequence[Hashable]) -> Quality:
    """`found[n]` and `truth[n]` are the cluster and the entity of record n. No pair at all counts as right."""
    both = Counter(zip(found, truth, strict=True))
    by_found, by_truth = Counter(found), Counter(truth)
    right, said, true = _pairs(both), _pairs(by_found), _pairs(by_truth)
    records = max(len(found), 1)
    b3_precision = sum(n * n / by_found[cluster] for (cluster, _), n in both.items()) / records
    b3_recall = sum(n * n / by_truth[entity] for (_, entity), n in both.items()) / records
    exact = sum(1 for (cluster, entity), n in both.items() if n == by_found[cluster] == by_truth[entity]) / max(len(by_truth), 1)
    return Quality(right / said if said else 1.0, right / true if true else 1.0, b3_precision, b3_recall, exact)


def _pairs(sizes: Mapping[Any, int]) -> int:
    return sum(n * (n - 1) // 2 for n in sizes.values())


def _f1(precision: float, recall: float) -> float:
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0
