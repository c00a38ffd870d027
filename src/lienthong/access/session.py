"""A signed-in person as a value: who, since when, how surely; and when a session is over. What is stored where is the store's affair."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta

from lienthong.access.actor import Actor, Role

# Whoever runs the platform, inspects it or gives rights needs a second factor (TCVN 11930:2017, level 3).
NEED_SECOND_FACTOR = frozenset({Role.OPERATOR, Role.AUDITOR})


@dataclass(frozen=True)
class SignedIn:
    """Who an identity provider says somebody is. `citizen`: their 12-digit number, empty when the provider gives none."""

    issuer: str
    subject: str
    name: str
    citizen: str = ""
    agency: str = ""
    email: str = ""


@dataclass(frozen=True)
class Person:
    """Somebody registered: `handle` is what acts and the ledger call them."""

    number: int
    handle: str
    name: str
    agency: str
    roles: frozenset[Role]


@dataclass(frozen=True)
class Session:
    """One browser's sign-in. `person` is None for a citizen who is registered nowhere; `csrf` belongs into forms and htmx headers."""

    who: SignedIn
    person: Person | None
    began_at: datetime
    seen_at: datetime
    second_factor_at: datetime | None
    csrf: str

    @property
    def actor(self) -> Actor:
        """Who acts. Roles that need a second factor are absent until it was given."""
        if self.person is None:
            return Actor("", "", frozenset({Role.CITIZEN} if self.who.citizen else ()))
        held = self.person.roles if self.second_factor_at is not None else self.person.roles - NEED_SECOND_FACTOR
        return Actor(self.person.handle, self.person.agency, held | ({Role.CITIZEN} if self.who.citizen else set()))

    @property
    def waits_for_second_factor(self) -> bool:
        """Whether a role is held back until the second factor is given."""
        return self.second_factor_at is None and self.person is not None and not self.person.roles.isdisjoint(NEED_SECOND_FACTOR)


def token_hash(token: str) -> bytes:
    """What is stored of a session's cookie: the cookie cannot be made from it."""
    return hashlib.sha256(token.encode()).digest()


def csrf_of(token: str) -> str:
    """The session's token against forged requests: only who holds the cookie can make it, and the cookie cannot be made from it."""
    return hmac.digest(token.encode(), b"lienthong csrf", "sha256").hex()


def is_over(began_at: datetime, seen_at: datetime, now: datetime, idle: timedelta, longest: timedelta) -> bool:
    """Whether a session has been left alone too long, or has lasted too long."""
    return now - seen_at >= idle or now - began_at >= longest
