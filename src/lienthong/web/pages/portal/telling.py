"""Facts of a dataset as every page tells them: where it stands, how good it is, whether it is as fresh as promised."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lienthong.catalog.measuring import UNKNOWN, freshness, promised_seconds, quality_now
from lienthong.contracts import Contract, Sharing
from lienthong.store.pages import StandingNow

__all__ = ["UNKNOWN", "freshness", "is_open", "pair", "promised_seconds", "quality_now", "short"]


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
