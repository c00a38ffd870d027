"""Recomputes the whole ledger and names the first entry that does not fit. Memory stays flat whatever the size.

A body that is gone must be told of by an entry of the ledger itself (`Event.BODIES_REMOVED`), which names the range; its leaf stays and
is under the same roots as ever.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import NamedTuple

from lienthong.ledger.checkpoint import sealed_at, verify_checkpoint
from lienthong.ledger.marks import Checksum
from lienthong.ledger.removal import BODIES_GONE, Absent, Told, ToldArchive
from lienthong.ledger.tiles import HASH, WIDTH, Edge, Tiles

LINE = b"\n"
AT_ONCE = 16_384  # leaves held while the tree grows
ASKED_AT_ONCE = 2_000  # batches
_TIME_OF_FIRST = b'{"v":1,"at":"'  # how the first entry of a batch begins


class StoredBatch(NamedTuple):
    """A batch in the order of the tree. `bodies`, `seal` and `at` are None when it is gone, `entries` when no place of it is kept.

    `gone`: what a copy of a batch that is gone is known by, SHA-256 over its leaves.
    """

    id: int
    bodies: bytes | None
    seal: bytes | None = None
    begins: int | None = None
    entries: int | None = None
    at: datetime | None = None
    gone: bytes | None = None


class StoredCheckpoint(NamedTuple):
    """A checkpoint; `batches`: how many it adds, from position `begins` on."""

    size: int
    begins: int
    batches: int
    root: bytes
    at: datetime
    key_id: str
    signature: bytes


class StoredTile(NamedTuple):
    level: int
    number: int
    hashes: bytes


@dataclass(frozen=True)
class Verdict:
    """`first_misfit` is the position of the first entry that does not fit, None when all is well.

    Reasons are those of `WORDS`. `last_misfit` ends the range where only several entries together can be named: someone changed an entry and
    its leaf, and the signed root gives it away. `foreign` are batches that no checkpoint holds and none ever will: the platform did not
    write them. `present`: entries whose bodies are here; `archived`, `gone`: whose bodies are in an archive, or nowhere any more.
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
    present: int = 0
    archived: int = 0
    gone: int = 0
    index: Checksum | None = None
    unindexed: tuple[tuple[int, int], ...] = ()  # ranges whose bodies are not here, and of whose index nothing is known
    archives: tuple[ToldArchive, ...] = ()  # as the entries tell
    dropped_at: Mapping[int, datetime | None] = field(default_factory=dict)  # archives that were destroyed, as the entries tell
    dropped: tuple[tuple[int, int], ...] = ()  # ranges whose archives were destroyed


WORDS = {
    "missing": ("Thiếu bản ghi ở vị trí này (đã bị xóa hoặc chèn sai chỗ).", "The entry at this position is missing or out of place."),
    "altered": ("Nội dung bản ghi không khớp với mã băm của nó.", "The body of the entry does not match its leaf hash."),
    "seal": ("Dấu niêm của lô không đúng.", "The seal of the batch is not valid."),
    "time": ("Giờ ghi của lô đã bị sửa.", "The time kept of the batch was altered."),
    "gone": (
        "Dấu để nhận ra bản chép của một lô đã lưu trữ bị sửa hoặc bị xóa.",
        "What a copy of an archived batch is known by was altered or removed.",
    ),
    "place": ("Chỗ của lô trong cây bị ghi sai.", "The place kept of the batch is wrong."),
    "begins": ("Điểm chốt không nối tiếp điểm chốt trước.", "The checkpoint does not begin where the one before it ends."),
    "root": ("Gốc đã ký của điểm chốt không khớp với các bản ghi.", "The signed root of the checkpoint does not fit its entries."),
    "signature": ("Chữ ký của điểm chốt không đúng.", "The signature of the checkpoint is not valid."),
    "key": ("Điểm chốt được ký bằng khóa không quen biết.", "The checkpoint was signed with an unknown key."),
    "unsigned": ("Các bản ghi cuối không thuộc điểm chốt đã ký nào.", "The last entries belong to no signed checkpoint."),
    "tile": ("Một ô băm của cây không khớp với các bản ghi bên dưới.", "A tile of the tree does not fit the entries below it."),
    "size": ("Cỡ của cây không khớp với các bản ghi (sổ đã bị cắt bớt hoặc sửa).", "The tree's size does not fit: truncated or altered."),
    "twice": ("Một lô được ghi hai lần, hoặc chỗ chờ của sổ bị sửa.", "A batch is taken twice, or what waits was tampered with."),
    "copy": ("Một lô được chép lại từ một lô trước.", "A batch is a copy of an earlier one."),
    "index": ("Chỉ mục tra cứu không khớp với các bản ghi.", "The index by which entries are found does not fit them."),
    "cosignature": ("Chữ ký của nhân chứng không đúng.", "The signature of a witness is not valid."),
    "witnesses": ("Không đủ nhân chứng ký điểm chốt cuối.", "Too few witnesses signed the last checkpoints."),
    "stamp": ("Dấu thời gian không đúng.", "A time stamp is not valid."),
    "archive": ("Tệp lưu trữ thiếu hoặc hỏng.", "An archive is missing or damaged."),
}


def misfit(size: int, root: bytes, reason: str, first: int, last: int | None = None) -> Verdict:
    """The verdict that something does not fit."""
    vi, en = WORDS[reason]
    return Verdict(False, size, root, first, first if last is None else last, reason, vi, en)


def verify(
    batches: Iterable[StoredBatch], leaves: Iterable[StoredTile], checkpoints: Iterable[StoredCheckpoint], tiles: Iterable[StoredTile],
    size: int, public_keys: Mapping[str, bytes], origin: str, has_sealed: Callable[[bytes, bytes], bool] | None = None,
    gone_among: Callable[[Sequence[bytes]], set[bytes]] | None = None,
) -> Verdict:  # fmt: skip
    """Recompute every leaf, every checkpoint's root and signature, every seal, every tile, and the size.

    `batches` in the order of the tree, `leaves` the tiles of leaves in theirs, `checkpoints` in order of size, `tiles` those above the
    leaves; `size`: what the store says the tree has; `public_keys`: key id → raw Ed25519 key; `gone_among`: those of some digests by which
    copies of batches that are gone are known. Where a root does not fit, a seal that does not either says which of the checkpoint's
    batches was changed.
    """
    growing = _Growing(_Leaves(leaves), has_sealed, _Copies(gone_among))
    walk = iter(batches)
    for found in checkpoints:
        begins = growing.edge.size
        if found.size <= begins:
            return growing.misfit("root", begins)
        wrong = growing.take(walk, found)
        if wrong is not None:
            return wrong
        if growing.edge.root != found.root:
            return growing.misfit("root", *(growing.unsealed or (begins, found.size - 1)))
        if found.key_id not in public_keys:
            return growing.misfit("key", begins, found.size - 1)
        if not verify_checkpoint(public_keys[found.key_id], origin, found.size, found.root, found.at, found.signature):
            return growing.misfit("signature", begins, found.size - 1)
    if next(walk, None) is not None:
        return growing.misfit("unsigned", growing.edge.size)
    if size != growing.edge.size:
        return growing.misfit("size", min(size, growing.edge.size))
    return growing.ended(tiles)


class _Leaves:
    """The stored leaf hashes one after the other, whole tiles at a time."""

    def __init__(self, tiles: Iterable[StoredTile]) -> None:
        self._tiles = iter(tiles)
        self._next = 0
        self._held = b""

    def take(self, count: int) -> bytes:
        """The next leaves; fewer when there are no more, or a tile is missing."""
        wanted = count * HASH
        pieces, held = [self._held], len(self._held)
        while held < wanted:
            tile = next(self._tiles, None)
            if tile is None or tile.number != self._next or len(tile.hashes) % HASH:
                break
            self._next += 1
            pieces.append(tile.hashes)
            held += len(tile.hashes)
            if len(tile.hashes) != WIDTH * HASH:
                break
        whole = b"".join(pieces)
        self._held = whole[wanted:]
        return whole[:wanted]

    def rest(self) -> bool:
        """Whether something is left."""
        return bool(self._held) or next(self._tiles, None) is not None


class _Copies:
    """Looks for batches that are the same as one whose bodies are gone."""

    def __init__(self, gone_among: Callable[[Sequence[bytes]], set[bytes]] | None) -> None:
        self._gone_among = gone_among
        self._asked: dict[bytes, tuple[int, int]] = {}
        self._first: tuple[int, int] | None = None

    def look_at(self, leaves: bytes, begins: int) -> None:
        if self._gone_among is None or self._first is not None:
            return
        self._asked.setdefault(sha256(leaves).digest(), (begins, begins + len(leaves) // HASH - 1))
        if len(self._asked) >= ASKED_AT_ONCE:
            self._ask()

    def _ask(self) -> None:
        if self._gone_among is not None and self._asked:
            self._first = min((self._asked[digest] for digest in self._gone_among(list(self._asked))), default=None)
            self._asked = {}

    def first(self) -> tuple[int, int] | None:
        """The first batch that is a copy of one that is gone."""
        if self._first is None:
            self._ask()
        return self._first


class _Growing:
    """The tree as far as it was recomputed, with its tiles above the leaves (one hash for 256 entries)."""

    def __init__(self, leaves: _Leaves, has_sealed: Callable[[bytes, bytes], bool] | None, copies: _Copies) -> None:
        self.edge = Edge()
        self._copies = copies
        self._leaves = leaves
        self._has_sealed = has_sealed
        self._tiles: Tiles = {}
        self._missing: list[Absent] = []
        self._told = Told()
        self._seals_begun = False
        self.unsealed: tuple[int, int] | None = None  # the first batch whose seal does not fit
        self._misplaced: tuple[int, int] | None = None  # whose place is wrong
        self._mistimed: tuple[int, int] | None = None  # whose time is
        self._unguarded: tuple[int, int] | None = None  # whose copy would not be known
        self._present = 0
        self._index = Checksum()

    def take(self, walk: Iterator[StoredBatch], found: StoredCheckpoint) -> Verdict | None:
        """Grow by a checkpoint's batches; what does not fit on the way, or None."""
        if found.begins != self.edge.size:
            return self.misfit("begins", self.edge.size, found.size - 1)
        pieces: list[bytes] = []
        at, grown = self.edge.size, self.edge.size
        for _, batch in zip(range(found.batches), walk, strict=False):
            hashes = self._of(batch, at)
            if isinstance(hashes, Verdict):
                return hashes
            pieces.append(hashes)
            at += len(hashes) // HASH
            if at > found.size:
                return self.misfit("missing", found.size)
            if at - grown >= AT_ONCE:
                self._grow(pieces)
                pieces, grown = [], at
        if at != found.size:
            return self.misfit("missing", at)
        self._grow(pieces)
        return None

    def _grow(self, pieces: list[bytes]) -> None:
        leaves = b"".join(pieces)
        self.edge, changed = self.edge.append([leaves[n : n + HASH] for n in range(0, len(leaves), HASH)])
        self._tiles.update({place: hashes for place, hashes in changed.items() if place[0]})

    def _of(self, batch: StoredBatch, at: int) -> bytes | Verdict:
        """The leaves of a batch whose first entry stands at a position."""
        if batch.bodies is None:
            if batch.entries is None or batch.begins != at:
                return self.misfit("missing", at)
            stored = self._leaves.take(batch.entries)
            if len(stored) < batch.entries * HASH or batch.entries < 1:
                return self.misfit("missing", at)
            self._missing.append(Absent(at, at + batch.entries))
            if self._unguarded is None and batch.gone != sha256(stored).digest():
                self._unguarded = (at, at + batch.entries - 1)
            return stored
        bodies = batch.bodies.split(LINE)
        hashes = b"".join([sha256(b"\x00" + body).digest() for body in bodies])
        stored = self._leaves.take(len(bodies))
        if stored != hashes:
            first = next((n for n in range(len(bodies)) if hashes[n * HASH : (n + 1) * HASH] != stored[n * HASH : (n + 1) * HASH]), 0)
            return self.misfit("altered", at + first)
        whole = (at, at + len(bodies) - 1)
        if self.unsealed is None and not self._is_sealed(batch, batch.bodies):
            self.unsealed = whole
        if self._mistimed is None and not _is_of_its_time(batch, bodies[0]):
            self._mistimed = whole
        self._copies.look_at(hashes, at)
        if batch.begins is not None:
            if self._misplaced is None and (batch.begins, batch.entries) != (at, len(bodies)):
                self._misplaced = whole
            self._index.add(bodies, at)
        self._present += len(bodies)
        if BODIES_GONE in batch.bodies:
            for body in bodies:
                self._told.read(body)
        return hashes

    def _is_sealed(self, batch: StoredBatch, bodies: bytes) -> bool:
        """Batches of the time before there were seals have none, and stand before all that have one."""
        if self._has_sealed is None:
            return True
        if batch.seal is None:
            return not self._seals_begun
        self._seals_begun = True
        return self._has_sealed(bodies, batch.seal)

    def ended(self, stored: Iterable[StoredTile]) -> Verdict:
        """The verdict at the end of the walk."""
        told = self._told
        unexplained = _unexplained(self._missing, told.gone)
        if unexplained is not None:
            return self.misfit("missing", unexplained)
        for reason, wrong in (
            ("seal", self.unsealed),
            ("copy", self._copies.first()),
            ("time", self._mistimed),
            ("place", self._misplaced),
            ("gone", self._unguarded),
        ):
            if wrong is not None:
                return self.misfit(reason, *wrong)
        if self._leaves.rest():
            return self.misfit("tile", self.edge.size)
        expected = dict(self._tiles)
        for level, number, hashes in stored:
            if expected.pop((level, number), None) != hashes:
                return self.misfit("tile", number * WIDTH ** (level + 1))
        for level, number in expected:
            return self.misfit("tile", number * WIDTH ** (level + 1))
        missing = sum(gone.ends - gone.begins for gone in self._missing)
        dropped = sum(_shared(one, other) for one in self._missing for other in told.gone if other.is_dropped)
        for sums in told.index:
            self._index.take_in(*sums)
        return Verdict(
            ok=True, size=self.edge.size, root=self.edge.root, present=self._present, archived=missing - dropped, gone=dropped,
            index=self._index, unindexed=tuple(told.unindexed), archives=tuple(told.archives), dropped_at=told.dropped_at,
            dropped=tuple((gone.begins, gone.ends) for gone in told.gone if gone.is_dropped),
        )  # fmt: skip

    def misfit(self, reason: str, first: int, last: int | None = None) -> Verdict:
        return misfit(self.edge.size, self.edge.root, reason, first, last)


def _is_of_its_time(batch: StoredBatch, first: bytes) -> bool:
    """Whether the time kept of a batch is the one its seal holds; where that holds none, the one its first entry tells."""
    if batch.at is None:
        return True
    sealed = None if batch.seal is None else sealed_at(batch.seal)
    if sealed is None and first.startswith(_TIME_OF_FIRST):
        sealed = datetime.fromisoformat(first[len(_TIME_OF_FIRST) :].partition(b'"')[0].decode())
    return sealed is None or batch.at == sealed


def _unexplained(missing: list[Absent], told: list[Absent]) -> int | None:
    """The first missing position that no entry tells of; None when all are told of."""
    ranges = sorted((gone.begins, gone.ends) for gone in told if not gone.is_dropped)
    at = 0
    for gone in missing:
        position = gone.begins
        while position < gone.ends:
            while at < len(ranges) and ranges[at][1] <= position:
                at += 1
            if at == len(ranges) or ranges[at][0] > position:
                return position
            position = ranges[at][1]
    return None


def _shared(one: Absent, other: Absent) -> int:
    return max(0, min(one.ends, other.ends) - max(one.begins, other.begins))
