"""What a page function gives, and the three ways it is read: a document, JSON, CSV."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
from starlette.responses import Response

from lienthong.web.pages.rendering import render
from lienthong.web.pages.visiting import CSV, JSON, YEAR_SECONDS, Visit

_FORMULA = re.compile(r"^[=+\-@\t\r]")
_NUMBER = re.compile(r"^-?\d+(\.\d+)?$")


@dataclass(frozen=True)
class Table:
    """The rows a person would take into a spreadsheet."""

    columns: Sequence[str]
    rows: Iterable[Sequence[Any]]


@dataclass(frozen=True)
class Page:
    """`facts` is the JSON twin whole; the template reads them as they are, and `beside` what is for the eye alone (drawings, forms)."""

    template: str
    title: str
    facts: Mapping[str, Any]
    table: Table | None = None
    beside: Mapping[str, Any] = field(default_factory=dict)
    status: int = 200
    is_public: bool = False
    headers: Mapping[str, str] = field(default_factory=dict)


def answer(page: Page, visit: Visit) -> Response:
    """The page in the form that was asked for. A page without rows has no CSV: its facts are given as JSON."""
    kept = {"Cache-Control": "no-cache" if page.is_public and not visit.cookies else "no-store", "Vary": "Accept, Accept-Language, Cookie"}
    headers = {**kept, **page.headers}
    if visit.form == "csv" and page.table is not None:
        return Response(as_csv(page.table), page.status, headers=headers, media_type=f"{CSV}; charset=utf-8")
    if visit.form != "html":
        return Response(msgspec.json.encode(page.facts), page.status, headers=headers, media_type=JSON)
    made = Response(
        render(page.template, visit, page.title, page.facts, page.beside, has_csv=page.table is not None),
        page.status,
        headers=headers,
        media_type="text/html; charset=utf-8",
    )
    for name, value in visit.cookies.items():
        made.set_cookie(name, value, max_age=YEAR_SECONDS, httponly=True, samesite="lax", secure=visit.request.url.scheme == "https")
    return made


def as_csv(table: Table) -> bytes:
    """UTF-8 with its mark, so that spreadsheets read the letters right; nothing in it is taken for a formula."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(table.columns)
    for row in table.rows:
        writer.writerow([_cell(value) for value in row])
    return b"\xef\xbb\xbf" + out.getvalue().encode()


def _cell(value: Any) -> Any:
    if value is None:
        return ""
    if hasattr(value, "isoformat"):
        return value.isoformat()
    if isinstance(value, str) and _FORMULA.match(value) and not _NUMBER.match(value):
        return "'" + value
    return value
