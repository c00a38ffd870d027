"""Access tokens: who gets one, who is refused in which words, and that every outcome is in the ledger."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from lienthong.access import ASSERTION_TYPE, PublicKey, Register, Subsystem, make_assertion, new_key_pair
from lienthong.settings import Settings
from lienthong.store import Database
from lienthong.web.app import create_app
from lienthong.web.services import make_services
from tests.conftest import fresh_database
from tests.store.ledgers import written

NAME = "VN/GOV/H10.12/tro-cap"
CLOSED = "VN/GOV/H10.12/da-dong"
URL = "http://testserver"
ENDPOINT = URL + "/oauth/token"
PRIVATE, PUBLIC = new_key_pair()
LATE, LATE_PUBLIC = new_key_pair()
STRANGER, _ = new_key_pair()


@pytest.fixture(scope="module")
def database(postgres_server: Any) -> Iterator[Database]:
    with fresh_database(postgres_server) as url:
        yield Database(url)


@pytest.fixture(scope="module")
def client(database: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    home = Path(tmp_path_factory.mktemp("home"))
    services = make_services(
        Settings(home=home, agreements=home / "agreements", base_url=URL, checkpoint_milliseconds=0, worker=False), database, {}
    )
    keys = (PublicKey(PUBLIC), PublicKey(LATE_PUBLIC, valid_from=date(2999, 1, 1)))
    services.register = Register(
        {
            NAME: Subsystem(NAME, "H10.12", "Trợ cấp", "Benefits", keys),
            CLOSED: Subsystem(CLOSED, "H10.12", "Đã đóng", "Closed", keys, is_active=False),
        }
    )
    with TestClient(create_app(services)) as opened:
        yield opened


def now() -> datetime:
    return datetime.now(UTC)


def assertion(key: dict[str, Any] = PRIVATE, subsystem: str = NAME, audience: str = ENDPOINT, at: datetime | None = None) -> str:
    return make_assertion(key, subsystem, audience, at or now())


def ask(client: TestClient, text: str, **more: str) -> Any:
    form = {"grant_type": "client_credentials", "client_assertion_type": ASSERTION_TYPE, "client_assertion": text}
    return client.post("/oauth/token", data=form | more)


def last(database: Database) -> tuple[str, str]:
    entry = written(database)[-1]
    return entry["event"], entry["caller"]


def test_a_signed_assertion_gets_a_token_and_an_entry(client: TestClient, database: Database) -> None:
    answer = ask(client, assertion())
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    found = answer.json()
    assert (found["token_type"], found["expires_in"]) == ("Bearer", 1800)
    assert last(database) == ("token:subsystem:issued", NAME)


def test_an_assertion_works_once(client: TestClient, database: Database) -> None:
    text = assertion()
    assert ask(client, text).status_code == 200
    again = ask(client, text)
    assert (again.status_code, again.json()["error"]) == (401, "invalid_client")
    assert last(database) == ("token:subsystem:refused", NAME)


def forged() -> str:
    head, body, signature = assertion().split(".")
    claims = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    changed = base64.urlsafe_b64encode(json.dumps(claims | {"jti": "another"}).encode()).rstrip(b"=").decode()
    return f"{head}.{changed}.{signature}"


def unsigned() -> str:
    body = assertion().split(".")[1]
    return base64.urlsafe_b64encode(b'{"alg":"none"}').rstrip(b"=").decode() + f".{body}."


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(lambda: assertion(STRANGER), id="another's key"),
        pytest.param(lambda: assertion(LATE), id="a key not yet good"),
        pytest.param(lambda: assertion(subsystem="VN/GOV/H10.12/khong-co"), id="nobody we know"),
        pytest.param(lambda: assertion(subsystem=CLOSED), id="a closed subsystem"),
        pytest.param(lambda: assertion(audience="https://elsewhere.vn/oauth/token"), id="for another server"),
        pytest.param(lambda: assertion(at=now() - timedelta(hours=1)), id="expired"),
        pytest.param(lambda: assertion(at=now() + timedelta(hours=1)), id="from the future"),
        pytest.param(forged, id="changed after signing"),
        pytest.param(unsigned, id="not signed"),
        pytest.param(lambda: "", id="empty"),
        pytest.param(lambda: "a.b.c", id="no token at all"),
        pytest.param(lambda: "é" * 5000, id="no text of a token"),
    ],
)
def test_what_proves_nothing_is_refused_and_noted(client: TestClient, database: Database, text: Any) -> None:
    answer = ask(client, text())
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
    assert set(answer.json()) == {"error", "error_description"}
    assert last(database)[0] == "token:subsystem:refused"


def test_a_closed_and_an_unknown_subsystem_are_told_the_same(client: TestClient) -> None:
    answers = [ask(client, assertion(subsystem=name)) for name in (CLOSED, "VN/GOV/H10.12/khong-co")]
    assert answers[0].json() == answers[1].json()


@pytest.mark.parametrize(
    "sent",
    [
        {"data": {"grant_type": "password"}},
        {"data": {"grant_type": "client_credentials"}},
        {"json": {"grant_type": "client_credentials"}},
        {"content": b"grant_type=client_credentials&grant_type=client_credentials", "headers": {"Content-Type": "application/x-www-form-urlencoded"}},
        {"content": b"a=" + b"x" * 40_000, "headers": {"Content-Type": "application/x-www-form-urlencoded"}},
        {"content": b"\xff\xfe=1", "headers": {"Content-Type": "application/x-www-form-urlencoded"}},
    ],
)  # fmt: skip
def test_a_request_of_another_shape_is_invalid(client: TestClient, sent: dict[str, Any]) -> None:
    answer = client.post("/oauth/token", **sent)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


def test_the_server_describes_itself_and_shows_public_keys_only(client: TestClient) -> None:
    described = client.get("/.well-known/oauth-authorization-server").json()
    assert (described["issuer"], described["token_endpoint"]) == (URL, ENDPOINT)
    (key,) = client.get(described["jwks_uri"].removeprefix(URL)).json()["keys"]
    assert key["crv"] == "Ed25519"
    assert "d" not in key


def test_keys_are_made_once_and_readable_by_their_owner_only(client: TestClient, tmp_path: Path, database: Database) -> None:
    settings = Settings(home=tmp_path, agreements=tmp_path / "agreements", base_url=URL, checkpoint_milliseconds=0, worker=False)
    first, second = (make_services(settings, database, {}) for _ in range(2))
    assert first.tokens.public_jwk == second.tokens.public_jwk
    assert first.workshop.signer.key_id == second.workshop.signer.key_id
    assert first.subject_key == second.subject_key
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "keys").iterdir()} == {0o600}
