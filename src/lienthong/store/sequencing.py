"""Puts the ledger's batches in order, as leaves of its tree, and signs where the tree stands.

Ids of batches come from a sequence, so a smaller one may be committed after a larger one was seen. An id that is skipped is a gap; it is
looked at again at every step until its batch is there, or until every transaction that could bring it has ended. So none is missed,
a batch is taken once, and no writer waits for another.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import NamedTuple

from psycopg import IsolationLevel

from lienthong.clock import Clock
from lienthong.errors import LedgerError
from lienthong.ledger import Edge, Signer, edge_tiles, leaf_hash
from lienthong.log import get_logger
from lienthong.store.database import LOCK_CLASS, Connection, Database, queries
from lienthong.store.ledger import LINE

MOST_BATCHES = 1_000  # of one checkpoint
MOST_NAMED = 10  # of refused batches in a line of the log; verification names them again
_LEAF = 32  # bytes
log = get_logger("sequencer")


class _Batch(NamedTuple):
    id: int
    bodies: str
    seal: bytes | None


class Sequencer:
    """Orders and signs. Several may run: they take turns."""

    def __init__(self, database: Database, signer: Signer, clock: Clock) -> None:
        self._database = database
        self._signer = signer
        self._clock = clock
        self._has_looked_back = False

    def catch_up(self) -> int:
        """Give every committed entry its place; how many there were. Raises LedgerError when the edge of the tree is damaged."""
        with self._database.connect(autocommit=True) as connection:
            connection.isolation_level = IsolationLevel.REPEATABLE_READ
            return self.catch_up_over(connection)

    def catch_up_over(self, connection: Connection) -> int:
        """The same over a connection kept for it: in autocommit, its transactions repeatable reads."""
        total = 0
        while True:
            connection.execute(queries("ledger")["take_turn"], {"class": LOCK_CLASS})
            try:
                with connection.transaction():
                    found, entries = self._step(connection)
            finally:
                if not connection.closed:
                    connection.execute(queries("ledger")["end_turn"], {"class": LOCK_CLASS})
            total += entries
            if found < MOST_BATCHES:
                return total

    def _step(self, connection: Connection) -> tuple[int, int]:
        """One checkpoint over the batches that are in none: (batches looked at, entries added). One snapshot throughout."""
        named = queries("ledger")
        edge, seen = _edge(connection)
        if not self._has_looked_back:
            self._look_back(connection, seen)
            self._has_looked_back = True
        rows = connection.execute(named["fresh"], {"seen": seen, "most": MOST_BATCHES}).fetchall()
        batches = [_Batch(number, bodies, None if seal is None else bytes(seal)) for number, bodies, seal in rows]
        ids = [batch.id for batch in batches]
        connection.execute(named["forget_gaps"], {"found": ids})
        if not batches:
            return 0, 0
        connection.execute(named["note_gaps"], {"after": seen, "to": max(seen, ids[-1]), "found": ids})
        ours = _once([batch for batch in batches if self._is_ours(batch)], _taken(connection, batches, seen))
        if len(ours) < len(batches):
            self._refuse(connection, sorted(set(ids) - {batch.id for batch in ours}))
        after = self._add(connection, edge, ours) if ours else edge
        connection.execute(named["move_edge"], {"size": after.size, "seen": ids[-1]})
        return len(batches), after.size - edge.size

    def _look_back(self, connection: Connection, seen: int) -> None:
        """Let batches wait for their place that an earlier version refused because it did not know their form of seal."""
        named = queries("ledger")
        refused = [_Batch(number, bodies, bytes(seal)) for number, bodies, seal in connection.execute(named["refused"])]
        ours = _once([batch for batch in refused if self._is_ours(batch)], _taken(connection, refused, seen)) if refused else []
        if ours:
            log.warning("ledger_batches_taken_back", count=len(ours), first=[batch.id for batch in ours[:MOST_NAMED]])
            connection.execute(named["take_back"], {"ids": [batch.id for batch in ours]})

    def _is_ours(self, batch: _Batch) -> bool:
        return batch.seal is not None and self._signer.has_sealed(batch.bodies.encode(), batch.seal)

    def _refuse(self, connection: Connection, ids: list[int]) -> None:
        """What the platform did not write, or wrote before, never enters the tree; verification names it for as long as it is there."""
        log.error("ledger_batches_refused", count=len(ids), first=ids[:MOST_NAMED])
        connection.execute(queries("ledger")["refuse"], {"ids": ids})

    def _add(self, connection: Connection, edge: Edge, batches: Sequence[_Batch]) -> Edge:
        named, at = queries("ledger"), self._clock()
        after, tiles = edge.append([leaf_hash(body.encode()) for batch in batches for body in batch.bodies.split(LINE)])
        root = after.root
        with connection.cursor() as cursor:
            cursor.executemany(
                named["keep_tile"], [{"level": level, "number": number, "hashes": hashes} for (level, number), hashes in tiles.items()]
            )
        connection.execute(
            named["keep_checkpoint"],
            {
                "size": after.size,
                "begins": edge.size,
                "batches": [batch.id for batch in batches],
                "root": root,
                "at": at,
                "key_id": self._signer.key_id,
                "signature": self._signer.sign_checkpoint(after.size, root, at),
            },
        )
        return after


def _taken(connection: Connection, batches: Sequence[_Batch], seen: int) -> set[bytes]:
    """The seals among these of batches that were written before: somebody wrote a copy."""
    named = queries("ledger")
    asked = {"seals": [batch.seal for batch in batches if batch.seal is not None], "ids": [batch.id for batch in batches], "seen": seen}
    found = {bytes(seal) for (seal,) in connection.execute(named["taken_seals"], asked)}
    is_any_gone = connection.execute(named["is_any_gone"]).fetchone()
    if is_any_gone is not None and is_any_gone[0]:
        found |= _of_gone(connection, batches)
    return found


def _of_gone(connection: Connection, batches: Sequence[_Batch]) -> set[bytes]:
    """The seals of batches that are the same as one whose bodies are in an archive."""
    digests = {sha256(b"".join([leaf_hash(body.encode()) for body in batch.bodies.split(LINE)])).digest(): batch.seal for batch in batches}
    known = connection.execute(queries("ledger")["gone_among"], {"digests": list(digests)})
    return {seal for (digest,) in known if (seal := digests[bytes(digest)]) is not None}


def _once(batches: Sequence[_Batch], taken: set[bytes]) -> list[_Batch]:
    """The batches but those whose seal was taken, or stands before them among these."""
    known, found = set(taken), []
    for batch in batches:
        if batch.seal is not None and batch.seal not in known:
            known.add(batch.seal)
            found.append(batch)
    return found


def _edge(connection: Connection) -> tuple[Edge, int]:
    """(the edge of the stored tree, the largest id of a batch seen). Raises LedgerError when a tile is not as long as the size says."""
    row = connection.execute(queries("ledger")["edge"]).fetchone()
    if row is None:
        raise LedgerError("The ledger has no edge.", hint="The row of lienthong.ledger_edge was removed.")
    size, seen = row
    places = edge_tiles(size)
    levels, numbers = [level for level, _ in places], [number for _, number in places]
    kept = connection.execute(queries("ledger")["unfinished"], {"levels": levels, "numbers": numbers}).fetchall()
    hashes = {level: bytes(found) for level, found in kept}
    for level in levels:
        expected = (size >> (8 * level)) % 256 * _LEAF
        if len(hashes.get(level, b"")) != expected:
            raise LedgerError(
                f"The ledger's tile at level {level} is damaged: expected {expected} bytes, found {len(hashes.get(level, b''))}.",
                hint="Run `lienthong ledger verify`; restore the store from a backup.",
            )
    return Edge(size, tuple(hashes.get(level, b"") for level in levels)), seen
