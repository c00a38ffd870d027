"""Reading a ledger back in tests: everything written has its place first."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

from psycopg import IsolationLevel

from lienthong.clock import system_clock
from lienthong.errors import LedgerError
from lienthong.ledger import Signer, Verdict
from lienthong.store import Database
from lienthong.store.ledger import read_entries
from lienthong.store.sequencing import Sequencer
from lienthong.store.verifying import verify_ledger


def verdict_of(database: Database, signer: Signer) -> Verdict:
    """The whole ledger, recomputed after what waits has its place."""
    with suppress(LedgerError):  # a damaged edge is what verification names
        Sequencer(database, signer, system_clock).catch_up()
    with database.connect() as connection:
        connection.isolation_level = IsolationLevel.REPEATABLE_READ
        return verify_ledger(connection, signer)


def entries_of(database: Database, signer: Signer) -> list[dict[str, Any]]:
    """Every entry in order, after what waits has its place."""
    Sequencer(database, signer, system_clock).catch_up()
    with database.connect() as connection:
        return [json.loads(body) for _, body, _ in read_entries(connection) if body is not None]


def written(database: Database) -> list[dict[str, Any]]:
    """Every entry in order of writing, whether it has its place or not."""
    with database.connect() as connection:
        rows = connection.execute("select string_to_table(bodies, E'\\n') from lienthong.ledger_batches order by id").fetchall()
    return [json.loads(body) for (body,) in rows]
