"""Records → clusters: average linkage under rules that forbid. A function of the set of records, never of their order.

Two records joined by rule or by a steward form one nucleus. Nuclei join, the best mean weight first, as long as the mean over
all pairs between them reaches the cut and no pair of them is forbidden. Ties go to the smallest numbers, and the caller numbers
records by their keys, so that every order of arrival ends in the same clusters.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

Pair = tuple[int, int]
Weight = Callable[[int, int], float]
Forbidden = Callable[[int, int], bool]


@dataclass(frozen=True)
class Join:
    """Two nuclei or clusters that became one; `mean_bits` None: by rule or by a steward. Records named are the smallest of each.

    `by`: the pair that a rule or a steward joined them by; `rule`: which, for who knows it.
    """

    left: int
    right: int
    mean_bits: float | None
    by: Pair | None = None
    rule: str = ""


@dataclass(frozen=True)
class Linked:
    """`clusters`: sorted tuples of record numbers, sorted; `joins` in the order they were made; `conflicts`: rules that were refused;

    `near`: pairs of final clusters that did not join, with the mean weight between them.
    """

    clusters: tuple[tuple[int, ...], ...]
    joins: tuple[Join, ...]
    conflicts: tuple[Pair, ...]
    near: tuple[tuple[int, int, float], ...]


def link(
    records: Sequence[int], must: Iterable[Pair], forbidden: Forbidden, weight: Weight, cut_bits: float, near_bits: float | None = None
) -> Linked:
    """Cluster one component. `must`: pairs to join first, strongest first; one that would join forbidden records is a conflict.

    `near_bits`: pairs of final clusters with a mean of at least this are told in `near`; None: nothing is told.
    """
    members: dict[int, list[int]] = {record: [record] for record in sorted(records)}
    home = {record: record for record in members}
    joins: list[Join] = []
    conflicts: list[Pair] = []

    def join(a: int, b: int, mean: float | None, by: Pair | None = None) -> int:
        keep, lose = (a, b) if a < b else (b, a)
        for record in members.pop(lose):
            members[keep].append(record)
            home[record] = keep
        joins.append(Join(keep, lose, mean, by))
        return keep

    for left, right in must:
        a, b = home[left], home[right]
        if a == b:
            continue
        if any(forbidden(x, y) for x in members[a] for y in members[b]):
            conflicts.append((left, right))
        else:
            join(a, b, None, (left, right))

    sums, banned = _between(members, forbidden, weight)
    floor = cut_bits
    heap = [(-total / (len(members[a]) * len(members[b])), a, b) for (a, b), total in sums.items() if (a, b) not in banned]
    heap = [entry for entry in heap if -entry[0] >= floor]
    heapq.heapify(heap)
    while heap:
        negative, a, b = heapq.heappop(heap)
        if a not in members or b not in members or (a, b) in banned or -negative != sums[a, b] / (len(members[a]) * len(members[b])):
            continue
        keep = join(a, b, -negative)
        lose = b if keep == a else a
        del sums[a, b]
        for other, others in members.items():
            if other == keep:
                continue
            kept = (keep, other) if keep < other else (other, keep)
            lost = (lose, other) if lose < other else (other, lose)
            sums[kept] = total = sums[kept] + sums.pop(lost)
            if lost in banned:
                banned.add(kept)
            mean = total / (len(members[keep]) * len(others))
            if kept not in banned and mean >= floor:
                heapq.heappush(heap, (-mean, *kept))
    near: list[tuple[int, int, float]] = []
    if near_bits is not None:
        for (a, b), total in sums.items():
            mean = total / (len(members[a]) * len(members[b]))
            if mean >= near_bits:
                near.append((a, b, mean))
    clusters = tuple(sorted(tuple(sorted(cluster)) for cluster in members.values()))
    return Linked(clusters, tuple(joins), tuple(conflicts), tuple(sorted(near)))


def _between(members: Mapping[int, Sequence[int]], forbidden: Forbidden, weight: Weight) -> tuple[dict[Pair, float], set[Pair]]:
    """(sum of weights between each two nuclei, pairs of nuclei that must stay apart)."""
    ordered = [(name, sorted(records)) for name, records in members.items()]
    sums: dict[Pair, float] = {}
    banned: set[Pair] = set()
    for n, (a, first) in enumerate(ordered):
        for b, second in ordered[n + 1 :]:
            total = 0.0
            for x in first:
                for y in second:
                    total += weight(x, y) if x < y else weight(y, x)
                    if forbidden(x, y):
                        banned.add((a, b))
            sums[a, b] = total
    return sums, banned
