"""An entity as its contracts describe it: the plan of its comparisons, and how a row of a register becomes a record of it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from lienthong.contracts import Contract, MatchRole, source_name
from lienthong.masterdata.kinds import Attribute
from lienthong.masterdata.plan import Plan


@dataclass(frozen=True)
class Register:
    """One road by which records of an entity come: a role of a dataset. `source` names it everywhere."""

    source: str
    contract: Contract
    role: MatchRole


@dataclass(frozen=True)
class Entity:
    """`master`: the contract of the golden records; `registers` in the order of their names."""

    name: str
    master: Contract
    registers: tuple[Register, ...]
    plan: Plan

    def register(self, source: str) -> Register:
        """The register of that name. Raises KeyError when no contract speaks of it."""
        return next_or_raise((r for r in self.registers if r.source == source), source)


def next_or_raise(found: Iterable[Register], name: str) -> Register:
    for one in found:
        return one
    raise KeyError(name)


def entities_of(contracts: Mapping[str, Contract]) -> dict[str, Entity]:
    """Every entity that has a master contract, with the registers that speak of it."""
    masters = {c.entity: c for c in contracts.values() if c.layer == "master" and c.entity is not None}
    found = {}
    for name, master in sorted(masters.items()):
        registers = tuple(
            sorted(
                (
                    Register(source_name(contract, role), contract, role)
                    for contract in contracts.values()
                    for role in contract.match
                    if role.entity == name
                ),
                key=lambda register: register.source,
            )
        )
        found[name] = Entity(name, master, registers, plan_of(name, master, registers))
    return found


def plan_of(name: str, master: Contract, registers: Iterable[Register]) -> Plan:
    """The plan: every property of the master contract that says how it is compared."""
    attributes, identifiers, apart = [], [], []
    for p in master.properties:
        if p.match is None or p.match.options.get("compare") is False:
            continue
        options = {k: v for k, v in p.match.options.items() if k not in ("unique", "apart", "weak", "compare")}
        attributes.append(Attribute(p.name, p.match.kind, options))
        if p.match.options.get("unique"):
            identifiers.append(p.name)
        if p.match.options.get("apart"):
            apart.append(p.name)
    unique = frozenset(register.source for register in registers if register.role.unique)
    return Plan(name, tuple(attributes), tuple(identifiers), tuple(apart), unique)


def carried(master: Contract, role: MatchRole) -> tuple[str, ...]:
    """The attributes a role fills, in the order of the master contract."""
    return tuple(p.name for p in master.properties if p.name in role.attributes)


def content_frame(rows: pl.DataFrame, register: Register, master: Contract) -> pl.DataFrame:
    """Rows of a dataset (`_key` and its properties) → `source`, `key`, `dated`, and every attribute of the entity as text.

    A list of properties gives the first that has a value of the attribute's form. Rows that share `by` become one record: the
    first by key.
    """
    role = register.role
    columns = [pl.lit(register.source).alias("source"), _key(role).alias("key"), _dated(role).alias("dated")]
    for p in master.properties:
        if p.key_position is not None or p.name == "provenance":
            continue
        columns.append(_attribute(role, p.name, pattern_of(master, p.name), rows.columns).alias(p.name))
    for name, pattern in role.unless.items():
        rows = rows.filter(~pl.col(name).cast(pl.String).str.contains(pattern).fill_null(value=False))
    frame = (rows if rows["_key"].is_sorted() else rows.sort("_key")).select(columns)
    if role.by:
        frame = frame.drop_nulls("key").unique("key", keep="first", maintain_order=True)
    return frame


def content_of(row: Mapping[str, Any], role: MatchRole, master: Contract) -> dict[str, Any]:
    """The attributes of one row as text, absent ones left out; the same as `content_frame` gives. Nothing for a row that is no record."""
    found: dict[str, Any] = {}
    if any(row.get(name) is not None and re.search(pattern, str(row[name])) for name, pattern in role.unless.items()):
        return found
    for name, sources in role.attributes.items():
        pattern = pattern_of(master, name)
        for source in sources:
            value = row.get(source)
            text = None if value is None else as_text(value)
            if text is not None and (pattern is None or re.fullmatch(pattern, text)):
                found[name] = text
                break
    return found


def as_text(value: Any) -> str:
    """A value as records carry it: dates in ISO form, true and false in small letters, numbers without a needless point."""
    if isinstance(value, bool):
        return "true" if value else "false"
    text = value.isoformat() if hasattr(value, "isoformat") else str(value)
    return text[:-2] if text.endswith(".0") and re.fullmatch(r"-?\d+\.0", text) else text


def pattern_of(master: Contract, name: str) -> str | None:
    """The form a value of the attribute must have to count; None: any."""
    spec = master.property_named(name).match
    return None if spec is None else spec.options.get("pattern")


def _key(role: MatchRole) -> pl.Expr:
    if not role.by:
        return pl.col("_key")
    return pl.concat_str([pl.col(name).cast(pl.String) for name in role.by], separator="|")


def _dated(role: MatchRole) -> pl.Expr:
    return pl.lit(None, pl.Date) if role.dated_by is None else pl.col(role.dated_by).cast(pl.Date)


def _attribute(role: MatchRole, name: str, pattern: str | None, columns: Iterable[str]) -> pl.Expr:
    there = set(columns)
    parts = []
    for source in role.attributes.get(name, ()):
        if source not in there:
            continue
        text = _text(source)
        parts.append(text if pattern is None else pl.when(text.str.contains(f"^(?:{pattern})$")).then(text))
    return pl.coalesce(parts) if parts else pl.lit(None, pl.String)


def _text(column: str) -> pl.Expr:
    """As `as_text` says it: a whole number has no needless point."""
    return pl.col(column).cast(pl.String).str.replace(r"^(-?\d+)\.0$", "${1}")
