"""Finding data: by words with or without marks, by facets, by the old or the new name of a place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from lienthong.catalog import Found, Item, Wanted, find_named_units, place_in
from lienthong.catalog.describing import short
from lienthong.catalog.measuring import UNKNOWN
from lienthong.catalog.searching import FACETS
from lienthong.clock import vietnam_date
from lienthong.standards.admin_units import Unit
from lienthong.store import pages as store
from lienthong.store.pages import StandingNow
from lienthong.web.pages.page import Page, Table
from lienthong.web.pages.portal.entry import page_of
from lienthong.web.pages.site import Site
from lienthong.web.pages.visiting import Visit

ON_A_PAGE = 50
MOST_PAGES = 20_000
NOTHING = Found((), (), 0)
_OLD = {"theme": "domain"}  # under which words of themes stand


def shown(site: Site, visit: Visit) -> Page:
    words = visit.text("q")
    chosen = {name: visit.text(name) for name in FACETS if visit.text(name)}
    if visit.text("domain"):  # what the theme was called in addresses of before
        chosen.setdefault("theme", visit.text("domain"))
    page = visit.whole("page", 1, MOST_PAGES)
    is_data = visit.form != "html"
    wanted = Wanted(words, chosen, 0 if is_data else (max(page, 1) - 1) * ON_A_PAGE, None if is_data else ON_A_PAGE)
    found = site.index().search(wanted)
    today = vietnam_date(site.counter.clock())
    units = find_named_units(words, today) if words else []
    with site.connection() as connection:
        standings = store.standings(connection)
    searched = words
    if found.is_partly:
        asked, places = place_in(words, today)
        if places:
            searched, units, found = asked, places, _beside_place(site, wanted, asked)
    entries = [
        {**_entry(site, item, standings), "matched_fields": _fields(item, found.fields.get(item.id, ())[:4])} for item in found.items
    ]
    facts = {
        "query": words,
        "searched": searched,
        "chosen": chosen,
        "count": found.total,
        "is_partly": found.is_partly,
        "entries": entries,
        "page": max(page, 1),
        "pages": max(1, -(-found.total // ON_A_PAGE)),
        "units": [
            {"unit": unit(each.unit), "before": [unit(u) for u in each.before], "after": [unit(u) for u in each.after]}
            for each in ([] if chosen else units)
        ],
        "facets": {
            name: [
                {"value": f.value, "count": f.count, "label": _label(site, visit, name, f.value)} for f in found.facets if f.name == name
            ]
            for name in FACETS
        },
    }
    columns = ("kind", "id", "title", "title_en", "agency", "theme", "layer", "sharing", "state", "records", "updated_at")
    table = Table(columns, [[each[name] for name in columns] for each in entries])
    title = visit.speech.t("portal.results_for", query=words) if words else visit.speech.t("portal.all_data")
    return Page("portal/search.html", title, facts, table, is_public=True)


def _beside_place(site: Site, wanted: Wanted, rest: str) -> Found:
    """What meets the words beside a place's name. Entries that hold one word of the name alone would only be in the way."""
    found = site.index().search(replace(wanted, words=rest)) if rest else NOTHING
    return NOTHING if found.is_partly else found


def _entry(site: Site, item: Item, standings: Mapping[str, StandingNow]) -> dict[str, Any]:
    """An entry as a page lists it, with where its page is."""
    standing = standings.get(item.id, UNKNOWN)
    return {
        **short(item),
        "agency_name": site.agency(item.agency),
        "page": page_of(item),
        "records": standing.records,
        "updated_at": standing.known_at,
    }


def _fields(item: Item, names: Sequence[str]) -> list[dict[str, str]]:
    return [{"name": name, "title": vi, "title_en": en} for name, vi, en in item.fields if name in names]


def unit(each: Unit) -> dict[str, object]:
    """A unit of administration as pages tell it."""
    return {"code": each.code, "name": each.name, "level": each.level, "valid_from": each.valid_from, "valid_to": each.valid_to}


def _label(site: Site, visit: Visit, name: str, value: str) -> str:
    if name == "agency":
        return site.agency(value)
    for key in (f"kinds.{name}_{value}", f"kinds.{_OLD.get(name, name)}_{value}"):
        if visit.speech.has(key):
            return visit.speech.t(key)
    return value
