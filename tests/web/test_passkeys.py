"""Passkeys: added and given by an authenticator made of software; what is replayed, forged or of another origin proves nothing."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cbor2
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from starlette.testclient import TestClient

from lienthong.access import Role
from lienthong.settings import Settings
from lienthong.store import Database
from lienthong.web.app import create_app
from lienthong.web.services import make_services
from tests.conftest import fresh_database
from tests.store.ledgers import written
from tests.web.signing_in import register_person, sign_in

URL = "http://localhost"
PRESENT_AND_VERIFIED, WITH_KEY = 0x05, 0x40  # WebAuthn §6.1: user present, user verified; attested credential data


@pytest.fixture
def database(postgres_server: Any) -> Iterator[Database]:
    with fresh_database(postgres_server) as url:
        yield Database(url)


@pytest.fixture
def client(database: Database, tmp_path: Path) -> Iterator[TestClient]:
    settings = Settings(
        home=tmp_path, agreements=tmp_path / "agreements", base_url=URL, checkpoint_milliseconds=0, worker=False,
        oidc_issuer="http://127.0.0.1:9/oidc",
    )  # fmt: skip
    with TestClient(create_app(make_services(settings, database, {})), base_url=URL) as opened:
        yield opened


def text(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


class Authenticator:
    """A security key of software (ES256, no attestation)."""

    def __init__(self) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.credential = hashlib.sha256(str(id(self)).encode()).digest()
        self.count = 0

    def client_data(self, kind: str, challenge: str, origin: str) -> bytes:
        return json.dumps({"type": kind, "challenge": challenge, "origin": origin, "crossOrigin": False}).encode()

    def data(self, flags: int) -> bytes:
        self.count += 1
        return hashlib.sha256(b"localhost").digest() + bytes([flags]) + self.count.to_bytes(4, "big")

    def make(self, options: dict[str, Any], origin: str = URL) -> dict[str, Any]:
        numbers = self.key.public_key().public_numbers()
        cose = cbor2.dumps({1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")})
        data = self.data(PRESENT_AND_VERIFIED | WITH_KEY) + bytes(16) + len(self.credential).to_bytes(2, "big") + self.credential + cose
        attestation = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})
        sent = self.client_data("webauthn.create", options["challenge"], origin)
        return self.answer({"clientDataJSON": text(sent), "attestationObject": text(attestation)})

    def give(self, options: dict[str, Any], origin: str = URL, flags: int = PRESENT_AND_VERIFIED) -> dict[str, Any]:
        data, sent = self.data(flags), self.client_data("webauthn.get", options["challenge"], origin)
        signature = self.key.sign(data + hashlib.sha256(sent).digest(), ec.ECDSA(hashes.SHA256()))
        return self.answer({"clientDataJSON": text(sent), "authenticatorData": text(data), "signature": text(signature)})

    def answer(self, response: dict[str, Any]) -> dict[str, Any]:
        return {"id": text(self.credential), "rawId": text(self.credential), "type": "public-key", "response": response}


def ask(client: TestClient, what: str, csrf: str, **more: Any) -> Any:
    return client.post(f"/sign-in/passkey/{what}", json=more, headers={"Lienthong-CSRF": csrf})


def take(client: TestClient, answer: Any) -> str:
    """The token of the session an answer began."""
    assert answer.status_code == 200, answer.text
    token = answer.headers["set-cookie"].split(";")[0].partition("=")[2]
    client.cookies.clear()
    client.cookies.set("lienthong", token)
    csrf: str = client.get("/v1/me").json()["csrf"]
    return csrf


@pytest.fixture
def added(client: TestClient, database: Database) -> tuple[Any, Authenticator]:
    """An operator with a passkey."""
    who = register_person(database, "van-hanh", "H10.11", [Role.OPERATOR])
    csrf = sign_in(client, who)
    key = Authenticator()
    asked = ask(client, "new-options", csrf).json()
    kept = ask(client, "new", csrf, challenge=asked["challenge"], credential=key.make(asked["options"]), label="khóa của tôi")
    assert kept.status_code == 200, kept.text
    assert len(kept.json()["recovery_codes"]) == 10
    return who, key


def test_a_passkey_makes_an_operator_of_who_signed_in(client: TestClient, database: Database, added: tuple[Any, Authenticator]) -> None:
    who, key = added
    csrf = sign_in(client, who)
    assert client.get("/v1/me").json()["roles"] == []
    asked = ask(client, "options", csrf).json()
    assert [each["id"] for each in asked["options"]["allowCredentials"]] == [text(key.credential)]
    take(client, ask(client, "check", csrf, challenge=asked["challenge"], credential=key.give(asked["options"])))
    assert client.get("/v1/me").json()["roles"] == ["operator"]
    events = [entry["event"] for entry in written(database)]
    assert "person:factor:added" in events


def test_what_was_signed_elsewhere_before_or_without_the_person_proves_nothing(
    client: TestClient, database: Database, added: tuple[Any, Authenticator]
) -> None:
    who, key = added
    csrf = sign_in(client, who)
    asked, other = (ask(client, "options", csrf).json() for _ in range(2))
    wrong = [
        {"challenge": asked["challenge"], "credential": key.give(asked["options"], origin="https://evil.example")},
        {"challenge": asked["challenge"], "credential": key.give(other["options"])},
        {"challenge": asked["challenge"], "credential": key.give(asked["options"], flags=0x01)},  # present, not verified
        {"challenge": asked["challenge"], "credential": Authenticator().give(asked["options"])},
    ]
    for sent in wrong:
        assert ask(client, "check", csrf, **sent).status_code == 401
    right = {"challenge": asked["challenge"], "credential": key.give(asked["options"])}
    after = take(client, ask(client, "check", csrf, **right))
    assert ask(client, "check", after, **right).status_code == 401  # a challenge serves one session
    refused = [entry for entry in written(database) if entry["event"] == "person:factor:refused"]
    assert len(refused) == 5


def test_a_cloned_authenticator_whose_count_goes_back_is_refused(client: TestClient, added: tuple[Any, Authenticator]) -> None:
    who, key = added
    csrf = sign_in(client, who)
    asked = ask(client, "options", csrf).json()
    key.count += 10
    take(client, ask(client, "check", csrf, challenge=asked["challenge"], credential=key.give(asked["options"])))
    csrf = sign_in(client, who)
    asked = ask(client, "options", csrf).json()
    key.count -= 6
    assert ask(client, "check", csrf, challenge=asked["challenge"], credential=key.give(asked["options"])).status_code == 401


def test_a_second_passkey_needs_the_first(client: TestClient, added: tuple[Any, Authenticator]) -> None:
    csrf = sign_in(client, added[0])
    answer = ask(client, "new-options", csrf)
    assert (answer.status_code, answer.json()["rule"]) == (403, "no_second_factor")


def test_a_passkey_is_not_taken_by_a_forged_request(client: TestClient, added: tuple[Any, Authenticator]) -> None:
    sign_in(client, added[0])
    assert client.post("/sign-in/passkey/options", json={}).json()["rule"] == "forged"
