"""What holds for every page there is: readable by everybody, quiet, at home, within its budget, the same without a script."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, Literal

import httpx
import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Browser, Page, expect

from lienthong.access import Role
from lienthong.web.pages.board import WAYS as BOARD
from lienthong.web.pages.console import WAYS as CONSOLE
from lienthong.web.pages.console.agreeing import WAYS as AGREEING
from lienthong.web.pages.desk import WAYS as DESK
from lienthong.web.pages.operator import WAYS as OPERATORS
from lienthong.web.pages.portal import WAYS as PORTAL
from lienthong.web.people_pages import page as pages_of_signing_in
from tests.browser.province import Province, Watched, context_of, follow, watched

pytestmark = pytest.mark.timeout(900)
PUBLIC = [
    "/", "/datasets", "/datasets?q=dat", "/datasets?q=dong+xoai", "/datasets?q=kh%C3%B4ng-c%C3%B3-g%C3%AC-c%E1%BA%A3", "/datasets/population.persons",
    "/datasets/environment.readings", "/datasets/environment.readings/preview?by=commune_code&of=value&indicator=PM2.5",
    "/datasets/statistics.indicators/preview?by=year", "/units/25195", "/status", "/proofs", "/docs", "/services", "/services/test.permits", "/services/test.permits/try?operation=POST+/licences&address=/licences&body=%7B%7D", "/open-data", "/regulations", "/regulations/dan-cu", "/shared-by-default", "/datasets?kind=agency", "/catalogue/agency/H10.10", "/catalogue/code_list/agencies.register~kind",
    "/board", "/board/population", "/board/poor-rate", "/board/environment-alerts?on=2025-06-30&level=district",
]  # fmt: skip
OFFICER = [
    "/console", "/console/explanations", "/console/datasets/land.holders", "/console/datasets/land.holders/quarantine", "/console/drafts",
    "/console/drafts/1", "/console/exchange", "/console/subsystems/H10.10/dat-dai", "/console/asking?fields=M%C3%A3+s%E1%BB%91+thu%E1%BA%BF", "/console/corrections",
    "/console/datasets/land.holders/opening", "/console/datasets/land.holders/fix", "/console/beside",
]  # fmt: skip
OPERATOR = [
    "/operator", "/operator?span=24h&from=H10.12&to=H10.02", "/operator/alerts", "/operator/queues", "/operator/runs", "/operator/ledger", "/operator/backups",
    "/operator/audit?event=run:dataset:published", "/operator/people", "/operator/organisation", "/operator/units", "/operator/first-weeks",
    "/operator/units?on=2026-12-01&resolution=12&name=X%C3%A3+Th%E1%BB%AD&code=25195&of=25195%3B25210", "/operator/settings",
]  # fmt: skip
LEADER = ["/board/reports", "/board/reports/quarterly/form", "/board/quality", "/board/entered-once", "/board/insurance-coverage"]
STEWARD = ["/desk", "/desk/person", "/desk/person/bulk?verdict=same", "/desk/person/acts"]
PAGES = [*PUBLIC, *LEADER, *OFFICER, *STEWARD, *OPERATOR]
TROUBLE = ["/nothing", "/datasets/no.such", "/datasets/population.persons/preview", "/console", "/datasets?q=" + "a" * 301]
ROUTES = [path for ways in (PORTAL, BOARD, CONSOLE, AGREEING, DESK, OPERATORS) for path, _ in ways]  # the training room: test_lessons
FIRST_VIEW_BYTES = 150_000
LARGEST_SHIFT, LATEST_PAINT = 0.05, 1_000


ELSEWHERE = {  # pages other files walk: of stories, whose numbers are only known as they happen
    "/datasets/{dataset}/try", "/figures/{figure}", "/my-data", "/my-data/requests", "/console/uploads/{upload}", "/console/agreements",
    "/console/agreements/{agreement}", "/desk/{type}/goldens/{id}", "/desk/{type}/acts/{act}", "/operator/approvals/{proposal}",
    "/console/datasets/{dataset}/landed/{run}/{row}",
}  # fmt: skip


def test_no_page_is_left_out() -> None:
    walked = [path.partition("?")[0] for path in PAGES]
    patterns = {route: re.sub(r"\{[a-z]+\}", "[^/]+", re.sub(r"\{[a-z]+:path\}", ".+", route)) for route in ROUTES}
    left = [route for route, pattern in patterns.items() if not any(re.fullmatch(pattern, path) for path in walked)]
    assert set(left) - ELSEWHERE == set()


@pytest.fixture(scope="module")
def readers(browser: Browser, province: Province) -> Iterator[dict[str, Watched]]:
    """Each kind of reader with one page that goes from address to address: a new one for each is a new process of the browser."""
    contexts = {
        "": context_of(browser),
        "officer": context_of(browser, province.officer("land.holders")),
        "steward": context_of(browser, province.steward()),
        "leader": context_of(browser, province.cookie("lanh-dao-mau", "H10.01", [Role.LEADER])),
        "operator": context_of(browser, province.operator()),
    }
    yield {name: watched(context, province.base) for name, context in contexts.items()}
    for context in contexts.values():
        context.close()


def reader_of(path: str) -> str:
    known = {"leader": LEADER, "officer": OFFICER, "steward": STEWARD, "operator": OPERATOR}
    return next((name for name, paths in known.items() if path in paths), "")


LOOKS = ["color-contrast", "link-in-text-block", "scrollable-region-focusable", "target-size"]  # the rules that ask how a page is drawn


ASK_AXE = """(options) => axe.run({ resultTypes: ["violations"], ...options }).then((found) => found.violations
  .filter((each) => each.impact === "serious" || each.impact === "critical").map((each) => each.id + ": " + each.nodes[0].html.slice(0, 160)))"""


def serious(page: Page, rules: Sequence[str] = ()) -> list[str]:
    """What axe-core finds against a page, of all its rules or of these. Half a megabyte of script is read once a page."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    found: list[str] = page.evaluate(ASK_AXE, {"runOnly": {"type": "rule", "values": list(rules)}} if rules else {})
    return found


VIEWS: tuple[tuple[int, Literal["dark", "light"]], ...] = ((360, "dark"), (1280, "light"))


@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_readable_by_everybody_quiet_and_at_home(path: str, readers: dict[str, Watched], whole: bool) -> None:
    page = readers[reader_of(path)].anew().open(path)
    assert page.page.locator("h1").count() == 1
    look_at(page.page, PAGES.index(path), whole=whole)
    assert page.faults() == []


def look_at(page: Page, turn: int, *, whole: bool) -> None:
    """A page in each of its views: never wider than the screen, nothing serious against it.

    The views take turns over the pages, for what a page says is the same in both, and how its colours meet is for all pages said in one place;
    what is drawn is looked at in each view where the `whole` is asked for (`make test-deep`).
    """
    for n, (width, scheme) in enumerate(VIEWS):
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=scheme)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, f"{width} px: wider than the screen"
        is_its_turn = n == turn % len(VIEWS)
        if is_its_turn or whole:
            assert serious(page, () if is_its_turn else LOOKS) == [], f"{width} px, {scheme}"


@pytest.mark.parametrize("path", TROUBLE)
def test_an_error_is_a_page_that_says_what_to_do(path: str, readers: dict[str, Watched], province: Province) -> None:
    page = readers[""].anew().open(path)
    assert page.page.locator("h1").count() == 1
    assert page.page.locator("main a").count() >= 1
    assert serious(page.page) == []
    assert page.away == []
    assert page.page.evaluate("window.broken") == []
    answer = httpx.get(province.base + path, headers={"Accept": "text/html"})
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "unsafe" not in answer.headers["content-security-policy"]
    assert httpx.get(province.base + path, headers={"Accept": "application/json"}).json()["status"] == answer.status_code


SIGNING_IN: dict[str, dict[str, Any]] = {
    "provider_sign_in.html": {"client": "lienthong", "sealed": "x", "username": "", "failed": True},
    "second_factor.html": {"csrf": "x", "kinds": {"totp", "passkey"}, "then": "/", "failed": "Mã không đúng."},
    "add_totp.html": {"csrf": "x", "sealed": "x", "secret": "ABC", "picture": "", "then": "/", "failed": ""},
    "recovery.html": {"codes": ["AAAA-BBBB"], "then": "/"},
}


@pytest.mark.parametrize("template", SIGNING_IN)
def test_a_page_of_signing_in_is_readable_by_everybody(template: str, readers: dict[str, Watched], province: Province) -> None:
    page = readers[""].anew().open("/status").page
    page.set_content(bytes(pages_of_signing_in(template, is_sample=True, **SIGNING_IN[template]).body).decode())
    expect(page.locator("header.top")).to_have_css("background-color", re.compile("rgb"))
    for width, scheme in VIEWS:
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=scheme)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert serious(page) == []


@pytest.mark.parametrize("path", ["/", "/datasets", "/datasets/environment.readings", "/console"])
def test_a_first_view_is_small_and_does_not_jump(path: str, browser: Browser, province: Province) -> None:
    cookies = [province.officer("land.holders")] if path in OFFICER else []
    context = context_of(browser, *cookies)
    page = watched(context, province.base).open(path)
    page.page.evaluate("document.fonts.ready.then(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))))")
    sizes = page.page.evaluate("performance.getEntriesByType('resource').map((each) => [each.name, each.encodedBodySize])")
    assert sizes, "no styles, no scripts, no fonts"
    assert sum(size for _, size in sizes) <= FIRST_VIEW_BYTES, sizes
    assert page.page.evaluate("window.shift") <= LARGEST_SHIFT
    context.close()


@pytest.mark.parametrize("path", [path for path in PUBLIC if "q=kh" not in path])
def test_a_page_and_its_data_are_one_address(path: str, province: Province) -> None:
    plain, _, query = path.partition("?")
    twin = ("/index" if plain == "/" else plain) + ".json" + (f"?{query}" if query else "")
    facts = httpx.get(province.base + twin)
    assert facts.headers["content-type"] == "application/json"
    assert set(httpx.get(province.base + path, headers={"Accept": "application/json"}).json()) == set(facts.json())
    rows = httpx.get(province.base + twin.replace(".json", ".csv", 1))
    assert rows.headers["content-type"].startswith("text/csv")
    assert rows.content.startswith(b"\xef\xbb\xbf")


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/datasets/population.persons",
        "/status",
        "/proofs",
        "/docs",
        "/services",
        "/open-data",
        "/datasets?kind=agency",
        "/catalogue/agency/H10.10",
        "/catalogue/code_list/agencies.register~kind",
        "/units/25195",
    ],
)
def test_english_is_complete(path: str, province: Province) -> None:
    page = httpx.get(province.base + path, params={"lang": "en"}).text
    assert '<html lang="en"' in page
    chrome = re.sub(r"(?s)<pre.*?</pre>|<(td|dd|th|a|option|code|text|title|li)[^>]*>.*?</\1>", " ", page)
    left = [word for word in ("Trang chủ", "Tình trạng", "Bộ dữ liệu", "Cập nhật", "Chưa ", "Không ") if word in chrome]
    assert left == []


def test_a_choice_of_language_and_light_is_kept(browser: Browser, province: Province) -> None:
    context = context_of(browser)
    page = watched(context, province.base).open("/")
    assert page.page.locator("html").get_attribute("lang") == "vi"
    follow(page.page, page.page.get_by_role("link", name="English"))
    follow(page.page, page.page.get_by_role("link", name="Dark"))
    page.open("/status")
    assert page.page.locator("html").get_attribute("lang") == "en"
    assert page.page.locator("html").get_attribute("data-theme") == "dark"
    context.close()


def test_long_vietnamese_words_break_no_page(browser: Browser, province: Province) -> None:
    context = context_of(browser, width=360)
    page = watched(context, province.base)
    page.open("/datasets?q=" + "nghiêngnghiêng" * 20)
    assert page.page.evaluate("document.documentElement.scrollWidth") <= 360
    context.close()


def test_paper_holds_the_page_and_not_its_buttons(browser: Browser, province: Province) -> None:
    context = context_of(browser)
    page = watched(context, province.base).open("/datasets/environment.readings")
    page.page.emulate_media(media="print")
    expect(page.page.locator("h1")).to_be_visible()
    expect(page.page.locator(".places")).to_be_hidden()
    expect(page.page.locator(".actions").first).to_be_hidden()
    assert page.page.pdf(format="A4").startswith(b"%PDF")
    context.close()
