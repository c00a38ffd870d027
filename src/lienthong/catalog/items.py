"""What the catalogue has entries of, each in short: datasets, code lists, services, indicators, agencies, units, and what is known but not connected yet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum
from typing import Any

from lienthong.access import Agency
from lienthong.catalog.ways import ways_of
from lienthong.contracts import Contract, Layer, Property
from lienthong.contracts.indicators import Indicator
from lienthong.contracts.services import Service
from lienthong.standards.admin_units import Unit

BETWEEN = "~"  # a dataset and what it holds: `statistics.indicators~XH01`


class Kind(StrEnum):
    DATASET = "dataset"
    CODE_LIST = "code_list"
    SERVICE = "service"
    INDICATOR = "indicator"
    AGENCY = "agency"
    UNIT = "unit"
    KNOWN = "known"  # listed in an agency's inventory, not connected yet


@dataclass(frozen=True)
class Item:
    """One entry in a list. `fields`: (name, Vietnamese, English) of what it holds; `words`: more to be found by. `is_public`: whether everybody sees it."""

    kind: Kind
    id: str
    title_vi: str
    title_en: str = ""
    description_vi: str = ""
    description_en: str = ""
    agency: str = ""
    owner: str = ""
    theme: str = ""
    layer: str = ""
    sharing: str = ""
    state: str = ""
    formats: tuple[str, ...] = ()
    fields: tuple[tuple[str, str, str], ...] = ()
    words: tuple[str, ...] = ()
    is_public: bool = True
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def address(self) -> str:
        """Where its entry is, as data."""
        return f"/v1/catalogue/{self.kind}/{self.id}"


def items_of_contracts(contracts: Iterable[Contract], agencies: Mapping[str, str]) -> list[Item]:
    """Datasets (a code list is one, under its own kind) and the closed lists of codes their fields name. `agencies`: code → name."""
    found = []
    for contract in contracts:
        found.append(item_of_contract(contract, agencies.get(contract.agency, "")))
        found += [_item_of_codes(contract, p, codes, agencies.get(contract.agency, "")) for p, codes in code_lists_in(contract)]
    return found


def item_of_contract(contract: Contract, owner: str) -> Item:
    """A dataset's entry in short."""
    return Item(
        kind=Kind.CODE_LIST if contract.layer is Layer.CODE_LIST else Kind.DATASET,
        id=contract.id,
        title_vi=contract.title_vi,
        title_en=contract.title_en,
        description_vi=contract.description_vi,
        description_en=contract.description_en,
        agency=contract.agency,
        owner=owner,
        theme=contract.domain,
        layer=contract.layer.value,
        sharing=contract.sharing.value,
        state=contract.status,
        formats=tuple(dict.fromkeys(way.name for way in ways_of(contract) if way.is_data)),
        fields=tuple((p.name, p.title_vi, p.title_en) for p in contract.properties),
        words=(contract.entity or "", *(p.description for p in contract.properties)),
        is_public=not contract.is_hidden,
    )


def code_lists_in(contract: Contract) -> list[tuple[Property, Mapping[str, str]]]:
    """Fields whose values are a closed list, with code → title (the code itself where nobody gave it one)."""
    found: list[tuple[Property, Mapping[str, str]]] = []
    for p in contract.properties:
        named = p.standard_options.get("values")
        allowed = next((rule.parameters.get("values") for rule in p.rules if rule.kind == "allowed"), None)
        if isinstance(named, Mapping):
            found.append((p, {str(code): str(title) for code, title in named.items()}))
        elif isinstance(allowed, list | tuple):
            found.append((p, {str(code): str(code) for code in allowed}))
    return found


def _item_of_codes(contract: Contract, p: Property, codes: Mapping[str, str], owner: str) -> Item:
    return Item(
        kind=Kind.CODE_LIST,
        id=f"{contract.id}{BETWEEN}{p.name}",
        title_vi=f"{p.title_vi} ({contract.title_vi})",
        title_en=f"{p.title_en} ({contract.title_en})",
        description_vi=p.description,
        agency=contract.agency,
        owner=owner,
        theme=contract.domain,
        layer=Layer.CODE_LIST.value,
        sharing=contract.sharing.value,
        state=contract.status,
        words=tuple(word for pair in codes.items() for word in pair),
        is_public=not contract.is_hidden,
        facts={"dataset": contract.id, "field": p.name, "codes": codes},
    )


def indicator_property(contract: Contract) -> Property | None:
    """The key field of an aggregate that says which indicator a row is of; None where a dataset is one indicator by itself."""
    if contract.layer is not Layer.AGGREGATE:
        return None
    return next((p for p in contract.key if p.logical_type == "string" and ("indicator" in p.name or "chi_tieu" in p.name)), None)


def items_of_indicators(contract: Contract, codes: Mapping[str, str], owner: str) -> list[Item]:
    """Indicators of an aggregate dataset. `codes`: code → its title (empty: no list names it)."""
    whole = item_of_contract(contract, owner)
    if indicator_property(contract) is None:
        return [replace(whole, kind=Kind.INDICATOR, facts={"dataset": contract.id})] if contract.layer is Layer.AGGREGATE else []
    return [
        replace(
            whole,
            kind=Kind.INDICATOR,
            id=f"{contract.id}{BETWEEN}{code}",
            title_vi=title or f"{contract.title_vi}: {code}",
            title_en=title or f"{contract.title_en}: {code}",
            fields=(),
            words=(code,),
            facts={"dataset": contract.id, "code": code},
        )
        for code, title in codes.items()
    ]


def item_of_indicator(indicator: Indicator, owner: str) -> Item:
    """An indicator that is reckoned from a file. Only public ones are for everybody."""
    return Item(
        kind=Kind.INDICATOR,
        id=indicator.id,
        title_vi=indicator.title_vi,
        title_en=indicator.title_en,
        description_vi=indicator.definition_vi,
        description_en=indicator.definition_en,
        agency=indicator.owner,
        owner=indicator.owner_name or owner,
        layer=Layer.AGGREGATE.value,
        state="active",
        words=(indicator.unit_vi, indicator.unit_en),
        is_public=indicator.is_public,
        facts={
            "unit": indicator.unit_vi, "unit_en": indicator.unit_en, "period": indicator.period.value, "level": indicator.level.value,
            "reads": list(indicator.reads), "targets": dict(indicator.targets), "focal_officer": indicator.contact,
            "legal_basis": [{"text": b.text, "valid_from": b.valid_from, "valid_to": b.valid_to} for b in indicator.legal_basis],
        },
    )  # fmt: skip


def item_of_service(service: Service, state: str, owner: str) -> Item:
    """A brokered service, by its default version."""
    return Item(
        kind=Kind.SERVICE,
        id=service.id,
        title_vi=service.title_vi,
        title_en=service.title_en,
        description_vi=service.description_vi,
        description_en=service.description_en,
        agency=service.agency,
        owner=owner,
        state=state,
        formats=(service.kind.value,),
        facts={"version": service.version, "legal_basis": service.legal_basis},
    )


def item_of_agency(agency: Agency, today: date) -> Item:
    """An agency; one that has closed is still there, and says so."""
    return Item(
        kind=Kind.AGENCY,
        id=agency.code,
        title_vi=agency.name or agency.code,
        agency=agency.code,
        owner=agency.name,
        state="active" if agency.is_open(today) else "ended",
        words=(agency.code, agency.kind),
    )


def item_of_unit(unit: Unit, today: date) -> Item:
    """A unit of administration of any time."""
    return Item(
        kind=Kind.UNIT,
        id=unit.code,
        title_vi=unit.name,
        state="active" if unit.is_valid(today) else "ended",
        facts={"level": unit.level, "valid_from": unit.valid_from, "valid_to": unit.valid_to, "province": unit.province_code},
    )
