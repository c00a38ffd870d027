"""Data-use regulations: the list, and one as a page that is read, printed, and taken as data; each version keeps its address."""

from __future__ import annotations

from typing import Any

from lienthong.catalog.regulations import Regulation, in_force, ruling, ruling_service, versions_of
from lienthong.clock import vietnam_date
from lienthong.errors import NotFound
from lienthong.web.pages.page import Page, Table
from lienthong.web.pages.site import Site
from lienthong.web.pages.visiting import Visit

COLUMNS = ("id", "version", "title", "title_en", "decision", "issued_by", "valid_from", "valid_to", "about")
TEXT_COLUMNS = ("block", "kind", "text")


def listed(site: Site, visit: Visit) -> Page:
    """Those in force today, and those to come."""
    today = vietnam_date(site.counter.clock())
    known = site.regulations()
    facts = {
        "regulations": [_short(each) for each in in_force(known, today)],
        "coming": [_short(each) for each in known if each.valid_from > today],
    }
    table = Table(COLUMNS, [[each[name] for name in COLUMNS] for each in facts["regulations"]])
    return Page("portal/regulations.html", visit.speech.t("regulations.title"), facts, table, is_public=True)


def shown(site: Site, visit: Visit) -> Page:
    """One version: that of `version`, else the one in force, else the newest."""
    today = vietnam_date(site.counter.clock())
    versions = versions_of(site.regulations(), visit.path["regulation"])
    asked = visit.text("version")
    chosen = [each for each in versions if each.version == asked] if asked else [*in_force(versions, today), *versions]
    if not chosen:
        raise NotFound("There is no such regulation.", vi="Không có quy chế này.")
    regulation = chosen[0]
    facts: dict[str, Any] = {
        **_short(regulation),
        "legal_basis": regulation.legal_basis,
        "is_in_force": regulation.is_in_force(today),
        "text": [{"kind": block.kind, "text": block.text} for block in regulation.blocks],
        "datasets": [{"id": c.id, "title": c.title_vi, "title_en": c.title_en} for c in site.public.values() if regulation.rules(c)],
        "versions": [_short(each) for each in versions],
    }
    table = Table(TEXT_COLUMNS, [(n, block.kind, block.text) for n, block in enumerate(regulation.blocks, 1)])
    return Page("portal/regulation.html", visit.speech.pick(regulation.title, regulation.title_en), facts, table, is_public=True)


def told_of_dataset(site: Site, dataset: str) -> list[dict[str, Any]]:
    """The regulations a dataset's pages and agreements link to: those it falls under today."""
    contract, today = site.contracts.get(dataset), vietnam_date(site.counter.clock())
    return [] if contract is None else [_short(each) for each in ruling(site.regulations(), contract, today)]


def told_of_service(site: Site, service: str, agency: str) -> list[dict[str, Any]]:
    """The same of a brokered service."""
    return [_short(each) for each in ruling_service(site.regulations(), service, agency, vietnam_date(site.counter.clock()))]


def told_of_agreement(site: Site, thing: str, provider: str) -> list[dict[str, Any]]:
    """The same of what an agreement is about, a dataset or a service."""
    return told_of_dataset(site, thing) if thing in site.contracts else told_of_service(site, thing, provider)


def _short(each: Regulation) -> dict[str, Any]:
    return {**{name: getattr(each, name) for name in COLUMNS}, "address": f"/regulations/{each.id}?version={each.version}"}
