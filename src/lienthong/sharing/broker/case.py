"""What is known of a call while it is answered."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field

from lienthong.access import Decision, SafePath
from lienthong.contracts.services import Route
from lienthong.contracts.services.mapping import Mapped
from lienthong.sharing.broker.book import Offer
from lienthong.sharing.broker.incoming import Incoming
from lienthong.sharing.broker.messages import Call

CALLS_AT_ONCE = 256


class _Chance:
    """Chance from the system for many calls at once: asking for it at each took a thirtieth of a call (measured)."""

    def __init__(self) -> None:
        self._left: list[str] = []

    def take(self) -> str:
        """Sixteen bytes in hex that nobody had before. One event loop takes them, and no process is forked from it."""
        if not self._left:
            drawn = os.urandom(16 * CALLS_AT_ONCE).hex()
            self._left = [drawn[n : n + 32] for n in range(0, len(drawn), 32)]
        return self._left.pop()


_chance = _Chance()


@dataclass
class Case:
    """A call, the offer it is of, the right it has, what was sent and what became of it."""

    call: Call
    offer: Offer
    decision: Decision
    route: Route
    values: Mapping[str, str]
    path: SafePath
    query: str
    incoming: Incoming
    began: float
    id: str = field(default_factory=_chance.take)
    has_begun: bool = False
    faults: list[str] = field(default_factory=list)
    tries: int = 0
    provider_seconds: float = 0.0

    @property
    def mapped(self) -> Mapped | None:
        found: Mapped | None = self.offer.service.mapped.get(self.route.endpoint) if self.route.is_mapped else None
        return found
