"""The count of answers an agreement has left, asked inside a transaction: what is rolled back was not counted.

Processes that answer take portions of the same count ahead (`store.hot`); what is sent unasked takes one at a time, with its entry.
"""

from __future__ import annotations

from datetime import date

from lienthong.store.database import Connection, queries


def take_one(connection: Connection, agreement: str, per_minute: int | None, per_day: int | None, today: date) -> float | None:
    """Count one answer; gives None, or the seconds until there may be one, and then nothing is counted."""
    asked = {"agreement": agreement, "today": today, "per_minute": per_minute, "per_day": per_day}
    row = connection.execute(queries("quotas")["take_one"], asked).fetchone()
    assert row is not None
    return None if row[0] else float(row[1])
