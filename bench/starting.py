"""Starting: seconds from the command to the first answer of a demo that is installed and loaded."""

from __future__ import annotations

import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import httpx

from bench.report import Row, at_most

ROOT = Path(__file__).parents[1]
TIMES = 3
PORT = 8765


def measure() -> list[Row]:
    """Start the demo once to fill it, then time starts of the filled one."""
    home = Path(tempfile.mkdtemp(prefix="lienthong-bench-start-"))
    home.chmod(0o755)
    try:
        _start(home, until_file=True)
        times = [_start(home) for _ in range(TIMES)]
    finally:
        shutil.rmtree(home, ignore_errors=True)
    return [at_most("start of an installed demo to its first answer", statistics.median(times), 3.0, "s", "make demo, second start")]


def _start(home: Path, *, until_file: bool = False) -> float:
    environment = {**os.environ, "LIENTHONG_HOME": str(home), "LIENTHONG_PORT": str(PORT)}
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "demo.run"], cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        seconds = _first_answer(began)
        while until_file and not (home / "demo.json").exists():
            time.sleep(0.2)
        if until_file:
            json.loads((home / "demo.json").read_text("utf-8"))
        return seconds
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(30)


def _first_answer(began: float) -> float:
    while time.perf_counter() - began < 120:
        try:
            httpx.get(f"http://127.0.0.1:{PORT}/health").raise_for_status()
            return time.perf_counter() - began
        except httpx.HTTPError:
            time.sleep(0.02)
    raise SystemExit("The demo did not answer within two minutes.")
