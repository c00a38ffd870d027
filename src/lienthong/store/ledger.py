"""Appends entries to the ledger inside the caller's transaction, and reads the ledger back for verification.

Invariant: `append_entries` is the last statement before a commit. It locks the head, and a held head stops every answer.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from lienthong.errors import LedgerError
from lienthong.ledger import Entry, Frontier, Signer, encode, leaf_hash
from lienthong.store.database import Connection, queries

READ_AT_A_TIME = 10_000
MOST_TRIES = 3  # the head is locked by our own reading of it, so a second try is already rare


def append_entries(connection: Connection, entries: Sequence[Entry], signer: Signer, at: datetime) -> int:
    """Append entries in the caller's transaction; gives the position of the first. One signature for all.

    Raises LedgerError when the head cannot be taken.
    """
    bodies = [encode(entry) for entry in entries]
    leaves = [leaf_hash(body) for body in bodies]
    for _ in range(MOST_TRIES):
        head = connection.execute(queries("ledger")["lock_head"]).fetchone()
        if head is None:
            break
        after = Frontier(head[0], tuple(head[1])).append(leaves)
        conflict = connection.execute(
            queries("ledger")["append"],
            {
                "expected": head[0],
                "bodies": [body.decode() for body in bodies],
                "leaves": leaves,
                "peaks": list(after.peaks),
                "root": after.root,
                "at": at,
                "key_id": signer.key_id,
                "signature": signer.sign_checkpoint(after.size, after.root, at),
            },
        ).fetchone()
        if conflict is not None and conflict[0] is None:
            return int(head[0])
    raise LedgerError("The ledger's head could not be taken.", hint="Run `lienthong ledger verify`; the store may be damaged.")


def read_entries(connection: Connection) -> Iterator[tuple[int, bytes, bytes]]:
    """(position, body, leaf) in order of position, a few at a time."""
    with connection.cursor(name="ledger_entries") as cursor:
        cursor.itersize = READ_AT_A_TIME
        cursor.execute(queries("ledger")["entries"])
        for position, body, leaf in cursor:
            yield position, body.encode(), bytes(leaf)


def read_batches(connection: Connection) -> Iterator[tuple[int, bytes, datetime, str, bytes]]:
    """(size, root, at, key id, signature) in order of size, a few at a time.

    Read entries, batches and head in one repeatable-read transaction: appending goes on meanwhile.
    """
    with connection.cursor(name="ledger_batches") as cursor:
        cursor.itersize = READ_AT_A_TIME
        cursor.execute(queries("ledger")["batches"])
        for size, root, at, key_id, signature in cursor:
            yield size, bytes(root), at, key_id, bytes(signature)


def read_head(connection: Connection) -> tuple[int, tuple[bytes, ...]]:
    """(size, peaks) of the ledger's head. Raises LedgerError when there is none."""
    row: tuple[Any, ...] | None = connection.execute(queries("ledger")["head"]).fetchone()
    if row is None:
        raise LedgerError("The ledger has no head.", hint="The row of lienthong.ledger_head was removed.")
    return row[0], tuple(bytes(peak) for peak in row[1])
