"""How much of each agreement's quota is used: a bucket a minute in this process, counts a day kept in the store."""

from __future__ import annotations

import threading
from datetime import date

from lienthong.access import Quota, TokenBucket
from lienthong.errors import QuotaExceeded

Used = dict[tuple[str, date], int]


class QuotaBook:
    """Counts answers by agreement; safe to use from several threads. `load` what the store has of a day before counting on it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._buckets: dict[str, TokenBucket] = {}
        self._days: Used = {}
        self._unsaved: Used = {}

    def load(self, days: Used) -> None:
        """Add what earlier processes counted."""
        with self._lock:
            for key, used in days.items():
                self._days[key] = self._days.get(key, 0) + used

    def take(self, agreement: str, quota: Quota, on: date, seconds: float) -> None:
        """Count one answer. Raises QuotaExceeded naming the limit; then nothing is counted."""
        if quota.per_minute is None and quota.per_day is None:
            return
        with self._lock:
            key = (agreement, on)
            if quota.per_day is not None and self._days.get(key, 0) >= quota.per_day:
                raise QuotaExceeded(
                    f"Agreement {agreement} allows {quota.per_day:,} answers a day.", hint="Try again tomorrow.", retry_after=3600
                )
            if quota.per_minute is not None:
                bucket = self._buckets.setdefault(agreement, TokenBucket(quota.per_minute, seconds))
                wait = bucket.take(seconds)
                if wait:
                    raise QuotaExceeded(
                        f"Agreement {agreement} allows {quota.per_minute:,} answers a minute.",
                        hint="Slow down.",
                        retry_after=int(wait) + 1,
                    )
            if quota.per_day is not None:
                self._days[key] = self._days.get(key, 0) + 1
                self._unsaved[key] = self._unsaved.get(key, 0) + 1

    def take_unsaved(self) -> Used:
        """Counts the store does not have yet; the caller saves them or puts them back."""
        if not self._unsaved:
            return {}
        with self._lock:
            unsaved, self._unsaved = self._unsaved, {}
            return unsaved

    def put_back(self, used: Used) -> None:
        with self._lock:
            for key, count in used.items():
                self._unsaved[key] = self._unsaved.get(key, 0) + count
