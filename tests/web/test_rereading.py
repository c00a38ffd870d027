"""A key or a subsystem that came a moment ago counts at once; whoever sends unknown names without end does not keep the database busy."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from lienthong.access import ASSERTION_TYPE, PRODUCTION, PublicKey, Subsystem, make_assertion, new_key_pair
from lienthong.pipeline import registering
from lienthong.settings import Settings
from lienthong.store import Database
from lienthong.web import app as application
from lienthong.web.app import create_app
from lienthong.web.rereading import REST, Rereading
from lienthong.web.services import Services, make_services

NAME = "VN/GOV/H10.12/moi"
ENDPOINT = "http://testserver/oauth/token"


@pytest.fixture
def services(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Services:
    monkeypatch.setattr(application, "SECONDS_BETWEEN_LOOKS", 600.0)
    settings = Settings(
        home=tmp_path, agreements=tmp_path / "agreements", base_url="http://testserver", checkpoint_milliseconds=0, worker=False
    )
    return make_services(settings, Database(database_url), {})


@pytest.fixture
def client(services: Services) -> Iterator[TestClient]:
    with TestClient(create_app(services)) as opened:
        while services.reread is None:
            time.sleep(0.01)
        time.sleep(0.3)  # the first look is over
        yield opened


def ask(client: TestClient, private: Any, subsystem: str = NAME) -> int:
    text = make_assertion(private, subsystem, ENDPOINT, datetime.now(UTC))
    form = {"grant_type": "client_credentials", "client_assertion_type": ASSERTION_TYPE, "client_assertion": text}
    return int(client.post("/oauth/token", data=form).status_code)


def register(services: Services, *publics: Any) -> None:
    subsystem = Subsystem(NAME, "H10.12", "Mới", "New", tuple(PublicKey(public) for public in publics))
    registering.take_over(services.workshop, {NAME: subsystem}, PRODUCTION)


def test_a_new_subsystem_and_a_new_key_of_it_get_a_token_at_once(client: TestClient, services: Services) -> None:
    (first, public), (second, other) = new_key_pair(), new_key_pair()
    assert ask(client, first) == 401
    register(services, public)
    assert ask(client, first) == 200
    assert ask(client, second) == 401
    register(services, public, other)
    assert ask(client, second) == 200


def test_what_is_known_asks_for_no_look(client: TestClient, services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    private, public = new_key_pair()
    register(services, public)
    assert ask(client, private) == 200

    async def never(_: Rereading) -> None:
        raise AssertionError

    monkeypatch.setattr(Rereading, "ask", never)
    assert [ask(client, private) for _ in range(5)] == [200] * 5


def test_who_asks_together_shares_a_look_and_looks_rest_between() -> None:
    began: list[float] = []

    async def look() -> None:
        began.append(asyncio.get_running_loop().time())
        await asyncio.sleep(0.01)

    async def flood() -> None:
        reread = Rereading(look)
        for _ in range(20):
            await asyncio.gather(*(reread.ask() for _ in range(200)))

    asyncio.run(flood())
    assert len(began) == 20
    assert min(later - earlier for earlier, later in itertools.pairwise(began)) >= REST * 0.95


def test_a_look_began_after_it_was_asked_for_and_one_that_fails_ends_nothing() -> None:
    seen: list[int] = []
    known = 0

    async def look() -> None:
        seen.append(known)
        if known == 1:
            raise OSError
        await asyncio.sleep(0.05)

    async def story() -> None:
        nonlocal known
        reread = Rereading(look)
        first = asyncio.create_task(reread.ask())
        await asyncio.sleep(0.02)  # it has begun
        known = 1
        await reread.ask()
        assert seen == [0, 1]
        await first
        known = 2
        await reread.ask()

    asyncio.run(story())
    assert seen == [0, 1, 2]
