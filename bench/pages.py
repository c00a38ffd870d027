"""Pages: server time on a loaded province, what a first view weighs and how it paints, an Excel file from its sending to its verdict.

.venv/bin/python -m bench.pages --scale 20000      # persons of the province; the targets are for a million
"""

from __future__ import annotations

import argparse
import io
import os
import shlex
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import xlsxwriter
from playwright.sync_api import sync_playwright
from starlette.responses import Response

from bench import report
from bench.report import Row, at_most
from lienthong.access import Role, SignedIn
from lienthong.settings import read_settings
from lienthong.store import Database, people
from lienthong.store.embedded import EmbeddedServer
from lienthong.web.app import create_app
from lienthong.web.services import make_services

ROOT = Path(__file__).parents[1]
PORT = 8766
BASE = f"http://127.0.0.1:{PORT}"
TIMES = 30
ROWS, WRONG = 50_000, 500
CHROMIUM = "/usr/bin/chromium"
PUBLIC = [
    "/", "/datasets", "/datasets?q=dat+dai", "/datasets/population.persons", "/datasets/environment.readings",
    "/datasets/environment.readings/preview?by=commune_code&of=value", "/units/25195", "/status", "/proofs", "/docs",
    "/board", "/board/population",
]  # fmt: skip
OWN = ["/console", "/console/datasets/environment.readings", "/console/datasets/environment.readings/quarantine", "/desk", "/desk/person"]
WATCH = """window.shift = 0; window.paint = 0;
new PerformanceObserver((list) => { for (const e of list.getEntries()) if (!e.hadRecentInput) window.shift += e.value; }).observe({ type: "layout-shift", buffered: true });
new PerformanceObserver((list) => { for (const e of list.getEntries()) window.paint = e.startTime; }).observe({ type: "largest-contentful-paint", buffered: true });"""


def measure(scale: int) -> list[Row]:
    """Fill and serve a province of its own, then look at it."""
    home = Path(tempfile.mkdtemp(prefix="lienthong-bench-pages-"))
    home.chmod(0o755)
    environment = {**os.environ, "LIENTHONG_HOME": str(home), "LIENTHONG_PORT": str(PORT)}
    process = subprocess.Popen(
        [sys.executable, "-m", "demo.run", "--scale", str(scale)], cwd=ROOT, env=environment, stdout=subprocess.DEVNULL
    )
    try:
        while not (home / "demo.json").exists():
            if process.poll() is not None:
                raise RuntimeError("the demo did not start")
            time.sleep(0.5)
        cookies = _sign_in(home)
        where = f"{scale:,} persons"
        return [*_server_times(cookies, where), *_first_views(), _upload(cookies["officer"])]
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(60)
        shutil.rmtree(home, ignore_errors=True)


def _sign_in(home: Path) -> dict[str, dict[str, str]]:
    """Sessions as the identity provider's answer would begin them: an officer's and a steward's."""
    lines = (home / "demo.env").read_text("utf-8").splitlines()
    shared = dict(shlex.split(line.removeprefix("export "))[0].split("=", 1) for line in lines if line.startswith("export "))
    database = Database(EmbeddedServer(home).start())
    services = make_services(read_settings(shared), database)
    sessions = create_app(services)._rest.state.acting.sessions
    found = {}
    for name, dataset, role in (("officer", "environment.readings", Role.DATA_OFFICER), ("steward", "master.person", Role.STEWARD)):
        who = SignedIn("https://dang-nhap.example", f"bench-{name}", name)
        with database.connect() as connection:
            number = people.register(connection, f"bench-{name}", who, services.contracts[dataset].agency, datetime.now(UTC))
            people.grant(connection, number, role, "bench", "bench", datetime.now(UTC))
        response = Response()
        sessions.begin(response, who)
        cookie, _, value = response.headers["set-cookie"].split(";")[0].partition("=")
        found[name] = {cookie: value}
    return found


def _server_times(cookies: dict[str, dict[str, str]], where: str) -> list[Row]:
    """From the request to the whole page on loopback, one reader at a time; the first look at each page is not counted."""
    times: list[float] = []
    slowest = ("", 0.0)
    with httpx.Client(base_url=BASE, headers={"Accept": "text/html"}) as client:
        for path in [*PUBLIC, *OWN]:
            jar = cookies["steward"] if path.startswith("/desk") else cookies["officer"] if path in OWN else {}
            header = {"Cookie": "; ".join(f"{name}={value}" for name, value in jar.items())} if jar else {}
            client.get(path, headers=header).raise_for_status()
            own = []
            for _ in range(TIMES):
                began = time.perf_counter()
                client.get(path, headers=header).raise_for_status()
                own.append((time.perf_counter() - began) * 1000)
            times += own
            slowest = max(slowest, (path, statistics.median(own)), key=lambda each: each[1])
    p95 = statistics.quantiles(times, n=20)[-1]
    return [
        at_most("server time of a page, median", statistics.median(times), 50, "ms", where, 5),
        at_most("server time of a page, 95 %", p95, 150, "ms", f"{where}; slowest {slowest[0]}", 5),
    ]


def _first_views() -> list[Row]:
    """The heaviest and the least steady first view, each in a browser that has seen nothing."""
    weights, shifts, paints = [], [], []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        for path in PUBLIC:
            for width in (360, 1280):
                context = browser.new_context(viewport={"width": width, "height": 900})
                page = context.new_page()
                page.add_init_script(WATCH)
                page.goto(BASE + path, wait_until="networkidle")
                resources: Iterable[int] = page.evaluate("performance.getEntriesByType('resource').map((each) => each.encodedBodySize)")
                weights.append(sum(resources) / 1000)
                shifts.append(page.evaluate("window.shift"))
                paints.append(page.evaluate("window.paint"))
                context.close()
        browser.close()
    return [
        at_most("first view, scripts + styles + fonts", max(weights), 150, "KB", "as they travel", 5),
        at_most("layout shift of a first view, worst", max(shifts), 0.05, "", "Chromium, 360 and 1280 px", 5),
        at_most("largest paint of a first view, worst", max(paints), 1_000, "ms", "Chromium, loopback", 5),
    ]


def _upload(cookies: dict[str, str]) -> Row:
    """An officer hands in a workbook of readings, some of them wrong, and looks until the verdict stands."""
    body = _workbook()
    with httpx.Client(base_url=BASE, cookies=cookies, timeout=120) as client:
        page = client.get("/console/datasets/environment.readings").text
        csrf = page.partition('name="csrf" value="')[2].partition('"')[0]
        began = time.perf_counter()
        answer = client.post(
            "/console/datasets/environment.readings/uploads", data={"csrf": csrf, "whole": "no"}, files={"file": ("do.xlsx", body, "application/octet-stream")}
        )  # fmt: skip
        place = answer.headers["location"]
        facts: dict[str, Any] = {"state": "waiting"}
        while facts["state"] in ("waiting", "running"):
            time.sleep(0.1)
            facts = client.get(place + ".json").json()
        seconds = time.perf_counter() - began
    if facts["state"] != "done" or facts["counts"]["rows_in"] != ROWS:
        raise RuntimeError(f"the file was not taken in: {facts}")
    return at_most(
        f"Excel upload of {ROWS:,} rows to its verdict", seconds, 15, "s", f"{facts['counts']['rows_quarantined']} wrong rows told", 5
    )


def _workbook() -> bytes:
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True, "constant_memory": False})
    sheet = book.add_worksheet()
    sheet.write_row(0, 0, ("tram", "chi_so", "thoi_diem", "gia_tri", "don_vi", "ma_xa"))
    first = datetime(2010, 1, 1, tzinfo=UTC)
    for n in range(ROWS):
        at = (first + timedelta(minutes=n)).strftime("%Y-%m-%dT%H:%M:%S+07:00")
        sheet.write_row(n + 1, 0, ("QT01", "PM2.5", at, "sai" if n % (ROWS // WRONG) == 0 else f"{n % 90},5", "µg/m³", "25195"))
    book.close()
    return out.getvalue()


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--scale", type=int, default=1_000_000)
    report.write({"pages": measure(arguments.parse_args().scale)})
