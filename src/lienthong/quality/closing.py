"""Which periods of a dataset are closed: so many working days after their last day their figures are settled, and a change is a revision."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from lienthong.contracts import Closing
from lienthong.contracts.indicators.periods import period_of
from lienthong.standards.working_days import WorkingDays

DAY = timedelta(days=1)
SHOWN = 6  # periods named in words


def closed_until(closing: Closing, today: date, offices: WorkingDays) -> date:
    """The first day that lies in no closed period. A period closes at the end of its `working_days`-th working day after its last."""
    period = period_of(closing.type, today)
    while offices.add(period.until - DAY, closing.working_days) >= today:
        period = period.earlier()
    return period.until


def period_code(closing: Closing, day: date) -> str:
    """The code of the period a day lies in."""
    return period_of(closing.type, day).code


def closed_touched(rows: Mapping[str, int]) -> dict[str, Any] | None:
    """The bound that is broken by changes of rows in closed periods; `rows`: code of the period → rows."""
    if not rows:
        return None
    count, codes = sum(rows.values()), sorted(rows)
    shown = ", ".join(codes[:SHOWN]) + (", …" if len(codes) > SHOWN else "")
    vi = f"{f'{count:,}'.replace(',', '.')} hàng thuộc kỳ đã khóa sổ sẽ đổi ({shown}): cần người duyệt, nêu lý do"
    en = f"{count:,} rows of closed periods would change ({shown}): a person must approve it, with a reason"
    return {"bound": "closed_period", "found": count, "expected": 0, "vi": vi, "en": en, "periods": dict(sorted(rows.items()))}
