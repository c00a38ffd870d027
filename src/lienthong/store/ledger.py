"""Appends entries to the ledger inside the caller's transaction, and reads the ledger back for verification.

An entry has its place in the tree a moment after its transaction has ended (`store.sequencing`): writers never wait for each other.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import datetime

from lienthong.errors import LedgerError, NotFound
from lienthong.ledger import Entry, Signer, Verdict, encode, signed_note, split_tile, tiled_inclusion_proof, verify
from lienthong.store.database import Connection, queries

READ_AT_A_TIME = 10_000
LINE = "\n"  # between the entries of a batch; JSON holds none


def append_entries(connection: Connection, entries: Sequence[Entry], signer: Signer) -> None:
    """Leave entries, as one sealed batch, in the caller's transaction."""
    bodies = LINE.join(encode(entry).decode() for entry in entries)
    connection.execute(queries("ledger")["append"], {"bodies": bodies, "seal": signer.seal(bodies.encode())})


def verify_ledger(connection: Connection, signer: Signer) -> Verdict:
    """Recompute everything and hold it against the signed checkpoints, the tiles and the seals.

    `connection` must read one snapshot (repeatable read): appending goes on meanwhile.
    """
    keys = {signer.key_id: signer.public_key}
    with closing(read_entries(connection)) as entries, closing(read_checkpoints(connection)) as checkpoints:
        verdict = verify(entries, checkpoints, _tiles(connection, "upper_tiles"), read_size(connection), keys, signer.origin)
    if verdict.reason == "root":
        return _narrowed(connection, signer, verdict)
    if not verdict.ok:
        return verdict
    return replace(verdict, foreign=tuple(row[0] for row in connection.execute(queries("ledger")["foreign"])))


@dataclass(frozen=True)
class Proof:
    """That an entry is in the tree: its body, the audit path nearest first, and the newest checkpoint as a signed note."""

    position: int
    body: str
    path: tuple[bytes, ...]
    checkpoint: str


def prove(connection: Connection, signer: Signer, position: int) -> Proof:
    """The proof of one entry against the newest checkpoint. Raises NotFound when the tree is not that long, LedgerError when it is damaged."""
    newest = connection.execute(queries("ledger")["newest_checkpoint"]).fetchone()
    if newest is None or not 0 <= position < newest[0]:
        raise NotFound(f"The ledger has no entry {position}.", vi=f"Sổ không có bản ghi {position}.")
    size, root, at, _, signature = newest

    def tile(level: int, number: int) -> bytes:
        row = connection.execute(queries("ledger")["tile"], {"level": level, "number": number}).fetchone()
        return b"" if row is None else bytes(row[0])

    try:
        path = tiled_inclusion_proof(position, size, tile)
    except ValueError as error:
        raise LedgerError(str(error), hint="Run `lienthong ledger verify`; restore the store from a backup.") from error
    note = signed_note(signer.origin, size, bytes(root), at, signer.public_key, bytes(signature))
    return Proof(position, _body(connection, position), path, note)


def _body(connection: Connection, position: int) -> str:
    at = None
    for begins, bodies in connection.execute(queries("ledger")["batches_around"], {"position": position}):
        at = begins if at is None else at
        lines = bodies.split(LINE)
        if position < at + len(lines):
            return str(lines[position - at])
        at += len(lines)
    raise LedgerError(f"The body of entry {position} is gone.", hint="Run `lienthong ledger verify`; restore the store from a backup.")


def read_entries(connection: Connection) -> Generator[tuple[int, bytes | None, bytes]]:
    """(position, body, leaf) in order of the tree, a few at a time; no body where a batch is gone, no leaf where a tile is."""
    leaves = (leaf for _, _, hashes in _tiles(connection, "leaf_tiles") for leaf in split_tile(hashes))
    position = 0
    for _, bodies, _ in _batches(connection):
        if bodies is None:
            yield position, None, b""
            continue
        for body in bodies.split(LINE):
            yield position, body.encode(), next(leaves, b"")
            position += 1


def read_checkpoints(connection: Connection) -> Generator[tuple[int, bytes, datetime, str, bytes]]:
    """(size, root, at, key id, signature) in order of size, a few at a time."""
    with connection.cursor(name="ledger_checkpoints") as cursor:
        cursor.itersize = READ_AT_A_TIME
        cursor.execute(queries("ledger")["checkpoints"])
        for size, root, at, key_id, signature in cursor:
            yield size, bytes(root), at, key_id, bytes(signature)


def read_size(connection: Connection) -> int:
    """Entries in the tree. Raises LedgerError when nothing says so."""
    row = connection.execute(queries("ledger")["size"]).fetchone()
    if row is None:
        raise LedgerError("The ledger has no edge.", hint="The row of lienthong.ledger_edge was removed.")
    return int(row[0])


def _narrowed(connection: Connection, signer: Signer, verdict: Verdict) -> Verdict:
    """Of the entries of a checkpoint that does not fit, those of the first batch whose seal does not either."""
    position = 0
    for _, bodies, seal in _batches(connection):
        entries = 0 if bodies is None else bodies.count(LINE) + 1
        inside = verdict.first_misfit is not None and position >= verdict.first_misfit
        if bodies is not None and inside and seal is not None and not signer.has_sealed(bodies.encode(), bytes(seal)):
            return replace(verdict, first_misfit=position, last_misfit=position + entries - 1)
        position += entries
        if verdict.last_misfit is not None and position > verdict.last_misfit:
            break
    return verdict


def _batches(connection: Connection) -> Iterator[tuple[int, str | None, bytes | None]]:
    with connection.cursor(name="ledger_batches") as cursor:
        cursor.itersize = READ_AT_A_TIME // 100
        cursor.execute(queries("ledger")["batches"])
        yield from cursor


def _tiles(connection: Connection, which: str) -> Iterator[tuple[int, int, bytes]]:
    with connection.cursor(name=which) as cursor:
        cursor.itersize = READ_AT_A_TIME // 100
        cursor.execute(queries("ledger")[which])
        for level, number, hashes in cursor:
            yield level, number, bytes(hashes)
