"""The reuse meter: how many values of each dataset an authoritative source already held of the same golden record.

What agrees need not have been typed; what disagrees somebody should look at. Method and its limits: docs/explanation/reuse.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lienthong.contracts import Contract
from lienthong.masterdata.entities import Entity, Register, entities_of
from lienthong.masterdata.kinds import KINDS
from lienthong.store import Connection
from lienthong.store import reports as store
from lienthong.store.reports import AskedAttribute, CountedAttribute

MINUTES_AN_HOUR = 60


@dataclass(frozen=True)
class Reuse:
    """Values counted together: `held` by an authority before this register, of them `agree`; characters are those that agree."""

    filled: int = 0
    held: int = 0
    agree: int = 0
    characters: int = 0

    @property
    def disagree(self) -> int:
        return self.held - self.agree

    def hours(self, characters_per_minute: float) -> float:
        """Hours of typing that repeated what was known."""
        return self.characters / characters_per_minute / MINUTES_AN_HOUR

    def __add__(self, other: Reuse) -> Reuse:
        return Reuse(
            self.filled + other.filled, self.held + other.held, self.agree + other.agree, self.characters + other.characters
        )  # fmt: skip


@dataclass(frozen=True)
class AttributeReuse:
    """One attribute of one role of a dataset. `properties` fill it; `authorities` are the registers trusted for it, in order."""

    dataset: str
    agency: str
    entity: str
    attribute: str
    title_vi: str
    title_en: str
    properties: tuple[str, ...]
    authorities: tuple[str, ...]
    reuse: Reuse


@dataclass(frozen=True)
class ReuseReport:
    """All attributes counted, in the order of datasets and of their contracts. `characters_per_minute`: the typing speed taken."""

    rows: tuple[AttributeReuse, ...]
    characters_per_minute: float
    titles: Mapping[str, tuple[str, str]] = field(default_factory=dict)  # dataset → its name in both languages

    @property
    def total(self) -> Reuse:
        return _sum(row.reuse for row in self.rows)

    def by_dataset(self) -> dict[str, Reuse]:
        return self._by(lambda row: row.dataset)

    def by_agency(self) -> dict[str, Reuse]:
        return self._by(lambda row: row.agency)

    def _by(self, key: Any) -> dict[str, Reuse]:
        found: dict[str, Reuse] = {}
        for row in self.rows:
            found[key(row)] = found.get(key(row), Reuse()) + row.reuse
        return found


def reuse_report(connection: Connection, contracts: Mapping[str, Contract], characters_per_minute: float) -> ReuseReport:
    """Count every dataset that feeds an entity, as the index stands now."""
    rows: list[AttributeReuse] = []
    for entity in entities_of(contracts).values():
        rows += _of_entity(connection, entity)
    order = {dataset: n for n, dataset in enumerate(sorted(contracts))}
    ordered = sorted(rows, key=lambda row: order[row.dataset])  # stable: roles and attributes stay in the order of the contracts
    told = tuple(_each_property_once(ordered, contracts))
    titles = {name: (contracts[name].title_vi, contracts[name].title_en) for name in dict.fromkeys(row.dataset for row in told)}
    return ReuseReport(told, characters_per_minute, titles)


def _of_entity(connection: Connection, entity: Entity) -> Iterator[AttributeReuse]:
    asked = _asked(connection, entity)
    counted = {(each.source, each.attribute): each for each in store.count_reuse(connection, entity.name, asked)}
    for register in entity.registers:
        for each in asked:
            properties = register.role.attributes.get(each.name)
            if properties is None:
                continue
            p = entity.master.property_named(each.name)
            yield AttributeReuse(
                register.contract.id,
                register.contract.agency,
                entity.name,
                each.name,
                p.title_vi,
                p.title_en,
                properties,
                each.authorities,
                _reuse(counted.get((register.source, each.name))),
            )


def _asked(connection: Connection, entity: Entity) -> list[AskedAttribute]:
    """Every attribute some register fills, with whom it is trusted to and how its values are compared."""
    filled = {name for register in entity.registers for name in register.role.attributes}
    places = _places(store.last_bulk_model(connection, entity.name))
    kinds = {attribute.name: attribute.kind for attribute in entity.plan.attributes}
    found = []
    for p in entity.master.properties:
        if p.name not in filled:
            continue
        kind = kinds.get(p.name)
        same = None if kind is None else f"{p.name}__{KINDS[kind].same}"
        found.append(AskedAttribute(p.name, authorities_of(entity, p.name), places.get(same or ""), kind == "date"))
    return found


def authorities_of(entity: Entity, attribute: str) -> tuple[str, ...]:
    """Registers trusted for an attribute, in order: those the rule of survivorship names, else those whose contract says authoritative."""
    for rule in entity.master.property_named(attribute).survivorship:
        if rule.rule == "authority":
            return tuple(rule.parameters["of"])
    return tuple(register.source for register in entity.registers if _is_authoritative(register, attribute))


def _is_authoritative(register: Register, attribute: str) -> bool:
    sources = register.role.attributes.get(attribute, ())
    return any(register.contract.property_named(name).authoritative for name in sources)


def _places(document: Mapping[str, Any] | None) -> dict[str, int]:
    """Feature column → its place from 1, of the model by which the features were made."""
    if document is None:
        return {}
    columns = [f"{each['name']}__{part}" for each in document["plan"]["attributes"] for part in KINDS[each["kind"]].parts]
    return {column: n for n, column in enumerate(columns, 1)}


def _reuse(counted: CountedAttribute | None) -> Reuse:
    return Reuse() if counted is None else Reuse(counted.filled, counted.held, counted.agree, counted.characters)


def _each_property_once(rows: Sequence[AttributeReuse], contracts: Mapping[str, Contract]) -> Iterator[AttributeReuse]:
    """A property typed once counts once, for the entity of which most was held: a holder's name is a person's and an enterprise's."""
    for dataset in dict.fromkeys(row.dataset for row in rows):
        own = [row for row in rows if row.dataset == dataset]
        roles = [role.entity for role in contracts[dataset].match]
        held: dict[str, dict[str, int]] = {}  # first of the properties → entity → values held
        for row in own:
            of_property = held.setdefault(row.properties[0], {})
            of_property[row.entity] = of_property.get(row.entity, 0) + row.reuse.held
        chosen = {name: max(found, key=lambda entity: (found[entity], -roles.index(entity))) for name, found in held.items()}
        yield from (row for row in sorted(own, key=lambda row: roles.index(row.entity)) if chosen[row.properties[0]] == row.entity)


def _sum(parts: Iterable[Reuse]) -> Reuse:
    total = Reuse()
    for part in parts:
        total = total + part
    return total


def reuse_document(report: ReuseReport) -> dict[str, Any]:
    """The report as JSON: figures only."""
    speed = report.characters_per_minute

    def figures(reuse: Reuse) -> dict[str, Any]:
        return {
            "filled": reuse.filled,
            "held": reuse.held,
            "agree": reuse.agree,
            "disagree": reuse.disagree,
            "hours": round(reuse.hours(speed), 1),
        }

    datasets = [
        {
            "dataset": dataset,
            "title": report.titles[dataset][0],
            "title_en": report.titles[dataset][1],
            **figures(reuse),
            "properties": [
                {
                    "entity": row.entity,
                    "attribute": row.attribute,
                    "title": row.title_vi,
                    "title_en": row.title_en,
                    "properties": list(row.properties),
                    "authorities": list(row.authorities),
                    **figures(row.reuse),
                }
                for row in report.rows
                if row.dataset == dataset
            ],
        }
        for dataset, reuse in report.by_dataset().items()
    ]
    agencies = [{"agency": agency, **figures(reuse)} for agency, reuse in sorted(report.by_agency().items())]
    return {"characters_per_minute": speed, "total": figures(report.total), "agencies": agencies, "datasets": datasets}
