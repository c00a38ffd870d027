"""Where a dataset comes from and where it goes, one step each way: exactly what contracts say, nothing parsed or guessed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from lienthong.contracts import Contract, Layer
from lienthong.contracts.mapping import lookups_of


@dataclass(frozen=True)
class Step:
    """A neighbour. `kind`: source (a connector), list (a code list it must agree with), register (its records are matched), dataset, master.

    `name` is a dataset's id, or the connector's.
    """

    kind: str
    name: str


@dataclass(frozen=True)
class Lineage:
    before: tuple[Step, ...]
    after: tuple[Step, ...]


def lineage_of(contract: Contract, contracts: Mapping[str, Contract]) -> Lineage:
    """One hop each way, each neighbour once, in the order of their names."""
    before = [Step("source", source.connector) for source in contract.sources]
    before += [Step("list", name) for name in _lists(contract) if name in contracts]
    if contract.layer is Layer.MASTER:
        before += [Step("register", other.id) for other in contracts.values() if _speaks_of(other, contract)]
    after = [Step("dataset", other.id) for other in contracts.values() if other.id != contract.id and contract.id in _lists(other)]
    after += [Step("master", other.id) for other in contracts.values() if other.layer is Layer.MASTER and _speaks_of(contract, other)]
    return Lineage(_once(before), _once(after))


@dataclass(frozen=True)
class ColumnStep:
    """One column and a neighbour of it. `is_before`: it comes from there (or must agree with it); else it goes there. `kind`, `name` as in Step."""

    column: str
    is_before: bool
    kind: str
    name: str
    other: str


def columns_of(contract: Contract, contracts: Mapping[str, Contract]) -> tuple[ColumnStep, ...]:
    """Where each column comes from and where it goes, one hop: exactly what contracts say."""
    found = [
        ColumnStep(p.name, True, "source", source.name, heading)
        for source in contract.sources
        for p in contract.properties
        for heading in (p.reads or p.source_names or (p.name,))
    ]
    found += [ColumnStep(here, True, "list", there, column) for here, there, column in _references(contract) if there in contracts]
    for other in contracts.values():
        if other.id != contract.id:
            found += [
                ColumnStep(column, False, "dataset", other.id, here) for here, there, column in _references(other) if there == contract.id
            ]
        if contract.layer is Layer.MASTER:
            found += [ColumnStep(attribute, True, "register", other.id, name) for attribute, name in _given(other, contract)]
        if other.layer is Layer.MASTER:
            found += [ColumnStep(name, False, "master", other.id, attribute) for attribute, name in _given(contract, other)]
    order = {p.name: place for place, p in enumerate(contract.properties)}
    known = {step for step in found if step.column in order}
    return tuple(sorted(known, key=lambda step: (order[step.column], not step.is_before, step.kind, step.name, step.other)))


def _references(contract: Contract) -> list[tuple[str, str, str]]:
    """(column here, dataset, column there) of every rule that holds a column to a list, and of every look-up of a mapping."""
    ruled = [
        (column, str(rule.parameters["dataset"]), str(rule.parameters["column"]))
        for rule in contract.all_rules
        if rule.kind == "reference"
        for column in rule.columns
    ]
    looked_up = [
        (p.name, dataset, gives) for p in contract.properties if p.mapping is not None for dataset, _, gives in lookups_of(p.mapping)
    ]
    return ruled + looked_up


def _given(contract: Contract, master: Contract) -> list[tuple[str, str]]:
    """(attribute of the golden record, property it comes from) of what a register says of an entity."""
    if not _speaks_of(contract, master):
        return []
    return [
        (attribute, name)
        for role in contract.match
        if role.entity == master.entity
        for attribute, names in role.attributes.items()
        for name in names
    ]


def _lists(contract: Contract) -> set[str]:
    return {dataset for _, dataset, _ in _references(contract)}


def _speaks_of(contract: Contract, master: Contract) -> bool:
    return contract.id != master.id and any(role.entity == master.entity for role in contract.match)


def _once(steps: list[Step]) -> tuple[Step, ...]:
    order = ("source", "list", "register", "dataset", "master")
    return tuple(sorted(set(steps), key=lambda step: (order.index(step.kind), step.name)))
