"""An agency's own workbook for a report: given filled with frozen figures, or read back with every fault of it and held against them.

Nothing is kept of what is handed in here: it is read, told about and forgotten. Figures change where they are made, in the data.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from lienthong.access import Role
from lienthong.contracts.indicators import Indicator, Report, period_named
from lienthong.errors import HostileInputError, NotFound, SourceError, Unprocessable
from lienthong.ledger import Entry, Event
from lienthong.pipeline.filing import PLATFORM
from lienthong.reports.document_forms import FORMS
from lienthong.sharing.filters import shown as safely
from lienthong.store import filings as store
from lienthong.store.filings import Filing
from lienthong.web import acting
from lienthong.web.pages.board import telling
from lienthong.web.pages.board.reporting import may_see
from lienthong.web.pages.console.handing_in import form_of_file
from lienthong.web.pages.page import Page, Table, answer
from lienthong.web.pages.site import Site
from lienthong.web.pages.visiting import Visit, visit_of

FILL = "fill"
NEAR = 1e-6  # how far a typed figure may be from the frozen one as it is shown, as a share, to be the same
COLUMNS = ("cell", "found", "expected")


def shown(site: Site, visit: Visit) -> Page:
    """What the form holds, the frozen figures it is filled with, and where to hand one in."""
    report = _report(site, visit)
    return _page(site, visit, report, _newest(site, report), None)


async def take(site: Site, request: Request) -> Response:
    """A workbook of an agency: given back filled, or read. A form of fields `csrf`, `word` (`fill` or `read`) and `file`."""
    form = await form_of_file(site, request)
    file = form.get("file")
    if file is None or isinstance(file, str) or not file.filename:
        raise Unprocessable("No file was chosen.", vi="Chưa chọn tệp.")
    from lienthong.reports.documents.workbook import LARGEST_BYTES  # noqa: PLC0415 # loads what reads workbooks

    body = await file.read(LARGEST_BYTES + 1)
    return await run_in_threadpool(_taken, site, request, str(form.get("csrf", "")), str(form.get("word", "")), body)


def _taken(site: Site, request: Request, csrf: str, word: str, body: bytes) -> Response:
    from lienthong.reports import documents  # noqa: PLC0415

    visit = visit_of(request, site.counter.clock(), "html", site.session_of(request), is_sample=site.counter.is_sample)
    report = _report(site, visit)
    actor = acting.require(request, Role.LEADER, Role.DATA_OFFICER, agency=report.agency, csrf=csrf)
    assert report.form is not None
    filing = _newest(site, report)
    try:
        if word == FILL:
            facts = _facts(filing)
            return _given(site, actor.name, report, facts, filing, documents.fill_form(body, report.form, facts))
        read = documents.read_form(body, report.form)
    except (SourceError, HostileInputError) as error:
        trouble = visit.speech.pick(_in_vietnamese(error), str(error))
        return answer(_page(site, visit, report, filing, {"trouble": trouble}, status=422), visit)
    told = {
        "trouble": "",
        "errors": [{"cell": e.cell, "found": e.found, "expected": e.expected_vi, "expected_en": e.expected_en} for e in read.errors],
        "rows": read.row_count, "total_rows": read.total_rows,
        "compared": _compared(read.cells, read.rows, filing, site.numbers.indicators()),
    }  # fmt: skip
    return answer(_page(site, visit, report, filing, told, status=422 if read.errors else 200), visit)


def _given(site: Site, who: str, report: Report, facts: Mapping[str, Any], filing: Filing | None, body: bytes) -> Response:
    """The filled workbook, and its entry: figures leave as they do in any document of the filing."""
    assert filing is not None
    details = {"report": report.id, "filing": filing.filing, "form": "bieu-mau-rieng.xlsx", "rows": facts["row_count"]}
    digest = hashlib.sha256(body).hexdigest()
    entry = Entry(site.counter.clock(), Event.REPORT_GIVEN, PLATFORM, official=who, answer_digest=digest, outcome="given", details=details)
    site.counter.append(entry)
    headers = {
        "Content-Disposition": f'attachment; filename="{report.id}-{filing.period}-bieu-mau.xlsx"',
        "Cache-Control": "private, no-store",
    }
    return Response(body, media_type=FORMS["xlsx"], headers=headers)


def _facts(filing: Filing | None) -> Mapping[str, Any]:
    if filing is None:
        raise Unprocessable(
            "Nothing is filed yet for this report.",
            hint="File it first.",
            hint_vi="Hãy lập báo cáo trước.",
            vi="Báo cáo này chưa lập lần nào.",
        )
    return filing.facts


def _in_vietnamese(error: SourceError | HostileInputError) -> str:
    """What is wrong with a workbook as a whole, for who made it."""
    message = error.message
    if isinstance(error, HostileInputError):
        return "Tệp quá lớn so với một biểu mẫu: bỏ ảnh và các trang không dùng, rồi lưu lại."
    if "no cell" in message or "no sheet" in message:
        named = message.partition("`")[2].partition("`")[0]
        return f"Tệp không phải biểu mẫu này: thiếu “{named}”. Tải biểu mẫu trống về và điền vào đó."
    return "Không đọc được tệp: cần sổ Excel dạng .xlsx, không đặt mật khẩu."


def _report(site: Site, visit: Visit) -> Report:
    """The report an address names, when its reader may see it and it has a form. Raises NotFound, Unauthenticated or Denied."""
    report = site.numbers.reports().get(visit.path["report"])
    if report is None or report.form is None:
        raise NotFound(f"No report `{safely(visit.path['report'])}` has a form.", vi="Không có báo cáo nào mang tên này có biểu mẫu riêng.")
    if not may_see(telling.reader_of(visit), report):
        acting.require(visit.request, *(tuple(Role(role) for role in report.recipients) or telling.SEES_ALL))
    return report


def _newest(site: Site, report: Report) -> Filing | None:
    with site.connection() as connection:
        return next(iter(store.newest(connection, [report.id])[report.id]), None)


def _compared(
    cells: Mapping[str, float], rows: Mapping[str, Mapping[str, float]], filing: Filing | None, known: Mapping[str, Indicator]
) -> list[dict[str, Any]]:
    """Each figure that was read beside the frozen one: of the whole, then of units, those that differ first."""
    if filing is None:
        return []
    from lienthong.reports.documents.workbook import found_in, key_of  # noqa: PLC0415

    totals = {row["indicator"]: row["total"] for row in filing.facts["rows"]}
    told = [_pair(known, name, "", value, totals.get(name)) for name, value in cells.items()]
    places = {each["indicator"]: {key_of(row["name"]): row["total"] for row in each["rows"]} for each in filing.facts["tables"]}
    for name, values in rows.items():
        told += [_pair(known, name, place, value, found_in(places.get(name, {}), place)) for place, value in values.items()]
    return sorted(told, key=lambda each: (each["same"], each["place"] != ""))


def _pair(known: Mapping[str, Indicator], name: str, place: str, typed: float, frozen: Any) -> dict[str, Any]:
    held = None if frozen is None else float(frozen)
    indicator = known.get(name)
    decimals = indicator.decimals if indicator else 0
    same = held is not None and abs(typed - held) <= max(0.5 * 10.0**-decimals, NEAR * abs(held))
    return {
        "indicator": name, "title": indicator.title_vi if indicator else name, "title_en": indicator.title_en if indicator else name, "place": place,
        "typed": typed, "frozen": held, "same": same, "decimals": decimals,
    }  # fmt: skip


def _page(
    site: Site, visit: Visit, report: Report, filing: Filing | None, told: Mapping[str, Any] | None, status: int = 200
) -> Page:  # fmt: skip
    assert report.form is not None
    known = site.numbers.indicators()
    reader = telling.reader_of(visit)
    table = report.form.table
    places = list(report.form.cells.items())
    if table is not None:
        places += [(f"{table.sheet or '1'}!{letter}{table.first_row}…", name) for letter, name in table.columns.items()]
    period = None if filing is None else period_named(report.period, filing.period)
    facts: dict[str, Any] = {
        "report": report.id, "title": report.title_vi, "title_en": report.title_en, "agency": report.agency,
        "filing": filing.filing if filing else None, "period": filing.period if filing else None,
        "places": [{"cell": cell, "indicator": name, "title": known[name].title_vi if name in known else name, "title_en": known[name].title_en if name in known else name} for cell, name in places],
        "read": told,
    }  # fmt: skip
    rows = [(e["cell"], e["found"], e["expected"]) for e in (told or {}).get("errors", ())]
    beside = {
        "has_file": site.numbers.form_file(report) is not None,
        "may_hand_in": reader is not None and reader.is_of(report.agency) and reader.may(Role.LEADER, Role.DATA_OFFICER),
        "period_title": telling.period_title(visit.speech, period) if period else "",
    }
    return Page(
        "board/form.html",
        visit.speech.t("board.form_of", title=visit.speech.of(facts, "title")),
        facts,
        Table(COLUMNS, rows),
        beside,
        status=status,
    )
