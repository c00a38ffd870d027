"""The month's report: every call once on every sheet, days of Vietnam, papers nobody had to bring."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import openpyxl
import pytest

from lienthong.access import Actor, Register, Role
from lienthong.errors import BadRequest
from lienthong.pipeline import Workshop
from lienthong.pipeline.agreeing import AgreementRules
from lienthong.pipeline.beside import record_paper
from lienthong.pipeline.counting import count_exchanges
from lienthong.reports.exchanges import Asker
from lienthong.reports.monthly import (
    HEADINGS,
    PAPER_HEADINGS,
    PAPER_SHEET,
    SHEETS,
    as_csv,
    as_document,
    as_xlsx,
    month_bounds,
    month_report,
)
from lienthong.store.beside import NewPaper
from tests.factories import make_contract, make_workshop
from tests.pipeline.test_alerting import CALLER, exchange, record

IN_MONTH = datetime(2026, 10, 31, 17, 30, tzinfo=UTC)  # half past midnight on 1 November in Vietnam
BEFORE = datetime(2026, 10, 31, 16, 30, tzinfo=UTC)


@pytest.fixture
def workshop(database_url: str, tmp_path: Path) -> Workshop:
    made = make_workshop(database_url, make_contract(str(tmp_path / "people.csv")))
    record(
        made,
        *(exchange(IN_MONTH) for _ in range(7)),
        exchange(IN_MONTH, status=404, outcome="missing"),
        exchange(IN_MONTH, status=403, outcome="refused", rule="other_purpose", purpose="=khac"),
        exchange(IN_MONTH, operation="list", bytes_out=5_000),
        exchange(IN_MONTH, service="test.permits", provider="H10.10", operation="GET /licences/{number}"),
        exchange(IN_MONTH, service="test.permits", provider="H10.10", operation="GET /licences/{number}", status=502, outcome="error"),
        exchange(IN_MONTH, service="platform", provider="", operation="report reuse"),
        exchange(BEFORE),
    )
    count_exchanges(made)
    return made


def test_every_call_is_once_on_every_sheet(workshop: Workshop) -> None:
    with workshop.database.connect() as connection:
        report = month_report(connection, "2026-11")
    assert report.is_whole()
    assert report.total.count.calls == 12
    assert report.total.papers == 8, "seven records and one brokered answer; lists, refusals and what is not there are none"
    document = as_document(report)
    assert document["is_whole"] is True
    services = {row["Dịch vụ"]: row for row in document["sheets"]["Dịch vụ"]}  # type: ignore[index] # plain values
    assert services["test.people"]["Số lượt"] == 10
    assert services["test.people"]["Từ chối"] == 1
    assert services["test.permits"]["Lỗi"] == 1


def test_an_agency_s_report_is_of_what_it_asked_or_answered(workshop: Workshop) -> None:
    with workshop.database.connect() as connection:
        assert month_report(connection, "2026-11", Asker("H10.10")).total.count.calls == 2
        assert month_report(connection, "2026-11", Asker("H10.12")).total.count.calls == 12
        assert month_report(connection, "2026-11", Asker("H99")).total.count.calls == 0
        assert month_report(connection, "2026-10").total.count.calls == 1


def test_the_csv_ends_with_its_control_total_and_holds_no_formula(workshop: Workshop) -> None:
    with workshop.database.connect() as connection:
        text = as_csv(month_report(connection, "2026-11")).decode("utf-8-sig")
    rows = list(csv.reader(io.StringIO(text)))
    assert rows[0][:5] == ["Cơ quan cung cấp", "Dịch vụ", "Hệ thống khai thác", "Mục đích", "Số lượt"]
    assert rows[-1][0] == "Tổng cộng"
    assert int(rows[-1][4]) == sum(int(row[4]) for row in rows[1:-1]) == 12
    assert not any(cell.startswith(("=", "+", "@")) for row in rows for cell in row)


def test_the_workbook_has_a_sheet_for_each_view_and_each_its_total(workshop: Workshop) -> None:
    with workshop.database.connect() as connection:
        book = openpyxl.load_workbook(io.BytesIO(as_xlsx(month_report(connection, "2026-11"))))
    assert book.sheetnames == [*(title for title, _, _ in SHEETS), PAPER_SHEET]
    for sheet, (_, _, titles) in zip(book.worksheets[:-1], SHEETS, strict=True):
        rows = list(sheet.iter_rows(min_row=3, values_only=True))
        assert rows[0] == (*titles, *HEADINGS)
        assert rows[-1][0] == "Tổng cộng"
        assert rows[-1][len(titles)] == sum(row[len(titles)] for row in rows[1:-1]) == 12
    assert CALLER in {row[0] for row in book["Hệ thống khai thác"].iter_rows(min_row=4, values_only=True)}


def test_letters_sent_all_the_same_are_counted_by_who_asked_whom(workshop: Workshop) -> None:
    law, actor = AgreementRules(), Actor("can-bo", "H10.12", frozenset({Role.DATA_OFFICER}))
    later = replace(workshop, clock=lambda: IN_MONTH + timedelta(days=40))
    for number, sent_on, records in (
        ("1/UBND", date(2026, 11, 1), 4),
        ("2/UBND", date(2026, 11, 30), 1),
        ("3/UBND", date(2026, 10, 31), 9),
    ):
        letter = NewPaper("H10.12", "H10.02", "test.people", "=Xin danh sách", number, sent_on, records)
        record_paper(later, law, Register(), actor, letter)
    with workshop.database.connect() as connection:
        reports = [month_report(connection, "2026-11", asker) for asker in (None, Asker("H10.02"), Asker("H10.55"))]
    assert [[(x.asker, x.asked, x.letters, x.records) for x in report.letters] for report in reports] == [
        [("H10.12", "H10.02", 2, 5)]
    ] * 2 + [[]]
    rows = as_document(reports[0])["sheets"][PAPER_SHEET]  # type: ignore[index] # plain values
    assert list(rows[0]) == list(PAPER_HEADINGS)
    book = openpyxl.load_workbook(io.BytesIO(as_xlsx(reports[0])))
    assert [row[3:5] for row in book[PAPER_SHEET].iter_rows(min_row=4, values_only=True)] == [(2, 5)]


@pytest.mark.parametrize("month", ["", "2026", "2026-13", "2026-00", "26-11", "2026-11-01", "9999-12", "٢٠٢٦-١١"])
def test_a_month_that_is_none_is_refused(month: str) -> None:
    with pytest.raises(BadRequest):
        month_bounds(month)


def test_a_year_ends_where_the_next_begins() -> None:
    assert month_bounds("2026-12")[1] == month_bounds("2027-01")[0]
