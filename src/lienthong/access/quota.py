"""A token bucket as a value: how much of an agreement's rate is left, given what time it is."""

from __future__ import annotations

from dataclasses import dataclass

SECONDS_A_MINUTE = 60.0


@dataclass
class TokenBucket:
    """Refills `per_minute` tokens a minute, holds at most that many. `seconds` only ever grows (a monotonic clock)."""

    per_minute: int
    seconds: float
    left: float = -1.0

    def __post_init__(self) -> None:
        if self.left < 0:
            self.left = float(self.per_minute)

    def take(self, seconds: float) -> float:
        """Take one token; gives 0, or how many seconds until there is one (and then none is taken)."""
        self.left = min(float(self.per_minute), self.left + (seconds - self.seconds) * self.per_minute / SECONDS_A_MINUTE)
        self.seconds = seconds
        if self.left >= 1:
            self.left -= 1
            return 0.0
        return (1 - self.left) * SECONDS_A_MINUTE / self.per_minute
