"""Keeps, a little behind the tree, where each batch lies and under which marks its entries are found.

What it writes is derived: it can be thrown away and made again while bodies are here. It is made in bulk and beside the hot path, because a
row an entry, in the order of hashes, would cost a look-up more than its own entry does.
"""

from __future__ import annotations

from lienthong.ledger import marks_of
from lienthong.store.database import LOCK_CLASS, Connection, Database, queries
from lienthong.store.ledger import LINE, read_batches

MOST_CHECKPOINTS = 200  # of one transaction
MOST_ENTRIES = 50_000  # of one transaction, where one checkpoint has no more


def index_ledger(database: Database) -> int:
    """Index every checkpoint that is not yet; how many entries there were. Another process at it leaves this one nothing to do."""
    total = 0
    while done := index_portion(database):
        total += done
    return total


def index_portion(database: Database) -> int:
    """Index the next checkpoints, a few; how many entries there were: 0 when all are, or another process is at it."""
    with database.warm() as connection:
        held = connection.execute(queries("ledger")["hold_indexing"], {"class": LOCK_CLASS}).fetchone()
        return _index_some(connection) if held is not None and held[0] else 0


def indexed_size(connection: Connection) -> int:
    """How many entries, from the first on, can be found."""
    row = connection.execute(queries("ledger")["placed"]).fetchone()
    return 0 if row is None else int(row[0])


def _index_some(connection: Connection) -> int:
    named, begins = queries("ledger"), indexed_size(connection)
    sizes = [row[0] for row in connection.execute(named["sizes_after"], {"after": begins, "most": MOST_CHECKPOINTS})]
    if not sizes:
        return 0
    sizes = [size for size in sizes if size <= begins + MOST_ENTRIES] or sizes[:1]
    places: list[tuple[int, int, int]] = []
    rows: list[tuple[int, int]] = []
    at = begins
    for batch in read_batches(connection, begins, sizes[-1]):
        if batch.bodies is None:  # verification names it; nothing past it can be placed
            break
        bodies = batch.bodies.split(LINE.encode())
        rows += [(mark, position) for position, body in enumerate(bodies, at) for mark in marks_of(body)]
        places.append((at, batch.id, len(bodies)))
        at += len(bodies)
    rows.sort()  # neighbours in the index come together
    with connection.cursor() as cursor:
        with cursor.copy("copy lienthong.ledger_places (begins, batch, entries) from stdin (format binary)") as copy:
            copy.set_types(["int8", "int8", "int4"])
            for place in places:
                copy.write_row(place)
        with cursor.copy("copy lienthong.ledger_index (mark, position) from stdin (format binary)") as copy:
            copy.set_types(["int8", "int8"])
            for row in rows:
                copy.write_row(row)
    return at - begins
