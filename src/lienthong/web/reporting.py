"""How filings are made here: the facts of `reports.filing` for the acts of `pipeline.filing`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from lienthong.contracts.indicators import Indicator, Period, Report
from lienthong.pipeline.filing import Making
from lienthong.reports.filing import digest_of, facts_of, is_whole
from lienthong.store import Connection


def making_of(indicators: Mapping[str, Indicator]) -> Making:
    """What files reports of these indicators."""

    def facts(connection: Connection, report: Report, period: Period, at: datetime) -> Mapping[str, Any]:
        return facts_of(connection, report, indicators, period, at)

    return Making(facts, digest_of, is_whole)
