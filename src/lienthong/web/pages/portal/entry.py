"""Entries that are no dataset: an agency, a list of codes, an indicator, a service, what is known and not connected. Each from the catalogue's own entry."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from starlette.responses import RedirectResponse, Response

from lienthong.catalog import Item, Kind
from lienthong.catalog.items import BETWEEN
from lienthong.errors import NotFound
from lienthong.web.pages.page import Page, Table
from lienthong.web.pages.site import Site
from lienthong.web.pages.visiting import Visit

_NAMES = (
    "title_en", "description", "description_en", "state", "code", "owner", "focal_officer", "focal_officers", "contacts", "dataset", "parent", "parent_name",
    "valid_from", "valid_to", "successors", "shares", "scope", "legal_basis", "codes", "below", "entries",
)  # fmt: skip # what a page tells where an entry has it


def page_of(item: Item) -> str:
    """Where an entry's page is."""
    return address_of(item.kind, item.id)


def address_of(kind: str, id: str) -> str:
    if kind in (Kind.DATASET, Kind.CODE_LIST, Kind.INDICATOR) and BETWEEN not in id:
        return f"/datasets/{quote(id)}" if "." in id else f"/board/{quote(id)}"  # an indicator of a file has its place on the board
    return f"/units/{quote(id)}" if kind == Kind.UNIT else f"/catalogue/{kind}/{quote(id)}"


def shown(site: Site, visit: Visit) -> Page | Response:
    kind, id = visit.path["kind"], visit.path["id"]
    address = address_of(kind, id)
    told = site.desk.entry(Kind(kind), id) if kind in tuple(Kind) else None
    if told is None:
        raise NotFound("There is no such entry.", vi="Không có mục này trong danh mục.")
    if not address.startswith("/catalogue/"):
        return RedirectResponse(address, 308)
    facts: dict[str, Any] = {**dict.fromkeys(_NAMES, ""), "kind": kind, "id": id, **told}
    for each in facts.get("entries", ()):
        each["page"] = address_of(each["kind"], each["id"])
    title = visit.speech.of(facts, "title")
    return Page("portal/entry.html", title, facts, _table(facts), is_public=True)


def _table(facts: dict[str, Any]) -> Table | None:
    """What of an entry is rows: codes of a list, entries of an agency."""
    if facts["codes"]:
        return Table(("code", "title"), [(each["code"], each["title"]) for each in facts["codes"]])
    if facts["entries"]:
        columns = ("kind", "id", "title", "title_en", "sharing", "state")
        return Table(columns, [[each[name] for name in columns] for each in facts["entries"]])
    return None
