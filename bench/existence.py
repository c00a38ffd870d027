"""Whether a caller can tell a hidden record from one that is not there by how long the answer takes.

Two callers at a served application: one without any right to the dataset, one whose agreement gives some rows only. Each asks for records
that are there (but not for it) and for ones that are not, thousands of times, a key once (`bench.alike` says how they are compared). The first
also asks for a dataset whose very entry is kept from the public, and for ones there are not.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from bench import existence_persons, existence_services, serving
from bench.alike import WARM, asks_of, compare, headers_of
from bench.report import Row
from lienthong.access import new_key_pair
from lienthong.contracts import load_all
from lienthong.ledger import Signer
from lienthong.pipeline import Workshop, apply_contract, run_dataset
from lienthong.store import Database
from lienthong.store.embedded import EmbeddedServer

DATASET = "bench.records"
SECRET = "bench.secrets"  # its very entry is not public
AGENCY = "H10.10"
NARROW, STRANGER = "VN/GOV/H10.12/mot-phan", "VN/GOV/H10.12/xa-la"
RECORDS = 60_000  # every second one hidden
ASKED = 1_500  # of each class, at each door
SLOWER = 6  # so many times fewer where each answer waits for a step of 50 ms
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
DATASET_DOORS: dict[str, Address] = {
    "look-up": lambda name: f"/v1/datasets/{name}/records/R1",
    "list": lambda name: f"/v1/datasets/{name}/records",
    "its page": lambda name: f"/v1/datasets/{name}",
    "X-Road": lambda name: f"/r1/VN/GOV/{AGENCY}/du-lieu/{name}/R1",
}


def measure(server: EmbeddedServer, folder: Path, asked: int = ASKED) -> list[Row]:
    """Rows of records and datasets, of persons (`bench.existence_persons`) and of services (`bench.existence_services`)."""
    return [
        *_of_records(server, folder, asked),
        *existence_persons.measure(server, folder, asked // SLOWER),
        *existence_services.measure(server, folder, asked),
    ]


def _of_records(server: EmbeddedServer, folder: Path, asked: int) -> list[Row]:
    """A row for each caller and door."""
    home, url = folder / "existence", server.create_database("existence")
    keys = _write(home)
    _publish(url, home)
    found = []
    with serving._serving(url, home, "lienthong.web.serve:application", home / "datasets") as base:
        for caller, said in ((STRANGER, "no right"), (NARROW, "some rows only")):
            headers = headers_of(base, caller, keys[caller])
            for door, address in DOORS.items():
                is_slow = caller == NARROW and door != "look-up"
                keys_asked = _keys(address("x"), (asked // SLOWER if is_slow else asked) + WARM)
                asks = asks_of(address, *keys_asked, is_repeated=False)
                found.append(compare(f"{said}, {door}", base, headers, asks, WANTED))
        headers = headers_of(base, STRANGER, keys[STRANGER])
        for door, address in DATASET_DOORS.items():
            few = asked // SLOWER + WARM
            asks = asks_of(address, [SECRET] * few, [f"bench.no{n:05d}" for n in range(few)], is_repeated=True)
            found.append(compare(f"a dataset kept from the public, {door}", base, headers, asks, WANTED))
    return found


def _keys(seed: str, count: int) -> tuple[list[str], list[str]]:
    """(keys of records hidden from the narrow caller, keys of none)."""
    chance = random.Random(seed)
    hidden = [_key(number * 2 + 1) for number in chance.sample(range(RECORDS // 2), count)]
    return hidden, [_key(RECORDS + number) for number in chance.sample(range(RECORDS), count)]


def _key(number: int) -> str:
    return f"R{number:07d}"


def _publish(url: str, home: Path) -> None:
    database = Database(url)
    database.apply_schema()
    contracts = load_all(home / "datasets")
    workshop = Workshop(database, contracts, Signer.new("lienthong/bench"))
    for contract in contracts.values():
        apply_contract(workshop, contract)
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
    secret = CONTRACT | {
        "id": SECRET,
        "customProperties": [*CONTRACT["customProperties"], {"property": "catalogueEntry", "value": "restricted"}],
    }
    folder.with_name("secrets").mkdir()
    (folder.with_name("secrets") / "contract.yaml").write_text(json.dumps(secret).replace("${FOLDER}", str(folder)), encoding="utf-8")
    return keys
