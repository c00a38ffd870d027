"""A small loaded province, served; persons who have signed in; pages that are watched for everything that must not happen."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page
from starlette.responses import Response

from demo.province import generate
from lienthong.access import Actor, Role, SignedIn
from lienthong.connectors import ReadContext
from lienthong.contracts import load_all
from lienthong.contracts.services import ServiceState
from lienthong.errors import Conflict
from lienthong.masterdata.entities import entities_of
from lienthong.pipeline import Workshop, agencies, apply_contract, drafting, match_all, match_models, run_dataset, stewarding
from lienthong.pipeline.granting import terminal
from lienthong.pipeline.matching import index_of
from lienthong.pipeline.service_acts import move_service, register_service
from lienthong.settings import Settings
from lienthong.store import Database, people
from lienthong.store.alerts import raise_alert
from lienthong.store.exchanges import Count, CountKey, save_counts
from lienthong.store.subsystems import KeptSubsystem, keep
from lienthong.web.app import create_app
from lienthong.web.keys import ledger_signer
from lienthong.web.services import make_services
from lienthong.web.sessions import Sessions
from tests.acceptance.demo_process import free_port
from tests.forking import SERVE, Forked
from tests.registers import POPULATION, model_of, person_entity, population_row, take_in
from tests.templates import learnt_once
from tests.web.brokered import DEFINITION, OPENAPI, REST, files_of
from tests.web.brokered import OFFICER as SERVICES

ROOT = Path(__file__).parents[2]
LOADED = ("admin-units.units", "admin-units.changes", "agencies.register", "statistics.indicators", "land.holders", "environment.readings")
HOURS = 24  # of readings
# The shell draws and runs pages as Chromium does, without the windows around them: half the work. Where it is missing Chromium itself will do.
CHROMIUM = next(
    (place for name in ("chromium-headless-shell", "chromium") if (place := Path("/usr/bin", name)).is_file()), Path("/usr/bin/chromium")
)
PATIENCE_MILLISECONDS = 120_000
ISSUER = "https://dang-nhap.example"
AT = datetime(2026, 1, 1, tzinfo=UTC)
WATCH = """
window.broken = []; window.shift = 0; window.paint = 0;
document.addEventListener("securitypolicyviolation", (event) => window.broken.push(event.violatedDirective + " " + event.blockedURI));
new PerformanceObserver((list) => { for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shift += entry.value; }).observe({ type: "layout-shift", buffered: true });
new PerformanceObserver((list) => { for (const entry of list.getEntries()) window.paint = entry.startTime; }).observe({ type: "largest-contentful-paint", buffered: true });
"""


class Province:
    """The running server, and a way to sign persons in as the identity provider's answer would."""

    def __init__(self, settings: Settings, workshop: Workshop) -> None:
        self.base = settings.public_url
        self.database, self.contracts = workshop.database, workshop.contracts
        self._sessions: Sessions = create_app(make_services(settings, workshop.database, workshop.contracts))._rest.state.acting.sessions

    def cookie(self, handle: str, agency: str, roles: Iterable[Role], second_factor: str = "") -> Mapping[str, Any]:
        """The cookie of a person who has just signed in."""
        who = SignedIn(ISSUER, handle, f"Cán bộ mẫu {handle}")
        with self.database.connect() as connection:
            if people.by_subject(connection, who.issuer, who.subject) is None:
                number = people.register(connection, handle, who, agency, AT)
                for role in roles:
                    people.grant(connection, number, role, "thu-nhat", "thu-hai", AT)
        response = Response()
        self._sessions.begin(response, who, second_factor=second_factor)
        return self._cookie_of(response)

    def _cookie_of(self, response: Response) -> Mapping[str, Any]:
        name, _, value = response.headers["set-cookie"].split(";")[0].partition("=")
        return {"name": name, "value": value, "url": self.base}

    def citizen(self, number: str) -> Mapping[str, Any]:
        response = Response()
        self._sessions.begin(response, SignedIn(ISSUER, f"cong-dan-{number}", "Công dân mẫu", citizen=number))
        return self._cookie_of(response)

    def operator(self, number: int = 1) -> Mapping[str, Any]:
        return self.cookie(f"van-hanh-{number}", "H10.01", [Role.OPERATOR], second_factor="totp")

    def officer(self, dataset: str) -> Mapping[str, Any]:
        agency = self.contracts[dataset].agency
        return self.cookie(f"can-bo-{agency.lower().replace('.', '-')}", agency, [Role.DATA_OFFICER])

    def steward(self, number: int = 1) -> Mapping[str, Any]:
        return self.cookie(f"quan-ly-{number:02d}", self.contracts["master.person"].agency, [Role.STEWARD, Role.DATA_OFFICER])


@contextmanager
def serving(url: str, home: Path, factory: pytest.TempPathFactory) -> Iterator[Province]:
    """A province of 800 invented people, as much of it as pages show, and its real server with its worker."""
    port = free_port()
    settings = Settings(
        database_url=url, home=home, datasets=ROOT / "datasets", agreements=home / "agreements", port=port, accept_synthetic_ids=True,
        indicators=ROOT / "indicators", regulations=ROOT / "demo" / "regulations", borders=str(ROOT / "demo" / "data" / "commune_borders.geojson.gz"),
    )  # fmt: skip
    for folder in ("subsystems", "agreements"):
        (home / "agreements" / folder).mkdir(parents=True)
    place = _filled(settings, home / "province", factory)
    names = ("database_url", "home", "datasets", "agreements", "port", "borders", "indicators", "regulations")
    ours = {name: value for name, value in os.environ.items() if not name.startswith("LIENTHONG_")}
    told = {f"LIENTHONG_{name.upper()}": str(getattr(settings, name)) for name in names}
    environment = {**ours, **told, "LIENTHONG_ACCEPT_SYNTHETIC_IDS": "true", "LIENTHONG_LOG_LEVEL": "WARNING", "LIENTHONG_WORKER_NICE": "0"}
    process = Forked([sys.executable, *SERVE], env=environment)
    try:
        until = time.monotonic() + 120
        while time.monotonic() < until and process.poll() is None and not answers(settings.public_url):
            time.sleep(0.05)
        yield Province(settings, place)
    finally:
        process.terminate()
        process.wait(120)


def answers(base: str) -> bool:
    """Whether a server is there."""
    try:
        return httpx.get(base + "/health").status_code == 200
    except httpx.HTTPError:
        return False


def _filled(settings: Settings, out: Path, factory: pytest.TempPathFactory) -> Workshop:
    generate(out, 800, 1)
    for late in sorted((out / "quan-trac").iterdir())[HOURS:]:
        late.unlink()
    place = Workshop(
        Database(settings.database_url),
        load_all(settings.datasets),
        ledger_signer(settings),
        read_context=ReadContext(variables={"DEMO": str(out)}),
        accept_synthetic_ids=True,
    )
    for contract in place.contracts.values():
        apply_contract(place, contract)
    for name in LOADED:
        run_dataset(place, place.contracts[name])
    take_in(place)
    entity = person_entity(place)
    match_models.adopt(place, entity, learnt_once(place, factory, "model-of-the-browsers-province"))
    match_all.match_all(place, entity, model_of(place))
    with place.database.connect() as connection:
        index = index_of(entities_of(place.contracts), entity.name, match_models.in_force(connection, entity))
    _exchanged(place)
    _begun(place, settings)
    register_service(place, SERVICES, files_of(DEFINITION, json.dumps(OPENAPI)))
    move_service(place, SERVICES, REST, str(DEFINITION["version"]), ServiceState.PUBLISHED)
    for n in range(1, 9, 2):  # pairs of two numbers: the first of two persons has said yes
        left, right = ((POPULATION, str(population_row(each)["record_no"])) for each in (n, n + 1))
        with suppress(Conflict):
            stewarding.decide(place, index, left, right, "same", "quan-ly-99", "nghi là một")
    return place


def _exchanged(place: Workshop) -> None:
    """What passed between agencies in the last hour, and the agencies themselves."""
    now = place.clock()
    agencies.take_from_register(place, terminal("thu"), "agencies.register", now.date())
    hour = now.replace(minute=0, second=0, microsecond=0)
    counts = {
        CountKey("hour", hour, "H10.02", "population.persons", "look_up", "api", "VN/GOV/H10.12/tro-cap", "xet-tro-cap"): Count(calls=4210, refused=12, latencies=[4000, 210]),
        CountKey("hour", hour, "H10.10", "land.holders", "look_up", "api", "VN/GOV/H10.12/tro-cap", "xet-tro-cap"): Count(calls=37, latencies=[37]),
        CountKey("hour", hour, "H10.02", "population.persons", "list", "xroad-rest", "VN/GOV/H10.10/dat-dai", "dang-ky"): Count(calls=812, latencies=[0, 812]),
        CountKey("hour", hour, "H10.10", "environment.readings", "list", "api", "anonymous", ""): Count(calls=96, latencies=[96]),
    }  # fmt: skip
    with place.database.connect() as connection:
        keep(connection, KeptSubsystem("VN/GOV/H10.10/dat-dai", "H10.10", "Đăng ký đất đai", "Land registration", True, "act"), "thu", now)
        save_counts(connection, [], counts, now)
        raise_alert(
            connection,
            "nhieu-nguoi",
            "many_persons",
            "VN/GOV/H10.12/tro-cap can-bo-07",
            "H10.12",
            "alarm",
            {"persons": 412, "limit": 200},
            now,
        )


def _begun(place: Workshop, settings: Settings) -> None:
    """A dataset begun from a spreadsheet, by the officer of the land register."""
    lines = ["Mã hồ sơ,Họ và tên người nộp đơn đề nghị cấp giấy chứng nhận,Số CCCD,Ngày nộp,Loại hồ sơ"]
    lines += [
        f"HS{n:04},Nguyễn Văn {chr(65 + n % 20)}n,0700{n:08},{1 + n % 28:02}/03/2026,{('cấp mới', 'cấp đổi')[n % 2]}" for n in range(60)
    ]
    file = settings.home / "ho-so"
    file.write_text("\n".join(lines) + "\n", "utf-8")
    actor = Actor("can-bo-h10-10", place.contracts["land.holders"].agency, frozenset({Role.DATA_OFFICER}))
    drafting.keep(place, actor, file, "Hồ sơ đất đai.csv", "Hồ sơ đất đai", settings.home)


@dataclass
class Watched:
    """A page, and everything it did that it must not."""

    page: Page
    base: str
    errors: list[str] = field(default_factory=list)
    away: list[str] = field(default_factory=list)

    def anew(self) -> Watched:
        """The same page, with nothing held against it yet."""
        self.errors.clear()
        self.away.clear()
        return self

    def open(self, path: str) -> Watched:
        self.page.goto(self.base + path, wait_until="load")
        return self

    def faults(self) -> list[str]:
        """Console errors, requests off the host, reports of the content policy."""
        return [*self.errors, *self.away, *self.page.evaluate("window.broken || []")]


def follow(page: Page, leads_on: Locator) -> None:
    """Click what leads to another page, and wait until that is read: a click itself is over before."""
    with page.expect_navigation():
        leads_on.click()


def watched(context: BrowserContext, base: str) -> Watched:
    page = context.new_page()
    page.add_init_script(WATCH)
    found = Watched(page, base)
    host = urlsplit(base).netloc
    page.on("console", lambda told: found.errors.append(told.text) if told.type == "error" else None)
    page.on("pageerror", lambda error: found.errors.append(str(error)))
    page.on("request", lambda request: found.away.append(request.url) if urlsplit(request.url).netloc not in (host, "") else None)
    return found


def context_of(browser: Browser, *cookies: Mapping[str, Any], width: int = 1280, script: bool = True) -> BrowserContext:
    context = browser.new_context(viewport={"width": width, "height": 900}, java_script_enabled=script, locale="vi-VN")
    if cookies:
        context.add_cookies([dict(cookie) for cookie in cookies])  # type: ignore[misc] # playwright's own dict type
    context.set_default_timeout(PATIENCE_MILLISECONDS)
    return context
