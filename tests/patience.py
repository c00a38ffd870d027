"""Waiting for a thing itself, as long as a busy machine may need: a ceiling costs nothing when things work."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

SECONDS = 120
Found = TypeVar("Found")


def until(look: Callable[[], Found | None], what: str = "it", seconds: float = SECONDS, between: float = 0.05) -> Found:
    """What `look` finds, once it finds something that is true; what it found last, and what was waited for, are told when it never does."""
    end = time.monotonic() + seconds
    while True:
        found = look()
        if found:
            return found
        assert time.monotonic() < end, f"{what} did not come about within {seconds} s; last seen: {found!r}"
        time.sleep(between)
