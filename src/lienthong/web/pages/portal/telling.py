"""Facts of a dataset as every page tells them: where it stands, how good it is, whether it is as fresh as promised."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from lienthong.contracts import Contract, Sharing
from lienthong.quality.scores import score
from lienthong.store.pages import BrokenRule, StandingNow

UNKNOWN = StandingNow(0, None, 0)
_UNITS = {"m": 60, "min": 60, "h": 3600, "d": 86400, "w": 7 * 86400, "mo": 30 * 86400, "y": 366 * 86400}
_LATE = 1.5  # times the promised interval: a delivery that is a little late is not yet a broken promise


def short(contract: Contract, standing: StandingNow, owner: str) -> dict[str, Any]:
    """A dataset in a list."""
    return {
        "id": contract.id,
        "title": contract.title_vi,
        "title_en": contract.title_en,
        "description": contract.description_vi,
        "description_en": contract.description_en,
        "agency": contract.agency,
        "agency_name": owner,
        "domain": contract.domain,
        "layer": contract.layer.value,
        "sharing": contract.sharing.value,
        "version": standing.version,
        "records": standing.records,
        "updated_at": standing.known_at,
    }


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


def is_open(contract: Contract) -> bool:
    return contract.sharing is Sharing.OPEN


def pair(words: tuple[str, str]) -> Mapping[str, str]:
    return {"vi": words[0], "en": words[1]}
