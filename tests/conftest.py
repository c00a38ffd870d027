"""Real services for tests: PostgreSQL from the wheel, and Debian's PostgreSQL 15 where it is installed.

A test asks for `database_url` and gets a database of its own, copied from a template that holds the schema, dropped afterwards.
"""

from __future__ import annotations

import gc
import os
import shutil
import sys
import tempfile
from collections.abc import Collection, Generator, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from lienthong.pipeline import Workshop
    from lienthong.store.embedded import EmbeddedServer
    from tests.templates import Template

PATIENCE_SECONDS = 120.0
POSTGRES_15 = Path("/usr/lib/postgresql/15/bin")
TEMPLATE = "lienthong_template"
MEMORY, ROOMY = Path("/dev/shm"), 8 * 2**30
FAST = {"fsync": "off", "full_page_writes": "off", "shared_buffers": "64MB"}  # a test's data need not outlive the machine

# Files and rooms that take a minute or more, the longest first: begun last, one of them would keep a single worker busy at the end.
LONG = (
    "tests/browser", "tests/masterdata/test_spark.py", "tests/doors", "tests/acceptance/test_first_hour.py", "tests/masterdata/test_training.py",
    "tests/acceptance", "tests/evaluation", "tests/web/test_webhooks.py", "tests/web/test_submissions.py", "tests/web/test_schemathesis.py",
)  # fmt: skip
os.environ["LIENTHONG_WORKER_NICE"] = "0"  # workers of servers must keep up on a machine all of whose processors test
TOGETHER = ("tests/browser", "tests/doors")  # rooms whose files share one province: one worker keeps it

# Every process of ours starts from bytecode, also where the environment says to write none: compiling everything anew takes each a second.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False
gc.disable()  # collecting tests makes a million objects that all stay: looking through them again and again finds nothing

# Properties are tried with the same examples each time, and none fails for being slow on a busy machine. `make test` tries a quarter of what each
# property asks for, but whole where right and proof are at stake; `make test-deep` tries all; `pytest --hypothesis-profile=exploring` looks for others.
QUICKER = 4
WHOLE = (
    "tests/access",
    "tests/ledger",
    "tests/quality/test_disclosure.py",
    "tests/pipeline/test_agreeing.py",
    "tests/sharing/test_filters.py",
    "tests/sharing/test_quota.py",
    "tests/sharing/test_shares.py",
    "tests/web/test_agreements.py",
    "tests/web/test_wire.py",
)
STEADY = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], database=None, print_blob=True)
settings.register_profile("exploring", STEADY)
settings.register_profile("steady", STEADY, derandomize=True)
settings.register_profile("deep", STEADY, derandomize=True)
settings.load_profile("steady")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """What takes long comes first; otherwise the order of the folders. Properties are tried as often as this run is to try them."""
    if config.getoption("--hypothesis-profile") is None:
        _try_less({_function(item) for item in items if not item.nodeid.startswith(WHOLE)})

    def place(item: pytest.Item) -> int:
        return next((n for n, name in enumerate(LONG) if item.nodeid.startswith(name)), len(LONG))

    items.sort(key=place)


def _function(item: pytest.Item) -> Any:
    test = getattr(item, "obj", None)
    return getattr(test, "__func__", test)


def _try_less(tests: Collection[Any]) -> None:
    for test in tests:
        if hasattr(test, "hypothesis"):
            asked = test._hypothesis_internal_use_settings or settings()
            test._hypothesis_internal_use_settings = settings(asked, max_examples=-(-asked.max_examples // QUICKER))


def pytest_collection_finish() -> None:
    gc.freeze()
    gc.enable()


def pytest_configure() -> None:
    """A test waits for an answer as long as a busy machine needs; httpx alone would give up after five seconds."""
    from httpx import _config  # Client, get() and the others hold this very value as their default

    from tests.patience import read_authorities_once

    for phase in ("connect", "read", "write", "pool"):
        setattr(_config.DEFAULT_TIMEOUT_CONFIG, phase, PATIENCE_SECONDS)
    read_authorities_once()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Files go to workers whole, and so do rooms whose files share a province."""
    from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped] # xdist has no types

    scheduler = LoadScopeScheduling(config, log)
    scheduler._split_scope = lambda nodeid: next((room for room in TOGETHER if nodeid.startswith(room)), nodeid.partition("::")[0])
    return scheduler


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Where services are required (CI), a skipped test is a failed one."""
    report = yield
    if report.skipped and os.environ.get("LIENTHONG_REQUIRE_SERVICES") == "1" and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} was skipped, and LIENTHONG_REQUIRE_SERVICES=1 allows no skip: {report.longrepr}"
    return report


@pytest.fixture(autouse=True)
def _in_vietnamese() -> None:
    """What one test told the terminal in English, the next is told in Vietnamese again."""
    words = sys.modules.get("lienthong.cli.words")
    if words is not None:
        words.Language.english = False


@pytest.fixture(autouse=True)
def _telling_all_events() -> None:
    """The smallest level one test wrote events from does not hold for the next, which may look for a smaller one."""
    structlog = sys.modules.get("structlog")
    if structlog is not None:
        structlog.reset_defaults()


def _roomy_memory() -> Path | None:
    """Where databases of tests live: in memory where there is plenty, for each copy of one is a thousand small files."""
    return MEMORY if MEMORY.is_dir() and os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > ROOMY else None


@contextmanager
def open_folder() -> Iterator[Path]:
    """A temporary folder another account may enter (pytest's own are closed to all but us, and a server does not run as root)."""
    folder = Path(tempfile.mkdtemp(prefix="lienthong-tests-", dir=_roomy_memory()))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def running_server(binaries: Path | None = None) -> Iterator[EmbeddedServer]:
    """A throw-away server with a template database that holds the schema."""
    from lienthong.store.database import Database  # tests of the lower rooms need no store
    from lienthong.store.embedded import EmbeddedServer

    with open_folder() as home:
        server = EmbeddedServer(home, binaries=binaries, options=FAST)
        server.start()
        _open_quickly(server)
        try:
            Database(server.create_database(TEMPLATE)).apply_schema()
            yield server
        finally:
            server.stop()


def _open_quickly(server: EmbeddedServer) -> None:
    """Let the password be proved in one round instead of 4,096: tests connect tens of thousands of times, and it guards nothing."""
    import psycopg
    from psycopg import sql

    from lienthong.store.embedded import SUPERUSER

    password = urlsplit(server.url("postgres")).password
    with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
        if connection.info.server_version >= 160000:  # before, the rounds cannot be chosen
            connection.execute("set scram_iterations = 1")
            words = sql.SQL("alter role {} password {}").format(sql.Identifier(SUPERUSER), sql.Literal(password))
            connection.execute(words)


def fresh_database(server: EmbeddedServer) -> AbstractContextManager[str]:
    """A database of one test's own, the schema in place."""
    from tests.templates import copied

    return copied(server, TEMPLATE)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[EmbeddedServer]:
    with running_server() as server:
        yield server


@pytest.fixture(scope="session")
def postgres15_server() -> Iterator[EmbeddedServer]:
    if not (POSTGRES_15 / "postgres").is_file():
        pytest.skip("PostgreSQL 15 is not installed (Debian's package `postgresql`)")
    with running_server(POSTGRES_15) as server:
        yield server


@pytest.fixture(scope="session")
def datasets_template(postgres_server: EmbeddedServer) -> Template:
    from tests import templates

    return templates.of_datasets(postgres_server, TEMPLATE)


@pytest.fixture(scope="session")
def matched_template(datasets_template: Template, tmp_path_factory: pytest.TempPathFactory) -> Template:
    from tests import templates

    return templates.of_matched(datasets_template, tmp_path_factory)


@pytest.fixture(scope="session")
def counters_template(postgres_server: EmbeddedServer, tmp_path_factory: pytest.TempPathFactory) -> Template:
    """Two published datasets to ask for (`tests.web.counters`)."""
    from tests.web import counters

    return counters.make_template(postgres_server, TEMPLATE, tmp_path_factory.mktemp("counters"))


@pytest.fixture
def empty_province(datasets_template: Template) -> Iterator[Workshop]:
    """A workshop over a database with every contract of the province applied, and no row."""
    with datasets_template.copy() as workshop:
        yield workshop


@pytest.fixture
def matched_province(matched_template: Template) -> Iterator[Workshop]:
    """The same with two registers of made-up persons, matched."""
    with matched_template.copy() as workshop:
        yield workshop


@pytest.fixture
def database_url(postgres_server: EmbeddedServer) -> Iterator[str]:
    """A fresh database on PostgreSQL 18, the schema in place."""
    with fresh_database(postgres_server) as url:
        yield url


@pytest.fixture
def postgres15_url(postgres15_server: EmbeddedServer) -> Iterator[str]:
    """A fresh database on Debian's PostgreSQL 15, the schema in place."""
    with fresh_database(postgres15_server) as url:
        yield url


@pytest.fixture
def open_path() -> Iterator[Path]:
    """Like `tmp_path`, but a server under another account can live in it."""
    with open_folder() as folder:
        yield folder
