"""Who owes which report when, what was filed, and its documents."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from lienthong.access import Actor, Role
from lienthong.clock import vietnam_date
from lienthong.contracts.indicators import Period, Report, period_named, period_of
from lienthong.errors import NotFound
from lienthong.ledger import Entry, Event
from lienthong.pipeline import filing as acts
from lienthong.pipeline.filing import PLATFORM
from lienthong.reports.document_forms import FORMS
from lienthong.sharing.filters import shown as safely
from lienthong.store import Connection
from lienthong.store import filings as store
from lienthong.store.filings import Filing
from lienthong.web import acting
from lienthong.web.pages.board import telling
from lienthong.web.pages.forms import Form, go, text_in
from lienthong.web.pages.page import Page, Table
from lienthong.web.pages.site import Site
from lienthong.web.pages.visiting import Visit
from lienthong.web.reporting import making_of

PERIODS = 4  # told of each report: the running one and those before
MOST_FILED = 24  # and filings before these
COLUMNS = ("report", "title", "agency", "period", "due_at", "standing", "filing", "filed_at")
OWN_FORM = "bieu-mau"
DOCUMENT = "bao-cao"


def may_see(actor: Actor | None, report: Report) -> bool:
    """Whether a reader sees a report: what is public everybody, its roles of recipients, and the agency that issues it."""
    roles = tuple(Role(role) for role in report.recipients)
    return report.is_public or (actor is not None and (actor.is_of(report.agency) or bool(roles and actor.may(*roles))))


def standings(site: Site, reports: list[Report], filed: dict[str, list[Filing]], now: datetime) -> list[dict[str, Any]]:
    """What is owed: each report's running period and those before, what is late first."""
    told: list[dict[str, Any]] = []
    for report in reports:
        here = period_of(report.period, vietnam_date(now))
        by_period = {each.period: each for each in filed[report.id]}
        periods = [here.earlier(back) for back in range(PERIODS)]
        older = [period_named(report.period, each.period) for each in filed[report.id][:MOST_FILED]]
        chosen = dict.fromkeys([*periods, *(each for each in older if each is not None)])
        told += [standing_of(site, report, period, by_period.get(period.code), now) for period in chosen]
    return sorted(told, key=lambda each: (each["standing"] not in ("overdue", "late"), each["standing"] != "owed", each["due_at"]))


def late_reports(site: Site, connection: Connection, reader: Actor | None) -> int:
    """How many reports a reader may see are overdue, or filed with figures that were late."""
    seen = [each for each in site.numbers.reports().values() if may_see(reader, each)]
    told = standings(site, seen, store.newest(connection, [each.id for each in seen]), site.counter.clock()) if seen else []
    return sum(1 for each in told if each["standing"] in ("overdue", "late"))


def standing_of(site: Site, report: Report, period: Period, filed: Filing | None, now: datetime) -> dict[str, Any]:
    """One report of one period: owed, overdue, filed late or with figures missing, or filed."""
    due = report.due_at(period)
    standing = ("overdue" if due < now else "owed") if filed is None else ("late" if filed.state == "late" else "filed")
    return {
        "report": report.id, "title": report.title_vi, "title_en": report.title_en, "agency": report.agency,
        "agency_name": report.agency_name or site.agency(report.agency), "period": period.code, "due_at": due, "standing": standing,
        "filing": filed.filing if filed else None, "filed_at": filed.filed_at if filed else None, "filed_by": filed.filed_by if filed else None,
    }  # fmt: skip


def listed(site: Site, visit: Visit) -> Page:
    """Every report the reader may see, with what is owed."""
    reader = telling.reader_of(visit)
    seen = [each for each in site.numbers.reports().values() if may_see(reader, each)]
    if not seen and reader is None:
        acting.require(visit.request, *telling.SEES_ALL)
    now = site.counter.clock()
    with site.connection() as connection:
        filed = store.newest(connection, [each.id for each in seen])
    told = standings(site, seen, filed, now)
    may_file = {each.id for each in seen if reader is not None and reader.is_of(each.agency)}
    facts = {"reports": told}
    beside = {
        "titles": {(each.id, code): telling.period_title(visit.speech, found) for each in seen for code in {t["period"] for t in told if t["report"] == each.id} if (found := period_named(each.period, code))},
        "may_file": may_file,
        "with_form": {each.id for each in seen if each.form is not None},
    }  # fmt: skip
    table = Table(COLUMNS, [[each[name] for name in COLUMNS] for each in told])
    return Page("board/reports.html", visit.speech.t("board.reports"), facts, table, beside)


def file(site: Site, visit: Visit, form: Form) -> Response:
    """An official of the issuing agency files a report now."""
    report = site.numbers.reports().get(visit.path["report"])
    period = None if report is None else period_named(report.period, text_in(form, "period"))
    if report is None or period is None:
        raise NotFound("There is no such report or period.", vi="Không có báo cáo hoặc kỳ này.")
    actor = acting.require(visit.request, Role.LEADER, Role.DATA_OFFICER, agency=report.agency, csrf=form.get("csrf", ""))
    acts.file_report(site.counter.workshop, report, period, making_of(site.numbers.indicators()), actor)
    return go("/board/reports")


def filing_named(site: Site, request: Request, name: str, reader: Actor | None) -> Filing:
    """A filing, seen by its reader. Raises NotFound, Unauthenticated or Denied."""
    with site.connection() as connection:
        filing = store.one(connection, name)
    report = None if filing is None else site.numbers.reports().get(filing.report)
    if filing is None:
        raise NotFound(f"There is no figure `{safely(name)}`.", vi=f"Không có số liệu `{safely(name)}`.")
    if report is None or not may_see(reader, report):
        acting.require(request, *(tuple(Role(role) for role in report.recipients) if report and report.recipients else telling.SEES_ALL))
    return filing


async def give(site: Site, request: Request) -> Response:
    """A document of a filing."""
    return await run_in_threadpool(_given, site, request)


def _given(site: Site, request: Request) -> Response:
    from lienthong.reports import documents  # noqa: PLC0415 # loads what writes PDF, Word and workbooks

    session = site.session_of(request) if request.cookies else None
    name, kind = str(request.path_params["name"]), str(request.path_params["form"])
    filing = filing_named(site, request, request.path_params["figure"], None if session is None else session.actor)
    address = f"{site.settings.public_url}/figures/{filing.filing}"
    report = site.numbers.reports().get(filing.report)
    if name == DOCUMENT and kind in FORMS:
        media, body = FORMS[kind], documents.make(kind, filing.facts, address, filing.digest)
    elif (
        name == OWN_FORM and kind == "xlsx" and report is not None and report.form is not None and (path := site.numbers.form_file(report))
    ):
        media, body = FORMS[kind], documents.fill_form(path.read_bytes(), report.form, filing.facts)
    else:
        raise NotFound("There is no such document.", vi="Không có tài liệu này.")
    who = "" if session is None else session.actor.name
    details = {"report": filing.report, "filing": filing.filing, "form": f"{name}.{kind}", "rows": filing.facts["row_count"]}
    digest = hashlib.sha256(body).hexdigest()
    site.counter.append(
        Entry(site.counter.clock(), Event.REPORT_GIVEN, PLATFORM, official=who, answer_digest=digest, outcome="given", details=details)
    )
    headers = {
        "Content-Disposition": f'attachment; filename="{filing.report}-{filing.period}.{kind}"',
        "Cache-Control": "private, no-store",
    }
    return Response(body, media_type=media, headers=headers)


def shown(site: Site, visit: Visit) -> Page:
    """A filing: what its documents say, and the proof."""
    from lienthong.web.pages.board.figures import proof_of  # noqa: PLC0415 # the two pages share an address

    filing = filing_named(site, visit.request, visit.path["figure"], telling.reader_of(visit))
    with site.connection() as connection:
        proof = proof_of(site, connection, filing.digest)
    report = site.numbers.reports().get(filing.report)
    facts: dict[str, Any] = {
        "filing": filing.filing, "report": filing.report, "period": filing.period, "revision": filing.revision, "state": filing.state,
        "filed_at": filing.filed_at, "due_at": filing.due_at, "filed_by": filing.filed_by, "digest": filing.digest, "proof": proof, "facts": dict(filing.facts),
    }  # fmt: skip
    rows = filing.facts["rows"]
    columns = ("indicator", "title", "unit", "period", "total", "target", "year_before", "state", "figure")
    table = Table(columns, [[row[name] for name in columns] for row in rows])
    beside = {"has_form": report is not None and site.numbers.form_file(report) is not None, "documents": list(FORMS)}
    return Page("board/filing.html", filing.facts["title"], facts, table, beside, is_public=report is not None and report.is_public)
