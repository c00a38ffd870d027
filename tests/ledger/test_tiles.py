"""Tiles are the tree cut into pieces: however it grew, its root is RFC 6962's, and every tile is what C2SP tlog-tiles says it is."""

from __future__ import annotations

from hashlib import sha256

from hypothesis import given, settings
from hypothesis import strategies as st

from lienthong.ledger import Edge, Tiles, edge_tiles, split_tile, tree_root

LEAVES = [sha256(b"%d" % number).digest() for number in range(70_000)]


def grown(counts: list[int]) -> tuple[Edge, Tiles]:
    edge, tiles = Edge(), Tiles()
    for count in counts:
        edge, changed = edge.append(LEAVES[edge.size : edge.size + count])
        tiles |= changed
    return edge, tiles


@settings(max_examples=60)
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


@settings(max_examples=60)
@given(st.integers(0, 70_000))
def test_the_edge_is_the_unfinished_tiles_of_its_size(size: int) -> None:
    edge, tiles = grown([size])
    assert edge.unfinished == tuple(tiles.get(place, b"") if len(tiles.get(place, b"")) < 8192 else b"" for place in edge_tiles(size))
