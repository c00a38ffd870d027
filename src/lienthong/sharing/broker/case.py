"""What is known of a call while it is answered."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field

from lienthong.access import Decision, SafePath
from lienthong.contracts.services import Route
from lienthong.contracts.services.mapping import Mapped
from lienthong.sharing.broker.book import Offer
from lienthong.sharing.broker.incoming import Incoming
from lienthong.sharing.broker.messages import Call


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
    id: str = field(default_factory=lambda: secrets.token_hex(16))
    has_begun: bool = False
    faults: list[str] = field(default_factory=list)
    tries: int = 0
    provider_seconds: float = 0.0

    @property
    def mapped(self) -> Mapped | None:
        found: Mapped | None = self.offer.service.mapped.get(self.route.endpoint) if self.route.is_mapped else None
        return found
