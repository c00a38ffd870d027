"""How much of each agreement's quota is left, counted together for all server processes over one database.

The count is the store's: a token bucket a minute, a sum a day. A process takes portions of it, small at first, doubled while they are used
up within a second and never more than a twentieth of a minute's worth, and gives back what it did not use within some seconds.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from typing import Protocol

from lienthong.access import Quota
from lienthong.errors import QuotaExceeded
from lienthong.sharing.rights import Right
from lienthong.standards import show_number
from lienthong.store import Connection
from lienthong.store.quotas import take_one

SECONDS_KEPT = 5.0  # an unused portion is given back after this
LARGEST_PORTION = 5_000
LONGEST_DENIAL = 1.0  # seconds for which an empty quota is not asked about again


def count_delivery(connection: Connection, right: Right, on: date) -> None:
    """Count what is about to be sent unasked as one answer, in its own transaction, where the agreement says so. Raises QuotaExceeded."""
    quota = right.quota
    if not quota.deliveries or (quota.per_minute is None and quota.per_day is None):
        return
    wait = take_one(connection, right.agreement, quota.per_minute, quota.per_day, on)
    if wait is not None:
        raise _exceeded(right.agreement, quota, wait)


class Leases(Protocol):
    """What is needed of the store: (given, seconds to wait when nothing is)."""

    async def quota_lease(self, agreement: str, today: date, quota: Quota, wanted: int, returned: int) -> tuple[int, float]: ...


@dataclass
class _Lease:
    """What this process holds of one quota. `since`: when it was given; `empty_until`: until when there is nothing to ask for."""

    quota: Quota
    day: date
    left: int = 0
    portion: int = 1
    since: float = 0.0
    empty_until: float = 0.0
    wait: float = 0.0
    waiting: int = 0
    asking: asyncio.Lock = field(default_factory=asyncio.Lock)


class QuotaBook:
    """Counts answers by agreement, in one event loop."""

    def __init__(self, store: Leases, seconds: Callable[[], float] = time.monotonic) -> None:
        self._store = store
        self._seconds = seconds
        self._leases: dict[str, _Lease] = {}

    def take_held(self, agreement: str, quota: Quota, on: date) -> bool:
        """Count one answer of what this process holds; False when it holds nothing."""
        lease = self._leases.get(agreement)
        if lease is None or lease.left < 1 or lease.day != on or lease.quota != quota or self._seconds() - lease.since > SECONDS_KEPT:
            return False
        lease.left -= 1
        return True

    async def take(self, agreement: str, quota: Quota, on: date) -> None:
        """Count one answer. Raises QuotaExceeded naming the limit; then nothing is counted."""
        if (quota.per_minute is None and quota.per_day is None) or self.take_held(agreement, quota, on):
            return
        lease = self._leases.setdefault(agreement, _Lease(quota, on))
        lease.waiting += 1
        try:
            async with lease.asking:  # whoever waits meanwhile is counted in the next portion
                while not self.take_held(agreement, quota, on):
                    await self._ask(agreement, lease, quota, on)
        finally:
            lease.waiting -= 1

    async def give_back(self, *, everything: bool = False) -> None:
        """Give back what was not used in time; `everything`: the process ends."""
        for agreement, lease in list(self._leases.items()):
            is_over = self._seconds() - lease.since > SECONDS_KEPT
            if lease.waiting or not (everything or is_over):
                continue
            if lease.left:
                returned, lease.left = lease.left, 0
                await self._store.quota_lease(agreement, lease.day, lease.quota, 0, returned)
            if self._leases.get(agreement) is lease and not lease.waiting and not lease.left:
                del self._leases[agreement]

    async def _ask(self, agreement: str, lease: _Lease, quota: Quota, on: date) -> None:
        now = self._seconds()
        if lease.quota == quota and lease.day == on and now < lease.empty_until:
            raise _exceeded(agreement, quota, lease.wait)
        returned = lease.left if lease.day == on else 0
        lease.portion = min(lease.portion * 2, _most(quota)) if now - lease.since < 1.0 and not lease.left else 1
        lease.left = 0  # what was held goes back with this
        wanted = max(lease.portion, min(lease.waiting, LARGEST_PORTION))
        given, wait = await self._store.quota_lease(agreement, on, quota, wanted, returned)
        lease.quota, lease.day, lease.left, lease.since, lease.empty_until = quota, on, given, self._seconds(), 0.0
        if not given:
            lease.wait, lease.empty_until = wait, lease.since + min(wait, LONGEST_DENIAL)
            raise _exceeded(agreement, quota, wait)


def _most(quota: Quota) -> int:
    shares = [limit // part for limit, part in ((quota.per_minute, 20), (quota.per_day, 1_000)) if limit is not None]
    return max(1, min(LARGEST_PORTION, *shares, LARGEST_PORTION))


def _exceeded(agreement: str, quota: Quota, wait: float) -> QuotaExceeded:
    is_day = quota.per_minute is None or wait > 60.0  # a minute's bucket gives one within a minute
    limit, unit, words = (quota.per_day, "day", "ngày") if is_day and quota.per_day is not None else (quota.per_minute, "minute", "phút")
    return QuotaExceeded(
        f"Agreement {agreement} allows {limit:,} answers a {unit}.",
        hint="Try again tomorrow." if unit == "day" else "Slow down.",
        vi=f"Thỏa thuận {agreement} cho phép {show_number(limit)} lượt một {words}.",
        hint_vi="Hãy thử lại vào ngày mai." if unit == "day" else "Hãy gửi chậm lại.",
        retry_after=int(wait) + 1,
        agreement=agreement,
        clause="quota",
    )
