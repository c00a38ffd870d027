"""A small served province every door is asked about: statistics, borders and parcels; one figure; one dataset nobody may have without an agreement."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import openpyxl

from demo.province import generate
from lienthong.access import ASSERTION_TYPE, make_assertion, new_key_pair
from lienthong.connectors import ReadContext
from lienthong.contracts import load_all
from lienthong.pipeline import Workshop, apply_contract, run_dataset
from lienthong.settings import Settings
from lienthong.store import Database
from lienthong.web.keys import ledger_signer
from tests.acceptance.demo_process import free_port
from tests.forking import SERVE, Forked

ROOT = Path(__file__).parents[2]
LOADED = (
    "admin-units.units",
    "admin-units.changes",
    "agencies.register",
    "statistics.indicators",
    "land.parcels",
    "land.holders",
    "environment.readings",
)
HOURS = 24  # of readings
CALLER = "VN/GOV/H10.12/cua-so"
STRANGER = "VN/GOV/H10.12/nguoi-la"
PURPOSE = "doi-chieu"
FIGURE_DATASET = "statistics.indicators"
FIGURE_INDICATOR = "XH01"  # the share of poor households: what the indicator page shows is this very figure
RESTRICTED = "land.holders"
AGREEMENT = {
    "id": "TT-CUA", "provider": "H10.10", "consumer": CALLER, "dataset": "land.parcels", "state": "active", "operations": ["look_up", "list", "bulk", "changes"],
    "purposes": {PURPOSE: {"vi": "Đối chiếu", "en": "Comparing"}}, "legal_basis": "NĐ 278/2025", "term": {"from": "2020-01-01"},
}  # fmt: skip


@dataclass(frozen=True)
class Figure:
    """One figure of the yearbook: where it stands and what it is."""

    where: Mapping[str, str]  # indicator_code, district_code, year
    value: float

    @property
    def conditions(self) -> list[str]:
        return [f"{name}={value}" for name, value in self.where.items()]


def figures_printed(yearbook: Path) -> list[Figure]:
    """The figures of the statistics office's yearbook as it printed them, read without any of our code; newest year first."""
    found = []
    for sheet in openpyxl.load_workbook(yearbook, read_only=True, data_only=True):
        rows = sheet.iter_rows(min_row=4, values_only=True)
        years = [str(head)[:4] for head in next(rows)[2:]]
        for code, _, *cells in rows:
            if code == "Tổng số":
                break
            for year, cell in zip(years, cells, strict=True):
                where = {"indicator_code": sheet.title, "district_code": str(code), "year": year}
                found.append(Figure(where, float(str(cell).replace(",", "."))))
    return sorted(found, key=lambda f: (-int(f.where["year"]), f.where["indicator_code"], f.where["district_code"]))


class Province:
    """The running server; tokens of a subsystem with an agreement about parcels (`CALLER`) and of one without any (`STRANGER`)."""

    def __init__(self, settings: Settings, workshop: Workshop, keys: Mapping[str, Mapping[str, Any]]) -> None:
        self.base, self.settings, self.workshop, self._keys = settings.public_url, settings, workshop, keys

    def token(self, caller: str = CALLER) -> str:
        endpoint = self.base + "/oauth/token"
        assertion = make_assertion(self._keys[caller], caller, endpoint, datetime.now(UTC))
        form = {"grant_type": "client_credentials", "client_assertion_type": ASSERTION_TYPE, "client_assertion": assertion}
        token: str = httpx.post(endpoint, data=form).raise_for_status().json()["access_token"]
        return token

    def figures(self) -> list[Figure]:
        """Every figure the statistics office printed; the doors are held against this, never against one of themselves."""
        [yearbook] = (self.settings.home / "province" / "thong-ke").glob("*.xlsx")
        return figures_printed(yearbook)

    def figure(self) -> Figure:
        """The first district's share of poor households of the newest year."""
        return next(figure for figure in self.figures() if figure.where["indicator_code"] == FIGURE_INDICATOR)


@contextmanager
def serving(url: str, home: Path) -> Iterator[Province]:
    """Fill the province of 300 invented people and serve it."""
    port = free_port()
    settings = Settings(
        database_url=url, home=home, datasets=ROOT / "datasets", agreements=home / "agreements", port=port, accept_synthetic_ids=True,
        borders=str(ROOT / "demo" / "data" / "commune_borders.geojson.gz"),
    )  # fmt: skip
    keys = _agreed(home / "agreements")
    workshop = _filled(settings, home / "province")
    told = {
        f"LIENTHONG_{name.upper()}": str(getattr(settings, name))
        for name in ("database_url", "home", "datasets", "agreements", "port", "borders")
    }
    ours = {name: value for name, value in os.environ.items() if not name.startswith("LIENTHONG_")}
    environment = {**ours, **told, "LIENTHONG_ACCEPT_SYNTHETIC_IDS": "true", "LIENTHONG_LOG_LEVEL": "WARNING", "LIENTHONG_WORKER": "0"}
    process = Forked([sys.executable, *SERVE], env=environment)
    try:
        _await_answer(settings.public_url, process)
        yield Province(settings, workshop, keys)
    finally:
        process.terminate()
        process.wait(120)


def _agreed(folder: Path) -> Mapping[str, Mapping[str, Any]]:
    """Two subsystems and one agreement as files; the private keys by subsystem."""
    keys = {}
    for number, caller in enumerate((CALLER, STRANGER)):
        private, public = new_key_pair()
        keys[caller] = private
        document = {"identifier": caller, "title_vi": "Cửa sổ", "title_en": "A window", "keys": [{"jwk": public}]}
        (folder / "subsystems").mkdir(parents=True, exist_ok=True)
        (folder / "subsystems" / f"{number}.yaml").write_text(json.dumps(document, ensure_ascii=False), encoding="utf-8")
    (folder / "agreements").mkdir()
    (folder / "agreements" / "one.yaml").write_text(json.dumps(AGREEMENT, ensure_ascii=False), encoding="utf-8")
    return keys


def _filled(settings: Settings, out: Path) -> Workshop:
    generate(out, 300, 1)
    for late in sorted((out / "quan-trac").iterdir())[HOURS:]:
        late.unlink()
    workshop = Workshop(
        Database(settings.database_url), load_all(settings.datasets), ledger_signer(settings), accept_synthetic_ids=True,
        read_context=ReadContext(variables={"DEMO": str(out)}),
    )  # fmt: skip
    for contract in workshop.contracts.values():
        apply_contract(workshop, contract)
    for dataset in LOADED:
        run_dataset(workshop, workshop.contracts[dataset])
    return workshop


def _await_answer(base: str, process: Forked) -> None:
    until = time.monotonic() + 120
    while time.monotonic() < until and process.poll() is None:
        try:
            httpx.get(base + "/health").raise_for_status()
        except httpx.HTTPError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError("the server did not answer")
