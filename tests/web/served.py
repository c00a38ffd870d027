"""A real server: the application in processes of its own, over real PostgreSQL, with one dataset of licences whose numbers hold slashes."""

from __future__ import annotations

import json
import os
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from lienthong.access import ASSERTION_TYPE, make_assertion, new_key_pair
from lienthong.connectors import ReadContext
from lienthong.contracts import load_all
from lienthong.ledger import Verdict
from lienthong.pipeline import Workshop, apply_contract, run_dataset
from lienthong.settings import Settings
from lienthong.store import Database
from lienthong.web.keys import ledger_signer
from tests.forking import SERVE, Forked, Process
from tests.store.ledgers import entries_of, verdict_of

CALLER = "VN/GOV/H10.12/tra-cuu"
DATASET = "test.licences"
RECORDS = f"/v1/datasets/{DATASET}/records"
LICENCES = 300
CONTRACT: dict[str, Any] = {
    "apiVersion": "v3.1.0",
    "kind": "DataContract",
    "id": DATASET,
    "name": "Giấy phép",
    "version": "1.0.0",
    "status": "active",
    "schema": [
        {
            "name": "licences",
            "properties": [
                {"name": "licence_no", "logicalType": "string", "required": True, "primaryKey": True, "primaryKeyPosition": 1},
                {"name": "holder", "logicalType": "string", "classification": "personal"},
            ],
        }
    ],
    "customProperties": [
        {"property": "titleEn", "value": "Licences"},
        {"property": "agency", "value": "H10.10"},
        {"property": "sharing", "value": "on_request"},
        {"property": "legalBasis", "value": [{"text": "Luật Dữ liệu 60/2024/QH15", "validFrom": "2025-07-01"}]},
        {"property": "sources", "value": [{"name": "file", "connector": "csv_file", "location": "${FOLDER}/licences.csv"}]},
    ],
}
AGREEMENT = {
    "id": "TT-1", "provider": "H10.10", "consumer": CALLER, "dataset": DATASET, "state": "active", "operations": ["look_up"],
    "purposes": {"tra-cuu": {"vi": "Tra cứu", "en": "Looking up"}}, "legal_basis": "NĐ 278/2025", "term": {"from": "2020-01-01"},
}  # fmt: skip


@dataclass(frozen=True)
class Served:
    """A running server and what its tests need to know of it."""

    base: str
    workshop: Workshop
    private: Mapping[str, Any]
    process: Process
    folder: Path
    verify: ssl.SSLContext | bool = True

    def headers(self) -> dict[str, str]:
        """The headers of a right request, with a token fresh from the server."""
        endpoint = self.base + "/oauth/token"
        form = {
            "grant_type": "client_credentials",
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": make_assertion(self.private, CALLER, endpoint, datetime.now(UTC)),
        }
        token = httpx.post(endpoint, data=form, verify=self.verify).raise_for_status().json()["access_token"]
        return {"Authorization": f"Bearer {token}", "Lienthong-Purpose": "tra-cuu", "Lienthong-Official": "can-bo-01"}

    def verdict(self) -> Verdict:
        """The whole ledger, recomputed."""
        return verdict_of(self.workshop.database, self.workshop.signer)

    def bodies(self) -> list[dict[str, Any]]:
        return entries_of(self.workshop.database, self.workshop.signer)


@contextmanager
def serving(
    database_url: str, folder: Path, *, environment: Mapping[str, str] | None = None, agreement: Mapping[str, Any] | None = None,
    number: str = "{}/GP-UBND", verify: ssl.SSLContext | bool = True, anew: bool = False,
) -> Iterator[Served]:  # fmt: skip
    """Publish the licences, numbered so; start the server, stop it as an operator would. `environment`, `agreement`: what is other than usual;
    `verify`: how a client knows the server, where it speaks TLS; `anew`: started from nothing, as an operator would, with companions of its own."""
    private, public = new_key_pair()
    subsystem = {"identifier": CALLER, "title_vi": "Tra cứu", "title_en": "Looking up", "keys": [{"jwk": public}]}
    for name, document in {
        "datasets/test/licences/contract.yaml": CONTRACT,
        "agreements/subsystems/one.yaml": subsystem,
        "agreements/agreements/one.yaml": {**AGREEMENT, **(agreement or {})},
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(json.dumps(document, ensure_ascii=False), encoding="utf-8")  # JSON is YAML
    lines = ["licence_no,holder", *(f"{number.format(n)},Công ty số {n}" for n in range(LICENCES))]
    (folder / "licences.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    port = _free_port()
    settings = Settings(
        database_url=database_url,
        home=folder / "home",
        datasets=folder / "datasets",
        agreements=folder / "agreements",
        port=port,
        tls_certificate=(environment or {}).get("LIENTHONG_TLS_CERTIFICATE", ""),
    )
    workshop = Workshop(
        Database(database_url),
        load_all(settings.datasets),
        ledger_signer(settings),
        read_context=ReadContext(variables={"FOLDER": str(folder)}),
    )
    apply_contract(workshop, workshop.contracts[DATASET])
    run_dataset(workshop, workshop.contracts[DATASET])
    variables = {
        **os.environ, **(environment or {}), "LIENTHONG_DATABASE_URL": database_url, "LIENTHONG_HOME": str(settings.home), "LIENTHONG_DATASETS": str(settings.datasets),
        "LIENTHONG_AGREEMENTS": str(settings.agreements), "LIENTHONG_PORT": str(port), "LIENTHONG_LOG_LEVEL": "WARNING",
        "LIENTHONG_WORKER": (environment or {}).get("LIENTHONG_WORKER", "0"),
    }  # fmt: skip
    process: Process = (subprocess.Popen if anew else Forked)([sys.executable, *SERVE], env=variables)
    try:
        _await_answer(settings.public_url, process, verify)
        yield Served(settings.public_url, workshop, private, process, folder, verify)
    finally:
        process.terminate()
        process.wait(120)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _await_answer(base: str, process: Process, verify: ssl.SSLContext | bool = True) -> None:
    until = time.monotonic() + 120
    while time.monotonic() < until and process.poll() is None:
        try:
            httpx.get(base + "/health", verify=verify).raise_for_status()
        except httpx.HTTPError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError("the server did not answer")
