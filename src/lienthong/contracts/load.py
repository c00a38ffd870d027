"""From a contract's document to a `Contract`, or every fault at once, each with its place and the nearest right word."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date
from difflib import get_close_matches
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar

from lienthong.contracts.model import (
    Contract,
    Delivery,
    Expect,
    Layer,
    LegalBasis,
    Property,
    Rule,
    Sensitivity,
    Severity,
    Sharing,
    Source,
)
from lienthong.contracts.reading import Fault, faults_of_schema, read_document
from lienthong.errors import ContractError
from lienthong.standards import STANDARDS

LOGICAL_TYPES = ("string", "integer", "number", "boolean", "date", "timestamp")
RULE_PARAMETERS: Mapping[str, frozenset[str]] = {
    "required": frozenset(),
    "unique": frozenset(),
    "pattern": frozenset({"pattern"}),
    "length": frozenset({"min", "max"}),
    "range": frozenset({"min", "max", "exclusive_min", "exclusive_max"}),
    "allowed": frozenset({"values"}),
    "reference": frozenset({"dataset", "column", "as_of", "level"}),
    "compare": frozenset({"left", "operator", "right"}),
    "agree": frozenset({"kind", "id", "with"}),
    "required_when": frozenset({"column", "when"}),
}
CONTRACT_WORDS = frozenset(
    {"titleEn", "descriptionEn", "agency", "entity", "match", "survivorship", "layer", "sharing", "legalBasis", "validFrom", "expect", "sources"}
)
PROPERTY_WORDS = frozenset({"titleEn", "standard", "standardOptions", "source", "asOf", "authoritative", "mask"})
MASKS = frozenset({"last2", "last3", "year", "initials"})
EXPECT_WORDS = {
    "rowsMin": "rows_min",
    "rowsMax": "rows_max",
    "changedMaxPercent": "changed_max_percent",
    "endedMaxPercent": "ended_max_percent",
    "quarantinedMaxPercent": "quarantined_max_percent",
}
_ID = re.compile(r"[a-z][a-z0-9-]*\.[a-z][a-z0-9-]*")
_NAME = re.compile(r"[a-z][a-z0-9_]{0,49}")
_VERSION = re.compile(r"\d+\.\d+\.\d+")
_AGENCY = re.compile(r"[A-Z][A-Z0-9]*(\.[A-Z0-9]+)*")
Words = TypeVar("Words", bound=StrEnum)


def load(path: Path) -> Contract:
    """The contract of a file. Raises ContractError with every fault when it has any; the old version then stays in force."""
    return build(read_document(path), str(path))


def load_all(folder: Path) -> dict[str, Contract]:
    """Every `contract.yaml` below a folder, by dataset id, in order of id. Raises ContractError naming all faults of all files."""
    found: dict[str, Contract] = {}
    faults: list[Fault] = []
    for path in sorted(folder.rglob("contract.yaml")):
        try:
            contract = load(path)
        except ContractError as error:
            faults += [(f"{path}: {place}", what, suggestion) for place, what, suggestion in error.faults] or [(str(path), error.message, "")]
            continue
        if contract.id in found:
            faults.append((str(path), f"`{contract.id}` is the id of another contract too", "give each dataset its own id"))
        found[contract.id] = contract
    faults += _faults_between(found)
    if faults:
        raise ContractError(f"{len(faults)} faults in the contracts of `{folder}`.", faults=tuple(faults))
    return dict(sorted(found.items()))


def build(document: dict[str, Any], where: str) -> Contract:
    """The contract a document describes. Raises ContractError with all faults."""
    reader = _Reader()
    contract = reader.contract(document)
    faults = faults_of_schema(document) + reader.faults
    if faults or contract is None:
        raise ContractError(f"`{where}` has {len(faults)} fault{'s' if len(faults) != 1 else ''}.", faults=tuple(faults))
    return replace(contract, digest=_digest(contract))


def _digest(contract: Contract) -> str:
    """Hex SHA-256 over what can change a row: the columns, how they are cleaned, the rules, the key, when rows begin to be true."""
    parts = {
        "properties": [
            [p.name, p.logical_type, p.required, p.unique, p.key_position, p.standard, p.standard_options, p.source_names, p.as_of]
            for p in contract.properties
        ],
        "rules": [[r.id, r.kind, r.columns, r.parameters, r.severity] for r in contract.all_rules],
        "valid_from": contract.valid_from,
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True, ensure_ascii=False, default=str).encode()).hexdigest()


class _Reader:
    """Reads one document and gathers its faults on the way."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []

    def fault(self, place: str, what: str, suggestion: str = "") -> None:
        self.faults.append((place, what, suggestion))

    def contract(self, document: Mapping[str, Any]) -> Contract | None:
        words = self._custom(document, "", CONTRACT_WORDS)
        tables = document.get("schema")
        if not isinstance(tables, list) or len(tables) != 1 or not isinstance(tables[0], dict):
            self.fault("schema", "expected exactly one table", "a dataset is one table; describe another in a contract of its own")
            return None
        properties = self._properties(tables[0].get("properties"))
        names = [p.name for p in properties]
        rules = self._rules(tables[0].get("quality"), "schema[0].quality", None, names)
        self._check_words(document, words)
        contract = Contract(
            id=str(document.get("id", "")),
            version=str(document.get("version", "")),
            status=str(document.get("status", "")),
            title_vi=str(document.get("name") or document.get("id", "")),
            title_en=str(words.get("titleEn", "")),
            description_vi=_purpose(document.get("description")),
            description_en=str(words.get("descriptionEn", "")),
            agency=str(words.get("agency", "")),
            domain=str(document.get("domain", "")),
            properties=tuple(properties),
            rules=tuple(rules),
            sources=tuple(self._sources(words.get("sources"))),
            entity=words.get("entity"),
            layer=self._one_of(Layer, words.get("layer", "source"), "customProperties.layer"),
            sharing=self._one_of(Sharing, words.get("sharing", "on_request"), "customProperties.sharing"),
            legal_basis=tuple(self._legal_basis(words.get("legalBasis"))),
            valid_from=words.get("validFrom"),
            expect=self._expect(words.get("expect")),
            document=document,
        )
        self._check_whole(contract)
        return contract

    def _check_words(self, document: Mapping[str, Any], words: Mapping[str, Any]) -> None:
        for place, value, shape, example in (
            ("id", document.get("id"), _ID, "population.persons"),
            ("version", document.get("version"), _VERSION, "1.0.0"),
            ("customProperties.agency", words.get("agency"), _AGENCY, "H10.12"),
        ):
            if not isinstance(value, str) or not shape.fullmatch(value):
                self.fault(place, f"expected a form like `{example}`, found `{value}`")
        if not words.get("titleEn"):
            self.fault("customProperties.titleEn", "missing", "a title in English")

    def _properties(self, found: Any) -> list[Property]:
        if not isinstance(found, list) or not found:
            self.fault("schema[0].properties", "expected at least one property")
            return []
        names = [p.get("name") for p in found if isinstance(p, dict)]
        properties = [self._property(p, f"schema[0].properties[{n}]", names) for n, p in enumerate(found) if isinstance(p, dict)]
        for name in sorted({name for name in names if names.count(name) > 1}, key=str):
            self.fault("schema[0].properties", f"`{name}` stands more than once")
        return properties

    def _property(self, found: Mapping[str, Any], place: str, names: list[Any]) -> Property:
        words = self._custom(found, place + ".", PROPERTY_WORDS)
        name = str(found.get("name", ""))
        if not _NAME.fullmatch(name):
            self.fault(f"{place}.name", f"expected small letters, digits and `_`, found `{name}`", "such as `born_on`")
        kind = str(found.get("logicalType", ""))
        if kind not in LOGICAL_TYPES:
            self.fault(f"{place}.logicalType", f"expected one of {', '.join(LOGICAL_TYPES)}, found `{kind}`", _nearest(kind, LOGICAL_TYPES))
        standard = words.get("standard")
        if standard is not None:
            self._check_standard(standard, words.get("standardOptions") or {}, place)
        as_of = words.get("asOf")
        if as_of is not None and as_of != "delivery" and as_of not in names:
            self.fault(f"{place}.asOf", f"`{as_of}` is no property", _nearest(str(as_of), [*names, "delivery"]))
        mask = words.get("mask")
        if mask is not None and mask not in MASKS:
            self.fault(f"{place}.mask", f"expected one of {', '.join(sorted(MASKS))}, found `{mask}`")
        source = words.get("source", ())
        is_key = bool(found.get("primaryKey"))
        return Property(
            name=name,
            logical_type=kind,
            title_vi=str(found.get("businessName") or name),
            title_en=str(words.get("titleEn") or name.replace("_", " ")),
            description=str(found.get("description", "")),
            required=bool(found.get("required", False)),
            unique=bool(found.get("unique", False)),
            key_position=int(found.get("primaryKeyPosition", 1)) if is_key else None,
            standard=standard,
            standard_options=words.get("standardOptions") or {},
            source_names=(source,) if isinstance(source, str) else tuple(source),
            sensitivity=self._one_of(Sensitivity, found.get("classification", "internal"), f"{place}.classification"),
            authoritative=bool(words.get("authoritative", False)),
            as_of=as_of,
            mask=mask,
            examples=tuple(str(example) for example in found.get("examples") or ()),
            rules=tuple(self._type_rules(found, name) + self._rules(found.get("quality"), f"{place}.quality", name, names)),
        )

    def _check_standard(self, name: Any, options: Any, place: str) -> None:
        found = STANDARDS.get(str(name))
        if found is None:
            self.fault(f"{place}.standard", f"there is no standard `{name}`", _nearest(str(name), STANDARDS))
            return
        try:
            found.clean(None, options)
        except ValueError as error:
            self.fault(f"{place}.standardOptions", str(error))

    def _type_rules(self, found: Mapping[str, Any], name: str) -> list[Rule]:
        options = found.get("logicalTypeOptions") or {}
        rules = []
        if "pattern" in options:
            rules.append(Rule(f"{name}.pattern", "pattern", (name,), {"pattern": options["pattern"]}))
        length = {ours: options[theirs] for theirs, ours in (("minLength", "min"), ("maxLength", "max")) if theirs in options}
        if length:
            rules.append(Rule(f"{name}.length", "length", (name,), length))
        pairs = (("minimum", "min"), ("maximum", "max"), ("exclusiveMinimum", "exclusive_min"), ("exclusiveMaximum", "exclusive_max"))
        bounds = {ours: _value(options[theirs]) for theirs, ours in pairs if theirs in options}
        if bounds:
            rules.append(Rule(f"{name}.range", "range", (name,), bounds))
        return rules

    def _rules(self, found: Any, place: str, column: str | None, names: list[Any]) -> list[Rule]:
        if not isinstance(found, list):
            return []
        return [rule for n, entry in enumerate(found) if (rule := self._rule(entry, f"{place}[{n}]", column, names)) is not None]

    def _rule(self, entry: Any, place: str, column: str | None, names: list[Any]) -> Rule | None:
        if not isinstance(entry, dict) or entry.get("type") != "custom" or entry.get("engine") != "lienthong":
            self.fault(place, "a rule that is not understood", "`type: custom`, `engine: lienthong`; others cannot be judged and are never ignored")
            return None
        said = entry.get("implementation")
        if not isinstance(said, dict) or said.get("rule") not in RULE_PARAMETERS:
            kind = said.get("rule") if isinstance(said, dict) else said
            self.fault(f"{place}.implementation.rule", f"there is no kind of rule `{kind}`", _nearest(str(kind), RULE_PARAMETERS))
            return None
        kind = said["rule"]
        parameters = {k: _value(v) for k, v in said.items() if k not in ("rule", "message_vi", "message_en", "columns")}
        for unknown in sorted(set(parameters) - RULE_PARAMETERS[kind]):
            self.fault(f"{place}.implementation.{unknown}", f"`{kind}` has no such parameter", _nearest(unknown, RULE_PARAMETERS[kind]))
        columns = tuple(said.get("columns") or ((column,) if column else _columns_of(kind, parameters, names)))
        for name in columns:
            if name not in names:
                self.fault(f"{place}.implementation", f"`{name}` is no property", _nearest(str(name), names))
        if kind == "reference" and not {"dataset", "column"} <= set(parameters):
            self.fault(f"{place}.implementation", "a reference names `dataset` and `column`")
        if not columns:
            self.fault(f"{place}.implementation", "the rule reads no property", "name its `columns`")
            return None
        return Rule(
            id=str(entry.get("id") or f"{columns[0]}.{kind}"),
            kind=kind,
            columns=columns,
            parameters=parameters,
            severity=self._one_of(Severity, entry.get("severity", "error"), f"{place}.severity"),
            message_vi=str(said.get("message_vi", "")),
            message_en=str(said.get("message_en", "")),
        )

    def _sources(self, found: Any) -> list[Source]:
        sources = []
        for n, entry in enumerate(found if isinstance(found, list) else []):
            place = f"customProperties.sources[{n}]"
            unknown = sorted(set(entry) - {"name", "connector", "location", "delivery", "options"})
            for word in unknown:
                self.fault(f"{place}.{word}", "unknown", _nearest(word, ("name", "connector", "location", "delivery", "options")))
            for word in ("name", "connector", "location"):
                if not isinstance(entry.get(word), str) or not entry.get(word):
                    self.fault(f"{place}.{word}", "missing")
            delivery = self._one_of(Delivery, entry.get("delivery", "snapshot"), f"{place}.delivery")
            sources.append(
                Source(str(entry.get("name")), str(entry.get("connector")), str(entry.get("location")), delivery, entry.get("options") or {})
            )
        reserved = {"api", "correction"}
        for source in sources:
            if source.name in reserved or sum(source.name == other.name for other in sources) > 1:
                self.fault("customProperties.sources", f"the name `{source.name}` is taken", "each source has a name of its own")
        return sources

    def _legal_basis(self, found: Any) -> list[LegalBasis]:
        basis = []
        for n, entry in enumerate(found if isinstance(found, list) else []):
            place = f"customProperties.legalBasis[{n}]"
            if not isinstance(entry, dict) or not entry.get("text"):
                self.fault(place, "expected `text` and, where known, `validFrom` and `validTo`")
                continue
            basis.append(
                LegalBasis(entry["text"], self._date(entry.get("validFrom"), place), self._date(entry.get("validTo"), place))
            )
        return basis

    def _date(self, value: Any, place: str) -> date | None:
        if value is None:
            return None
        try:
            return date.fromisoformat(str(value))
        except ValueError:
            self.fault(place, f"expected a date such as 2025-07-01, found `{value}`")
            return None

    def _expect(self, found: Any) -> Expect:
        if found is None:
            return Expect()
        bounds: dict[str, Any] = {}
        for word, value in found.items():
            if word not in EXPECT_WORDS:
                self.fault(f"customProperties.expect.{word}", "unknown bound", _nearest(word, EXPECT_WORDS))
            elif isinstance(value, bool) or not isinstance(value, int | float) or value < 0 or ("Percent" in word and value > 100):  # noqa: PLR2004 # per cent
                self.fault(f"customProperties.expect.{word}", f"expected a number from 0, percentages to 100, found `{value}`")
            else:
                bounds[EXPECT_WORDS[word]] = value
        expect = Expect(**bounds)
        if expect.rows_min is not None and expect.rows_max is not None and expect.rows_min > expect.rows_max:
            self.fault("customProperties.expect", f"rowsMin {expect.rows_min} is more than rowsMax {expect.rows_max}")
        return expect

    def _custom(self, found: Mapping[str, Any], place: str, known: frozenset[str]) -> dict[str, Any]:
        words: dict[str, Any] = {}
        for n, entry in enumerate(found.get("customProperties") or ()):
            word = entry.get("property") if isinstance(entry, dict) else None
            if word not in known:
                self.fault(f"{place}customProperties[{n}]", f"`{word}` is not understood", _nearest(str(word), known))
            elif word in words:
                self.fault(f"{place}customProperties[{n}]", f"`{word}` stands twice")
            else:
                words[str(word)] = entry.get("value")
        return words

    def _one_of(self, kind: type[Words], value: Any, place: str) -> Words:
        try:
            return kind(value)
        except ValueError:
            words = [word.value for word in kind]
            self.fault(place, f"expected one of {', '.join(words)}, found `{value}`", _nearest(str(value), words))
            return next(iter(kind))

    def _check_whole(self, contract: Contract) -> None:
        positions = [p.key_position for p in contract.key]
        if positions != list(range(1, len(positions) + 1)) or not positions:
            self.fault("schema[0].properties", f"expected a primary key at positions 1, 2, …, found {positions or 'none'}", "`primaryKey: true`")
        for p in contract.key:
            if not p.required:
                self.fault(f"schema[0].properties.{p.name}", "a key property must be `required: true`")
        dates = {p.name for p in contract.properties if p.logical_type in ("date", "timestamp")}
        dating = {p.as_of for p in contract.properties if p.as_of not in (None, "delivery")} | ({contract.valid_from} - {None})
        for name in sorted(str(name) for name in dating if name not in dates):
            self.fault("customProperties", f"`{name}` must be a date to date anything", _nearest(name, dates))
        if contract.sharing is Sharing.OPEN:
            for p in contract.properties:
                if p.sensitivity in (Sensitivity.PERSONAL, Sensitivity.SENSITIVE):
                    self.fault(f"schema[0].properties.{p.name}", f"`{p.sensitivity}` in a dataset that is open to all", "share it on request")
        ids = [rule.id for rule in contract.all_rules]
        for rule_id in sorted({i for i in ids if ids.count(i) > 1}):
            self.fault("schema[0].quality", f"two rules are called `{rule_id}`")


def _columns_of(kind: str, parameters: Mapping[str, Any], names: list[Any]) -> tuple[str, ...]:
    if kind == "compare":
        return tuple(str(side) for side in (parameters.get("left"), parameters.get("right")) if side in names)
    if kind == "agree":
        return tuple(str(parameters[part]) for part in ("id", "with") if part in parameters)
    if kind == "required_when":
        when = parameters.get("when") or {}
        return tuple(str(name) for name in (parameters.get("column"), when.get("column")) if name)
    return ()


def _faults_between(contracts: Mapping[str, Contract]) -> list[Fault]:
    """References to datasets or columns that no contract of the folder has."""
    faults = []
    for contract in contracts.values():
        for rule in contract.all_rules:
            if rule.kind != "reference":
                continue
            target = contracts.get(rule.parameters["dataset"])
            if target is None:
                faults.append((f"{contract.id}: {rule.id}", f"refers to unknown `{rule.parameters['dataset']}`", _nearest(rule.parameters["dataset"], contracts)))
            elif rule.parameters["column"] not in {p.name for p in target.properties}:
                faults.append((f"{contract.id}: {rule.id}", f"`{target.id}` has no `{rule.parameters['column']}`", _nearest(rule.parameters["column"], [p.name for p in target.properties])))
    return faults


def _purpose(description: Any) -> str:
    return str(description.get("purpose", "")) if isinstance(description, dict) else str(description or "")


def _value(value: Any) -> Any:
    """A date written as text becomes a date; everything else stays."""
    if isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\d", value):
        try:
            return date.fromisoformat(value)
        except ValueError:
            return value
    return value


def _nearest(word: str, words: Iterable[Any]) -> str:
    near = get_close_matches(word, [str(known) for known in words], n=1, cutoff=0.5)
    return f"did you mean `{near[0]}`?" if near else ""
