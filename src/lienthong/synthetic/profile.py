"""What is statistically true of a dataset and says nothing of anyone: shares, and means of groups.

Rows of ten or more stand behind every figure. Categories are told of closed lists and of columns that are not personal; of numbers and
dates the means of groups are told, never a value; of personal text nothing but how often it is missing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import numpy as np
import polars as pl

from lienthong.contracts import Contract, Property, Sensitivity
from lienthong.errors import Unprocessable

SMALLEST_COUNT = 10
MOST_KNOTS = 20  # groups a column of numbers is cut into
MOST_CATEGORIES = 200
DECIMALS = 3
_PERSONAL = (Sensitivity.PERSONAL, Sensitivity.SENSITIVE)


@dataclass(frozen=True)
class ColumnProfile:
    """One column: how often it is missing; the share of each category; means of groups, ascending (dates as days, instants as seconds)."""

    nulls: float = 0.0
    shares: Mapping[str, float] = field(default_factory=dict)
    knots: tuple[float, ...] = ()


@dataclass(frozen=True)
class Profile:
    """A dataset's columns; a column about which nothing may be told is absent."""

    columns: Mapping[str, ColumnProfile] = field(default_factory=dict)

    def of(self, name: str) -> ColumnProfile | None:
        return self.columns.get(name)

    def document(self) -> dict[str, Any]:
        """As it is kept in a file."""
        return {
            name: {"nulls": c.nulls, "shares": dict(sorted(c.shares.items())), "knots": list(c.knots)} for name, c in self.columns.items()
        }

    @classmethod
    def read(cls, document: Any) -> Profile:
        """Out of a file. Raises Unprocessable for what is no profile."""
        try:
            found = {
                str(name): ColumnProfile(
                    float(c["nulls"]), {str(k): float(v) for k, v in c["shares"].items()}, tuple(sorted(float(k) for k in c["knots"]))
                )
                for name, c in document.items()
            }
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise Unprocessable("This is no profile of a dataset.", vi="Đây không phải hồ sơ thống kê của bộ dữ liệu.") from error
        return cls(found)


def profile_of(rows: pl.DataFrame, contract: Contract) -> Profile:
    """The profile of a dataset's rows. Nothing is told of fewer than ten rows."""
    if rows.height < SMALLEST_COUNT:
        return Profile()
    found = {p.name: _column(rows[p.name], p, contract) for p in contract.properties if p.name in rows.columns}
    return Profile({name: column for name, column in found.items() if column is not None})


def _column(values: pl.Series, p: Property, contract: Contract) -> ColumnProfile | None:
    there = values.drop_nulls()
    missing = len(values) - len(there)
    nulls = (
        _share(missing, len(values)) if missing >= SMALLEST_COUNT and len(there) >= SMALLEST_COUNT else float(len(there) < SMALLEST_COUNT)
    )
    if len(there) < SMALLEST_COUNT:
        return ColumnProfile(nulls)
    if p.logical_type in ("integer", "number", "date", "timestamp"):
        return ColumnProfile(nulls, knots=_knots(there))
    if is_closed(p, contract) or p.sensitivity not in _PERSONAL:
        return ColumnProfile(nulls, _shares(there))
    return ColumnProfile(nulls)


def is_closed(p: Property, contract: Contract) -> bool:
    """Whether a column's values are those of a list the contract holds."""
    listed = any(rule.kind == "allowed" and rule.columns == (p.name,) for rule in contract.all_rules)
    return listed or p.standard in ("code_list", "sex") or p.logical_type == "boolean"


def _shares(values: pl.Series) -> dict[str, float]:
    counted = values.cast(pl.String).value_counts().filter(pl.col("count") >= SMALLEST_COUNT)
    if not 0 < counted.height <= MOST_CATEGORIES:
        return {}
    return {str(value): _share(count, len(values)) for value, count in counted.sort(values.name).iter_rows()}


def _share(part: int, whole: int) -> float:
    return round(part / whole, DECIMALS)


def _knots(values: pl.Series) -> tuple[float, ...]:
    """Means of equal groups of the sorted values, each of ten or more."""
    numbers = np.sort(np.array([as_number(value) for value in values.to_list()], np.float64))
    numbers = numbers[np.isfinite(numbers)]
    groups = min(MOST_KNOTS, len(numbers) // SMALLEST_COUNT)
    return tuple(round(float(group.mean()), DECIMALS) for group in np.array_split(numbers, groups)) if groups else ()


def as_number(value: Any) -> float:
    """A number, a day or an instant on one line."""
    if isinstance(value, datetime):
        return value.timestamp()
    return float(value.toordinal() if isinstance(value, date) else value)
