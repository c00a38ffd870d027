"""Subsystems prove their keys, rotate and lose them; agencies close and merge; a sandbox key opens nothing of production."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import OKPKey
from starlette.testclient import TestClient

from lienthong.access import ASSERTION_TYPE, Actor, Agency, Role, State, make_assertion, new_key_pair
from lienthong.clock import vietnam_date
from lienthong.contracts import Sharing
from lienthong.errors import Conflict
from lienthong.pipeline import agencies, approving, registering
from lienthong.pipeline.registering import read_subsystems, take_over
from lienthong.settings import Settings
from lienthong.store import Database, people
from lienthong.store import agreements as agreed
from lienthong.store import subsystems as systems
from lienthong.web.app import create_app
from lienthong.web.register_watch import RegisterWatch
from lienthong.web.services import Services, make_services
from tests.conftest import fresh_database
from tests.factories import make_contract
from tests.store.ledgers import written
from tests.web.signing_in import register_person, sign_in

URL = "http://testserver"
NAME = "VN/GOV/H10.12/tro-cap"
ROOT = f"/v1/subsystems/{NAME}"
OPEN = make_contract(id="test.open", sharing=Sharing.OPEN)
FIRST, SECOND = Actor("van-hanh-1", "H10.11", frozenset({Role.OPERATOR})), Actor("van-hanh-2", "H10.11", frozenset({Role.OPERATOR}))


@pytest.fixture
def services(postgres_server: Any, tmp_path: Path) -> Iterator[Services]:
    with fresh_database(postgres_server) as url:
        settings = Settings(
            home=tmp_path,
            agreements=tmp_path / "agreements",
            base_url=URL,
            checkpoint_milliseconds=0,
            worker=False,
            onboarding_required=False,
        )
        yield make_services(settings, Database(url), {OPEN.id: OPEN})


@pytest.fixture
def client(services: Services) -> Iterator[TestClient]:
    with TestClient(create_app(services)) as opened:
        yield opened


def test_the_first_week_after_a_production_key_is_told_to_its_agency_alone(
    client: TestClient, services: Services, officer: dict[str, str]
) -> None:
    assert client.get("/v1/first-weeks").json()["first_weeks"] == []
    add(client, officer, "tuan-dau")
    (week,) = client.get("/v1/first-weeks").json()["first_weeks"]
    assert (week["subsystem"], week["state"], week["faults"]) == (NAME, "watching", [])
    assert date.fromisoformat(week["due"]) == date.fromisoformat(week["since"]) + timedelta(days=7)
    sign_in(client, register_person(services.workshop.database, "dau-moi-13", "H10.13", [Role.DATA_OFFICER]))
    assert client.get("/v1/first-weeks").json()["first_weeks"] == []


@pytest.fixture
def officer(client: TestClient, services: Services) -> dict[str, str]:
    """The data officer of H10.12, signed in, and a subsystem of theirs."""
    csrf = sign_in(client, register_person(services.workshop.database, "dau-moi-12", "H10.12", [Role.DATA_OFFICER]))
    headers = {"Lienthong-CSRF": csrf}
    assert client.put(ROOT, json={"title": "Trợ cấp", "title_en": "Benefits"}, headers=headers).status_code == 200
    return headers


def named(kid: str) -> tuple[dict[str, Any], dict[str, Any]]:
    private, public = new_key_pair()
    return {**private, "kid": kid}, {**public, "kid": kid}


def proof(private: dict[str, Any], question: str, subsystem: str = NAME, audience: str = URL) -> str:
    now = int(datetime.now(UTC).timestamp())
    claims = {"iss": subsystem, "aud": audience, "nonce": question, "iat": now, "exp": now + 60}
    return jwt.encode({"alg": "Ed25519", "kid": private["kid"]}, claims, OKPKey.import_key(private), algorithms=["Ed25519"])


def add(client: TestClient, headers: dict[str, str], kid: str, environment: str = "production", **more: Any) -> tuple[dict[str, Any], Any]:
    private, public = named(kid)
    asked = client.post(ROOT + "/keys/question", json={"jwk": public, "environment": environment}, headers=headers)
    assert asked.status_code == 200, asked.text
    question = asked.json()["question"]
    return private, client.post(ROOT + "/keys", json={"question": question, "proof": proof(private, question), **more}, headers=headers)


def ask_token(client: TestClient, private: dict[str, Any], subsystem: str = NAME) -> Any:
    form = {
        "grant_type": "client_credentials",
        "client_assertion_type": ASSERTION_TYPE,
        "client_assertion": make_assertion(private, subsystem, URL + "/oauth/token", datetime.now(UTC)),
    }
    return client.post("/oauth/token", data=form)


def bearer(client: TestClient, private: dict[str, Any]) -> dict[str, str]:
    answer = ask_token(client, private)
    assert answer.status_code == 200, answer.text
    return {"Authorization": f"Bearer {answer.json()['access_token']}"}


def events(services: Services, prefix: str) -> list[str]:
    return [entry["event"] for entry in written(services.workshop.database) if entry["event"].startswith(prefix)]


def test_a_key_that_signed_the_question_gets_tokens(client: TestClient, services: Services, officer: dict[str, str]) -> None:
    private, kept = add(client, officer, "k1")
    assert kept.status_code == 200, kept.text
    RegisterWatch(services).look()
    assert client.get("/v1/reports/index", headers=bearer(client, private)).status_code == 200
    assert events(services, "subsystem:") == ["subsystem:record:registered", "subsystem:key:added"]


def test_a_proof_counts_once_and_only_as_asked(client: TestClient, officer: dict[str, str]) -> None:
    private, public = named("k1")
    stranger, _ = named("k1")
    for signed_by, changed in ((stranger, {}), (private, {"subsystem": "VN/GOV/H10.10/khac"}), (private, {"audience": "https://khac.vn"})):
        question = client.post(ROOT + "/keys/question", json={"jwk": public, "environment": "production"}, headers=officer).json()[
            "question"
        ]
        sent = {"question": question, "proof": proof(signed_by, question, **changed)}
        assert client.post(ROOT + "/keys", json=sent, headers=officer).status_code == 401
        right = {"question": question, "proof": proof(private, question)}
        assert client.post(ROOT + "/keys", json=right, headers=officer).status_code == 410  # asked and answered


def test_a_private_key_or_a_weak_one_is_not_taken(client: TestClient, officer: dict[str, str]) -> None:
    private, public = named("k1")
    wrong: tuple[Any, ...] = (
        private,
        {"kty": "oct", "k": "AAAA", "kid": "x"},
        {**public, "kid": ""},
        {**public, "x": "??"},
        {"kid": "x"},
        [],
    )
    for jwk in wrong:
        answer = client.post(ROOT + "/keys/question", json={"jwk": jwk, "environment": "production"}, headers=officer)
        assert answer.status_code == 422, jwk


def test_a_key_serves_one_subsystem_and_one_environment(client: TestClient, officer: dict[str, str]) -> None:
    private, _ = add(client, officer, "k1")
    public = {name: value for name, value in private.items() if name != "d"}
    answer = client.post(ROOT + "/keys/question", json={"jwk": public, "environment": "sandbox"}, headers=officer)
    assert answer.status_code == 409


def test_another_agency_finds_nothing_to_change(client: TestClient, services: Services, officer: dict[str, str]) -> None:
    assert officer
    csrf = sign_in(client, register_person(services.workshop.database, "dau-moi-10", "H10.10", [Role.DATA_OFFICER]))
    headers = {"Lienthong-CSRF": csrf}
    asked = client.post(ROOT + "/keys/question", json={"jwk": named("k")[1], "environment": "production"}, headers=headers)
    assert asked.status_code == 404
    assert client.put(ROOT, json={"title": "x", "title_en": "x"}, headers=headers).status_code == 403
    assert client.get("/v1/subsystems").json() == {"subsystems": []}


def test_rotation_overlaps_and_a_revoked_key_ends_its_tokens_and_no_others(
    client: TestClient, services: Services, officer: dict[str, str]
) -> None:
    old, _ = add(client, officer, "k1")
    new, rotated = add(client, officer, "k2", overlap_days=7)
    assert rotated.status_code == 200
    RegisterWatch(services).look()
    first, second = bearer(client, old), bearer(client, new)
    assert all(client.get("/v1/reports/index", headers=each).status_code == 200 for each in (first, second))
    shown = client.get(ROOT, headers={}).json()["keys"]
    assert [(key["kid"], key["is_expiring"]) for key in shown] == [("k1", True), ("k2", False)]
    sent = {"environment": "production", "reason": "lộ khóa"}
    assert client.post(ROOT + "/keys/k1/revoke", json=sent, headers=officer).status_code == 200
    RegisterWatch(services).look()
    assert client.get("/v1/reports/index", headers=first).status_code == 401
    assert client.get("/v1/reports/index", headers=second).status_code == 200
    assert ask_token(client, old).status_code == 401


def test_a_sandbox_key_opens_nothing_of_production(client: TestClient, services: Services, officer: dict[str, str]) -> None:
    practice, _ = add(client, officer, "thu", "sandbox")
    RegisterWatch(services).look()
    headers = bearer(client, practice)
    for path in ("/v1/reports/index", "/v1/datasets/test.open/records/1"):
        answer = client.get(path, headers={**headers, "Lienthong-Purpose": "x", "Lienthong-Official": "y"})
        assert (answer.status_code, answer.json().get("rule")) == (401, "other_environment")
    with services.workshop.database.connect() as connection:
        assert read_subsystems(connection, "production")[NAME].keys == ()
        assert len(read_subsystems(connection, "sandbox")[NAME].keys) == 1


def test_a_closed_subsystem_is_refused(client: TestClient, services: Services, officer: dict[str, str]) -> None:
    private, _ = add(client, officer, "k1")
    watch = RegisterWatch(services)
    watch.look()
    headers = bearer(client, private)
    assert client.post(ROOT + "/close", json={"reason": "ngừng dùng"}, headers=officer).status_code == 200
    watch.look()
    assert client.get("/v1/reports/index", headers=headers).status_code == 401


def test_the_folder_is_one_door_in_and_a_key_revoked_by_an_act_never_comes_back(services: Services, tmp_path: Path) -> None:
    _, public = named("k1")
    folder = tmp_path / "agreements" / "subsystems"
    folder.mkdir(parents=True)
    file = folder / "one.yaml"
    file.write_text(json.dumps({"identifier": NAME, "title_vi": "Một", "title_en": "One", "keys": [{"jwk": public}]}), encoding="utf-8")
    watch = RegisterWatch(services)
    watch.look()
    watch._seen = ()
    watch.look()
    assert len(services.register.subsystems[NAME].keys) == 1
    assert events(services, "subsystem:") == ["subsystem:record:registered", "subsystem:key:added"]  # taken over once
    registering.revoke_key(services.workshop, FIRST, NAME, "production", "k1", "lộ")
    watch._seen = ()
    watch.look()
    assert services.register.subsystems[NAME].keys == ()
    file.unlink()
    watch.look()
    assert not services.register.subsystems[NAME].is_active
    assert take_over(services.workshop, {}, "production") == 0


# Agencies


def keep(services: Services, code: str, **more: Any) -> None:
    agencies.keep(services.workshop, FIRST, Agency(code, f"Cơ quan {code}", "department", valid_from=date(2020, 1, 1), **more))


def test_a_message_from_a_closed_agency_is_refused_with_who_took_its_place(
    client: TestClient, services: Services, officer: dict[str, str]
) -> None:
    private, _ = add(client, officer, "k1")
    for code in ("H10.12", "H10.02"):
        keep(services, code)
    agencies.close(services.workshop, FIRST, "H10.12", vietnam_date(datetime.now(UTC)), ["H10.02"])
    RegisterWatch(services).look()
    headers = {**bearer(client, private), "Lienthong-Purpose": "x", "Lienthong-Official": "y"}
    for path in ("/v1/datasets/test.open/records/1", "/v1/datasets/test.open/records"):
        answer = client.get(path, headers=headers).json()
        assert (answer["status"], answer["rule"]) == (403, "agency_closed")
        assert answer["detail_en"] == "Agency H10.12 is closed, replaced by H10.02"
        assert "được thay bằng H10.02" in answer["detail"]
    acted = client.put(f"/v1/subsystems/{NAME}-2", json={"title": "x", "title_en": "x"}, headers=headers)
    assert (acted.status_code, acted.json()["rule"]) == (403, "agency_closed")
    bounced = client.get("/r1/VN/GOV/H10.12/kho-du-lieu/test.open/1", headers={**headers, "X-Road-Client": NAME})
    assert "replaced by H10.02" in bounced.text
    found = client.get("/v1/agencies/H10.12").json()
    assert (found["is_open"], found["replaced_by"]) == (False, ["H10.02"])
    assert client.put(f"/v1/subsystems/{NAME}-2", json={"title": "x", "title_en": "x"}, headers=officer).status_code == 410


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"parent": "H10.12"}, "above itself"),
        ({"valid_to": date(2019, 1, 1)}, "before it begins"),
        ({"code": "sở"}, "agency code"),
    ],
)
def test_an_agency_that_cannot_be_is_refused(services: Services, changed: dict[str, Any], words: str) -> None:
    with pytest.raises(Exception, match=words):
        keep(services, **{"code": "H10.12", **changed})


def merging(services: Services) -> dict[str, Any]:
    """Two agencies with a subsystem each of the same name, two persons, agreements on both sides; gives the preview."""
    for code in ("H10.04", "H10.05", "H19.05"):
        keep(services, code)
    for code in ("H10.04", "H10.05"):
        name = f"VN/GOV/{code}/ke-hoach"
        registering.register(services.workshop, FIRST, name, "Kế hoạch", "Planning")
        register_person(services.workshop.database, f"nguoi-{code.lower()}", code, [Role.DATA_OFFICER, Role.LEADER])
        document = {
            "id": f"TT-{code}", "provider": "H10.02", "consumer": name, "dataset": OPEN.id, "state": "active", "operations": ["look_up"],
            "purposes": {"x": {"vi": "x", "en": "x"}}, "legal_basis": "NĐ 278/2025", "term": {"from": "2020-01-01"},
        }  # fmt: skip
        with services.workshop.database.connect() as connection:
            agreed.add(connection, document, "request", None, agreed.NewStep("declare", State.ACTIVE, FIRST, services.workshop.clock()))
    return agencies.preview(services.workshop, ["H10.04", "H10.05"], "H19.05", vietnam_date(services.workshop.clock()))


def test_a_merger_grants_every_right_anew_in_one_act_of_two_persons(services: Services) -> None:
    document = merging(services)
    assert [each["becomes"] for each in document["subsystems"]] == ["VN/GOV/H19.05/ke-hoach", "VN/GOV/H19.05/ke-hoach-H10.05"]
    assert [each["id"] for each in document["agreements"]] == ["TT-H10.04", "TT-H10.05"]
    proposal = approving.propose(services.workshop, agencies.MERGE, FIRST, document, "Nghị quyết sáp nhập")
    with services.workshop.database.connect() as connection:
        assert people.by_handle(connection, "nguoi-h10.04").agency == "H10.04"  # type: ignore[union-attr] # it is there
    approving.approve(services.workshop, agencies.MERGE, SECOND, proposal.number, proposal.digest)
    with services.workshop.database.connect() as connection:
        found = systems.everything(connection)
        assert {found[each["becomes"]].agency for each in document["subsystems"]} == {"H19.05"}
        for handle in ("nguoi-h10.04", "nguoi-h10.05"):
            person = people.by_handle(connection, handle)
            assert person is not None
            assert (person.agency, set(person.roles)) == ("H19.05", {Role.DATA_OFFICER, Role.LEADER})
        standing = {kept.id: (kept.consumer, kept.state) for kept in agreed.standing(connection)}
    assert standing["TT-H10.05-H19.05"] == ("VN/GOV/H19.05/ke-hoach-H10.05", State.ACTIVE)
    assert standing["TT-H10.04"][1] is State.ENDED
    entry = written(services.workshop.database)[-2]
    assert (entry["event"], entry["details"]["proposed_by"], entry["official"]) == ("agency:rights:regranted", FIRST.name, SECOND.name)
    assert entry["details"]["agreements"] == {"TT-H10.04": "TT-H10.04-H19.05", "TT-H10.05": "TT-H10.05-H19.05"}
    again = agencies.preview(services.workshop, ["H10.04", "H10.05"], "H19.05", date.fromisoformat(document["on"]))
    assert (again["people"], again["agreements"]) == ([], [])


def test_a_merger_that_is_no_longer_what_was_previewed_does_nothing(services: Services) -> None:
    proposal = approving.propose(services.workshop, agencies.MERGE, FIRST, merging(services), "x")
    registering.register(services.workshop, FIRST, "VN/GOV/H10.04/moi", "Mới", "New")
    before = len(written(services.workshop.database))
    with pytest.raises(Conflict, match="changed since the preview"):
        approving.approve(services.workshop, agencies.MERGE, SECOND, proposal.number, proposal.digest)
    assert len(written(services.workshop.database)) == before
    with services.workshop.database.connect() as connection:
        assert "VN/GOV/H19.05/ke-hoach" not in systems.everything(connection)


def test_keys_near_their_last_day_are_told(services: Services) -> None:
    registering.register(services.workshop, FIRST, NAME, "x", "x")
    today = vietnam_date(services.workshop.clock())
    with services.workshop.database.connect() as connection:
        for kid, days in (("gan", 10), ("xa", 60)):
            public = named(kid)[1]
            key = systems.KeptKey(
                NAME, kid, registering.thumbprint(public), public, "production", "challenge", today, today + timedelta(days=days)
            )
            systems.add_key(connection, key, "x", services.workshop.clock())
        (found,) = registering.expiring(connection, today)
    assert (found.kid, found.days_left, found.has_next) == ("gan", 10, True)
