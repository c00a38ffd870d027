"""Proof of who a subsystem is, and the access tokens given for it. All keys and the time are arguments.

Client assertions follow RFC 7523 (private_key_jwt): `iss` = `sub` = the subsystem's identifier, `aud` = the token endpoint, a short life, a `jti`
used once (the caller keeps which were used). Only asymmetric algorithms are taken; the key decides the algorithm, never the token.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from secrets import token_urlsafe
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, KeySet, OKPKey, RSAKey

from lienthong.errors import Unauthenticated

ALGORITHMS = ["Ed25519", "EdDSA", "ES256", "PS256"]
LONGEST_LIFE = timedelta(minutes=5)
LEEWAY = timedelta(seconds=30)
LARGEST_TOKEN = 8_192
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"  # RFC 7523 §2.2
TOKEN_TYPE = "at+jwt"  # noqa: S105 # RFC 9068's name of a kind of token


@dataclass(frozen=True)
class Assertion:
    """A verified client assertion. `jti` must not have been used before; remember it until `expires_at`."""

    subsystem: str
    jti: str
    expires_at: datetime


@dataclass(frozen=True)
class AccessToken:
    """A verified access token."""

    subsystem: str
    jti: str
    expires_at: datetime


def claimed_subsystem(assertion: str) -> str:
    """Whose assertion it says it is, unverified: only to find the keys. Raises Unauthenticated when it is no token."""
    try:
        return str(_unverified(assertion)["sub"])
    except (LookupError, ValueError, TypeError, JoseError) as error:
        raise Unauthenticated("The client assertion is no readable token.") from error


def verify_assertion(assertion: str, keys: Sequence[Mapping[str, Any]], audience: Sequence[str], now: datetime) -> Assertion:
    """The assertion, when one of the subsystem's public keys signed it for us, now. Raises Unauthenticated, the same words for every fault but time."""
    claims = _verified(assertion, keys)
    subsystem, jti, expires = claims.get("sub"), claims.get("jti"), claims.get("exp")
    audiences = claims["aud"] if isinstance(claims.get("aud"), list) else [claims.get("aud")]
    if not (
        isinstance(subsystem, str) and claims.get("iss") == subsystem and isinstance(jti, str) and 0 < len(jti) <= 200
    ):  # a jti is short
        raise Unauthenticated("The client assertion lacks iss, sub or jti.")
    if not any(name in audience for name in audiences):
        raise Unauthenticated("The client assertion is for another audience.", hint=f"aud must be {audience[0]}.")
    expires_at = _life(claims, expires, now)
    return Assertion(subsystem, jti, expires_at)


def _life(claims: Mapping[str, Any], expires: Any, now: datetime) -> datetime:
    if not isinstance(expires, int | float) or isinstance(expires, bool):
        raise Unauthenticated("The client assertion lacks exp.")
    moment = now.timestamp()
    if expires <= moment - LEEWAY.total_seconds():
        raise Unauthenticated("The client assertion has expired.")
    if expires > moment + (LONGEST_LIFE + LEEWAY).total_seconds():
        raise Unauthenticated("The client assertion lives too long.", hint="At most five minutes.")
    for name in ("iat", "nbf"):
        issued = claims.get(name)
        if issued is not None and (not isinstance(issued, int | float) or issued > moment + LEEWAY.total_seconds()):
            raise Unauthenticated("The client assertion is from the future.")
    return datetime.fromtimestamp(expires, tz=now.tzinfo)


def _verified(token: str, keys: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    refused = Unauthenticated("The signature does not fit any key of this subsystem.")
    if not keys or len(token) > LARGEST_TOKEN:
        raise refused
    try:
        key_set = KeySet.import_key_set({"keys": [dict(key) for key in keys]})
        return dict(jwt.decode(token, key_set, algorithms=ALGORITHMS).claims)
    except (JoseError, ValueError, TypeError, KeyError) as error:
        raise refused from error


def _unverified(token: str) -> dict[str, Any]:
    import base64  # noqa: PLC0415 # read before anything is verified; nothing of it is trusted
    import json  # noqa: PLC0415 # as above

    if len(token) > LARGEST_TOKEN:
        raise ValueError(token[:10])
    payload = token.split(".")[1]
    found = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    if not isinstance(found, dict):
        raise TypeError(type(found))
    return found


def issue_token(key: OKPKey, issuer: str, subsystem: str, now: datetime, minutes: int) -> tuple[str, AccessToken]:
    """A signed access token (EdDSA) for a subsystem, good for `minutes`."""
    expires_at = now + timedelta(minutes=minutes)
    jti = token_urlsafe(16)
    claims = {"iss": issuer, "sub": subsystem, "aud": issuer, "iat": int(now.timestamp()), "exp": int(expires_at.timestamp()), "jti": jti}
    text = jwt.encode({"alg": "Ed25519", "typ": TOKEN_TYPE, "kid": key.kid}, claims, key, algorithms=["Ed25519"])
    return text, AccessToken(subsystem, jti, expires_at)


def verify_token(key: OKPKey, issuer: str, token: str, now: datetime) -> AccessToken:
    """The access token, when we signed it and it has not expired. Raises Unauthenticated."""
    if len(token) > LARGEST_TOKEN:
        raise Unauthenticated("The access token is not valid.")
    try:
        decoded = jwt.decode(token, key, algorithms=["Ed25519"])
        claims = decoded.claims
        if decoded.header.get("typ") != TOKEN_TYPE or claims["iss"] != issuer or claims["aud"] != issuer:
            raise Unauthenticated("The access token is not valid here.")
        found = AccessToken(str(claims["sub"]), str(claims["jti"]), datetime.fromtimestamp(claims["exp"], tz=now.tzinfo))
    except (JoseError, ValueError, TypeError, KeyError) as error:
        raise Unauthenticated("The access token is not valid.") from error
    if found.expires_at <= now:
        raise Unauthenticated("The access token has expired.", hint="Ask for a new one at /oauth/token.")
    return found


def new_key_pair() -> tuple[dict[str, Any], dict[str, Any]]:
    """(private JWK, public JWK) of a fresh Ed25519 key."""
    key = OKPKey.generate_key("Ed25519", auto_kid=True)
    return dict(key.as_dict(private=True)), dict(key.as_dict(private=False))


def make_assertion(private_jwk: Mapping[str, Any], subsystem: str, audience: str, now: datetime) -> str:
    """What a subsystem sends to the token endpoint: good for two minutes, once."""
    kinds: dict[str, type[OKPKey | ECKey | RSAKey]] = {"OKP": OKPKey, "EC": ECKey, "RSA": RSAKey}
    kind = kinds[str(private_jwk["kty"])]
    algorithm = {"OKP": "Ed25519", "EC": "ES256", "RSA": "PS256"}[str(private_jwk["kty"])]
    key = kind.import_key(dict(private_jwk))
    claims = {
        "iss": subsystem,
        "sub": subsystem,
        "aud": audience,
        "iat": int(now.timestamp()),
        "exp": int((now + timedelta(minutes=2)).timestamp()),
        "jti": token_urlsafe(16),
    }
    return jwt.encode({"alg": algorithm, "kid": private_jwk.get("kid", "")}, claims, key, algorithms=[algorithm])
