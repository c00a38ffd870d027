"""Reads what a contract says of master data: roles of a dataset, how attributes are compared, whose value survives."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from lienthong.contracts.faults import Fault, Faults, nearest
from lienthong.contracts.model import Contract, Layer, MatchRole, MatchSpec, SurvivorshipRule
from lienthong.contracts.vocabulary import KINDS, MATCH_OPTIONS, ROLE_WORDS, SURVIVORSHIP_PARAMETERS, SURVIVORSHIP_RULES

_FLAGS = ("unique", "weak", "apart", "shared", "compare")
_ROLE = re.compile(r"[a-z][a-z0-9_]{0,29}")


def roles(found: Any, names: Sequence[str], faults: Faults) -> tuple[MatchRole, ...]:
    """The roles of a dataset; `names` are its properties."""
    read = []
    for n, entry in enumerate(faults.entries(found, "customProperties.match")):
        place = f"customProperties.match[{n}]"
        said = faults.mapping(entry, place)
        faults.known(said, ROLE_WORDS, place)
        entity, role = faults.text(said.get("entity"), f"{place}.entity"), faults.text(said.get("role"), f"{place}.role")
        if not entity:
            faults.add(f"{place}.entity", "missing")
        if role and not _ROLE.fullmatch(role):
            faults.add(f"{place}.role", f"expected small letters, digits and `_`, found `{role}`")
        dated_by = faults.text(said.get("datedBy"), f"{place}.datedBy") or None
        by = faults.texts(said.get("by"), f"{place}.by")
        attributes = {str(a): faults.texts(p, f"{place}.attributes.{a}") for a, p in faults.mapping(said.get("attributes"), place).items()}
        if not attributes:
            faults.add(f"{place}.attributes", "missing", "attribute: property")
        unless = {str(name): str(pattern) for name, pattern in faults.mapping(said.get("unless"), f"{place}.unless").items()}
        for name, pattern in unless.items():
            _check_pattern(pattern, faults, f"{place}.unless.{name}")
        for used, where in (
            (tuple(unless), "unless"),
            (by, "by"),
            ((dated_by,) if dated_by else (), "datedBy"),
            *((p, f"attributes.{a}") for a, p in attributes.items()),
        ):
            for name in used:
                if name not in names:
                    faults.add(f"{place}.{where}", f"`{name}` is no property", nearest(name, names))
        read.append(MatchRole(entity, role, faults.flag(said.get("unique"), f"{place}.unique"), dated_by, by, attributes, unless))
    named = [(r.entity, r.role) for r in read]
    for entity, role in sorted({each for each in named if named.count(each) > 1}):
        faults.add("customProperties.match", f"two roles speak of `{entity}` under the name `{role}`", "give each a `role` of its own")
    return tuple(read)


def match_spec(found: Any, faults: Faults, place: str) -> MatchSpec | None:
    """How an attribute is compared; None when nothing is said."""
    if found is None:
        return None
    said = faults.mapping(found, f"{place}.match")
    faults.known(said, MATCH_OPTIONS, f"{place}.match")
    kind = said.get("kind")
    if kind not in KINDS:
        faults.add(f"{place}.match.kind", f"there is no kind `{kind}`", nearest(kind, KINDS))
    options = {word: value for word, value in said.items() if word != "kind" and word in MATCH_OPTIONS}
    for word in _FLAGS:
        if word in options:
            faults.flag(options[word], f"{place}.match.{word}")
    pattern = options.get("pattern")
    if pattern is not None:
        _check_pattern(pattern, faults, f"{place}.match.pattern")
    return MatchSpec(str(kind), options)


def survivorship(found: Any, faults: Faults, place: str) -> tuple[SurvivorshipRule, ...]:
    """The rules that choose among values, in order of appeal. A rule without parameters may stand as a word."""
    rules = []
    for n, entry in enumerate(faults.entries(found, f"{place}.survivorship")):
        where = f"{place}.survivorship[{n}]"
        said: Mapping[str, Any] = {"rule": entry} if isinstance(entry, str) else faults.mapping(entry, where)
        rule = said.get("rule")
        if rule not in SURVIVORSHIP_RULES:
            faults.add(where, f"there is no rule `{rule}`", nearest(rule, SURVIVORSHIP_RULES))
            continue
        wanted = SURVIVORSHIP_PARAMETERS.get(str(rule), ())
        given = {word: value for word, value in said.items() if word != "rule"}
        for word in wanted:
            if word not in given:
                faults.add(f"{where}.{word}", f"missing: `{rule}` needs it")
        for word in given:
            if word not in wanted:
                faults.add(f"{where}.{word}", f"`{rule}` has no such parameter", nearest(word, wanted))
        if rule == "authority" and "of" in given:
            given["of"] = faults.texts(given["of"], f"{where}.of")
        if rule == "prefer" and "pattern" in given:
            _check_pattern(given["pattern"], faults, f"{where}.pattern")
        rules.append(SurvivorshipRule(str(rule), given))
    return tuple(rules)


def _check_pattern(pattern: Any, faults: Faults, place: str) -> None:
    try:
        re.compile(str(pattern))
    except re.error as error:
        faults.add(place, f"`{pattern}` is no pattern: {error}")


def check_roles(contracts: Mapping[str, Contract], faults: Faults) -> None:
    """Roles that speak of an entity or an attribute no master contract has, and two master contracts of one entity."""
    masters: dict[str, Contract] = {}
    for contract in contracts.values():
        if contract.layer is Layer.MASTER and contract.entity is not None:
            if contract.entity in masters:
                faults.add(contract.id, f"`{masters[contract.entity].id}` is the master contract of `{contract.entity}` already")
            masters[contract.entity] = contract
    for contract in contracts.values():
        for n, role in enumerate(contract.match):
            place = f"{contract.id}: match[{n}]"
            master = masters.get(role.entity)
            if master is None:
                faults.add(place, f"no master contract is of `{role.entity}`", nearest(role.entity, masters))
                continue
            names = [p.name for p in master.properties]
            for attribute in role.attributes:
                if attribute not in names:
                    faults.add(place, f"`{master.id}` has no property `{attribute}`", nearest(attribute, names))


__all__ = ["Fault", "check_roles", "match_spec", "roles", "survivorship"]
