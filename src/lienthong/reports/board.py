"""What a leader is shown of an indicator: its newest closed figure, how it got there, what it should be, and what is missing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from lienthong.contracts.indicators import Direction, Indicator, Period, State, period_named
from lienthong.store.indicators import Figure


@dataclass(frozen=True)
class Card:
    """One indicator on the board. `figure` is the newest closed one that has a value, else the newest estimate; None before the first.

    `running` is the estimate of the period that is not over; `missing` the newest period that is past its closing time without what was promised.
    """

    indicator: Indicator
    figure: Figure | None
    period: Period | None
    before: Figure | None
    year_before: Figure | None
    running: Figure | None
    missing: Figure | None
    trend: Sequence[tuple[Period, Figure]]

    @property
    def is_good(self) -> bool | None:
        """Whether the target is reached; None without one, or where no way is good."""
        if self.figure is None or self.figure.total is None or self.figure.target is None:
            return None
        return reaches(self.indicator.direction, self.figure.total, self.figure.target)

    @property
    def is_better(self) -> bool | None:
        """Whether it went the good way since the same period a year earlier, else since the period before."""
        other = self.year_before or self.before
        if self.figure is None or other is None or self.figure.total is None or other.total is None or self.figure.total == other.total:
            return None
        if self.indicator.direction is Direction.NEUTRAL:
            return None
        return (self.figure.total > other.total) == (self.indicator.direction is Direction.UP)

    def closes_at(self) -> datetime | None:
        """When the shown figure's period closes or closed."""
        return None if self.period is None else self.indicator.closing.instant(self.period)


def reaches(direction: Direction, total: float, target: float) -> bool | None:
    """Whether a figure is at its target or past it the good way."""
    if direction is Direction.NEUTRAL:
        return None
    return total >= target if direction is Direction.UP else total <= target


def card(indicator: Indicator, figures: Sequence[Figure], chosen: str = "") -> Card:
    """The card of an indicator from the newest revisions of its periods, newest period first. `chosen`: another period than the newest closed.

    Periods of another type, from before the file was changed, are left out.
    """
    told = [(period, each) for each in figures if (period := period_named(indicator.period, each.period)) is not None and period.begins_on == each.begins_on]  # fmt: skip
    by_code = {period.code: (period, each) for period, each in told}
    closed = [(period, each) for period, each in told if each.state != State.ESTIMATE]
    valued = [each for each in closed if each[1].total is not None] or [each for each in told if each[1].total is not None] or told
    period, figure = by_code.get(chosen) or (valued[0] if valued else (None, None))
    running = next((each for _, each in told if each.state == State.ESTIMATE and each is not figure), None)
    newest = closed[0][1] if closed else None
    missing = newest if newest is not None and newest.state == State.LATE else None
    return Card(
        indicator, figure, period, _of(by_code, period, 1), _of_year(by_code, period), running, missing, tuple(reversed(told))
    )  # fmt: skip


def _of(known: Mapping[str, tuple[Period, Figure]], period: Period | None, back: int) -> Figure | None:
    found = None if period is None else known.get(period.earlier(back).code)
    return None if found is None or found[1].total is None else found[1]


def _of_year(known: Mapping[str, tuple[Period, Figure]], period: Period | None) -> Figure | None:
    found = None if period is None else known.get(period.a_year_earlier().code)
    return None if found is None or found[1].total is None else found[1]
