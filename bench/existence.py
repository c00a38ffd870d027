"""Whether a caller can tell a hidden record from one that is not there by how long the answer takes.

Two callers at a served application: one without any right to the dataset, one whose agreement gives some rows only. Each asks, on one kept
connection, for records that are there (but not for it) and for ones that are not, one after the other in random order, thousands of times;
a key is asked for once. The slowest tenth of all is left out, as in dudect (Reparaz, Balasch, Verbauwhede: Dude, is my code constant time?,
2017), and the two classes are compared by Welch's t (above 4.5: they differ) and by the difference of their medians with the bounds within
which it lies for 99 of 100 shuffles of the labels.
"""

from __future__ import annotations

import json
import random
import statistics
from collections.abc import Callable
from http.client import HTTPConnection
from pathlib import Path
from time import perf_counter
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import yaml

from bench import serving
from bench.report import Row, at_most
from lienthong.access import new_key_pair
from lienthong.contracts import load_all
from lienthong.ledger import Signer
from lienthong.pipeline import Workshop, apply_contract, run_dataset
from lienthong.store import Database
from lienthong.store.embedded import EmbeddedServer

ISSUE = 4
DATASET = "bench.records"
AGENCY = "H10.10"
NARROW, STRANGER = "VN/GOV/H10.12/mot-phan", "VN/GOV/H10.12/xa-la"
RECORDS = 60_000  # every second one hidden
ASKED = 1_500  # of each class, at each door
SLOWER = 6  # so many times fewer where each answer waits for a step of 50 ms
WARM = 100
KEPT = 0.9  # of the quickest
SHUFFLES = 2_000
SURE = 4.5  # dudect's bound of t
CONTRACT: dict[str, Any] = {
    "apiVersion": "v3.1.0", "kind": "DataContract", "id": DATASET, "name": "Hồ sơ", "version": "1.0.0", "status": "active",
    "schema": [{"name": "records", "properties": [
        {"name": "number", "logicalType": "string", "required": True, "primaryKey": True, "primaryKeyPosition": 1},
        {"name": "place", "logicalType": "string"}, {"name": "holder", "logicalType": "string", "classification": "personal"},
    ]}],
    "customProperties": [
        {"property": "titleEn", "value": "Records"}, {"property": "agency", "value": AGENCY}, {"property": "sharing", "value": "on_request"},
        {"property": "legalBasis", "value": [{"text": "Luật Dữ liệu 60/2024/QH15", "validFrom": "2025-07-01"}]},
        {"property": "sources", "value": [{"name": "file", "connector": "csv_file", "location": "${FOLDER}/records.csv"}]},
    ],
}  # fmt: skip
WANTED = {200, 403, 404, 500}  # nothing, in words of each door; X-Road says a refusal with 500
ROOT = f"/v1/datasets/{DATASET}/records"
Address = Callable[[str], str]
DOORS: dict[str, Address] = {
    "look-up": lambda key: f"{ROOT}/{key}",
    "look-up with fields": lambda key: f"{ROOT}/{key}?fields=number",
    "list": lambda key: f"{ROOT}?number={key}",
    "OData": lambda key: f"/odata/v4/bench_records('{key}')",
    "X-Road": lambda key: f"/r1/VN/GOV/{AGENCY}/du-lieu/{DATASET}/{key}",
}


def measure(server: EmbeddedServer, folder: Path, asked: int = ASKED) -> list[Row]:
    """A row for each caller and door."""
    home, url = folder / "existence", server.create_database("existence")
    keys = _write(home)
    _publish(url, home)
    found = []
    with serving._serving(url, home, "lienthong.web.serve:application", home / "datasets") as base:
        for caller, said in ((STRANGER, "no right"), (NARROW, "some rows only")):
            headers = {
                "Authorization": f"Bearer {_token(base, caller, keys[caller])}", "Lienthong-Purpose": "tra-cuu", "Lienthong-Official": "can-bo",
                "X-Road-Client": caller, "X-Road-UserId": "can-bo", "X-Road-Issue": "tra-cuu",
            }  # fmt: skip
            for door, address in DOORS.items():
                is_slow = caller == NARROW and door != "look-up"
                found.append(_compared(f"{said}, {door}", *_times(base, headers, address, asked // SLOWER if is_slow else asked)))
    return found


def _compared(name: str, hidden: list[float], absent: list[float]) -> Row:
    """What the two classes look like from outside."""
    limit = np.quantile(np.array(hidden + absent), KEPT)
    one, other = (np.array([value for value in values if value <= limit]) * 1e6 for values in (hidden, absent))
    t = abs(float((one.mean() - other.mean()) / np.sqrt(one.var(ddof=1) / one.size + other.var(ddof=1) / other.size)))
    apart, bound = float(np.median(one) - np.median(other)), _bound(one, other)
    said = f"medians {statistics.median(one):,.0f} and {statistics.median(other):,.0f} µs: {apart:+.1f} µs apart, by chance ±{bound:.1f}; {len(hidden):,} of each"
    return at_most(f"hidden or absent, told by time ({name}): Welch's t", t, SURE, "", said, ISSUE)


def _bound(one: Any, other: Any) -> float:
    """How far apart the medians are in 99 of 100 shuffles of the labels."""
    chance, both = np.random.default_rng(1), np.concatenate([one, other])
    found = []
    for _ in range(SHUFFLES):
        chance.shuffle(both)
        found.append(abs(float(np.median(both[: one.size]) - np.median(both[one.size :]))))
    return float(np.quantile(found, 0.99))


def _times(base: str, headers: dict[str, str], address: Address, asked: int) -> tuple[list[float], list[float]]:
    """Seconds of each answer: (for hidden records, for absent ones). They take turns in random order."""
    parts = urlsplit(base)
    connection = HTTPConnection(str(parts.hostname), parts.port)
    chance = random.Random(address("x"))
    hidden = [_key(number * 2 + 1) for number in chance.sample(range(RECORDS // 2), asked + WARM)]
    absent = [_key(RECORDS + number) for number in chance.sample(range(RECORDS), asked + WARM)]
    times: tuple[list[float], list[float]] = ([], [])
    answers: set[tuple[int, int]] = set()
    for place, pair in enumerate(zip(hidden, absent, strict=True)):
        for which in chance.sample((0, 1), 2):
            path = address(pair[which])
            began = perf_counter()
            connection.request("GET", path, headers=headers)
            answer = connection.getresponse()
            body = answer.read()
            took = perf_counter() - began
            answers.add((answer.status, len(body)))
            if place >= WARM:
                times[which].append(took)
    connection.close()
    assert len(answers) == 1, f"{address('KEY')}: {answers}"  # the answers themselves must not tell
    assert {status for status, _ in answers} <= WANTED, f"{address('KEY')}: {answers}"
    return times


def _key(number: int) -> str:
    return f"R{number:07d}"


def _token(base: str, caller: str, private: Any) -> str:
    named, serving.SUBSYSTEM = serving.SUBSYSTEM, caller
    try:
        return serving._token(base, private)
    finally:
        serving.SUBSYSTEM = named


def _publish(url: str, home: Path) -> None:
    database = Database(url)
    database.apply_schema()
    contracts = load_all(home / "datasets")
    workshop = Workshop(database, contracts, Signer.new("lienthong/bench"))
    apply_contract(workshop, contracts[DATASET])
    run_dataset(workshop, contracts[DATASET])


def _write(home: Path) -> dict[str, Any]:
    """Contract, rows, two subsystems and the agreement of one; gives their keys."""
    folder, keys = home / "datasets" / "bench" / "records", {}
    documents: dict[str, Any] = {}
    for n, caller in enumerate((NARROW, STRANGER)):
        keys[caller], public = new_key_pair()
        documents[f"subsystems/{n}.yaml"] = {"identifier": caller, "title_vi": "Đo", "title_en": "Measuring", "keys": [{"jwk": public}]}
    documents["agreements/narrow.yaml"] = {
        "id": "BENCH", "provider": AGENCY, "consumer": NARROW, "dataset": DATASET, "state": "active", "operations": ["look_up", "list"],
        "row_filter": [{"field": "place", "operator": "eq", "value": "0"}], "purposes": {"tra-cuu": {"vi": "Tra cứu", "en": "Looking up"}},
        "legal_basis": "none: measuring", "term": {"from": "2020-01-01"},
    }  # fmt: skip
    for name, document in documents.items():
        path = home / "agreements" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(yaml.safe_dump(document, allow_unicode=True), encoding="utf-8")
    folder.mkdir(parents=True)
    lines = ["number,place,holder", *(f"{_key(n)},{n % 2},Người {n}" for n in range(RECORDS))]
    (folder / "records.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (folder / "contract.yaml").write_text(json.dumps(CONTRACT).replace("${FOLDER}", str(folder)), encoding="utf-8")
    return keys
