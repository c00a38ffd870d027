"""Whether a call may be made, before anything is asked of the provider: the service, the agreement, the quota, a stop that was announced."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime

from lienthong.access import AccessRequest, Decision, Operation, Register, decide_call, deny
from lienthong.clock import vietnam_date
from lienthong.errors import RequestError, ServiceStopped
from lienthong.sharing.broker.book import Book, Offer
from lienthong.sharing.broker.messages import Call
from lienthong.sharing.quota import QuotaBook
from lienthong.sharing.way_out import denial_of


class Gate:
    """Decides calls."""

    def __init__(self, register: Callable[[], Register], quotas: QuotaBook) -> None:
        self._register = register
        self._quotas = quotas

    async def admit(self, call: Call, offer: Offer, verb: str, path: str, now: datetime) -> Decision:
        """The decision that allows a call. Raises Unauthenticated, Denied, Stopped or QuotaExceeded. `path` is safe."""
        today = vietnam_date(now)
        asked = AccessRequest(call.caller, offer.service.id, Operation.CALL, call.purpose, call.official, call.address, now)
        decision = decide_call(asked, offer.service.agency, verb, path, self._register(), today)
        if not decision.allowed:
            raise refusal(decision, asked, today)
        await self._quotas.take(decision.agreement, decision.quota, today)
        return decision

    def knows(self, call: Call, offer: Offer, now: datetime) -> None:
        """Turn away who has no agreement at all, before a byte of the body is read. Raises Unauthenticated or Denied."""
        today = vietnam_date(now)
        asked = AccessRequest(call.caller, offer.service.id, Operation.CALL, call.purpose, call.official, call.address, now)
        if call.caller is None:
            raise refusal(deny("no_identity"), asked, today)
        if not any(a.provider == offer.service.agency for a in self._register().between(call.caller, offer.service.id)):
            raise refusal(deny("no_agreement"), asked, today)


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


def refusal(decision: Decision, asked: AccessRequest, today: date) -> RequestError:
    """A denial as it is told: the rule, and the clause that decided."""
    return denial_of(decision, asked, None, today)
