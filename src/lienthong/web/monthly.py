"""`GET /v1/reports/exchange?month=2026-11`: the month's exchange report, as JSON, CSV or a workbook."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from lienthong.errors import NotAcceptable
from lienthong.reports.monthly import MonthReport, as_csv, as_document, as_xlsx, month_report
from lienthong.sharing.filters import read_known
from lienthong.sharing.formats import CSV, JSON
from lienthong.sharing.workbook import XLSX
from lienthong.web.acting import actor_of
from lienthong.web.asking import PRIVATE, Counter
from lienthong.web.monitoring import asker_of, given_entry

FORMS: dict[str, Callable[[MonthReport], bytes]] = {
    JSON: lambda report: msgspec.json.encode(as_document(report)),
    CSV: as_csv,
    XLSX: as_xlsx,
}


def route_of(counter: Counter) -> Route:
    return Route("/v1/reports/exchange", partial(_given, counter))


async def _given(counter: Counter, request: Request) -> Response:
    return await run_in_threadpool(_answer, counter, request)


def _answer(counter: Counter, request: Request) -> Response:
    actor = actor_of(request)
    month = read_known(request.query_params.multi_items(), ("month",)).get("month", "")
    form = _form(request.headers.get("accept", "*/*"))
    with counter.connection() as connection:
        report = month_report(connection, month, asker_of(actor))
    body = FORMS[form](report)
    counter.append(given_entry(counter, actor, request, f"exchange {report.month}", body))
    suffix = {CSV: "csv", XLSX: "xlsx"}.get(form)
    named = {"Content-Disposition": f'attachment; filename="trao-doi-{report.month}.{suffix}"'} if suffix else {}
    return Response(body, media_type=form, headers={**PRIVATE, "Vary": "Accept", **named})


def _form(accept: str) -> str:
    """The first form an Accept header takes. Raises NotAcceptable."""
    for part in accept.split(","):
        wanted = part.partition(";")[0].strip().lower()
        if wanted in ("*/*", "application/*"):
            return JSON
        if wanted in FORMS:
            return wanted
    raise NotAcceptable(f"Expected one of {', '.join(FORMS)} in Accept.", vi=f"Accept phải có một trong: {', '.join(FORMS)}.")
