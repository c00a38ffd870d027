"""Handing a file in: it is kept, taken in by the worker, and its page tells how far it is; closing the page changes nothing."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from python_multipart.multipart import parse_options_header
from starlette.concurrency import run_in_threadpool
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request
from starlette.responses import Response

from lienthong.access import Role
from lienthong.errors import BadRequest, NotFound, NotJson, TooLarge, Unprocessable
from lienthong.pipeline.correct import By
from lienthong.pipeline.matching import PLATFORM
from lienthong.pipeline.upload import FOLDER, receive
from lienthong.store import runs, uploads
from lienthong.store.quarantine import Item
from lienthong.store.uploads import Upload, WaitingRow
from lienthong.web import acting
from lienthong.web.desk import number_of
from lienthong.web.mended import give_workbook
from lienthong.web.pages.console.mending import row_facts, workbook
from lienthong.web.pages.console.owning import note_rows_read, owner_of
from lienthong.web.pages.console.sources import upload_facts
from lienthong.web.pages.forms import go
from lienthong.web.pages.page import Page, Table
from lienthong.web.pages.site import Site
from lienthong.web.pages.speaking import nfc
from lienthong.web.pages.visiting import Visit, visit_of

LARGEST_FILE = 100_000_000
LONGEST_NAME = 200
ROWS = 50


async def take(site: Site, request: Request) -> Response:
    """A file in a form of fields `csrf`, `whole` and `file`. Who hands it in is asked before the file is kept, the size as it comes."""
    form = await form_of_file(site, request)
    file = form.get("file")
    if file is None or isinstance(file, str) or not file.filename:
        raise Unprocessable("No file was chosen.", vi="Chưa chọn tệp.")
    name = nfc(Path(str(file.filename).replace("\\", "/")).name)[-LONGEST_NAME:]
    return await run_in_threadpool(_kept, site, request, str(form.get("csrf", "")), name, file.file, form.get("whole") == "yes")


async def form_of_file(site: Site, request: Request) -> Any:
    """The form a file comes in. Raises before anything is read for somebody who has not signed in, TooLarge as soon as it is."""
    kind, _ = parse_options_header(request.headers.get("content-type", ""))
    if kind != b"multipart/form-data":
        raise NotJson("Expected multipart/form-data.", vi="Cần multipart/form-data.")
    await run_in_threadpool(_may_hand_in, site, request)
    return await _parts(request)


def _may_hand_in(site: Site, request: Request) -> None:
    """Raises before anything is read for somebody who has not signed in."""
    if site.session_of(request) is None and request.headers.get("authorization") is None:
        acting.require(request, Role.DATA_OFFICER)


async def _parts(request: Request) -> Any:
    """The form, its file on disk. Raises TooLarge as soon as it is, BadRequest for what is no form."""
    count = 0

    async def counted() -> Any:
        nonlocal count
        async for part in request.stream():
            count += len(part)
            if count > LARGEST_FILE:
                raise TooLarge(f"Expected at most {LARGEST_FILE:,} bytes.", vi=f"Tệp lớn nhất {LARGEST_FILE // 1_000_000} MB.")
            yield part

    try:
        return await MultiPartParser(request.headers, counted(), max_files=1, max_fields=10).parse()
    except (MultiPartException, KeyError) as error:
        raise BadRequest("The form is not readable.", vi="Không đọc được biểu mẫu.") from error


def _kept(site: Site, request: Request, csrf: str, name: str, file: Any, is_whole: bool) -> Response:
    visit = visit_of(request, site.counter.clock(), "html", site.session_of(request))
    actor, contract = owner_of(site, visit, csrf)
    folder = site.settings.home / FOLDER
    folder.mkdir(parents=True, mode=0o700, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=folder, delete=False) as kept:
        while piece := file.read(1 << 20):
            kept.write(piece)
    content = Path(kept.name)
    try:
        number = receive(
            site.counter.workshop, contract, content, name, folder, is_whole=is_whole, by=actor.name, agency=actor.agency,
            caller=actor.subsystem or PLATFORM,
        )  # fmt: skip
    finally:
        content.unlink(missing_ok=True)
    return go(f"/console/uploads/{number}")


def shown(site: Site, visit: Visit) -> Page:
    """How far a file is; when it is through, what became of its rows and what is to be mended."""
    upload = _owned(site, visit)
    contract = site.contracts[upload.dataset_id]
    after = visit.whole("after", 0, 2**62)
    with site.counter.workshop.database.connect() as connection:
        run = runs.show(connection, upload.run_id) if upload.run_id is not None else None
        rows = uploads.waiting_of_run(connection, contract.id, upload.run_id, after, ROWS) if upload.run_id is not None else []
        waiting = uploads.count_of_run(connection, upload.run_id) if upload.run_id is not None else 0
    if rows:
        note_rows_read(site, acting.require(visit.request, Role.DATA_OFFICER, agency=upload.agency), contract, len(rows))
    facts = {
        **upload_facts(upload),
        "dataset_title": contract.title_vi,
        "dataset_title_en": contract.title_en,
        "run_state": run.state if run else None,
        "waits_for": run.waits_for if run else None,
        "counts": {name: getattr(run, name) for name in ("rows_in", "rows_published", "rows_unchanged", "rows_quarantined", "rows_ended")} if run else None,
        "waiting": waiting,
        "rows_to_mend": [row_facts(contract, _as_item(row, upload)) for row in rows],
        "next": rows[-1].item if len(rows) == ROWS else None,
        "mended": visit.whole("mended", 0, 2**62) or None,
        "still": visit.whole("still", 0, 2**62) or None,
    }  # fmt: skip
    table = Table(
        ("item", "row", "key", "issues"),
        [(row.item, row.source_row, row.key, "; ".join(issue["expected_vi"] for issue in row.issues)) for row in rows],
    )
    return Page("console/upload.html", visit.speech.t("console.file_named", name=upload.file_name), facts, table)


def _as_item(row: WaitingRow, upload: Upload) -> Item:
    """The shape a grid shows."""
    return Item(
        row.item, row.run, row.row_no, row.source_row, upload.file_name, None, row.key, "waiting", upload.at, None, row.raw, row.corrected,
        row.issues,
    )  # fmt: skip


def _owned(site: Site, visit: Visit) -> Upload:
    """The upload an address names, of one's own agency. Raises NotFound for any other: what others hand in is theirs to tell."""
    actor = acting.require(visit.request, Role.DATA_OFFICER)
    number = number_of("upload", visit.path["upload"])
    with site.counter.workshop.database.connect() as connection:
        upload = uploads.show(connection, number)
    if upload is None or not actor.is_of(upload.agency) or upload.dataset_id not in site.contracts:
        raise NotFound(f"There is no file {number}.", vi=f"Không có tệp số {number}.")
    return upload


async def give_marked(site: Site, request: Request) -> Response:
    """The rows of one file that wait, as a workbook to mend and hand in again."""
    return await run_in_threadpool(_marked, site, request)


def _marked(site: Site, request: Request) -> Response:
    visit = visit_of(request, site.counter.clock(), "html", site.session_of(request))
    upload = _owned(site, visit)
    contract = site.contracts[upload.dataset_id]
    actor = acting.require(request, Role.DATA_OFFICER, agency=upload.agency)
    by = By(actor.name, actor.subsystem or PLATFORM)
    return workbook(give_workbook(site.counter.workshop, contract, by, upload.run_id or 0), f"{contract.id}-{upload.upload}-can-sua")
