"""What a witness decides: whether a checkpoint continues the last one it signed. It never signs two that do not.

The protocol is C2SP tlog-witness, the signature C2SP tlog-cosignature (`cosignature/v1`, Ed25519). Keeping what was signed and talking HTTP
are the process's affair (`web.witness`).
"""

from __future__ import annotations

import binascii
import struct
from base64 import b64decode
from collections.abc import Sequence
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from lienthong.ledger.standalone import (
    COSIGNATURE,
    Checkpoint,
    Key,
    Note,
    Unproved,
    check_consistency,
    cosigned_text,
    read_note,
    signature_line,
)

MOST_STEPS = 63  # hashes of a consistency proof, C2SP tlog-witness
LONGEST_REQUEST = 64_000  # bytes


class Refused(Exception):  # an answer of the protocol, not an error of the program
    """A checkpoint is not signed; `status` is the HTTP status of C2SP tlog-witness, `size` what was signed last where the status is 409."""

    def __init__(self, status: int, words: str, size: int | None = None) -> None:
        super().__init__(words)
        self.status = status
        self.size = size


@dataclass(frozen=True)
class Asked:
    """A request `add-checkpoint`."""

    old_size: int
    proof: tuple[bytes, ...]
    note: Note


def read_request(body: bytes) -> Asked:
    """The request of its bytes: `old SIZE`, a hash a line, an empty line, the signed note. Raises Refused (400)."""
    try:
        head, _, note = body.decode("utf-8").partition("\n\n")
        first, *hashes = head.split("\n")
        word, _, size = first.partition(" ")
        if word != "old" or not (size.isascii() and size.isdigit()) or len(size) > 18 or len(hashes) > MOST_STEPS:
            raise Refused(400, "Expected `old SIZE` and at most 63 hashes.")
        proof = tuple(b64decode(line, validate=True) for line in hashes)
        if any(len(step) != 32 for step in proof):
            raise Refused(400, "Expected hashes of 32 bytes.")
        return Asked(int(size), proof, read_note(note))
    except (UnicodeDecodeError, binascii.Error, Unproved) as error:
        raise Refused(400, "The request cannot be read.") from error


def write_request(old_size: int, proof: Sequence[bytes], note: str) -> bytes:
    """The bytes `read_request` reads."""
    hashes = "".join(binascii.b2a_base64(step).decode() for step in proof)
    return f"old {old_size}\n{hashes}\n{note}".encode()


def consider(asked: Asked, logs: Sequence[Key], signed: Checkpoint | None) -> Checkpoint:
    """The checkpoint that may be signed now, after `signed`, the last one of this log. Raises Refused.

    404: a log not known here; 403: not signed by it; 400: the old size is past the new one; 409: the old size is not the last one signed, or
    another tree of the same size; 422: the proof does not lead from one to the other.
    """
    try:
        found = asked.note.checkpoint
    except Unproved as error:
        raise Refused(400, "The note is no checkpoint.") from error
    log = next((key for key in logs if key.name == found.origin), None)
    if log is None:
        raise Refused(404, "This log is not known here.")
    if not asked.note.is_signed_by(log):
        raise Refused(403, "The checkpoint is not signed by its log.")
    if asked.old_size > found.size:
        raise Refused(400, "The old size is past the checkpoint's.")
    last = signed or Checkpoint(found.origin, 0, b"")
    if asked.old_size != last.size:
        raise Refused(409, "Another size was signed last.", last.size)
    if found.size == last.size and signed is not None and found.root != last.root:
        raise Refused(409, "Another tree of this size was signed.", last.size)
    if found.size == last.size and asked.proof:
        raise Refused(422, "The proof should be empty.")
    if found.size > last.size:
        try:
            check_consistency(last, found, asked.proof)
        except Unproved as error:
            raise Refused(422, "The checkpoint does not continue the last one signed.") from error
    return found


class Cosigner:
    """A witness's name and key. `key.text` is what it publishes."""

    def __init__(self, private: Ed25519PrivateKey, name: str) -> None:
        self._private = private
        self.key = Key(name, COSIGNATURE, private.public_key().public_bytes_raw())

    def sign(self, note: Note, seconds: int) -> str:
        """The line that says this witness saw this checkpoint at that time (seconds since 1970), and none that contradicts it."""
        signature = self._private.sign(cosigned_text(note.text, seconds))
        return signature_line(self.key.name, self.key.id + struct.pack(">Q", seconds) + signature)
