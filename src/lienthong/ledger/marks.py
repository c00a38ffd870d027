"""How an entry is found again: by whom it was about and by the answer it tells of, as 64-bit marks that say nothing without the key.

A mark is the beginning of a hash, so it may fit another entry too: who finds one by it looks at the entry itself.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import Any

import msgspec

WIDTH = 8  # bytes of a mark
_WORD = 1 << 64


class _Marked(msgspec.Struct):
    """What of an entry leads back to it."""

    dataset: str = ""
    subject: str | None = None
    answer_digest: str = ""
    details: dict[str, Any] = {}  # msgspec copies an empty default


_READ = msgspec.json.Decoder(_Marked).decode
_OF_NOTHING = sha256(b"").hexdigest()


def mark_of(digest: str) -> int:
    """The mark of a hash in hex, as PostgreSQL's bigint holds it."""
    return int.from_bytes(bytes.fromhex(digest[: 2 * WIDTH]), "big", signed=True)


def mark_of_whole(dataset: str) -> int:
    """Under which the handing over of a whole register, or a part of it nobody counted by persons, is found."""
    return mark_of(sha256(f"whole\x1f{dataset}".encode()).hexdigest())


def pack_subjects(subjects: Iterable[str]) -> str:
    """The subjects of an answer of many records (keyed hashes, hex) as text for an entry's `details.subjects`: the marks, base64."""
    return b64encode(b"".join([bytes.fromhex(subject[: 2 * WIDTH]) for subject in subjects])).decode()


def unpack_subjects(packed: str) -> list[int]:
    """The marks of a packed list."""
    raw = b64decode(packed)
    return [int.from_bytes(raw[at : at + WIDTH], "big", signed=True) for at in range(0, len(raw), WIDTH)]


def marks_of(body: bytes) -> set[int]:
    """The marks under which an entry is found; none for bytes that are no entry."""
    try:
        entry = _READ(body)
        found = set(unpack_subjects(entry.details["subjects"])) if isinstance(entry.details.get("subjects"), str) else set()
        if entry.subject:
            found.add(mark_of(entry.subject))
        if entry.answer_digest and entry.answer_digest != _OF_NOTHING:
            found.add(mark_of(entry.answer_digest))
    except (msgspec.MsgspecError, ValueError):
        return set()
    if "scope" in entry.details and entry.dataset:
        found.add(mark_of_whole(entry.dataset))
    return found


class Checksum:
    """What a right index of some entries adds up to, in any order: how many rows, and two sums."""

    def __init__(self) -> None:
        self.rows = self.marks = self.both = 0

    def take_in(self, rows: int, marks: int, both: int) -> None:
        """Add what other entries add up to."""
        self.rows += rows
        self.marks += marks
        self.both += both

    def add(self, bodies: Sequence[bytes], begins: int) -> None:
        """Take in the entries from a position on."""
        for position, body in enumerate(bodies, begins):
            for mark in marks_of(body):
                self.rows += 1
                self.marks += mark
                self.both += mark ^ (position << 20)
