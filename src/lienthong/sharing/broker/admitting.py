"""Whether a call may be made, before anything is asked of the provider: the service, the agreement, the quota, a stop that was announced."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime

from lienthong.access import USUAL_OFFER, AccessRequest, Decision, Operation, Register, decide_call, deny
from lienthong.access import Offer as TermsOffered
from lienthong.clock import vietnam_date
from lienthong.contracts.services import Service
from lienthong.errors import ServiceStopped
from lienthong.sharing.broker.book import Book, Offer
from lienthong.sharing.broker.messages import Call
from lienthong.sharing.quota import QuotaBook
from lienthong.sharing.way_out import Callee, denial_of

_ENDPOINT = re.compile(r"\{[^{}/]+\}")


class Gate:
    """Decides calls."""

    def __init__(
        self, register: Callable[[], Register], quotas: QuotaBook, terms: Callable[[], TermsOffered] = lambda: USUAL_OFFER
    ) -> None:
        self._register = register
        self._offer = terms
        self._quotas = quotas

    async def admit(self, call: Call, offer: Offer, verb: str, path: str, now: datetime) -> Decision:
        """The decision that allows a call. Raises Unauthenticated, Denied, Stopped or QuotaExceeded. `path` is safe."""
        today = vietnam_date(now)
        asked = AccessRequest(call.caller, offer.service.id, Operation.CALL, call.purpose, call.official, call.address, now)
        decision = decide_call(asked, offer.service.agency, verb, path, self._register(), today)
        if not decision.allowed:
            raise denial_of(decision, asked, callee_of(offer.service, verb), today, self._offer())
        await self._quotas.take(decision.agreement, decision.quota, today)
        return decision

    def knows(self, call: Call, offer: Offer, now: datetime) -> None:
        """Turn away who has no agreement at all, before a byte of the body is read. Raises Unauthenticated or Denied."""
        today = vietnam_date(now)
        asked = AccessRequest(call.caller, offer.service.id, Operation.CALL, call.purpose, call.official, call.address, now)
        if call.caller is None:
            raise denial_of(deny("no_identity"), asked, None, today)
        if not any(a.provider == offer.service.agency for a in self._register().between(call.caller, offer.service.id)):
            raise denial_of(deny("no_agreement"), asked, callee_of(offer.service, "POST"), today, self._offer())


def check_stop(book: Book, offer: Offer, now: datetime) -> None:
    """Raises ServiceStopped with the reason and the expected end, while calls of the service are stopped."""
    stop = book.stops.get(offer.service.id)
    if stop is None or now < stop.begins_at:
        return
    left = max(1, int((stop.restores_at - now).total_seconds()))
    raise ServiceStopped(
        f"{stop.reason_en} Expected back at {stop.restores_at.isoformat()}.",
        vi=f"{stop.reason_vi} Dự kiến khôi phục lúc {stop.restores_at.isoformat()}.",
        en=f"{stop.reason_en} Expected back at {stop.restores_at.isoformat()}.",
        retry_after=min(left, 86_400),
    )


def callee_of(service: Service, verb: str = "") -> Callee:
    """What a request for a service would name: its operations of a verb, all of them where it has none of that verb.

    Whether the very path that was asked for is there is not told by it.
    """
    endpoints: dict[str, dict[str, None]] = {}
    for route in service.routes:
        endpoints.setdefault(route.verb, {})[_ENDPOINT.sub("*", route.endpoint)] = None
    mine = endpoints.get("GET" if verb == "HEAD" else verb) or [endpoint for each in endpoints.values() for endpoint in each]
    return Callee(service.id, service.agency, service.title_vi, tuple(mine), service.legal_basis)
