"""The relying party: people sign in at an OpenID provider, a VNeID-like one or the built-in one, by configuration alone.

Authorization code with PKCE, state and nonce; the ID token is verified against the provider's published keys with asymmetric
algorithms only; userinfo must be about the same subject. Which claim means what is the setting `oidc_claims`.
"""

from __future__ import annotations

import threading
import time
import warnings
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from secrets import token_urlsafe
from typing import Any
from urllib.parse import urlsplit

import httpx
import msgspec
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from lienthong.access import SignedIn
from lienthong.errors import SettingsError, Unauthenticated
from lienthong.settings import Settings

ALGORITHMS = frozenset({"RS256", "PS256", "ES256", "ES384", "EdDSA", "Ed25519"})
MEANINGS = frozenset({"citizen", "name", "agency", "email", "subject"})
TIMEOUT_SECONDS = 5.0
LARGEST_ANSWER = 262_144
KEPT_SECONDS = 600.0  # how long the provider's description is taken from memory
SECONDS_BETWEEN_KEYS = 10.0  # an unknown key asks for the list again, but no oftener
LEEWAY_SECONDS = 60
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


class Pending(msgspec.Struct, frozen=True):
    """A sign-in under way, kept sealed in the browser's cookie until the provider sends it back."""

    state: str
    nonce: str
    verifier: str
    then: str
    until: float


@dataclass
class _Known:
    description: dict[str, Any]
    keys: KeySet
    at: float


class Party:
    """One relying party at one provider. Its calls go out: use it from a worker thread."""

    def __init__(self, settings: Settings) -> None:
        self.issuer = settings.oidc_issuer
        host = urlsplit(self.issuer)
        if host.scheme != "https" and host.hostname not in LOOPBACK:
            raise SettingsError("LIENTHONG_OIDC_ISSUER: expected an https address.", hint="Plain http only on this machine.")
        self._client_id = settings.oidc_client_id
        self._secret = _secret(settings)
        self._scopes = settings.oidc_scopes
        self._claims = _mapping(settings.oidc_claims)
        self.redirect_uri = settings.public_url + "/sign-in/callback"
        self._lock = threading.Lock()
        self._kept: _Known | None = None

    def begin(self, then: str, lasts_seconds: float) -> tuple[str, Pending]:
        """(where to send the browser, what to keep until it comes back)."""
        from authlib.oauth2.rfc7636 import create_s256_code_challenge  # noqa: PLC0415 # Authlib is loaded by who signs in

        pending = Pending(token_urlsafe(24), token_urlsafe(24), token_urlsafe(48), then, time.time() + lasts_seconds)
        with self._client() as client:
            url, _ = client.create_authorization_url(
                self._known().description["authorization_endpoint"],
                state=pending.state,
                nonce=pending.nonce,
                code_challenge=create_s256_code_challenge(pending.verifier),
                code_challenge_method="S256",
            )
        return str(url), pending

    def finish(self, pending: Pending, code: str, now: datetime) -> SignedIn:
        """Who signed in. Raises Unauthenticated, in words that say which step failed and nothing of anybody."""
        known = self._known()
        try:
            with self._client() as client:
                tokens = client.fetch_token(
                    known.description["token_endpoint"], code=code, grant_type="authorization_code", code_verifier=pending.verifier
                )
                access, id_token = str(tokens["access_token"]), str(tokens["id_token"])
        except Exception as error:  # Authlib, httpx and a provider's odd answers each have errors of their own
            raise Unauthenticated("The identity provider did not accept the code.", vi="Nhà cung cấp định danh không nhận mã.") from error
        claims = self._verified(id_token, access, pending.nonce, now)
        endpoint = known.description.get("userinfo_endpoint")
        if endpoint:
            more = _get(str(endpoint), {"Authorization": f"Bearer {access}"})
            if more.get("sub") != claims["sub"]:
                raise Unauthenticated("Userinfo is about somebody else.", vi="Thông tin người dùng không khớp.")
            claims = {**more, **claims}
        return self._signed_in(claims)

    def _verified(self, id_token: str, access: str, nonce: str, now: datetime) -> dict[str, Any]:
        from authlib.oidc.core import CodeIDToken  # noqa: PLC0415 # as above

        for is_second in (False, True):
            known = self._known(again=is_second)
            offered = known.description.get("id_token_signing_alg_values_supported") or ["RS256"]
            try:
                found = jwt.decode(id_token, known.keys, algorithms=sorted(ALGORITHMS & set(offered)))
                options = {"iss": {"essential": True, "value": self.issuer}, "aud": {"essential": True, "value": self._client_id}}
                params = {"nonce": nonce, "client_id": self._client_id, "access_token": access}
                claims = CodeIDToken(found.claims, found.header, options, params)
                claims.validate(now=int(now.timestamp()), leeway=LEEWAY_SECONDS)
                if not isinstance(claims.get("sub"), str) or not claims["sub"] or found.header.get("typ", "JWT") != "JWT":
                    raise ValueError("sub")
                return dict(claims)
            except (JoseError, ValueError, TypeError, KeyError) as error:
                if is_second or not self._may_ask_again(known):
                    raise Unauthenticated("The ID token is not valid.", vi="Mã định danh không hợp lệ.") from error
        raise AssertionError  # the loop returns or raises

    def _may_ask_again(self, known: _Known) -> bool:
        return time.monotonic() - known.at > SECONDS_BETWEEN_KEYS

    def _signed_in(self, claims: dict[str, Any]) -> SignedIn:
        def text(meaning: str) -> str:
            value = claims.get(self._claims.get(meaning, ""))
            return value.strip()[:200] if isinstance(value, str) else ""

        subject = text("subject") or claims["sub"]
        citizen = text("citizen")
        if not (citizen.isascii() and citizen.isdigit() and len(citizen) == 12):  # the length of a personal identification number
            citizen = ""
        return SignedIn(self.issuer, subject, text("name") or subject, citizen, text("agency"), text("email"))

    def _known(self, *, again: bool = False) -> _Known:
        with self._lock:
            if self._kept is None or again or time.monotonic() - self._kept.at > KEPT_SECONDS:
                description = _get(self.issuer.rstrip("/") + "/.well-known/openid-configuration", {})
                if description.get("issuer") != self.issuer:
                    raise Unauthenticated("The provider describes another issuer.", vi="Nhà cung cấp định danh khai tên khác.")
                try:
                    keys = KeySet.import_key_set(
                        {"keys": [key for key in _get(str(description["jwks_uri"]), {})["keys"] if key.get("kty") != "oct"]}
                    )
                except (JoseError, KeyError, TypeError, ValueError) as error:
                    raise Unauthenticated("The provider's keys cannot be read.", vi="Không đọc được khóa của nhà cung cấp.") from error
                self._kept = _Known(description, keys, time.monotonic())
            return self._kept

    def _client(self) -> Any:
        with warnings.catch_warnings(record=True):  # it would rather have a successor of httpx: nothing to tell an operator
            from authlib.integrations.httpx_client import OAuth2Client  # noqa: PLC0415 # as above

        methods = self._kept.description.get("token_endpoint_auth_methods_supported") if self._kept else None
        method = "client_secret_post" if methods and "client_secret_basic" not in methods else "client_secret_basic"
        return OAuth2Client(
            self._client_id, self._secret, token_endpoint_auth_method=method, scope=self._scopes, redirect_uri=self.redirect_uri,
            timeout=TIMEOUT_SECONDS, follow_redirects=False, trust_env=False,
        )  # fmt: skip


def _get(url: str, headers: dict[str, str]) -> dict[str, Any]:
    """A JSON object of the provider. Raises Unauthenticated when there is none, in time and size."""
    try:
        with (
            httpx.Client(timeout=TIMEOUT_SECONDS, follow_redirects=False, trust_env=False) as client,
            client.stream("GET", url, headers=headers) as answer,
        ):
            answer.raise_for_status()
            body = b""
            for part in answer.iter_bytes():
                body += part
                if len(body) > LARGEST_ANSWER:
                    raise ValueError(LARGEST_ANSWER)
        found = msgspec.json.decode(body)
        if not isinstance(found, dict):
            raise TypeError(type(found))
    except (httpx.HTTPError, httpx.InvalidURL, msgspec.MsgspecError, ValueError, TypeError) as error:
        raise Unauthenticated(
            "The identity provider does not answer as it should.",
            hint="Try again.",
            hint_vi="Hãy thử lại.",
            vi="Nhà cung cấp định danh chưa trả lời đúng.",
        ) from error
    return found


def _secret(settings: Settings) -> str:
    if not settings.oidc_client_secret_file:
        return settings.oidc_client_secret
    try:
        return Path(settings.oidc_client_secret_file).read_text("utf-8").strip()
    except OSError as error:
        raise SettingsError(f"LIENTHONG_OIDC_CLIENT_SECRET_FILE: the file cannot be read: {error.strerror}.") from error


def _mapping(text: str) -> dict[str, str]:
    """`citizen=citizen_number name=name` as meaning → claim."""
    pairs = dict(part.partition("=")[::2] for part in text.split())
    if not set(pairs) <= MEANINGS or not all(pairs.values()):
        raise SettingsError(
            f"LIENTHONG_OIDC_CLAIMS: expected meaning=claim, separated by spaces, of {', '.join(sorted(MEANINGS))}; found `{text}`."
        )
    return pairs
