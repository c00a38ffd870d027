"""Spares a provider that does not answer, and spares everybody else its slowness: a circuit breaker and a bulkhead, as values without a clock."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Circuit:
    """Closed until `failures` calls in a row fail; then open for `open_seconds`; then half open: one call tries, the others wait for its word.

    `seconds` only ever grows (a monotonic clock).
    """

    failures: int
    open_seconds: float
    failed: int = 0
    opened_at: float | None = None
    is_trying: bool = False

    def admit(self, seconds: float) -> float:
        """Whether a call may go: 0, or in how many seconds to come back. A call that may go must be followed by `good`, `bad` or `unsaid`."""
        if self.opened_at is None:
            return 0.0
        left = self.opened_at + self.open_seconds - seconds
        if left > 0:
            return left
        if self.is_trying:
            return self.open_seconds
        self.is_trying = True
        return 0.0

    def good(self) -> None:
        self.failed, self.opened_at, self.is_trying = 0, None, False

    def bad(self, seconds: float) -> None:
        self.failed += 1
        if self.is_trying or self.failed >= self.failures:
            self.opened_at, self.is_trying = seconds, False

    def unsaid(self) -> None:
        """The call ended without telling anything of the provider: the consumer went away."""
        self.is_trying = False

    def state(self, seconds: float) -> str:
        """closed, open or half_open."""
        if self.opened_at is None:
            return "closed"
        return "open" if seconds < self.opened_at + self.open_seconds else "half_open"


@dataclass
class Bulkhead:
    """How many calls a provider has at once; one more is turned away rather than kept waiting."""

    most: int
    used: int = 0

    def enter(self) -> bool:
        if self.used >= self.most:
            return False
        self.used += 1
        return True

    def leave(self) -> None:
        self.used -= 1
