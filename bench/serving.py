"""Serving: audited look-ups beside pgbench on the same server, and beside the same application with the ledger left out.

Needs `wrk` (Debian's package of that name) for the load; everything runs on this machine's loopback.
"""

from __future__ import annotations

import os
import random
import re
import shutil
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import psycopg
import yaml

from bench import gateway, loading, persons
from bench.report import Row, at_least, at_most
from lienthong.access import ASSERTION_TYPE, make_assertion, new_key_pair
from lienthong.store.embedded import EmbeddedServer

SUBSYSTEM = "VN/GOV/H10.12/do-toc-do"
DATASET = "bench.persons"
CONNECTIONS = 64
SECONDS = 8
SECONDS_TO_SETTLE = 12  # after a start: what the worker beside the server looks at first is no part of a day at work
PAIRS = 3

SERVE = (
    "import sys; from lienthong.settings import read_settings; from lienthong.web.serve import serve; serve(read_settings(), sys.argv[1])"
)
LUA = """
local prefix = "/v1/datasets/bench.persons/records/HS"
local headers = { ["Authorization"] = "Bearer %s", ["Lienthong-Purpose"] = "do", ["Lienthong-Official"] = "may-do" }
math.randomseed(%d)
request = function()
  return wrk.format("GET", prefix .. string.format("%%09d", math.random(0, %d)), headers)
end
done = function(summary, latency, requests)
  io.write(string.format("RESULT %%f %%f %%f %%d\\n", summary.requests / (summary.duration / 1e6), latency:percentile(50) / 1000, latency:percentile(99) / 1000, summary.errors.status))
end
"""
PGBENCH = """
\\set n random(0, :rows - 1)
select * from bench_rows where id = :n;
insert into bench_log (id, at, body) values (:n, now(), 'an entry about as long as the entries of the ledger are written out in full so that both sides of the ratio move the same bytes into the same kind of table, about four hundred of them, with a caller, a purpose, an official, the fields that were seen and three digests in hexadecimal notation, as an answer to a look-up by key leaves behind it when the record was found and given to who asked for it under an agreement');
"""


def measure(server: EmbeddedServer, folder: Path, rows: int) -> list[Row]:
    """All rows of the serving part of the report."""
    if shutil.which("wrk") is None:
        raise SystemExit("`make bench` needs wrk for its load (Debian: apt install wrk).")
    url = server.create_database("serving")
    csv = persons.write(folder / "serving.csv", rows)
    loading.in_process(url, csv)
    csv.unlink()
    home = folder / "serving"
    private = _agreements(home)
    _pgbench_tables(url, rows)
    report: list[Row] = []
    audited: list[tuple[float, float, float]] = []
    bare: list[float] = []
    reference: list[float] = []
    two: list[tuple[float, float, float]] = []
    forwarded: list[float] = []
    place = gateway.prepare(url, folder)
    for _ in range(PAIRS):
        _settle(url)
        reference.append(_pgbench(server, url, rows))
        _settle(url)
        with _serving(url, home, "lienthong.web.serve:application") as base:
            audited.append(_wrk(base, _token(base, private), home, rows))
        _settle(url)
        with _serving(url, home, "bench.audit_off:application") as base:
            bare.append(_wrk(base, _token(base, private), home, rows)[0])
        _settle(url)
        with _serving(url, home, "lienthong.web.serve:application", workers=2) as base:
            two.append(_wrk(base, _token(base, private), home, rows))
        with gateway.served(url, place) as base:
            forwarded.append(_wrk(base, "none", home, rows)[0])
    rate = statistics.median(found[0] for found in audited)
    pgbench, without = statistics.median(reference), statistics.median(bare)
    named = f"pgbench select+insert, 64 clients, {pgbench:,.0f}/s"
    report += [
        at_least(f"audited look-ups, 64 connections, {rate:,.0f}/s", rate / pgbench, 1.0, "× pgbench", named),
        at_most(
            "their 99th percentile",
            statistics.median(found[2] for found in audited),
            30,
            "ms",
            f"median {statistics.median(f[1] for f in audited):.1f} ms",
        ),
        at_least("the same with the audit, beside without", rate / without, 0.9, "× no audit", f"no audit {without:,.0f}/s"),
        *_of_two(two, pgbench, statistics.median(forwarded)),
    ]
    return report


def _of_two(two: list[tuple[float, float, float]], pgbench: float, forwarded: float) -> list[Row]:
    """What two workers reach, beside pgbench and beside a gateway that knows no rights and keeps no log."""
    rate, late = statistics.median(found[0] for found in two), statistics.median(found[2] for found in two)
    named = f"Envoy before a bare granian with PostgreSQL, no rights, no log, {forwarded:,.0f}/s"
    return [
        at_least(f"audited look-ups, two workers, 64 connections, {rate:,.0f}/s", rate / pgbench, 1.2, "× pgbench", f"pgbench {pgbench:,.0f}/s", issue=4),
        at_most("two workers: 99th percentile", late, 20, "ms", "", issue=4),
        at_least("two workers beside a plain gateway", rate / forwarded, 1.0, "× Envoy", named, issue=4),
    ]  # fmt: skip


def _agreements(home: Path) -> dict[str, Any]:
    private, public = new_key_pair()
    for name, document in {
        "subsystems/bench.yaml": {"identifier": SUBSYSTEM, "title_vi": "Đo tốc độ", "title_en": "Measuring", "keys": [{"jwk": public}]},
        "agreements/bench.yaml": {
            "id": "BENCH", "provider": "G01.70", "consumer": SUBSYSTEM, "dataset": DATASET, "state": "active",
            "fields": ["so_ho_so", "so_dinh_danh", "ho_va_ten", "ngay_sinh", "gioi_tinh", "ma_xa", "so_dien_thoai", "tinh_trang"], "masked": ["so_dien_thoai", "so_dinh_danh"],
            "purposes": {"do": {"vi": "Đo", "en": "Measure"}}, "operations": ["look_up", "list", "changes", "bulk"], "legal_basis": "none: measuring", "term": {"from": "2020-01-01"},
        },
    }.items():  # fmt: skip
        path = home / "agreements" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(yaml.safe_dump(document, allow_unicode=True), encoding="utf-8")
    return private


@contextmanager
def _serving(url: str, home: Path, target: str, datasets: Path | None = None, workers: int = 1) -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {
        **os.environ, "LIENTHONG_DATABASE_URL": url, "LIENTHONG_HOME": str(home), "LIENTHONG_DATASETS": str(datasets or loading.CONTRACT.parents[2]),
        "LIENTHONG_AGREEMENTS": str(home / "agreements"), "LIENTHONG_PORT": str(port), "LIENTHONG_ACCEPT_SYNTHETIC_IDS": "1", "LIENTHONG_LOG_LEVEL": "WARNING", "LIENTHONG_WORKERS": str(workers),
        "LIENTHONG_INDICATORS": str(home / "indicators"),
    }  # fmt: skip
    command = [sys.executable, "-c", SERVE, target]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    base = f"http://127.0.0.1:{port}"
    try:
        for _ in range(200):
            try:
                httpx.get(base + "/health").raise_for_status()
                break
            except httpx.HTTPError:
                time.sleep(0.1)
        time.sleep(SECONDS_TO_SETTLE)
        yield base
    finally:
        process.terminate()
        process.wait(60)


def _token(base: str, private: dict[str, Any]) -> str:
    assertion = make_assertion(private, SUBSYSTEM, base + "/oauth/token", datetime.now(UTC))
    form = {"grant_type": "client_credentials", "client_assertion_type": ASSERTION_TYPE, "client_assertion": assertion}
    token: str = httpx.post(base + "/oauth/token", data=form).raise_for_status().json()["access_token"]
    return token


def _wrk(base: str, token: str, home: Path, rows: int) -> tuple[float, float, float]:
    """(answers a second, median ms, 99th percentile ms), after a second of warming up."""
    script = home / "load.lua"
    script.write_text(LUA % (token, random.randrange(1 << 30), rows - 1))
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", "-s", str(script)]
    subprocess.run([*command, "-d1", base], capture_output=True, check=True)
    done = subprocess.run([*command, f"-d{SECONDS}", base], capture_output=True, text=True, check=True)
    found = re.search(r"RESULT ([\d.]+) ([\d.]+) ([\d.]+) (\d+)", done.stdout)
    assert found is not None, done.stdout
    assert int(found.group(4)) == 0, done.stdout
    return float(found.group(1)), float(found.group(2)), float(found.group(3))


def _pgbench_tables(url: str, rows: int) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("create table bench_log (id bigint, at timestamptz, body text)")
        connection.execute(
            f"create table bench_rows as select row_number() over () - 1 as id, p.* from (select * from data.bench_persons limit {rows}) p"
        )
        connection.execute("alter table bench_rows add primary key (id)")
        connection.execute("vacuum analyze bench_rows")


def _pgbench(server: EmbeddedServer, url: str, rows: int) -> float:
    """Transactions a second of pgbench: prepared select and insert, each its own commit, 64 clients."""
    known = psycopg.conninfo.conninfo_to_dict(url)
    script = Path(str(known["host"])).parent / "bench.sql"
    script.write_text(PGBENCH)
    environment = {**os.environ, "PGPASSWORD": str(known["password"]), "LD_LIBRARY_PATH": ""}
    command = [
        str(_binaries(server) / "pgbench"), "-n", "-M", "prepared", "-c", str(CONNECTIONS), "-j", "1", "-T", str(SECONDS), "-D", f"rows={rows}", "-f", str(script),
        "-h", str(known["host"]), "-p", str(known["port"]), "-U", str(known["user"]), str(known["dbname"]),
    ]  # fmt: skip
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-1000:]
    found = re.search(r"tps = ([\d.]+)", done.stdout)
    assert found is not None, done.stdout
    return float(found.group(1))


def _settle(url: str) -> None:
    """What one side wrote is on disk and swept before the other begins, so that neither pays for the other's work."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("truncate bench_log")
        connection.execute("vacuum lienthong.ledger_batches, lienthong.ledger_tiles, lienthong.ledger_edge")
        connection.execute("checkpoint")


def _binaries(server: EmbeddedServer) -> Path:
    assert server._place is not None
    return server._place.binaries
