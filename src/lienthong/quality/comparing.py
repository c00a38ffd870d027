"""Order between values: numbers, dates, instants, and dates known only to the month or the year.

A date known to the year only breaks a rule when no day of that year could keep it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any

import polars as pl

from lienthong.errors import ContractError

TODAY = "today"
VIETNAM_ZONE = "Asia/Ho_Chi_Minh"
FULL_DATE = 10  # characters of 1950-03-07

OPERATORS = {"<": "<", "lt": "<", "<=": "<=", "lte": "<=", ">": ">", "gt": ">", ">=": ">=", "gte": ">=",
             "=": "=", "==": "=", "eq": "=", "!=": "!=", "ne": "!="}  # fmt: skip

_KEEPS: dict[str, Callable[[pl.Expr, pl.Expr], pl.Expr]] = {
    "<": lambda left, right: left < right,
    "<=": lambda left, right: left <= right,
    ">": lambda left, right: left > right,
    ">=": lambda left, right: left >= right,
    "=": lambda left, right: left == right,
    "!=": lambda left, right: left != right,
}
_KEPT_WHEN_UNSURE = {"<": "<=", ">": ">=", "!=": "!="}


def breaks_comparison(left: str, operator: str, right: Any, schema: pl.Schema, delivered_on: date) -> pl.Expr:
    """True where `left operator right` does not hold; `right` is a property, a number, a date or `today`."""
    kind = schema[left]
    if operator not in OPERATORS:
        raise ContractError(
            "A rule cannot be judged.", faults=(("operator", f"unknown operator `{operator}`", f"one of {', '.join(_KEEPS)}"),)
        )
    if isinstance(right, str) and right in schema:
        return _breaks(pl.col(left), kind, OPERATORS[operator], pl.col(right), schema[right])
    bound, bound_kind = _literal(right, kind, delivered_on)
    return _breaks(pl.col(left), kind, OPERATORS[operator], bound, bound_kind)


def breaks_range(column: pl.Expr, kind: pl.DataType, parameters: Mapping[str, Any], delivered_on: date) -> pl.Expr:
    """True where the value lies outside the bounds."""
    breaks = pl.lit(False)
    for name, operator in (("min", ">="), ("max", "<="), ("exclusive_min", ">"), ("exclusive_max", "<")):
        if parameters.get(name) is not None:
            bound, bound_kind = _literal(parameters[name], kind, delivered_on)
            breaks = breaks | _breaks(column, kind, operator, bound, bound_kind)
    return breaks


def _literal(value: Any, kind: pl.DataType, delivered_on: date) -> tuple[pl.Expr, pl.DataType]:
    """A bound from the contract as a value of the column's kind."""
    if value == TODAY:
        value = delivered_on
    if kind == pl.String and isinstance(value, date):
        return pl.lit(value.isoformat()[:FULL_DATE]), pl.String()
    if isinstance(value, str) and kind.is_temporal():
        value = datetime.fromisoformat(value) if len(value) > FULL_DATE else date.fromisoformat(value)
    if isinstance(value, datetime) and value.tzinfo is not None:
        return pl.lit(value), pl.Datetime("us", "UTC")
    if isinstance(value, date):
        return pl.lit(value, pl.Date), pl.Date()
    if kind.is_numeric() and isinstance(value, str):
        value = float(value)
    return pl.lit(value), pl.String() if isinstance(value, str) else pl.Float64()


def _breaks(left: pl.Expr, left_kind: pl.DataType, operator: str, right: pl.Expr, right_kind: pl.DataType) -> pl.Expr:
    if pl.String in (left_kind, right_kind):
        return _breaks_as_text(_as_text(left, left_kind), operator, _as_text(right, right_kind))
    if left_kind.is_temporal() and (pl.Date in (left_kind, right_kind)):
        left, right = _as_date(left, left_kind), _as_date(right, right_kind)
    return ~_KEEPS[operator](left, right)


def _breaks_as_text(left: pl.Expr, operator: str, right: pl.Expr) -> pl.Expr:
    """Dates of any precision compare as far as both are known."""
    known = pl.min_horizontal(left.str.len_chars(), right.str.len_chars())
    left_known, right_known = left.str.slice(0, known), right.str.slice(0, known)
    unsure = left_known == right_known
    is_whole = known >= FULL_DATE
    strict = ~_KEEPS[operator](left_known, right_known)
    if operator not in _KEPT_WHEN_UNSURE:
        return strict
    return strict & (~unsure | is_whole)


def _as_date(value: pl.Expr, kind: pl.DataType) -> pl.Expr:
    if isinstance(kind, pl.Datetime):
        return value.dt.convert_time_zone(VIETNAM_ZONE).dt.date()
    return value


def _as_text(value: pl.Expr, kind: pl.DataType) -> pl.Expr:
    return value if kind == pl.String else _as_date(value, kind).cast(pl.String)
