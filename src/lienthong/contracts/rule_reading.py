"""From `quality` entries and `logicalTypeOptions` to rules. What is not understood is a fault: no rule is ever ignored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import polars as pl

from lienthong.contracts.faults import Faults, nearest, plain_value
from lienthong.contracts.model import Rule, Severity
from lienthong.contracts.vocabulary import AGREEMENTS, ENTRY_WORDS, OPERATORS, RULE_PARAMETERS, TYPE_OPTIONS

_ALIKE = (("min", "max"), ("exclusive_min", "exclusive_max"))


def rules_of_type(options: Mapping[str, Any], column: str, faults: Faults, place: str) -> list[Rule]:
    """Rules that stand as `logicalTypeOptions` of a property."""
    faults.known(options, TYPE_OPTIONS, place)
    found: dict[str, dict[str, Any]] = {}
    for theirs, (kind, ours) in TYPE_OPTIONS.items():
        if theirs in options:
            found.setdefault(kind, {})[ours] = plain_value(options[theirs])
    for kind, parameters in found.items():
        _check_parameters(kind, parameters, (), faults, place)
    return [Rule(f"{column}.{kind}", kind, (column,), parameters) for kind, parameters in found.items()]


def rules_of_quality(entries: Any, column: str | None, names: Sequence[str], faults: Faults, place: str) -> list[Rule]:
    """Rules that stand under `quality`, of a property (`column`) or of the table (None)."""
    rules = [_rule(entry, column, names, faults, f"{place}[{n}]") for n, entry in enumerate(faults.entries(entries, place))]
    return [rule for rule in rules if rule is not None]


def _rule(entry: Any, column: str | None, names: Sequence[str], faults: Faults, place: str) -> Rule | None:
    if not isinstance(entry, dict) or entry.get("type") != "custom" or entry.get("engine") != "lienthong":
        faults.add(
            place, "a rule that is not understood", "write `type: custom`, `engine: lienthong`: what cannot be judged is never ignored"
        )
        return None
    place += ".implementation"
    said = faults.mapping(entry.get("implementation"), place)
    kind = said.get("rule")
    if not isinstance(kind, str) or kind not in RULE_PARAMETERS:
        faults.add(f"{place}.rule", f"there is no kind of rule `{kind}`", nearest(kind, RULE_PARAMETERS))
        return None
    parameters = {name: plain_value(value) for name, value in said.items() if name not in ENTRY_WORDS}
    _check_parameters(kind, parameters, names, faults, place)
    columns = _columns(kind, said, parameters, column, names, faults, place)
    for name in columns:
        if name not in names:
            faults.add(place, f"`{name}` is no property", nearest(name, names))
    if not columns:
        faults.add(place, "the rule reads no property", "name its `columns`")
        return None
    return Rule(
        id=faults.text(entry.get("id"), f"{place}.id") or f"{columns[0]}.{kind}",
        kind=kind,
        columns=columns,
        parameters=parameters,
        severity=faults.one_of(Severity, entry.get("severity"), f"{place.removesuffix('.implementation')}.severity", Severity.ERROR),
        message_vi=faults.text(said.get("message_vi"), f"{place}.message_vi"),
        message_en=faults.text(said.get("message_en"), f"{place}.message_en"),
    )


def _columns(
    kind: str, said: Mapping[str, Any], parameters: Mapping[str, Any], column: str | None, names: Sequence[str], faults: Faults, place: str
) -> tuple[str, ...]:
    if "columns" in said:
        return faults.texts(said["columns"], f"{place}.columns")
    if kind == "compare":
        right = parameters.get("right")
        return (str(parameters.get("left")), *((right,) if isinstance(right, str) and right in names else ()))
    if kind == "agree":
        return tuple(str(parameters[part]) for part in ("id", "with") if part in parameters)
    if kind == "required_when":
        when = parameters.get("when")
        return (str(parameters.get("column")), *((str(when.get("column")),) if isinstance(when, dict) else ()))
    return () if column is None else (column,)


def _check_parameters(kind: str, parameters: Mapping[str, Any], names: Sequence[str], faults: Faults, place: str) -> None:
    must, may = RULE_PARAMETERS[kind]
    for name in parameters:
        if name not in (*must, *may):
            faults.add(f"{place}.{name}", f"`{kind}` has no such parameter", nearest(name, (*must, *may)))
    missing = [name for name in must if name not in parameters]
    for name in missing:
        faults.add(f"{place}.{name}", f"`{kind}` needs it")
    if not must and may and not any(name in parameters for name in may):
        faults.add(place, f"`{kind}` needs a bound", f"one of {', '.join(may)}")
    if missing:
        return
    check = _CHECKS.get(kind)
    if check is not None:
        check(parameters, names, faults, place)


def _check_pattern(parameters: Mapping[str, Any], _: Sequence[str], faults: Faults, place: str) -> None:
    try:
        pl.select(pl.lit("").str.contains(str(parameters["pattern"])))
    except pl.exceptions.ComputeError:
        faults.add(
            f"{place}.pattern", f"`{parameters['pattern']}` is no regular expression", "RE2 kind: no look-around, no back-references"
        )


def _check_bounds(parameters: Mapping[str, Any], _: Sequence[str], faults: Faults, place: str) -> None:
    for name, value in parameters.items():
        if isinstance(value, bool) or not (isinstance(value, int | float | date) or value == "today"):
            faults.add(f"{place}.{name}", f"expected a number, a date or `today`, found `{value}`")
            return
    for low, high in _ALIKE:
        smallest, largest = parameters.get(low), parameters.get(high)
        if None in (smallest, largest) or "today" in (smallest, largest):
            continue
        if isinstance(smallest, date) != isinstance(largest, date):
            faults.add(place, f"`{low}` and `{high}` must both be numbers or both dates")
        elif smallest > largest:  # type: ignore[operator] # both numbers or both dates, told above
            faults.add(place, f"`{low}` {smallest} is more than `{high}` {largest}")


def _check_allowed(parameters: Mapping[str, Any], _: Sequence[str], faults: Faults, place: str) -> None:
    values = parameters["values"]
    if not isinstance(values, list) or not values or any(isinstance(value, dict | list) for value in values):
        faults.add(f"{place}.values", f"expected a list of values, found `{values}`")


def _check_compare(parameters: Mapping[str, Any], names: Sequence[str], faults: Faults, place: str) -> None:
    operator, right = parameters["operator"], parameters["right"]
    if operator not in OPERATORS:
        faults.add(f"{place}.operator", f"expected one of {', '.join(OPERATORS)}, found `{operator}`")
    if isinstance(right, str) and right != "today" and right not in names:
        faults.add(f"{place}.right", f"`{right}` is no property, number or date", nearest(right, names))


def _check_agree(parameters: Mapping[str, Any], _: Sequence[str], faults: Faults, place: str) -> None:
    if parameters["kind"] not in AGREEMENTS:
        faults.add(
            f"{place}.kind",
            f"expected one of {', '.join(AGREEMENTS)}, found `{parameters['kind']}`",
            nearest(parameters["kind"], AGREEMENTS),
        )


def _check_when(parameters: Mapping[str, Any], _: Sequence[str], faults: Faults, place: str) -> None:
    when = parameters["when"]
    if not isinstance(when, dict) or set(when) != {"column", "equals"}:
        faults.add(f"{place}.when", f"expected `column` and `equals`, found `{when}`")


def _check_reference(parameters: Mapping[str, Any], names: Sequence[str], faults: Faults, place: str) -> None:
    as_of = parameters.get("as_of")
    if as_of is not None and as_of != "delivery" and as_of not in names:
        faults.add(f"{place}.as_of", f"`{as_of}` is no property", nearest(as_of, (*names, "delivery")))


_CHECKS = {
    "pattern": _check_pattern,
    "length": _check_bounds,
    "range": _check_bounds,
    "allowed": _check_allowed,
    "compare": _check_compare,
    "agree": _check_agree,
    "required_when": _check_when,
    "reference": _check_reference,
}
