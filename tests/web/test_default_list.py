"""Data shared by default: had at once by who asks within the offer; the list is reviewed, and late when it is not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient
from typer.testing import CliRunner

from lienthong.access import Offer, Role, standing_terms
from lienthong.access.default_list import part_of
from lienthong.access.opening import months_after
from lienthong.cli.main import app
from lienthong.cli.words import Language
from lienthong.clock import vietnam_date
from lienthong.contracts import LegalBasis, Sharing
from lienthong.pipeline import apply_contract, registering
from lienthong.settings import Settings
from lienthong.store import Database
from lienthong.web.app import create_app
from lienthong.web.register_watch import RegisterWatch
from lienthong.web.services import Services, make_services
from tests.conftest import fresh_database
from tests.factories import make_contract, make_property
from tests.store.ledgers import written
from tests.web.signing_in import register_person, sign_in
from tests.web.test_onboarding import OPERATOR, live
from tests.web.test_registry import NAME, named

FIELDS = (make_property("code", required=True, key_position=1), make_property("name"))
BASIS = (LegalBasis("194/2025/NĐ-CP điều 16", date(2025, 8, 19), None),)
LIST, HIDDEN, OTHER = (
    make_contract(id="test.codes", properties=FIELDS, sharing=Sharing.DEFAULT, legal_basis=BASIS),
    replace(
        make_contract(id="test.hidden", properties=FIELDS, sharing=Sharing.DEFAULT),
        document={"customProperties": [{"property": "catalogueEntry", "value": "restricted"}]},
    ),
    make_contract(id="test.asked", properties=FIELDS, sharing=Sharing.ON_REQUEST),
)  # fmt: skip


@pytest.fixture
def services(postgres_server: Any, tmp_path: Path) -> Iterator[Services]:
    with fresh_database(postgres_server) as url:
        settings = Settings(
            home=tmp_path, agreements=tmp_path / "agreements", base_url="http://testserver", checkpoint_milliseconds=0, worker=False
        )
        made = make_services(settings, Database(url), {each.id: each for each in (LIST, HIDDEN, OTHER)})
        for contract in (LIST, HIDDEN, OTHER):
            apply_contract(made.workshop, contract)
        yield made


@pytest.fixture
def client(services: Services) -> Iterator[TestClient]:
    with TestClient(create_app(services)) as opened:
        yield opened


def enter(client: TestClient, services: Services, agency: str, role: Role = Role.DATA_OFFICER) -> dict[str, str]:
    who = register_person(services.workshop.database, f"nguoi-{agency}-{role}".lower().replace(".", "-"), agency, [role])
    return {"Lienthong-CSRF": sign_in(client, who, second_factor="totp")}


def test_what_is_shared_by_default_is_had_at_once_and_nothing_waits_for_its_owner(client: TestClient, services: Services) -> None:
    registering.register(services.workshop, OPERATOR, NAME, "Trợ cấp", "Benefits")
    csrf = enter(client, services, "H10.12")
    terms = standing_terms(LIST, date.today(), Offer())
    document = {**terms, "consumer": NAME, "operations": ["look_up"], "purposes": {"x": {"vi": "x", "en": "x"}}}
    asked = [client.post("/v1/agreements", json={**document, "dataset": id}, headers=csrf) for id in (LIST.id, OTHER.id)]
    assert [(each.status_code, each.json()["state"]) for each in asked] == [(200, "granted"), (200, "requested")], [
        each.text for each in asked
    ]
    with services.workshop.database.connect() as connection:  # with a key in force it would be active with the answer
        public = named("k")[1]
        from lienthong.store import subsystems as systems
        from lienthong.store.subsystems import KeptKey

        systems.add_key(
            connection,
            KeptKey(NAME, "k", registering.thumbprint(public), public, "production", "challenge", None, None),
            "x",
            services.workshop.clock(),
        )
    RegisterWatch(services).look()
    again = client.post("/v1/agreements", json={**document, "dataset": LIST.id, "purposes": {"y": {"vi": "y", "en": "y"}}}, headers=csrf)
    assert (again.status_code, again.json().get("state")) in ((200, "active"), (409, None))


@pytest.fixture
def functioned(postgres_server: Any, tmp_path: Path) -> Iterator[Services]:
    """An agency whose field of work is `test`; data of a ministry, of the province, and data shown to few."""
    file = tmp_path / "functions.yaml"
    file.write_text("- {agency: H10.12, domains: [test], basis: Quyết định 05/2025/QĐ-UBND, valid_from: 2025-07-01}\n", "utf-8")
    national = replace(make_contract(id="test.national", properties=FIELDS, sharing=Sharing.ON_REQUEST, legal_basis=BASIS), agency="G12")
    level = make_contract(id="test.level", properties=FIELDS, sharing=Sharing.ON_REQUEST, legal_basis=BASIS)
    few = make_contract(id="test.few", properties=FIELDS, sharing=Sharing.RESTRICTED, legal_basis=BASIS)
    other = replace(level, id="test.other", agency="H19.02")
    with fresh_database(postgres_server) as url:
        settings = Settings(
            home=tmp_path,
            agreements=tmp_path / "agreements",
            functions=str(file),
            base_url="http://testserver",
            checkpoint_milliseconds=0,
            worker=False,
        )
        yield make_services(settings, Database(url), {each.id: each for each in (national, level, few, other)})


def test_data_of_ones_own_field_is_granted_by_rule_and_explained_before(functioned: Services) -> None:
    with TestClient(create_app(functioned)) as client:
        registering.register(functioned.workshop, OPERATOR, NAME, "Trợ cấp", "Benefits")
        registering.register(functioned.workshop, OPERATOR, "VN/GOV/H10.13/khac", "Khác", "Other")
        csrf = enter(client, functioned, "H10.12")

        def told(dataset: str, consumer: str = NAME) -> tuple[str | None, str]:
            found = client.get(
                "/v1/access/explain", params={"dataset": dataset, "caller": consumer, "purpose": "x", "official": "y"}
            ).json()
            terms = standing_terms(functioned.workshop.contracts[dataset], date.today(), Offer())
            document = {
                **terms,
                "dataset": dataset,
                "consumer": consumer,
                "operations": ["look_up"],
                "purposes": {"x": {"vi": "x", "en": "x"}},
            }
            asked = client.post("/v1/agreements", json=document, headers=csrf)
            assert found["allowed"] is False
            return (found["by_rule"] or {}).get("rule"), asked.json()["state"]

        assert told("test.national") == ("sector_national", "granted")
        assert told("test.level") == ("level_shared", "granted")
        assert told("test.few") == (None, "requested")
        assert told("test.other") == (None, "requested")  # another province's
        step = client.get("/v1/agreements/YC-2026-000001").json()
        assert "sector_national" in str(client.get(f"/v1/agreements/{step['id']}/history").json())
        csrf = enter(client, functioned, "H10.13")
        assert told("test.level", "VN/GOV/H10.13/khac") == (None, "requested")


def test_the_list_is_published_with_its_reviews_and_hides_what_is_hidden(client: TestClient, services: Services) -> None:
    told = client.get("/v1/default-list").json()
    part = told["parts"][0]
    today = vietnam_date(services.workshop.clock())
    assert [each["id"] for each in part["datasets"]] == [LIST.id]
    assert (part["reviewed_on"], part["due_on"], told["reviewed_on"]) == (None, str(months_after(today, 6)), None)
    csrf = enter(client, services, "H10.02")
    body = {"words": "Giữ nguyên danh mục", "decision": "12/QĐ"}
    reviewed = client.post("/v1/default-list/H10.02/reviews", json=body, headers=csrf)
    assert (reviewed.status_code, reviewed.json()["reviewed_on"]) == (200, str(today))
    assert client.get("/v1/default-list").json()["reviewed_on"] == str(today)
    history = client.get("/v1/default-list/H10.02/reviews").json()["reviews"]
    assert client.get("/v1/default-list/User-Agent/reviews").status_code == 404
    assert [(each["datasets"], each["words"], each["added"]) for each in history] == [([LIST.id], "Giữ nguyên danh mục", [])]
    entry = next(each for each in written(services.workshop.database) if each["event"] == "sharing:default-list:reviewed")
    assert (entry["details"]["decision"], entry["details"]["datasets"]) == ("12/QĐ", [LIST.id, HIDDEN.id])
    live(services).add(make_contract(id=OTHER.id, properties=FIELDS, sharing=Sharing.DEFAULT))
    live(services).add(make_contract(id=LIST.id, properties=FIELDS, sharing=Sharing.ON_REQUEST))
    part = client.get("/v1/default-list").json()["parts"][0]
    assert (part["added"], part["removed"]) == ([OTHER.id], [LIST.id])
    page = client.get("/shared-by-default", headers={"Accept": "text/html"}).text
    assert "đã bỏ từ lần rà soát trước" in page
    assert HIDDEN.id not in page


def test_only_the_agency_or_an_operator_reviews_and_says_what_came_of_it(client: TestClient, services: Services) -> None:
    body = {"words": "Đã xem"}
    assert client.post("/v1/default-list/H10.02/reviews", json=body).status_code == 401
    other = enter(client, services, "H10.12")
    assert client.post("/v1/default-list/H10.02/reviews", json=body, headers=other).status_code == 403
    own = enter(client, services, "H10.02")
    assert client.post("/v1/default-list/H10.02/reviews", json={"words": " "}, headers=own).status_code == 422
    operator = enter(client, services, "H10.11", Role.OPERATOR)
    assert client.post("/v1/default-list/H10.99/reviews", json=body, headers=operator).status_code == 404
    assert client.post("/v1/default-list/H10.02/reviews", json=body, headers=operator).status_code == 200


def test_a_late_review_stands_among_the_promises_of_its_owner_and_in_the_operators_queues(client: TestClient, services: Services) -> None:
    with services.workshop.database.connect() as connection:
        connection.execute("update lienthong.contract_history set applied_at = now() - interval '13 months'")
    own = enter(client, services, "H10.02")
    assert client.get("/console/exchange.json").json()["default_review"]["is_overdue"] is True
    assert "quá hạn rà soát" in client.get("/console/exchange", headers={"Accept": "text/html"}).text
    form = {"csrf": own["Lienthong-CSRF"], "words": "Đã rà soát", "decision": ""}
    sent = client.post("/shared-by-default/H10.02", data=form, headers={"Accept": "text/html"}, follow_redirects=False)
    assert (sent.status_code, client.get("/console/exchange.json").json()["default_review"]["is_overdue"]) == (303, False)
    enter(client, services, "H10.11", Role.OPERATOR)
    queue = client.get("/operator/queues.json").json()["default_reviews"]
    assert [(each["agency"], each["is_late"]) for each in queue] == [("H10.02", False)]


def test_the_terminal_shows_and_reviews(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("DATABASE_URL", database_url), ("HOME", str(tmp_path)), ("DATASETS", str(Path(__file__).parents[2] / "datasets"))):
        monkeypatch.setenv(f"LIENTHONG_{name}", value)
    monkeypatch.setattr(Language, "english", True)
    run = CliRunner()
    first = run.invoke(app, ["default-list", "show"], catch_exceptions=False, env={"COLUMNS": "300"}).output
    agency = next(word for word in first.split() if word.startswith("H10."))
    assert "Recorded" in run.invoke(app, ["default-list", "review", agency, "--words", "kept"], catch_exceptions=False).output
    assert "kept" not in first


def test_the_first_review_is_due_after_the_first_day_and_the_next_after_the_last() -> None:
    first = part_of("H", ["a"], None, None, date(2026, 1, 31), 6)
    assert (first.due_on, first.added, first.is_overdue(date(2026, 8, 1))) == (date(2026, 7, 31), (), True)
    later = part_of("H", ["a", "b"], ["a", "c"], date(2026, 6, 1), date(2026, 1, 31), 6)
    assert (later.due_on, later.added, later.removed) == (date(2026, 12, 1), ("b",), ("c",))
