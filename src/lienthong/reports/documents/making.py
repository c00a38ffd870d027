"""PDF by typst, Word by docxtpl, a workbook by openpyxl, of the facts of a filing. No clock, no random name: bytes depend on the facts alone."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Mapping
from datetime import date, datetime
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import openpyxl
import segno
import typst
from docx.shared import Mm
from docxtpl import DocxTemplate, InlineImage
from openpyxl.styles import Alignment, Border, Font, Side
from openpyxl.worksheet.properties import PageSetupProperties

MADE = datetime(2020, 1, 1)  # noqa: DTZ001 # archives carry a time without a zone; always this one
NOTHING = "–"
NO_FIGURE = "chưa có số liệu"  # in place of the period of a figure there is not
WHOLE = "Toàn tỉnh"
FONT = "Times New Roman"
FIRST_ROW = 4  # of figures in a sheet of ours: below title and headings


def vietnamese(value: float | None, decimals: int) -> str:
    """1.234,5; a dash for nothing."""
    if value is None:
        return NOTHING
    return f"{value:,.{decimals}f}".translate(str.maketrans(",.", ".,"))


def total_told(value: float) -> str:
    """A control total with the decimals it has, at most six."""
    text = f"{value:,.6f}".rstrip("0").rstrip(".")
    return text.translate(str.maketrans(",.", ".,"))


def day(text: str) -> str:
    """dd/MM/yyyy of an ISO date."""
    return date.fromisoformat(text).strftime("%d/%m/%Y")


def told(facts: Mapping[str, Any], address: str, digest: str) -> dict[str, Any]:
    """The facts in the words documents print."""
    made = date.fromisoformat(facts["made_on"])
    rows = [
        {
            **{name: row[name] for name in ("n", "title", "unit", "state_title")},
            "period_title": row["period_title"] or NO_FIGURE,
            **{name: vietnamese(row[name], row["decimals"]) for name in ("total", "target", "year_before")},
        }
        for row in facts["rows"]
    ]
    return {
        **{name: facts[name] for name in ("about", "agency_name", "parent_name", "sign", "opening", "period_title", "receivers", "authority", "signer_title", "signer_name")},
        "heading": f"{facts['title']}, {facts['period_title']}",
        "dated": f"{facts['place']}, ngày {made.day:02} tháng {made.month:02} năm {made.year}",
        "begins_on": day(facts["begins_on"]),
        "last_day": day(facts["last_day"]),
        "rows": rows,
        "row_count": str(facts["row_count"]),
        "control_total": total_told(facts["control_total"]),
        "tables": [_table_told(table) for table in facts["tables"]],
        "address": address,
        "digest": digest,
    }  # fmt: skip


def _table_told(table: Mapping[str, Any]) -> dict[str, Any]:
    rows = [
        {"n": row["n"], "name": row["name"], "total": vietnamese(row["total"], table["decimals"]), "is_estimated": row["is_estimated"]}
        for row in table["rows"]
    ]
    return {
        **{name: table[name] for name in ("title", "unit")},
        "period_title": table["period_title"] or NO_FIGURE,
        "borders_on": day(table["borders_on"]),
        "rows": rows,
        "row_count": str(table["row_count"]),
        "control_total": total_told(table["control_total"]),
        "total": vietnamese(table["total"], table["decimals"]),
    }


def make_pdf(facts: Mapping[str, Any], address: str, digest: str) -> bytes:
    """The report as PDF, in the layout of Decree 30/2020/NĐ-CP."""
    qr = io.BytesIO()
    segno.make(address, error="m").save(qr, kind="svg", xmldecl=False, border=1)
    made = typst.compile(
        _folder().joinpath("decree30.typ").read_bytes(),
        font_paths=_fonts(),
        format="pdf",
        sys_inputs={"facts": json.dumps(told(facts, address, digest), ensure_ascii=False), "qr": qr.getvalue().decode()},
        timestamp=int(MADE.timestamp()),
    )
    assert isinstance(made, bytes)  # without `output` a PDF is given as bytes
    return made


def make_docx(facts: Mapping[str, Any], address: str, digest: str) -> bytes:
    """The report as a Word document an office can go on with, in the same layout."""
    template = DocxTemplate(io.BytesIO(_folder().joinpath("decree30.docx").read_bytes()))
    qr = io.BytesIO()
    segno.make(address, error="m").save(qr, kind="png", scale=6, border=1)
    qr.seek(0)
    template.render({**told(facts, address, digest), "qr": InlineImage(template, qr, width=Mm(24))}, autoescape=True)
    out = io.BytesIO()
    template.save(out)
    return settled(out.getvalue())


def make_xlsx(facts: Mapping[str, Any], address: str, digest: str) -> bytes:
    """The figures as a workbook: a sheet of indicators and one for each annex, each with its row count and control total."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "Chỉ tiêu"
    rows = [
        [r["n"], r["title"], r["unit"], r["period_title"], r["state_title"], r["total"], r["target"], r["year_before"]]
        for r in facts["rows"]
    ]
    headings = ["TT", "Chỉ tiêu", "Đơn vị tính", "Kỳ", "Trạng thái", "Thực hiện", "Mục tiêu", "Cùng kỳ năm trước"]
    _sheet(sheet, f"{facts['title']}, {facts['period_title']}", headings, rows, facts, (address, digest))
    for at, row in enumerate(facts["rows"], FIRST_ROW):
        for column in (6, 7, 8):
            sheet.cell(at, column).number_format = number_format(row["decimals"])
    for n, table in enumerate(facts["tables"], 1):
        annex = book.create_sheet(f"Phụ lục {n}")
        lines = [[r["n"], r["code"], r["name"], r["total"], "tính lại" if r["is_estimated"] else ""] for r in table["rows"]]
        _sheet(
            annex,
            f"{table['title']}, {table['period_title']}",
            ["TT", "Mã", "Đơn vị", table["unit"], "Ghi chú"],
            lines,
            table,
            (address, digest),
        )
        for at in range(FIRST_ROW, FIRST_ROW + len(lines)):
            annex.cell(at, 4).number_format = number_format(table["decimals"])
    book.properties.created = book.properties.modified = MADE
    book.properties.creator = facts["agency_name"]
    out = io.BytesIO()
    book.save(out)
    return settled(out.getvalue())


def _sheet(sheet: Any, title: str, headings: list[str], rows: list[list[Any]], counted: Mapping[str, Any], proof: tuple[str, str]) -> None:
    line = Side(style="thin")
    sheet["A1"] = title
    sheet["A1"].font = Font(name=FONT, size=14, bold=True)
    for column, text in enumerate(headings, 1):
        cell = sheet.cell(3, column, text)
        cell.font, cell.border = Font(name=FONT, size=12, bold=True), Border(line, line, line, line)
        cell.alignment = Alignment(horizontal="center", vertical="center", wrap_text=True)
    for at, row in enumerate(rows, FIRST_ROW):
        for column, value in enumerate(row, 1):
            cell = sheet.cell(at, column)
            cell.value, cell.font, cell.border = value, Font(name=FONT, size=12), Border(line, line, line, line)
            if isinstance(value, str):
                cell.data_type = "s"  # never a formula
    last = len(rows) + 5
    for n, text in enumerate(
        (
            f"Số dòng: {counted['row_count']}",
            f"Tổng kiểm tra (số chưa làm tròn): {total_told(counted['control_total'])}",
            f"Số liệu đã chốt: {proof[0]}",
            f"SHA-256: {proof[1]}",
        )
    ):
        sheet.cell(last + n, 1, text).font = Font(name=FONT, size=11, italic=True)
    for letter, width in zip("ABCDEFGH", (6, 34, 24, 18, 14, 14, 14, 20), strict=True):
        sheet.column_dimensions[letter].width = width
    sheet.freeze_panes = f"A{FIRST_ROW}"
    sheet.page_setup.paperSize = sheet.PAPERSIZE_A4
    sheet.page_setup.orientation, sheet.page_setup.fitToHeight = "landscape", 0
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)  # as wide as the paper, as long as it is
    sheet.print_title_rows = f"{FIRST_ROW - 1}:{FIRST_ROW - 1}"


def number_format(decimals: int) -> str:
    """How a cell shows a figure; what it holds stays whole."""
    return "#,##0" + ("." + "0" * decimals if decimals else "")


def settled(archive: bytes) -> bytes:
    """An Office file with its parts in order under one time, and without the time it was saved: the same content gives the same bytes."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(archive)) as found, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        for name in sorted(found.namelist(), key=lambda name: (name != "[Content_Types].xml", name)):
            body = found.read(name)
            if name == "docProps/core.xml":
                body = _without_times(body)
            made.writestr(zipfile.ZipInfo(name, MADE.timetuple()[:6]), body, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def _without_times(core: bytes) -> bytes:
    from lxml import etree  # noqa: PLC0415 # only documents need it

    tree = etree.fromstring(core)
    for element in tree:
        if etree.QName(element).localname in ("created", "modified", "lastPrinted"):
            element.text = MADE.strftime("%Y-%m-%dT%H:%M:%SZ")
    made: bytes = etree.tostring(tree, xml_declaration=True, encoding="UTF-8", standalone=True)
    return made


@cache
def _fonts() -> typst.Fonts:
    """Tinos alone: what a machine has besides must not change a document."""
    return typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[str(_folder() / "fonts")])


@cache
def _folder() -> Path:
    """Where templates and fonts lie: a folder of the installed package."""
    return Path(str(resources.files("lienthong.reports.documents")))


_MAKERS: Mapping[str, Callable[[Mapping[str, Any], str, str], bytes]] = {"pdf": make_pdf, "docx": make_docx, "xlsx": make_xlsx}


def make(form: str, facts: Mapping[str, Any], address: str, digest: str) -> bytes:
    """The document in one of `document_forms.FORMS`."""
    return _MAKERS[form](facts, address, digest)
