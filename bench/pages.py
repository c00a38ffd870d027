"""Pages, every one there is: server time on a loaded province, what a first view weighs and how it paints, what axe and the browser find,
an Excel file from its sending to its verdict, the lessons by script.

.venv/bin/python -m bench.pages --scale 20000                        # persons of the province; the targets are for a million
.venv/bin/python -m bench.pages --scale 1000000 --home /srv/province # a province loaded before is served again; else it is loaded there and kept
"""

from __future__ import annotations

import argparse
import io
import os
import re
import shlex
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import xlsxwriter
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Request, sync_playwright
from starlette.responses import Response

from bench import report
from bench.report import Row, at_least, at_most
from lienthong.access import Actor, Role, SignedIn
from lienthong.pipeline import approving, granting
from lienthong.settings import read_settings
from lienthong.store import Database, people
from lienthong.store.embedded import EmbeddedServer
from lienthong.web.app import create_app
from lienthong.web.pages.board import WAYS as BOARD
from lienthong.web.pages.console import WAYS as CONSOLE
from lienthong.web.pages.console.agreeing import WAYS as AGREEING
from lienthong.web.pages.desk import WAYS as DESK
from lienthong.web.pages.operator import WAYS as OPERATOR
from lienthong.web.pages.portal import WAYS as PORTAL
from lienthong.web.services import Services, make_services

ROOT = Path(__file__).parents[1]
PORT = 8766
BASE = f"http://127.0.0.1:{PORT}"
TIMES = 30
ROWS, WRONG = 50_000, 500
CHROMIUM = next(
    (place for name in ("chromium", "chromium-headless-shell") if Path(place := f"/usr/bin/{name}").is_file()), "/usr/bin/chromium"
)
READINGS = "environment.readings"
ROUTES = tuple(
    path for ways in (PORTAL, BOARD, CONSOLE, AGREEING, DESK, OPERATOR) for path, _ in ways
)  # the training room is the sandbox's
SERIOUS = ("serious", "critical")
LESSONS = 10
PATIENCE_SECONDS = 600
SESSION_MINUTES = 600
TESTS_OF_LESSONS = "tests/browser/test_lessons.py"
WATCH = """window.shift = 0; window.paint = 0; window.broken = [];
document.addEventListener("securitypolicyviolation", (event) => window.broken.push(event.violatedDirective));
new PerformanceObserver((list) => { for (const e of list.getEntries()) if (!e.hadRecentInput) window.shift += e.value; }).observe({ type: "layout-shift", buffered: true });
new PerformanceObserver((list) => { for (const e of list.getEntries()) window.paint = e.startTime; }).observe({ type: "largest-contentful-paint", buffered: true });"""


@dataclass(frozen=True)
class Reader:
    """Who looks at a page: the header a request of theirs has, and the cookie of their browser; nobody signed in has neither."""

    cookie: tuple[str, str] = ("", "")

    @property
    def header(self) -> dict[str, str]:
        return {"Cookie": "=".join(self.cookie)} if self.cookie[0] else {}

    def context(self, browser: Browser) -> BrowserContext:
        found = browser.new_context(locale="vi-VN")
        if self.cookie[0]:
            found.add_cookies([{"name": self.cookie[0], "value": self.cookie[1], "url": BASE}])
        return found


Pages = list[tuple[str, Reader]]


def measure(scale: int, home: Path | None = None) -> list[Row]:
    """Fill and serve a province, then look at every page of it. With `home` it is kept there, and one that lies there is served again."""
    own = home is None
    place = Path(tempfile.mkdtemp(prefix="lienthong-bench-pages-")) if home is None else home
    place.mkdir(parents=True, exist_ok=True)
    place.chmod(0o755)
    environment = {
        **os.environ,
        "LIENTHONG_HOME": str(place),
        "LIENTHONG_PORT": str(PORT),
        "LIENTHONG_SESSION_IDLE_MINUTES": str(SESSION_MINUTES),  # on a slow machine a reader waits long for their pages
    }
    began = time.time()
    process = subprocess.Popen(
        [sys.executable, "-m", "demo.run", "--scale", str(scale)], cwd=ROOT, env=environment, stdout=subprocess.DEVNULL
    )
    try:
        while not _stands(place / "demo.json", began):
            if process.poll() is not None:
                raise RuntimeError("the demo did not start")
            time.sleep(0.5)
        readers, services = _readers(place)
        upload = _upload(dict([readers["officer"].cookie]))
        pages = _pages(services, readers)
        return [*_server_times(pages, f"{len(pages)} pages, {scale:,} persons"), *_in_browser(pages), upload, *_lessons()]
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(60)
        if own:
            shutil.rmtree(place, ignore_errors=True)


def _stands(card: Path, began: float) -> bool:
    """Whether the demo wrote its card since: one that was there before is of an earlier start."""
    return card.exists() and card.stat().st_mtime >= began


def _readers(home: Path) -> tuple[dict[str, Reader], Services]:
    """Sessions as the identity provider's answer would begin them, one of each role."""
    lines = (home / "demo.env").read_text("utf-8").splitlines()
    shared = dict(shlex.split(line.removeprefix("export "))[0].split("=", 1) for line in lines if line.startswith("export "))
    database = Database(EmbeddedServer(home).start())
    services = make_services(read_settings(shared), database)
    sessions = create_app(services)._rest.state.acting.sessions
    with database.connect() as connection:
        row = connection.execute(
            "select citizen_id from data.population_persons where citizen_id is not null order by _key limit 1"
        ).fetchone()
    assert row is not None
    agency = services.contracts[READINGS].agency
    roles = {
        "officer": (agency, Role.DATA_OFFICER), "steward": (services.contracts["master.person"].agency, Role.STEWARD),
        "leader": ("H10.01", Role.LEADER), "operator": ("H10.01", Role.OPERATOR),
    }  # fmt: skip
    found = {"": Reader()}
    for name, (of, role) in roles.items():
        who = SignedIn("https://dang-nhap.example", f"bench-{name}", name)
        with database.connect() as connection:
            if people.by_subject(connection, who.issuer, who.subject) is None:
                number = people.register(connection, f"bench-{name}", who, of, datetime.now(UTC))
                people.grant(connection, number, role, "bench-1", "bench-2", datetime.now(UTC))
        found[name] = _reader(sessions, who)
    found["citizen"] = _reader(sessions, SignedIn("https://dang-nhap.example", "bench-citizen", "citizen", citizen=row[0]))
    return found, services


def _reader(sessions: Any, who: SignedIn) -> Reader:
    response = Response()
    sessions.begin(response, who, second_factor="totp")
    name, _, value = response.headers["set-cookie"].split(";")[0].partition("=")
    return Reader((name, value))


def _pages(services: Services, readers: Mapping[str, Reader]) -> Pages:
    """Every page there is, each with its reader. Raises RuntimeError for a route nobody walks."""
    database = services.workshop.database
    with httpx.Client(base_url=BASE, headers={**readers["officer"].header, "Accept": "text/html"}, timeout=120) as client:
        csrf = client.get(f"/console/datasets/{READINGS}").text.partition('name="csrf" value="')[2].partition('"')[0]
        sent = client.post(
            "/console/drafts", data={"csrf": csrf, "title": "Thử"}, files={"file": ("thu.xlsx", _workbook(50), "application/octet-stream")}
        )
        draft = sent.headers["location"]
    operator = Actor("bench-operator", "H10.01", frozenset({Role.OPERATOR}))
    document = granting.role_document(services.workshop, "bench-officer", Role.LEADER)
    proposal = approving.propose(services.workshop, granting.GRANT_ROLE, operator, document, "đo thử", document["agency"]).number

    def one(query: str) -> Any:
        with database.connect() as connection:
            row = connection.execute(query).fetchone()
        return None if row is None else row[0]

    _until_computed(one)
    upload = one("select max(upload) from uploads")
    golden, act = one("select _key from data.master_person limit 1"), one("select max(act) from match_acts where entity = 'person'")
    agreement = one(f"select agreement_id from agreements where provider = '{services.contracts[READINGS].agency}' order by 1 limit 1")
    figure, filing = (
        one("select max(figure) from indicator_figures where indicator = 'population'"),
        one("select max(filing) from report_filings"),
    )
    service = one("select service from services order by 1 limit 1")
    landed = one(
        "select v.run_id || '/' || r._row from data.environment_readings as r"
        f" join versions as v on v.dataset_id = '{READINGS}' and v.version = r._version order by r._version desc limit 1"
    )
    named: dict[str, list[str]] = {
        "": [
            "/", "/datasets", "/datasets?q=dat+dai", "/datasets/population.persons", f"/datasets/{READINGS}",
            f"/datasets/{READINGS}/preview?by=commune_code&of=value", "/units/25195", "/catalogue/agency/H10.10", "/open-data", "/regulations", "/regulations/dan-cu", "/shared-by-default", "/status", "/proofs", "/docs",
            "/services", f"/services/{service}", f"/services/{service}/try", "/board", "/board/population", "/board/environment-alerts?on=2025-06-30&level=district",
            f"/figures/{figure}",
        ],
        "citizen": ["/my-data", "/my-data/requests"],
        "leader": ["/board", "/board/reports", "/board/reports/quarterly/form", "/board/quality", "/board/entered-once", f"/figures/{filing}"],
        "officer": [
            "/console", "/console/exchange", "/console/subsystems/H10.10/dat-dai", "/console/beside", "/console/asking?fields=M%C3%A3+s%E1%BB%91+thu%E1%BA%BF", "/console/corrections", "/console/drafts", draft,
            f"/console/uploads/{upload}", f"/console/datasets/{READINGS}", f"/console/datasets/{READINGS}/quarantine", f"/console/datasets/{READINGS}/fix",
            f"/console/datasets/{READINGS}/landed/{landed}",
            f"/console/datasets/{READINGS}/opening", "/console/explanations", "/console/agreements",
            *([f"/console/agreements/{agreement}"] if agreement else []),
        ],
        "steward": [
            "/desk", "/desk/person", "/desk/person/bulk", "/desk/person/bulk?verdict=same", f"/desk/person/goldens/{golden}", "/desk/person/acts",
            *([f"/desk/person/acts/{act}"] if act else []),
        ],
        "operator": [
            "/operator", "/operator/runs", "/operator/queues", "/operator/ledger", "/operator/backups", "/operator/alerts",
            "/operator/audit?event=run:dataset:published", "/operator/people", f"/operator/approvals/{proposal}", "/operator/organisation", "/operator/units", "/operator/first-weeks",
            "/operator/settings",
        ],
    }  # fmt: skip
    pages = [(path, readers[who]) for who, paths in named.items() for path in paths]
    left = [route for route in ROUTES if not any(_is_of(path, route) for path, _ in pages) and route not in _not_served(services)]
    if left:
        raise RuntimeError(f"pages nobody walks: {', '.join(left)}")
    return pages


def _until_computed(one: Callable[[str], Any]) -> None:
    """The board's figures and reports are made by the worker, after the server stands. Raises RuntimeError when it does not come to it."""
    latest = time.monotonic() + PATIENCE_SECONDS
    while not (
        one("select 1 from indicator_figures where indicator = 'population' limit 1") and one("select 1 from report_filings limit 1")
    ):
        if time.monotonic() > latest:
            raise RuntimeError("no figure or no report was made")
        time.sleep(0.5)


def _not_served(services: Services) -> frozenset[str]:
    """Routes that answer in the sandbox alone, or of things this province has none of."""
    return frozenset() if services.settings.environment == "sandbox" else frozenset({"/datasets/{dataset}/try"})


def _is_of(path: str, route: str) -> bool:
    pattern = re.sub(r"\{[a-z]+:path\}", ".+", route)
    return re.fullmatch(re.sub(r"\{[a-z]+\}", "[^/]+", pattern), path.partition("?")[0]) is not None


def _server_times(pages: Pages, where: str) -> list[Row]:
    """From the request to the whole page on loopback, one reader at a time; the first look at each page is not counted."""
    times: list[float] = []
    slowest: list[tuple[float, str]] = []
    with httpx.Client(base_url=BASE, headers={"Accept": "text/html"}, timeout=60) as client:
        for path, reader in pages:
            client.get(path, headers=reader.header).raise_for_status()
            own = []
            for _ in range(TIMES):
                began = time.perf_counter()
                client.get(path, headers=reader.header).raise_for_status()
                own.append((time.perf_counter() - began) * 1000)
            times += own
            slowest.append((statistics.median(own), path))
    p95 = statistics.quantiles(times, n=20)[-1]
    told = ", ".join(f"{path} {median:.0f}" for median, path in sorted(slowest, reverse=True)[:3])
    return [
        at_most("server time of a page, median", statistics.median(times), 50, "ms", where, 5),
        at_most("server time of a page, 95 %", p95, 150, "ms", f"{where}; slowest {told}", 5),
    ]


def _in_browser(pages: Pages) -> list[Row]:
    """Every page in a browser that has seen nothing: what it weighs, how it paints; then in both schemes what axe, the console and the policy find."""
    weights, shifts, paints = [], [], []
    found: dict[str, list[str]] = {"axe": [], "console": [], "policy": [], "away": []}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        for path, reader in pages:
            for width in (360, 1280):
                context = reader.context(browser)
                page = context.new_page()
                page.set_viewport_size({"width": width, "height": 900})
                page.add_init_script(WATCH)
                page.on("console", partial(_heard, found["console"], path))
                page.on("request", partial(_left, found["away"], path))
                answer = page.goto(BASE + path, wait_until="load")
                if answer is None or not answer.ok:
                    raise RuntimeError(f"{path}: {None if answer is None else answer.status}")
                page.evaluate("document.fonts.ready")
                page.wait_for_timeout(300)
                resources: Iterable[int] = page.evaluate("performance.getEntriesByType('resource').map((each) => each.encodedBodySize)")
                if not path.startswith("/board"):
                    weights.append((sum(resources) / 1000, path))
                shifts.append((page.evaluate("window.shift"), path))
                paints.append((page.evaluate("window.paint"), path))
                page.emulate_media(color_scheme="dark" if width == 360 else "light")  # each width and each scheme once
                violations = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
                found["axe"] += [f"{path} {each['id']}" for each in violations if each["impact"] in SERIOUS]
                found["policy"] += [path] * page.evaluate("window.broken.length")
                context.close()
        browser.close()
    looked = f"{len(pages)} pages, 360 px dark and 1280 px light"
    return [
        at_most("first view, scripts + styles + fonts", max(weights)[0], 150, "KB", f"as they travel; heaviest {max(weights)[1]}; the board excepted", 5),
        at_most("layout shift of a first view, worst", max(shifts)[0], 0.05, "", f"{looked}; {max(shifts)[1]}", 5),
        at_most("largest paint of a first view, worst", max(paints)[0], 1_000, "ms", f"{looked}; {max(paints)[1]}", 5),
        *(
            at_most(words, len(found[kind]), 0, "", f"{looked}{'; ' + ', '.join(sorted(set(found[kind]))[:3]) if found[kind] else ''}", 5)
            for kind, words in (
                ("axe", "serious or critical findings of axe"), ("console", "console errors"), ("policy", "reports of the content policy"),
                ("away", "requests off the host"),
            )
        ),
    ]  # fmt: skip


def _heard(told: list[str], path: str, message: ConsoleMessage) -> None:
    if message.type == "error":
        told.append(f"{path} {message.text[:80]}")


def _left(told: list[str], path: str, request: Request) -> None:
    if not request.url.startswith((BASE, "data:", "blob:")):
        told.append(f"{path} {request.url[:80]}")


def _lessons() -> list[Row]:
    """A newcomer's first hour: the ten lessons, each done by script in a real browser in a sandbox of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", TESTS_OF_LESSONS],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    passed = int((re.search(r"(\d+) passed", done.stdout) or [0, 0])[1])
    return [
        at_least(
            "lessons of the first hour done by script",
            LESSONS if done.returncode == 0 and passed else 0,
            LESSONS,
            "lessons",
            f"{passed} checks in Chromium",
            5,
        )
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


def _workbook(rows: int = ROWS) -> bytes:
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True, "constant_memory": False})
    sheet = book.add_worksheet()
    sheet.write_row(0, 0, ("tram", "chi_so", "thoi_diem", "gia_tri", "don_vi", "ma_xa"))
    first = datetime(2010, 1, 1, tzinfo=UTC)
    for n in range(rows):
        at = (first + timedelta(minutes=n)).strftime("%Y-%m-%dT%H:%M:%S+07:00")
        sheet.write_row(
            n + 1, 0, ("QT01", "PM2.5", at, "sai" if rows == ROWS and n % (ROWS // WRONG) == 0 else f"{n % 90},5", "µg/m³", "25195")
        )
    book.close()
    return out.getvalue()


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--scale", type=int, default=1_000_000)
    arguments.add_argument("--home", type=Path, help="where the province lies, or is to be kept")
    given = arguments.parse_args()
    report.write({"pages": measure(given.scale, given.home)})
