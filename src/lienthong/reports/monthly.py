"""The month's exchange report (R6): per service, provider and user, calls, ends, latency, volume, the paper nobody had to bring, and the paper sent all the same.

Days are Vietnam's. Control totals: each sheet's sums are the month's, and the file says so in its last row.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from lienthong.clock import VIETNAM
from lienthong.errors import BadRequest
from lienthong.reports.exchanges import Asker
from lienthong.store import Connection
from lienthong.store.beside import PaperCount, count_papers
from lienthong.store.exchange_records import percentile_ms
from lienthong.store.exchanges import Count, CountKey, read_counts

_MONTH = re.compile(r"(\d{4})-(0[1-9]|1[0-2])")
BOM = "\ufeff"  # spreadsheets then read UTF-8
TOTAL = "Tổng cộng"
PLATFORM = "platform"  # what was asked about no dataset or service
HEADINGS = (
    "Số lượt", "Thành công", "Không có bản ghi", "Từ chối", "Yêu cầu sai", "Lỗi", "Tỷ lệ thành công (%)", "Trung bình (ms)", "p50 (ms)", "p95 (ms)",
    "p99 (ms)", "Dữ liệu nhận (byte)", "Dữ liệu gửi (byte)", "Giấy tờ không phải nộp",
)  # fmt: skip
SHEETS: tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...] = (
    ("Dịch vụ", ("service",), ("Dịch vụ",)),
    ("Cơ quan cung cấp", ("provider",), ("Cơ quan cung cấp",)),
    ("Hệ thống khai thác", ("caller",), ("Hệ thống khai thác",)),
    ("Chi tiết", ("provider", "service", "caller", "purpose"), ("Cơ quan cung cấp", "Dịch vụ", "Hệ thống khai thác", "Mục đích")),
)
PAPER_SHEET = "Yêu cầu bằng giấy"
PAPER_HEADINGS = (
    "Cơ quan đề nghị", "Cơ quan được đề nghị", "Dữ liệu", "Công văn", "Hồ sơ được hỏi", "Công văn lẽ ra không cần", "Hồ sơ lẽ ra lấy qua nền tảng",
)  # fmt: skip


@dataclass
class Line:
    """Counts together, and how many of the calls stood for a paper."""

    count: Count
    papers: int = 0

    def add(self, key: CountKey, count: Count) -> None:
        self.count.add(count)
        self.papers += papers_of(key, count)

    @property
    def figures(self) -> tuple[int | float, ...]:
        count = self.count
        share = round(100 * count.answered / count.calls, 2) if count.calls else 0.0
        mean = round(count.microseconds / 1000 / count.calls, 2) if count.calls else 0.0
        latencies = [round(percentile_ms(count.latencies, part), 2) for part in (0.5, 0.95, 0.99)]
        ends = (count.calls, count.answered - count.missing, count.missing, count.refused, count.invalid, count.errors)
        return (*ends, share, mean, *latencies, count.bytes_in, count.bytes_out, self.papers)


@dataclass(frozen=True)
class MonthReport:
    """A month. `sheets`: for each of `SHEETS` its lines, by group; every sheet's lines sum to `total`. `letters`: what was asked for on paper."""

    month: str
    sheets: tuple[dict[tuple[str, ...], Line], ...]
    total: Line
    letters: tuple[PaperCount, ...] = ()

    def is_whole(self) -> bool:
        """Whether every sheet holds every call exactly once."""
        wanted = (self.total.count.calls, self.total.count.bytes_out, self.total.papers)
        sums = [
            (
                sum(x.count.calls for x in sheet.values()),
                sum(x.count.bytes_out for x in sheet.values()),
                sum(x.papers for x in sheet.values()),
            )
            for sheet in self.sheets
        ]
        return all(found == wanted for found in sums)


def papers_of(key: CountKey, count: Count) -> int:
    """How many of the calls stand for a paper somebody would have brought: a record looked up for a purpose, or a brokered call answered.

    Lists, files and feeds stand for none: they serve systems, not one person's case.
    """
    is_case = key.operation == "look_up" or " /" in key.operation
    return count.answered - count.missing if is_case and key.purpose else 0


def month_bounds(month: str) -> tuple[datetime, datetime]:
    """The instants a month begins and ends in Vietnam. Raises BadRequest for none such as `2026-11`."""
    found = _MONTH.fullmatch(month)
    if found is None or not 2000 <= int(found[1]) <= 9998:
        raise BadRequest(f"Expected a month such as 2026-11, found `{month[:20]}`.", vi="Cần tháng dạng 2026-11.")
    year, number = int(found[1]), int(found[2])
    following = date(year + number // 12, number % 12 + 1, 1)
    begin, until = (datetime.combine(day, time(), VIETNAM).astimezone(UTC) for day in (date(year, number, 1), following))
    return begin, until


def month_report(connection: Connection, month: str, asker: Asker | None = None) -> MonthReport:
    """The report of a month, of all exchanges or those one agency asked or answered. Figures about the platform itself are left out."""
    begin, until = month_bounds(month)
    sheets: tuple[dict[tuple[str, ...], Line], ...] = tuple({} for _ in SHEETS)
    total = Line(Count())
    for key, count in read_counts(connection, "day", begin, until, None if asker is None else asker.agency):
        if not key.provider:
            continue
        total.add(key, count)
        for sheet, (_, names, _) in zip(sheets, SHEETS, strict=True):
            sheet.setdefault(tuple(str(getattr(key, name)) for name in names), Line(Count())).add(key, count)
    first, last = begin.astimezone(VIETNAM).date(), until.astimezone(VIETNAM).date() - timedelta(days=1)
    letters = tuple(count_papers(connection, first, last, None if asker is None else asker.agency))
    return MonthReport(month, tuple(dict(sorted(sheet.items())) for sheet in sheets), total, letters)


def as_csv(report: MonthReport) -> bytes:
    """The detailed sheet as CSV (UTF-8 with a mark, for spreadsheets); its last row is the control total."""
    text = io.StringIO()
    writer = csv.writer(text)
    *_, (_, _, titles) = SHEETS
    writer.writerow((*titles, *HEADINGS))
    writer.writerows(_rows(report.sheets[-1], len(titles), report.total))
    return (BOM + text.getvalue()).encode()


def as_xlsx(report: MonthReport) -> bytes:
    """All sheets as a workbook, each with its control total."""
    import xlsxwriter  # noqa: PLC0415 # loaded when a workbook is asked for

    held = io.BytesIO()
    with xlsxwriter.Workbook(held, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}) as book:
        bold = book.add_format({"bold": True})
        for lines, (title, _, titles) in zip(report.sheets, SHEETS, strict=True):
            sheet = book.add_worksheet(title)
            sheet.write(0, 0, f"Báo cáo trao đổi dữ liệu tháng {report.month[5:]}/{report.month[:4]}", bold)
            sheet.write_row(2, 0, (*titles, *HEADINGS), bold)
            for number, row in enumerate(_rows(lines, len(titles), report.total), 3):
                sheet.write_row(number, 0, row)
            sheet.freeze_panes(3, len(titles))
            sheet.set_column(0, len(titles) + len(HEADINGS) - 1, 18)
        sheet = book.add_worksheet(PAPER_SHEET)
        sheet.write(0, 0, f"Yêu cầu dữ liệu gửi bằng giấy tháng {report.month[5:]}/{report.month[:4]}", bold)
        sheet.write_row(2, 0, PAPER_HEADINGS, bold)
        for number, row in enumerate(_letters(report), 3):
            sheet.write_row(number, 0, row)
        sheet.freeze_panes(3, 3)
        sheet.set_column(0, len(PAPER_HEADINGS) - 1, 18)
    return held.getvalue()


def as_document(report: MonthReport) -> dict[str, object]:
    """The report as plain values, by the names of its groups and Vietnamese headings."""
    return {
        "month": report.month,
        "is_whole": report.is_whole(),
        "total": dict(zip(HEADINGS, report.total.figures, strict=True)),
        "sheets": {
            title: [dict(zip((*titles, *HEADINGS), row, strict=True)) for row in _rows(lines, len(titles), None)]
            for lines, (title, _, titles) in zip(report.sheets, SHEETS, strict=True)
        }
        | {PAPER_SHEET: [dict(zip(PAPER_HEADINGS, row, strict=True)) for row in _letters(report)]},
    }


def _rows(lines: dict[tuple[str, ...], Line], width: int, total: Line | None) -> Iterator[Sequence[str | int | float]]:
    for group, line in lines.items():
        yield (*(_plain(text) for text in group), *line.figures)
    if total is not None:
        yield (TOTAL, *[""] * (width - 1), *total.figures)


def _letters(report: MonthReport) -> Iterator[Sequence[str | int | float]]:
    for each in report.letters:
        names = (_plain(text) for text in (each.asker, each.asked, each.dataset))
        yield (*names, each.letters, each.records, each.avoidable_letters, each.avoidable_records)


def _plain(text: str) -> str:
    """Text a spreadsheet takes for text: callers choose their purposes' codes."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text
