"""Says what a new version of a contract means for those who use the old one: nothing, a notice, or a break.

Judged from the side of a reader of answers. What an agency must now deliver better (a rule, a required value) narrows what readers
see, so it is a notice; what readers may now meet that they never met, or miss, is a break.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from lienthong.contracts.model import Contract, Property, Sensitivity, Sharing


class Verdict(StrEnum):
    COMPATIBLE = "compatible"  # no reader sees a difference they must know of
    NOTICE = "notice"  # readers should be told; what they wrote goes on working
    BREAKING = "breaking"  # what readers wrote may fail: a new major version


@dataclass(frozen=True)
class Change:
    """One difference between two versions of a contract. `place` is a property, or a word of the contract."""

    place: str
    what: str  # stable code: `property.removed`, `type.changed`, …
    old: str
    new: str
    verdict: Verdict


_WIDER_TYPES = {("integer", "number"), ("date", "timestamp")}
_OPENNESS = (Sharing.RESTRICTED, Sharing.ON_REQUEST, Sharing.DEFAULT, Sharing.OPEN)
_CARE = (Sensitivity.PUBLIC, Sensitivity.INTERNAL, Sensitivity.PERSONAL, Sensitivity.SENSITIVE)


def compare(old: Contract, new: Contract) -> tuple[Change, ...]:
    """Every difference that matters to somebody, the gravest first, then in the order of the contract. Equal contracts give none."""
    changes = [*_of_contract(old, new), *_of_properties(old, new), *_of_rules(old, new)]
    return tuple(sorted(changes, key=lambda change: list(Verdict).index(change.verdict), reverse=True))


def verdict(changes: tuple[Change, ...]) -> Verdict:
    """The gravest of the changes; compatible when there is none."""
    return max((change.verdict for change in changes), key=list(Verdict).index, default=Verdict.COMPATIBLE)


def _change(place: str, what: str, old: object, new: object, judged: Verdict) -> Iterator[Change]:
    if old != new:
        yield Change(place, what, _shown(old), _shown(new), judged)


def _shown(value: object) -> str:
    return "" if value is None else ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _of_contract(old: Contract, new: Contract) -> Iterator[Change]:
    yield from _change("id", "id.changed", old.id, new.id, Verdict.BREAKING)
    yield from _change("key", "key.changed", tuple(p.name for p in old.key), tuple(p.name for p in new.key), Verdict.BREAKING)
    yield from _change("validFrom", "valid_from.changed", old.valid_from, new.valid_from, Verdict.BREAKING)
    yield from _change("agency", "agency.changed", old.agency, new.agency, Verdict.NOTICE)
    yield from _change("entity", "entity.changed", old.entity, new.entity, Verdict.NOTICE)
    yield from _change("layer", "layer.changed", old.layer, new.layer, Verdict.NOTICE)
    is_closing = _OPENNESS.index(new.sharing) < _OPENNESS.index(old.sharing)
    yield from _change("sharing", "sharing.changed", old.sharing, new.sharing, Verdict.BREAKING if is_closing else Verdict.NOTICE)
    yield from _change("legalBasis", "legal_basis.changed", _laws(old), _laws(new), Verdict.NOTICE)
    yield from _change("match", "match.changed", old.match, new.match, Verdict.NOTICE)
    yield from _change("licence", "licence.changed", old.licence, new.licence, Verdict.NOTICE)
    yield from _change("expect", "expect.changed", old.expect, new.expect, Verdict.COMPATIBLE)
    yield from _change("schedule", "schedule.changed", old.schedule, new.schedule, Verdict.COMPATIBLE)
    yield from _change("closing", "closing.changed", old.closing, new.closing, Verdict.COMPATIBLE)
    yield from _change("sources", "sources.changed", _roads(old), _roads(new), Verdict.COMPATIBLE)
    yield from _change("name", "title.changed", (old.title_vi, old.title_en), (new.title_vi, new.title_en), Verdict.COMPATIBLE)


def _laws(contract: Contract) -> tuple[str, ...]:
    return tuple(law.text for law in contract.legal_basis)


def _roads(contract: Contract) -> tuple[str, ...]:
    return tuple(
        f"{source.name}: {source.connector} {source.location} {source.delivery} {dict(source.options)}" for source in contract.sources
    )


def _of_properties(old: Contract, new: Contract) -> Iterator[Change]:
    before = {p.name: p for p in old.properties}
    after = {p.name: p for p in new.properties}
    for name, p in before.items():
        if name in after:
            yield from _of_property(p, after[name])
        else:
            yield Change(name, "property.removed", p.logical_type, "", Verdict.BREAKING)
    for name, p in after.items():
        if name not in before:
            yield Change(name, "property.added", "", p.logical_type, Verdict.NOTICE if p.required else Verdict.COMPATIBLE)


def _of_property(old: Property, new: Property) -> Iterator[Change]:
    place = old.name
    is_wider = (old.logical_type, new.logical_type) in _WIDER_TYPES
    yield from _change(place, "type.changed", old.logical_type, new.logical_type, Verdict.NOTICE if is_wider else Verdict.BREAKING)
    yield from _change(place, "required.changed", old.required, new.required, Verdict.NOTICE if new.required else Verdict.BREAKING)
    yield from _change(place, "unique.changed", old.unique, new.unique, Verdict.NOTICE if new.unique else Verdict.BREAKING)
    yield from _change(place, "standard.changed", old.standard, new.standard, Verdict.BREAKING)
    if old.standard == new.standard:
        yield from _of_options(place, old.standard_options, new.standard_options)
    yield from _change(place, "as_of.changed", old.as_of, new.as_of, Verdict.NOTICE)
    is_hidden = _CARE.index(new.sensitivity) > _CARE.index(old.sensitivity)
    yield from _change(place, "sensitivity.changed", old.sensitivity, new.sensitivity, Verdict.NOTICE if is_hidden else Verdict.COMPATIBLE)
    yield from _change(place, "statistic.changed", old.statistic, new.statistic, Verdict.NOTICE)
    yield from _change(place, "mask.changed", old.mask, new.mask, Verdict.NOTICE)
    yield from _change(
        place, "authoritative.changed", (old.authoritative, old.authority), (new.authoritative, new.authority), Verdict.NOTICE
    )
    yield from _change(place, "match.changed", old.match, new.match, Verdict.NOTICE)
    yield from _change(place, "survivorship.changed", old.survivorship, new.survivorship, Verdict.NOTICE)
    yield from _change(place, "disclosure_risk.changed", _risk(old), _risk(new), Verdict.COMPATIBLE)
    yield from _change(place, "mapping.changed", old.mapping, new.mapping, Verdict.COMPATIBLE)
    yield from _change(place, "source.changed", old.source_names, new.source_names, Verdict.COMPATIBLE)
    yield from _change(place, "title.changed", (old.title_vi, old.title_en), (new.title_vi, new.title_en), Verdict.COMPATIBLE)


def _risk(p: Property) -> tuple[str, ...]:
    """What is said of how a value could tell who a row is about."""
    words = (("quasiIdentifier", p.quasi_identifier), ("confidential", p.confidential), (f"counts {p.counts}", p.counts is not None))
    return tuple(word for word, is_so in words if is_so)


def _of_options(place: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Change]:
    """Options of one standard; of a code list, whether readers can meet a code they do not know."""
    codes_before, codes_after = _codes(old.get("values")), _codes(new.get("values"))
    if codes_before is not None and codes_after is not None:
        yield from _of_lists(place, "codes", codes_before, codes_after)
    rest_before = {name: value for name, value in old.items() if name != "values" or codes_before is None}
    rest_after = {name: value for name, value in new.items() if name != "values" or codes_after is None}
    yield from _change(place, "standard_options.changed", rest_before, rest_after, Verdict.NOTICE)


def _codes(values: Any) -> frozenset[str] | None:
    return frozenset(map(str, values)) if isinstance(values, Mapping | list) else None


def _of_lists(place: str, word: str, old: frozenset[str], new: frozenset[str]) -> Iterator[Change]:
    """A value taken away narrows what readers meet; one that is new is unknown to them."""
    if old - new:
        yield Change(place, f"{word}.removed", _shown(tuple(sorted(old - new))), "", Verdict.NOTICE)
    if new - old:
        yield Change(place, f"{word}.added", "", _shown(tuple(sorted(new - old))), Verdict.BREAKING)


def _of_rules(old: Contract, new: Contract) -> Iterator[Change]:
    before = {rule.id: rule for rule in old.all_rules}
    after = {rule.id: rule for rule in new.all_rules}
    for rule_id, rule in before.items():
        now = after.get(rule_id)
        if now is None:
            yield Change(rule_id, "rule.removed", rule.kind, "", Verdict.NOTICE)
        elif (rule.kind, rule.columns) != (now.kind, now.columns):
            yield Change(rule_id, "rule.changed", rule.kind, now.kind, Verdict.NOTICE)
        elif rule.kind == "allowed":
            yield from _of_lists(rule_id, "values", _strings(rule.parameters["values"]), _strings(now.parameters["values"]))
        else:
            yield from _change(rule_id, "rule.changed", dict(rule.parameters), dict(now.parameters), Verdict.NOTICE)
        if now is not None:
            yield from _change(rule_id, "severity.changed", rule.severity, now.severity, Verdict.NOTICE)
    for rule_id, rule in after.items():
        if rule_id not in before:
            yield Change(rule_id, "rule.added", "", rule.kind, Verdict.NOTICE)


def _strings(values: Any) -> frozenset[str]:
    return frozenset(map(str, values))
