"""The built-in OpenID Connect provider, for the demo and the sandbox: code flow with PKCE, one page without a script, nothing remembered.

On only when `LIENTHONG_OIDC_ACCOUNTS` names a file. Its addresses lie under `/oidc`. It signs nobody in silently: there is no
session of its own, each authorization asks for the password. Who tries too often is locked out, in the words of a wrong password.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import time
from collections import OrderedDict
from datetime import UTC, datetime, timedelta
from secrets import token_urlsafe
from typing import Any
from urllib.parse import unquote_plus, urlencode, urlsplit

import msgspec
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from lienthong.access import Sealer, TokenBucket
from lienthong.errors import StoreError
from lienthong.ledger import Entry, Event
from lienthong.settings import Settings
from lienthong.store import factors
from lienthong.web.accounts import Account, Accounts, Client
from lienthong.web.asking import Counter
from lienthong.web.bodies import read_form
from lienthong.web.people_pages import page

ROOT = "/oidc"
ALGORITHM = "ES256"
COOKIE = "lienthong-oidc"
CODE_LASTS = timedelta(seconds=60)
FORM_LASTS = timedelta(minutes=10)
TOKEN_LASTS = timedelta(minutes=5)
TRIES_A_MINUTE = 30  # from one address
MOST_ADDRESSES = 10_000
KIND = "at+jwt"
NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache"}
CLAIMS_OF = {"profile": ("name", "agency", "citizen_number"), "email": ("email",)}


class Asked(msgspec.Struct, frozen=True):
    """An authorization request that was found right."""

    client: str
    redirect_uri: str
    scope: str
    state: str
    nonce: str
    challenge: str
    browser: str = ""  # hash of the cookie of the browser that was shown the form
    until: float = 0.0
    username: str = ""
    at: int = 0


class Provider:
    """The provider over a file of accounts."""

    def __init__(self, settings: Settings, counter: Counter, accounts: Accounts, sealer: Sealer, key: ECKey, secret: bytes) -> None:
        self._counter = counter
        self._accounts = accounts
        self._sealer = sealer
        self._signing = key
        self._secret = secret
        self._tries = settings.sign_in_tries
        self._locked = timedelta(minutes=settings.sign_in_lock_minutes)
        self.is_secure = settings.public_url.startswith("https://")
        self.issuer = settings.public_url + ROOT
        self._buckets: OrderedDict[str, TokenBucket] = OrderedDict()

    def routes(self) -> list[Route]:
        return [
            Route(ROOT + "/.well-known/openid-configuration", self._describe),
            Route(ROOT + "/jwks.json", self._keys),
            Route(ROOT + "/authorize", self._authorize, methods=["GET", "POST"]),
            Route(ROOT + "/token", self._token, methods=["POST"]),
            Route(ROOT + "/userinfo", self._userinfo, methods=["GET", "POST"]),
        ]

    # Discovery

    async def _describe(self, _: Request) -> Response:
        return _json(
            {
                "issuer": self.issuer,
                "authorization_endpoint": self.issuer + "/authorize",
                "token_endpoint": self.issuer + "/token",
                "userinfo_endpoint": self.issuer + "/userinfo",
                "jwks_uri": self.issuer + "/jwks.json",
                "response_types_supported": ["code"],
                "grant_types_supported": ["authorization_code"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": [ALGORITHM],
                "scopes_supported": ["openid", *CLAIMS_OF],
                "claims_supported": ["sub", "auth_time", *(name for names in CLAIMS_OF.values() for name in names)],
                "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
                "code_challenge_methods_supported": ["S256"],
                "authorization_response_iss_parameter_supported": True,
            }
        )

    async def _keys(self, _: Request) -> Response:
        return _json({"keys": [{**self._signing.as_dict(private=False), "use": "sig", "alg": ALGORITHM}]})

    # Signing in

    async def _authorize(self, request: Request) -> Response:
        if request.method == "GET":
            return self._ask(request)
        form = await read_form(request) or {}
        return await run_in_threadpool(self._try, request, form)

    def _ask(self, request: Request) -> Response:
        found = request.query_params
        client = self._accounts.clients.get(found.get("client_id", ""))
        redirect_uri = found.get("redirect_uri", "")
        if client is None or redirect_uri not in client.redirect_uris:  # never sent on: the address may be anybody's
            return page("refused.html", 400, vi="Ứng dụng này không được đăng ký.", en="This application is not registered.", again="")
        twice = [name for name in found if len(found.getlist(name)) > 1]
        wrong = _wrong(found, twice)
        if wrong:
            return self._back(redirect_uri, {"error": wrong, "state": found.get("state", "")})
        browser = request.cookies.get(COOKIE, "") or token_urlsafe(32)
        asked = Asked(
            client.id, redirect_uri, found["scope"], found.get("state", ""), found.get("nonce", ""), found["code_challenge"],
            _hash(browser).hex(), time.time() + FORM_LASTS.total_seconds(),
        )  # fmt: skip
        response = self._form(asked)
        response.set_cookie(COOKIE, browser, path=ROOT, secure=self.is_secure, httponly=True, samesite="lax")
        return response

    def _form(self, asked: Asked, *, username: str = "", failed: bool = False, status: int = 200) -> Response:
        sealed = _text(self._sealer.seal(msgspec.json.encode(asked), "authorize"))
        origin = "{0.scheme}://{0.netloc}".format(urlsplit(asked.redirect_uri))
        return page(
            "provider_sign_in.html", status, form_action=origin, sealed=sealed, client=asked.client, username=username, failed=failed
        )  # fmt: skip

    def _try(self, request: Request, form: dict[str, str]) -> Response:
        now = datetime.now(UTC)
        asked = self._asked(form.get("request", ""))
        cookie = request.cookies.get(COOKIE, "")
        if asked is None or asked.until < now.timestamp() or not hmac.compare_digest(_hash(cookie).hex(), asked.browser):
            return page("refused.html", 400, vi="Trang đăng nhập đã hết hạn.", en="The sign-in page has expired.", again="")
        username, password = form.get("username", "").strip(), form.get("password", "")
        if not self._may_try(request.client.host if request.client else ""):
            return page("refused.html", 429, vi="Thử quá nhiều lần. Hãy chờ một phút.", en="Too many tries. Wait a minute.", again="")
        account = self._checked(username, password, now)
        if account is None:
            return self._form(asked, username=username[:100], failed=True, status=401)
        code = token_urlsafe(32)
        given = msgspec.structs.replace(asked, username=account.username, at=int(now.timestamp()))
        with self._counter.workshop.database.connect() as connection:
            sealed = self._sealer.seal(msgspec.json.encode(given), "code")
            factors.keep_code(connection, _hash(code), sealed, now + CODE_LASTS)
        return self._back(asked.redirect_uri, {"code": code, "state": asked.state})

    def _checked(self, username: str, password: str, now: datetime) -> Account | None:
        """The account, unless the password is wrong or it is locked: both take as long and are told alike."""
        name = hmac.digest(self._secret, b"sign-in " + username.casefold().encode("utf-8", "replace"), "sha256")
        account = self._accounts.check(username, password)
        with self._counter.workshop.database.connect() as connection:
            locked = factors.failures(connection, name, now - self._locked) >= self._tries
            if account is not None and not locked:
                factors.forgive(connection, name)
                return account
            factors.note_failure(connection, name, now)
            outcome = "locked" if locked else "refused"
            self._counter.append(Entry(now, Event.SIGN_IN_REFUSED, self.issuer, subject=name.hex(), outcome=outcome), connection)
        return None

    def _may_try(self, address: str) -> bool:
        bucket = self._buckets.setdefault(address, TokenBucket(TRIES_A_MINUTE, time.monotonic()))
        self._buckets.move_to_end(address)
        while len(self._buckets) > MOST_ADDRESSES:
            self._buckets.popitem(last=False)
        return bucket.take(time.monotonic()) == 0

    def _asked(self, sealed: str) -> Asked | None:
        try:
            return msgspec.json.decode(self._sealer.open(_bytes(sealed), "authorize"), type=Asked)
        except (StoreError, msgspec.MsgspecError, binascii.Error, ValueError):
            return None

    def _back(self, redirect_uri: str, answer: dict[str, str]) -> Response:
        joint = "&" if urlsplit(redirect_uri).query else "?"
        answer = {name: value for name, value in answer.items() if value} | {"iss": self.issuer}
        return RedirectResponse(redirect_uri + joint + urlencode(answer), 303, headers={**NO_STORE, "Referrer-Policy": "no-referrer"})

    # Tokens

    async def _token(self, request: Request) -> Response:
        form = await read_form(request)
        if form is None or form.get("grant_type") != "authorization_code":
            return _json({"error": "unsupported_grant_type" if form else "invalid_request"}, 400)
        return await run_in_threadpool(self._exchange, request, form)

    def _exchange(self, request: Request, form: dict[str, str]) -> Response:
        client = self._client(request, form)
        if client is None:
            return _json({"error": "invalid_client"}, 401, {"WWW-Authenticate": "Basic"})
        now = datetime.now(UTC)
        with self._counter.workshop.database.connect() as connection:
            kept = factors.take_code(connection, _hash(form.get("code", "")))
        given = None
        if kept is not None and kept[1] > now:
            given = msgspec.json.decode(self._sealer.open(kept[0], "code"), type=Asked)
        verifier = form.get("code_verifier", "")
        if (
            given is None or given.client != client.id or given.redirect_uri != form.get("redirect_uri", "") or not 43 <= len(verifier) <= 128
            or not hmac.compare_digest(_text(_hash(verifier)), given.challenge)
        ):  # fmt: skip
            return _json({"error": "invalid_grant"}, 400)
        return _json(self._tokens(given, now))

    def _tokens(self, given: Asked, now: datetime) -> dict[str, Any]:
        base = {"iss": self.issuer, "sub": given.username, "iat": int(now.timestamp()), "exp": int((now + TOKEN_LASTS).timestamp())}
        access = self._signed({**base, "aud": self.issuer + "/userinfo", "scope": given.scope, "jti": token_urlsafe(8)}, KIND)
        half = _text(hashlib.sha256(access.encode()).digest()[:16])
        claims = {**base, "aud": given.client, "auth_time": given.at, "at_hash": half, **({"nonce": given.nonce} if given.nonce else {})}
        answer = {"access_token": access, "token_type": "Bearer", "expires_in": int(TOKEN_LASTS.total_seconds())}
        return {**answer, "scope": given.scope, "id_token": self._signed(claims, "JWT")}

    def _signed(self, claims: dict[str, Any], kind: str) -> str:
        return jwt.encode({"alg": ALGORITHM, "typ": kind, "kid": self._signing.kid}, claims, self._signing, algorithms=[ALGORITHM])

    def _client(self, request: Request, form: dict[str, str]) -> Client | None:
        name, secret = form.get("client_id", ""), form.get("client_secret", "")
        scheme, _, sent = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "basic":
            try:
                name, _, secret = base64.b64decode(sent, validate=True).decode().partition(":")
            except (binascii.Error, UnicodeDecodeError):
                return None
            name, secret = unquote_plus(name), unquote_plus(secret)  # RFC 6749 §2.3.1
        client = self._accounts.clients.get(name)
        held = "" if client is None else client.secret_sha256
        fits = hmac.compare_digest(hashlib.sha256(secret.encode()).hexdigest(), held)
        return client if fits else None

    async def _userinfo(self, request: Request) -> Response:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        refused = _json({"error": "invalid_token"}, 401, {"WWW-Authenticate": 'Bearer error="invalid_token"'})
        if scheme.lower() != "bearer":
            return refused
        try:
            found = jwt.decode(token, self._signing, algorithms=[ALGORITHM])
            claims = found.claims
            is_good = (
                found.header.get("typ") == KIND and claims["aud"] == self.issuer + "/userinfo" and claims["iss"] == self.issuer
                and claims["exp"] > time.time()
            )  # fmt: skip
            account = self._accounts.account(claims["sub"]) if is_good else None
        except (JoseError, ValueError, TypeError, KeyError):
            return refused
        if account is None:
            return refused
        names = [name for scope in claims["scope"].split() for name in CLAIMS_OF.get(scope, ())]
        return _json({"sub": account.username, **{name: getattr(account, name) for name in names if getattr(account, name)}})


def _wrong(found: Any, twice: list[str]) -> str:
    """The error code of an authorization request, empty when it is right."""
    if twice or found.get("response_mode", "query") != "query" or "request" in found or "request_uri" in found:
        return "invalid_request"
    if found.get("response_type") != "code":
        return "unsupported_response_type"
    if "openid" not in found.get("scope", "").split():
        return "invalid_scope"
    if found.get("code_challenge_method") != "S256" or len(found.get("code_challenge", "")) != 43:  # RFC 7636: SHA-256 as base64url
        return "invalid_request"
    if found.get("prompt") == "none":
        return "login_required"
    return "" if max(len(value) for value in found.values()) <= 2_000 else "invalid_request"


def _json(value: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(msgspec.json.encode(value), status, headers={**NO_STORE, **(headers or {})}, media_type="application/json")


def _hash(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "replace")).digest()


def _text(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
