"""A row as it was delivered, for whoever keeps the dataset: cell by cell, the file and line it came from, and what became of it.

A record is found by its key, typed into a form and turned into the number of its row at once: no address and no log holds a key. Each look is
in the ledger under the record's keyed hash, so the person it is about sees it among the uses of their data.
"""

from __future__ import annotations

from typing import Any

from lienthong.access import Actor
from lienthong.contracts import Contract
from lienthong.errors import NotFound
from lienthong.ledger import Entry, Event, subject_hash
from lienthong.pipeline.landed import LandedRow, key_typed, show_landed, states_of
from lienthong.web.desk import number_of
from lienthong.web.pages.console.owning import owner_of
from lienthong.web.pages.forms import Form, go, text_in
from lienthong.web.pages.page import Page, Table
from lienthong.web.pages.site import Site
from lienthong.web.pages.visiting import Visit

COLUMNS = ("column", "field", "came", "stood", "published")


def shown(site: Site, visit: Visit) -> Page:
    """The row of a run an address names."""
    actor, contract = owner_of(site, visit)
    row = show_landed(site.counter.workshop, contract, number_of("run", visit.path["run"]), number_of("row", visit.path["row"]))
    details = {"run": row.run.run_id, "row": row.row_no}
    _note(site, actor, contract, row.key, "given", details)
    cells = [_cell(row, place) for place in range(len(row.cells))]
    facts: dict[str, Any] = {
        "id": contract.id,
        "title": contract.title_vi,
        "title_en": contract.title_en,
        "run": row.run.run_id,
        "run_state": row.run.state,
        "source": row.run.source_name,
        "at": row.run.started_at,
        "row": row.row_no,
        "source_row": row.source_row,
        "file": None if row.file is None else {
            "name": row.file.uri, "sheet": row.file.sheet, "sha256": row.file.sha256, "bytes": row.file.size_bytes, "encoding": row.file.encoding,
        },
        "cells": cells,
        "broken": None if row.broken is None else {
            "text": row.broken.text, "expected": row.broken.expected_vi, "expected_en": row.broken.expected_en,
        },
        "says_ended": row.says_ended,
        "faults": [_fault(i) for i in row.issues if i["column"] is None],
        "made": [
            {"title": p.title_vi, "title_en": p.title_en, "value": row.made[p.name]}
            for p in contract.properties
            if p.name in row.made and not any(each["field"] == p.name for each in cells)
        ],
        "item": None if row.item is None else {"item": row.item[0], "state": row.item[1]},
        "states": [
            {
                "version": s.version, "run": s.run_id, "row": s.row_no, "known_at": s.known_at, "is_current": s.is_current,
                "is_this": (s.run_id, s.row_no) == (row.run.run_id, row.row_no),
            }
            for s in row.states
        ],
    }  # fmt: skip
    table = Table(COLUMNS, [[each[name] for name in COLUMNS] for each in cells])
    return Page("console/landed.html", visit.speech.t("console.landed_title", n=row.source_row or row.row_no), facts, table)


def find(site: Site, visit: Visit, form: Form) -> Any:
    """The newest row of the record whose key was typed. Raises NotFound, which is in the ledger as well."""
    actor, contract = owner_of(site, visit, form.get("csrf", ""))
    typed = {p.name: text_in(form, f"key:{p.name}") for p in contract.key}
    key = key_typed(site.counter.workshop, contract, typed)
    states = states_of(site.counter.workshop, contract, key)
    if not states:
        _note(site, actor, contract, key, "missing", {})
        raise NotFound("There is no such record.", vi="Không có bản ghi này.")
    return go(f"/console/datasets/{contract.id}/landed/{states[0].run_id}/{states[0].row_no}")


def _cell(row: LandedRow, place: int) -> dict[str, Any]:
    """A cell as the page tells it; several cells one field is made of stand each with the field's name, the value beside the first."""
    cell = row.cells[place]
    p = cell.field
    is_first = p is not None and p not in [each.field for each in row.cells[:place]]
    return {
        "column": cell.column,
        "field": p.name if p else None,
        "title": p.title_vi if p else None,
        "title_en": p.title_en if p else None,
        "came": cell.came,
        "stood": cell.stood,
        "published": row.made.get(p.name) if p and is_first else None,
        "faults": [_fault(i) for i in row.issues if p and is_first and i["column"] == p.name],
    }


def _fault(issue: Any) -> dict[str, Any]:
    return {"severity": issue["severity"], "expected": issue["expected_vi"], "expected_en": issue["expected_en"]}


def _note(site: Site, actor: Actor, contract: Contract, key: str | None, outcome: str, details: dict[str, Any]) -> None:
    subject = None if key is None else subject_hash(site.counter.subject_key, contract.id, key)
    entry = Entry(
        site.counter.clock(), Event.LANDED_ROW_READ, actor.subsystem or actor.agency, actor.name, dataset=contract.id, subject=subject,
        outcome=outcome, details=details,
    )  # fmt: skip
    site.counter.append(entry)
