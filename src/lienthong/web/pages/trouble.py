"""A problem as a page: what happened, and what to do."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response

from lienthong.clock import system_clock
from lienthong.web.pages.rendering import render
from lienthong.web.pages.speaking import words
from lienthong.web.pages.visiting import visit_of

COOKIE = "lienthong"  # of a session: behind https it begins with __Host-
_LOCAL = re.compile(r"/(?![/\\])[\x21-\x5b\x5d-\x7e]{0,1999}")


def came_from(request: Request) -> str:
    """The page of ours a reader came from, to go back to what was typed there; empty for none."""
    found = urlsplit(request.headers.get("referer", ""))
    if found.netloc != request.url.netloc:
        return ""
    path = found.path + (f"?{found.query}" if found.query else "")
    is_here = found.path == request.url.path and request.method == "GET"
    return path if _LOCAL.fullmatch(path) and not is_here else ""


def _told_by(status: int, rule: str) -> str:
    """The key of what to do next where the error itself does not say."""
    if f"problem.hint_{rule}" in words():
        return f"problem.hint_{rule}"
    return {401: "problem.hint_no_identity", 403: "problem.hint_denied", 404: "problem.missing_hint"}.get(status, "problem.default_hint")


def problem_page(request: Request, status: int, document: Mapping[str, Any], headers: Mapping[str, str]) -> Response:
    """The facts of a problem document, for a reader. Who has signed in is not asked: that may be what failed."""
    visit = visit_of(request, system_clock(), "html", is_sample=bool(request.scope.get("lienthong", {}).get("is_sample")))
    hint = visit.speech.pick(document.get("hint_vi"), document.get("hint"))
    beside = {
        "hint": hint,
        "told_by": _told_by(status, str(document.get("rule", ""))),
        "came_from": came_from(request),
        "is_reading": request.method in ("GET", "HEAD"),
        "has_cookie": any(name.removeprefix("__Host-") == COOKIE for name in request.cookies),
    }
    text = render("problem.html", visit, visit.speech.of(document, "title"), document, beside)
    kept = {"Vary": "Accept, Accept-Language, Cookie", **headers}
    return Response(text, status, headers=kept, media_type="text/html; charset=utf-8")
