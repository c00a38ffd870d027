"""One province, one server and one browser for all tests of this room.

They end with the room: Playwright holds the process's event loop while it runs, and what is tested next needs its own.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from lienthong.store.embedded import EmbeddedServer
from tests.browser.province import CHROMIUM, PATIENCE_MILLISECONDS, Province, serving
from tests.conftest import fresh_database, open_folder


@pytest.fixture(scope="package")
def province(postgres_server: EmbeddedServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Province]:
    if not CHROMIUM.is_file():
        pytest.skip("Chromium is not installed (Debian's package `chromium-headless-shell`)")
    with open_folder() as home, fresh_database(postgres_server) as url, serving(url, home, tmp_path_factory) as served:
        yield served


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    if not CHROMIUM.is_file():
        pytest.skip("Chromium is not installed (Debian's package `chromium-headless-shell`)")
    expect.set_options(timeout=PATIENCE_MILLISECONDS)
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture(scope="session")
def whole(request: pytest.FixtureRequest) -> bool:
    """Whether each page is looked at in each view to the last (`make test-deep`)."""
    return request.config.getoption("--hypothesis-profile") is not None
