"""Where a dataset comes from and where it goes, one step each way: exactly what contracts say, nothing parsed or guessed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from lienthong.contracts import Contract, Layer


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


def _lists(contract: Contract) -> set[str]:
    return {str(rule.parameters["dataset"]) for rule in contract.all_rules if rule.kind == "reference"}


def _speaks_of(contract: Contract, master: Contract) -> bool:
    return contract.id != master.id and any(role.entity == master.entity for role in contract.match)


def _once(steps: list[Step]) -> tuple[Step, ...]:
    order = ("source", "list", "register", "dataset", "master")
    return tuple(sorted(set(steps), key=lambda step: (order.index(step.kind), step.name)))
