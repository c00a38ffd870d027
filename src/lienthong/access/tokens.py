"""Proof of who a subsystem is, and the access tokens given for it. All keys and the time are arguments.

Client assertions follow RFC 7523 (private_key_jwt): `iss` = `sub` = the subsystem's identifier, `aud` = the token endpoint, a short life, a `jti`
used once (the caller keeps which were used). Only asymmetric algorithms are taken; the key decides the algorithm, never the token.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from secrets import token_urlsafe
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey, RSAKey, import_key

from lienthong.errors import Unauthenticated

ALGORITHMS = ["Ed25519", "EdDSA", "ES256", "PS256"]
LONGEST_LIFE = timedelta(minutes=5)
LEEWAY = timedelta(seconds=30)
LARGEST_TOKEN = 8_192
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"  # RFC 7523 §2.2
PRODUCTION, SANDBOX = "production", "sandbox"
BINDINGS = ("x5t#S256", "jkt")
TOKEN_TYPE = "at+jwt"  # noqa: S105 # RFC 9068's name of a kind of token


@dataclass(frozen=True)
class Assertion:
    """A verified client assertion. `jti` must not have been used before; remember it until `expires_at`."""

    subsystem: str
    jti: str
    expires_at: datetime
    key: str = ""  # thumbprint (RFC 7638) of the key that signed it


@dataclass(frozen=True)
class AccessToken:
    """A verified access token.

    `key` is the subsystem and thumbprint of the key it was got with: it ends with that key. `bound_to`: `x5t#S256` (RFC 8705)
    or `jkt` (RFC 9449) and a thumbprint, when only the holder of that certificate or key may use it.
    """

    subsystem: str
    jti: str
    expires_at: datetime
    key: str = ""
    environment: str = PRODUCTION
    bound_to: tuple[str, str] | None = None


def claimed_subsystem(assertion: str) -> str:
    """Whose assertion it says it is, unverified: only to find the keys. Raises Unauthenticated when it is no token."""
    try:
        return str(_unverified(assertion)["sub"])
    except (LookupError, ValueError, TypeError, JoseError) as error:
        raise Unauthenticated("The client assertion is no readable token.", vi="Không đọc được lời khai.") from error


def names_key_of(assertion: str, keys: Sequence[Mapping[str, Any]]) -> bool:
    """Whether an assertion says that one of these keys signed it: where none does, the key may be newer than what is known."""
    named = _named_key(assertion)
    return named is not None and any(jwk.get("kid") == named for jwk in keys)


def verify_assertion(assertion: str, keys: Sequence[Mapping[str, Any]], audience: Sequence[str], now: datetime) -> Assertion:
    """The assertion, when one of the subsystem's public keys signed it for us, now. Raises Unauthenticated, the same words for every fault but time."""
    claims, key = _verified(assertion, keys)
    subsystem, jti, expires = claims.get("sub"), claims.get("jti"), claims.get("exp")
    audiences = claims["aud"] if isinstance(claims.get("aud"), list) else [claims.get("aud")]
    if not (
        isinstance(subsystem, str) and claims.get("iss") == subsystem and isinstance(jti, str) and 0 < len(jti) <= 200
    ):  # a jti is short
        raise Unauthenticated("The client assertion lacks iss, sub or jti.", vi="Lời khai thiếu iss, sub hoặc jti.")
    if not any(name in audience for name in audiences):
        raise Unauthenticated(
            "The client assertion is for another audience.",
            hint=f"aud must be {audience[0]}.",
            vi="Lời khai gửi cho nơi khác.",
            hint_vi=f"aud phải là {audience[0]}.",
        )
    expires_at = _life(claims, expires, now)
    return Assertion(subsystem, jti, expires_at, key)


def verify_client_assertion(
    assertion: str, keys: Sequence[Mapping[str, Any]], client: str, audience: Sequence[str], now: datetime
) -> Assertion:
    """The same of a client that goes by a name of its own (RFC 7523 §2.1): `iss` is its name, `sub` the same or left out."""
    claims, key = _verified(assertion, keys)
    jti = claims.get("jti")
    audiences = claims["aud"] if isinstance(claims.get("aud"), list) else [claims.get("aud")]
    is_client = claims.get("iss") == client and claims.get("sub", client) == client
    if not is_client or not isinstance(jti, str) or not 0 < len(jti) <= 200 or not any(name in audience for name in audiences):
        raise Unauthenticated(
            "The assertion is not of this client, or for another audience.",
            hint=f"aud must be {audience[0]}.",
            vi="Lời khai không phải của bên này, hoặc gửi cho nơi khác.",
            hint_vi=f"aud phải là {audience[0]}.",
        )
    return Assertion(client, jti, _life(claims, claims.get("exp"), now), key)


def claimed_issuer(assertion: str) -> str:
    """Who made an assertion, as it says itself, unverified: only to find the keys. Raises Unauthenticated when it is no token."""
    try:
        return str(_unverified(assertion)["iss"])
    except (LookupError, ValueError, TypeError, JoseError) as error:
        raise Unauthenticated("The assertion is no readable token.", vi="Không đọc được lời khai.") from error


def _life(claims: Mapping[str, Any], expires: Any, now: datetime) -> datetime:
    if not isinstance(expires, int | float) or isinstance(expires, bool):
        raise Unauthenticated("The client assertion lacks exp.", vi="Lời khai thiếu exp.")
    moment = now.timestamp()
    if expires <= moment - LEEWAY.total_seconds():
        raise Unauthenticated("The client assertion has expired.", vi="Lời khai đã hết hạn.")
    if expires > moment + (LONGEST_LIFE + LEEWAY).total_seconds():
        raise Unauthenticated(
            "The client assertion lives too long.",
            hint="At most five minutes.",
            vi="Lời khai có thời hạn quá dài.",
            hint_vi="Nhiều nhất năm phút.",
        )
    for name in ("iat", "nbf"):
        issued = claims.get(name)
        if issued is not None and (not isinstance(issued, int | float) or issued > moment + LEEWAY.total_seconds()):
            raise Unauthenticated("The client assertion is from the future.", vi="Lời khai có thời điểm trong tương lai.")
    return datetime.fromtimestamp(expires, tz=now.tzinfo)


def verify_proof(proof: str, jwk: Mapping[str, Any], subsystem: str, audience: str, challenge: str, now: datetime) -> None:
    """Raises Unauthenticated unless the new key signed our question (`nonce`) for us, now, in the subsystem's name."""
    claims, _ = _verified(proof, [jwk])
    if (claims.get("iss"), claims.get("aud"), claims.get("nonce")) != (subsystem, audience, challenge):
        raise Unauthenticated(
            "The proof must name the subsystem (iss), this server (aud) and the question (nonce).",
            hint=f"aud is {audience}.",
            vi="Bằng chứng phải nêu hệ thống (iss), máy chủ này (aud) và câu hỏi (nonce).",
            hint_vi=f"aud là {audience}.",
        )
    _life(claims, claims.get("exp"), now)


def _verified(token: str, keys: Sequence[Mapping[str, Any]]) -> tuple[dict[str, Any], str]:
    """(claims, thumbprint of the key that signed them). A token that names its key is held against keys of that name only."""
    refused = Unauthenticated("The signature does not fit any key of this subsystem.", vi="Chữ ký không khớp khóa nào của hệ thống này.")
    if not keys or len(token) > LARGEST_TOKEN:
        raise refused
    wanted = _named_key(token)
    for jwk in keys:
        if wanted is not None and jwk.get("kid") != wanted:
            continue
        try:
            key = import_key(dict(jwk))
            return dict(jwt.decode(token, key, algorithms=ALGORITHMS).claims), key.thumbprint()
        except (JoseError, ValueError, TypeError, KeyError):
            continue
    raise refused


def _named_key(token: str) -> str | None:
    try:
        named = _part(token, 0).get("kid")
    except (ValueError, TypeError, LookupError):
        return None
    return named if isinstance(named, str) and named else None


def _unverified(token: str) -> dict[str, Any]:
    return _part(token, 1)


def _part(token: str, place: int) -> dict[str, Any]:
    """The header (0) or the claims (1) of a token, before anything is verified: nothing of them is trusted."""
    if len(token) > LARGEST_TOKEN:
        raise ValueError(token[:10])
    payload = token.split(".")[place]
    found = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    if not isinstance(found, dict):
        raise TypeError(type(found))
    return found


def issue_token(
    key: OKPKey, issuer: str, subsystem: str, now: datetime, minutes: int, *,
    got_with: str = "", environment: str = PRODUCTION, bound_to: tuple[str, str] | None = None,
) -> tuple[str, AccessToken]:  # fmt: skip
    """A signed access token (EdDSA) for a subsystem, good for `minutes`. `got_with`: thumbprint of its key."""
    expires_at = now + timedelta(minutes=minutes)
    jti = token_urlsafe(16)
    claims = {"iss": issuer, "sub": subsystem, "aud": issuer, "iat": int(now.timestamp()), "exp": int(expires_at.timestamp()), "jti": jti}
    claims |= {"env": environment, **({"key": got_with} if got_with else {}), **({"cnf": dict([bound_to])} if bound_to else {})}
    text = jwt.encode({"alg": "Ed25519", "typ": TOKEN_TYPE, "kid": key.kid}, claims, key, algorithms=["Ed25519"])
    return text, AccessToken(subsystem, jti, expires_at, f"{subsystem} {got_with}", environment, bound_to)


def verify_token(key: OKPKey, issuer: str, token: str, now: datetime) -> AccessToken:
    """The access token, when we signed it and it has not expired. Raises Unauthenticated."""
    if len(token) > LARGEST_TOKEN:
        raise Unauthenticated("The access token is not valid.", vi="Mã truy cập không hợp lệ.")
    try:
        decoded = jwt.decode(token, key, algorithms=["Ed25519"])
        claims = decoded.claims
        if decoded.header.get("typ") != TOKEN_TYPE or claims["iss"] != issuer or claims["aud"] != issuer:
            raise Unauthenticated("The access token is not valid here.", vi="Mã truy cập không có hiệu lực ở đây.")
        subsystem = str(claims["sub"])
        found = AccessToken(
            subsystem, str(claims["jti"]), datetime.fromtimestamp(claims["exp"], tz=now.tzinfo), f"{subsystem} {claims.get('key', '')}",
            claims.get("env", PRODUCTION), _binding(claims.get("cnf")),
        )  # fmt: skip
    except (JoseError, ValueError, TypeError, KeyError) as error:
        raise Unauthenticated("The access token is not valid.", vi="Mã truy cập không hợp lệ.") from error
    if found.expires_at <= now:
        raise Unauthenticated(
            "The access token has expired.",
            hint="Ask for a new one at /oauth/token.",
            vi="Mã truy cập đã hết hạn.",
            hint_vi="Hãy lấy mã mới ở /oauth/token.",
        )
    return found


def _binding(cnf: Any) -> tuple[str, str] | None:
    """How a token is bound (RFC 7800). Raises ValueError for a way we do not know: it would be taken for unbound."""
    if cnf is None:
        return None
    ((way, print_),) = cnf.items()
    if way not in BINDINGS or not isinstance(print_, str):
        raise ValueError(way)
    return way, print_


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
