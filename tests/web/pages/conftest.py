"""A console and its officers, over HTTP, shared by the tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from lienthong.access import Role
from lienthong.settings import Settings
from lienthong.store import Database
from lienthong.web.app import create_app
from lienthong.web.services import Services, make_services
from tests.conftest import fresh_database
from tests.factories import contracts_of_the_province
from tests.web.signing_in import register_person, sign_in

ROOT = Path(__file__).parents[3]
AGENCY = "H10.12"


class Console:
    def __init__(self, client: TestClient, services: Services, who: dict[str, Any]) -> None:
        self.client, self.services, self.who = client, services, who

    def enter(self, name: str) -> str:
        return sign_in(self.client, self.who[name])

    def hand_in(self, csrf: str, content: bytes, name: str = "Cơ sở.xlsx", title: str = "Cơ sở trợ giúp") -> Any:
        return self.client.post(
            "/console/drafts",
            data={"csrf": csrf, "title": title},
            files={"file": (name, content)},
            headers={"Accept": "text/html"},
            follow_redirects=False,
        )

    def post(self, path: str, csrf: str, **form: str) -> Any:
        return self.client.post(path, data={"csrf": csrf, **form}, headers={"Accept": "text/html"}, follow_redirects=False)

    def facts(self, path: str) -> Any:
        answer = self.client.get(path + ".json")
        assert answer.status_code == 200, answer.text
        return answer.json()


@pytest.fixture(scope="module")
def console(postgres_server: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    """For one file alone: an application that runs says of the whole process which units there are (`tests/web/pages/test_units.py`)."""
    home = Path(tmp_path_factory.mktemp("home"))
    settings = Settings(
        home=home,
        datasets=home / "datasets",
        agreements=home / "agreements",
        base_url="http://testserver",
        checkpoint_milliseconds=0,
        worker=False,
        accept_synthetic_ids=True,
    )
    with fresh_database(postgres_server) as url:
        services = make_services(settings, Database(url), contracts_of_the_province())
        people = {
            "can-bo-1": (AGENCY, [Role.DATA_OFFICER]),
            "can-bo-2": (AGENCY, [Role.DATA_OFFICER]),
            "khac": ("H10.10", [Role.DATA_OFFICER]),
        }
        who = {name: register_person(services.workshop.database, name, agency, roles) for name, (agency, roles) in people.items()}
        with TestClient(create_app(services)) as client:
            yield Console(client, services, who)
