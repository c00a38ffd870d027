"""The token endpoint (RFC 6749 client credentials, RFC 7523 private_key_jwt), and the tokens already verified."""

from __future__ import annotations

from collections import OrderedDict
from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec
from joserfc.jwk import OKPKey
from starlette.requests import Request
from starlette.responses import Response

from lienthong.access import ASSERTION_TYPE, AccessToken, claimed_subsystem, issue_token, verify_assertion, verify_token
from lienthong.clock import Clock, vietnam_date
from lienthong.errors import Unauthenticated
from lienthong.ledger import Entry, Event, encode
from lienthong.web.bodies import read_form

if TYPE_CHECKING:
    from lienthong.web.services import Services

MOST_VERIFIED = 50_000
TOKEN_PATH = "/oauth/token"  # noqa: S105 # an address
HEADERS = {"Cache-Control": "no-store", "Pragma": "no-cache"}


class TokenDesk:
    """Issues access tokens, and remembers the verified ones until they expire: a signature check costs as much as a whole look-up."""

    def __init__(self, key: OKPKey, issuer: str, minutes: int, clock: Clock) -> None:
        self._key = key
        self.issuer = issuer
        self.minutes = minutes
        self._clock = clock
        self._verified: OrderedDict[str, tuple[AccessToken, float]] = OrderedDict()
        self._revoked: frozenset[str] = frozenset()
        self._shut_out: frozenset[str] = frozenset()

    def issue(self, subsystem: str, now: datetime) -> str:
        return issue_token(self._key, self.issuer, subsystem, now, self.minutes)[0]

    def subsystem_of(self, authorization: str | None) -> str | None:
        """The subsystem of an Authorization header, None without one. Raises Unauthenticated."""
        if authorization is None:
            return None
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise Unauthenticated("Expected `Authorization: Bearer …`.", hint=f"POST {TOKEN_PATH} gives a token.")
        now = self._clock()
        known = self._verified.get(token)
        if known is not None and known[1] > now.timestamp():
            found = known[0]
        else:
            found = verify_token(self._key, self.issuer, token, now)
            self._remember(token, found)
        if found.jti in self._revoked:
            raise Unauthenticated("The access token was revoked.")
        if found.subsystem in self._shut_out:
            raise Unauthenticated("This subsystem is closed.")
        return found.subsystem

    def _remember(self, token: str, found: AccessToken) -> None:
        self._verified[token] = (found, found.expires_at.timestamp())
        while len(self._verified) > MOST_VERIFIED:
            self._verified.popitem(last=False)

    def revoke(self, jtis: frozenset[str]) -> None:
        """Take these tokens no longer, from now on."""
        self._revoked = jtis

    def shut_out(self, subsystems: frozenset[str]) -> None:
        """Take no token of these subsystems any longer."""
        self._shut_out = subsystems

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
        known = services.register.subsystems.get(subsystem)
        keys = known.keys_on(vietnam_date(now)) if known is not None else []
        endpoint = services.tokens.issuer + TOKEN_PATH
        verified = verify_assertion(assertion, keys, (endpoint, services.tokens.issuer), now)
        if not await services.store.use_assertion(verified.subsystem, verified.jti, verified.expires_at):
            raise Unauthenticated("The client assertion was used before.", hint="Sign a new one, with a new jti, for each request.")
    except Unauthenticated as error:
        claimed = subsystem if subsystem in services.register.subsystems else "unknown"
        await services.ledger.append(encode(Entry(now, Event.TOKEN_REFUSED, claimed, outcome="refused")))
        return _refusal("invalid_client", str(error), 401)
    token = services.tokens.issue(verified.subsystem, now)
    await services.ledger.append(encode(Entry(now, Event.TOKEN_ISSUED, verified.subsystem, outcome="issued")))
    answer = {"access_token": token, "token_type": "Bearer", "expires_in": services.tokens.minutes * 60}
    return Response(msgspec.json.encode(answer), media_type="application/json", headers=HEADERS)


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
    }
    return Response(msgspec.json.encode(answer), media_type="application/json")


def public_keys(services: Services) -> Response:
    """`/.well-known/jwks.json`."""
    return Response(msgspec.json.encode({"keys": [services.tokens.public_jwk]}), media_type="application/json")
