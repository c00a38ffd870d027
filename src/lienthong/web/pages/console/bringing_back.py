"""The workbook of waiting rows, brought back mended: its changed rows are tried in one run, the answer is a workbook of verdicts."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from lienthong.errors import Unprocessable
from lienthong.pipeline import mending
from lienthong.pipeline.correct import By
from lienthong.pipeline.matching import PLATFORM
from lienthong.web.mended import verdicts_of
from lienthong.web.pages.console.handing_in import form_of_file
from lienthong.web.pages.console.mending import workbook
from lienthong.web.pages.console.owning import owner_of
from lienthong.web.pages.site import Site
from lienthong.web.pages.visiting import visit_of


async def take_marked(site: Site, request: Request) -> Response:
    """The workbook, mended: every changed row is tried again, and a workbook of verdicts is the answer. A form of fields `csrf` and `file`."""
    form = await form_of_file(site, request)
    file = form.get("file")
    if file is None or isinstance(file, str) or not file.filename:
        raise Unprocessable("No file was chosen.", vi="Chưa chọn tệp.")
    return await run_in_threadpool(_taken, site, request, str(form.get("csrf", "")), file.file)


def _taken(site: Site, request: Request, csrf: str, file: Any) -> Response:
    visit = visit_of(request, site.counter.clock(), "html", site.session_of(request))
    actor, contract = owner_of(site, visit, csrf)
    place = site.counter.workshop
    with tempfile.NamedTemporaryFile(suffix=".xlsx") as kept:
        shutil.copyfileobj(file, kept)
        kept.flush()
        done = mending.take_back(place, contract, Path(kept.name), By(actor.name, actor.subsystem or PLATFORM))
    return workbook(verdicts_of(place, contract, done), f"{contract.id}-ket-qua")
