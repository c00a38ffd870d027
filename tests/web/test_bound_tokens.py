"""Tokens bound to a certificate or a key, signed requests, signed answers: what a thief of a token, or of a request, can do with it."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from http_message_signatures import HTTPMessageSigner, HTTPMessageVerifier, algorithms
from joserfc import jws
from joserfc.jwk import ECKey, OKPKey, import_key
from starlette.testclient import TestClient

from lienthong.access import ASSERTION_TYPE, PublicKey, Register, SentRequest, SentResponse, Subsystem, make_assertion, new_key_pair
from lienthong.access.message_signatures import _One, fields
from lienthong.settings import Settings
from lienthong.store import Database
from lienthong.web.app import create_app
from lienthong.web.services import make_services
from tests.conftest import fresh_database
from tests.store.ledgers import written

URL = "http://testserver"
NAME, OTHER = "VN/GOV/H10.12/tro-cap", "VN/GOV/H10.10/dat-dai"
PRIVATE, PUBLIC = new_key_pair()
OTHERS, OTHERS_PUBLIC = new_key_pair()
REPORT = "/v1/reports/index"
PROXY_SECRET = "bi-mat-cua-proxy-1234"


@pytest.fixture(scope="module")
def database(postgres_server: Any) -> Iterator[Database]:
    with fresh_database(postgres_server) as url:
        yield Database(url)


@pytest.fixture(scope="module")
def client(database: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    with platform(database, Path(tmp_path_factory.mktemp("home"))) as opened:
        yield opened


@contextmanager
def platform(database: Database, home: Path) -> Iterator[TestClient]:
    """A server process over the database; two over one home are two of one platform."""
    secret = home / "proxy-secret"
    secret.write_text(PROXY_SECRET)
    settings = Settings(
        home=home, agreements=home / "agreements", base_url=URL, checkpoint_milliseconds=0, worker=False,
        client_certificate_header="X-Client-Cert", proxy_secret_file=str(secret),
    )  # fmt: skip
    services = make_services(settings, database, {})
    services.register = Register(
        {name: Subsystem(name, name.split("/")[2], "x", "x", (PublicKey(key),)) for name, key in ((NAME, PUBLIC), (OTHER, OTHERS_PUBLIC))}
    )
    with TestClient(create_app(services)) as opened:
        yield opened


def certificate() -> x509.Certificate:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "he-thong-mau")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
    return builder.not_valid_before(now).not_valid_after(now + timedelta(days=1)).sign(key, hashes.SHA256())


def told(found: x509.Certificate, *, secret: str = PROXY_SECRET) -> dict[str, str]:
    return {"X-Client-Cert": quote(found.public_bytes(Encoding.PEM)), "Lienthong-Proxy": secret}


def ask(client: TestClient, private: Any = PRIVATE, name: str = NAME, **headers: str) -> Any:
    form = {
        "grant_type": "client_credentials",
        "client_assertion_type": ASSERTION_TYPE,
        "client_assertion": make_assertion(private, name, URL + "/oauth/token", datetime.now(UTC)),
    }
    return client.post("/oauth/token", data=form, headers=headers)


def use(client: TestClient, authorization: str, **headers: str) -> int:
    status: int = client.get(REPORT, headers={"Authorization": authorization, **headers}).status_code
    return status


# Certificates (RFC 8705)


def test_a_token_got_over_a_certificate_works_over_that_certificate_only(client: TestClient) -> None:
    own, stolen_by = certificate(), certificate()
    token = "Bearer " + ask(client, PRIVATE, NAME, **told(own)).json()["access_token"]
    claims = token.split(".")[1]
    assert "x5t#S256" in base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)).decode()
    assert use(client, token, **told(own)) == 200
    assert use(client, token, **told(stolen_by)) == 401
    assert use(client, token) == 401
    der = base64.b64encode(own.public_bytes(Encoding.DER)).decode()
    assert use(client, token, **{"X-Client-Cert": f":{der}:", "Lienthong-Proxy": PROXY_SECRET}) == 200  # RFC 9440's form


def test_nobody_but_the_proxy_may_tell_of_certificates(client: TestClient) -> None:
    own = certificate()
    token = "Bearer " + ask(client, PRIVATE, NAME, **told(own)).json()["access_token"]
    assert use(client, token, **told(own, secret="doan-mo")) == 401
    assert ask(client, **told(own, secret="doan-mo")).status_code == 401
    assert ask(client, PRIVATE, NAME, **{"X-Client-Cert": "not a certificate", "Lienthong-Proxy": PROXY_SECRET}).status_code == 401


def test_a_bound_token_calls_services_as_it_looks_up(client: TestClient) -> None:
    own = certificate()
    token = "Bearer " + ask(client, PRIVATE, NAME, **told(own)).json()["access_token"]
    call = "/v1/services/khong.co/1.0/x"
    assert client.get(call, headers={"Authorization": token}).status_code == 401
    assert client.get(call, headers={"Authorization": token, **told(certificate())}).status_code == 401
    assert (
        client.get(call, headers={"Authorization": token, **told(own)}).status_code == 404
    )  # who asks is proved: there is no such service


def test_a_plain_token_stays_plain(client: TestClient) -> None:
    token = "Bearer " + ask(client).json()["access_token"]
    assert use(client, token) == 200
    assert use(client, token.replace("Bearer", "DPoP")) == 401


# DPoP (RFC 9449)


@dataclass
class Holder:
    """A client that holds a key of its own for proofs."""

    key: ECKey = field(default_factory=lambda: ECKey.generate_key("P-256"))
    count: int = 0

    def proof(self, method: str, url: str, token: str | None = None, **changed: Any) -> str:
        import json

        self.count += 1
        claims: dict[str, Any] = {"htm": method, "htu": url, "iat": int(datetime.now(UTC).timestamp()), "jti": f"{id(self)}-{self.count}"}
        if token is not None:
            claims["ath"] = base64.urlsafe_b64encode(hashlib.sha256(token.encode()).digest()).rstrip(b"=").decode()
        header = {"typ": "dpop+jwt", "alg": "ES256", "jwk": self.key.as_dict(private=False)}
        return jws.serialize_compact(header, json.dumps(claims | changed), self.key, algorithms=["ES256"])


def test_a_dpop_token_works_with_a_fresh_proof_of_its_key(client: TestClient) -> None:
    holder, thief = Holder(), Holder()
    given = ask(client, DPoP=holder.proof("POST", URL + "/oauth/token")).json()
    assert given["token_type"] == "DPoP"
    token = given["access_token"]
    right = holder.proof("GET", URL + REPORT, token)
    assert use(client, f"DPoP {token}", DPoP=right) == 200
    wrong = [
        right,  # used before
        thief.proof("GET", URL + REPORT, token),
        holder.proof("POST", URL + REPORT, token),
        holder.proof("GET", URL + "/v1/reports/reuse", token),
        holder.proof("GET", URL + REPORT, "another token"),
        holder.proof("GET", URL + REPORT),
        holder.proof("GET", URL + REPORT, token, iat=int(datetime.now(UTC).timestamp()) - 600),
        "a.b.c",
    ]
    assert [use(client, f"DPoP {token}", DPoP=proof) for proof in wrong] == [401] * len(wrong)
    assert use(client, f"Bearer {token}", DPoP=holder.proof("GET", URL + REPORT, token)) == 401  # no way back to bearer
    assert use(client, f"Bearer {token}") == 401


def test_a_proof_used_at_one_server_is_used_at_all(database: Database, tmp_path: Path) -> None:
    holder = Holder()
    with platform(database, tmp_path) as one, platform(database, tmp_path) as other:
        grant = holder.proof("POST", URL + "/oauth/token")
        token = ask(one, DPoP=grant).json()["access_token"]
        assert ask(other, DPoP=grant).status_code == 401
        proof = holder.proof("GET", URL + REPORT, token)
        assert use(one, f"DPoP {token}", DPoP=proof) == 200
        assert use(other, f"DPoP {token}", DPoP=proof) == 401
        assert use(other, f"DPoP {token}", DPoP=holder.proof("GET", URL + REPORT, token)) == 200


def test_a_proof_signed_with_a_shared_secret_is_none(client: TestClient) -> None:
    import json

    claims = json.dumps({"htm": "POST", "htu": URL + "/oauth/token", "iat": int(datetime.now(UTC).timestamp()), "jti": "x"})
    secret = import_key({"kty": "oct", "k": base64.urlsafe_b64encode(b"k" * 30).decode()})
    header = {"typ": "dpop+jwt", "alg": "HS256", "jwk": secret.as_dict()}
    assert ask(client, DPoP=jws.serialize_compact(header, claims, secret, algorithms=["HS256"])).status_code == 401


# Signed requests and answers (RFC 9421)


def signature(private: dict[str, Any], method: str, url: str, body: bytes | None = None, nonce: str = "") -> dict[str, str]:
    request = SentRequest(method, url, fields())
    key = OKPKey.import_key(private)
    signer = HTTPMessageSigner(signature_algorithm=algorithms.ED25519, key_resolver=_One(private=key.private_key))
    nonce = nonce or base64.urlsafe_b64encode(hashlib.sha256(f"{datetime.now(UTC)}".encode()).digest()).decode()
    signer.sign(request, key_id=private["kid"], nonce=nonce, covered_component_ids=("@method", "@target-uri"), body=body)
    return {str(name): str(value) for name, value in request.headers.items()}


def test_a_signed_request_is_answered_once(client: TestClient, database: Database) -> None:
    token = "Bearer " + ask(client).json()["access_token"]
    headers = signature(PRIVATE, "GET", URL + REPORT)
    assert use(client, token, **headers) == 200
    again = client.get(REPORT, headers={"Authorization": token, **headers})
    assert (again.status_code, again.json()["rule"]) == (401, "replayed")
    assert [entry["outcome"] for entry in written(database) if entry["event"] == "answer:request:denied"][-1] == "replayed"


def test_a_signature_of_another_subsystem_or_request_is_refused(client: TestClient) -> None:
    token = "Bearer " + ask(client).json()["access_token"]
    others = "Bearer " + ask(client, OTHERS, OTHER).json()["access_token"]
    assert use(client, others, **signature(PRIVATE, "GET", URL + REPORT)) == 401
    assert use(client, token, **signature(OTHERS, "GET", URL + REPORT)) == 401
    assert use(client, token, **signature(PRIVATE, "GET", URL + "/v1/reports/reuse")) == 401
    assert use(client, token, Signature="x=:AAAA:") == 401
    assert client.get(REPORT, headers=signature(PRIVATE, "GET", URL + REPORT)).status_code == 401  # a signature is no token


def test_the_body_of_a_signed_request_is_the_one_that_was_signed(client: TestClient) -> None:
    token = "Bearer " + ask(client).json()["access_token"]
    url, body = "/v1/subsystems/VN/GOV/H10.12/moi", b'{"title": "a", "title_en": "b"}'
    headers = {"Authorization": token, "Lienthong-Official": "can-bo-01", "Content-Type": "application/json"}
    signed = signature(PRIVATE, "PUT", URL + url, body)
    assert client.put(url, content=body.replace(b"a", b"c"), headers={**headers, **signed}).status_code == 401
    signed = signature(PRIVATE, "PUT", URL + url, body)
    assert client.put(url, content=body, headers={**headers, **signed}).status_code == 200


@pytest.mark.parametrize("path", [REPORT, "/v1/datasets/khong-co/records/1", "/health"])
def test_an_answer_is_signed_when_asked_for_and_verifiable_with_the_published_key(client: TestClient, path: str) -> None:
    answer = client.get(path, headers={"Lienthong-Sign": "1"})
    (jwk,) = client.get("/.well-known/jwks.json").json()["keys"]
    request = SentRequest("GET", URL + path, fields())
    response = SentResponse(answer.status_code, fields(answer.headers), request)
    verifier = HTTPMessageVerifier(signature_algorithm=algorithms.ED25519, key_resolver=_One(public=OKPKey.import_key(jwk).public_key))
    (found,) = verifier.verify(response, body=answer.content)
    assert found.parameters["keyid"] == jwk["kid"]
    with pytest.raises(Exception, match="Content-Digest"):
        verifier.verify(response, body=answer.content + b" ")
    assert "signature" not in client.get(path).headers
