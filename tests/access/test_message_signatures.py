"""Signatures over HTTP messages: the RFC's own vectors, and every change of a signed request is found."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from http_message_signatures import HTTPMessageSigner, HTTPMessageVerifier, InvalidSignature, algorithms
from joserfc.jwk import ECKey, OKPKey, RSAKey, import_key

from lienthong.access import SentRequest, SentResponse, sign_response, verify_request
from lienthong.access.message_signatures import _ALGORITHMS, _One, fields
from lienthong.errors import Unauthenticated

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "rfc9421.json").read_text("utf-8"))
URL = "https://lienthong.example/v1/datasets/a/records?limit=1"
BODY = b'{"records": []}'
KEY = OKPKey.generate_key("Ed25519", parameters={"kid": "k1"})


def sent() -> SentRequest:
    found = VECTORS["request"]
    return SentRequest(found["method"], found["url"], fields(found["headers"]))


def test_the_rfcs_ed25519_signature_is_made_bit_for_bit_and_holds() -> None:
    vector, request = VECTORS["ed25519"], sent()
    key = import_key(vector["jwk"])
    signer = HTTPMessageSigner(signature_algorithm=_ALGORITHMS["OKP"], key_resolver=_One(private=key.private_key))
    covered = ("date", "@method", "@path", "@authority", "content-type", "content-length")
    created = datetime.fromtimestamp(1618884473, tz=UTC)
    signer.sign(
        request,
        key_id="test-key-ed25519",
        created=created,
        label="sig-b26",
        covered_component_ids=covered,
        include_alg=False,
        use_existing_digest=True,
    )
    assert request.headers["Signature-Input"] == vector["signature_input"]
    assert request.headers["Signature"] == vector["signature"]
    verifier = HTTPMessageVerifier(signature_algorithm=_ALGORITHMS["OKP"], key_resolver=_One(public=key.public_key))
    assert verifier.verify(request, max_age=None)[0].label == "sig-b26"


def test_the_rfcs_ecdsa_signature_of_a_response_holds_with_its_digest() -> None:
    vector, found = VECTORS["ecdsa_p256"], VECTORS["response"]
    headers = fields(found["headers"])
    headers["Signature-Input"], headers["Signature"] = vector["signature_input"], vector["signature"]
    response = SentResponse(found["status"], headers, sent())
    verifier = HTTPMessageVerifier(
        signature_algorithm=_ALGORITHMS["EC"], key_resolver=_One(public=load_pem_public_key(vector["pem"].encode()))
    )
    assert verifier.verify(response, max_age=None, body=found["body"].encode())[0].label == "sig-b24"


def signed(key: Any = KEY, algorithm: Any = algorithms.ED25519, **more: Any) -> SentRequest:
    request = SentRequest("POST", URL, fields({"Content-Type": "application/json"}))
    signer = HTTPMessageSigner(signature_algorithm=algorithm, key_resolver=_One(private=key.private_key))
    given: dict[str, Any] = {
        "key_id": "VN/GOV/H10.12/tro-cap#k1", "nonce": "khong-lap-lai", "covered_component_ids": ("@method", "@target-uri"), "body": BODY,
    }  # fmt: skip
    signer.sign(request, **{**given, **more})
    return request


def public(key: Any = KEY, kid: str = "k1") -> dict[str, Any]:
    return {**key.as_dict(private=False), "kid": kid}


def check(request: SentRequest, body: bytes = BODY, key: dict[str, Any] | None = None) -> Any:
    return verify_request(request, body, [key or public()], datetime.now(UTC))


@pytest.mark.parametrize(
    ("key", "algorithm"),
    [
        (KEY, algorithms.ED25519),
        (ECKey.generate_key("P-256", parameters={"kid": "k1"}), algorithms.ECDSA_P256_SHA256),
        (RSAKey.generate_key(2048, parameters={"kid": "k1"}), algorithms.RSA_PSS_SHA512),
    ],
)
def test_a_request_signed_with_a_registered_key_holds(key: Any, algorithm: Any) -> None:
    found = check(signed(key, algorithm), key=public(key))
    assert (found.kid, found.nonce) == ("k1", "khong-lap-lai")


@pytest.mark.parametrize(
    "change",
    [
        lambda r: setattr(r, "method", "PUT"),
        lambda r: setattr(r, "url", URL + "0"),
        lambda r: setattr(r, "url", URL.replace("lienthong.example", "khac.example")),
        lambda r: r.headers.__setitem__("Content-Digest", "sha-256=:AAAA:"),
        lambda r: r.headers.__setitem__("Signature-Input", r.headers["Signature-Input"].replace("khong-lap-lai", "nonce-khac-han")),
        lambda r: r.headers.__setitem__("Signature-Input", r.headers["Signature-Input"].replace('"@method" ', "")),
        lambda r: r.headers.__delitem__("Signature"),
        lambda r: r.headers.__setitem__("Signature-Input", "x" * 5000),
        lambda r: r.headers.__setitem__("Signature-Input", "pyhms=()" * 50),
    ],
)
def test_any_change_of_a_signed_request_is_found(change: Any) -> None:
    request = signed()
    change(request)
    with pytest.raises(Unauthenticated):
        check(request)


@pytest.mark.parametrize(
    ("more", "body"),
    [
        ({"created": datetime.now(UTC) - timedelta(minutes=20)}, BODY),
        ({"created": datetime.now(UTC) + timedelta(minutes=20)}, BODY),
        ({"nonce": None}, BODY),
        ({"nonce": "short"}, BODY),
        ({"covered_component_ids": ("@method",)}, BODY),
        ({"key_id": "VN/GOV/H10.12/tro-cap#k2"}, BODY),
        ({"body": None}, BODY),
        ({}, b"another body"),
    ],
)
def test_a_signature_that_says_too_little_or_is_too_old_is_refused(more: dict[str, Any], body: bytes) -> None:
    with pytest.raises(Unauthenticated):
        check(signed(**more), body)


def test_a_key_is_used_with_its_own_algorithm_only() -> None:
    """A shared secret made of the public key's bytes must not pass for the key (algorithm confusion)."""
    secret = KEY.public_key.public_bytes_raw()
    request = SentRequest("POST", URL, fields())
    signer = HTTPMessageSigner(signature_algorithm=algorithms.HMAC_SHA256, key_resolver=_One(private=secret))
    signer.sign(request, key_id="k1", nonce="khong-lap-lai", covered_component_ids=("@method", "@target-uri"), body=BODY)
    with pytest.raises(Unauthenticated):
        check(request)


def test_a_signed_answer_is_bound_to_its_request() -> None:
    request = signed()
    response = SentResponse(200, fields({"Content-Type": "application/json"}), request)
    headers = sign_response(response, b"{}", KEY, "pyhms")
    for name, value in headers:
        response.headers[name.decode()] = value.decode()
    verifier = HTTPMessageVerifier(signature_algorithm=algorithms.ED25519, key_resolver=_One(public=KEY.public_key))
    assert verifier.verify(response, body=b"{}")
    response.request = SentRequest("POST", URL + "0", request.headers)
    with pytest.raises(InvalidSignature):
        verifier.verify(response, body=b"{}")
