"""What the platform can reckon of itself, by the names files of indicators use."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from lienthong.contracts import Contract
from lienthong.reports.reuse import ReuseReport, reuse_report
from lienthong.store import Connection

NAMES = ("reuse_agree", "reuse_hours", "reuse_disagree")
TWICE = 20  # of what is still typed twice, the most frequent


def reuse_agree(report: ReuseReport) -> tuple[float | None, float | None]:
    """Values that agree with an authority's, of those it holds."""
    return (float(report.total.agree), float(report.total.held)) if report.total.held else (None, None)


def reuse_hours(report: ReuseReport) -> tuple[float | None, float | None]:
    """Hours of typing that repeated what was known."""
    return (report.total.hours(report.characters_per_minute), None) if report.total.filled else (None, None)


def reuse_disagree(report: ReuseReport) -> tuple[float | None, float | None]:
    """Values that an authority holds and somebody typed otherwise."""
    return (float(report.total.disagree), None) if report.total.filled else (None, None)


_OF_REUSE = {"reuse_agree": reuse_agree, "reuse_hours": reuse_hours, "reuse_disagree": reuse_disagree}


class Measures:
    """The measures over some contracts; the reuse meter is counted once for all that ask within one round."""

    def __init__(self, contracts: Mapping[str, Contract], characters_per_minute: float) -> None:
        self._contracts, self._speed = contracts, characters_per_minute
        self._report: ReuseReport | None = None

    def by_name(self) -> dict[str, Any]:
        """Name → function of a connection that gives (value, base, details)."""
        return {name: partial(self._measure, name) for name in NAMES}

    def _measure(self, name: str, connection: Connection) -> tuple[float | None, float | None, dict[str, Any]]:
        if self._report is None:
            self._report = reuse_report(connection, self._contracts, self._speed)
        value, base = _OF_REUSE[name](self._report)
        return value, base, details_of(self._report)


def details_of(report: ReuseReport) -> dict[str, Any]:
    """How the figures came about, by agency, by dataset, and what is still typed twice most often."""
    speed = report.characters_per_minute
    twice = sorted(report.rows, key=lambda row: (-row.reuse.held, row.dataset, row.attribute))[:TWICE]
    return {
        "characters_per_minute": speed,
        "filled": report.total.filled,
        "held": report.total.held,
        "agree": report.total.agree,
        "disagree": report.total.disagree,
        "hours": round(report.total.hours(speed), 1),
        "agencies": [
            {"agency": agency, "filled": r.filled, "held": r.held, "agree": r.agree, "disagree": r.disagree, "hours": round(r.hours(speed), 1)}
            for agency, r in sorted(report.by_agency().items())
        ],
        "typed_twice": [
            {
                "dataset": row.dataset, "title": report.titles[row.dataset][0], "title_en": report.titles[row.dataset][1], "agency": row.agency,
                "attribute": row.title_vi, "attribute_en": row.title_en, "properties": list(row.properties),
                "authorities": list(row.authorities), "held": row.reuse.held, "agree": row.reuse.agree, "disagree": row.reuse.disagree,
                "hours": round(row.reuse.hours(speed), 1),
            }
            for row in twice
            if row.reuse.held
        ],
    }  # fmt: skip
