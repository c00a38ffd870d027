"""The whole entry of a thing in the catalogue: what it is, who answers for it, on which basis, where it comes from, how good and how fresh, who uses it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from lienthong.access import Agencies, Register, State
from lienthong.catalog.completeness import completeness, contacts, focal_officer, limitations
from lienthong.catalog.items import BETWEEN, Item, Kind
from lienthong.catalog.lineage import Step, columns_of, lineage_of
from lienthong.catalog.measuring import UNKNOWN, freshness, quality_now
from lienthong.catalog.unit_search import unit_history
from lienthong.catalog.ways import NAMES, Way, ways_of
from lienthong.contracts import Contract, Property
from lienthong.contracts.indicators import Indicator
from lienthong.standards.admin_units import Unit
from lienthong.store import Connection, catalogue, pages
from lienthong.store.answers import summary, version_facts

VERSIONS = 10


@dataclass(frozen=True)
class Around:
    """What stands around every entry: contracts, agreements, names of agencies, the public address, the hour."""

    contracts: Mapping[str, Contract]
    register: Register
    agencies: Mapping[str, str]
    base: str
    now: datetime
    today: date
    names: Mapping[str, str] = field(default_factory=lambda: NAMES)
    indicators: Mapping[str, Indicator] = field(default_factory=dict)

    def agency(self, code: str) -> str:
        return self.agencies.get(code, code)


def short(item: Item) -> dict[str, Any]:
    """An entry in a list."""
    return {
        "kind": item.kind.value,
        "id": item.id,
        "title": item.title_vi,
        "title_en": item.title_en,
        "description": item.description_vi,
        "description_en": item.description_en,
        "agency": item.agency,
        "agency_name": item.owner or item.agency,
        "theme": item.theme,
        "layer": item.layer,
        "sharing": item.sharing,
        "state": item.state,
        "formats": list(item.formats),
        "links": {"self": item.address},
    }


def dataset(connection: Connection, contract: Contract, around: Around) -> dict[str, Any]:
    """Everything of a dataset but its rows."""
    standing = pages.standings(connection).get(contract.id, UNKNOWN)
    waiting = pages.waiting_rows(connection).get(contract.id, 0)
    broken = pages.waiting_issues(connection, contract.id) if waiting else []
    return {
        "title": contract.title_vi,
        "title_en": contract.title_en,
        "description": contract.description_vi,
        "description_en": contract.description_en,
        "limitations": limitations(contract),
        "owner": {"agency": contract.agency, "name": around.agency(contract.agency)},
        "focal_officer": focal_officer(contract),
        "contacts": contacts(contract),
        "theme": contract.domain,
        "layer": contract.layer.value,
        "sharing": contract.sharing.value,
        "state": contract.status,
        "licence": contract.licence or "",
        "contract_version": contract.version,
        "version": standing.version,
        "records": standing.records,
        "legal_basis": [{"text": b.text, "valid_from": b.valid_from, "valid_to": b.valid_to} for b in contract.legal_basis],
        "fields": [_field(p) for p in contract.properties],
        "authoritative": authoritative(contract, around),
        "lineage": lineage(connection, contract, around),
        "quality": quality_now(contract, standing, waiting, broken),
        "freshness": freshness(contract, standing, around.now),
        "consumers": consumers(contract, around),
        "completeness": completeness_told(contract),
        "ways": [way(each, contract, around) for each in ways_of(contract)],
        "versions": [summary(facts) for facts in version_facts(connection, contract.id, limit=VERSIONS)],
    }


def completeness_told(contract: Contract) -> dict[str, Any]:
    """How complete the description is, and how to fix what is missing."""
    score = completeness(contract)
    return {
        "percent": score.percent,
        "gaps": [{"what": g.what, "points": g.points, "fix": g.fix_vi, "fix_en": g.fix_en} for g in score.gaps],
    }


def way(each: Way, contract: Contract, around: Around) -> dict[str, Any]:
    """One way to get a dataset."""
    described = each.description(contract)
    return {
        "name": each.name,
        "kind": each.kind,
        "title": each.title_vi,
        "title_en": each.title_en,
        "address": around.base + each.path(contract, around.names),
        "media_type": each.media_type,
        "standard": each.standard,
        "description": around.base + described if described else "",
    }


def _field(p: Property) -> dict[str, Any]:
    return {
        "name": p.name, "title": p.title_vi, "title_en": p.title_en, "type": p.logical_type, "description": p.description,
        "required": p.required or p.key_position is not None, "sensitivity": p.sensitivity.value, "standard": p.standard,
    }  # fmt: skip


def authoritative(contract: Contract, around: Around) -> list[dict[str, str]]:
    """The elements this dataset is, or names, the one trusted source of."""
    found = []
    for p in contract.properties:
        if p.authoritative or p.authority:
            code = contract.authority_of(p.name)
            found.append({"field": p.name, "title": p.title_vi, "title_en": p.title_en, "agency": code, "agency_name": around.agency(code)})
    return found


def consumers(contract: Contract, around: Around) -> list[dict[str, Any]]:
    """Whose systems use it now, for what, on which basis: the active agreements."""
    found = []
    for a in around.register.agreements:
        if a.dataset != contract.id or a.state is not State.ACTIVE:
            continue
        subsystem = around.register.subsystems.get(a.consumer)
        agency = subsystem.agency if subsystem else a.consumer.split("/")[2]
        found.append(
            {
                "agency": agency, "agency_name": around.agency(agency), "system": subsystem.title_vi if subsystem else a.consumer,
                "purposes": [{"vi": vi, "en": en} for vi, en in a.purposes.values()], "legal_basis": a.legal_basis, "until": a.ends_on,
            }
        )  # fmt: skip
    return found


def lineage(connection: Connection, contract: Contract, around: Around) -> dict[str, Any]:
    """One hop each way: datasets and lists, columns, the last run of each source, and programs outside that said what they read and wrote."""
    found = lineage_of(contract, around.contracts)
    return {
        "before": [_step(step, around) for step in found.before],
        "after": [_step(step, around) for step in found.after],
        "columns": [
            {"column": s.column, "direction": "before" if s.is_before else "after", "kind": s.kind, "name": s.name, "other": s.other}
            for s in columns_of(contract, around.contracts)
        ],
        "indicators": [
            {"id": i.id, "title": i.title_vi, "title_en": i.title_en}
            for i in around.indicators.values()
            if i.is_public and contract.id in i.reads
        ],
        "runs": [
            {"source": r.source, "run": r.run_id, "version": r.version, "ended_at": r.ended_at, "rows_in": r.rows_in, "rows_published": r.rows_published}
            for r in catalogue.last_runs(connection, contract.id)
        ],
        "outside": [_outside(contract, run) for run in catalogue.outside_runs(connection, contract.id)],
    }  # fmt: skip


def _step(step: Step, around: Around) -> dict[str, str]:
    other = around.contracts.get(step.name)
    return {"kind": step.kind, "name": step.name, **({"title": other.title_vi, "title_en": other.title_en} if other else {})}


def _outside(contract: Contract, run: catalogue.OutsideRun) -> dict[str, Any]:
    """A program outside, as it concerns this dataset: what it made of it, or made it from."""
    columns = [
        {"column": column, "of": written, "from": [{"dataset": name, "column": other} for name, other in sources]}
        for written, its in run.columns.items()
        for column, sources in its.items()
        if written == contract.id or any(name == contract.id for name, _ in sources)
    ]
    return {
        "job": run.job, "subsystem": run.subsystem, "at": run.at, "reads": list(run.reads), "writes": list(run.writes), "columns": columns,
    }  # fmt: skip


def agency(code: str, tree: Agencies, around: Around, items: Sequence[Item]) -> dict[str, Any]:
    """An agency: its place in the tree, what became of it, what it owns."""
    held = tree.by_code.get(code)
    return {
        "title": around.agency(code),
        "code": code,
        "unit_kind": held.kind if held else "",
        "parent": held.parent if held else "",
        "parent_name": around.agency(held.parent) if held and held.parent else "",
        "valid_from": held.valid_from if held and held.valid_from != date.min else None,
        "valid_to": held.valid_to if held else None,
        "successors": [{"code": c, "name": around.agency(c)} for c in (held.successors if held else ())],
        "below": [{"code": a.code, "name": a.name} for a in tree.below(code)],
        "contacts": list({each["address"]: each for c in around.contracts.values() if c.agency == code for each in contacts(c)}.values()),
        "focal_officers": sorted({officer for c in around.contracts.values() if c.agency == code and (officer := focal_officer(c))}),
        "entries": [short(item) for item in items if item.agency == code and item.kind is not Kind.AGENCY],
    }


def unit(code: str, around: Around) -> dict[str, Any] | None:
    """A unit of administration by its code, with every place the code has named; None for a code nobody has had."""
    found = unit_history(code, around.today)
    if not found:
        return None
    return {
        "title": found[0].unit.name,
        "code": code,
        "level": found[0].unit.level,
        "history": [
            {"unit": _unit(each.unit), "before": [_unit(u) for u in each.before], "after": [_unit(u) for u in each.after]} for each in found
        ],
    }


def _unit(each: Unit) -> dict[str, Any]:
    return {"code": each.code, "name": each.name, "level": each.level, "valid_from": each.valid_from, "valid_to": each.valid_to}


def part(item: Item, around: Around) -> dict[str, Any]:
    """An indicator or a list of codes inside a dataset."""
    contract = around.contracts[str(item.facts["dataset"])]
    codes = item.facts.get("codes")
    told = {
        "dataset": {"id": contract.id, "title": contract.title_vi, "title_en": contract.title_en},
        "owner": {"agency": contract.agency, "name": around.agency(contract.agency)},
        "focal_officer": focal_officer(contract),
        "contacts": contacts(contract),
        "legal_basis": [{"text": b.text, "valid_from": b.valid_from, "valid_to": b.valid_to} for b in contract.legal_basis],
        "code": item.facts.get("code", item.id.partition(BETWEEN)[2]),
    }
    return told | ({"codes": [{"code": code, "title": title} for code, title in codes.items()]} if isinstance(codes, Mapping) else {})
