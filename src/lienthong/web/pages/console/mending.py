"""Rows that wait: what is wrong where, mended in place, or taken away as a workbook with every wrong cell marked."""

from __future__ import annotations

from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from lienthong.contracts import Contract
from lienthong.errors import NotFound
from lienthong.pipeline import correct_row, show_quarantine
from lienthong.pipeline.columns import OURS, TYPED
from lienthong.pipeline.correct import By
from lienthong.pipeline.matching import PLATFORM
from lienthong.reports.marked import heading_in
from lienthong.reports.templates import template_workbook
from lienthong.sharing.workbook import XLSX
from lienthong.store import quarantine
from lienthong.store.quarantine import Item
from lienthong.web.desk import number_of
from lienthong.web.mended import give_workbook
from lienthong.web.pages.console.owning import note_rows_read, owner_of
from lienthong.web.pages.forms import Form, go
from lienthong.web.pages.page import Page, Table
from lienthong.web.pages.site import Site
from lienthong.web.pages.visiting import Visit, visit_of

ROWS = 20
WHOLE_ROW = ""  # under which an issue stands that is of no column


def listed(site: Site, visit: Visit) -> Page:
    """Waiting rows, oldest first, each cell with what is wrong in it."""
    actor, contract = owner_of(site, visit)
    after = visit.whole("after", 0, 2**62)
    with site.counter.workshop.database.connect() as connection:
        items = quarantine.list_items(connection, contract.id, "waiting", after, ROWS + 1)
        total = quarantine.counts(connection, contract.id).get("waiting", 0)
    note_rows_read(site, actor, contract, len(items))
    more, items = len(items) > ROWS, items[:ROWS]
    facts = {
        "id": contract.id,
        "title": contract.title_vi,
        "title_en": contract.title_en,
        "waiting": total,
        "rows": [row_facts(contract, item) for item in items],
        "next": items[-1].item_id if more and items else None,
        "mended": visit.whole("mended", 0, 2**62) or None,
        "still": visit.whole("still", 0, 2**62) or None,
    }
    names = list(dict.fromkeys(name for item in items for name in item.raw if _is_delivered(name)))
    rows = [
        [item.item_id, item.source_row, *(item.raw.get(name) for name in names), "; ".join(i["expected_vi"] for i in item.issues)]
        for item in items
    ]
    table = Table(("item", "row", *names, "issues"), rows)
    return Page("console/quarantine.html", visit.speech.t("console.waiting_rows"), facts, table)


def row_facts(contract: Contract, item: Item) -> dict[str, Any]:
    """A waiting row as a grid shows it: cells in the order they came, each with its faults; faults of no cell beside them."""
    titles = {heading_in(contract, p.name, item.raw): p for p in contract.properties}
    by_column: dict[str, list[dict[str, Any]]] = {}
    for issue in item.issues:
        if issue["severity"] == "error":
            by_column.setdefault(heading_in(contract, issue["column"], item.raw), []).append(issue)
    cells = []
    for name, value in item.raw.items():
        if not _is_delivered(name):
            continue
        p = titles.get(name)
        cells.append(
            {
                "column": name,
                "title": p.title_vi if p else name,
                "title_en": p.title_en if p else name,
                "value": (item.corrected or {}).get(name, value),
                "faults": by_column.get(name, []),
            }
        )
    return {"item": item.item_id, "run": item.run_id, "row_no": item.row_no, "row": item.source_row or item.row_no, "file": item.uri, "key": item.key, "since": item.since, "cells": cells, "faults": by_column.get(WHOLE_ROW, [])}  # fmt: skip


def _is_delivered(name: str) -> bool:
    """Whether a column of a waiting row is one the source sent: marks of ours are not for mending."""
    return name not in OURS and not name.startswith(TYPED)


def mend(site: Site, visit: Visit, form: Form) -> Any:
    """Try a row again with what was typed; it goes through, or waits with what is still wrong."""
    actor, contract = owner_of(site, visit, form.get("csrf", ""))
    number = number_of("item", visit.path["item"])
    dataset, item = show_quarantine(site.counter.workshop, number)
    if dataset != contract.id:
        raise NotFound(f"There is no quarantine item {number}.", vi=f"Không có mục chờ {number}.")
    typed = {name.removeprefix("cell:"): value for name, value in form.items() if name.startswith("cell:")}
    changed = {
        name: value.strip() or None for name, value in typed.items() if name in item.raw and (value.strip() or None) != item.raw[name]
    }
    back = f"/console/uploads/{form['upload']}" if form.get("upload", "").isdigit() else f"/console/datasets/{contract.id}/quarantine"
    done = correct_row(site.counter.workshop, number, changed, official=actor.name, caller=actor.subsystem or PLATFORM)
    is_through = done.item.state != "waiting"
    return go(back, mended=number if is_through else None, still=None if is_through else number, after=form.get("after") or None)


# Files, which are no pages


async def give_marked(site: Site, request: Request) -> Response:
    """Every row of the dataset that waits, as a workbook to mend and hand in again."""
    return await run_in_threadpool(_marked, site, request)


async def give_template(site: Site, request: Request) -> Response:
    """The form to fill in."""
    return await run_in_threadpool(_template, site, request)


def _marked(site: Site, request: Request) -> Response:
    visit = visit_of(request, site.counter.clock(), "html", site.session_of(request))
    actor, contract = owner_of(site, visit)
    place = site.counter.workshop
    return workbook(give_workbook(place, contract, By(actor.name, actor.subsystem or PLATFORM)), f"{contract.id}-can-sua")


def _template(site: Site, request: Request) -> Response:
    visit = visit_of(request, site.counter.clock(), "html", site.session_of(request))
    _, contract = owner_of(site, visit)
    return workbook(template_workbook(contract), f"{contract.id}-mau")


def workbook(body: bytes, name: str) -> Response:
    return Response(
        body, media_type=XLSX, headers={"Content-Disposition": f'attachment; filename="{name}.xlsx"', "Cache-Control": "no-store"}
    )
