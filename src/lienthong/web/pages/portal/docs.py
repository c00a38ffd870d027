"""For integrators: how to ask, and what there is to ask for."""

from __future__ import annotations

from typing import Any

from lienthong.contracts import Sharing
from lienthong.web.pages.page import Page, Table
from lienthong.web.pages.site import Site
from lienthong.web.pages.speaking import order_key
from lienthong.web.pages.visiting import Visit


def shown(site: Site, visit: Visit) -> Page:
    contracts = sorted(site.public.values(), key=lambda c: order_key(visit.speech.pick(c.title_vi, c.title_en)))
    opened = [c.id for c in contracts if c.sharing is Sharing.OPEN]
    closed = [c.id for c in contracts if c.sharing is not Sharing.OPEN]
    facts: dict[str, Any] = {
        "datasets": [
            {"id": c.id, "title": c.title_vi, "title_en": c.title_en, "agency": c.agency, "sharing": c.sharing.value} for c in contracts
        ],
        "openapi": "/openapi.json",
        "base_url": site.counter.public_url,
    }
    beside = {"open_example": opened[0] if opened else None, "example": (closed or opened or ["…"])[0]}
    columns = ("id", "title", "title_en", "agency", "sharing")
    table = Table(columns, [[each[name] for name in columns] for each in facts["datasets"]])
    return Page("portal/docs.html", visit.speech.t("docs.title"), facts, table, beside, is_public=True)
