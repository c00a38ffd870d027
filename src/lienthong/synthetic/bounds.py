"""Where a column's values may lie, of all the rules that bound it alone; numbers, days and instants on one line."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any

from lienthong.contracts import Contract, Property
from lienthong.errors import ContractError
from lienthong.synthetic.profile import as_number

TODAY = "today"
NUMERIC = frozenset({"integer", "number", "date", "timestamp"})
CENT = 0.01  # the least step of a number with decimals
OPERATORS = {"lt": "<", "lte": "<=", "gt": ">", "gte": ">=", "eq": "=", "==": "=", "ne": "!="}
_AS_RANGE = {"<": "exclusive_max", "<=": "max", ">": "exclusive_min", ">=": "min"}


@dataclass(frozen=True)
class Bounds:
    """Both ends included; infinite where there is none."""

    low: float = -math.inf
    high: float = math.inf

    def within(self, other: Bounds) -> Bounds:
        return Bounds(max(self.low, other.low), min(self.high, other.high))

    def clamp(self, value: float) -> float:
        return min(max(value, self.low), self.high)


def operator_of(rule_operator: str) -> str:
    return OPERATORS.get(rule_operator, rule_operator)


def step_of(p: Property) -> float:
    """The least difference between two values."""
    return CENT if p.logical_type == "number" else 1.0


def bounds_of(contract: Contract, p: Property, today: date) -> Bounds:
    """What `range` and comparisons with a constant leave. Raises ContractError where that is nothing."""
    found = Bounds()
    names = {each.name for each in contract.properties}
    for rule in contract.all_rules:
        if rule.kind == "range" and rule.columns[0] == p.name:
            found = found.within(_of_range(rule.parameters, p, today))
        if rule.kind == "compare" and rule.parameters["left"] == p.name and str(rule.parameters["right"]) not in names:
            end = _AS_RANGE.get(operator_of(str(rule.parameters["operator"])))
            if end is not None:
                found = found.within(_of_range({end: rule.parameters["right"]}, p, today))
    if found.low > found.high:
        raise ContractError("Rows cannot be invented for this contract.", faults=((f"`{p.name}`", "its rules leave no value", ""),))
    return found


def _of_range(parameters: Any, p: Property, today: date) -> Bounds:
    ends = {
        name: _number(parameters[name], p, today)
        for name in ("min", "max", "exclusive_min", "exclusive_max")
        if parameters.get(name) is not None
    }
    step = step_of(p)
    return Bounds(
        max(ends.get("min", -math.inf), ends.get("exclusive_min", -math.inf) + step),
        min(ends.get("max", math.inf), ends.get("exclusive_max", math.inf) - step),
    )


def _number(value: Any, p: Property, today: date) -> float:
    if value == TODAY:
        value = today
    if isinstance(value, str):
        value = float(value) if p.logical_type in ("integer", "number") else datetime.fromisoformat(value)
    if p.logical_type == "timestamp" and isinstance(value, date):
        whole = value if isinstance(value, datetime) else datetime.combine(value, time(), UTC)
        return (whole if whole.tzinfo else whole.replace(tzinfo=UTC)).timestamp()
    return as_number(value.date() if p.logical_type == "date" and isinstance(value, datetime) else value)


def as_value(number: float, p: Property) -> Any:
    """The value of a place on the line."""
    if p.logical_type == "date":
        return date.fromordinal(round(number))
    if p.logical_type == "timestamp":
        return datetime.fromtimestamp(round(number), UTC)
    return round(number) if p.logical_type == "integer" else round(number, 2)
