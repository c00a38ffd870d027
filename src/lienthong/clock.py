"""What time it is, passed as an argument so that decisions have no clock of their own."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta, timezone

Clock = Callable[[], datetime]

VIETNAM = timezone(timedelta(hours=7), "ICT")


def system_clock() -> datetime:
    """Now, an aware instant in UTC."""
    return datetime.now(UTC)


def vietnam_date(instant: datetime) -> date:
    """The calendar date in Vietnam at an instant: dates in law and in offices are local."""
    return instant.astimezone(VIETNAM).date()


def end_of_day(day: date) -> datetime:
    """The last instant of a day in Vietnam, to the microsecond that the store keeps."""
    return datetime.combine(day, time.max, VIETNAM).astimezone(UTC)
