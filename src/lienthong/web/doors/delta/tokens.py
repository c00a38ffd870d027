"""`POST …/oauth/token`: a short token for a profile, by its secret (RFC 6749 client credentials) or by the subsystem's own key (RFC 7523).

The platform's token endpoint takes keys alone; this one takes what Delta Sharing clients know to send, and its tokens open shares and nothing else.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from datetime import timedelta

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from lienthong.access import Assertion
from lienthong.access.share_tokens import is_secret
from lienthong.access.tokens import claimed_issuer, verify_client_assertion
from lienthong.clock import vietnam_date
from lienthong.errors import Unauthenticated
from lienthong.ledger import Entry, Event
from lienthong.store import shares
from lienthong.store.shares import Profile
from lienthong.web.bodies import read_form
from lienthong.web.doors.delta.reception import DOOR, Reception

SECONDS_GOOD = 3_600  # clients of the protocol ask again ten minutes before the end: much less would be asked for at each request
JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
LONGEST_CREDENTIAL = 1_024
REFUSED = Unauthenticated("The client is not known, or its proof does not fit.", vi="Không nhận ra bên khai thác.")


@dataclass(frozen=True)
class ShareTokens:
    """Gives short tokens. `url` is where this door is."""

    reception: Reception
    url: str

    async def give(self, request: Request) -> Response:
        """A token, or the refusal of RFC 6749 §5.2; both are in the ledger."""
        form = await read_form(request)
        if form is None or form.get("grant_type") not in ("client_credentials", JWT_BEARER):
            return _refusal("invalid_request" if form is None else "unsupported_grant_type", 400)
        try:
            if form["grant_type"] == JWT_BEARER:
                profile = await self._by_key(form.get("assertion", ""))
            else:
                profile = await run_in_threadpool(self._by_secret, request.headers.get("authorization", ""), form)
        except Unauthenticated:
            await run_in_threadpool(self._note, None)
            return _refusal("invalid_client", 401)
        await run_in_threadpool(self._note, profile)
        until = self.reception.counter.clock() + timedelta(seconds=SECONDS_GOOD)
        answer = {
            "access_token": self.reception.key.short_token(profile.profile, until),
            "token_type": "Bearer",
            "expires_in": SECONDS_GOOD,
        }
        return Response(
            msgspec.json.encode(answer), media_type="application/json", headers={"Cache-Control": "no-store", "Pragma": "no-cache"}
        )

    def _by_secret(self, authorization: str, form: dict[str, str]) -> Profile:
        """The profile whose name and secret were sent, as Basic or in the form."""
        name, secret = form.get("client_id", ""), form.get("client_secret", "")
        scheme, _, sealed = authorization.partition(" ")
        if scheme.lower() == "basic" and len(sealed) <= LONGEST_CREDENTIAL:
            try:
                name, _, secret = base64.b64decode(sealed.strip(), validate=True).decode("utf-8").partition(":")
            except (ValueError, binascii.Error) as error:
                raise REFUSED from error
        profile = self._standing(name)
        if profile.kind != "secret" or not is_secret(secret, profile.secret):
            raise REFUSED
        return profile

    async def _by_key(self, assertion: str) -> Profile:
        """The profile named by an assertion one of its subsystem's keys signed, used once."""
        profile = await run_in_threadpool(self._standing, claimed_issuer(assertion))
        if profile.kind != "key":
            raise REFUSED
        now = self.reception.counter.clock()
        subsystem = self.reception.services.register.subsystems.get(profile.subsystem)
        keys = [] if subsystem is None else subsystem.keys_on(vietnam_date(now))
        audiences = (f"{self.url}/oauth/token", self.url, self.url + "/")
        found: Assertion = verify_client_assertion(assertion, keys, profile.profile, audiences, now)
        if not await self.reception.services.store.use_assertion(profile.profile, found.jti, found.expires_at):
            raise REFUSED
        return profile

    def _standing(self, name: str) -> Profile:
        now = self.reception.counter.clock()
        if "\x00" in name:
            raise REFUSED
        with self.reception.counter.connection() as connection:
            profile = shares.profile_named(connection, name)
        known = None if profile is None else self.reception.services.register.subsystems.get(profile.subsystem)
        if profile is None or known is None or not known.is_active or not profile.stands(now):
            raise REFUSED
        return profile

    def _note(self, profile: Profile | None) -> None:
        counter = self.reception.counter
        event, outcome = (Event.TOKEN_REFUSED, "refused") if profile is None else (Event.TOKEN_ISSUED, "issued")
        details = {"door": DOOR, **({} if profile is None else {"profile": profile.profile})}
        caller = "unknown" if profile is None else profile.subsystem
        official = "" if profile is None else profile.official
        counter.append(Entry(counter.clock(), event, caller, official, outcome=outcome, details=details))


def _refusal(code: str, status: int) -> Response:
    headers = {"Cache-Control": "no-store", **({"WWW-Authenticate": "Basic"} if status == 401 else {})}
    words = {"error": code, "error_description": REFUSED.message if status == 401 else "Expected a form of a known grant_type."}
    return Response(msgspec.json.encode(words), status, media_type="application/json", headers=headers)
