"""What is shown of a value that may be recognised but not read."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

HIDDEN = "•"  # one for each sign hidden, at most eight: the length is not told either
MOST_HIDDEN = 8


def _last(count: int) -> Callable[[str], str]:
    def shown(text: str) -> str:
        kept = text[-count:] if len(text) > 2 * count else ""
        return HIDDEN * min(MOST_HIDDEN, max(len(text) - len(kept), 1)) + kept

    return shown


def _year(text: str) -> str:
    return text[:4] if len(text) >= 4 and text[:4].isdigit() else HIDDEN  # digits of a year


def _initials(text: str) -> str:
    return " ".join(f"{word[0]}." for word in text.split())


MASKS: dict[str, Callable[[str], str]] = {"last2": _last(2), "last3": _last(3), "year": _year, "initials": _initials}


def mask(kind: str, value: Any) -> str | None:
    """A value under a mask; None stays None, an unknown kind hides everything."""
    if value is None:
        return None
    text = value.isoformat() if isinstance(value, date) else str(value)
    shown = MASKS.get(kind)
    return HIDDEN * MOST_HIDDEN if shown is None else shown(text)
