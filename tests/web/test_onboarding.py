"""A subsystem joins: it practises with a sandbox key, the platform sees what it does, and only then is a production key taken."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from lienthong.access import Actor, Role, State
from lienthong.contracts import LiveContracts
from lienthong.ledger import leaf_hash, root_from_inclusion
from lienthong.pipeline import leveling, onboarding, registering
from lienthong.pipeline.registering import thumbprint
from lienthong.settings import Settings
from lienthong.store import Database
from lienthong.store import agreements as agreed
from lienthong.store import subsystems as systems
from lienthong.store.subsystems import KeptKey
from lienthong.web.app import create_app
from lienthong.web.register_watch import RegisterWatch
from lienthong.web.services import Services, make_services
from tests.conftest import fresh_database
from tests.factories import make_contract, make_property
from tests.store.ledgers import written
from tests.web.signing_in import register_person, sign_in
from tests.web.test_registry import NAME, ROOT, URL, ask_token, bearer, named

OPERATOR = Actor("van-hanh", "H10.11", frozenset({Role.OPERATOR}))
WHO = {"Lienthong-Purpose": "xet-tro-cap", "Lienthong-Official": "can-bo-01"}
RECORDS = "/sandbox/v1/practice/records/"


def live(services: Services) -> LiveContracts:
    assert isinstance(services.workshop.contracts, LiveContracts)
    return services.workshop.contracts


class Joining:
    """A server whose clock we move, and a subsystem with a sandbox key."""

    def __init__(self, services: Services, client: TestClient) -> None:
        self.services, self.client = services, client
        self.private, public = named("thu")
        registering.register(services.workshop, OPERATOR, NAME, "Trợ cấp", "Benefits")
        at = services.workshop.clock()
        with services.workshop.database.connect() as connection:
            key = KeptKey(NAME, "thu", thumbprint(public), public, "sandbox", "challenge", None, None)
            systems.add_key(connection, key, "van-hanh", at)
            agreed.move_edge(connection)
        RegisterWatch(services).look()

    def fresh(self) -> dict[str, str]:
        return bearer(self.client, self.private)

    def get(self, path: str, headers: dict[str, str]) -> Any:
        return self.client.get(path, headers=headers)

    def passed(self) -> list[str]:
        with self.services.workshop.database.connect() as connection:
            return [each["check"] for each in onboarding.standing(connection, NAME) if each["passed_at"] is not None]


@pytest.fixture
def joining(postgres_server: Any, tmp_path: Path) -> Iterator[Joining]:
    with fresh_database(postgres_server) as url:
        settings = Settings(home=tmp_path, agreements=tmp_path / "agreements", base_url=URL, checkpoint_milliseconds=0, worker=False)
        services = make_services(settings, Database(url), {})
        with TestClient(create_app(services)) as client:
            yield Joining(services, client)


def test_a_subsystem_that_handles_everything_passes_each_check_with_evidence(joining: Joining) -> None:
    first = joining.fresh()
    assert joining.get(RECORDS + "MAU-1", first).json()["rule"] == "no_purpose"
    assert joining.passed() == ["token"]
    record = joining.get(RECORDS + "MAU-1", {**first, **WHO}).json()
    ended = joining.get(RECORDS + "MAU-401", {**first, **WHO})
    assert (ended.status_code, joining.get(RECORDS + "MAU-401", {**first, **WHO}).status_code) == (401, 401)
    assert joining.get(RECORDS + "MAU-401", {**joining.fresh(), **WHO}).status_code == 200
    busy = joining.get(RECORDS + "MAU-429", {**first, **WHO})
    assert (busy.status_code, busy.headers["retry-after"]) == (429, "2")
    assert joining.get(RECORDS + "MAU-429", {**first, **WHO}).status_code == 429  # too soon: the wait begins anew
    with joining.services.workshop.database.connect() as connection:
        earlier = (datetime.now(UTC) - timedelta(seconds=3)).isoformat()
        connection.execute(
            "update lienthong.onboarding_checks set state = jsonb_build_object('at', %s::text) where name = 'quota'", (earlier,)
        )
    assert joining.get(RECORDS + "MAU-429", {**first, **WHO}).status_code == 200
    nothing = [name for name, value in record["values"].items() if value is None and name not in record["not_delivered"]]
    said = {"withheld": record["withheld"], "not_delivered": record["not_delivered"], "no_value": nothing}
    wrong = {**said, "withheld": []}
    assert joining.client.post("/sandbox/v1/checks/withheld", json=wrong, headers=first).status_code == 422
    assert joining.client.post("/sandbox/v1/checks/withheld", json=said, headers=first).json() == {"check": "withheld", "passed": True}
    shown = joining.get("/sandbox/v1/checks/ledger_proof", first).json()
    size, root = int(shown["checkpoint"].split("\n")[1]), shown["checkpoint"].split("\n")[2]
    holds = [
        root_from_inclusion(leaf_hash(each["body"].encode()), each["position"], size, [bytes.fromhex(node) for node in each["path"]])
        == base64.b64decode(root)
        for each in shown["proofs"]
    ]
    assert set(holds) == {True, False}
    lies = {"holds": [not each for each in holds]}
    assert joining.client.post("/sandbox/v1/checks/ledger_proof", json=lies, headers=first).status_code == 422
    assert joining.client.post("/sandbox/v1/checks/ledger_proof", json={"holds": holds}, headers=first).status_code == 200
    assert joining.passed() == list(onboarding.CHECKS)
    checks = {each["check"]: each for each in joining.get("/sandbox/v1/checks", first).json()["checks"]}
    assert checks["withheld"]["evidence"] == {"fields": 6, "tries_before": 1}
    assert checks["quota"]["tries"] == 3
    entries = [entry for entry in written(joining.services.workshop.database) if entry["event"] == "onboarding:check:passed"]
    assert {entry["details"]["check"] for entry in entries} == set(onboarding.CHECKS)


def test_another_subsystem_is_given_other_things_to_tell_apart(joining: Joining) -> None:
    practice = onboarding.Sandbox(joining.services.workshop, b"key", joining.services.workshop.signer)
    names = [f"VN/GOV/H10.12/he-thong-{n}" for n in range(8)]
    assert len({str(practice._kinds(name)) for name in names}) > 1
    assert len({str(practice._verdicts(name)) for name in names}) > 1
    assert all(set(practice._verdicts(name)) == {True, False} for name in names)


def test_the_first_production_key_waits_for_checks_and_agreement(joining: Joining) -> None:
    client, services = joining.client, joining.services
    csrf = sign_in(client, register_person(services.workshop.database, "dau-moi-12", "H10.12", [Role.DATA_OFFICER]))
    sent = {"json": {"jwk": named("that")[1], "environment": "production"}, "headers": {"Lienthong-CSRF": csrf}}
    assert client.post(ROOT + "/keys/question", **sent).json()["rule"] == "no_security_level"
    record_level(client, csrf)
    answer = client.post(ROOT + "/keys/question", **sent)
    assert (answer.status_code, answer.json()["rule"]) == (403, "not_conformant")
    with services.workshop.database.connect() as connection:
        for name in onboarding.CHECKS:
            connection.execute(
                "insert into lienthong.onboarding_checks (identifier, name, evidence, passed_at) values (%s, %s, '{}', now())", (NAME, name)
            )
    assert client.post(ROOT + "/keys/question", **sent).json()["rule"] == "no_agreement"
    document = {
        "id": "TT-9", "provider": "H10.02", "consumer": NAME, "dataset": "test.people", "state": "granted", "operations": ["look_up"],
        "purposes": {"x": {"vi": "x", "en": "x"}}, "legal_basis": "NĐ 278/2025", "term": {"from": "2020-01-01"},
    }  # fmt: skip
    with services.workshop.database.connect() as connection:
        step = agreed.NewStep("declare", State.GRANTED, OPERATOR, services.workshop.clock())
        agreed.add(connection, document, "request", None, step)
    assert client.post(ROOT + "/keys/question", **sent).status_code == 200
    stages = client.get(ROOT + "/onboarding").json()["stages"]
    assert [each["stage"] for each in stages if not each["is_done"]] == ["production_key", "first_week"]
    assert [each["owner"] for each in stages] == ["H10.12", "H10.12", "H10.12", "H10.12", "provider", "H10.12", "operator"]
    assert [each["evidence"] for each in stages] == [NAME, "41/QĐ-SKHCN", "thu", "6/6", "TT-9", "", ""]
    due = [date.fromisoformat(each["due"]) for each in stages]
    assert due[-1] > due[0]


def record_level(client: TestClient, csrf: str, **other: Any) -> Any:
    sent = {
        "level": 2, "decision": "41/QĐ-SKHCN", "approved_by": "Sở Khoa học và Công nghệ", "approved_on": "2026-03-02",
        "valid_until": str(date.today() + timedelta(days=400)), "file_name": "41.pdf", "content": base64.b64encode(b"%PDF").decode(), **other,
    }  # fmt: skip
    return client.put(ROOT + "/security-level", json={k: v for k, v in sent.items() if v is not None}, headers={"Lienthong-CSRF": csrf})


def test_the_approved_level_is_kept_with_its_file_and_its_history_and_is_in_the_ledger(joining: Joining) -> None:
    client, place = joining.client, joining.services.workshop
    csrf = sign_in(client, register_person(place.database, "dau-moi-12", "H10.12", [Role.DATA_OFFICER]))
    before = client.get(ROOT + "/security-level").json()
    assert (before["approved"], before["needed"], before["is_enough"]) == (None, 2, False)
    assert before["legal_basis"]["valid_from"] == "2016-07-01"
    assert record_level(client, csrf, level=1).json()["fault_en"].startswith("the system is approved at level 1; level 2 or above")
    ending = str(date.today() + timedelta(days=40))
    told = record_level(client, csrf, valid_until=ending).json()
    assert (told["is_enough"], told["is_ending"], told["days_left"] in (39, 40, 41)) == (True, True, True)
    file = client.get(ROOT + "/security-level/file")
    assert (file.content, file.headers["content-type"], "attachment" in file.headers["content-disposition"]) == (
        b"%PDF",
        "application/octet-stream",
        True,
    )
    seen = client.get(ROOT + "/security-level").json()
    assert [(each["level"], each["ended_at"] is None) for each in seen["history"]] == [(2, True), (1, False)]
    entries = [entry["details"] for entry in written(place.database) if entry["event"] == "subsystem:level:recorded"]
    assert [(each["level"], each["sha256"]) for each in entries] == [(n, hashlib.sha256(b"%PDF").hexdigest()) for n in (1, 2)]
    with place.database.connect() as connection:
        endings = leveling.levels_ending(connection, date.today(), 60)
        assert [(each.identifier, each.level) for each in endings] == [(NAME, 2)]


def test_without_its_file_the_digest_is_kept_and_odd_evidence_is_refused_whole(joining: Joining) -> None:
    client = joining.client
    csrf = sign_in(client, register_person(joining.services.workshop.database, "dau-moi-12", "H10.12", [Role.DATA_OFFICER]))
    assert record_level(client, csrf, content=None, sha256="A" * 64).status_code == 200
    assert client.get(ROOT + "/security-level/file").status_code == 404
    odd = record_level(client, csrf, content=None, level=6, decision=" ", approved_on="2999-01-01", valid_until="2020-01-01")
    assert odd.status_code == 422
    assert all(word in odd.json()["detail_en"] for word in ("1 to 5", "decision's number", "yet to come", "past", "SHA-256"))
    other = sign_in(client, register_person(joining.services.workshop.database, "dau-moi-10", "H10.10", [Role.DATA_OFFICER]))
    assert record_level(client, other).status_code == 404
    assert [client.get(ROOT + path).status_code for path in ("/security-level", "/security-level/file")] == [404, 404]


def test_a_key_is_not_renewed_once_the_approval_is_over_or_citizen_numbers_are_read(joining: Joining) -> None:
    client, services = joining.client, joining.services
    csrf = sign_in(client, register_person(services.workshop.database, "dau-moi-12", "H10.12", [Role.DATA_OFFICER]))
    record_level(client, csrf)
    register = make_contract(
        id="test.register", properties=(make_property("so", standard="citizen_id", authoritative=True, key_position=1),)
    )
    live(services).add(register)
    with services.workshop.database.connect() as connection:
        public = named("cu")[1]
        systems.add_key(
            connection,
            KeptKey(NAME, "cu", thumbprint(public), public, "production", "challenge", None, None),
            "x",
            services.workshop.clock(),
        )
        document = {
            "id": "TT-8",
            "provider": "H10.02",
            "consumer": NAME,
            "dataset": register.id,
            "state": "requested",
            "operations": ["look_up"],
        }
        agreed.add(connection, document, "request", None, agreed.NewStep("request", State.REQUESTED, OPERATOR, services.workshop.clock()))
    sent = {"json": {"jwk": named("moi")[1], "environment": "production"}, "headers": {"Lienthong-CSRF": csrf}}
    refused = client.post(ROOT + "/keys/question", **sent).json()
    assert refused["rule"] == "no_security_level"
    assert "level 3 or above" in refused["detail_en"]
    assert "69/2024/NĐ-CP" in refused["detail_en"]
    record_level(client, csrf, level=3)
    assert client.post(ROOT + "/keys/question", **sent).status_code == 200
    with services.workshop.database.connect() as connection:
        connection.execute("update lienthong.security_levels set valid_until = current_date - 2")
    assert "ended on" in client.post(ROOT + "/keys/question", **sent).json()["detail_en"]


def test_production_tokens_open_no_sandbox_and_no_token_opens_nothing(joining: Joining) -> None:
    token = joining.services.tokens.issue(NAME, joining.services.workshop.clock())
    for headers in ({"Authorization": f"Bearer {token}"}, {}):
        answer = joining.get(RECORDS + "MAU-1", {**headers, **WHO})
        assert (answer.status_code, answer.json()["rule"]) == (401, "other_environment")
    assert ask_token(joining.client, named("la")[0]).status_code == 401
