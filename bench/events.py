"""Events: milliseconds from the commit of a change to its webhook at the subscriber, with 200 subscribers.

Each subscriber is a subsystem with an agreement and a subscription of its own; receivers are HTTP servers in four processes. A change is one
record sent and published; the clock starts as its event is left in the transaction, a moment before the commit, and stops when a receiver
has read the whole request. The next change comes when all have the one before.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench.report import Row, at_most
from lienthong.contracts import load_all
from lienthong.pipeline import apply_contract, submit_records
from lienthong.settings import PREFIX, Settings
from lienthong.sharing import subscribing
from lienthong.sharing.rights import Right
from lienthong.sharing.subscribing import Wish
from lienthong.store import Database, events
from lienthong.web.delivering import clerk_of
from lienthong.web.register_watch import take_folder
from lienthong.web.services import make_workshop

SUBSCRIBERS, PROCESSES, CHANGES = 200, 4, 25
WARM = 3  # changes before it counts
PATIENCE_SECONDS = 60.0
DATASET = "bench.licences"
CONTRACT: dict[str, Any] = {
    "apiVersion": "v3.1.0", "kind": "DataContract", "id": DATASET, "name": "Giấy phép", "version": "1.0.0", "status": "active",
    "schema": [{"name": "licences", "properties": [
        {"name": "licence_no", "logicalType": "string", "required": True, "primaryKey": True, "primaryKeyPosition": 1},
        {"name": "holder", "logicalType": "string", "classification": "personal"},
    ]}],
    "customProperties": [
        {"property": "titleEn", "value": "Licences"}, {"property": "agency", "value": "H10.10"}, {"property": "sharing", "value": "on_request"},
        {"property": "legalBasis", "value": [{"text": "Luật Dữ liệu 60/2024/QH15", "validFrom": "2025-07-01"}]},
    ],
}  # fmt: skip
RECEIVER = """
import asyncio, sys, time
async def serve(reader, writer):
    try:
        while True:
            head = await reader.readuntil(b"\\r\\n\\r\\n")
            length = next(int(l.split(b":")[1]) for l in head.split(b"\\r\\n") if l.lower().startswith(b"content-length"))
            await reader.readexactly(length)
            sys.stdout.write(f"{head.split(b' ', 2)[1].decode()} {time.time()}\\n")
            sys.stdout.flush()
            writer.write(b"HTTP/1.1 204 No Content\\r\\n\\r\\n")
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()
async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", 0, backlog=500)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()
asyncio.run(main())
"""


def measure(url: str, folder: Path, subscribers: int = SUBSCRIBERS, changes: int = CHANGES) -> list[Row]:
    """Commit to webhook, over all subscribers and changes."""
    home = folder / "events"
    _write(home, subscribers)
    settings = Settings(
        database_url=url, home=home, datasets=home / "datasets", agreements=home / "agreements", webhook_networks="127.0.0.0/8"
    )
    database = Database(url)
    database.apply_schema()
    workshop = make_workshop(settings, database, load_all(settings.datasets))
    contract = workshop.contracts[DATASET]
    apply_contract(workshop, contract)
    take_folder(workshop, settings.agreements, "production")
    received = _Received()
    with _receivers(received) as ports, _worker(settings):
        clerk = clerk_of(settings, workshop)
        for n in range(subscribers):
            right = Right(_caller(n), "can-bo", "dong-bo", visible=("licence_no", "holder"))
            wish = Wish(f"http://127.0.0.1:{ports[n % PROCESSES]}/{n}", types=("record:*",))
            subscribing.subscribe(clerk, contract, right, wish, None)
        latencies: list[float] = []
        for change in range(WARM + changes):
            received.expect(subscribers)
            record = {"licence_no": str(change % 7), "holder": f"Công ty {change}"}
            submit_records(
                workshop, contract, [record], caller="VN/GOV/H10.10/nguon", idempotency_key=f"k{change}", official="o", purpose="p"
            )
            with database.connect(autocommit=True) as connection:
                events.put_in_order(connection)
                began = events.read(connection, events.newest_position(connection) - 1, 1)[0].at.timestamp()
            found = received.all_in(PATIENCE_SECONDS)
            if change >= WARM:
                latencies += [(at - began) * 1000 for at in found]
    p50, p95 = statistics.median(latencies), statistics.quantiles(latencies, n=20)[18]
    reference = f"{subscribers} subscribers, {changes} changes, p50 {p50:.0f} ms"
    return [at_most("change committed → webhook received, p95", p95, 500, "ms", reference, issue=4)]


class _Received:
    """When each subscriber had the change that is expected."""

    def __init__(self) -> None:
        self._times: dict[str, float] = {}
        self._wanted = 0
        self._changed = threading.Condition()

    def expect(self, count: int) -> None:
        with self._changed:
            self._times, self._wanted = {}, count

    def took(self, path: str, at: float) -> None:
        with self._changed:
            self._times.setdefault(path, at)
            self._changed.notify_all()

    def all_in(self, seconds: float) -> list[float]:
        with self._changed:
            if not self._changed.wait_for(lambda: len(self._times) == self._wanted, seconds):
                raise SystemExit(f"{len(self._times)} of {self._wanted} subscribers had the change after {seconds:g} s.")
            return list(self._times.values())


@contextmanager
def _receivers(received: _Received) -> Iterator[list[int]]:
    processes = [subprocess.Popen([sys.executable, "-c", RECEIVER], stdout=subprocess.PIPE, text=True) for _ in range(PROCESSES)]

    def read(process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            path, _, at = line.partition(" ")
            received.took(path, float(at))

    try:
        ports = [int((process.stdout or sys.stdin).readline()) for process in processes]
        for process in processes:
            threading.Thread(target=read, args=(process,), daemon=True).start()
        yield ports
    finally:
        for process in processes:
            process.kill()
            process.wait(10)


@contextmanager
def _worker(settings: Settings) -> Iterator[None]:
    """The worker as a server starts it."""
    environment = {
        **os.environ, PREFIX + "DATABASE_URL": settings.database_url, PREFIX + "HOME": str(settings.home),
        PREFIX + "DATASETS": str(settings.datasets), PREFIX + "AGREEMENTS": str(settings.agreements),
        PREFIX + "WEBHOOK_NETWORKS": settings.webhook_networks, PREFIX + "LOG_LEVEL": "WARNING",
    }  # fmt: skip
    process = subprocess.Popen([sys.executable, "-m", "lienthong.web.worker"], stdin=subprocess.PIPE, env=environment)
    try:
        yield
    finally:
        assert process.stdin is not None
        process.stdin.close()
        process.wait(30)


def _write(home: Path, subscribers: int) -> None:
    documents: dict[str, Any] = {f"datasets/{DATASET.replace('.', '/')}/contract.yaml": CONTRACT}
    for n in range(subscribers):
        documents[f"agreements/subsystems/{n}.yaml"] = {"identifier": _caller(n), "title_vi": "Đồng bộ", "title_en": "Sync"}
        documents[f"agreements/agreements/{n}.yaml"] = {
            "id": f"TT-{n:04}", "provider": "H10.10", "consumer": _caller(n), "dataset": DATASET, "state": "active", "operations": ["changes"],
            "purposes": {"dong-bo": {"vi": "Đồng bộ", "en": "Sync"}}, "legal_basis": "NĐ 278/2025", "term": {"from": "2020-01-01"},
        }  # fmt: skip
    for name, document in documents.items():
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text(json.dumps(document, ensure_ascii=False), "utf-8")


def _caller(n: int) -> str:
    return f"VN/GOV/H10.12/s{n}"
