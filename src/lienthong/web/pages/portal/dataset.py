"""One dataset, written from its contract and from what was measured: what, whose, how good, how fresh, who uses it, how to get it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from markupsafe import Markup

from lienthong.access import Register, State
from lienthong.catalog import Step, describing, lineage_of, open_data, ways_of
from lienthong.catalog.completeness import contacts, focal_officer
from lienthong.catalog.feeds import as_data_block, schema_org
from lienthong.clock import vietnam_date
from lienthong.contracts import Contract, Property
from lienthong.standards import STANDARDS
from lienthong.store import catalogue
from lienthong.store import pages as store
from lienthong.store.answers import summary, version_facts
from lienthong.web.pages.drawing import Node, lineage
from lienthong.web.pages.page import Page, Table
from lienthong.web.pages.portal import telling
from lienthong.web.pages.portal.preview import measures
from lienthong.web.pages.portal.regulations import told_of_dataset
from lienthong.web.pages.rendering import practice_of
from lienthong.web.pages.site import Site, contract_named
from lienthong.web.pages.visiting import Visit

VERSIONS = 10
USE_DAYS = 30
WORST = 5


def shown(site: Site, visit: Visit) -> Page:
    contract = contract_named(site, visit)
    now = site.counter.clock()
    around = site.desk.around()
    with site.connection() as connection:
        standing = store.standings(connection).get(contract.id, telling.UNKNOWN)
        waiting = store.waiting_rows(connection).get(contract.id, 0)
        broken = store.waiting_issues(connection, contract.id) if waiting else []
        versions = version_facts(connection, contract.id, limit=VERSIONS)
        used = store.use_by_agreement(connection, vietnam_date(now) - timedelta(days=USE_DAYS))
        deep = describing.lineage(connection, contract, around)
        entry = catalogue.open_entry(connection, contract.id)
    opening = None if entry is None else open_data.told(entry, contract, standing.known_at, around.today, site.settings)
    delivered = versions[0].delivered_columns if versions else frozenset()
    facts = {
        **telling.short(contract, standing, site.agency(contract.agency)),
        "contract_version": contract.version,
        "status": contract.status,
        "entity": contract.entity,
        "key": [p.name for p in contract.key],
        "contact": focal_officer(contract),
        "contacts": contacts(contract),
        "legal_basis": [{"text": b.text, "valid_from": b.valid_from, "valid_to": b.valid_to} for b in contract.legal_basis],
        "fields": [_field(p, is_delivered=not versions or p.name in delivered) for p in contract.properties],
        "rules": [telling.pair(words) for words in _rules(contract)],
        "quality": telling.quality_now(contract, standing, waiting, broken),
        "freshness": telling.freshness(contract, standing, now),
        "users": _users(site.register(), contract, used, site),
        "versions": [summary(each) for each in versions],
        "lineage": {**_lineage(contract, site), **{name: deep[name] for name in ("columns", "indicators", "runs", "outside")}},
        "completeness": describing.completeness_told(contract),
        "ways": [describing.way(each, contract, around) for each in ways_of(contract)],
        "authoritative": describing.authoritative(contract, around),
        "open_data": opening,
        "planned_stops": _stops(site, contract.id, now),
        "regulations": told_of_dataset(site, contract.id),
        "is_open": telling.is_open(contract),
        "addresses": {
            "records": f"/v1/datasets/{contract.id}/records",
            "changes": f"/v1/datasets/{contract.id}/changes",
            "openapi": f"/v1/datasets/{contract.id}/openapi.json",
        },
    }
    is_given = telling.is_open(contract) and contract.id not in site.register().unopened
    beside = {
        "drawing": _drawing(contract, site, visit),
        "base_url": site.counter.public_url,
        "data_block": _in_page(schema_org(contract, around.base, site.agency(contract.agency), standing.known_at, is_given=is_given)),
        "can_try": bool(site.settings.sandbox_url) or practice_of(visit) is not None,
        "can_chart": telling.is_open(contract) and bool(measures(contract)),
    }
    columns = ("name", "title", "title_en", "type", "standard", "required", "sensitivity", "description", "examples")
    rows = [[", ".join(map(str, f[name])) if name == "examples" else f[name] for name in columns] for f in facts["fields"]]
    title = visit.speech.pick(contract.title_vi, contract.title_en)
    return Page("portal/dataset.html", title, facts, Table(columns, rows), beside, is_public=True)


def _stops(site: Site, dataset: str, now: datetime) -> Sequence[Mapping[str, Any]]:
    """Asked of the store: the register this process holds may be a moment behind."""
    with site.counter.workshop.database.connect() as connection:
        return telling.stops_of(connection, dataset, now)


def _field(p: Property, *, is_delivered: bool) -> dict[str, Any]:
    standard = STANDARDS.get(p.standard) if p.standard else None
    codes = p.standard_options.get("values")
    return {
        "name": p.name,
        "title": p.title_vi,
        "title_en": p.title_en,
        "type": p.logical_type,
        "description": p.description,
        "required": p.required or p.key_position is not None,
        "is_key": p.key_position is not None,
        "standard": p.standard,
        "standard_title": standard.title_vi if standard else None,
        "standard_title_en": standard.title_en if standard else None,
        "sensitivity": p.sensitivity.value,
        "authoritative": p.authoritative,
        "is_delivered": is_delivered,
        "examples": list(p.examples),
        "codes": [{"code": str(code), "title": str(title)} for code, title in codes.items()] if isinstance(codes, dict) else [],
    }


def _rules(contract: Contract) -> list[tuple[str, str]]:
    from lienthong.quality import words_of_rules  # noqa: PLC0415 # loads polars, which only these pages need

    return list(words_of_rules(contract))


def _users(register: Register, contract: Contract, used: dict[str, int], site: Site) -> list[dict[str, Any]]:
    """Agreements in force: whose system, for what, on which basis, how many answers in the last days."""
    found = []
    for a in register.agreements:
        if a.dataset != contract.id or a.state is not State.ACTIVE:
            continue
        subsystem = register.subsystems.get(a.consumer)
        agency = subsystem.agency if subsystem else a.consumer.split("/")[2]
        found.append(
            {
                "agreement": a.id,
                "agency": agency,
                "agency_name": site.agency(agency),
                "system": subsystem.title_vi if subsystem else a.consumer,
                "system_en": subsystem.title_en if subsystem else a.consumer,
                "purposes": [telling.pair(words) for words in a.purposes.values()],
                "legal_basis": a.legal_basis,
                "until": a.ends_on,
                "answers": used.get(a.id, 0),
            }
        )
    return found


def _lineage(contract: Contract, site: Site) -> dict[str, Any]:
    found = lineage_of(contract, site.public)

    def told(step: Step) -> dict[str, str]:
        other = site.public.get(step.name)
        titles = {"title": other.title_vi, "title_en": other.title_en} if other else {}
        return {"kind": step.kind, "name": step.name, **titles}

    return {"before": [told(step) for step in found.before], "after": [told(step) for step in found.after]}


def _drawing(contract: Contract, site: Site, visit: Visit) -> Any:
    found = lineage_of(contract, site.public)

    def node(step: Step) -> Node:
        note = visit.speech.t(f"kinds.step_{step.kind}")
        other = site.public.get(step.name)
        if other is None:
            return Node(
                visit.speech.t(f"kinds.connector_{step.name}") if visit.speech.has(f"kinds.connector_{step.name}") else step.name, note
            )
        return Node(visit.speech.pick(other.title_vi, other.title_en), note, f"/datasets/{other.id}")

    here = Node(visit.speech.pick(contract.title_vi, contract.title_en), visit.speech.t("portal.this_dataset"))
    words = visit.speech.t("portal.lineage_of", title=here.text)
    return lineage([node(step) for step in found.before], here, [node(step) for step in found.after], words)


def _in_page(value: dict[str, Any]) -> Markup:
    """A block of data: every character that could end it is escaped."""
    return Markup(as_data_block(value))  # noqa: S704
