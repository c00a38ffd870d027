"""What must hold of master data across a contract, and between the contracts of one folder."""

from __future__ import annotations

from collections.abc import Mapping

from lienthong.contracts.faults import Faults, nearest
from lienthong.contracts.model import Contract, Layer, source_name

_DATES = ("date", "timestamp")
PROVENANCE = "provenance"  # where a golden record says where its values come from


def check_master_words(contract: Contract, faults: Faults) -> None:
    """Words of master data where they mean nothing, a master contract that cannot hold golden records, dates that are none."""
    dates = [p.name for p in contract.properties if p.logical_type in _DATES]
    for n, role in enumerate(contract.match):
        if role.dated_by is not None and role.dated_by not in dates:
            faults.add(f"customProperties.match[{n}].datedBy", f"`{role.dated_by}` is no date", nearest(role.dated_by, dates))
    if contract.layer is Layer.MASTER and contract.entity is not None:
        _check_master(contract, faults)
        return
    for n, p in enumerate(contract.properties):
        if p.match is not None or p.survivorship:
            faults.add(
                f"schema[0].properties[{n}].customProperties",
                f"`match` and `survivorship` of `{p.name}` belong in a master contract",
                "`layer: master` with an `entity`",
            )


def _check_master(contract: Contract, faults: Faults) -> None:
    if [p.logical_type for p in contract.key] != ["string"]:
        faults.add("schema[0].properties", "a golden record has one key, its id, of type `string`", "`golden_id`")
    if contract.sources:
        faults.add("customProperties.sources", "golden records are made, not delivered", "leave `sources` out")
    if contract.match:
        faults.add("customProperties.match", "a master contract speaks of no other entity", "`match` belongs in the registers")
    for n, p in enumerate(contract.properties):
        if (p.key_position is not None or p.name == PROVENANCE) and (p.match is not None or p.survivorship):
            faults.add(f"schema[0].properties[{n}].customProperties", f"`{p.name}` is made by us: it is not compared or chosen")
    _check_beside(contract, faults)
    apart = [p.name for p in contract.properties if p.match is not None and p.match.options.get("apart")]
    if len(apart) == 1:
        faults.add("schema[0].properties", f"only `{apart[0]}` is `apart`: one slip would part two records", "mark two or more, or none")


def _check_beside(contract: Contract, faults: Faults) -> None:
    """Attributes that stand beside another: another name beside the usual one, an earlier number beside the one that replaced it."""
    compared = {p.name: p.match for p in contract.properties if p.match is not None and p.match.options.get("compare") is not False}
    names = [name for name, spec in compared.items() if spec.kind == "person_name"]
    numbers = [name for name, spec in compared.items() if spec.kind == "identifier" and spec.options.get("unique")]
    for n, p in enumerate(contract.properties):
        if p.match is None:
            continue
        place, beside = f"schema[0].properties[{n}].match.of", p.match.options.get("of")
        if p.match.kind == "other_name":
            if beside not in names:
                faults.add(place, "expected the attribute of the usual name, of kind `person_name`", nearest(str(beside or ""), names))
        elif beside is not None:
            if p.match.kind != "identifier" or not p.match.options.get("weak"):
                faults.add(place, "only an `other_name` or a `weak` identifier stands beside another attribute")
            elif beside not in numbers:
                faults.add(
                    place, "expected the attribute of the number that replaced it, a `unique` identifier", nearest(str(beside), numbers)
                )


def check_roles(contracts: Mapping[str, Contract], faults: Faults) -> None:
    """Roles of an entity or attribute no master contract has, two masters of one entity, authorities that say nothing."""
    masters: dict[str, Contract] = {}
    for contract in contracts.values():
        if contract.layer is Layer.MASTER and contract.entity is not None:
            if contract.entity in masters:
                faults.add(contract.id, f"`{masters[contract.entity].id}` is the master contract of `{contract.entity}` already")
            masters.setdefault(contract.entity, contract)
    speakers: dict[tuple[str, str], list[str]] = {}
    for contract in contracts.values():
        for n, role in enumerate(contract.match):
            place = f"{contract.id}: match[{n}]"
            master = masters.get(role.entity)
            if master is None:
                faults.add(place, f"no master contract is of `{role.entity}`", nearest(role.entity, masters))
                continue
            names = [p.name for p in master.properties if p.key_position is None and p.name != PROVENANCE]
            for attribute in role.attributes:
                if attribute not in names:
                    faults.add(place, f"`{master.id}` has no attribute `{attribute}`", nearest(attribute, names))
                speakers.setdefault((role.entity, attribute), []).append(source_name(contract, role))
    for master in masters.values():
        _check_authorities(master, speakers, faults)


def _check_authorities(master: Contract, speakers: Mapping[tuple[str, str], list[str]], faults: Faults) -> None:
    for p in master.properties:
        known = speakers.get((str(master.entity), p.name), [])
        for rule in p.survivorship:
            for source in rule.parameters.get("of", ()):
                if source not in known:
                    faults.add(f"{master.id}: {p.name}", f"`{source}` says nothing of `{p.name}`", nearest(source, known))
