"""Finding data: by words with or without marks, by facets, by the old or the new name of a place."""

from __future__ import annotations

from lienthong.catalog import Found, Wanted, find_named_units
from lienthong.catalog.searching import FACETS
from lienthong.clock import vietnam_date
from lienthong.standards.admin_units import Unit
from lienthong.store import pages as store
from lienthong.web.pages.page import Page, Table
from lienthong.web.pages.portal.telling import UNKNOWN, short
from lienthong.web.pages.site import Site
from lienthong.web.pages.speaking import order_key
from lienthong.web.pages.visiting import Visit


def shown(site: Site, visit: Visit) -> Page:
    words = visit.text("q")
    chosen = {name: visit.text(name) for name in FACETS if visit.text(name)}
    found = site.index().search(Wanted(words, chosen))
    today = vietnam_date(site.counter.clock())
    units = find_named_units(words, today) if words else []
    with site.connection() as connection:
        standings = store.standings(connection)
    if units and found.is_partly:  # a place was meant: datasets that hold one of its words would only be in the way
        found = Found((), found.facets)
    contracts = found.contracts if words else sorted(found.contracts, key=lambda c: order_key(visit.speech.pick(c.title_vi, c.title_en)))
    datasets = [
        {**short(c, standings.get(c.id, UNKNOWN), site.agency(c.agency)), "matched_fields": [_field(site, c.id, name) for name in found.fields.get(c.id, ())[:4]]}
        for c in contracts
    ]  # fmt: skip
    facts = {
        "query": words,
        "chosen": chosen,
        "count": len(datasets),
        "is_partly": found.is_partly,
        "datasets": datasets,
        "units": [
            {"unit": unit(each.unit), "before": [unit(u) for u in each.before], "after": [unit(u) for u in each.after]} for each in units
        ],
        "facets": {
            name: [
                {"value": f.value, "count": f.count, "label": _label(site, visit, name, f.value)} for f in found.facets if f.name == name
            ]
            for name in FACETS
        },
    }
    columns = ("id", "title", "title_en", "agency", "domain", "layer", "sharing", "records", "updated_at")
    table = Table(columns, [[each[name] for name in columns] for each in datasets])
    title = visit.speech.t("portal.results_for", query=words) if words else visit.speech.t("portal.all_data")
    return Page("portal/search.html", title, facts, table, is_public=True)


def unit(each: Unit) -> dict[str, object]:
    """A unit of administration as pages tell it."""
    return {"code": each.code, "name": each.name, "level": each.level, "valid_from": each.valid_from, "valid_to": each.valid_to}


def _label(site: Site, visit: Visit, name: str, value: str) -> str:
    if name == "agency":
        return site.agency(value)
    key = f"kinds.{name}_{value}"
    return visit.speech.t(key) if visit.speech.has(key) else value


def _field(site: Site, dataset: str, name: str) -> dict[str, str]:
    found = site.contracts[dataset].property_named(name)
    return {"name": name, "title": found.title_vi, "title_en": found.title_en}
