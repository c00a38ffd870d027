"""Regulations on pages: read, printed, taken as data; datasets and agreements link to theirs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from lienthong.access import Actor, Role, SignedIn, State
from lienthong.contracts import Sharing
from lienthong.pipeline import apply_contract
from lienthong.settings import Settings
from lienthong.store import Database
from lienthong.store import agreements as agreed
from lienthong.web.app import create_app
from lienthong.web.services import make_services
from tests.catalog.test_regulations import write
from tests.conftest import fresh_database
from tests.factories import make_contract
from tests.web.signing_in import ISSUER, register_person, sign_in

HTML = {"Accept": "text/html"}
DATASET = make_contract(id="test.people", sharing=Sharing.ON_REQUEST)


@pytest.fixture
def client(postgres_server: Any, tmp_path: Path) -> Iterator[TestClient]:
    folder = tmp_path / "regulations"
    folder.mkdir()
    write(folder, "chung", "2026-01", "2026-01-15")
    write(folder, "chung", "2099-01", "2099-01-01")
    write(folder, "khac", "1", "2026-01-15", "datasets: [other.one]\n")
    with fresh_database(postgres_server) as url:
        settings = Settings(
            home=tmp_path,
            agreements=tmp_path / "agreements",
            regulations=folder,
            base_url="http://testserver",
            checkpoint_milliseconds=0,
            worker=False,
        )
        services = make_services(settings, Database(url), {DATASET.id: DATASET})
        apply_contract(services.workshop, DATASET)
        with services.workshop.database.connect() as connection:
            document = {
                "id": "TT-1",
                "provider": "H10.02",
                "consumer": "VN/GOV/H10.12/tro-cap",
                "dataset": DATASET.id,
                "regulation": "Điều 5",
            }
            step = agreed.NewStep(
                "request", State.REQUESTED, Actor("x", "H10.12", frozenset({Role.DATA_OFFICER})), services.workshop.clock()
            )
            agreed.add(connection, document, "request", None, step)
        with TestClient(create_app(services)) as opened:
            register_person(services.workshop.database, "dau-moi", "H10.02", [Role.DATA_OFFICER])
            yield opened


def test_the_list_tells_what_is_in_force_and_what_is_to_come(client: TestClient) -> None:
    told = client.get("/regulations.json").json()
    assert [each["id"] for each in told["regulations"]] == ["chung", "khac"]
    assert [(each["id"], each["version"]) for each in told["coming"]] == [("chung", "2099-01")]
    assert 'href="/regulations/chung"' in client.get("/regulations", headers=HTML).text


def test_one_is_a_page_and_data_and_each_version_keeps_its_address(client: TestClient) -> None:
    text = client.get("/regulations/chung", headers=HTML).text
    assert "<h2>Điều 1. Phạm vi</h2>" in text
    assert "<ul><li>Mục một</li>" in text
    told = client.get("/regulations/chung.json").json()
    assert (told["version"], told["is_in_force"], [each["id"] for each in told["datasets"]]) == ("2026-01", True, [DATASET.id])
    assert client.get("/regulations/chung.json?version=2099-01").json()["is_in_force"] is False
    assert "Mục hai" in client.get("/regulations/chung.csv").text
    assert [client.get(path).status_code for path in ("/regulations/nothing.json", "/regulations/chung.json?version=x")] == [404, 404]


def test_a_dataset_and_its_agreements_link_to_the_version_in_force(client: TestClient) -> None:
    link = "/regulations/chung?version=2026-01"
    assert [each["address"] for each in client.get(f"/datasets/{DATASET.id}.json").json()["regulations"]] == [link]
    assert f'href="{link}"' in client.get(f"/datasets/{DATASET.id}", headers=HTML).text
    sign_in(client, SignedIn(ISSUER, f"dau-moi@{ISSUER}", "Cán bộ mẫu dau-moi"))
    page = client.get("/console/agreements/TT-1", headers=HTML).text
    assert f'href="{link}"' in page
    assert "Điều 5" in page
    assert [each["page"] for each in client.get("/v1/agreements/TT-1").json()["regulations"]] == [f"http://testserver{link}"]
