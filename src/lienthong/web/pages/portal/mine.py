"""Who looked at my data: each use of a signed-in citizen's records in plain words, with its proof. The look itself is an entry."""

from __future__ import annotations

from typing import Any

from lienthong.errors import BadRequest
from lienthong.sharing.uses import Window
from lienthong.web import acting
from lienthong.web.pages.page import Page, Table
from lienthong.web.pages.site import Site
from lienthong.web.pages.visiting import Visit

LINES = 50


def shown(site: Site, visit: Visit) -> Page:
    number = acting.citizen_of(visit.request)
    before = visit.whole("before", 0, 10**17)
    if site.uses is None:
        raise BadRequest("Nobody answers citizens here.", vi="Nơi này chưa phục vụ công dân.")
    told = site.uses.told(number, Window(before=before or None, limit=LINES))
    lines = [{**line, "agency_name": site.agency(line["agency"]) if line["agency"] else ""} for line in told["uses"]]
    facts: dict[str, Any] = {**told, "uses": lines, "data_protection": site.settings.data_protection}
    columns = ("at", "agency", "agency_name", "dataset", "purpose", "legal_basis", "words", "proof")
    table = Table(columns, [[line[name] for name in columns] for line in lines])
    return Page("portal/mine.html", visit.speech.t("mine.title"), facts, table)
