"""Bulk: a table of a million rows through Delta Sharing and as a Parquet file, beside DuckDB reading the same Parquet from disk.

Both are measured twice: of files that are there already, and of files that must be made of the database's rows first. A recipient's whole way is measured over HTTP: the query, the signed addresses, every byte of every part, decoded into Arrow. DuckDB makes the
same Arrow table of the same files. The client is pyarrow's own reader over downloaded bytes: pandas would hide the door behind its conversions.
"""

from __future__ import annotations

import io
import json
import statistics
import time
from pathlib import Path
from typing import Any

import duckdb
import httpx
import yaml
from pyarrow import parquet

from bench import answers
from bench.report import Row, at_least, at_most
from bench.serving import SUBSYSTEM, _serving, _token
from lienthong.access import new_key_pair
from lienthong.store import Database
from lienthong.store.embedded import EmbeddedServer

TIMES = 3
TABLE = "/delta-sharing/shares/BULK/schemas/bench/tables/answers"


def measure(server: EmbeddedServer, folder: Path, rows: int) -> list[Row]:
    """The rows of bulk; `rows` records."""
    url, home = server.create_database("bulk"), folder / "bulk"
    Database(url).apply_schema()
    private, public = new_key_pair()
    for name, document in {
        "datasets/bench/answers/contract.yaml": _contract(),
        "agreements/subsystems/bench.yaml": {"identifier": SUBSYSTEM, "title_vi": "Đo tốc độ", "title_en": "Measuring", "keys": [{"jwk": public}]},
        "agreements/agreements/bench.yaml": {
            "id": "BULK", "provider": "H10.02", "consumer": SUBSYSTEM, "dataset": "bench.answers", "state": "active", "operations": ["list", "bulk", "changes"],
            "purposes": {"do": {"vi": "Đo", "en": "Measure"}}, "legal_basis": "none: measuring", "term": {"from": "2020-01-01"},
        },
    }.items():  # fmt: skip
        path = home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(yaml.safe_dump(document, allow_unicode=True), encoding="utf-8")
    answers.fill(url, rows)
    with _serving(url, home, "lienthong.web.serve:application", home / "datasets") as base:
        headers = {"Authorization": f"Bearer {_token(base, private)}", "Lienthong-Purpose": "do", "Lienthong-Official": "may-do"}
        with httpx.Client(base_url=base, headers=headers, timeout=600) as client:
            began = time.perf_counter()
            _query(client)
            making = time.perf_counter() - began
            shared = [_shared(client, rows) for _ in range(TIMES)]
            beside = [_duckdb(home) for _ in range(TIMES)]  # before another set of files is there
            begun, first_made = _whole(client, rows)
            again = [_whole(client, rows) for _ in range(TIMES)]
    seconds, first = statistics.median(total for total, _ in shared), max(first for _, first in shared)
    reference, whole = statistics.median(beside), statistics.median(total for total, _ in again)
    named = f"DuckDB, the same files from disk, {reference:.2f} s"
    return [
        at_least(f"Delta Sharing, {rows:,} rows, prepared, {seconds:.2f} s", reference / seconds, 0.5, "× DuckDB", named, issue=7),
        at_most("its first byte of data", first, 1, "s", "prepared", issue=7),
        at_least(f"Delta Sharing, the files made first, {making:.2f} s", reference / making, 0.5, "× DuckDB", named, issue=7),
        at_least(f"the same as one Parquet file, given before, {whole:.2f} s", reference / whole, 0.5, "× DuckDB", named, issue=7),
        at_most("its first byte", max(first for _, first in again), 1, "s", "given before", issue=7),
        at_least(f"the same as one Parquet file, made on the way, {begun:.2f} s", reference / begun, 0.5, "× DuckDB", named, issue=7),
        at_most("its first byte of data", first_made, 1, "s", "made on the way", issue=7),
    ]


def _contract() -> dict[str, Any]:
    properties = [
        {
            "name": p.name, "logicalType": p.logical_type, "classification": "public",
            **({"required": True, "primaryKey": True, "primaryKeyPosition": 1} if p.key_position else {}),
        }
        for p in answers.CONTRACT.properties
    ]  # fmt: skip
    words = {
        "titleEn": "Answers", "agency": "H10.02", "sharing": "default",
        "legalBasis": [{"text": "Luật Dữ liệu 60/2024/QH15", "validFrom": "2025-07-01"}],
    }  # fmt: skip
    return {
        "apiVersion": "v3.1.0", "kind": "DataContract", "id": "bench.answers", "name": "Trả lời", "version": "1.0.0", "status": "active",
        "schema": [{"name": "answers", "properties": properties}],
        "customProperties": [{"property": name, "value": value} for name, value in words.items()],
    }  # fmt: skip


def _query(client: httpx.Client) -> list[str]:
    """Signed addresses of every part."""
    told = client.post(f"{TABLE}/query", json={}).raise_for_status().text.splitlines()[2:]
    return [json.loads(line)["file"]["url"] for line in told]


def _shared(client: httpx.Client, rows: int) -> tuple[float, float]:
    """(seconds until all rows are there as Arrow, seconds until the first byte of data)."""
    began, first, count = time.perf_counter(), 0.0, 0
    for address in _query(client):
        body = io.BytesIO()
        with httpx.stream("GET", address, timeout=600) as answer:
            for piece in answer.raise_for_status().iter_bytes():
                first = first or time.perf_counter() - began
                body.write(piece)
        count += parquet.read_table(body).num_rows
    assert count == rows, f"{count} rows of {rows}"
    return time.perf_counter() - began, first


def _whole(client: httpx.Client, rows: int) -> tuple[float, float]:
    """The same two of the one file."""
    began, first, body = time.perf_counter(), 0.0, io.BytesIO()
    with client.stream("GET", "/v1/datasets/bench.answers/records", headers={"Accept": "application/vnd.apache.parquet"}) as answer:
        for piece in answer.raise_for_status().iter_bytes():
            first = first or time.perf_counter() - began
            body.write(piece)
    assert parquet.read_table(body).num_rows == rows
    return time.perf_counter() - began, first


def _duckdb(home: Path) -> float:
    began = time.perf_counter()
    duckdb.connect().execute(f"select * from read_parquet('{home}/shares/*/part-*.parquet')").to_arrow_table()
    return time.perf_counter() - began
