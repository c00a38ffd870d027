"""In which order datasets are taken in: what others refer to comes first."""

from __future__ import annotations

from collections.abc import Mapping
from graphlib import CycleError, TopologicalSorter

from lienthong.contracts import Contract
from lienthong.errors import RunError


def reading_order(contracts: Mapping[str, Contract]) -> list[str]:
    """Dataset ids, referred-to ones first, else by id. Raises RunError when two datasets refer to each other."""
    graph = {
        name: {str(rule.parameters["dataset"]) for rule in contracts[name].all_rules if rule.kind == "reference"}
        & (set(contracts) - {name})
        for name in sorted(contracts)
    }
    try:
        return list(TopologicalSorter(graph).static_order())
    except CycleError as error:
        raise RunError(
            f"These datasets refer to one another: {', '.join(error.args[1])}.", hint="One of the references must be a warning elsewhere."
        ) from error
