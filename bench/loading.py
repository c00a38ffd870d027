"""Loading: a CSV of persons through the whole road, beside the server's own COPY of the same rows and beside dlt.

Each load runs in a process of its own, so that its peak memory is its own.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

import psycopg

from bench import persons
from bench.installed import INSTALLED
from bench.peak import own_peak_mib
from bench.report import Row, at_most
from lienthong.clock import system_clock
from lienthong.connectors import ReadContext
from lienthong.contracts import load
from lienthong.ledger import Signer
from lienthong.pipeline import Workshop, apply_contract, run_dataset
from lienthong.store import Database

CONTRACT = Path(__file__).parent / "datasets" / "bench" / "persons" / "contract.yaml"
COPY_TABLE = (
    "create table bench_copy (so_ho_so text, so_dinh_danh text, ho_va_ten text, ngay_sinh date, gioi_tinh text, dan_toc text,"
    " ma_xa text, ma_ho text, dia_chi text, so_dien_thoai text, tinh_trang text, ngay_cap_nhat date)"
)


def load_once(url: str, csv: Path) -> dict[str, float | str]:
    """One run of the bench dataset over a file; seconds and peak memory (MiB) of this process."""
    os.environ["BENCH_CSV"] = str(csv)
    contract = load(CONTRACT)
    workshop = Workshop(
        Database(url), {contract.id: contract}, Signer.new("bench"), system_clock, ReadContext(variables={"BENCH_CSV": str(csv)}), True
    )
    workshop.database.apply_schema()
    apply_contract(workshop, contract)
    began = time.perf_counter()
    outcome = run_dataset(workshop, contract)
    seconds = time.perf_counter() - began
    peak = own_peak_mib()
    return {"seconds": seconds, "peak_mib": peak, **{k: v for k, v in outcome.__dict__.items() if k != "waits_for"}}


def in_process(url: str, csv: Path) -> dict[str, float | str]:
    done = subprocess.run(
        [sys.executable, "-m", "bench.loading", "--url", url, "--csv", str(csv)], capture_output=True, text=True, check=True, env=INSTALLED
    )
    answer: dict[str, float | str] = json.loads(done.stdout.splitlines()[-1])
    return answer


def server_copy(url: str, csv: Path, times: int = 2) -> float:
    """Median seconds of the server's own COPY of the file into a table without a key (logged, as ours are)."""
    seconds = []
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("set datestyle = 'iso, dmy'")  # dates in the file are dd/mm/yyyy; the columns have the types of ours
        for _ in range(times):
            connection.execute("drop table if exists bench_copy")
            connection.execute(COPY_TABLE)
            connection.execute("checkpoint")
            began = time.perf_counter()
            connection.execute(psycopg.sql.SQL("copy bench_copy from {} (format csv, header)").format(str(csv)))
            seconds.append(time.perf_counter() - began)
        connection.execute("drop table bench_copy")
    return statistics.median(seconds)


def dlt_load(url: str, csv: Path) -> float:
    """Seconds dlt takes to load the same file, with its fastest documented road (Arrow batches), no checks."""
    code = """
import sys, time, os, tempfile
os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"
os.environ["RUNTIME__LOG_LEVEL"] = "ERROR"
import dlt, pyarrow.csv as pc
url, path = sys.argv[1], sys.argv[2]
began = time.perf_counter()
@dlt.resource(name="persons", write_disposition="replace")
def rows():
    for batch in pc.open_csv(path, read_options=pc.ReadOptions(block_size=8 << 20)):
        yield batch
with tempfile.TemporaryDirectory() as home:
    from psycopg.conninfo import conninfo_to_dict
    from dlt.destinations.impl.postgres.configuration import PostgresCredentials
    known = conninfo_to_dict(url)
    credentials = PostgresCredentials()
    credentials.update({"drivername": "postgresql", "database": known["dbname"], "username": known["user"], "password": known["password"],
                        "host": known["host"], "port": int(known["port"])})
    credentials.resolve()
    credentials.to_native_representation = lambda: url
    pipeline = dlt.pipeline("bench", pipelines_dir=home, destination=dlt.destinations.postgres(credentials), dataset_name="bench_dlt")
    pipeline.run(rows())
print(time.perf_counter() - began)
"""
    done = subprocess.run([sys.executable, "-c", code, url, str(csv)], capture_output=True, text=True, check=True)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("drop schema if exists bench_dlt cascade")
        connection.execute("drop schema if exists bench_dlt_staging cascade")
    return float(done.stdout.splitlines()[-1])


def reset(url: str) -> None:
    """Forget the bench dataset whole."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("drop schema if exists data cascade")
        connection.execute("drop schema if exists lienthong cascade")
        connection.execute("checkpoint")


def measure(url: str, folder: Path, rows: int = 1_000_000, large: int = 10_000_000) -> list[Row]:
    """All rows of the loading part of the report; `large` 0 leaves the ten-million load out."""
    first = persons.write(folder / "persons.csv", rows)
    changed = persons.write(folder / "changed.csv", rows, changed_percent=1.0)
    dlt = dlt_load(url, first)
    loads, copies = [], []
    for _ in range(3):  # in turn, so that both sides meet the machine in the same moods
        copies.append(server_copy(url, first))
        reset(url)
        loads.append(in_process(url, first))
    copy = statistics.median(copies)
    load_seconds = statistics.median(float(load["seconds"]) for load in loads)
    same, same_ratio = _in_other_orders(url, folder, first, rows)
    one_percent = in_process(url, changed)
    identical = in_process(url, changed)
    ours, named = f"{rows:,} rows × 12 columns", f"server's COPY {copy:.2f} s"
    report = [
        at_most(f"load {ours}, {load_seconds:.2f} s", load_seconds / copy, 3.0, "× COPY", named),
        at_most("the same load beside dlt", load_seconds / dlt, 1.0, "× dlt", f"dlt, no checks, {dlt:.2f} s"),
        at_most("peak memory of the load", max(float(load["peak_mib"]) for load in loads) / 1024, 1.5, "GiB", "process's own peak"),
        at_most(
            f"same rows, other file and order, {same['rows_unchanged']} unchanged",
            same_ratio,
            1.2,
            "× COPY",
            "each beside a COPY just before it",
        ),
        at_most(f"1 % changed, {one_percent['rows_published']} published", float(one_percent["seconds"]) / copy, 1.7, "× COPY", named),
        at_most("the identical file", float(identical["seconds"]), 1.0, "s", "recognised by its hash"),
    ]
    changed.unlink()
    if large:
        report += _large(url, folder, large, load_seconds / rows)
    first.unlink()
    return report


def _in_other_orders(url: str, folder: Path, first: Path, rows: int) -> tuple[dict[str, float | str], float]:
    """(the last load, median of what each load of the same rows in an order of its own takes of a COPY just before it)."""
    ratios = []
    for order in (1, 2, 3):
        file = persons.write(folder / "order.csv", rows, order=order)
        copy = server_copy(url, first)
        load = in_process(url, file)
        ratios.append(float(load["seconds"]) / copy)
        file.unlink()
    return load, statistics.median(ratios)


def _large(url: str, folder: Path, rows: int, seconds_per_row: float) -> list[Row]:
    file = persons.write(folder / "large.csv", rows)
    reset(url)
    load = in_process(url, file)
    file.unlink()
    ratio = float(load["seconds"]) / rows / seconds_per_row
    return [
        at_most(
            f"{rows:,} rows, time per row, {float(load['seconds']):.1f} s", ratio, 1.3, "× of 1 M", f"{seconds_per_row * 1e6:.2f} µs a row"
        ),
        at_most(f"{rows:,} rows, peak memory", float(load["peak_mib"]) / 1024, 1.5, "GiB", "process's own peak"),
    ]


if __name__ == "__main__":
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--url", required=True)
    arguments.add_argument("--csv", type=Path, required=True)
    given = arguments.parse_args()
    print(json.dumps(load_once(given.url, given.csv), default=str))
