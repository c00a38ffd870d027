"""The story of one person and one record, small: the script is `bench.story`, which `make bench` tells of a million."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from bench import story
from tests.acceptance.demo_process import ROOT, free_port
from tests.conftest import open_folder
from tests.forking import SERVE, Forked
from tests.templates import Template

POPULATION = 1_000
SHARES = (1_000, 850, 60, 45)  # of four registers
LATE = 2
pytestmark = pytest.mark.timeout(900)


@pytest.fixture
def home() -> Iterator[Path]:
    with open_folder() as folder:
        yield folder


@contextmanager
def served(province: story.Province) -> Iterator[str]:
    port = free_port()
    told = {
        "DATABASE_URL": province.place.database.url, "HOME": province.home, "DATASETS": ROOT / "datasets", "AGREEMENTS": province.home / "agreements",
        "PORT": port, "ACCEPT_SYNTHETIC_IDS": "true", "LOG_LEVEL": "WARNING", "WORKER": "0",
    }  # fmt: skip
    ours = {name: value for name, value in os.environ.items() if not name.startswith("LIENTHONG_")}
    process = Forked([sys.executable, *SERVE], env={**ours, **{f"LIENTHONG_{name}": str(value) for name, value in told.items()}})
    base = f"http://127.0.0.1:{port}"
    try:
        until = time.monotonic() + 120
        while True:
            assert process.poll() is None, "the server ended"
            assert time.monotonic() < until, "the server did not answer"
            try:
                httpx.get(f"{base}/health").raise_for_status()
                break
            except httpx.HTTPError:
                time.sleep(0.05)
        yield base
    finally:
        process.terminate()
        process.wait(120)


def test_records_arrive_stewards_decide_a_consumer_follows_and_an_auditor_takes_it_back(datasets_template: Template, home: Path) -> None:
    with datasets_template.copy() as empty:
        province = story.prepare(empty.database.url, home, POPULATION, LATE)
        assert province.records == pytest.approx(sum(SHARES), abs=5)
        assert POPULATION <= province.goldens < POPULATION * 1.02
        with served(province) as base:
            told = story.tell(province, base)
    assert [len(each) for each in (told.arrived, told.decided, told.seen, told.undone)] == [LATE] * 4
