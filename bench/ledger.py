"""The ledger at size: appending in batches, giving order, finding, proving one entry, verifying everything in flat memory."""

from __future__ import annotations

import multiprocessing
import random
import statistics
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from psycopg import IsolationLevel

from bench.peak import own_peak_mib
from bench.report import Row, at_least, at_most
from lienthong.clock import system_clock
from lienthong.ledger import Entry, Event, Signer, SubjectKey
from lienthong.ledger.standalone import read_note
from lienthong.store import Database, append_entries
from lienthong.store.ledger import prove
from lienthong.store.ledger_index import index_ledger
from lienthong.store.sequencing import Sequencer
from lienthong.store.verifying import verify_ledger

ISSUE = 4
IN_A_BATCH = 500
PROOFS = 300
TEN_MILLION = 10_000_000
VERIFY_SECONDS = 180.0  # of ten million
AT = datetime(2026, 7, 1, tzinfo=UTC)


def measure(url: str, entries: int) -> list[Row]:
    """Rows of the report over a database of its own."""
    database, signer = Database(url), Signer.new("lienthong/bench")
    database.apply_schema()
    begun = time.perf_counter()
    for batch in _batches(entries):
        with database.connect() as connection:
            append_entries(connection, batch, signer)
    appended = time.perf_counter() - begun
    begun = time.perf_counter()
    Sequencer(database, signer, system_clock).catch_up()
    ordered = time.perf_counter() - begun
    begun = time.perf_counter()
    index_ledger(database)
    indexed = time.perf_counter() - begun
    with database.connect(autocommit=True) as connection:
        connection.execute("vacuum analyze")
    proofs = _proofs(database, signer, entries)
    seconds, megabytes, ok = _verified(url, signer, entries)
    said = f"{entries:,} entries"
    return [
        at_least(f"ledger: appended in batches of {IN_A_BATCH}, a commit each", entries / appended, 10_000, "/s", said, ISSUE),
        at_least("ledger: given order, tiles and checkpoints", entries / ordered, 10_000, "/s", said, ISSUE),
        at_least("ledger: made findable by subject and answer", entries / indexed, 5_000, "/s", said, ISSUE),
        at_most("ledger: one entry proved, median", statistics.median(proofs) * 1000, 5, "ms", said, ISSUE),
        at_most("ledger: one entry proved, slowest of 300", max(proofs) * 1000, 50, "ms", said, ISSUE),
        at_most("ledger: verified whole" + ("" if ok else " (FAILED)"), seconds, VERIFY_SECONDS * entries / TEN_MILLION, "s", said, ISSUE),
        at_most("ledger: memory of verification", megabytes, 400, "MB", said, ISSUE),
    ]


def _batches(entries: int) -> Iterator[list[Entry]]:
    """Entries as look-ups leave them."""
    subject = SubjectKey(b"bench").hash
    for begins in range(0, entries, IN_A_BATCH):
        yield [
            Entry(
                AT + timedelta(milliseconds=n), Event.ANSWER_RECORD, f"VN/GOV/H10.{n % 20}/he-thong", f"can-bo-{n % 300}", "xet-tro-cap",
                "NĐ 278/2025", "TT-1", "population.persons", 3, subject("population.persons", str(n % 1_000_000)),
                ("citizen_id", "full_name", "born_on", "sex"), "", subject("answer", str(n)), "given",
            )
            for n in range(begins, min(begins + IN_A_BATCH, entries))
        ]  # fmt: skip


def _proofs(database: Database, signer: Signer, entries: int) -> list[float]:
    """Seconds of each proof, the body read with it."""
    chance, found = random.Random(1), []
    with database.connect() as connection:
        for _ in range(PROOFS):
            position = chance.randrange(entries)
            begun = time.perf_counter()
            proof = prove(connection, signer, position)
            found.append(time.perf_counter() - begun)
            assert read_note(proof.checkpoint).checkpoint.size == entries
    return found


def _verified(url: str, signer: Signer, entries: int) -> tuple[float, float, bool]:
    """(seconds, megabytes at most, whether it held) of a verification in a process of its own."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_verify, (url, signer.secret, entries))


def _verify(url: str, pem: bytes, entries: int) -> tuple[float, float, bool]:
    begun = time.perf_counter()
    with Database(url).connect() as connection:
        connection.isolation_level = IsolationLevel.REPEATABLE_READ
        verdict = verify_ledger(connection, Signer.from_pem(pem, "lienthong/bench"))
    peak = own_peak_mib()
    return time.perf_counter() - begun, peak, verdict.ok and verdict.size == entries
