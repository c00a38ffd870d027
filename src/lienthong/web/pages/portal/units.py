"""A unit of administration by its code: what it is now, what it was, what became of it. A code alone names several places over time."""

from __future__ import annotations

from lienthong.catalog import unit_history
from lienthong.clock import vietnam_date
from lienthong.contracts import Sharing
from lienthong.errors import NotFound
from lienthong.sharing.filters import shown as safely
from lienthong.web.pages.page import Page, Table
from lienthong.web.pages.portal.search import unit
from lienthong.web.pages.site import Site
from lienthong.web.pages.visiting import Visit


def shown(site: Site, visit: Visit) -> Page:
    code = visit.path["code"]
    found = unit_history(code, vietnam_date(site.counter.clock()))
    if not found:
        raise NotFound(f"No unit has the code `{safely(code)}`.", vi=f"Không có đơn vị nào mang mã `{safely(code)}`.")
    facts = {
        "code": code,
        "name": found[0].unit.name,
        "history": [
            {"unit": unit(each.unit), "before": [unit(u) for u in each.before], "after": [unit(u) for u in each.after]} for each in found
        ],
        "datasets": [
            {"id": c.id, "title": c.title_vi, "title_en": c.title_en, "field": p.name, "is_open": c.sharing is Sharing.OPEN}
            for c in site.public.values()
            for p in c.properties
            if p.standard == "admin_unit" and p.standard_options.get("level", "commune") == found[0].unit.level
        ],
    }
    rows = [
        (each.unit.code, each.unit.name, each.unit.level, each.unit.valid_from, each.unit.valid_to,
         "; ".join(f"{u.code} {u.name}" for u in each.before), "; ".join(f"{u.code} {u.name}" for u in each.after))
        for each in found
    ]  # fmt: skip
    columns = ("code", "name", "level", "valid_from", "valid_to", "before", "after")
    return Page("portal/unit.html", found[0].unit.name, facts, Table(columns, rows), is_public=True)
