"""What binds a token to its holder: the thumbprint of a certificate (RFC 8705), or a proof signed with a key for one request (RFC 9449)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import urllib.parse
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import import_key

from lienthong.errors import Unauthenticated

PROOF_ALGORITHMS = ["Ed25519", "EdDSA", "ES256", "PS256"]
PROOF_LASTS = timedelta(minutes=2)
LARGEST_PROOF = 8_192
LARGEST_CERTIFICATE = 32_768


@dataclass(frozen=True)
class Proof:
    """A verified DPoP proof; its `jti` must not have been used before. Remember it until `expires_at`."""

    thumbprint: str
    jti: str
    expires_at: datetime


def certificate_thumbprint(text: str) -> str:
    """`x5t#S256` of a certificate as proxies send it: PEM, escaped PEM, or the base64 of its DER between colons (RFC 9440)."""
    refused = Unauthenticated("The client certificate cannot be read.", vi="Không đọc được chứng thư của máy khách.")
    if len(text) > LARGEST_CERTIFICATE:
        raise refused
    try:
        if text.startswith(":") and text.endswith(":"):
            der = base64.b64decode(text[1:-1], validate=True)
        elif text.lstrip().startswith(("-----BEGIN", "-----BEGIN%20")):
            der = x509.load_pem_x509_certificate(urllib.parse.unquote(text).encode()).public_bytes(Encoding.DER)
        else:
            der = base64.b64decode(urllib.parse.unquote(text), validate=True)
        x509.load_der_x509_certificate(der)
    except ValueError as error:
        raise refused from error
    return thumbprint_of_der(der)


def thumbprint_of_der(der: bytes) -> str:
    """`x5t#S256` of a certificate (RFC 8705 §3.1)."""
    return _text(hashlib.sha256(der).digest())


def verify_dpop(proof: str, method: str, address: str, now: datetime, token: str | None) -> Proof:
    """The proof, when its own key signed it for this request, now, and with a token for that token. Raises Unauthenticated."""
    refused = Unauthenticated(
        "The DPoP proof does not fit this request.",
        hint="RFC 9449 §4.2.",
        vi="Bằng chứng DPoP không khớp yêu cầu này.",
        hint_vi="Xem RFC 9449 §4.2.",
    )
    if len(proof) > LARGEST_PROOF:
        raise refused
    try:
        header = json.loads(_bytes(proof.split(".", maxsplit=1)[0]))
        jwk = header["jwk"]
        if header.get("typ") != "dpop+jwt" or not isinstance(jwk, dict) or jwk.get("kty") == "oct" or "d" in jwk:
            raise refused
        key = import_key(jwk)
        found = jws.deserialize_compact(proof, key, algorithms=PROOF_ALGORITHMS)
        claims = json.loads(found.payload)
        issued, jti = claims["iat"], claims["jti"]
        if (
            claims["htm"] != method
            or _plain(claims["htu"]) != _plain(address)
            or not isinstance(jti, str)
            or not 0 < len(jti) <= 200
            or isinstance(issued, bool)
            or abs(now.timestamp() - issued) > PROOF_LASTS.total_seconds()
            or (token is not None and not hmac.compare_digest(str(claims["ath"]), _text(hashlib.sha256(token.encode()).digest())))
        ):
            raise refused
    except (JoseError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise refused from error
    return Proof(key.thumbprint(), jti, now + 2 * PROOF_LASTS)


def _plain(address: str) -> str:
    """An address without question and fragment, host in small letters (RFC 9449 §4.3)."""
    parts = urllib.parse.urlsplit(address)
    return f"{parts.scheme.lower()}://{parts.netloc.lower()}{urllib.parse.unquote(parts.path) or '/'}"


def _text(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
