"""Tiles are the tree cut into pieces: however it grew, its root is RFC 6962's, and every tile is what C2SP tlog-tiles says it is."""

from __future__ import annotations

from functools import cache
from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lienthong.ledger import (
    Edge,
    Tiles,
    edge_tiles,
    inclusion_proof,
    root_from_inclusion,
    split_tile,
    tiled_inclusion_proof,
    tiles_around,
    tree_root,
)

LEAVES = [sha256(b"%d" % number).digest() for number in range(70_000)]


def grown(counts: list[int]) -> tuple[Edge, Tiles]:
    edge, tiles = Edge(), Tiles()
    for count in counts:
        edge, changed = edge.append(LEAVES[edge.size : edge.size + count])
        tiles |= changed
    return edge, tiles


@cache
def whole_tree() -> Tiles:
    return grown([len(LEAVES)])[1]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from([0, 1, 2, 7, 255, 256, 257, 600]), max_size=8))
def test_however_it_grew_a_tree_has_the_root_of_its_leaves(counts: list[int]) -> None:
    edge, tiles = grown(counts)
    assert edge.root == tree_root(LEAVES[: sum(counts)])
    assert (edge, tiles) == grown([sum(counts)])


def test_every_hash_of_a_tile_is_the_root_of_the_leaves_below_it() -> None:
    edge, tiles = grown([70_000])
    assert edge.root == tree_root(LEAVES)
    assert {level for level, _ in tiles} == {0, 1, 2}
    for (level, number), hashes in tiles.items():
        below = 256**level
        for place, found in enumerate(split_tile(hashes)):
            begins = (256 * number + place) * below
            assert found == tree_root(LEAVES[begins : begins + below])


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 70_000))
def test_the_edge_is_the_unfinished_tiles_of_its_size(size: int) -> None:
    edge, tiles = grown([size])
    assert edge.unfinished == tuple(tiles.get(place, b"") if len(tiles.get(place, b"")) < 8192 else b"" for place in edge_tiles(size))


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 70_000), st.floats(0, 1, exclude_max=True))
def test_a_proof_from_tiles_leads_to_the_root_of_its_size_also_when_the_tree_has_grown(size: int, share: float) -> None:
    index, tiles = int(size * share), whole_tree()
    proof = tiled_inclusion_proof(index, size, lambda level, number: tiles[level, number])
    assert root_from_inclusion(LEAVES[index], index, size, proof) == grown([size])[0].root


@settings(deadline=None)
@given(st.integers(1, 300).flatmap(lambda size: st.tuples(st.integers(0, size - 1), st.just(size))))
def test_a_proof_from_tiles_is_the_one_from_the_leaves(place: tuple[int, int]) -> None:
    index, size = place
    tiles = grown([size])[1]
    assert tiled_inclusion_proof(index, size, lambda level, number: tiles[level, number]) == inclusion_proof(LEAVES[:size], index)


@given(st.integers(1, 1 << 34).flatmap(lambda size: st.tuples(st.integers(0, size - 1), st.just(size))))
def test_every_tile_of_a_proof_is_among_those_read_ahead(place: tuple[int, int]) -> None:
    index, size = place
    read = set()

    def tile(level: int, number: int) -> bytes:
        read.add((level, number))
        return bytes(8192)

    tiled_inclusion_proof(index, size, tile)
    assert read <= tiles_around(index, size)


def test_a_proof_outside_the_tree_or_from_a_short_tile_is_refused() -> None:
    tiles = grown([10])[1]
    with pytest.raises(IndexError):
        tiled_inclusion_proof(10, 10, lambda level, number: tiles[level, number])
    with pytest.raises(ValueError, match="shorter"):
        tiled_inclusion_proof(1, 11, lambda level, number: tiles[level, number])
