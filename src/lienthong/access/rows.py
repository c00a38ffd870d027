"""Which rows an agreement lets through, for rows already at hand. In bulk the same conditions become SQL in `store`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from lienthong.access.agreement import RowCondition

OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "eq": lambda held, wanted: bool(held == wanted),
    "in": lambda held, wanted: held in wanted,
    "starts_with": lambda held, wanted: isinstance(held, str) and held.startswith(wanted),
    "gte": lambda held, wanted: bool(held >= wanted),
    "lte": lambda held, wanted: bool(held <= wanted),
}


def matches(row_filter: Sequence[RowCondition], values: Mapping[str, Any]) -> bool:
    """Whether a row passes every condition; a missing value passes none."""
    for condition in row_filter:
        held = values.get(condition.field)
        if held is None:
            return False
        wanted = _as_held(condition.value, held)
        try:
            if not OPERATORS[condition.operator](held, wanted):
                return False
        except TypeError:  # a condition that does not fit the value lets nothing through
            return False
    return True


def _as_held(wanted: Any, held: Any) -> Any:
    """Dates are text in an agreement's file."""
    if isinstance(wanted, str) and isinstance(held, datetime):
        return datetime.fromisoformat(wanted)
    if isinstance(wanted, str) and isinstance(held, date):
        return date.fromisoformat(wanted)
    return wanted
