"""Sessions of people: an opaque cookie, kept here only as its hash; idle and absolute ends; signing out here and everywhere.

The cookie is HttpOnly and SameSite=Lax; behind https it is Secure and bound to this host by its name (`__Host-`).
Each sign-in, and each second factor, gives a new cookie: one planted beforehand is worth nothing.
"""

from __future__ import annotations

import hmac
from dataclasses import asdict
from datetime import datetime, timedelta
from secrets import token_urlsafe

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from lienthong.access import Person, Sealer, Session, SignedIn, csrf_of, is_over, token_hash
from lienthong.clock import Clock
from lienthong.ledger import Entry, Event
from lienthong.settings import Settings
from lienthong.store import Connection, people, sessions
from lienthong.web.asking import Counter

PLACE = "session"
POLLED = "polled"  # in the address of a page that refreshes itself: nobody is there because of it
SEEN_AGAIN = timedelta(seconds=60)  # how exactly the last visit is known: not every page is worth a write
LONGEST_COOKIE = 200


class Sessions:
    """Begins, finds and ends sessions."""

    def __init__(self, settings: Settings, counter: Counter, sealer: Sealer, key: bytes, clock: Clock) -> None:
        self._counter = counter
        self._sealer = sealer
        self._key = key
        self._clock = clock
        self._idle = timedelta(minutes=settings.session_idle_minutes)
        self._longest = timedelta(hours=settings.session_hours)
        self.is_secure = settings.public_url.startswith("https://")
        self.cookie = "__Host-lienthong" if self.is_secure else "lienthong"

    def begin(self, response: Response, who: SignedIn, *, second_factor: str = "", after: Request | None = None) -> None:
        """Sign somebody in: a new session whose cookie goes with the response. `second_factor`: which one was given.

        The session of the request `after` which it comes is ended by it. It must not have been long over: its beginning stays.
        """
        now = self._clock()
        before = None if after is None else self._found(after, now)
        token = token_urlsafe(32)
        stored = sessions.StoredSession(
            self._sealer.seal(msgspec.json.encode(asdict(who)), PLACE),
            now if before is None or not second_factor else before.began_at,
            now,
            now if second_factor else None,
        )
        with self._counter.connection() as connection:
            if after is not None:
                sessions.end(connection, token_hash(after.cookies.get(self.cookie, "")), now)
            sessions.begin(connection, token_hash(token), self._holder(who), stored)
            person = people.by_subject(connection, who.issuer, who.subject)
            entry = Entry(
                now, Event.SIGNED_IN, who.issuer, "" if person is None else person.handle,
                subject=self._holder(who).hex(), outcome="done", details={"second_factor": second_factor},
            )  # fmt: skip
            self._counter.append(entry, connection)
        self._send(response, token)

    def person_of(self, who: SignedIn) -> Person | None:
        """Who is registered under what a provider says."""
        with self._counter.connection() as connection:
            return people.by_subject(connection, who.issuer, who.subject)

    def find(self, request: Request) -> Session | None:
        """The live session of a request's cookie."""
        now = self._clock()
        session = self._found(request, now)
        if session is not None and now - session.seen_at >= SEEN_AGAIN and POLLED not in request.query_params:
            with self._counter.connection() as connection:
                sessions.note_seen(connection, token_hash(request.cookies[self.cookie]), now)
        return session

    def end(self, request: Request, response: Response, *, everywhere: bool) -> int:
        """Sign out, here or everywhere; how many sessions ended. The cookie is taken back in any case."""
        now = self._clock()
        response.delete_cookie(self.cookie, path="/", secure=self.is_secure, httponly=True, samesite="lax")
        session = self._found(request, now)
        if session is None:
            return 0
        with self._counter.connection() as connection:
            if everywhere:
                ended = self.end_all(connection, session.who, now)
            else:
                ended = int(sessions.end(connection, token_hash(request.cookies[self.cookie]), now))
            entry = Entry(
                now, Event.SIGNED_OUT, session.who.issuer, session.actor.name,
                subject=self._holder(session.who).hex(), outcome="done", details={"sessions": ended},
            )  # fmt: skip
            self._counter.append(entry, connection)
        return ended

    def end_all(self, connection: Connection, who: SignedIn, now: datetime) -> int:
        """End all sessions of one person in the caller's transaction."""
        return sessions.end_all(connection, self._holder(who), now)

    def _found(self, request: Request, now: datetime) -> Session | None:
        token = request.cookies.get(self.cookie, "")
        if not token or len(token) > LONGEST_COOKIE:
            return None
        with self._counter.connection() as connection:
            stored = sessions.find(connection, token_hash(token))
            if stored is None or is_over(stored.began_at, stored.seen_at, now, self._idle, self._longest):
                return None
            who = msgspec.json.decode(self._sealer.open(stored.sealed, PLACE), type=SignedIn)
            person = people.by_subject(connection, who.issuer, who.subject)
        return Session(who, person, stored.began_at, stored.seen_at, stored.second_factor_at, csrf_of(token))

    def _holder(self, who: SignedIn) -> bytes:
        return hmac.digest(self._key, f"{who.issuer}\n{who.subject}".encode(), "sha256")

    def _send(self, response: Response, token: str) -> None:
        response.set_cookie(
            self.cookie, token, max_age=int(self._longest.total_seconds()), path="/", secure=self.is_secure, httponly=True, samesite="lax"
        )
