"""Components, and cutting those that are too large to link whole."""

from __future__ import annotations

import random
from itertools import combinations

import pytest

from lienthong.masterdata import grouping
from lienthong.masterdata.grouping import Judged, components, few_components
from lienthong.masterdata.linkage import Pair

LIMIT = 6
TWO_GROUPS = (range(5), range(5, 11))


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grouping, "LARGEST_COMPONENT", LIMIT)


def within(*groups: range, bits: float) -> dict[Pair, float]:
    return {pair: bits for group in groups for pair in combinations(group, 2)}


def pieces(
    known: dict[Pair, float], ruled: tuple[Pair, ...] = (), same: frozenset[Pair] = frozenset(), records: int = 11
) -> list[list[int]]:
    found = grouping._pieces(range(records), ruled, known, Judged(same=same))
    assert sorted(record for piece in found for record in piece) == list(range(records))
    return found


def test_a_component_is_cut_where_its_weights_are_weakest() -> None:
    assert pieces({**within(*TWO_GROUPS, bits=8.0), (2, 7): 0.5}) == [list(group) for group in TWO_GROUPS]


def test_what_a_rule_or_a_steward_joins_is_not_cut_however_many_they_are() -> None:
    weak = {**within(*TWO_GROUPS, bits=8.0), (2, 7): 0.5}
    ruled = tuple(combinations(range(LIMIT + 2), 2))
    assert pieces(weak, ruled=ruled)[0] == list(range(LIMIT + 2))
    assert any({4, 5} <= set(piece) for piece in pieces(weak, same=frozenset({(4, 5)})))


def test_pieces_are_small_and_the_same_whatever_order_the_weights_come_in() -> None:
    chance = random.Random(3)
    known = {pair: chance.uniform(-4, 20) for pair in combinations(range(40), 2) if chance.random() < 0.3}
    found = pieces(known, records=40)
    assert max(map(len, found)) <= LIMIT
    assert len(found) < 40
    shuffled = list(known.items())
    chance.shuffle(shuffled)
    assert pieces(dict(shuffled), records=40) == found


def test_a_few_records_have_the_components_that_many_have() -> None:
    chance = random.Random(6)
    for _ in range(50):
        pairs = [(chance.randrange(30), chance.randrange(30)) for _ in range(chance.randrange(25))]
        assert few_components(30, pairs) == components(30, pairs).tolist()
