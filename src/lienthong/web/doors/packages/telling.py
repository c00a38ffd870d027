"""What a caller sees of a dataset's fields, and the rules a file of theirs keeps: what both descriptions are made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from lienthong.contracts import LICENCES, Contract, Property, Severity

_NAME = {"cc-by-4.0": "CC-BY-4.0", "cc0-1.0": "CC0-1.0", "odc-by-1.0": "ODC-BY-1.0", "pddl-1.0": "ODC-PDDL-1.0"}  # of opendefinition.org


@dataclass(frozen=True)
class Fingerprint:
    """Of a file that is always the same for one version: how long it is, its SHA-256, how many rows it has."""

    size: int
    sha256: str
    rows: int


@dataclass(frozen=True)
class Told:
    """A dataset as one caller sees it. `masked` fields show as text that keeps no rule. `fingerprint` of its CSV, where it is known."""

    contract: Contract
    fields: tuple[str, ...]
    masked: frozenset[str]
    owner: str
    version: int = 0
    known_at: datetime | None = None
    fingerprint: Fingerprint | None = None
    lists: tuple[Told, ...] = field(default=())  # open datasets its values refer to

    @property
    def properties(self) -> list[Property]:
        return [self.contract.property_named(name) for name in self.fields]

    def is_plain(self, p: Property) -> bool:
        """Whether its values are those of the contract."""
        return p.name not in self.masked


def key_of(told: Told) -> list[str]:
    """The key, where a caller sees all of it as it is; else nothing."""
    key = [p.name for p in told.contract.key]
    return key if all(name in told.fields and name not in told.masked for name in key) else []


def references_of(told: Told) -> list[tuple[str, Told, str]]:
    """(field, the dataset it refers to, the field there), for lists that come along."""
    by_id = {each.contract.id: each for each in told.lists}
    found = []
    for rule in told.contract.all_rules:
        target = by_id.get(str(rule.parameters.get("dataset"))) if rule.kind == "reference" else None
        if target is not None and rule.severity is Severity.ERROR and len(rule.columns) == 1 and rule.columns[0] in told.fields:
            found.append((rule.columns[0], target, str(rule.parameters["column"])))
    return found


def rules_of(p: Property, contract: Contract) -> dict[str, Any]:
    """What every value of a field keeps, in Table Schema's words. What only warns is no promise."""
    found: dict[str, Any] = {}
    if p.required or p.key_position is not None:
        found["required"] = True
    if p.unique or [p.name] == [each.name for each in contract.key]:
        found["unique"] = True
    for rule in contract.all_rules:
        if rule.severity is Severity.ERROR and rule.columns == (p.name,):
            found |= _rule(rule.kind, rule.parameters, p)
    codes = p.standard_options.get("values")
    if isinstance(codes, Mapping | list) and p.standard == "code_list":
        found["enum"] = [str(code) for code in codes]
    return found


def _rule(kind: str, parameters: Mapping[str, Any], p: Property) -> dict[str, Any]:
    if kind == "pattern" and p.logical_type == "string":
        text = str(parameters["pattern"])
        whole = text.startswith("^") and text.endswith("$") and not text.endswith("\\$")
        return {"pattern": text[1:-1]} if whole else {}  # Table Schema's patterns are of the whole value
    if kind == "length":
        return {
            name: int(parameters[word]) for word, name in (("min", "minLength"), ("max", "maxLength")) if parameters.get(word) is not None
        }
    if kind == "range":
        words = (("min", "minimum"), ("max", "maximum"), ("exclusive_min", "exclusiveMinimum"), ("exclusive_max", "exclusiveMaximum"))
        return {name: parameters[word] for word, name in words if parameters.get(word) not in (None, "today")}
    if kind == "allowed":
        return {"enum": [str(value) if p.logical_type == "string" else value for value in parameters["values"]]}
    return {}


def licence_of(contract: Contract, base: str) -> dict[str, str] | None:
    """The licence in Data Package's words."""
    licence = LICENCES.get(contract.licence or "")
    if licence is None:
        return None
    return {
        "name": _NAME.get(licence.code, licence.code),
        "title": licence.title_vi,
        "path": licence.url or f"{base}/v1/licences/{licence.code}",
    }


def contact_of(contract: Contract) -> str:
    """Who is asked about the dataset: a role, never a person."""
    team = contract.document.get("team")
    return str(team.get("description") or team.get("name") or "") if isinstance(team, dict) else ""


def words_of(contract: Contract) -> Sequence[str]:
    return list(dict.fromkeys(word for word in (contract.domain, contract.entity or "", contract.layer.value) if word))
