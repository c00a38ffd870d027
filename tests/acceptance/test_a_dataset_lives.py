"""An agency's story: a contract, a file, mistakes, changes, a reader under an agreement, rows posted. Only commands and HTTP."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from tests import forking
from tests.acceptance.demo_process import ROOT, free_port
from tests.conftest import open_folder

DATASET = "library.members"
READER, OWNER = "VN/GOV/H10.12/tra-cuu", "VN/GOV/H10.02/thu-vien"
CONTRACT = """
apiVersion: v3.1.0
kind: DataContract
id: library.members
name: Bạn đọc thư viện
version: 1.0.0
status: active
domain: culture
description: {purpose: "Bạn đọc của thư viện tỉnh."}
schema:
  - name: members
    physicalType: table
    properties:
      - {name: card_no, businessName: Số thẻ, logicalType: string, required: true, primaryKey: true, primaryKeyPosition: 1, classification: internal, customProperties: [{property: titleEn, value: Card number}]}
      - {name: full_name, businessName: Họ và tên, logicalType: string, required: true, classification: personal, customProperties: [{property: titleEn, value: Full name}, {property: standard, value: person_name}]}
      - {name: born_on, businessName: Ngày sinh, logicalType: date, classification: personal, customProperties: [{property: titleEn, value: Born on}]}
      - {name: debt, businessName: Nợ sách, logicalType: integer, classification: personal, logicalTypeOptions: {minimum: 0}, customProperties: [{property: titleEn, value: Books owed}]}
slaProperties:
  - {property: frequency, value: 1, unit: d}
team: {name: data-officer, description: "Đầu mối dữ liệu · data officer (a role)."}
customProperties:
  - {property: titleEn, value: Library members}
  - {property: descriptionEn, value: Members of the provincial library.}
  - {property: agency, value: H10.02}
  - {property: entity, value: person}
  - {property: layer, value: source}
  - {property: sharing, value: on_request}
  - property: legalBasis
    value:
      - {text: Luật Dữ liệu 60/2024/QH15, validFrom: "2025-07-01"}
  - property: sources
    value:
      - {name: file, connector: csv_file, location: "${LIBRARY}/*.csv"}
"""
FIRST = "card_no,full_name,born_on,debt\nT1,NGUYỄN  VĂN AN,2/9/1990,0\nT2,Trần Thị Bình,31/02/1991,1\nT3,Lê Văn Chi,1992-03-04,2\n"
SECOND = "card_no,full_name,born_on,debt\nT1,Nguyễn Văn An,02/09/1990,3\nT2,Trần Thị Bình,31/02/1991,1\nT4,Phạm Thị Dung,05/06/1993,0\n"
COMMAND = ("-c", "from lienthong.cli import main; main()")  # what the script `lienthong` holds; each command is a process of its own
pytestmark = pytest.mark.timeout(900)


@dataclass
class Office:
    """A home of its own and a terminal."""

    home: Path
    port: int
    tokens: dict[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("LIENTHONG_")}
        ours = {
            "HOME": self.home / "home", "DATASETS": self.home / "datasets", "AGREEMENTS": self.home / "agreements", "PORT": self.port,
            "SOURCE_LIBRARY": self.home / "library", "LANG": "en", "LOG_LEVEL": "ERROR", "WORKER_NICE": 0,
        }  # fmt: skip
        return {**kept, "COLUMNS": "200", **{f"LIENTHONG_{name}": str(value) for name, value in ours.items()}}

    def run(self, *words: str, code: int = 0) -> str:
        """A command's words, standard output and error."""
        done = forking.run([sys.executable, *COMMAND, *words], cwd=ROOT, env=self.environment)
        assert done.returncode == code, f"{words}: {done.returncode}\n{done.stdout}{done.stderr}"
        assert "Traceback" not in done.stderr
        return done.stdout + done.stderr

    def ask(self, subsystem: str, path: str, **parameters: str) -> httpx.Response:
        return httpx.get(f"{self.url}/v1/datasets/{DATASET}{path}", params=parameters, headers=self.headers(subsystem))

    def headers(self, subsystem: str, purpose: str = "tra-cuu") -> dict[str, str]:
        if subsystem not in self.tokens:
            key = self.home / f"{subsystem.rsplit('/', 1)[-1]}.jwk"
            self.tokens[subsystem] = self.run("token", subsystem, "--key", str(key), "--url", self.url).strip()
        return {"Authorization": f"Bearer {self.tokens[subsystem]}", "Lienthong-Purpose": purpose, "Lienthong-Official": "can-bo-1"}


@pytest.fixture(scope="module")
def office() -> Iterator[Office]:
    with open_folder() as home:
        place = Office(home, free_port())
        folder = home / "datasets" / "library" / "members"
        folder.mkdir(parents=True)
        (folder / "contract.yaml").write_text(CONTRACT, "utf-8")
        (home / "library").mkdir()
        (home / "library" / "members.csv").write_text(FIRST, "utf-8")
        agree(place)
        server: forking.Forked | None = None
        try:
            place.run("contract", "apply", str(home / "datasets"))
            place.run("run", DATASET)
            server = serve(place)
            yield place
        finally:
            if server is not None:
                server.terminate()
                server.wait(120)


def serve(place: Office) -> forking.Forked:
    server = forking.Forked([sys.executable, *COMMAND, "serve"], cwd=ROOT, env=place.environment)
    for _ in range(1200):
        assert server.poll() is None
        try:
            if httpx.get(place.url + "/health").status_code == 200:
                return server
        except httpx.HTTPError:
            time.sleep(0.1)
    raise AssertionError("the server does not answer")


def agree(place: Office) -> None:
    """Keys by the command, an agreement for a reader (who may not see debts) and one for the owner (who may send)."""
    for subsystem in (READER, OWNER):
        name = subsystem.rsplit("/", 1)[-1]
        public = json.loads(place.run("key", "new", str(place.home / f"{name}.jwk")))
        write(place.home / "agreements" / "subsystems" / f"{name}.yaml", {"identifier": subsystem, "keys": [public]})
    common: Mapping[str, Any] = {
        "provider": "H10.02", "dataset": DATASET, "state": "active", "purposes": {"tra-cuu": {"vi": "Tra cứu", "en": "Look-up"}},
        "legal_basis": "Luật Dữ liệu 60/2024/QH15", "term": {"from": "2025-01-01"},
    }  # fmt: skip
    reader = {"id": "R-1", "consumer": READER, "fields": ["card_no", "full_name", "born_on"], "operations": ["look_up", "list", "changes"]}
    owner = {"id": "R-2", "consumer": OWNER, "fields": "all", "operations": ["look_up", "submit"]}
    for agreement in (reader, owner):
        write(place.home / "agreements" / "agreements" / f"{agreement['id']}.yaml", {**common, **agreement})


def write(path: Path, document: Mapping[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(dict(document), allow_unicode=True), "utf-8")


def test_a_dataset_lives(office: Office) -> None:
    """One story, told in order."""
    # What the reader sees: a clean name, no debts, and a row that waits is not there.
    seen = office.ask(READER, "/records/T1").json()
    assert seen["values"] == {"card_no": "T1", "full_name": "Nguyễn Văn An", "born_on": "1990-09-02"}
    assert (seen["withheld"], seen["version"]) == (["debt"], 1)
    assert office.ask(READER, "/records/T2").status_code == 404
    between = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 1))
    time.sleep(1.1)

    # What the data officer sees, and puts right.
    waiting = office.run("quarantine", "list", DATASET)
    assert "members.csv" in waiting
    item = office.run("quarantine", "list", DATASET, "--numbers").strip()
    assert "31/02/1991" in office.run("quarantine", "show", item)
    assert "still waits" in office.run("quarantine", "correct", item, "--set", "born_on=30/02/1991", code=1)
    assert "went through" in office.run("quarantine", "correct", item, "--set", "born_on=28/02/1991")
    assert office.ask(READER, "/records/T2").json()["values"]["born_on"] == "1991-02-28"

    # The agency delivers again: one changed, one gone, one new; the corrected row comes as wrong as before, the correction stands.
    (office.home / "library" / "members.csv").write_text(SECOND, "utf-8")
    office.run("run", DATASET)
    assert office.run("quarantine", "list", DATASET, "--numbers").strip() == ""
    assert [r["key"] for r in office.ask(READER, "/records", sort="card_no").json()["records"]] == ["T1", "T2", "T4"]
    feed = office.ask(READER, "/changes").json()["changes"]
    assert [(c["op"], c["key"]) for c in feed] == [
        ("insert", "T1"),
        ("insert", "T3"),
        ("insert", "T2"),
        ("update", "T1"),
        ("end", "T3"),
        ("insert", "T4"),
    ]

    # What was known then can still be asked.
    assert office.ask(READER, "/records/T3").status_code == 404
    assert office.ask(READER, "/records/T3", known_at=between).json()["values"]["full_name"] == "Lê Văn Chi"
    assert office.ask(READER, "/records/T2", known_at=between).status_code == 404

    # Refusals: no purpose of the agreement, no right to send.
    refused = httpx.get(f"{office.url}/v1/datasets/{DATASET}/records/T1", headers=office.headers(READER, purpose="to-mo"))
    assert (refused.status_code, refused.headers["content-type"]) == (403, "application/problem+json")
    posted = {"records": [{"card_no": "T5", "full_name": "Võ Văn Em", "born_on": "1994-01-01", "debt": "0"}, {"card_no": "T6"}]}
    address = f"{office.url}/v1/datasets/{DATASET}/records"
    assert httpx.post(address, json=posted, headers={**office.headers(READER), "Idempotency-Key": "k1"}).status_code == 403

    # The owner sends rows; the same batch again does nothing.
    mine = {**office.headers(OWNER), "Idempotency-Key": "k1"}
    first, again = (httpx.post(address, json=posted, headers=mine, timeout=120).json() for _ in range(2))
    assert len(first["verdicts"]) == 2
    assert (first["repeated"], again["repeated"], again["run"]) == (False, True, first["run"])
    assert office.ask(READER, "/records/T5").json()["values"]["full_name"] == "Võ Văn Em"

    # And all of it is proved.
    assert "The ledger holds" in office.run("ledger", "verify")
    assert "promises hold" in office.run("check")


def test_faults_of_a_contract_are_told_all_at_once_and_change_nothing(office: Office) -> None:
    broken = office.home / "broken.yaml"
    broken.write_text(CONTRACT.replace("logicalType: date", "logicalType: day").replace("person_name", "persn_name"), "utf-8")
    told = office.run("contract", "check", str(broken), code=1)
    assert "properties[1].standard" in told
    assert "properties[2]" in told
    assert "person_name" in told


def test_an_unknown_dataset_and_an_unknown_command_differ(office: Office) -> None:
    assert DATASET in office.run("run", "library.membres", code=1)
    office.run("quarantines", code=2)
