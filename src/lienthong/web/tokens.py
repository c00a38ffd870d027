"""The token endpoint (RFC 6749 client credentials, RFC 7523 private_key_jwt), and the tokens already verified."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec
from joserfc.jwk import OKPKey
from starlette.requests import Request
from starlette.responses import Response

from lienthong.access import (
    ASSERTION_TYPE,
    PRODUCTION,
    SANDBOX,
    AccessToken,
    Assertion,
    claimed_subsystem,
    issue_token,
    names_key_of,
    verify_assertion,
    verify_token,
)
from lienthong.clock import Clock, vietnam_date
from lienthong.errors import Unauthenticated
from lienthong.ledger import Entry, Event, encode
from lienthong.web.bodies import read_form
from lienthong.web.holding import Holding, Scope

if TYPE_CHECKING:
    from lienthong.web.services import Services

MOST_VERIFIED = 50_000
TOKEN_PATH = "/oauth/token"  # noqa: S105 # an address
HEADERS = {"Cache-Control": "no-store", "Pragma": "no-cache"}


class TokenDesk:
    """Issues access tokens, and remembers the verified ones until they expire: a signature check costs as much as a whole look-up."""

    def __init__(
        self, key: OKPKey, issuer: str, minutes: int, clock: Clock, holding: Holding | None = None, environment: str = PRODUCTION
    ) -> None:  # fmt: skip
        self._key = key
        self.issuer = issuer
        self.minutes = minutes
        self._clock = clock
        self.holding = holding
        self.environment = environment
        self._verified: OrderedDict[str, tuple[AccessToken, float]] = OrderedDict()
        self._plain: OrderedDict[str | None, tuple[float, AccessToken]] = OrderedDict()  # unbound tokens of here, by their header
        self._revoked: frozenset[str] = frozenset()
        self._shut_out: frozenset[str] = frozenset()
        self._lost_keys: frozenset[str] = frozenset()

    def issue(
        self, subsystem: str, now: datetime, *, got_with: str = "", environment: str = "", bound_to: tuple[str, str] | None = None
    ) -> str:  # fmt: skip
        """A token for a subsystem, got with one of its keys."""
        where = environment or self.environment
        return issue_token(
            self._key, self.issuer, subsystem, now, self.minutes, got_with=got_with, environment=where, bound_to=bound_to
        )[0]  # fmt: skip

    def subsystem_of(self, authorization: str | None, scope: Scope | None = None) -> str | None:
        """The subsystem of an Authorization header, None without one. Raises Unauthenticated.

        A bound token needs the request's `scope`: without, nothing proves who sends it, and it is refused.
        """
        plain = self._plain.get(authorization)  # by the whole header: most requests end here
        if plain is not None:
            until, taken = plain
            if until > self._clock().timestamp() and self._stands(taken):
                return taken.subsystem
        found = self.token_of(authorization, scope)
        if found is not None and found.environment != self.environment:
            raise Unauthenticated(
                f"This token is of the {found.environment} environment; here is {self.environment}.",
                rule="other_environment", vi=f"Mã truy cập của môi trường {found.environment}, đây là {self.environment}.",
            )  # fmt: skip
        if found is None:
            return None
        if found.bound_to is None and authorization is not None:
            self._plain[authorization] = (found.expires_at.timestamp(), found)
            while len(self._plain) > MOST_VERIFIED:
                self._plain.popitem(last=False)
        return found.subsystem

    def _stands(self, found: AccessToken) -> bool:
        """Whether nothing was taken back since the token was verified."""
        return found.jti not in self._revoked and found.key not in self._lost_keys and found.subsystem not in self._shut_out

    def token_of(self, authorization: str | None, scope: Scope | None = None) -> AccessToken | None:
        """The verified token of a header, of whichever environment. Raises Unauthenticated."""
        if authorization is None:
            return None
        scheme, _, token = authorization.partition(" ")
        scheme = scheme.lower()
        if scheme not in ("bearer", "dpop") or not token:
            raise Unauthenticated(
                "Expected `Authorization: Bearer …`.",
                hint=f"POST {TOKEN_PATH} gives a token.",
                vi="Cần tiêu đề `Authorization: Bearer …`.",
                hint_vi=f"POST {TOKEN_PATH} cấp mã truy cập.",
            )
        now = self._clock()
        known = self._verified.get(token)
        if known is not None and known[1] > now.timestamp():
            found = known[0]
        else:
            found = verify_token(self._key, self.issuer, token, now)
            self._remember(token, found)
        if found.jti in self._revoked:
            raise Unauthenticated("The access token was revoked.", vi="Mã truy cập đã bị thu hồi.")
        if found.key in self._lost_keys:
            raise Unauthenticated(
                "The key this token was got with was revoked.",
                hint=f"POST {TOKEN_PATH} with another key.",
                vi="Khóa dùng để lấy mã truy cập này đã bị thu hồi.",
                hint_vi=f"POST {TOKEN_PATH} với khóa khác.",
            )
        if found.subsystem in self._shut_out:
            raise Unauthenticated("This subsystem is closed.", vi="Hệ thống này đã đóng.")
        if found.bound_to is not None or scheme == "dpop":
            self._require_held(found, token, scheme, scope)
        return found

    def peek(self, authorization: str | None) -> AccessToken | None:
        """The token of a header, its own signature and time verified, nothing else: who it says is asking, before it is settled."""
        scheme, _, token = (authorization or "").partition(" ")
        if scheme.lower() not in ("bearer", "dpop") or not token:
            return None
        return verify_token(self._key, self.issuer, token, self._clock())

    def _require_held(self, found: AccessToken, token: str, scheme: str, scope: Scope | None) -> None:
        if self.holding is None or found.bound_to is None:
            raise Unauthenticated(
                "This token is not bound to a key.",
                hint="Send it as `Bearer`.",
                vi="Mã truy cập này không gắn với khóa nào.",
                hint_vi="Hãy gửi dạng `Bearer`.",
            )
        self.holding.require(scope, found.bound_to, token, scheme)

    def _remember(self, token: str, found: AccessToken) -> None:
        self._verified[token] = (found, found.expires_at.timestamp())
        while len(self._verified) > MOST_VERIFIED:
            self._verified.popitem(last=False)

    def revoke(self, jtis: frozenset[str]) -> None:
        """Take these tokens no longer, from now on."""
        self._revoked = jtis

    def is_taken_back(self, jti: str, key: str, subsystem: str) -> bool:
        """Whether a token given out earlier opens nothing any more: it, its key or its subsystem was taken back."""
        return jti in self._revoked or key in self._lost_keys or subsystem in self._shut_out

    def lose_keys(self, keys: frozenset[str]) -> None:
        """Take no token any longer that was got with one of these keys (`subsystem thumbprint`)."""
        self._lost_keys = keys

    def shut_out(self, subsystems: frozenset[str]) -> None:
        """Take no token of these subsystems any longer."""
        self._shut_out = subsystems

    @property
    def signing_key(self) -> OKPKey:
        """The key of tokens and of signed answers; its public part is in `/.well-known/jwks.json`."""
        return self._key

    @property
    def public_jwk(self) -> dict[str, Any]:
        return dict(self._key.as_dict(private=False))


async def give_token(services: Services, request: Request) -> Response:
    """`POST /oauth/token`: an access token for a signed assertion; every outcome is in the ledger."""
    form = await read_form(request)
    now = services.workshop.clock()
    subsystem = ""
    try:
        if form is None or form.get("grant_type") != "client_credentials" or form.get("client_assertion_type") != ASSERTION_TYPE:
            return _refusal("invalid_request", f"Expected grant_type=client_credentials and client_assertion_type={ASSERTION_TYPE}.", 400)
        assertion = form.get("client_assertion", "")
        subsystem = claimed_subsystem(assertion)
        if services.reread is not None and not names_key_of(assertion, _keys(services, subsystem, now)):
            await services.reread.ask()
        verified, environment = _verified(services, assertion, subsystem, now)
        if not await services.store.use_assertion(verified.subsystem, verified.jti, verified.expires_at):
            raise Unauthenticated(
                "The client assertion was used before.",
                hint="Sign a new one, with a new jti, for each request.",
                vi="Lời khai này đã dùng.",
                hint_vi="Hãy ký lời khai mới, jti mới, cho mỗi yêu cầu.",
            )
        bound_to = _bound_to(services, request)
    except Unauthenticated as error:
        known = subsystem in services.register.subsystems
        await services.ledger.append(encode(Entry(now, Event.TOKEN_REFUSED, subsystem if known else "unknown", outcome="refused")))
        return _refusal("invalid_client", str(error), 401)
    token = services.tokens.issue(verified.subsystem, now, got_with=verified.key, environment=environment, bound_to=bound_to)
    details = {"key": verified.key, "environment": environment, **({"bound": bound_to[0]} if bound_to else {})}
    await services.ledger.append(encode(Entry(now, Event.TOKEN_ISSUED, verified.subsystem, outcome="issued", details=details)))
    kind = "DPoP" if bound_to is not None and bound_to[0] == "jkt" else "Bearer"
    answer = {"access_token": token, "token_type": kind, "expires_in": services.tokens.minutes * 60}
    return Response(msgspec.json.encode(answer), media_type="application/json", headers=HEADERS)


def _keys(services: Services, subsystem: str, now: datetime) -> list[Mapping[str, Any]]:
    """The keys of a subsystem, of both environments."""
    today = vietnam_date(now)
    known = (services.register.subsystems.get(subsystem), services.practising.get(subsystem))
    return [key for each in known if each is not None for key in each.keys_on(today)]


def _verified(services: Services, assertion: str, subsystem: str, now: datetime) -> tuple[Assertion, str]:
    """The assertion, and the environment whose key signed it: a sandbox key gets a token of the sandbox, whoever's it is."""
    today = vietnam_date(now)
    audience = (services.tokens.issuer + TOKEN_PATH, services.tokens.issuer)
    known, practising = services.register.subsystems.get(subsystem), services.practising.get(subsystem)
    keys = [] if known is None else known.keys_on(today)
    try:
        return verify_assertion(assertion, keys, audience, now), services.tokens.environment
    except Unauthenticated:
        if practising is None or not practising.keys_on(today):
            raise
        return verify_assertion(assertion, practising.keys_on(today), audience, now), SANDBOX


def _bound_to(services: Services, request: Request) -> tuple[str, str] | None:
    """What the token is to be bound to: a DPoP key when a proof is sent, else the client's certificate when there is one."""
    holding = services.tokens.holding
    if holding is None:
        return None
    proof = holding.dpop(request.scope, None)
    if proof is not None:
        return "jkt", proof.thumbprint
    certificate = holding.certificate(request.scope)
    return None if certificate is None else ("x5t#S256", certificate)


def _refusal(code: str, words: str, status: int) -> Response:
    """The error shape of RFC 6749 §5.2."""
    headers = {**HEADERS, "WWW-Authenticate": "Bearer"} if status == 401 else HEADERS  # RFC 9110 §11.6.1
    return Response(
        msgspec.json.encode({"error": code, "error_description": words}), status, headers=headers, media_type="application/json"
    )


def describe_server(services: Services) -> Response:
    """`/.well-known/oauth-authorization-server` (RFC 8414)."""
    issuer = services.tokens.issuer
    answer = {
        "issuer": issuer,
        "token_endpoint": issuer + TOKEN_PATH,
        "jwks_uri": issuer + "/.well-known/jwks.json",
        "grant_types_supported": ["client_credentials"],
        "token_endpoint_auth_methods_supported": ["private_key_jwt"],
        "token_endpoint_auth_signing_alg_values_supported": ["EdDSA", "ES256", "PS256"],
        "response_types_supported": [],
        "tls_client_certificate_bound_access_tokens": bool(
            services.settings.client_certificate_header or services.settings.tls_client_authorities
        ),
        "dpop_signing_alg_values_supported": ["EdDSA", "ES256", "PS256"],
    }
    return Response(msgspec.json.encode(answer), media_type="application/json")


def public_keys(services: Services) -> Response:
    """`/.well-known/jwks.json`."""
    return Response(msgspec.json.encode({"keys": [services.tokens.public_jwk]}), media_type="application/json")
