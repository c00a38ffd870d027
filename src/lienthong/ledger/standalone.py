"""Checks what a Lienthong ledger proves, without the platform: receipts, checkpoints, archives. One file; needs Python 3.11 and `cryptography`.

    python3 verify.py receipt receipt.json --key "$LOG_KEY" [--answer answer.json] [--witness KEY … --needed K]
    python3 verify.py archive 000001.jsonl.gz 000002.jsonl.gz --key "$LOG_KEY" [--witness KEY … --needed K]
    python3 verify.py checkpoint checkpoint.txt --key "$LOG_KEY" [--witness KEY … --needed K]

A KEY is a C2SP signed-note verifier key (`name+hash+base64`), which the province and each witness publish. Nothing is fetched and nothing
is trusted but these keys. Formats: RFC 6962 (tree), C2SP signed-note, tlog-checkpoint, tlog-cosignature. This file is written apart from
what the platform runs to make the proofs, so that a fault there is not a fault here.
"""

from __future__ import annotations

import argparse
import binascii
import gzip
import hashlib
import json
import struct
import sys
from base64 import b64decode, b64encode
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, BinaryIO

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

ED25519 = 1  # kinds of key, C2SP signed-note
COSIGNATURE = 4  # cosignature/v1: Ed25519 over the checkpoint and a time, C2SP tlog-cosignature
RECEIPT = "lienthong-receipt/1"
ARCHIVE = "lienthong-archive/1"
GONE = b"-"  # begins the line of an entry whose body is gone: its leaf follows in hex
LONGEST_NOTE = 100_000
_EM_DASH = "\N{EM DASH} "


class Unproved(Exception):  # what a reader is told, not an error of the program
    """What was to be proved is not; says why, Vietnamese first."""


# Keys and notes --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Key:
    """Who may sign: a name, a kind and a raw public key. `text` is its C2SP form."""

    name: str
    kind: int
    public: bytes

    @property
    def id(self) -> bytes:
        """First four bytes of SHA-256(name || 0x0A || kind || public key)."""
        return hashlib.sha256(self.name.encode() + b"\n" + bytes([self.kind]) + self.public).digest()[:4]

    @property
    def text(self) -> str:
        return f"{self.name}+{self.id.hex()}+{b64encode(bytes([self.kind]) + self.public).decode()}"


def read_key(text: str) -> Key:
    """The key of its C2SP form. Raises Unproved when it is not one, or its hash does not fit."""
    name, _, rest = text.strip().partition("+")
    hint, _, encoded = rest.partition("+")
    try:
        raw = b64decode(encoded, validate=True)
        key = Key(name, raw[0], raw[1:])
        fits = len(raw) == 33 and bytes.fromhex(hint) == key.id and key.kind in (ED25519, COSIGNATURE)
    except (ValueError, IndexError):
        fits = False
    if not fits or not name or any(c.isspace() or c == "+" for c in name):
        raise Unproved("Khóa không đọc được · this is no key that can be read.")
    return key


@dataclass(frozen=True)
class Checkpoint:
    """The state of a tree as it was signed. `at`: the platform's own time, where it is told."""

    origin: str
    size: int
    root: bytes
    at: datetime | None = None


@dataclass(frozen=True)
class Note:
    """A signed note: its text (with the line end before the empty line) and its signatures (name, key id and signature)."""

    text: str
    signatures: tuple[tuple[str, bytes], ...]

    @property
    def checkpoint(self) -> Checkpoint:
        """What the text says. Raises Unproved when it is no checkpoint."""
        lines = self.text.split("\n")
        try:
            root = b64decode(lines[2], validate=True)
            size = int(lines[1]) if lines[1].isascii() and lines[1].isdigit() else -1
            at = next((datetime.fromisoformat(line[3:]) for line in lines[3:] if line.startswith("at ")), None)
        except (ValueError, IndexError):
            size, root, at = -1, b"", None
        if size < 0 or str(size) != lines[1] or len(root) != 32 or not lines[0]:
            raise Unproved("Điểm chốt không đọc được · the note is no checkpoint.")
        return Checkpoint(lines[0], size, root, at)

    def is_signed_by(self, key: Key) -> bool:
        """Whether one of the signatures is that key's over the text."""
        return any(_is_valid(key.public, raw[4:], self.text.encode()) for raw in self._by(key, ED25519, 68))

    def cosigned_at(self, key: Key) -> datetime | None:
        """When that witness says it saw this checkpoint and nothing that contradicts it; None when it did not."""
        for raw in self._by(key, COSIGNATURE, 76):
            (seconds,) = struct.unpack(">Q", raw[4:12])
            if seconds < 1 << 40 and _is_valid(key.public, raw[12:], cosigned_text(self.text, seconds)):
                return datetime.fromtimestamp(seconds, UTC)
        return None

    def _by(self, key: Key, kind: int, length: int) -> list[bytes]:
        return [raw for name, raw in self.signatures if key.kind == kind and name == key.name and raw[:4] == key.id and len(raw) == length]


def cosigned_text(text: str, seconds: int) -> bytes:
    """What a witness signs of a checkpoint's text (C2SP tlog-cosignature)."""
    return f"cosignature/v1\ntime {seconds}\n{text}".encode()


def signature_line(name: str, raw: bytes) -> str:
    """A line of a note: `raw` is the key id and the signature."""
    return f"{_EM_DASH}{name} {b64encode(raw).decode()}\n"


def read_note(text: str) -> Note:
    """A note from its text. Raises Unproved when it is none."""
    body, _, signed = text.rpartition("\n\n")
    lines = signed.split("\n")
    if not body or len(text) > LONGEST_NOTE or lines[-1] != "" or len(lines) < 2:
        raise Unproved("Điểm chốt không đọc được · the text is no signed note.")
    signatures = []
    for line in lines[:-1]:
        name, _, encoded = line.removeprefix(_EM_DASH).partition(" ")
        try:
            raw = b64decode(encoded, validate=True)
        except binascii.Error:
            raw = b""
        if not line.startswith(_EM_DASH) or not name or len(raw) < 5:
            raise Unproved("Chữ ký của điểm chốt không đọc được · a line of the note is no signature.")
        signatures.append((name, raw))
    return Note(body + "\n", tuple(signatures))


def check_note(note: Note, log: Key, witnesses: Sequence[Key] = (), needed: int = 0) -> Checkpoint:
    """The checkpoint of a note, signed by the log and by `needed` of the witnesses. Raises Unproved."""
    found = note.checkpoint
    if found.origin != log.name or not note.is_signed_by(log):
        raise Unproved("Điểm chốt không do sổ này ký · the checkpoint is not signed by this log.")
    by = {key.public for key in witnesses if note.cosigned_at(key) is not None}
    if len(by) < needed:
        raise Unproved(f"Cần {needed} nhân chứng, có {len(by)} · {needed} witnesses are needed, {len(by)} signed.")
    return found


def _is_valid(public: bytes, signature: bytes, message: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


# The tree --------------------------------------------------------------------------------------------------


def leaf_of(body: bytes) -> bytes:
    """SHA-256(0x00 || body): RFC 6962 §2.1."""
    return hashlib.sha256(b"\x00" + body).digest()


def parent_of(left: bytes, right: bytes) -> bytes:
    """SHA-256(0x01 || left || right): RFC 6962 §2.1."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def root_by_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes]) -> bytes:
    """The root an audit path leads to (RFC 6962 §2.1.1, nearest first). Raises Unproved when its length is not that of the place."""
    sides: list[bool] = []  # from the leaf up: whether the other one stands to the right
    low, high = 0, size
    while high - low > 1:
        middle = low + (1 << ((high - low - 1).bit_length() - 1))
        sides.append(index < middle)
        low, high = (low, middle) if index < middle else (middle, high)
    if not 0 <= index < size or len(proof) != len(sides):
        raise Unproved("Đường băm không đúng độ dài · the audit path has the wrong length.")
    root = leaf
    for is_right, other in zip(reversed(sides), proof, strict=True):
        root = parent_of(root, other) if is_right else parent_of(other, root)
    return root


def check_consistency(old: Checkpoint, new: Checkpoint, proof: Sequence[bytes]) -> None:
    """That the tree of the old checkpoint is a prefix of the new one's (RFC 6962 §2.1.2). Raises Unproved."""
    steps = list(proof)

    def roots(low: int, high: int, *, is_whole: bool) -> tuple[bytes, bytes]:
        """(root of the old leaves, root of all leaves) from `low` up to `high`; `old.size` lies within."""
        if high == old.size:
            found = old.root if is_whole else steps.pop(0)
            return found, found
        middle = low + (1 << ((high - low - 1).bit_length() - 1))
        if old.size <= middle:
            before, all_left = roots(low, middle, is_whole=is_whole)
            return before, parent_of(all_left, steps.pop(0))
        before, all_right = roots(middle, high, is_whole=False)
        left = steps.pop(0)
        return parent_of(left, before), parent_of(left, all_right)

    try:
        fits = old.size <= new.size and (old.size == 0 or roots(0, new.size, is_whole=True) == (old.root, new.root)) and not steps
    except IndexError:
        fits = False
    if not fits:
        raise Unproved("Sổ mới không nối tiếp sổ cũ: sổ đã bị rẽ nhánh · the new tree does not continue the old one: the log has forked.")


class Growing:
    """The root of a tree that grows, from the roots of its perfect subtrees (largest first) and their leaves' number."""

    def __init__(self, size: int = 0, peaks: Sequence[bytes] = ()) -> None:
        if len(peaks) != size.bit_count() or any(len(peak) != 32 for peak in peaks):
            raise Unproved("Đầu tệp không khớp · the head of the file does not fit its beginning.")
        self.size = size
        self._peaks = list(peaks)

    def append(self, leaf: bytes) -> None:
        rest = self.size
        while rest & 1:
            leaf = parent_of(self._peaks.pop(), leaf)
            rest >>= 1
        self._peaks.append(leaf)
        self.size += 1

    @property
    def root(self) -> bytes:
        if not self._peaks:
            return hashlib.sha256(b"").digest()
        root = self._peaks[-1]
        for peak in reversed(self._peaks[:-1]):
            root = parent_of(peak, root)
        return root


# What is kept and given ------------------------------------------------------------------------------------


def check_receipt(
    receipt: dict[str, Any], log: Key, witnesses: Sequence[Key] = (), needed: int = 0, answer: bytes | None = None
) -> dict[str, Any]:
    """The entry a receipt proves; nothing, where it only proves that there is one. `answer`: the bytes that were answered, held against the entry's digest. Raises Unproved."""
    try:
        if receipt["format"] != RECEIPT:
            raise Unproved("Không phải biên nhận · this is no receipt.")
        body = receipt["body"].encode() if "body" in receipt else None
        proof = [b64decode(step, validate=True) for step in receipt["proof"]]
        index, leaf, note = int(receipt["index"]), b64decode(receipt["leaf"], validate=True), read_note(receipt["checkpoint"])
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise Unproved("Biên nhận không đọc được · the receipt cannot be read.") from error
    checkpoint = check_note(note, log, witnesses, needed)
    if body is not None and leaf_of(body) != leaf:
        raise Unproved("Nội dung không khớp mã băm · the body does not match its leaf.")
    if root_by_inclusion(leaf, index, checkpoint.size, proof) != checkpoint.root:
        raise Unproved("Bút toán không nằm trong sổ đã ký · the entry is not in the signed tree.")
    entry: dict[str, Any] = {} if body is None else json.loads(body)
    if answer is not None and hashlib.sha256(answer).hexdigest() != entry.get("answer_digest"):
        raise Unproved("Câu trả lời không phải câu đã ghi · these bytes are not the answer that was recorded.")
    return entry


@dataclass(frozen=True)
class Kept:
    """What an archive holds: entries from `begins` up to, not with, `ends`; how many bodies are gone; its own digest."""

    begins: int
    ends: int
    gone: int
    previous: str
    digest: str


def check_archive(file: BinaryIO, log: Key, witnesses: Sequence[Key] = (), needed: int = 0) -> Kept:
    """Recompute an archive against the checkpoint it ends with, an entry at a time. Raises Unproved, naming the first line out of place."""
    whole: Any = _Digest(file)  # it reads, and that is all gzip asks of it
    with gzip.GzipFile(fileobj=whole, mode="rb") as lines:
        try:
            head = json.loads(lines.readline(LONGEST_NOTE))
            if head["format"] != ARCHIVE:
                raise Unproved("Không phải tệp lưu trữ · this is no archive.")
            tree = Growing(int(head["begins"]), [bytes.fromhex(peak) for peak in head["peaks"]])
            gone = _grow(tree, lines, int(head["ends"]))
            note = read_note(json.loads(lines.readline(LONGEST_NOTE * 2))["checkpoint"])
            if lines.read(1):
                raise Unproved("Tệp dài hơn phần đã ký · the file is longer than what is signed.")
        except (OSError, EOFError, ValueError, KeyError, TypeError, AttributeError, binascii.Error) as error:
            raise Unproved("Tệp lưu trữ hỏng · the archive is damaged.") from error
    checkpoint = check_note(note, log, witnesses, needed)
    if (checkpoint.size, checkpoint.root) != (tree.size, tree.root):
        raise Unproved("Nội dung tệp không khớp điểm chốt đã ký · the file does not match its signed checkpoint.")
    return Kept(int(head["begins"]), tree.size, gone, str(head["previous"]), whole.digest())


def _grow(tree: Growing, lines: Iterable[bytes], ends: int) -> int:
    """Take the entries up to `ends`; how many of them have no body any more."""
    gone = 0
    walk = iter(lines)
    while tree.size < ends:
        line = next(walk, b"").removesuffix(b"\n")
        if line.startswith(GONE):
            leaf, gone = bytes.fromhex(line[1:].decode()), gone + 1
        elif line.startswith(b"{"):
            leaf = leaf_of(line)
        else:
            raise Unproved(f"Thiếu bút toán {tree.size} · entry {tree.size} is missing.")
        tree.append(leaf)
    return gone


class _Digest:
    """A file whose bytes are hashed as they are read."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._hash = hashlib.sha256()

    def read(self, count: int = -1) -> bytes:
        piece = self._file.read(count)
        self._hash.update(piece)
        return piece

    def digest(self) -> str:
        while self.read(65_536):
            pass
        return self._hash.hexdigest()


# The command -----------------------------------------------------------------------------------------------


def main(arguments: Sequence[str] | None = None) -> int:
    """0: proved; 1: not; 2: the command is not understood."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["receipt", "archive", "checkpoint"])
    parser.add_argument("files", nargs="+")
    parser.add_argument("--key", required=True, help="the log's key")
    parser.add_argument("--witness", action="append", default=[], help="a witness's key; as often as there are witnesses")
    parser.add_argument("--needed", type=int, default=None, help="how many of the witnesses must have signed; without it: all")
    parser.add_argument("--answer", help="the file with the bytes that were answered")
    given = parser.parse_args(arguments)
    try:
        log, witnesses = read_key(given.key), [read_key(text) for text in given.witness]
        needed = len(witnesses) if given.needed is None else given.needed
        answer = _bytes(given.answer) if given.answer else None
        previous = None
        for name in given.files:
            if given.what == "archive":
                with open(name, "rb") as file:  # noqa: PTH123 # as plain as this file is meant to be
                    kept = check_archive(file, log, witnesses, needed)
                if previous is not None and (kept.previous, kept.begins) != (previous.digest, previous.ends):
                    raise Unproved(f"{name}: không nối tiếp tệp trước · does not continue the file before it.")
                previous = kept
                print(
                    f"{name}: đúng · proved: {kept.begins}–{kept.ends - 1}, không còn nội dung · bodies gone: {kept.gone}, SHA-256 {kept.digest}"
                )
            elif given.what == "receipt":
                entry = check_receipt(json.loads(_bytes(name)), log, witnesses, needed, answer)
                print(f"{name}: đúng · proved:\n{json.dumps(entry, ensure_ascii=False, indent=1)}")
            else:
                found = check_note(read_note(_bytes(name).decode()), log, witnesses, needed)
                print(f"{name}: đúng · proved: {found.origin}, {found.size}, {found.root.hex()}, {found.at}")
    except (Unproved, OSError, ValueError) as error:
        print(f"KHÔNG CHỨNG MINH ĐƯỢC · NOT PROVED: {error}", file=sys.stderr)
        return 1
    return 0


def _bytes(name: str) -> bytes:
    with open(name, "rb") as file:  # noqa: PTH123 # as plain as this file is meant to be
        return file.read()


if __name__ == "__main__":
    sys.exit(main())
