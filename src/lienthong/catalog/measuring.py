"""What is measured of a dataset against what its contract promises: how fresh it is, how good its rows are."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from lienthong.contracts import Contract
from lienthong.quality.scores import score
from lienthong.store.pages import BrokenRule, StandingNow

UNKNOWN = StandingNow(0, None, 0)
_UNITS = {"m": 60, "min": 60, "h": 3600, "d": 86400, "w": 7 * 86400, "mo": 30 * 86400, "y": 366 * 86400}
_LATE = 1.5  # times the promised interval: a delivery that is a little late is not yet a broken promise


def promised_seconds(contract: Contract) -> int | None:
    """How often the contract promises news (`frequency` of its service level); None: it does not say."""
    for each in contract.document.get("slaProperties") or []:
        if each.get("property") == "frequency":
            try:
                return int(float(each.get("value", 0)) * _UNITS[str(each.get("unit", ""))])
            except (KeyError, ValueError, TypeError):
                return None
    return None


def freshness(contract: Contract, standing: StandingNow, now: datetime) -> dict[str, Any]:
    """state: fresh, late, never (nothing published), unpromised."""
    promised = promised_seconds(contract)
    if standing.known_at is None:
        state = "never"
    elif promised is None:
        state = "unpromised"
    else:
        state = "fresh" if (now - standing.known_at).total_seconds() <= promised * _LATE else "late"
    return {"state": state, "promised_seconds": promised, "updated_at": standing.known_at}


def quality_now(contract: Contract, standing: StandingNow, waiting: int, broken: Sequence[BrokenRule]) -> dict[str, Any]:
    """Of all rows there are, published and waiting: the share without an issue, whole and by dimension."""
    rows = standing.records + waiting
    by_rule: dict[str, int] = {}
    for each in broken:
        by_rule[each.rule] = by_rule.get(each.rule, 0) + each.count
    dimensions = (
        [{"dimension": s.dimension, "percent": s.percent, "issues": s.issues} for s in score(contract, rows, by_rule)] if rows else []
    )
    return {
        "rows": rows,
        "waiting": waiting,
        "percent": round(100 * standing.records / rows, 2) if rows else None,
        "dimensions": dimensions,
    }
