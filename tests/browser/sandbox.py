"""A filled sandbox, served by the real program, for those who learn in it."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from lienthong.contracts import load_all
from lienthong.contracts.indicators import load_indicators
from lienthong.pipeline import Workshop, sandbox
from lienthong.reports.measures import NAMES
from lienthong.settings import Settings
from lienthong.store import Database
from lienthong.web.keys import ledger_signer
from tests.acceptance.demo_process import free_port
from tests.browser.province import ROOT, answers
from tests.forking import SERVE, Forked

MODELS = Path(__file__).parent / "models"  # learnt from the sandbox's own rows: learning takes most of a minute
TRAINER = "giang-vien"


@dataclass(frozen=True)
class Sandbox:
    base: str
    workshop: Workshop


@contextmanager
def sandbox_served(url: str, home: Path) -> Iterator[Sandbox]:
    port = free_port()
    settings = Settings(
        environment="sandbox", accept_synthetic_ids=True, database_url=url, home=home, datasets=ROOT / "datasets", agreements=home / "agreements", port=port
    )  # fmt: skip
    place = Workshop(Database(url), load_all(settings.datasets), ledger_signer(settings), accept_synthetic_ids=True)
    indicators = [each for each in load_indicators(ROOT / "indicators", place.contracts, NAMES).values() if each.id == "population"]
    sandbox.fill(place, settings.agreements, sandbox.practice_system("VN", "GOV"), models=MODELS, indicators=indicators)
    names = ("environment", "database_url", "home", "datasets", "agreements", "port")
    ours = {name: value for name, value in os.environ.items() if not name.startswith("LIENTHONG_")}
    told = {f"LIENTHONG_{name.upper()}": str(getattr(settings, name)) for name in names}
    environment = {
        **ours,
        **told,
        "LIENTHONG_ACCEPT_SYNTHETIC_IDS": "true",
        "LIENTHONG_LOG_LEVEL": "WARNING",
        "LIENTHONG_WORKER_NICE": "0",
        "LIENTHONG_TRAINERS": TRAINER,
    }
    process = Forked([sys.executable, *SERVE], env=environment)
    try:
        until = time.monotonic() + 120
        while time.monotonic() < until and process.poll() is None and not answers(settings.public_url):
            time.sleep(0.05)
        yield Sandbox(settings.public_url, place)
    finally:
        process.terminate()
        process.wait(120)
