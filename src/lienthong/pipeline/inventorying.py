"""An agency hands in its inventory sheet: rows that are well formed become entries of the catalogue, the others are told, each with what is wrong."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from lienthong.access import Actor, Role
from lienthong.contracts.inventory import MOST_ROWS, Fault, count_known, known_heading, read_rows
from lienthong.errors import Denied, SourceError, Unprocessable
from lienthong.ledger import Entry, Event
from lienthong.pipeline.list_reading import ReadList, read_list
from lienthong.pipeline.workshop import Workshop
from lienthong.store import append_entries, catalogue

MAY = (Role.DATA_OFFICER, Role.OPERATOR)


@dataclass(frozen=True)
class TakenIn:
    """What became of a sheet: how many rows are new, changed, as they were, of datasets connected already, ended; and what was wrong."""

    new: int
    changed: int
    unchanged: int
    connected: int
    ended: int
    faults: tuple[Fault, ...]


def read_sheet(path: Path) -> ReadList:
    """The rows of a sheet (xlsx, csv, ods …) under the headings that are found. Raises Unprocessable in the reader's words."""
    try:
        given = read_list(path, count_known, MOST_ROWS)
    except SourceError as error:
        raise Unprocessable(error.message, hint=error.hint, vi=error.message, hint_vi=error.facts.get("hint_vi")) from error
    if not any(known_heading(heading) == "name" for heading in given.frame.columns):
        raise Unprocessable(
            "No column holds the name of a system or database.",
            hint="Take the form from the catalogue: GET /v1/catalogue/inventory.xlsx.",
            vi="Không có cột tên hệ thống, cơ sở dữ liệu: hãy dùng mẫu lấy từ danh mục.",
            hint_vi="Lấy biểu mẫu từ danh mục: GET /v1/catalogue/inventory.xlsx.",
        )
    return given


def take_sheet(workshop: Workshop, actor: Actor, given: ReadList, agencies: Mapping[str, str], *, whole: bool = False) -> TakenIn:
    """Keep what a sheet says. `whole`: items of the agency that are not on it end, unless a row of it is faulty. An operator's is the province's sheet.

    Raises Denied for who may not.
    """
    if not actor.may(*MAY):
        raise Denied("This needs a data officer or an operator.", rule="no_role", vi="Việc này cần cán bộ dữ liệu hoặc quản trị vận hành.")
    own = "" if actor.may(Role.OPERATOR) else actor.agency
    datasets = {contract.id: contract.agency for contract in workshop.contracts.values()}
    numbered = zip(given.numbers, given.frame.iter_rows(named=True), strict=True)
    rows, faults = read_rows(numbered, datasets, agencies, own)
    faults += [Fault(broken.source_row, "", "không đọc được hàng này", "the row cannot be read") for broken in given.broken]
    at = workshop.clock()
    counted = {"new": 0, "changed": 0, "unchanged": 0, "connected": 0, "ended": 0}
    with workshop.database.connect() as connection:
        for agency in sorted({row.agency for row in rows} | ({own} if own else set())):
            catalogue.lock_inventory(connection, agency)
        standing = {item.item: item for item in catalogue.inventory(connection)}
        for row in rows:
            facts = {**row.facts, **({"dataset": row.dataset} if row.dataset else {})}
            held = standing.get(row.item)
            counted["connected"] += bool(row.dataset)
            if held is not None and dict(held.facts) == facts:
                counted["unchanged"] += 1
                continue
            counted["new" if held is None else "changed"] += 1
            catalogue.keep_item(connection, row.item, row.agency, facts, actor.name, at)
        if whole and not faults:
            on_it = {row.item for row in rows}
            for item in standing.values():
                if item.item not in on_it and own in ("", item.agency):
                    counted["ended"] += 1
                    catalogue.keep_item(connection, item.item, item.agency, None, actor.name, at)
        digest = hashlib.sha256("\n".join(f"{row.item}\t{sorted(row.facts.items())}" for row in rows).encode()).hexdigest()
        details = {**counted, "faults": len(faults), "whole": whole}
        entry = Entry(
            at=at, event=Event.INVENTORY_TAKEN, caller=actor.subsystem or actor.agency, official=actor.name, request_digest=digest,
            outcome="done", details=details,
        )  # fmt: skip
        append_entries(connection, [entry], workshop.signer)
    return TakenIn(**counted, faults=tuple(faults))
