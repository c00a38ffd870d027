"""Recomputes the whole ledger and names the first entry that does not fit. Memory stays flat whatever the size."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from lienthong.ledger.checkpoint import verify_checkpoint
from lienthong.ledger.merkle import leaf_hash
from lienthong.ledger.tiles import WIDTH, Edge, Tiles

StoredEntry = tuple[int, bytes | None, bytes]  # position, body (none: it is gone), leaf
StoredCheckpoint = tuple[int, bytes, datetime, str, bytes]  # size of the tree, root, at, key id, signature
StoredTile = tuple[int, int, bytes]  # level, number, hashes
AT_ONCE = 4_096  # leaves held while the tree grows


@dataclass(frozen=True)
class Verdict:
    """`first_misfit` is the position of the first entry that does not fit, None when all is well.

    Reasons: `missing`, `altered`, `root`, `signature`, `key`, `unsigned`, `tile`, `size`, `foreign`. `last_misfit` ends the range where
    only several entries together can be named: someone changed an entry and its leaf, and the signed root gives it away.
    `foreign` are batches that no checkpoint holds and none ever will: the platform did not write them.
    """

    ok: bool
    size: int
    root: bytes
    first_misfit: int | None = None
    last_misfit: int | None = None
    reason: str = ""
    vi: str = ""
    en: str = ""
    foreign: tuple[int, ...] = ()


WORDS = {
    "missing": ("Thiếu bản ghi ở vị trí này (đã bị xóa hoặc chèn sai chỗ).", "The entry at this position is missing or out of place."),
    "altered": ("Nội dung bản ghi không khớp với mã băm của nó.", "The body of the entry does not match its leaf hash."),
    "root": ("Gốc đã ký của điểm chốt không khớp với các bản ghi.", "The signed root of the checkpoint does not fit its entries."),
    "signature": ("Chữ ký của điểm chốt không đúng.", "The signature of the checkpoint is not valid."),
    "key": ("Điểm chốt được ký bằng khóa không quen biết.", "The checkpoint was signed with an unknown key."),
    "unsigned": ("Các bản ghi cuối không thuộc điểm chốt đã ký nào.", "The last entries belong to no signed checkpoint."),
    "tile": ("Một ô băm của cây không khớp với các bản ghi bên dưới.", "A tile of the tree does not fit the entries below it."),
    "size": ("Cỡ của cây không khớp với các bản ghi (sổ đã bị cắt bớt hoặc sửa).", "The tree's size does not fit: truncated or altered."),
}


def verify(
    entries: Iterable[StoredEntry], checkpoints: Iterable[StoredCheckpoint], tiles: Iterable[StoredTile], size: int,
    public_keys: Mapping[str, bytes], origin: str,
) -> Verdict:  # fmt: skip
    """Recompute every leaf, every checkpoint's root and signature, every tile above the leaves, and the size.

    `entries` in order of position, `checkpoints` in order of size, `tiles` those above the leaves; `size`: what the store says the tree
    has; `public_keys`: key id → raw Ed25519 key.
    """
    growing = _Growing()
    walk = iter(entries)
    for upto, root, at, key_id, signature in checkpoints:
        begins = growing.edge.size
        if upto <= begins:
            return growing.misfit("root", begins, begins)
        misfit = growing.take(walk, upto)
        if misfit is not None:
            return misfit
        if growing.edge.root != root:
            return growing.misfit("root", begins, upto - 1)
        if key_id not in public_keys:
            return growing.misfit("key", begins, upto - 1)
        if not verify_checkpoint(public_keys[key_id], origin, upto, root, at, signature):
            return growing.misfit("signature", begins, upto - 1)
    if next(walk, None) is not None:
        return growing.misfit("unsigned", growing.edge.size)
    if size != growing.edge.size:
        return growing.misfit("size", min(size, growing.edge.size))
    return growing.tiles_checked(tiles)


class _Growing:
    """The tree as far as it was recomputed, with its tiles above the leaves (one hash for 256 entries)."""

    def __init__(self) -> None:
        self.edge = Edge()
        self._tiles: Tiles = {}

    def take(self, walk: Iterator[StoredEntry], upto: int) -> Verdict | None:
        """Grow to a size; what does not fit on the way, or None."""
        leaves: list[bytes] = []
        for position in range(self.edge.size, upto):
            entry = next(walk, None)
            if entry is None or entry[0] != position or entry[1] is None:
                return self.misfit("missing", position)
            if leaf_hash(entry[1]) != entry[2]:
                return self.misfit("altered", position)
            leaves.append(entry[2])
            if len(leaves) == AT_ONCE:
                self._grow(leaves)
                leaves = []
        self._grow(leaves)
        return None

    def _grow(self, leaves: list[bytes]) -> None:
        self.edge, changed = self.edge.append(leaves)
        self._tiles.update({place: hashes for place, hashes in changed.items() if place[0]})

    def tiles_checked(self, stored: Iterable[StoredTile]) -> Verdict:
        expected = dict(self._tiles)
        for level, number, hashes in stored:
            if expected.pop((level, number), None) != hashes:
                return self.misfit("tile", number * WIDTH ** (level + 1))
        for level, number in expected:
            return self.misfit("tile", number * WIDTH ** (level + 1))
        return Verdict(ok=True, size=self.edge.size, root=self.edge.root)

    def misfit(self, reason: str, first: int, last: int | None = None) -> Verdict:
        vi, en = WORDS[reason]
        return Verdict(False, self.edge.size, self.edge.root, first, first if last is None else last, reason, vi, en)
