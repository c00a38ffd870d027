"""When a source is due by its contract's schedule: days of the calendar of offices, hours of Vietnam's clock. Pure: the time is given."""

from __future__ import annotations

import calendar
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

from lienthong.clock import VIETNAM
from lienthong.contracts import Schedule
from lienthong.standards.working_days import WorkingDays

DAY = timedelta(days=1)
LONGEST_SHIFT = 15  # days: Tết with its weekends, and days given in return
BACK_DAYS = 75  # two months and the longest shift: the newest due time of any schedule lies within
RETRY_MINUTES = (
    1,
    5,
    15,
    60,
    240,
)  # after the first, second, … try that failed for a passing reason; then it is given up until the next due time


def newest_due(schedule: Schedule, now: datetime, offices: WorkingDays) -> datetime:
    """The newest instant not after `now` at which the source was due. Raises ValueError when none lies within `BACK_DAYS`."""
    if schedule.every == "hour":
        local = now.astimezone(VIETNAM)
        due = local.replace(minute=schedule.at.minute, second=0, microsecond=0)
        return (due if due <= local else due - timedelta(hours=1)).astimezone(UTC)
    today = now.astimezone(VIETNAM).date()
    return max(due for due in _dues(schedule, today - DAY * BACK_DAYS, today + DAY * LONGEST_SHIFT, offices) if due <= now)


def next_due(schedule: Schedule, now: datetime, offices: WorkingDays) -> datetime:
    """The first instant after `now` at which the source will be due."""
    if schedule.every == "hour":
        return newest_due(schedule, now, offices) + timedelta(hours=1)
    today = now.astimezone(VIETNAM).date()
    return min(due for due in _dues(schedule, today - DAY * 31, today + DAY * BACK_DAYS, offices) if due > now)


def retry_after(attempts: int) -> timedelta | None:
    """How long to wait after so many tries that failed for a passing reason; None: it is given up."""
    return timedelta(minutes=RETRY_MINUTES[attempts - 1]) if attempts <= len(RETRY_MINUTES) else None


def _dues(schedule: Schedule, begins: date, until: date, offices: WorkingDays) -> Iterator[datetime]:
    """Due instants of the days from `begins` up to `until`, shifted ones where they come to lie; in no order."""
    day = begins
    while day <= until:
        if _is_meant(schedule, day, offices):
            yield datetime.combine(_shifted(schedule, day, offices), schedule.at, VIETNAM).astimezone(UTC)
        day += DAY


def _is_meant(schedule: Schedule, day: date, offices: WorkingDays) -> bool:
    if schedule.every == "working_day":
        return offices.is_working(day)
    if schedule.every == "week":
        return day.isoweekday() == schedule.day
    if schedule.every == "month":
        return day.day == min(schedule.day, calendar.monthrange(day.year, day.month)[1])
    return True


def _shifted(schedule: Schedule, day: date, offices: WorkingDays) -> date:
    step = {"after": DAY, "before": -DAY}.get(schedule.shift)
    while step is not None and not offices.is_working(day):
        day += step
    return day
