"""What must hold across a contract, and between the contracts of one folder."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from lienthong.contracts.faults import Fault, Faults, nearest
from lienthong.contracts.mapping import lookups_of
from lienthong.contracts.match_checking import check_master_words, check_roles
from lienthong.contracts.model import Contract, Sensitivity, Sharing

_OF_PERSONS = (Sensitivity.PERSONAL, Sensitivity.SENSITIVE)
_DATES = ("date", "timestamp")


def check_whole(contract: Contract, faults: Faults) -> None:
    """Notes what does not fit together: the key, what dates a code, what is open, the names of rules."""
    positions = [p.key_position for p in contract.key]
    if positions != list(range(1, len(positions) + 1)) or not positions:
        faults.add(
            "schema[0].properties", f"expected a primary key at positions 1, 2, …, found {positions or 'none'}", "`primaryKey: true`"
        )
    dates = [p.name for p in contract.properties if p.logical_type in _DATES]
    names = [p.name for p in contract.properties]
    for n, p in enumerate(contract.properties):
        place = f"schema[0].properties[{n}]"
        if p.key_position is not None and not p.required:
            faults.add(f"{place}.required", f"`{p.name}` is part of the key and must be `required: true`")
        if p.as_of in names and p.as_of not in dates:
            faults.add(f"{place}.asOf", f"`{p.as_of}` is no date", nearest(p.as_of, dates))
        if contract.sharing is Sharing.OPEN and p.sensitivity in _OF_PERSONS:
            faults.add(
                f"{place}.classification", f"`{p.name}` is `{p.sensitivity}` in a dataset that is open to all", "`sharing: on_request`"
            )
    if contract.valid_from is not None and contract.valid_from not in dates:
        faults.add(
            "customProperties.validFrom", f"`{contract.valid_from}` is no property that is a date", nearest(contract.valid_from, dates)
        )
    check_master_words(contract, faults)
    ids = [rule.id for rule in contract.all_rules]
    for rule_id in sorted({rule_id for rule_id in ids if ids.count(rule_id) > 1}):
        faults.add("schema[0].quality", f"two rules are called `{rule_id}`", "give each an `id` of its own")


def check_between(contracts: Mapping[str, Contract]) -> list[Fault]:
    """References to datasets or columns that no contract of the folder has, and roles of entities that none describes."""
    faults = Faults()
    check_roles(contracts, faults)
    for contract in contracts.values():
        for place, dataset, column in _referred(contract):
            target = contracts.get(dataset)
            if target is None:
                faults.add(f"{contract.id}: {place}", f"there is no dataset `{dataset}`", nearest(dataset, contracts))
            elif column not in (columns := [p.name for p in target.properties]):
                faults.add(f"{contract.id}: {place}", f"`{dataset}` has no property `{column}`", nearest(column, columns))
    return faults.found


def _referred(contract: Contract) -> Iterator[tuple[str, str, str]]:
    """(where it is said, dataset, column) of all that a contract reads of others."""
    for rule in contract.all_rules:
        if rule.kind == "reference":
            yield rule.id, str(rule.parameters["dataset"]), str(rule.parameters["column"])
    for p in contract.properties:
        if p.mapping is not None:
            for dataset, by, gives in lookups_of(p.mapping):
                yield f"{p.name}.mapping", dataset, by
                yield f"{p.name}.mapping", dataset, gives
