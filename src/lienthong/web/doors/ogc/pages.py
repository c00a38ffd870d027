"""The door's documents for readers: plain pages with links, in the portal's style."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from lienthong.clock import system_clock
from lienthong.web.pages.rendering import render
from lienthong.web.pages.visiting import visit_of

MOST_SHOWN = 100


def document(request: Request, found: Mapping[str, Any]) -> Response:
    """A landing page, a list of collections, one collection, the standards conformed to."""
    title = str(found.get("title") or "OGC API – Features")
    facts = {
        "words": found.get("description", ""),
        "links": found.get("links", []),
        "collections": found.get("collections", []),
        "conforms": found.get("conformsTo", []),
        "columns": [],
        "rows": [],
    }
    return _page(request, title, facts)


def items(request: Request, id: str, title: str, features: Sequence[Mapping[str, Any]], links: Sequence[Mapping[str, str]]) -> Response:
    """A page of features as a table of their properties."""
    columns = list(features[0]["properties"]) if features else []
    rows = [(feature.get("id", ""), [feature["properties"][name] for name in columns]) for feature in features[:MOST_SHOWN]]
    facts = {"words": id, "links": list(links), "collections": [], "conforms": [], "columns": columns, "rows": rows}
    return _page(request, title, facts)


def _page(request: Request, title: str, facts: Mapping[str, Any]) -> Response:
    visit = visit_of(request, system_clock(), "html", is_sample=bool(request.scope.get("lienthong", {}).get("is_sample")))
    text = render("ogc.html", visit, title, facts, {})
    return Response(
        text, headers={"Vary": "Accept, Accept-Language, Cookie", "Cache-Control": "no-store"}, media_type="text/html; charset=utf-8"
    )
