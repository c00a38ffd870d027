"""Brings the columns of a row into agreement: comparisons between two of them, and values that another one demands."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

from lienthong.contracts import Property, Rule
from lienthong.errors import ContractError
from lienthong.synthetic.bounds import Bounds, as_value, bounds_of, operator_of, step_of
from lienthong.synthetic.profile import as_number
from lienthong.synthetic.values import Draw, Invention

SWEEPS = 6  # one comparison put right may break another
FULL_DATE = 10  # characters of 1950-03-07


def agree(work: Invention, draws: Mapping[str, Draw]) -> None:
    """Change as little as will do. Raises ContractError where the rules contradict each other."""
    _demand(work, draws)
    names = {p.name for p in work.contract.properties}
    compared = [
        rule for rule in work.contract.all_rules
        if rule.kind == "compare" and (str(rule.parameters["right"]) in names or operator_of(str(rule.parameters["operator"])) in ("=", "!="))
    ]  # fmt: skip
    if not compared:
        return
    for row in range(work.count):
        for _ in range(SWEEPS):
            if not [rule for rule in compared if _mend(work, rule, row, draws)]:
                break
        else:
            _give_up(work, [rule for rule in compared if not _holds(work, rule, row)], row)


def _demand(work: Invention, draws: Mapping[str, Draw]) -> None:
    for rule in work.contract.all_rules:
        if rule.kind != "required_when":
            continue
        when = rule.parameters["when"]
        equals = when["equals"] if isinstance(when["equals"], list | tuple) else [when["equals"]]
        wanted = {str(value) for value in equals}
        column = work.made[str(rule.parameters["column"])]
        for row, deciding in enumerate(work.made[str(when["column"])]):
            if column[row] is None and deciding is not None and _text(deciding) in wanted:
                column[row] = draws[str(rule.parameters["column"])](row)


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _mend(work: Invention, rule: Rule, row: int, draws: Mapping[str, Draw]) -> bool:
    """Whether something had to be changed."""
    if _holds(work, rule, row):
        return False
    left = work.contract.property_named(str(rule.parameters["left"]))
    operator, right_name = operator_of(str(rule.parameters["operator"])), str(rule.parameters["right"])
    right = next((p for p in work.contract.properties if p.name == right_name), None)
    if operator == "!=":
        work.made[left.name][row] = draws[left.name](row)
        return True
    if right is None:  # equal to a constant
        work.made[left.name][row] = _constant(rule.parameters["right"], left, work.today)
        return True
    first, second = (right, left) if _is_fixed(work, left) or (operator in ("<", "<=") and not _is_fixed(work, right)) else (left, right)
    for moved, other in ((first, second), (second, first)):
        value = _beside(work, moved, other, operator if moved is left else _turned(operator), row)
        if value is not None:
            work.made[moved.name][row] = value
            if _holds(work, rule, row):
                return True
    _give_up(work, [rule], row)
    return True


def _is_fixed(work: Invention, p: Property) -> bool:
    return p.name in work.told or p.key_position is not None


def _turned(operator: str) -> str:
    return {"<": ">", "<=": ">=", ">": "<", ">=": "<="}.get(operator, operator)


def _beside(work: Invention, moved: Property, other: Property, operator: str, row: int) -> Any:
    """A value of `moved` that keeps `moved operator other`; None where its bounds do not allow one."""
    if moved.logical_type == "string":
        return work.made[other.name][row] if other.logical_type == "string" and operator in ("=", "<=", ">=") else None
    there, bounds, step = _place(work.made[other.name][row], moved), bounds_of(work.contract, moved, work.today), step_of(moved)
    room = {"<": Bounds(high=there - step), "<=": Bounds(high=there), ">": Bounds(low=there + step), ">=": Bounds(low=there)}.get(
        operator, Bounds(there, there)
    )
    room = room.within(bounds)
    if room.low > room.high:
        return None
    now = work.made[moved.name][row]
    near = room.clamp(there if now is None else _place(now, moved))
    return as_value(near, moved)


def _place(value: Any, p: Property) -> float:
    """Where a value stands on the line of `p`: days for a date, seconds for an instant."""
    if p.logical_type == "date" and isinstance(value, datetime):
        return float(value.date().toordinal())
    if p.logical_type == "timestamp" and isinstance(value, date) and not isinstance(value, datetime):
        return datetime(value.year, value.month, value.day, 5, tzinfo=UTC).timestamp()
    return as_number(date.fromisoformat(value) if isinstance(value, str) else value)


def _holds(work: Invention, rule: Rule, row: int) -> bool:
    """Whether the comparison holds as `quality` sees it: what is missing breaks nothing, dates compare as far as both are known."""
    left = work.made[str(rule.parameters["left"])][row]
    right = rule.parameters["right"]
    right = (
        work.made[str(right)][row]
        if str(right) in work.made
        else _constant(right, work.contract.property_named(str(rule.parameters["left"])), work.today)
    )
    if left is None or right is None:
        return True
    if isinstance(left, str) or isinstance(right, str):
        left, right = (str(value)[:FULL_DATE] if isinstance(value, date) else str(value) for value in (left, right))
        known = min(len(left), len(right))
        left, right = left[:known], right[:known]
    elif isinstance(left, datetime) != isinstance(right, datetime):
        left, right = (value.date() if isinstance(value, datetime) else value for value in (left, right))
    return bool(
        {"<": left < right, "<=": left <= right, ">": left > right, ">=": left >= right, "=": left == right, "!=": left != right}[
            operator_of(str(rule.parameters["operator"]))
        ]
    )


def _constant(value: Any, p: Property, today: date) -> Any:
    if value == "today":
        value = today
    if isinstance(value, str) and p.logical_type in ("date", "timestamp"):
        value = datetime.fromisoformat(value) if len(value) > FULL_DATE else date.fromisoformat(value)
    if isinstance(value, str) and p.logical_type in ("integer", "number"):
        value = float(value)
    return value.isoformat() if p.logical_type == "string" and isinstance(value, date) else value


def _give_up(work: Invention, broken: list[Rule], row: int) -> None:
    """What may be missing is left out; where nothing may, the rules contradict each other."""
    for rule in broken:
        for name in (str(rule.parameters["left"]), str(rule.parameters["right"])):
            if name in work.made and not _is_needed(work, name):
                work.made[name][row] = None
                break
        else:
            raise ContractError("Rows cannot be invented for this contract.", faults=((f"rule `{rule.id}`", "contradicts the others", ""),))


def _is_needed(work: Invention, name: str) -> bool:
    p = work.contract.property_named(name)
    demanded = {str(r.parameters["column"]) for r in work.contract.all_rules if r.kind == "required_when"} | {
        r.columns[0] for r in work.contract.all_rules if r.kind == "required"
    }
    return p.required or p.key_position is not None or name in demanded
