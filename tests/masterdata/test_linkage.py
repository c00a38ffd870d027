"""Average linkage under rules that forbid: what always holds of the clusters of one component."""

from __future__ import annotations

import random
from dataclasses import dataclass
from itertools import combinations

from hypothesis import given, settings
from hypothesis import strategies as st

from lienthong.masterdata.grouping import components, few_components
from lienthong.masterdata.linkage import Linked, Pair, link

CUT = 0.0


@dataclass(frozen=True)
class Component:
    """Records, the weight of every pair, the pairs that must join, the pairs that must not."""

    records: tuple[int, ...]
    weights: dict[Pair, float]
    must: tuple[Pair, ...]
    apart: frozenset[Pair]

    def link(self, must: tuple[Pair, ...] | None = None, near_bits: float | None = None) -> Linked:
        return link(self.records, self.must if must is None else must, self.forbidden, self.weight, CUT, near_bits)

    def weight(self, a: int, b: int) -> float:
        return self.weights[a, b]

    def forbidden(self, a: int, b: int) -> bool:
        return (min(a, b), max(a, b)) in self.apart


@st.composite
def component(draw: st.DrawFn, *, may_clash: bool = True) -> Component:
    count = draw(st.integers(1, 8))
    pairs = list(combinations(range(count), 2))
    weights = {pair: draw(st.integers(-20, 20)) / 2 for pair in pairs}  # few values, so that there are ties
    some: st.SearchStrategy[list[Pair]] = st.lists(st.sampled_from(pairs), max_size=4) if pairs else st.just([])
    must, apart = tuple(draw(some)), frozenset(draw(some))
    if not may_clash:
        home = components(count, must)
        must = tuple(pair for pair in must if not any(home[a] == home[b] for a, b in apart))
    return Component(tuple(range(count)), weights, must, apart)


def mean(of: Component, left: tuple[int, ...], right: tuple[int, ...]) -> float:
    return sum(of.weights[min(a, b), max(a, b)] for a in left for b in right) / (len(left) * len(right))


@given(component())
@settings(max_examples=200, deadline=None)
def test_every_record_is_in_one_cluster_and_no_cluster_holds_what_is_forbidden(of: Component) -> None:
    clusters = of.link().clusters
    assert sorted(record for cluster in clusters for record in cluster) == list(of.records)
    for cluster in clusters:
        assert not any(of.forbidden(a, b) for a, b in combinations(cluster, 2))


@given(component(may_clash=False), st.randoms(use_true_random=False))
@settings(max_examples=150, deadline=None)
def test_clusters_do_not_depend_on_the_order_of_rules_or_records(of: Component, chance: random.Random) -> None:
    must, records = list(of.must), list(of.records)
    chance.shuffle(must)
    chance.shuffle(records)
    again = link(records, must, of.forbidden, of.weight, CUT)
    assert again.clusters == of.link().clusters


@given(component())
@settings(max_examples=150, deadline=None)
def test_nothing_joins_below_the_cut_and_what_rules_join_stays_together_unless_forbidden(of: Component) -> None:
    linked = of.link()
    assert all(join.mean_bits is None or join.mean_bits >= CUT for join in linked.joins)
    home = {record: cluster for cluster in linked.clusters for record in cluster}
    for pair in of.must:
        assert home[pair[0]] == home[pair[1]] or pair in linked.conflicts


@given(component())
@settings(max_examples=150, deadline=None)
def test_no_two_clusters_are_left_that_could_still_join(of: Component) -> None:
    clusters = of.link().clusters
    for left, right in combinations(clusters, 2):
        held_apart = any(of.forbidden(a, b) for a in left for b in right)
        assert held_apart or mean(of, left, right) < CUT + 1e-9


@given(component())
@settings(max_examples=100, deadline=None)
def test_near_tells_every_two_clusters_within_reach_and_the_mean_between_them(of: Component) -> None:
    linked = of.link(near_bits=-3.0)
    told = {(a, b): bits for a, b, bits in linked.near}
    for left, right in combinations(linked.clusters, 2):
        between = mean(of, left, right)
        assert (between >= -3.0) == ((left[0], right[0]) in told)
        assert told.get((left[0], right[0]), between) == between


@given(component(), st.randoms(use_true_random=False))
@settings(max_examples=100, deadline=None)
def test_an_equal_component_is_linked_equally_join_by_join(of: Component, chance: random.Random) -> None:
    records = list(of.records)
    chance.shuffle(records)
    assert link(records, of.must, of.forbidden, of.weight, CUT).joins == of.link().joins


def test_ties_go_to_the_smallest_numbers() -> None:
    weights = {(0, 1): 2.0, (0, 2): -9.0, (1, 2): 2.0}
    assert Component((0, 1, 2), weights, (), frozenset()).link().clusters == ((0, 1), (2,))


def test_a_chain_does_not_join_its_ends() -> None:
    weights = {(0, 1): 3.0, (1, 2): 3.0, (2, 3): 3.0, (0, 2): -12.0, (1, 3): -12.0, (0, 3): -12.0}
    assert Component((0, 1, 2, 3), weights, (), frozenset()).link().clusters == ((0, 1), (2, 3))


def test_a_rule_that_would_join_what_is_forbidden_is_a_conflict() -> None:
    weights = dict.fromkeys([(0, 1), (0, 2), (1, 2)], 5.0)
    linked = Component((0, 1, 2), weights, ((0, 1), (1, 2)), frozenset({(0, 2)})).link()
    assert linked.clusters == ((0, 1), (2,))
    assert linked.conflicts == ((1, 2),)


@given(
    st.integers(1, 30).flatmap(
        lambda n: st.tuples(st.just(n), st.lists(st.tuples(st.integers(0, n - 1), st.integers(0, n - 1)), max_size=40))
    )
)
@settings(max_examples=300, deadline=None)
def test_components_of_a_few_records_are_those_of_many(given_: tuple[int, list[Pair]]) -> None:
    count, pairs = given_
    assert few_components(count, pairs) == components(count, pairs).tolist()
