"""What a file's columns hold, as Delta tells it: least and greatest values and how many are empty; and whether a predicate can fit any of it."""

from __future__ import annotations

import math
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

LONGEST_TEXT = 64  # a longer value is not told: cut short it would be no bound


def statistics_of(path: Path) -> str:
    """The statistics of a Parquet file, from its footer."""
    from pyarrow import parquet  # noqa: PLC0415 # loaded when a file is made

    facts = parquet.read_metadata(path)
    least: dict[str, Any] = {}
    most: dict[str, Any] = {}
    empty: dict[str, int] = {}
    for place, column in enumerate(facts.schema.to_arrow_schema()):
        groups = [facts.row_group(n).column(place).statistics for n in range(facts.num_row_groups)]
        if any(group is None or group.null_count is None for group in groups):
            continue
        empty[column.name] = sum(group.null_count for group in groups)
        bounds = [(group.min, group.max) for group in groups if group.has_min_max]
        if bounds and all(group.has_min_max or group.num_values == 0 for group in groups):
            lower, upper = _told(min(low for low, _ in bounds), is_most=False), _told(max(high for _, high in bounds), is_most=True)
            if lower is not None and upper is not None:
                least[column.name], most[column.name] = lower, upper
    told = {"numRecords": facts.num_rows, "minValues": least, "maxValues": most, "nullCount": empty}
    return msgspec.json.encode(told).decode()


def _told(value: Any, *, is_most: bool) -> Any:
    """A bound as JSON; None where there is no honest one."""
    if isinstance(value, datetime):  # milliseconds, as Delta has them: the greatest is rounded up
        whole = value.replace(microsecond=value.microsecond // 1000 * 1000, tzinfo=None)
        if is_most and whole != value.replace(tzinfo=None):
            whole += timedelta(milliseconds=1)
        return whole.isoformat(timespec="milliseconds") + "Z"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    if isinstance(value, str):
        return value if len(value) <= LONGEST_TEXT else None
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if isinstance(value, int) else None
