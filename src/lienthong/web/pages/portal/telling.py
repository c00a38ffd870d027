"""Facts of a dataset as every page tells them: where it stands, how good it is, whether it is as fresh as promised."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from lienthong.catalog.measuring import UNKNOWN, freshness, promised_seconds, quality_now
from lienthong.contracts import Contract, Sharing
from lienthong.store import Connection, agreements
from lienthong.store.pages import StandingNow

__all__ = ["UNKNOWN", "freshness", "is_open", "pair", "promised_seconds", "quality_now", "short", "stops_of"]


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


def is_open(contract: Contract) -> bool:
    return contract.sharing is Sharing.OPEN


def pair(words: tuple[str, str]) -> Mapping[str, str]:
    return {"vi": words[0], "en": words[1]}


def stops_of(connection: Connection, dataset: str, now: datetime) -> Sequence[Mapping[str, Any]]:
    """The stops of a dataset that are not over, the next first."""
    return [
        {
            "stop": each.stop.id, "begins_at": each.stop.begins_at, "ends_at": each.stop.ends_at, "is_forced": each.stop.is_forced,
            "is_under_way": each.stop.includes(now), "reason": each.reason, "announced_at": each.announced_at,
        }
        for each in agreements.stops(connection, now)
        if each.stop.dataset == dataset
    ]  # fmt: skip
