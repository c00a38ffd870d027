"""Who acts: systems that name their official, persons who signed in; what is refused, in which words, and that the ledger has it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient

from lienthong.access import Role, Sealer, SignedIn
from lienthong.errors import StoreError
from lienthong.settings import Settings
from lienthong.store import Database
from lienthong.web import acting
from lienthong.web.app import create_app
from lienthong.web.services import Services, make_services
from tests.conftest import fresh_database
from tests.factories import TickingClock
from tests.store.ledgers import written
from tests.web.signing_in import ISSUER, register_person, sign_in

URL = "http://testserver"
SYSTEM = "VN/GOV/H10.12/tro-cap"
CITIZEN = SignedIn(ISSUER, "cong-dan", "Công dân mẫu", citizen="070000000001")


def told(actor: Any) -> Response:
    return JSONResponse({"name": actor.name, "agency": actor.agency, "roles": sorted(actor.roles), "subsystem": actor.subsystem})


def who(request: Request) -> Response:
    return told(acting.actor_of(request))


def officer(request: Request) -> Response:
    return told(acting.require(request, Role.DATA_OFFICER, agency="H10.12"))


def operator(request: Request) -> Response:
    return told(acting.require(request, Role.OPERATOR, in_person=True))


def citizen(request: Request) -> Response:
    return JSONResponse({"number": acting.citizen_of(request)})


def out(request: Request) -> Response:
    response = JSONResponse({})
    request.app.state.acting.sessions.end(request, response, everywhere=request.query_params.get("where") == "everywhere")
    return response


@pytest.fixture(scope="module")
def database(postgres_server: Any) -> Iterator[Database]:
    with fresh_database(postgres_server) as url:
        yield Database(url)


@pytest.fixture(scope="module")
def services(database: Database, tmp_path_factory: pytest.TempPathFactory) -> Services:
    home = Path(tmp_path_factory.mktemp("home"))
    settings = Settings(home=home, agreements=home / "agreements", base_url=URL, checkpoint_milliseconds=0, worker=False)
    made = make_services(settings, database, {})
    made.workshop = replace(made.workshop, clock=TickingClock())
    made.tokens = type(made.tokens)(made.tokens._key, URL, 30, made.workshop.clock)
    return made


@pytest.fixture(scope="module")
def server(services: Services) -> Iterator[TestClient]:
    app = create_app(services)
    app._rest.router.routes += [
        Route("/who", who, methods=["GET", "POST"]),
        Route("/officer", officer, methods=["GET", "POST"]),
        Route("/for-operators", operator),
        Route("/citizen", citizen),
        Route("/out", out, methods=["POST"]),
    ]
    with TestClient(app) as opened:
        yield opened


@pytest.fixture
def client(server: TestClient) -> TestClient:
    return TestClient(server.app)


def clock_of(services: Services) -> TickingClock:
    clock = services.workshop.clock
    assert isinstance(clock, TickingClock)
    return clock


def by_system(services: Services, **headers: str) -> dict[str, str]:
    token = services.tokens.issue(SYSTEM, services.workshop.clock())
    return {"Authorization": f"Bearer {token}", "Lienthong-Official": "can-bo-01", **headers}


def last(database: Database) -> tuple[str, str, str]:
    entry = written(database)[-1]
    return entry["event"], entry.get("official", ""), entry["outcome"]


def test_a_system_acts_for_its_own_agency_in_the_name_of_an_official(client: TestClient, services: Services) -> None:
    found = client.get("/who", headers=by_system(services)).json()
    assert (found["name"], found["agency"], found["subsystem"]) == ("can-bo-01", "H10.12", SYSTEM)
    assert found["roles"] == ["data_officer", "integrator", "steward"]


def test_a_system_cannot_do_what_only_a_person_may(client: TestClient, services: Services, database: Database) -> None:
    answer = client.get("/for-operators", headers=by_system(services))
    assert (answer.status_code, answer.json()["rule"]) == (403, "no_sign_in")
    assert last(database) == ("act:request:denied", "can-bo-01", "no_sign_in")


def test_a_system_that_names_nobody_is_refused(client: TestClient, services: Services, database: Database) -> None:
    headers = by_system(services)
    del headers["Lienthong-Official"]
    answer = client.get("/who", headers=headers)
    assert (answer.status_code, answer.json()["rule"]) == (403, "no_official")
    assert last(database)[2] == "no_official"


def test_nobody_is_nobody(client: TestClient, database: Database) -> None:
    answer = client.get("/who", headers={"Cookie": "lienthong=made-up"})
    assert (answer.status_code, answer.json()["rule"]) == (401, "no_identity")
    assert last(database) == ("act:request:denied", "", "no_identity")


def test_a_bad_token_is_refused_though_a_cookie_would_do(client: TestClient, database: Database) -> None:
    sign_in(client, register_person(database, "vua-co-ve", "H10.12", [Role.DATA_OFFICER]))
    assert client.get("/who", headers={"Authorization": "Bearer nothing"}).status_code == 401


def test_a_signed_in_person_acts_in_the_roles_they_hold(client: TestClient, database: Database) -> None:
    sign_in(client, register_person(database, "dau-moi-12", "H10.12", [Role.DATA_OFFICER]))
    assert client.get("/officer").json() == {"name": "dau-moi-12", "agency": "H10.12", "roles": ["data_officer"], "subsystem": ""}


def test_another_agencys_officer_is_refused(client: TestClient, database: Database) -> None:
    sign_in(client, register_person(database, "dau-moi-10", "H10.10", [Role.DATA_OFFICER]))
    answer = client.get("/officer")
    assert (answer.status_code, answer.json()["rule"]) == (403, "other_agency")
    assert last(database) == ("act:request:denied", "dau-moi-10", "other_agency")


def test_an_operator_is_one_only_with_the_second_factor(client: TestClient, database: Database) -> None:
    who = register_person(database, "van-hanh", "H10.11", [Role.OPERATOR])
    sign_in(client, who)
    answer = client.get("/for-operators")
    assert (answer.status_code, answer.json()["rule"]) == (403, "no_second_factor")
    sign_in(client, who, second_factor="totp")
    assert client.get("/for-operators").json()["roles"] == ["operator"]


def test_a_change_needs_the_sessions_own_token(client: TestClient, database: Database) -> None:
    first = sign_in(client, register_person(database, "dau-moi-13", "H10.12", [Role.DATA_OFFICER]))
    for sent in ({}, {"Lienthong-CSRF": "x"}, {"Lienthong-CSRF": first, "Sec-Fetch-Site": "cross-site"}):
        answer = client.post("/officer", headers=sent)
        assert (answer.status_code, answer.json()["rule"]) == (403, "forged")
    assert client.post("/officer", headers={"Lienthong-CSRF": first, "Sec-Fetch-Site": "same-origin"}).status_code == 200
    second = sign_in(client, register_person(database, "dau-moi-14", "H10.12", [Role.DATA_OFFICER]))
    assert first != second
    assert client.post("/officer", headers={"Lienthong-CSRF": first}).status_code == 403


def test_a_citizen_is_known_by_their_number_and_holds_no_other_role(client: TestClient, services: Services, database: Database) -> None:
    assert client.get("/citizen").json()["rule"] == "no_citizen"
    sign_in(client, CITIZEN)
    assert client.get("/citizen").json() == {"number": CITIZEN.citizen}
    assert client.get("/who").json()["roles"] == ["citizen"]
    assert client.get("/officer").json()["rule"] == "no_role"
    assert client.get("/citizen", headers=by_system(services)).status_code == 200  # the session answers for the citizen, no token can


def test_no_citizen_is_readable_in_the_database(database: Database, client: TestClient) -> None:
    sign_in(client, CITIZEN)
    with database.connect() as connection:
        rows = connection.execute("select s::text from lienthong.sessions as s").fetchall()
    assert rows
    assert not [row for (row,) in rows if CITIZEN.citizen in row or CITIZEN.citizen.encode().hex() in row]
    assert not [entry for entry in written(database) if CITIZEN.citizen in str(entry)]


def test_a_session_left_alone_is_over_and_so_is_one_that_lasted_too_long(
    client: TestClient, database: Database, services: Services
) -> None:
    sign_in(client, register_person(database, "ngu-quen", "H10.12", [Role.LEADER]))
    clock = clock_of(services)
    clock.now += timedelta(minutes=29)
    assert client.get("/who").status_code == 200
    clock.now += timedelta(minutes=31)
    assert client.get("/who").status_code == 401
    sign_in(client, register_person(database, "lam-them", "H10.12", [Role.LEADER]))
    for _ in range(40):
        clock.now += timedelta(minutes=15)
        answer = client.get("/who")
    assert answer.status_code == 401


def test_signing_out_ends_this_session_and_everywhere_ends_all(server: TestClient, client: TestClient, database: Database) -> None:
    who = register_person(database, "ra-ve", "H10.12", [Role.LEADER])
    clients = [client, TestClient(server.app), TestClient(server.app)]
    for each in clients:
        sign_in(each, who)
    token = clients[0].cookies["lienthong"]
    clients[0].post("/out")
    assert clients[0].get("/who", headers={"Cookie": f"lienthong={token}"}).status_code == 401
    assert clients[1].get("/who").status_code == 200
    clients[1].post("/out?where=everywhere")
    assert clients[2].get("/who").status_code == 401


def test_what_is_sealed_opens_only_in_its_place_and_unchanged() -> None:
    sealer = Sealer(b"secret")
    sealed = sealer.seal(b"content", "here")
    assert sealer.open(sealed, "here") == b"content"
    for other, place in ((sealed, "there"), (sealed[:-1] + b"\x00", "here"), (b"", "here")):
        with pytest.raises(StoreError):
            sealer.open(other, place)
    with pytest.raises(StoreError):
        Sealer(b"another").open(sealed, "here")


def test_who_is_signed_in_but_registered_nowhere_acts_as_nobody(client: TestClient) -> None:
    sign_in(client, SignedIn(ISSUER, "la-mat", "Người lạ"))
    assert client.get("/who").json()["rule"] == "no_role"
