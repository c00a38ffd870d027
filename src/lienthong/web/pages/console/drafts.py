"""A new dataset from a spreadsheet: the proposal with what speaks for it, the officer's own words, cleaned rows, what it touches, two persons."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from lienthong.access import Actor, Role
from lienthong.catalog.held import Field, already_held
from lienthong.contracts.fault_words import in_vietnamese
from lienthong.contracts.mapping import read_mapping
from lienthong.contracts.mapping.reading import MappingFault
from lienthong.errors import ContractError, NotFound, SourceError, Unprocessable
from lienthong.ledger import Entry, Event
from lienthong.pipeline import approving, drafting
from lienthong.pipeline.matching import PLATFORM
from lienthong.pipeline.previewing import PreviewRow
from lienthong.quality.drafting import SENSITIVITIES, TYPES, Column, Draft, document_of
from lienthong.reports.previews import preview_workbook
from lienthong.standards import STANDARDS
from lienthong.store import drafts as store
from lienthong.store.approvals import Proposal
from lienthong.store.drafts import KeptDraft
from lienthong.web import acting
from lienthong.web.desk import number_of
from lienthong.web.pages.console.handing_in import LONGEST_NAME, form_of_file
from lienthong.web.pages.console.mending import workbook
from lienthong.web.pages.forms import Form, go, text_in
from lienthong.web.pages.page import Page, Table
from lienthong.web.pages.site import Site
from lienthong.web.pages.speaking import nfc
from lienthong.web.pages.visiting import Visit, visit_of

ROWS = 15
COLUMNS = ("heading", "name", "title", "title_en", "type", "standard", "required", "key", "sensitivity", "filled", "rows", "distinct")
DECIDERS = (Role.DATA_OFFICER, Role.LEADER)


def listed(site: Site, visit: Visit) -> Page:
    """The agency's drafts, and the form that begins one."""
    actor = acting.require(visit.request, Role.DATA_OFFICER)
    with site.counter.workshop.database.connect() as connection:
        found = store.of_agency(connection, actor.agency)
    told = [{"draft": d.draft, "dataset": d.dataset_id, "title": d.document["title"], "file_name": d.file_name, "state": d.state, "made_at": d.made_at, "by": d.by_whom} for d in found]  # fmt: skip
    columns = ("draft", "dataset", "title", "file_name", "state", "made_at", "by")
    facts = {"agency": actor.agency, "agency_name": site.agency(actor.agency), "drafts": told}
    return Page(
        "console/drafts.html", visit.speech.t("drafts.title"), facts, Table(columns, [[each[name] for name in columns] for each in told])
    )


async def take(site: Site, request: Request) -> Response:
    """A file in a form of fields `csrf`, `title` and `file`."""
    form = await form_of_file(site, request)
    return await run_in_threadpool(_kept, site, request, form)


def _kept(site: Site, request: Request, form: Any) -> Response:
    actor = acting.require(request, Role.DATA_OFFICER, csrf=str(form.get("csrf", "")))
    file = form.get("file")
    if file is None or isinstance(file, str) or not file.filename:
        raise Unprocessable("No file was chosen.", vi="Chưa chọn tệp.")
    name = nfc(Path(str(file.filename).replace("\\", "/")).name)[-LONGEST_NAME:]
    title = nfc(str(form.get("title", ""))).strip()
    if len(title) > LONGEST_NAME or not all(sign.isprintable() for sign in title):
        raise Unprocessable("`title`: expected a short text.", vi="Tên bộ dữ liệu quá dài hoặc có ký tự lạ.")
    folder = site.settings.home / drafting.FOLDER
    folder.mkdir(parents=True, mode=0o700, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=folder, delete=False) as kept:
        while piece := file.file.read(1 << 20):
            kept.write(piece)
    content = Path(kept.name)
    try:
        number = drafting.keep(site.counter.workshop, actor, content, name, title, site.settings.home)
    except SourceError as error:
        raise Unprocessable(error.message, vi=error.message) from error
    finally:
        content.unlink(missing_ok=True)
    return go(f"/console/drafts/{number}")


def _said(visit: Visit, place: str, what: str) -> str:
    """A fault in the reader's words; the one everybody's first draft has says which box to fill."""
    if place == "schema[0].properties" and "primary key" in what:
        return visit.speech.t("drafts.no_key")
    return visit.speech.pick(in_vietnamese(what), what)


def shown(site: Site, visit: Visit) -> Page:
    """The proposal whole."""
    actor, kept = _owned(site, visit)
    workshop, made = site.counter.workshop, drafting.draft_of(kept)
    faults = drafting.faults_of(workshop, made) if kept.state == "open" else []
    proposal = _proposal_of(site, kept)
    facts: dict[str, Any] = {
        "draft": kept.draft, "state": kept.state, "file_name": kept.file_name, "made_at": kept.made_at, "by": kept.by_whom,
        "id": made.id, "title": made.title, "title_en": made.title_en, "header_row": made.header_row, "layout": [{"text": each.vi, "text_en": each.en} for each in made.layout], "sharing": made.sharing,
        "laws": [{"text": text, "valid_from": since} for text, since in made.laws],
        "columns": [_column(column) for column in made.columns],
        "faults": [{"place": place, "what": what, "said": _said(visit, place, what)} for place, what in faults],
        "held": _held(site, made),
        "tried": _tried(site, actor, kept, made),
        "proposal": None if proposal is None else {"proposal": proposal.number, "digest": proposal.digest, "reason": proposal.reason, "by": proposal.proposed_by, "at": proposal.proposed_at},
    }  # fmt: skip
    is_mine = proposal is not None and proposal.proposed_by.casefold() == actor.name.casefold()
    beside = {"types": TYPES, "standards": list(STANDARDS.values()), "sensitivities": SENSITIVITIES, "is_mine": is_mine, "yaml": _yaml(made), "may_change": actor.may(Role.DATA_OFFICER)}  # fmt: skip
    table = Table(COLUMNS, [[each[name] for name in COLUMNS] for each in facts["columns"]])
    return Page("console/draft.html", visit.speech.t("drafts.draft_of", title=made.title), facts, table, beside)


def act(site: Site, visit: Visit, form: Form) -> Any:
    """Keep the officer's words, propose, decide, or withdraw."""
    actor, kept = _owned(site, visit, form.get("csrf", ""))
    workshop, word, home = site.counter.workshop, text_in(form, "word"), site.settings.home
    page = f"/console/drafts/{kept.draft}"
    if word == "keep":
        _require_officer(actor)
        drafting.change(workshop, actor, kept.draft, _changed(drafting.draft_of(kept), form))
    elif word == "propose":
        made = drafting.draft_of(kept)
        faults = drafting.faults_of(workshop, made)
        if faults or kept.state != "open":
            raise Unprocessable(
                "; ".join(what for _, what in faults[:3]) or "The draft is not open.", vi="Bản thảo còn lỗi, chưa đề xuất được."
            )
        approving.propose(
            workshop, drafting.PUBLISH, actor, drafting.publication(made, kept.draft), text_in(form, "reason", ""), kept.agency
        )
    elif word in ("approve", "refuse", "take_back"):
        return _decide(site, actor, kept, word, form)
    elif word == "withdraw":
        _require_officer(actor)
        drafting.withdraw(workshop, actor, kept.draft, home)
        return go("/console/drafts")
    else:
        raise Unprocessable("`word`: keep, propose, approve, refuse, take_back or withdraw.", vi="Chưa chọn việc cần làm.")
    return go(page)


def _decide(site: Site, actor: Actor, kept: KeptDraft, word: str, form: Form) -> Any:
    """The second person's word; published, the file itself is handed in and its page shown."""
    workshop, home, page = site.counter.workshop, site.settings.home, f"/console/drafts/{kept.draft}"
    proposal = _proposal_of(site, kept)
    if proposal is None:
        raise Unprocessable("Nothing is proposed.", vi="Chưa có đề xuất nào.")
    if word == "refuse":
        approving.refuse(workshop, drafting.PUBLISH, actor, proposal.number, text_in(form, "reason", ""))
        return go(page)
    if word == "take_back":
        approving.withdraw(workshop, drafting.PUBLISH, actor, proposal.number)
        return go(page)
    began = workshop.clock()
    approving.approve(workshop, drafting.PUBLISH, actor, proposal.number, text_in(form, "digest"))
    drafting.take_up(workshop, began)
    upload = drafting.hand_in_first(workshop, kept, home, kept.by_whom)
    return go(page if upload is None else f"/console/uploads/{upload}")


def _owned(site: Site, visit: Visit, csrf: str = "") -> tuple[Actor, KeptDraft]:
    """A draft of one's own agency. Raises NotFound for any other's."""
    actor = acting.require(visit.request, *DECIDERS, csrf=csrf, in_person=True)
    return actor, drafting.shown(site.counter.workshop, actor.agency, number_of("draft", visit.path["draft"]))


def _require_officer(actor: Actor) -> None:
    if not actor.may(Role.DATA_OFFICER):
        raise acting.refusal("no_role")


def _proposal_of(site: Site, kept: KeptDraft) -> Proposal | None:
    waiting = approving.waiting(site.counter.workshop, [drafting.PUBLISH])
    return next((each for each in waiting if each.document.get("draft") == kept.draft), None)


def _column(column: Column) -> dict[str, Any]:
    return {
        "heading": column.heading, "name": column.name, "title": column.title, "title_en": column.title_en, "type": column.type, "standard": column.standard,
        "required": column.required, "key": column.key, "codes": list(column.codes), "sensitivity": column.sensitivity, "mask": column.mask,
        "filled": column.filled, "rows": column.rows, "distinct": column.distinct, "confidence": column.confidence, "mapping": column.mapping, "unit": column.unit,
        "evidence": [{"text": each.vi, "text_en": each.en} for each in column.evidence],
    }  # fmt: skip


def _held(site: Site, made: Draft) -> list[dict[str, Any]]:
    """Fields of the draft that somebody holds already, with where."""
    fields = [Field(column.name, column.title, column.standard) for column in made.kept]
    titles = {column.name: column.title for column in made.kept}
    found = []
    for each in already_held(site.contracts, fields, made.id):
        other = site.contracts[each.dataset]
        found.append(
            {
                "field": each.field, "field_title": titles[each.field], "dataset": each.dataset, "title": other.title_vi, "title_en": other.title_en,
                "column": each.column, "agency": each.agency, "agency_name": site.agency(each.agency), "is_authoritative": each.is_authoritative,
            }
        )  # fmt: skip
    return found


def _tried(site: Site, actor: Actor, kept: KeptDraft, made: Draft) -> dict[str, Any] | None:
    """The file's own rows under the draft; None where the draft is no contract yet or the file is gone."""
    place = drafting.place_of(site.settings.home, kept.draft, kept.file_name)
    if kept.state != "open" or not place.is_file():
        return None
    try:
        tried = drafting.try_on(site.counter.workshop, made, place)
    except (ContractError, SourceError):
        return None
    shown = tried.rows[:ROWS]
    _note_rows(site, actor, kept, made.id, len(shown))
    names = [p.name for p in tried.contract.properties]
    return {
        "rows": [_previewed(row, names) for row in shown], "judged": len(tried.rows), "waiting": tried.waiting,
        "issues": [{"column": i["column_name"], "rule": i["rule"], "expected": i["expected_vi"], "expected_en": i["expected_en"], "rows": i["len"]} for i in tried.issues[:20]],
    }  # fmt: skip


def _previewed(row: PreviewRow, names: Sequence[str]) -> dict[str, Any]:
    """A row as it came and as it would be, with what is wrong beside each cell."""
    cells = {
        name: {"came": cell.came, "cleaned": cell.cleaned, "faults": [{"expected": each.vi, "expected_en": each.en} for each in cell.said]}
        for name, cell in zip(names, row.cells, strict=False)
    }
    return {
        "row": row.source_row,
        "waits": row.waits,
        "cells": cells,
        "faults": [{"expected": each.vi, "expected_en": each.en} for each in row.said],
    }


async def give_preview(site: Site, request: Request) -> Response:
    """The first hundred rows as they came and as they would be, as a workbook; nothing is kept."""
    return await run_in_threadpool(_preview, site, request)


def _preview(site: Site, request: Request) -> Response:
    visit = visit_of(request, site.counter.clock(), "html", site.session_of(request))
    actor, kept = _owned(site, visit)
    place = drafting.place_of(site.settings.home, kept.draft, kept.file_name)
    if kept.state != "open" or not place.is_file():
        raise NotFound(f"Draft {kept.draft} has no file any more.", vi="Bản thảo không còn tệp.")
    try:
        tried = drafting.try_on(site.counter.workshop, drafting.draft_of(kept), place)
    except (ContractError, SourceError) as error:
        raise Unprocessable(error.message, vi="Bản thảo chưa là hợp đồng đúng, hoặc tệp không đọc được.") from error
    _note_rows(site, actor, kept, tried.contract.id, len(tried.rows))
    return workbook(preview_workbook(tried), f"{tried.contract.id}-xem-truoc")


def _note_rows(site: Site, actor: Actor, kept: KeptDraft, dataset: str, rows: int) -> None:
    """Rows of a file were shown to somebody."""
    site.counter.append(
        Entry(
            site.counter.clock(), Event.QUARANTINE_LISTED, actor.subsystem or PLATFORM, actor.name, dataset=dataset, outcome="given",
            details={"items": rows, "draft": kept.draft},
        )
    )  # fmt: skip


def _changed(made: Draft, form: Form) -> Draft:
    """The draft with what the form says; what it does not name stays."""
    columns = []
    for n, column in enumerate(made.columns):
        if f"name:{n}" not in form:
            columns.append(column)
            continue
        kind, sensitivity, key = (
            form.get(f"type:{n}", column.type),
            form.get(f"sensitivity:{n}", column.sensitivity),
            form.get(f"key:{n}", "").strip(),
        )
        standard = form.get(f"standard:{n}", "")
        mapping = _mapping_in(form, n, column)
        if (
            kind not in TYPES
            or sensitivity not in SENSITIVITIES
            or (standard and standard not in STANDARDS)
            or not (key == "" or (key.isascii() and key.isdigit() and len(key) < 3))
        ):
            raise Unprocessable(f"Column {n + 1}: a choice that does not exist.", vi=f"Cột {n + 1}: lựa chọn không có.")
        columns.append(
            replace(
                column, name=text_in(form, f"name:{n}"), title=text_in(form, f"title:{n}", column.title), title_en=text_in(form, f"title_en:{n}", column.title_en),
                type=kind, standard=standard, sensitivity=sensitivity, required=form.get(f"required:{n}") == "yes" or key != "", key=int(key) if key else None,
                codes=column.codes if form.get(f"codes:{n}") == "yes" else (), mask=column.mask if sensitivity in ("personal", "sensitive") else "",
                mapping=mapping, options=column.options if standard == column.standard else {},
            )
        )  # fmt: skip
    return replace(
        made,
        id=text_in(form, "id", made.id),
        title=text_in(form, "title", made.title),
        title_en=text_in(form, "title_en", made.title_en),
        columns=tuple(columns),
    )


def _mapping_in(form: Form, n: int, column: Column) -> str:
    """The expression typed for a column. Raises Unprocessable with what is wrong in it and the nearest right word."""
    text = form.get(f"mapping:{n}", column.mapping).strip()
    if text:
        try:
            read_mapping(text)
        except MappingFault as fault:
            raise Unprocessable(f"Column {n + 1}, mapping: {fault}. {fault.suggestion}".strip(), vi=f"Cột {n + 1}, ánh xạ: {fault}. {fault.suggestion}".strip()) from fault  # fmt: skip
    return text


def _yaml(made: Draft) -> str:
    return drafting.as_yaml(document_of(made))
