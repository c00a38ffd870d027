"""One component of records → its clusters: what bulk and one-by-one matching have in common, down to the last bit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from lienthong.masterdata.linkage import Linked, Pair, link
from lienthong.masterdata.model import Model
from lienthong.masterdata.predicates import Features
from lienthong.masterdata.rules import STEWARD, Rules

LARGEST_COMPONENT = 300  # records linked together at most; above it only stronger weights hold a component together
_STEP_BITS = 2.0
HELD_BITS = -0.01


@dataclass(frozen=True)
class Judged:
    """Stewards' words in force, by record number, smaller first: pairs that are one, pairs that are not."""

    same: frozenset[Pair] = frozenset()
    apart: frozenset[Pair] = frozenset()

    def unsaid(self, conflicts: Iterable[Pair]) -> tuple[Pair, ...]:
        """Of pairs whose identifier agrees while they are kept apart, those no steward said are two: nobody is asked twice."""
        return tuple((a, b) for a, b in conflicts if (min(a, b), max(a, b)) not in self.apart)


class Matcher:
    """A model ready to judge pairs and components. Weights are given from the cut of the two registers: 0 joins."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.rules = Rules(model.plan, model.crowded, model.is_common)
        self.scorer = model.scorer()
        self.places = {column: n for n, column in enumerate(model.plan.columns)}
        self.reach = model.cuts.review_bits - model.cuts.join_bits  # from here on a pair belongs to one component
        self._score = self.scorer.score
        self._cuts = model.cuts

    def weight(self, left: Features, right: Features, left_source: str, right_source: str) -> float:
        """Bits above the cut; held just under it where a person must look first."""
        over = self._score(left, right) - self._cuts.join(left_source, right_source)
        return HELD_BITS if over >= 0 and self.rules.doubt(left, right) else over

    def link(
        self, features: Mapping[int, Features], sources: Mapping[int, str], by_rule: Mapping[Pair, str], known: Mapping[Pair, float], judged: Judged
    ) -> Linked:  # fmt: skip
        """The clusters of one component. `by_rule`: pairs an identifier joins, with the rule's name; `known`: weights at hand, others are worked out."""
        group = sorted(features)
        if len(group) <= LARGEST_COMPONENT:
            return self._link(group, features, sources, by_rule, known, judged)
        parts = [
            self._link(
                piece, features, sources, {(a, b): name for (a, b), name in by_rule.items() if a in inside and b in inside}, known, judged
            )
            for piece in _pieces(group, list(by_rule), known, judged)
            for inside in (set(piece),)
        ]
        return Linked(
            tuple(sorted(cluster for part in parts for cluster in part.clusters)),
            tuple(join for part in parts for join in part.joins),
            tuple(pair for part in parts for pair in part.conflicts),
            tuple(sorted(pair for part in parts for pair in part.near)),
        )

    def _link(
        self, group: Sequence[int], features: Mapping[int, Features], sources: Mapping[int, str], by_rule: Mapping[Pair, str],
        known: Mapping[Pair, float], judged: Judged,
    ) -> Linked:  # fmt: skip
        weights: dict[Pair, float] = {}
        forbids: dict[Pair, bool] = {}
        forbid = self.rules.forbid
        kinds: dict[tuple[Features, str], int] = {}  # large clusters are mostly copies: what is said of one pair holds for its likes
        kind = {n: kinds.setdefault((features[n], sources[n]), n) for n in group}

        def weight(a: int, b: int) -> float:
            found = known.get((a, b))
            if found is None:
                alike = kind[a], kind[b]
                found = weights.get(alike)
                if found is None:
                    found = weights[alike] = self.weight(features[a], features[b], sources[a], sources[b])
            return found

        def forbidden(a: int, b: int) -> bool:
            pair = (a, b) if a < b else (b, a)
            if pair in judged.apart:
                return True
            if pair in judged.same:
                return False
            alike = kind[a], kind[b]
            found = forbids.get(alike)
            if found is None:
                found = forbids[alike] = forbid(features[a], features[b], sources[a], sources[b])
            return found

        inside = set(group)
        same = sorted(pair for pair in judged.same if pair[0] in inside and pair[1] in inside)
        near = self.reach if self.reach < 0 else None
        linked = link(group, [*same, *by_rule], forbidden, weight, 0.0, near)
        members = {cluster[0]: cluster for cluster in linked.clusters}

        def slipped(a: int, b: int) -> bool:
            """Whether numbers one sign apart are what keeps two clusters apart, and no steward said they are two."""
            pairs = [(x, y) for x in members[a] for y in members[b]]
            if any((min(pair), max(pair)) in judged.apart for pair in pairs):
                return False
            return any(self.rules.slip(features[x], features[y], sources[x], sources[y]) for x, y in pairs)

        slips = {(a, b) for a, b, _ in linked.near if slipped(a, b)}
        asked = tuple(near for near in linked.near if not forbidden(near[0], near[1]) and near[:2] not in slips)
        said = {**by_rule, **dict.fromkeys(same, STEWARD)}
        joins = tuple(join if join.by is None else replace(join, rule=said[join.by]) for join in linked.joins)
        return replace(
            linked, joins=joins, conflicts=(*judged.unsaid(linked.conflicts), *sorted(slips - set(linked.conflicts))), near=asked
        )


def _pieces(group: Sequence[int], ruled: Sequence[Pair], known: Mapping[Pair, float], judged: Judged) -> list[list[int]]:
    """A component too large to link whole, cut where its weights are weakest. A function of the records, like everything here."""
    inside = set(group)
    edges = {pair: bits for pair, bits in known.items() if pair[0] in inside and pair[1] in inside}
    firm = [*ruled, *(pair for pair in judged.same if pair[0] in inside and pair[1] in inside)]
    waiting, done, floor = [list(group)], [], 0.0
    while waiting:
        piece = waiting.pop()
        if len(piece) <= LARGEST_COMPONENT:
            done.append(piece)
            continue
        numbers = {record: n for n, record in enumerate(piece)}
        floor = min((bits for pair, bits in edges.items() if pair[0] in numbers and pair[1] in numbers), default=1e9)
        floor = floor + _STEP_BITS
        kept = [pair for pair, bits in edges.items() if bits >= floor and pair[0] in numbers and pair[1] in numbers]
        held = [pair for pair in firm if pair[0] in numbers and pair[1] in numbers]
        if not kept and not edges.keys() & {pair for pair in edges if pair[0] in numbers}:
            done.append(piece)  # held together by rules alone
            continue
        edges = {pair: bits for pair, bits in edges.items() if bits >= floor or pair[0] not in numbers}
        parent = components(len(piece), [(numbers[a], numbers[b]) for a, b in [*kept, *held]])
        parts: dict[int, list[int]] = {}
        for n, record in enumerate(piece):
            parts.setdefault(int(parent[n]), []).append(record)
        waiting.extend(parts.values())
    return sorted(done)


def components(records: int, pairs: Sequence[Pair] | NDArray[np.int64]) -> NDArray[np.int64]:
    """For each record 0…records-1 the smallest record of its component."""
    parent = np.arange(records, dtype=np.int64)
    if not len(pairs):
        return parent
    edges = np.asarray(pairs, np.int64)
    left, right = edges[:, 0], edges[:, 1]
    while True:
        a, b = parent[left], parent[right]
        apart = a != b
        if not apart.any():
            return parent
        left, right = left[apart], right[apart]
        np.minimum.at(parent, np.maximum(a, b)[apart], np.minimum(a, b)[apart])
        while not np.array_equal(up := parent[parent], parent):
            parent = up


def few_components(records: int, pairs: Iterable[Pair]) -> list[int]:
    """The same of a few records, without arrays: those cost more to make than there is to do."""
    parent = list(range(records))
    for pair in pairs:
        a, b = pair
        while a != parent[a]:
            a = parent[a]
        while b != parent[b]:
            b = parent[b]
        if a < b:
            parent[b] = a
        else:
            parent[a] = b
    for n, up in enumerate(parent):  # a parent is smaller, and settled already
        parent[n] = parent[up]
    return parent
