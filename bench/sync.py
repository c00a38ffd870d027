"""Keeping a copy: a committed change until its row stands in an agency's PostgreSQL, and the first fill beside a plain COPY.

Both databases are on one server, so what is measured is our road between them. Changes are written through the axis while the worker's duty follows.
"""

from __future__ import annotations

import json
import os
import tempfile
import threading
import time
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
from psycopg import sql

from bench.answers import CONTRACT, NAMES, TYPES, fill
from bench.report import Row, at_most
from lienthong.access import Actor, Role, read_agreement
from lienthong.connectors.target_postgresql import TYPES as COLUMN_TYPES
from lienthong.ledger import Signer
from lienthong.pipeline import Workshop
from lienthong.pipeline.declaring import take_over
from lienthong.pipeline.writing import Change, Manner, write_record
from lienthong.settings import Settings
from lienthong.sharing.register import RegisterReader
from lienthong.sharing.sync_definitions import load_syncs
from lienthong.sharing.syncing import work
from lienthong.standards.working_days import WorkingDays
from lienthong.store import Database
from lienthong.store.embedded import EmbeddedServer
from lienthong.web.sync_round import keep_in_step, office_of

ISSUE = 4
CHANGES = 60
CONSUMER = "VN/GOV/H10.12/kho"
WRITER = Actor("bench", "H10.02", frozenset({Role.DATA_OFFICER}))


def measure(server: EmbeddedServer, rows: int) -> list[Row]:
    """The rows of this part, on databases of its own."""
    url, target, plain = (server.create_database(f"sync_{name}") for name in ("source", "target", "plain"))
    Database(url).apply_schema()
    fill(url, rows)
    workshop = Workshop(Database(url), {CONTRACT.id: CONTRACT}, Signer.new("bench"))
    agreement = read_agreement(
        {
            "id": "TT-KHO", "provider": "H10.02", "consumer": CONSUMER, "dataset": CONTRACT.id, "state": "active", "operations": ["bulk", "changes"],
            "purposes": {"dong-bo": {"vi": "Đồng bộ", "en": "Sync"}}, "legal_basis": "bench", "term": {"from": "2020-01-01"},
        }, "bench", [],
    )  # fmt: skip
    assert agreement is not None
    take_over(workshop, [agreement])
    with tempfile.TemporaryDirectory(prefix="lienthong-bench-syncs-") as name:
        settings = Settings(syncs=_define(Path(name), target), sync_check_hours=0)
        copied = _copy(url, plain)
        filled = _fill(settings, workshop)
        waits = sorted(_follow(settings, workshop, target))
    p50, p95 = waits[len(waits) // 2], waits[int(len(waits) * 0.95)]
    return [
        at_most(
            f"first fill of a copy, {rows:,} rows",
            filled / copied,
            3.0,
            "×",
            f"COPY from server to server ({copied:.1f} s; ours {filled:.1f} s)",
            ISSUE,
        ),
        at_most("change committed → row in a synced PostgreSQL, p50", p50, 1.0, "s", f"{CHANGES} changes", ISSUE),
        at_most("change committed → row in a synced PostgreSQL, p95", p95, 2.0, "s", f"{CHANGES} changes", ISSUE),
    ]


def _define(folder: Path, target: str) -> Path:
    password = urlsplit(target).password or ""
    os.environ["LIENTHONG_SYNC_BENCH"] = password
    document = {
        "id": "bench", "consumer": CONSUMER, "dataset": CONTRACT.id, "purpose": "dong-bo", "official": "bench",
        "target": {"kind": "postgresql", "location": target.replace(f":{password}@", "@"), "password": "${BENCH}", "table": "things"},
    }  # fmt: skip
    (folder / "bench.yaml").write_text(json.dumps(document), encoding="utf-8")
    return folder


def _copy(url: str, plain: str) -> float:
    """The same rows by COPY alone, into a table with the same key."""
    names = sql.SQL(", ").join(sql.Identifier(name) for name in ("_key", *NAMES))
    own = sql.SQL(", ").join(
        sql.SQL("{} {}").format(sql.Identifier(n), sql.SQL(COLUMN_TYPES[t])) for n, t in zip(NAMES, TYPES, strict=True)
    )
    with psycopg.connect(url) as source, psycopg.connect(plain) as target:
        began = time.perf_counter()
        target.execute(sql.SQL("create table things (_key text primary key, {})").format(own))
        out = sql.SQL("copy (select {} from data.bench_answers order by _key) to stdout (format binary)").format(names)
        into = sql.SQL("copy things ({}) from stdin (format binary)").format(names)
        with source.cursor() as reading, target.cursor() as writing, reading.copy(out) as given, writing.copy(into) as taken:
            for piece in given:
                taken.write(piece)
        target.commit()
        return time.perf_counter() - began


def _fill(settings: Settings, workshop: Workshop) -> float:
    with workshop.database.connect() as connection:
        register = RegisterReader(workshop.contracts, WorkingDays()).read(connection, {}, workshop.clock())
    definition = load_syncs(settings.syncs, workshop.contracts)["bench"]
    began = time.perf_counter()
    state = work(office_of(settings, workshop, register), definition)
    assert state.state == "following", state.said_en
    return time.perf_counter() - began


def _follow(settings: Settings, workshop: Workshop, target: str) -> list[float]:
    """Seconds from the commit of each change to its row in the copy."""
    ended = threading.Event()
    reader = RegisterReader(workshop.contracts, WorkingDays())
    thread = threading.Thread(target=keep_in_step, args=(settings, workshop, reader, ended))
    thread.start()
    waits = []
    try:
        with psycopg.connect(target, autocommit=True) as connection:
            for number in range(CHANGES):
                key = f"{30_000 + number * 7:09d}"
                done = write_record(workshop, CONTRACT, Change(key, {"state": f"moved {number}"}, 1), WRITER, Manner())
                began = time.perf_counter()
                assert done.outcome == "written", done
                while True:
                    row = connection.execute("select state from things where lienthong_key = %s", (key,)).fetchone()
                    if row == (f"moved {number}",):
                        break
                    assert time.perf_counter() - began < 30, "the change did not arrive"
                    time.sleep(0.002)
                waits.append(time.perf_counter() - began)
                time.sleep(0.05 * (number % 7))  # not in step with the looks
    finally:
        ended.set()
        thread.join()
    return waits


def main() -> None:
    """This part alone."""
    rows = int(os.environ.get("ROWS", "100000"))
    with tempfile.TemporaryDirectory(prefix="lienthong-bench-") as name:
        Path(name).chmod(0o755)
        server = EmbeddedServer(Path(name) / "home")
        server.start()
        try:
            for row in measure(server, rows):
                print(row)
        finally:
            server.stop()


if __name__ == "__main__":
    main()
