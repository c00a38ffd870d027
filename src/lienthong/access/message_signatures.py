"""HTTP message signatures (RFC 9421) with Content-Digest (RFC 9530): verified with a subsystem's registered keys, made with the platform's.

The key decides the algorithm. A signature covers at least the method and the whole address, a body through its digest; it is
young, and carries a nonce that the caller of this module keeps from being used twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from http_message_signatures import HTTPMessageSigner, HTTPMessageVerifier, HTTPSignatureKeyResolver, algorithms
from http_message_signatures.exceptions import HTTPMessageSignaturesException
from http_message_signatures.structures import CaseInsensitiveDict
from joserfc.jwk import OKPKey, import_key

from lienthong.errors import Unauthenticated

YOUNG = timedelta(minutes=5)
COVERED = ("@method", "@target-uri")
SHORTEST_NONCE, LONGEST_NONCE = 8, 200
MOST_LABELS = 4
LABEL = "lienthong"
_ALGORITHMS: Mapping[str, type[algorithms.HTTPSignatureAlgorithm]] = {
    "OKP": algorithms.ED25519,
    "EC": algorithms.ECDSA_P256_SHA256,
    "RSA": algorithms.RSA_PSS_SHA512,
}


def fields(given: Mapping[str, str] | None = None) -> Any:
    """Header fields by name, whatever its letters' size."""
    return CaseInsensitiveDict(dict(given or {}))  # type: ignore[no-untyped-call] # the library leaves it untyped


@dataclass
class SentRequest:
    """A request as it was sent: `url` whole, header lines of one name joined in order."""

    method: str
    url: str
    headers: Any = field(default_factory=fields)

    @classmethod
    def of(cls, method: str, url: str, lines: Iterable[tuple[bytes, bytes]]) -> SentRequest:
        return cls(method, url, joined(lines))


@dataclass
class SentResponse:
    """A response about to be sent, and the request it answers."""

    status_code: int
    headers: Any
    request: SentRequest


@dataclass(frozen=True)
class Signed:
    """A verified signature. The nonce must not have been used before; remember it until `expires_at`."""

    kid: str
    nonce: str
    label: str
    expires_at: datetime


class _One(HTTPSignatureKeyResolver):
    """One key under any name: which key it is was settled before."""

    def __init__(self, public: Any = None, private: Any = None) -> None:
        self._public, self._private = public, private

    def resolve_public_key(self, key_id: str) -> Any:
        del key_id
        return self._public

    def resolve_private_key(self, key_id: str) -> Any:
        del key_id
        return self._private


def joined(lines: Iterable[tuple[bytes, bytes]]) -> Any:
    """Header lines by name, those of one name joined by a comma in their order."""
    found = fields()
    for name, value in lines:
        key, text = name.decode("latin-1"), value.decode("latin-1").strip()
        found[key] = f"{found[key]}, {text}" if key in found else text
    return found


def verify_request(request: SentRequest, body: bytes, keys: Sequence[Mapping[str, Any]], now: datetime) -> Signed:
    """The signature, when one of the subsystem's keys made it over this request. Raises Unauthenticated, the same words for every fault."""
    refused = Unauthenticated(
        "The signature of the request does not hold.", hint="RFC 9421: cover @method, @target-uri, content-digest; created, nonce, keyid.",
        rule="bad_signature", vi="Chữ ký của yêu cầu không hợp lệ.", hint_vi="RFC 9421: ký @method, @target-uri, content-digest; kèm created, nonce, keyid.",
    )  # fmt: skip
    if request.headers.get("signature-input", "").count("=(") > MOST_LABELS:
        raise refused
    wanted = request.headers.get("signature-input", "")
    for jwk in keys:
        kid = str(jwk.get("kid", ""))
        if kid not in wanted:  # only to save work: which key it was is verified below
            continue
        key = import_key(dict(jwk))
        verifier = HTTPMessageVerifier(signature_algorithm=_ALGORITHMS[str(jwk["kty"])], key_resolver=_One(public=key.public_key))
        try:
            (found,) = verifier.verify(request, max_age=YOUNG, require_components=COVERED, body=body)
        except (HTTPMessageSignaturesException, ValueError, TypeError, KeyError):
            continue
        named, nonce = str(found.parameters["keyid"]), found.nonce
        if named.rpartition("#")[2] != kid or nonce is None or not SHORTEST_NONCE <= len(nonce) <= LONGEST_NONCE:
            continue
        return Signed(kid, nonce, str(found.label), now + 2 * YOUNG)
    raise refused


def sign_response(response: SentResponse, body: bytes, key: OKPKey, request_label: str | None) -> list[tuple[bytes, bytes]]:
    """The headers that sign a response: over status, type, digest, and the request it answers (its signature too, when it had one)."""
    covered = ["@status", *(["content-type"] if "content-type" in response.headers else []), '"@method";req', '"@target-uri";req']
    if request_label is not None:
        covered.append(f'"signature";req;key="{request_label}"')
    signer = HTTPMessageSigner(signature_algorithm=algorithms.ED25519, key_resolver=_One(private=key.private_key))
    signer.sign(response, key_id=str(key.kid), label=LABEL, covered_component_ids=covered, body=body)
    names = ("Content-Digest", "Signature-Input", "Signature")
    return [(name.lower().encode(), str(response.headers[name]).encode("latin-1")) for name in names]
