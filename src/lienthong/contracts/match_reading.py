"""Reads what a contract says of master data: roles of a dataset, how attributes are compared, whose value survives.

What must hold across contracts is in `match_checking.py`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from lienthong.contracts.faults import Faults, nearest
from lienthong.contracts.mapping.reading import MappingFault, read_mapping
from lienthong.contracts.mapping.tree import Kind, headings_of, kind_of, lookups_of
from lienthong.contracts.model import MatchRole, MatchSpec, SurvivorshipRule
from lienthong.contracts.vocabulary import (
    KINDS,
    MATCH_OPTIONS,
    ROLE_WORDS,
    STATEMENT_WORDS,
    SURVIVORSHIP_PARAMETERS,
    SURVIVORSHIP_RULES,
)

_FLAGS = ("unique", "weak", "apart", "shared", "compare", "parted", "today")
_CODES = ("identifier", "code")
_ROLE = re.compile(r"[a-z][a-z0-9_]{0,29}")


def roles(found: Any, names: Sequence[str], faults: Faults) -> tuple[MatchRole, ...]:
    """The roles of a dataset; `names` are its properties."""
    place = "customProperties.match"
    read = [_role(entry, names, faults, f"{place}[{n}]") for n, entry in enumerate(faults.entries(found, place))]
    named = [(each.entity, each.role) for each in read]
    for entity, role in sorted({each for each in named if named.count(each) > 1}):
        faults.add(place, f"two roles speak of `{entity}` under the name `{role}`", "give each a `role` of its own")
    return tuple(read)


def _role(entry: Any, names: Sequence[str], faults: Faults, place: str) -> MatchRole:
    said = faults.mapping(entry, place)
    faults.known(said, ROLE_WORDS, place)
    entity, name = faults.text(said.get("entity"), f"{place}.entity"), faults.text(said.get("role"), f"{place}.role")
    if not entity:
        faults.add(f"{place}.entity", "missing")
    if name and not _ROLE.fullmatch(name):
        faults.add(f"{place}.role", f"expected small letters, digits and `_`, found `{name}`")
    attributes = {
        attribute: faults.texts(properties, f"{place}.attributes.{attribute}")
        for attribute, properties in faults.mapping(said.get("attributes"), f"{place}.attributes").items()
    }
    if not attributes:
        faults.add(f"{place}.attributes", "missing", "attribute: property")
    unless = faults.mapping(said.get("unless"), f"{place}.unless")
    for column, pattern in unless.items():
        _check_pattern(pattern, faults, f"{place}.unless.{column}")
    role = MatchRole(
        entity=entity,
        role=name,
        unique=faults.flag(said.get("unique"), f"{place}.unique"),
        dated_by=faults.text(said.get("datedBy"), f"{place}.datedBy") or None,
        by=faults.texts(said.get("by"), f"{place}.by"),
        attributes=attributes,
        unless={column: str(pattern) for column, pattern in unless.items()},
    )
    _check_properties(role, names, faults, place)
    return role


def _check_properties(role: MatchRole, names: Sequence[str], faults: Faults, place: str) -> None:
    used = {
        "datedBy": () if role.dated_by is None else (role.dated_by,),
        "by": role.by,
        "unless": tuple(role.unless),
        **{f"attributes.{attribute}": properties for attribute, properties in role.attributes.items()},
    }
    for word, properties in used.items():
        for name in properties:
            if name not in names:
                faults.add(f"{place}.{word}", f"`{name}` is no property", nearest(name, names))


def match_spec(found: Any, faults: Faults, place: str) -> MatchSpec | None:
    """How an attribute is compared; None when nothing is said."""
    if found is None:
        return None
    place += ".match"
    said = faults.mapping(found, place)
    faults.known(said, MATCH_OPTIONS, place)
    kind = faults.text(said.get("kind"), f"{place}.kind")
    if kind not in KINDS:
        faults.add(f"{place}.kind", f"there is no kind `{kind}`", nearest(kind, KINDS))
    options = {word: value for word, value in said.items() if word != "kind" and word in MATCH_OPTIONS}
    for word in _FLAGS:
        faults.flag(options.get(word), f"{place}.{word}")
    faults.text(options.get("group"), f"{place}.group")
    faults.text(options.get("of"), f"{place}.of")
    if "pattern" in options:
        _check_pattern(options["pattern"], faults, f"{place}.pattern")
    if options.get("unique") is True and (kind != "identifier" or options.get("weak") is True):
        faults.add(f"{place}.unique", "only an identifier that is not `weak` can be `unique`")
    if options.get("parted") is True and kind not in _CODES:
        faults.add(f"{place}.parted", "only an identifier or a code has parts that count")
    if options.get("today") is True and kind != "place":
        faults.add(f"{place}.today", "only a place is part of another unit today")
    return MatchSpec(kind, options)


def survivorship(found: Any, faults: Faults, place: str) -> tuple[SurvivorshipRule, ...]:
    """The rules that choose among values, in order of appeal. A rule without parameters may stand as a word."""
    place += ".survivorship"
    rules = [_survivorship_rule(entry, faults, f"{place}[{n}]") for n, entry in enumerate(faults.entries(found, place))]
    return tuple(rule for rule in rules if rule is not None)


def _survivorship_rule(entry: Any, faults: Faults, place: str) -> SurvivorshipRule | None:
    said: Mapping[str, Any] = {"rule": entry} if isinstance(entry, str) else faults.mapping(entry, place)
    rule = faults.text(said.get("rule"), place)
    if rule not in SURVIVORSHIP_RULES:
        faults.add(place, f"there is no rule `{rule}`", nearest(rule, SURVIVORSHIP_RULES))
        return None
    wanted = SURVIVORSHIP_PARAMETERS.get(rule, ())
    given = {word: value for word, value in said.items() if word != "rule"}
    for word in wanted:
        if word not in given:
            faults.add(f"{place}.{word}", f"missing: `{rule}` needs it")
    for word in given:
        if word not in wanted:
            faults.add(f"{place}.{word}", f"`{rule}` has no such parameter", nearest(word, wanted))
    if rule == "authority":
        given["of"] = faults.texts(given.get("of"), f"{place}.of")
    if rule == "prefer" and "pattern" in given:
        _check_pattern(given["pattern"], faults, f"{place}.pattern")
    if rule == "expression" and "score" in given:
        _check_score(given["score"], faults, f"{place}.score")
    return SurvivorshipRule(rule, given)


def _check_score(score: Any, faults: Faults, place: str) -> None:
    """An expression of the mapping language over a statement alone: it looks nothing up, so a choice depends on what registers say and no more."""
    try:
        node = read_mapping(score if isinstance(score, str) else "")
    except MappingFault as fault:
        faults.add(place, str(fault), fault.suggestion)
        return
    for name in headings_of(node):
        if name not in STATEMENT_WORDS:
            faults.add(place, f"a statement has no `[{name}]`", nearest(name, STATEMENT_WORDS))
    if lookups_of(node):
        faults.add(place, "a score looks nothing up", "`choose` holds a table of its own")
    if kind_of(node) is Kind.TEXT:
        faults.add(place, "expected an expression that gives a number or is true or false", "`number(…)` reads a text as one")


def _check_pattern(pattern: Any, faults: Faults, place: str) -> None:
    """One record is read by Python, many by Polars: a pattern must mean something to both."""
    try:
        re.compile(faults.text(pattern, place))
        pl.select(pl.lit("").str.contains(str(pattern)))
    except (re.error, pl.exceptions.ComputeError):
        faults.add(place, f"`{pattern}` is no regular expression", "RE2 kind: no look-around, no back-references")
