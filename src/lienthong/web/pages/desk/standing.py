"""Who sits at a desk, and what records look like there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lienthong.access import Role
from lienthong.contracts import Contract
from lienthong.errors import NotFound
from lienthong.masterdata.entities import Entity, entities_of
from lienthong.pipeline import match_models
from lienthong.pipeline.matching import PLATFORM, index_of
from lienthong.pipeline.stewarding import Through
from lienthong.sharing.filters import shown
from lienthong.web import acting
from lienthong.web.desk import Steward
from lienthong.web.pages.site import Site
from lienthong.web.pages.speaking import words
from lienthong.web.pages.visiting import Visit


def steward_of(site: Site, visit: Visit, csrf: str = "") -> Steward:
    """The steward of the entity an address names. Raises NotFound, Unauthenticated or Denied."""
    entities = entities_of(site.contracts)
    entity = entities.get(visit.path["type"])
    if entity is None:
        name = shown(visit.path["type"])
        raise NotFound(f"No master contract describes the entity `{name}`.", vi=f"Không có hợp đồng bản ghi gốc nào cho `{name}`.")
    actor = acting.require(visit.request, Role.STEWARD, agency=entity.master.agency, csrf=csrf)
    with site.counter.workshop.database.connect() as connection:
        index = index_of(entities, entity.name, match_models.in_force(connection, entity))
    return Steward(site.counter, index, actor.name, Through(actor.subsystem or PLATFORM))


def entity_title(visit: Visit, entity: Entity) -> str:
    return visit.speech.pick(entity.master.title_vi, entity.master.title_en)


def record_facts(site: Site, source: str, key: str, golden: str, content: Mapping[str, Any]) -> dict[str, Any]:
    """A record as a page tells it: which register says it, of whom."""
    register = site.contracts.get(source.partition("#")[0])
    vi, en = source_titles(site, source)
    return {
        "source": source,
        "source_title": vi,
        "source_title_en": en,
        "agency_name": site.agency(register.agency) if register else "",
        "key": key,
        "golden_id": golden,
        "content": dict(content),
    }


def source_titles(site: Site, source: str) -> tuple[str, str]:
    """What a source of records is called, in both languages: its dataset, and whom of a row it is about where a row is about several."""
    dataset, _, role = source.partition("#")
    contract = site.contracts.get(dataset)
    if contract is None:
        return source, source
    if not role:
        return contract.title_vi, contract.title_en
    vi, en = words().get(f"desk.role_{role}", (role, role))
    return f"{contract.title_vi}: {vi}", f"{contract.title_en}: {en}"


def attributes(visit: Visit, master: Contract, *contents: Mapping[str, Any]) -> list[dict[str, str]]:
    """What the records say anything of, in the order of the master contract."""
    known = [p for p in master.properties if any(p.name in content for content in contents)]
    rest = [name for content in contents for name in content if name not in {p.name for p in master.properties}]
    told = [{"name": p.name, "title": visit.speech.pick(p.title_vi, p.title_en) or p.name} for p in known]
    return told + [{"name": name, "title": name} for name in dict.fromkeys(rest)]
