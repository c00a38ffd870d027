"""A problem as a page: what happened, and what to do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from lienthong.clock import system_clock
from lienthong.web.pages.rendering import render
from lienthong.web.pages.visiting import visit_of


def problem_page(request: Request, status: int, document: Mapping[str, Any], headers: Mapping[str, str]) -> Response:
    """The facts of a problem document, for a reader. Who has signed in is not asked: that may be what failed."""
    visit = visit_of(request, system_clock(), "html", is_sample=bool(request.scope.get("lienthong", {}).get("is_sample")))
    hint = visit.speech.pick(document.get("hint_vi"), document.get("hint"))
    text = render("problem.html", visit, visit.speech.of(document, "title"), document, {"hint": hint})
    kept = {"Vary": "Accept, Accept-Language, Cookie", **headers}
    return Response(text, status, headers=kept, media_type="text/html; charset=utf-8")
