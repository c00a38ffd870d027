"""What a report tells of a period: its figures as they stand, annexes by unit, how many rows and which control totals. Plain values only."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from lienthong.clock import vietnam_date
from lienthong.contracts.indicators import Indicator, Period, Report, State, period_named
from lienthong.contracts.indicators.model import Level
from lienthong.reports.regrouping import regroup
from lienthong.standards.admin_units import MERGED
from lienthong.store import Connection
from lienthong.store import indicators as store
from lienthong.store.indicators import Figure

STATES = {"estimate": "ước tính", "late": "trễ", "final": "chính thức"}


def facts_of(connection: Connection, report: Report, indicators: Mapping[str, Indicator], period: Period, at: datetime) -> dict[str, Any]:
    """The facts of a report of a period, made at an instant: everything documents say, so that they can be made again from them alone."""
    chosen = [indicators[name] for name in report.indicators if name in indicators]
    series = store.series(connection, [*(each.id for each in chosen), *report.places])
    rows = [_row(n, each, series[each.id], period) for n, each in enumerate(chosen, 1)]
    tables = [_table(connection, indicators[name], series[name], period, at) for name in report.places if name in indicators]
    return {
        "report": report.id,
        "title": report.title_vi,
        "about": report.about.replace("{period}", period.title_vi),
        "period": period.code,
        "period_title": period.title_vi,
        "begins_on": period.begins_on.isoformat(),
        "last_day": (period.until - timedelta(days=1)).isoformat(),
        "agency": report.agency,
        "agency_name": report.agency_name,
        "parent_name": report.parent_name,
        "sign": report.sign,
        "place": report.place,
        "made_on": vietnam_date(at).isoformat(),
        "opening": report.opening.replace("{period}", period.title_vi),
        "receivers": list(report.receivers),
        "authority": report.authority,
        "signer_title": report.signer_title,
        "signer_name": report.signer_name,
        "definition": report.digest,
        "rows": rows,
        "row_count": len(rows),
        "control_total": control_total(row["total"] for row in rows),
        "tables": tables,
    }


def control_total(values: Any) -> float:
    """The sum of what is told, whatever its units: a row left out or altered shows."""
    return round(math.fsum(value for value in values if value is not None), 6)


def digest_of(facts: Mapping[str, Any]) -> str:
    """Hex SHA-256 of facts as JSON with sorted names and no spaces."""
    return hashlib.sha256(json.dumps(facts, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()).hexdigest()


def is_whole(facts: Mapping[str, Any]) -> bool:
    """Whether every figure of a report is final."""
    return all(row["state"] == State.FINAL.value for row in facts["rows"])


def _chosen(indicator: Indicator, figures: Sequence[Figure], period: Period) -> tuple[Period, Figure] | None:
    """The figure of the report's period; of an indicator with other periods, that of its newest one that ended by the report's last day."""
    told = [(found, each) for each in figures if (found := period_named(indicator.period, each.period)) is not None]
    same = [each for each in told if each[0] == period]
    return next(iter(same or [each for each in told if each[0].until <= period.until]), None)


def _row(n: int, indicator: Indicator, figures: Sequence[Figure], period: Period) -> dict[str, Any]:
    found = _chosen(indicator, figures, period)
    before = next((each for each in figures if found and each.period == found[0].a_year_earlier().code), None)
    return {
        "n": n,
        "indicator": indicator.id,
        "title": indicator.title_vi,
        "unit": indicator.unit_vi,
        "decimals": indicator.decimals,
        "owner": indicator.owner,
        "period": found[0].code if found else "",
        "period_title": found[0].title_vi if found else "",
        "total": found[1].total if found else None,
        "target": found[1].target if found else None,
        "year_before": before.total if before else None,
        "state": found[1].state if found else State.LATE.value,
        "state_title": STATES[found[1].state if found else State.LATE.value],
        "figure": found[1].figure if found else None,
        "revision": found[1].revision if found else None,
    }


def _table(connection: Connection, indicator: Indicator, figures: Sequence[Figure], period: Period, at: datetime) -> dict[str, Any]:
    found = _chosen(indicator, figures, period)
    on: date = MERGED - timedelta(days=1) if indicator.level is Level.DISTRICT else vietnam_date(at)
    places = regroup(indicator, store.parts(connection, found[1].figure), on, indicator.level) if found else []
    rows = [
        {"n": n, "code": p.code, "name": p.name or "Chưa rõ đơn vị", "total": p.total, "is_estimated": p.is_estimated}
        for n, p in enumerate(places, 1)
    ]
    return {
        "indicator": indicator.id,
        "title": indicator.title_vi,
        "unit": indicator.unit_vi,
        "decimals": indicator.decimals,
        "period_title": found[0].title_vi if found else "",
        "figure": found[1].figure if found else None,
        "borders_on": on.isoformat(),
        "rows": rows,
        "row_count": len(rows),
        "control_total": control_total(row["total"] for row in rows),
        "total": found[1].total if found else None,
    }
