"""A soak with kills: look-ups at full rate and a change a second, while workers, companions, PostgreSQL and NATS are killed in turn.

What was promised is then counted: every answered look-up is in the ledger and none twice (each names an official of its own), every accepted
change came once as a webhook or more often under one id, the relay's stream holds each once, the whole ledger verifies, memory did not grow.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import nats
import numpy as np
import psutil
import psycopg

from bench.events import CONTRACT, DATASET
from bench.report import Row, at_most
from lienthong.access import ASSERTION_TYPE, make_assertion, new_key_pair
from lienthong.connectors import ReadContext
from lienthong.contracts import load_all
from lienthong.pipeline import Workshop, apply_contract, run_dataset
from lienthong.settings import Settings
from lienthong.sharing import subscribing
from lienthong.sharing.rights import Right
from lienthong.sharing.subscribing import Wish
from lienthong.store import Database
from lienthong.store.embedded import EmbeddedServer
from lienthong.web.delivering import clerk_of
from lienthong.web.keys import ledger_signer
from lienthong.web.register_watch import take_folder

READER, OWNER, RELAY = "VN/GOV/H10.12/doc", "VN/GOV/H10.10/nguon", "VN/GOV/H10.12/chuyen"
RECORDS, CONNECTIONS = 20_000, 64
SECONDS, BETWEEN_KILLS, WARM_SECONDS = 600.0, 15.0, 30.0
PATIENCE_SECONDS = 120.0
NATS = shutil.which("nats-server", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
LOAD = r"""
import asyncio, random, struct, sys, time
port, token, records, answered, until, connections = int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), open(sys.argv[4], "ab"), float(sys.argv[5]), int(sys.argv[6])
asked = 0
async def ask():
    global asked
    while time.time() < until:
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.05)
            continue
        try:
            while time.time() < until:
                asked += 1
                number = asked
                writer.write(f"GET /v1/datasets/bench.licences/records/L{random.randrange(records)} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nLienthong-Purpose: dong-bo\r\nLienthong-Official: n{number}\r\n\r\n".encode())
                head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 60)
                length = next(int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length"))
                await asyncio.wait_for(reader.readexactly(length), 60)
                if head[9:12] == b"200":
                    answered.write(struct.pack("<q", number))
                else:
                    await asyncio.sleep(0.02)
        except (OSError, asyncio.IncompleteReadError, asyncio.TimeoutError, StopIteration):
            pass
        finally:
            writer.close()
async def main():
    await asyncio.gather(*(ask() for _ in range(connections)))
    answered.close()
    print(asked)
asyncio.run(main())
"""
RECEIVER = r"""
import asyncio, sys
async def serve(reader, writer):
    try:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            length = next(int(l.split(b":")[1]) for l in head.split(b"\r\n") if l.lower().startswith(b"content-length"))
            body = await reader.readexactly(length)
            sys.stdout.write(body.decode() + "\n")
            sys.stdout.flush()
            writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()
async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()
asyncio.run(main())
"""
SERVE = "from lienthong.settings import read_settings; from lienthong.web.serve import serve; serve(read_settings())"


def measure(folder: Path, seconds: float = SECONDS) -> list[Row]:
    """The rows of the soak. It has a PostgreSQL of its own: that is killed too."""
    if NATS is None:
        raise SystemExit("The soak needs NATS (Debian: apt install nats-server).")
    home = folder / "soak"
    server = EmbeddedServer(home / "database")
    url = server.start()
    try:
        Database(url).apply_schema()
        return _Soak(home, server, url).run(seconds)
    finally:
        server.stop()


class _Soak:
    """One run: what is started, what is killed, what was answered and accepted."""

    def __init__(self, home: Path, server: EmbeddedServer, url: str) -> None:
        self.home, self.server, self.url = home, server, url
        self.port, self.nats_port = _free_port(), _free_port()
        self.keys: dict[str, Any] = {}
        self.accepted: set[str] = set()
        self.kills: dict[str, int] = {}
        self.memory: dict[str, list[tuple[float, int]]] = {}
        self.ended = threading.Event()
        self.random = random.Random(1)

    def run(self, seconds: float) -> list[Row]:
        settings = self._write()
        workshop = Workshop(
            Database(self.url),
            load_all(settings.datasets),
            ledger_signer(settings),
            read_context=ReadContext(variables={"FOLDER": str(self.home)}),
        )
        contract = workshop.contracts[DATASET]
        apply_contract(workshop, contract)
        run_dataset(workshop, contract)
        take_folder(workshop, settings.agreements, "production")
        answered = self.home / "answered"
        with _receiver() as (receiver, bodies), self._nats(), self._served(settings) as process:
            base = f"http://127.0.0.1:{self.port}"
            wish = Wish(f"http://127.0.0.1:{receiver}/", types=("record:*",))
            subscribing.subscribe(
                clerk_of(settings, workshop), contract, Right(READER, "o", "dong-bo", visible=("licence_no", "holder")), wish, None
            )
            if not _await(self._relay_follows, self._relay_follows):
                raise SystemExit("The relay of the soak did not begin.")
            tokens = {name: self._token(base, name) for name in (READER, OWNER)}
            until = time.time() + seconds
            command = [
                sys.executable,
                "-c",
                LOAD,
                str(self.port),
                tokens[READER],
                str(RECORDS),
                str(answered),
                str(until),
                str(CONNECTIONS),
            ]
            load = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
            beside = [
                threading.Thread(target=act)
                for act in (lambda: self._write_changes(base, tokens[OWNER], until), lambda: self._weigh(process))
            ]
            for thread in beside:
                thread.start()
            self._kill_in_turn(process, until)
            asked = int(load.communicate(timeout=120)[0])
            self.ended.set()
            for thread in beside:
                thread.join()
            wanted = set(self.accepted)
            received = _await(lambda: _changes(bodies) >= wanted, lambda: _changes(bodies))
            relayed = self._relayed(wanted)
        return self._judged(seconds, asked, np.fromfile(answered, "<i8"), wanted - received, wanted, relayed)

    # What runs

    def _write(self) -> Settings:
        lines = ["licence_no,holder", *(f"L{n},Công ty {n}" for n in range(RECORDS))]
        (self.home / "licences.csv").write_text("\n".join(lines) + "\n", "utf-8")
        source = {"name": "file", "connector": "csv_file", "location": "${FOLDER}/licences.csv", "delivery": "incremental"}
        properties = [*CONTRACT["customProperties"], {"property": "sources", "value": [source]}]
        documents: dict[str, Any] = {"datasets/bench/licences/contract.yaml": {**CONTRACT, "customProperties": properties}}
        for name in (READER, OWNER, RELAY):
            self.keys[name], public = new_key_pair()
            short = name.rpartition("/")[2]
            documents[f"agreements/subsystems/{short}.yaml"] = {
                "identifier": name,
                "title_vi": short,
                "title_en": short,
                "keys": [{"jwk": public}],
            }
            documents[f"agreements/agreements/{short}.yaml"] = {
                "id": f"TT-{short}", "provider": "H10.10", "consumer": name, "dataset": DATASET, "state": "active", "operations": ["changes", "look_up"],
                "purposes": {"dong-bo": {"vi": "Đồng bộ", "en": "Sync"}, "chuyen-tiep": {"vi": "Chuyển tiếp", "en": "Relay"}}, "legal_basis": "NĐ 278/2025",
                "term": {"from": "2020-01-01"},
            }  # fmt: skip
        for name, document in documents.items():
            (self.home / name).parent.mkdir(parents=True, exist_ok=True)
            (self.home / name).write_text(json.dumps(document, ensure_ascii=False), "utf-8")
        return Settings(
            database_url=self.url, home=self.home / "home", datasets=self.home / "datasets", agreements=self.home / "agreements", port=self.port,
            webhook_networks="127.0.0.0/8", nats_url=f"nats://127.0.0.1:{self.nats_port}", nats_subsystem=RELAY, workers=2,
        )  # fmt: skip

    @contextmanager
    def _served(self, settings: Settings) -> Iterator[subprocess.Popen[bytes]]:
        names = ("database_url", "home", "datasets", "agreements", "port", "webhook_networks", "nats_url", "nats_subsystem", "workers")
        environment = {
            **os.environ,
            **{f"LIENTHONG_{name.upper()}": str(getattr(settings, name)) for name in names},
            "LIENTHONG_LOG_LEVEL": "ERROR",
            "LIENTHONG_INDICATOR_MINUTES": "0",
        }
        process = subprocess.Popen([sys.executable, "-c", SERVE], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            if not _await(lambda: _is_up(settings.public_url), lambda: _is_up(settings.public_url)):
                raise SystemExit("The server of the soak did not start.")
            yield process
        finally:
            process.terminate()
            process.wait(60)

    def _relay_follows(self) -> bool:
        """Whether the relay has its subscription: what changed before is not for it."""
        with psycopg.connect(self.url) as connection:
            return connection.execute("select from lienthong.event_subscriptions where road = 'nats'").fetchone() is not None

    @contextmanager
    def _nats(self) -> Iterator[None]:
        self._start_nats()
        try:
            yield
        finally:
            self.nats.kill()
            self.nats.wait(20)

    def _start_nats(self) -> None:
        command = [str(NATS), "-a", "127.0.0.1", "-p", str(self.nats_port), "-js", "-sd", str(self.home / "nats")]
        self.nats = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def _token(self, base: str, name: str) -> str:
        assertion = make_assertion(self.keys[name], name, base + "/oauth/token", datetime.now(UTC))
        form = {"grant_type": "client_credentials", "client_assertion_type": ASSERTION_TYPE, "client_assertion": assertion}
        token: str = httpx.post(base + "/oauth/token", data=form).raise_for_status().json()["access_token"]
        return token

    # What happens meanwhile

    def _write_changes(self, base: str, token: str, until: float) -> None:
        """A change a second, sent again under its key until it is accepted."""
        number = 0
        with httpx.Client(timeout=30) as client:
            while time.time() < until:
                holder = f"Công ty thay đổi {number}"
                headers = {
                    "Authorization": f"Bearer {token}",
                    "Lienthong-Purpose": "dong-bo",
                    "Lienthong-Official": "can-bo",
                    "Idempotency-Key": f"k{number}",
                }
                body = {"records": [{"licence_no": f"L{number % RECORDS}", "holder": holder}]}
                for _ in range(600):
                    with suppress(httpx.HTTPError):
                        if client.post(f"{base}/v1/datasets/{DATASET}/records", json=body, headers=headers).status_code == 200:
                            self.accepted.add(holder)
                            break
                    time.sleep(0.2)
                number += 1
                time.sleep(1)

    def _weigh(self, process: subprocess.Popen[bytes]) -> None:
        """Resident bytes of the server's processes by what they are, once a second: of the heaviest of a kind, since a killed one begins anew."""
        while not self.ended.wait(1):
            with suppress(psutil.Error):
                for each in psutil.Process(process.pid).children(recursive=True):
                    kind = _kind(each)
                    if kind:
                        self.memory.setdefault(kind, []).append((time.time(), each.memory_info().rss))

    def _kill_in_turn(self, process: subprocess.Popen[bytes], until: float) -> None:
        ways: list[tuple[str, Callable[[], None]]] = [
            ("web worker", lambda: self._kill(process, "multiprocessing")), ("worker", lambda: self._kill(process, "lienthong.web.worker")),
            ("sequencer", lambda: self._kill(process, "lienthong.web.sequencer")), ("PostgreSQL", self._kill_postgres), ("relay's NATS", self._kill_nats),
        ]  # fmt: skip
        time.sleep(min(WARM_SECONDS, (until - time.time()) / 4))
        turn = 0
        while time.time() + BETWEEN_KILLS < until:
            name, act = ways[turn % len(ways)]
            act()
            self.kills[name] = self.kills.get(name, 0) + 1
            turn += 1
            time.sleep(BETWEEN_KILLS)
        time.sleep(max(0.0, until - time.time()))

    def _kill(self, process: subprocess.Popen[bytes], what: str) -> None:
        found = [
            each
            for each in psutil.Process(process.pid).children(recursive=True)
            if what in " ".join(_said(each)) and "resource_tracker" not in " ".join(_said(each))
        ]
        if found:
            with suppress(psutil.Error):
                self.random.choice(found).kill()

    def _kill_postgres(self) -> None:
        """`kill -9` of the postmaster, then started as an operator's supervisor would."""
        assert self.server._place is not None
        number = int((self.server._place.data / "postmaster.pid").read_text().splitlines()[0])
        os.kill(number, signal.SIGKILL)
        _await(lambda: not psutil.pid_exists(number) or psutil.Process(number).status() == psutil.STATUS_ZOMBIE, lambda: None)
        self.server.start()

    def _kill_nats(self) -> None:
        self.nats.kill()
        self.nats.wait(20)
        time.sleep(1)
        self._start_nats()

    def _relayed(self, wanted: set[str]) -> list[str]:
        """The changes in the relay's stream, one for each message, once all are there or patience ends."""

        async def read() -> list[str]:
            client = await nats.connect(f"nats://127.0.0.1:{self.nats_port}", max_reconnect_attempts=60, reconnect_time_wait=0.2)
            until, found = time.time() + PATIENCE_SECONDS, list[str]()
            try:
                subscription = await self._followed(client, until)
                while not wanted <= set(found) and time.time() < until:
                    with suppress(TimeoutError, nats.errors.TimeoutError):
                        found += _holders((await subscription.next_msg(timeout=5)).data.decode())
                return found
            finally:
                await client.close()

        return asyncio.run(read())

    async def _followed(self, client: Any, until: float) -> Any:
        """The stream from its beginning, once NATS has it back."""
        while True:
            try:
                return await client.jetstream().subscribe("lienthong.>", ordered_consumer=True)
            except (nats.js.errors.NotFoundError, nats.errors.Error):
                if time.time() > until:
                    raise
                await asyncio.sleep(0.5)

    # What came of it

    def _judged(self, seconds: float, asked: int, answered: Any, lost: set[str], wanted: set[str], relayed: list[str]) -> list[Row]:
        logged = self._officials(asked)
        unlogged = int((logged[answered] == 0).sum())
        twice = int((logged > 1).sum())
        command = [str(Path(sys.executable).with_name("lienthong")), "--lang", "en", "ledger", "verify"]
        environment = {**os.environ, "LIENTHONG_DATABASE_URL": self.url, "LIENTHONG_HOME": str(self.home / "home")}
        verified = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        thirds = {kind: _thirds(seen) for kind, seen in self.memory.items()}
        growth = max(late / early for early, late in thirds.values())
        weights = "; ".join(f"{kind} {early / 2**20:.0f} → {late / 2**20:.0f} MiB" for kind, (early, late) in sorted(thirds.items()))
        killed = ", ".join(f"{name} {count}×" for name, count in self.kills.items())
        load = f"{seconds:.0f} s, {answered.size:,} look-ups answered of {asked:,} asked; killed: {killed}"
        return [
            at_most("soak: answered look-ups that are not in the ledger", unlogged, 0, "", load, issue=4),
            at_most("soak: look-ups in the ledger twice", twice, 0, "", load, issue=4),
            at_most("soak: accepted changes no webhook brought", len(lost), 0, "", f"{len(wanted)} changes", issue=4),
            at_most("soak: accepted changes missing in the relay's stream, or there twice", len(wanted - set(relayed)) + len(relayed) - len(set(relayed)), 0, "", f"{len(wanted)} changes", issue=4),
            at_most("soak: exit of `lienthong ledger verify` afterwards", verified.returncode, 0, "", verified.stdout.strip().splitlines()[0] if verified.stdout.strip() else verified.stderr.strip()[-200:], issue=4),
            at_most("soak: heaviest of each kind of process, last third beside first", growth, 1.15, "×", weights, issue=4),
        ]  # fmt: skip

    def _officials(self, asked: int) -> Any:
        """How often the ledger names each look-up."""
        found = np.zeros(asked + 1, np.int32)
        named = re.compile(r'"official":"n(\d+)"')
        with psycopg.connect(self.url) as connection, connection.cursor("entries") as cursor:
            cursor.execute("select body from lienthong.ledger_entries")
            for (body,) in cursor:
                at = named.search(body)
                if at is not None:
                    found[int(at[1])] += 1
        return found


def _kind(process: psutil.Process) -> str:
    """Which of the server's processes it is; empty: none that stays."""
    said = " ".join(_said(process))
    named = next((kind for kind in ("worker", "sequencer") if f"lienthong.web.{kind}" in said), "")
    return named or ("web" if "spawn_main" in said else "")


def _thirds(seen: list[tuple[float, int]]) -> tuple[int, int]:
    """The heaviest in the first third of the time, and in the last."""
    begin, end = seen[0][0], seen[-1][0]
    early = max(rss for at, rss in seen if at <= begin + (end - begin) / 3)
    return early, max(rss for at, rss in seen if at >= begin + 2 * (end - begin) / 3)


def _holders(text: str) -> list[str]:
    return re.findall(r'"(Công ty thay đổi \d+)"', text)


def _changes(bodies: list[str]) -> set[str]:
    return {holder for body in list(bodies) for holder in _holders(body)}


def _said(process: psutil.Process) -> list[str]:
    try:
        return list(process.cmdline())
    except psutil.Error:
        return []


@contextmanager
def _receiver() -> Iterator[tuple[int, list[str]]]:
    process = subprocess.Popen([sys.executable, "-c", RECEIVER], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    stream, bodies = process.stdout, list[str]()
    port = int(stream.readline())
    threading.Thread(target=lambda: bodies.extend(stream), daemon=True).start()
    try:
        yield port, bodies
    finally:
        process.kill()
        process.wait(10)


def _is_up(base: str) -> bool:
    try:
        return httpx.get(base + "/health").status_code == 200
    except httpx.HTTPError:
        return False


def _await(is_so: Callable[[], bool], found: Callable[[], Any]) -> Any:
    until = time.time() + PATIENCE_SECONDS
    while not is_so() and time.time() < until:
        time.sleep(0.1)
    return found()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
