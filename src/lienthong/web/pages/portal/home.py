"""The first page: one field to search in, what there is, what is new."""

from __future__ import annotations

from collections import Counter

from lienthong.contracts import Layer
from lienthong.store import pages as store
from lienthong.web.pages.page import Page, Table
from lienthong.web.pages.portal.telling import UNKNOWN, short
from lienthong.web.pages.site import Site
from lienthong.web.pages.visiting import Visit

NEWEST = 6


def shown(site: Site, visit: Visit) -> Page:
    with site.connection() as connection:
        standings = store.standings(connection)
        newest = store.checkpoints(connection, 1)
    datasets = [short(c, standings.get(c.id, UNKNOWN), site.agency(c.agency)) for c in site.public.values()]
    domains = Counter(each["domain"] for each in datasets)
    published = [each for each in datasets if each["updated_at"] is not None]
    facts = {
        "datasets": len(datasets),
        "records": sum(each["records"] for each in datasets if each["layer"] != Layer.MASTER.value),
        "agencies": len({each["agency"] for each in datasets}),
        "open": sum(1 for each in datasets if each["sharing"] == "open"),
        "ledger_entries": newest[0][0] if newest else 0,
        "checkpoint_at": newest[0][2] if newest else None,
        "domains": [{"domain": name, "datasets": count} for name, count in sorted(domains.items(), key=lambda each: (-each[1], each[0]))],
        "newest": sorted(published, key=lambda each: (each["updated_at"], each["id"]), reverse=True)[:NEWEST],
    }
    columns = ("id", "title", "title_en", "agency", "domain", "sharing", "records", "updated_at")
    table = Table(columns, [[each[name] for name in columns] for each in sorted(datasets, key=lambda each: each["id"])])
    return Page("portal/home.html", visit.speech.t("portal.home_title"), facts, table, is_public=True)
