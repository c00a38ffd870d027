"""The tree as it grows: leaves and nodes in tiles of 256 hashes (C2SP tlog-tiles), with the unfinished tile of each level at hand.

Hash `k` of tile `n` at level `l` is the root of 256**l leaves, those from `(256 * n + k) * 256**l` on. A level-0 tile holds leaf hashes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from lienthong.ledger.merkle import EMPTY_ROOT, Frontier, node_hash

WIDTH = 256  # hashes of a whole tile: 8 levels of the binary tree
HASH = 32  # bytes

Tiles = dict[tuple[int, int], bytes]  # (level, number) → hashes one after the other


@dataclass(frozen=True, slots=True)
class Edge:
    """The right edge of a tree of `size` leaves: the hashes of the unfinished tile of each level, lowest first. All that growing needs."""

    size: int = 0
    unfinished: tuple[bytes, ...] = ()

    def append(self, leaves: Sequence[bytes]) -> tuple[Edge, Tiles]:
        """(the edge after more leaves, every tile that is new or longer than before)."""
        changed: Tiles = {}
        unfinished: list[bytes] = []
        size, fresh, level = self.size, list(leaves), 0
        while fresh or level < len(self.unfinished):
            held = self.unfinished[level] if level < len(self.unfinished) else b""
            hashes, number = held + b"".join(fresh), (size >> (8 * level)) // WIDTH
            whole = len(hashes) // (WIDTH * HASH)
            tiles = [hashes[n * WIDTH * HASH : (n + 1) * WIDTH * HASH] for n in range(whole)]
            rest = hashes[whole * WIDTH * HASH :]
            changed.update({(level, number + n): tile for n, tile in enumerate(tiles)})
            if rest and fresh:
                changed[level, number + whole] = rest
            unfinished.append(rest)
            fresh, level = [whole_tile_root(tile) for tile in tiles], level + 1
        return Edge(self.size + len(leaves), tuple(unfinished)), changed

    @property
    def root(self) -> bytes:
        """The root of the tree (RFC 6962 §2.1); of no leaves, the hash of nothing."""
        peaks = [peak for hashes in reversed(self.unfinished) for peak in Frontier().append(split(hashes)).peaks]
        if not peaks:
            return EMPTY_ROOT
        root = peaks.pop()
        while peaks:
            root = node_hash(peaks.pop(), root)
        return root


def edge_tiles(size: int) -> list[tuple[int, int]]:
    """(level, number) of the unfinished tile of every level of a tree, lowest first; a level may have none begun."""
    levels = 0
    while size >> (8 * levels):
        levels += 1
    return [(level, (size >> (8 * level)) // WIDTH) for level in range(levels)]


def tiles_around(index: int, size: int) -> set[tuple[int, int]]:
    """The tiles (level, number) an inclusion proof is made of: above the leaf, and along the right edge of the tree."""
    edge = edge_tiles(size - 1)
    return {*edge, *((level, index >> (8 * (level + 1))) for level, _ in edge)}


def split(hashes: bytes) -> list[bytes]:
    """The hashes of a tile, one by one."""
    return [hashes[at : at + HASH] for at in range(0, len(hashes), HASH)]


def whole_tile_root(tile: bytes) -> bytes:
    """The one hash over a tile of 256."""
    return _folded(split(tile))


def _folded(hashes: list[bytes]) -> bytes:
    """The root over a power of two of hashes."""
    while len(hashes) > 1:
        hashes = [node_hash(hashes[at], hashes[at + 1]) for at in range(0, len(hashes), 2)]
    return hashes[0]


def tiled_inclusion_proof(index: int, size: int, tile: Callable[[int, int], bytes]) -> tuple[bytes, ...]:
    """The audit path of a leaf in the tree of the first `size` leaves (RFC 6962 §2.1.1), nearest first, from a handful of tiles.

    `tile(level, number)` gives a tile's hashes, also when it has grown since. Raises IndexError outside the tree, ValueError when a tile is
    too short for it.
    """
    if not 0 <= index < size:
        raise IndexError(index)
    path: list[bytes] = []
    low, high = 0, size
    while high - low > 1:
        middle = low + (1 << ((high - low - 1).bit_length() - 1))
        if index < middle:
            path.append(_root_between(middle, high, tile))
            high = middle
        else:
            path.append(_root_between(low, middle, tile))
            low = middle
    return tuple(reversed(path))


def tiled_consistency_proof(old_size: int, size: int, tile: Callable[[int, int], bytes]) -> tuple[bytes, ...]:
    """That the tree of the first `old_size` leaves is a prefix of that of the first `size` (RFC 6962 §2.1.2), from a handful of tiles.

    Nothing for the same tree or from none. Raises IndexError when the old one is longer, ValueError as for an inclusion proof.
    """
    if not 0 <= old_size <= size:
        raise IndexError(old_size)
    steps: list[bytes] = []
    low, high, is_whole = 0, size, True
    while high != old_size and old_size:
        middle = low + (1 << ((high - low - 1).bit_length() - 1))
        if old_size <= middle:
            steps.append(_root_between(middle, high, tile))
            high = middle
        else:
            steps.append(_root_between(low, middle, tile))
            low, is_whole = middle, False
    if not is_whole:
        steps.append(_root_between(low, high, tile))
    return tuple(reversed(steps))


def tiled_peaks(size: int, tile: Callable[[int, int], bytes]) -> tuple[bytes, ...]:
    """The roots of the perfect subtrees of the first `size` leaves, largest first: what a tree needs to grow on from there."""
    peaks: list[bytes] = []
    begins = 0
    for bit in range(size.bit_length() - 1, -1, -1):
        if size >> bit & 1:
            peaks.append(_root_between(begins, begins + (1 << bit), tile))
            begins += 1 << bit
    return tuple(peaks)


def _root_between(low: int, high: int, tile: Callable[[int, int], bytes]) -> bytes:
    """The root over leaves `low` up to, not with, `high`: a whole subtree is within one tile, any other range is two smaller ones."""
    count = high - low
    if count & (count - 1):
        middle = low + (1 << ((count - 1).bit_length() - 1))
        return node_hash(_root_between(low, middle, tile), _root_between(middle, high, tile))
    level, within = divmod(count.bit_length() - 1, 8)
    number, place = divmod(low >> (8 * level), WIDTH)
    hashes = split(tile(level, number)[place * HASH : (place + (1 << within)) * HASH])
    if len(hashes) < 1 << within:
        raise ValueError(f"Tile {number} of level {level} is shorter than the tree of its checkpoint.")
    return _folded(hashes)
