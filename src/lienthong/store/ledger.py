"""Appends entries to the ledger inside the caller's transaction, proves one, and reads the ledger back (`store.verifying` verifies it).

An entry has its place in the tree a moment after its transaction has ended (`store.sequencing`): writers never wait for each other.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Generator, Sequence
from dataclasses import dataclass
from functools import cache

from lienthong.clock import system_clock
from lienthong.errors import LedgerError, NotFound
from lienthong.ledger import (
    Entry,
    Signer,
    StoredBatch,
    StoredCheckpoint,
    StoredTile,
    encode,
    signed_note,
    split_tile,
    tiled_inclusion_proof,
    tiles_around,
)
from lienthong.store.database import Connection, queries
from lienthong.store.pipelines import Statement, ask, is_pipelined, numbered

READ_AT_A_TIME = 10_000
BATCHES_AT_A_TIME = 20  # of up to some thousand entries each
LARGEST = 2**63 - 1
LINE = "\n"  # between the entries of a batch; JSON holds none


def append_entries(connection: Connection, entries: Sequence[Entry], signer: Signer) -> None:
    """Leave entries, as one sealed batch, in the caller's transaction. None leave nothing: a batch of nothing would be an entry that says nothing."""
    if not entries:
        return
    bodies = LINE.join(encode(entry).decode() for entry in entries)
    seal = signer.seal(bodies.encode(), system_clock())
    if is_pipelined(connection):
        ask(connection, _append(), [bodies, seal])
    else:
        connection.execute(queries("ledger")["append"], {"bodies": bodies, "seal": seal})


@cache
def _append() -> Statement:
    return numbered(queries("ledger")["append"].as_string(None), ("bodies text", "seal bytea"))


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

    try:
        path = tiled_inclusion_proof(position, size, tile_reader(connection, tiles_around(position, size)))
    except ValueError as error:
        raise LedgerError(str(error), hint="Run `lienthong ledger verify`; restore the store from a backup.") from error
    note = signed_note(signer.origin, size, bytes(root), at, signer.public_key, bytes(signature))
    return Proof(position, read_body(connection, position), path, note)


def tile_reader(connection: Connection, ahead: Collection[tuple[int, int]] = ()) -> Callable[[int, int], bytes]:
    """A function that gives a tile's hashes, none when it has not begun; each is read once, those of `ahead` all at once now."""
    wanted = {"levels": [level for level, _ in ahead], "numbers": [number for _, number in ahead]}
    rows = connection.execute(queries("ledger")["tiles"], wanted, binary=True).fetchall() if ahead else []
    read = {(level, number): bytes(hashes) for level, number, hashes in rows}

    @cache
    def tile(level: int, number: int) -> bytes:
        if (level, number) in read:
            return read[level, number]
        row = connection.execute(queries("ledger")["tile"], {"level": level, "number": number}, binary=True).fetchone()
        return b"" if row is None else bytes(row[0])

    return tile


def read_body(connection: Connection, position: int) -> str:
    """The body of an entry in the tree. Raises LedgerError when it is gone."""
    placed = connection.execute(queries("ledger")["body"], {"position": position}).fetchone()
    if placed is not None:
        if placed[1] is None:
            raise LedgerError(f"The body of entry {position} is not here any more.", hint="Look for it in the archives.")
        return str(placed[1])
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
    leaves = (leaf for tile in read_tiles(connection, "leaf_tiles") for leaf in split_tile(tile.hashes))
    position = 0
    for batch in read_batches(connection):
        bodies = [None] * (batch.entries or 1) if batch.bodies is None else batch.bodies.split(LINE.encode())
        for body in bodies:
            yield position, body, next(leaves, b"")
            position += 1


def read_checkpoints(connection: Connection) -> Generator[StoredCheckpoint]:
    """Every checkpoint in order of size, a few at a time."""
    with connection.cursor(name="ledger_checkpoints") as cursor:
        cursor.itersize = READ_AT_A_TIME
        cursor.execute(queries("ledger")["checkpoints"])
        for size, begins, batches, root, at, key_id, signature in cursor:
            yield StoredCheckpoint(size, begins, batches, bytes(root), at, key_id, bytes(signature))


def read_size(connection: Connection) -> int:
    """Entries in the tree. Raises LedgerError when nothing says so."""
    row = connection.execute(queries("ledger")["size"]).fetchone()
    if row is None:
        raise LedgerError("The ledger has no edge.", hint="The row of lienthong.ledger_edge was removed.")
    return int(row[0])


def read_batches(connection: Connection, after: int = 0, upto: int = LARGEST) -> Generator[StoredBatch]:
    """The batches of the checkpoints past a size, up to another, in the order of the tree, a few at a time."""
    with connection.cursor(name="ledger_batches", binary=True) as cursor:
        cursor.itersize = BATCHES_AT_A_TIME
        cursor.execute(queries("ledger")["batches"], {"after": after, "upto": upto})
        for row in cursor:
            yield StoredBatch(*row)


def read_tiles(connection: Connection, which: str) -> Generator[StoredTile]:
    with connection.cursor(name=which, binary=True) as cursor:
        cursor.itersize = READ_AT_A_TIME // 100
        cursor.execute(queries("ledger")[which])
        for level, number, hashes in cursor:
            yield StoredTile(level, number, hashes)
