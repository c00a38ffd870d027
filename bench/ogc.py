"""Maps: a page of about a thousand parcels within a box, out of half a million, asked over HTTP by a subsystem under an agreement.

Everything an answer needs is in it: the right, the index of boxes, how many there are, GeoJSON, the ledger entry.
"""

from __future__ import annotations

import random
import statistics
import time
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import httpx
import yaml

from bench.report import Row, at_most
from bench.serving import SUBSYSTEM, _serving, _token
from lienthong.access import new_key_pair
from lienthong.contracts import load_all
from lienthong.store import Database, runs, tables
from lienthong.store.embedded import EmbeddedServer

DATASET = "bench.parcels"
ASKED, WARM = 200, 20
WEST, SOUTH, CELL = 106.0, 11.0, 0.0005  # a grid of squares of some fifty metres
PAGE = 1_000
CONTRACT: dict[str, Any] = {
    "apiVersion": "v3.1.0", "kind": "DataContract", "id": DATASET, "name": "Thửa đất", "version": "1.0.0", "status": "active",
    "schema": [{"name": "parcels", "properties": [
        {"name": "parcel_id", "logicalType": "string", "required": True, "primaryKey": True, "primaryKeyPosition": 1, "classification": "public"},
        {"name": "land_use", "logicalType": "string", "classification": "public"},
        {"name": "area_m2", "logicalType": "number", "classification": "public"},
        {"name": "geometry", "logicalType": "string", "classification": "public", "customProperties": [{"property": "standard", "value": "geometry"}]},
    ]}],
    "customProperties": [
        {"property": "titleEn", "value": "Parcels"}, {"property": "agency", "value": "H10.10"}, {"property": "sharing", "value": "default"},
        {"property": "legalBasis", "value": [{"text": "Luật Đất đai 31/2024/QH15", "validFrom": "2024-08-01"}]},
    ],
}  # fmt: skip
FILL = """
insert into data.bench_parcels (_key, _digest, _version, _row, _valid_from, parcel_id, land_use, area_m2, geometry)
select 'T-' || n, n, 1, n, '2026-01-01', 'T-' || n, case when n %% 3 = 0 then 'LUC' else 'ODT' end, n %% 5000 + 1,
    format('{"type":"Polygon","coordinates":[[[%%s,%%s],[%%s,%%s],[%%s,%%s],[%%s,%%s],[%%s,%%s]]]}',
        round(x, 6), round(y, 6), round(x + size, 6), round(y, 6), round(x + size, 6), round(y + size, 6), round(x, 6), round(y + size, 6), round(x, 6), round(y, 6))
from (
    select n, %(west)s::numeric + n %% %(side)s * %(cell)s::numeric as x, %(south)s::numeric + n / %(side)s * %(cell)s::numeric as y,
        %(cell)s::numeric * 0.9 as size
    from generate_series(0, %(rows)s - 1) as n
) as place
"""


def measure(server: EmbeddedServer, folder: Path, rows: int) -> list[Row]:
    """The row of maps; `rows` parcels."""
    url, home = server.create_database("maps"), folder / "maps"
    private, public = new_key_pair()
    for name, document in {
        "datasets/bench/parcels/contract.yaml": CONTRACT,
        "agreements/subsystems/bench.yaml": {"identifier": SUBSYSTEM, "title_vi": "Đo tốc độ", "title_en": "Measuring", "keys": [{"jwk": public}]},
        "agreements/agreements/bench.yaml": {
            "id": "MAPS", "provider": "H10.10", "consumer": SUBSYSTEM, "dataset": DATASET, "state": "active", "operations": ["list", "bulk"],
            "purposes": {"do": {"vi": "Đo", "en": "Measure"}}, "legal_basis": "none: measuring", "term": {"from": "2020-01-01"},
        },
    }.items():  # fmt: skip
        path = home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(yaml.safe_dump(document, allow_unicode=True), encoding="utf-8")
    side = _fill(url, home, rows)
    with _serving(url, home, "lienthong.web.serve:application", home / "datasets") as base:
        headers = {"Authorization": f"Bearer {_token(base, private)}", "Lienthong-Purpose": "do", "Lienthong-Official": "may-do"}
        took, counts = _asked(base, headers, side)
    p95 = statistics.quantiles(took, n=20)[-1]
    named = f"median {statistics.median(took):.1f} ms, {statistics.mean(counts):,.0f} parcels a page"
    return [at_most(f"OGC items, bbox, {rows:,} parcels, 95th percentile", p95, 100, "ms", named, issue=7)]


def _fill(url: str, home: Path, rows: int) -> int:
    """Publish the grid; how many squares it has a side."""
    Database(url).apply_schema()
    contract, side = load_all(home / "datasets")[DATASET], int(rows**0.5) + 1
    with Database(url).connect() as connection:
        tables.apply_tables(connection, contract)
        connection.execute(FILL, {"west": WEST, "south": SOUTH, "cell": CELL, "side": side, "rows": rows})
        run = runs.begin(connection, DATASET, "bench", "snapshot", "0" * 64, None, datetime.now(UTC), date(2026, 1, 1))
        names = [p.name for p in contract.properties]
        connection.execute("insert into versions values (%s, 1, %s, now(), '1.0.0', %s, %s, 0, 0, true)", (DATASET, run, names, rows))
        connection.execute("update datasets set current_version = 1 where dataset_id = %s", (DATASET,))
    with Database(url).connect(autocommit=True) as connection:
        connection.execute("vacuum analyze data.bench_parcels")
    return side


def _asked(base: str, headers: dict[str, str], side: int) -> tuple[list[float], list[int]]:
    """(milliseconds of each answer, parcels in it): boxes of about a thousand squares, here and there."""
    chance, took, counts = random.Random(7), [], []
    across = 31 * CELL
    with httpx.Client(base_url=base, headers=headers) as client:
        for number in range(WARM + ASKED):
            west = WEST + chance.random() * (side - 32) * CELL
            south = SOUTH + chance.random() * (side - 32) * CELL
            asked = {"limit": str(PAGE), "bbox": f"{west:.6f},{south:.6f},{west + across:.6f},{south + across:.6f}"}
            began = time.perf_counter()
            answer = client.get(f"/ogc/collections/{DATASET}/items", params=asked).raise_for_status()
            if number >= WARM:
                took.append((time.perf_counter() - began) * 1000)
                counts.append(answer.json()["numberReturned"])
    return took, counts
