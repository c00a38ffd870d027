"""`lienthong report …`: how things go, in figures."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lienthong.cli.opening import settings, workshop
from lienthong.cli.reviewing import share_told
from lienthong.cli.words import day, out, say, show
from lienthong.clock import vietnam_date

if TYPE_CHECKING:
    from lienthong.reports.reuse import Reuse, ReuseReport
    from lienthong.reports.standing import EntityStanding

app = typer.Typer(no_args_is_help=True)
AsJson = Annotated[bool, typer.Option("--json", help="JSON")]
FIGURES = (
    ("Giá trị", "Values"),
    ("Đã có ở nguồn có thẩm quyền", "Already held by an authority"),
    ("Khớp", "Agree"),
    ("Lệch", "Disagree"),
    ("Giờ khỏi gõ", "Hours of typing"),
)

KINDS = {
    "created": "mới", "joined": "nhận thêm", "left": "bớt đi", "merged": "gộp", "split": "tách", "revived": "trở lại",
    "ended": "hết", "changed": "đổi giá trị",
}  # fmt: skip


@app.command("reuse")
def reuse(as_json: AsJson = False, details: Annotated[bool, typer.Option(help="Từng thuộc tính · attribute by attribute")] = False) -> None:  # fmt: skip
    """Bao nhiêu giá trị đã có sẵn ở nguồn có thẩm quyền · how much of each dataset an authority already held."""
    from lienthong.reports.reuse import reuse_document, reuse_report

    place = workshop()
    with place.database.connect() as connection:
        report = reuse_report(connection, place.contracts, settings().typing_characters_per_minute)
    if as_json:
        _print(reuse_document(report))
        return
    speed = report.characters_per_minute
    show((("Bộ dữ liệu", "Dataset"), *FIGURES), [(name, *_figures(each, speed)) for name, each in report.by_dataset().items()])
    out.print()
    show((("Cơ quan", "Agency"), *FIGURES), [(name, *_figures(each, speed)) for name, each in sorted(report.by_agency().items())])
    if details:
        out.print()
        _attributes(report)
    total = report.total
    out.print()
    out.print(
        say(
            f"Tổng: {total.held:,} giá trị đã có sẵn, {total.agree:,} khớp, {total.disagree:,} lệch; {total.hours(speed):,.0f} giờ khỏi gõ.",
            f"In all: {total.held:,} values were already held, {total.agree:,} agree, {total.disagree:,} disagree; {total.hours(speed):,.0f} hours of typing spared.",
        )
    )
    out.print(say("Cách tính: docs/explanation/reuse.md", "How it is counted: docs/explanation/reuse.md"))


@app.command("exchange")
def exchange(
    month: Annotated[str, typer.Option(help="Tháng · month: 2026-11")],
    csv: Annotated[Path | None, typer.Option(help="Ghi tệp CSV · write a CSV file")] = None,
    xlsx: Annotated[Path | None, typer.Option(help="Ghi tệp Excel · write a workbook")] = None,
    as_json: AsJson = False,
) -> None:
    """Báo cáo trao đổi dữ liệu của một tháng · the month's exchange report."""
    from lienthong.pipeline.counting import count_exchanges
    from lienthong.reports.monthly import HEADINGS, SHEETS, as_csv, as_document, as_xlsx, month_report

    place = workshop()
    count_exchanges(place)
    with place.database.connect() as connection:
        report = month_report(connection, month)
    for path, form in ((csv, as_csv), (xlsx, as_xlsx)):
        if path is not None:
            path.write_bytes(form(report))
            out.print(say(f"Đã ghi {path}.", f"{path} is written."))
    if as_json:
        _print(as_document(report))
    elif csv is None and xlsx is None:
        for (title, _, titles), lines in zip(SHEETS[:-1], report.sheets[:-1], strict=True):
            out.print(f"\n[bold]{title}[/bold]")
            rows = [(*group, *(f"{figure:,}" for figure in line.figures[:6])) for group, line in lines.items()]
            show((*((name, name) for name in titles), *((name, name) for name in HEADINGS[:6])), rows)
    out.print(
        say(
            f"Tháng {month}: {report.total.count.calls:,} lượt; {report.total.papers:,} giấy tờ không phải nộp.",
            f"{month}: {report.total.count.calls:,} calls; {report.total.papers:,} papers nobody had to bring.",
        )
    )


@app.command("index")
def index(as_json: AsJson = False) -> None:
    """Chỉ mục bản ghi gốc đang ra sao · how the index of golden records stands."""
    from lienthong.reports.standing import index_document, index_report

    place = workshop()
    with place.database.connect() as connection:
        report = index_report(connection, place.contracts, place.clock())
    if as_json:
        _print(index_document(report))
        return
    show(
        (
            ("Thực thể", "Entity"),
            ("Bản ghi", "Records"),
            ("Bản ghi gốc", "Golden records"),
            ("Gộp theo quy tắc", "Joined by rule"),
            ("theo mô hình", "by model"),
            ("do người", "by a person"),
            ("Chờ người", "Waiting"),
            ("Mô hình", "Model"),
        ),
        [_standing(each) for each in report],
    )
    for each in report:
        _quality(each)
        _overlaps(each)
        _events(each)


@app.command("read-form")
def read_form(
    report: Annotated[str, typer.Argument(help="Báo cáo · report")],
    file: Annotated[Path, typer.Argument(help="Biểu mẫu đã điền (.xlsx) · the filled form")],
    as_json: AsJson = False,
) -> None:
    """Đọc lại biểu mẫu đã điền, nêu mọi ô sai · read a filled form back, name every wrong cell."""
    from lienthong.connectors import connector_names
    from lienthong.contracts import load_all
    from lienthong.contracts.faults import nearest
    from lienthong.contracts.indicators import load_indicators, load_reports
    from lienthong.errors import NotFound, SourceError
    from lienthong.reports import documents
    from lienthong.reports.measures import NAMES

    found = settings()
    reports = load_reports(found.indicators, load_indicators(found.indicators, load_all(found.datasets, connector_names()), NAMES))
    form = reports[report].form if report in reports else None
    if form is None:
        raise NotFound(
            f"No report with a form is called `{report}`. {nearest(report, reports)}", vi=f"Không có báo cáo có biểu mẫu tên `{report}`."
        )
    try:
        body = file.read_bytes()
    except OSError as error:
        raise SourceError(f"`{file}` cannot be read: {error.strerror}.") from error
    read = documents.read_form(body, form)
    if as_json:
        _print(
            {
                "cells": dict(read.cells),
                "rows": {name: dict(rows) for name, rows in read.rows.items()},
                "errors": [vars(each) for each in read.errors],
            }
        )
    else:
        errors = [(each.cell, each.found, say(each.expected_vi, each.expected_en)) for each in read.errors]
        if errors:
            show((("Ô", "Cell"), ("Đang có", "Found"), ("Cần", "Expected")), errors)
        values = len(read.cells) + sum(len(rows) for rows in read.rows.values())
        out.print(
            say(
                f"{values} giá trị, {read.row_count} hàng, {len(errors)} lỗi.",
                f"{values} values, {read.row_count} rows, {len(errors)} errors.",
            )
        )
    if read.errors:
        raise typer.Exit(1)


def _print(document: dict[str, Any]) -> None:
    typer.echo(json.dumps(document, ensure_ascii=False, indent=1))


def _figures(reuse: Reuse, speed: float) -> tuple[str, ...]:
    return (f"{reuse.filled:,}", f"{reuse.held:,}", f"{reuse.agree:,}", f"{reuse.disagree:,}", f"{reuse.hours(speed):,.1f}")


def _attributes(report: ReuseReport) -> None:
    rows = [
        (row.dataset, say(row.title_vi, row.title_en), ", ".join(row.authorities), *_figures(row.reuse, report.characters_per_minute))
        for row in report.rows
        if row.reuse.held
    ]
    show((("Bộ dữ liệu", "Dataset"), ("Thuộc tính", "Attribute"), ("Nguồn có thẩm quyền", "Authorities"), *FIGURES), rows)


def _standing(one: EntityStanding) -> tuple[object, ...]:
    joined = [f"{one.judged.get((kind, 'same'), 0):,}" for kind in ("rule", "model", "steward")]
    return one.entity, f"{one.records:,}", f"{one.goldens:,}", *joined, f"{sum(one.waiting.values()):,}", one.model


def _quality(one: EntityStanding) -> None:
    """How right the index is by its newest review."""
    if one.estimate is None or one.reviewed_at is None:
        return
    found, on = one.estimate, day(vietnam_date(one.reviewed_at))
    precise, whole = share_told(found.precision), share_told(found.recall)
    out.print(
        say(
            f"\n{one.title_vi}: rà soát ngày {on}, {found.reviewed}/{found.pairs} cặp: độ chính xác {precise}, độ đầy đủ {whole}",
            f"\n{one.title_en}: review of {on}, {found.reviewed} of {found.pairs} pairs: precision {precise}, recall {whole}",
        )
    )
    shares = [each.equal / each.twice for each in found.by_reviewer.values() if each.twice]
    if found.agreement is not None and shares:
        equal, kappa = found.agreement
        out.print(
            say(
                f"{len(found.by_reviewer)} người rà soát; hai người cùng ý {equal:.0%} (kappa {kappa:.2f}), người ít cùng ý nhất {min(shares):.0%}",
                f"{len(found.by_reviewer)} reviewers; two agree in {equal:.0%} (kappa {kappa:.2f}), who agrees least in {min(shares):.0%}",
            )
        )


def _overlaps(one: EntityStanding) -> None:
    if one.overlaps:
        out.print(f"\n[bold]{say(one.title_vi, one.title_en)}[/bold]")
        rows = [(left, right, f"{count:,}") for (left, right), count in one.overlaps.items()]
        show((("Nguồn", "Register"), ("Nguồn", "Register"), ("Bản ghi gốc chung", "Golden records of both")), rows)


def _events(one: EntityStanding) -> None:
    """What became of golden records, the latest days first."""
    kinds = sorted({kind for day in one.events.values() for kind in day})
    rows = [(on, *(f"{found.get(kind, 0):,}" for kind in kinds)) for on, found in sorted(one.events.items(), reverse=True)]
    if rows:
        out.print()
        show((("Ngày", "Day"), *((KINDS.get(kind, kind), kind) for kind in kinds)), rows)
