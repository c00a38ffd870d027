"""Recomputes the whole ledger and names the first entry that does not fit. Memory stays flat whatever the size."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from lienthong.ledger.checkpoint import verify_checkpoint
from lienthong.ledger.merkle import Frontier, leaf_hash

StoredEntry = tuple[int, bytes, bytes]  # position, body, leaf
StoredBatch = tuple[int, bytes, datetime, str, bytes]  # size after it, root, at, key id, signature
Head = tuple[int, tuple[bytes, ...]]  # size, peaks


@dataclass(frozen=True)
class Verdict:
    """`first_misfit` is the position of the first entry that does not fit, None when all is well.

    Reasons: `missing`, `altered`, `root`, `signature`, `key`, `unsigned`, `head`. `last_misfit` ends the range where only a
    batch as a whole can be named: someone changed an entry and its leaf, and the signed root of its batch gives it away.
    """

    ok: bool
    size: int
    root: bytes
    first_misfit: int | None = None
    last_misfit: int | None = None
    reason: str = ""
    vi: str = ""
    en: str = ""


WORDS = {
    "missing": ("Thiếu bản ghi ở vị trí này (đã bị xóa hoặc chèn sai chỗ).", "The entry at this position is missing or out of place."),
    "altered": ("Nội dung bản ghi không khớp với mã băm của nó.", "The body of the entry does not match its leaf hash."),
    "root": ("Gốc đã ký của lô không khớp với các bản ghi trong lô.", "The signed root of the batch does not fit its entries."),
    "signature": ("Chữ ký của lô không đúng.", "The signature of the batch is not valid."),
    "key": ("Lô được ký bằng khóa không quen biết.", "The batch was signed with an unknown key."),
    "unsigned": ("Các bản ghi cuối không thuộc lô đã ký nào.", "The last entries belong to no signed batch."),
    "head": ("Đầu sổ không khớp với các bản ghi (sổ đã bị cắt bớt hoặc sửa).", "The head does not fit the entries: truncated or altered."),
}


def verify(
    entries: Iterable[StoredEntry], batches: Iterable[StoredBatch], head: Head, public_keys: Mapping[str, bytes], origin: str
) -> Verdict:
    """Recompute every leaf, every batch's root and signature, and the head.

    `entries` in order of position, `batches` in order of size, `public_keys`: key id → raw Ed25519 key.
    """
    frontier = Frontier()
    walk = iter(entries)
    for size, root, at, key_id, signature in batches:
        begins = frontier.size
        if size <= begins:
            return _misfit(frontier, "root", begins, begins)
        grown = _take(walk, frontier, size)
        if isinstance(grown, Verdict):
            return grown
        frontier = grown
        if frontier.root != root:
            return _misfit(frontier, "root", begins, size - 1)
        if key_id not in public_keys:
            return _misfit(frontier, "key", begins, size - 1)
        if not verify_checkpoint(public_keys[key_id], origin, size, root, at, signature):
            return _misfit(frontier, "signature", begins, size - 1)
    left = next(walk, None)
    if left is not None:
        return _misfit(frontier, "unsigned", frontier.size)
    if head != (frontier.size, frontier.peaks):
        return _misfit(frontier, "head", min(head[0], frontier.size))
    return Verdict(ok=True, size=frontier.size, root=frontier.root)


def _take(walk: Iterator[StoredEntry], frontier: Frontier, size: int) -> Frontier | Verdict:
    """The frontier grown to `size`, or what does not fit on the way."""
    leaves: list[bytes] = []
    for position in range(frontier.size, size):
        entry = next(walk, None)
        if entry is None or entry[0] != position:
            return _misfit(frontier, "missing", position)
        _, body, leaf = entry
        if leaf_hash(body) != leaf:
            return _misfit(frontier, "altered", position)
        leaves.append(leaf)
    return frontier.append(leaves)


def _misfit(frontier: Frontier, reason: str, first: int, last: int | None = None) -> Verdict:
    vi, en = WORDS[reason]
    return Verdict(False, frontier.size, frontier.root, first, first if last is None else last, reason, vi, en)
