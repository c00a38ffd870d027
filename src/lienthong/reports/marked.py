"""Workbooks for data officers: a form to fill in, and the rows that wait with every wrong cell marked and told."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lienthong.contracts import Contract, Property

LONGEST_CELL = 32_767
ROW, TO_MEND = "Hàng trong tệp · row", "Cần sửa · to be mended"
_OPTIONS = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}


@dataclass(frozen=True)
class MarkedRow:
    """A row as it came; `wrong`: column → what is expected, in words; an issue of no column stands under an empty name."""

    source_row: int | None
    raw: Mapping[str, str | None]
    wrong: Mapping[str, str]


def heading(p: Property) -> str:
    """The heading under which a property arrives."""
    return (*p.source_names, p.name)[0]


def heading_in(contract: Contract, name: str | None, raw: Mapping[str, Any]) -> str:
    """The column of a row that holds a property; empty where none does."""
    p = next((p for p in contract.properties if p.name == name), None)
    if p is None:
        return name if name in raw and name is not None else ""
    return next((each for each in (*p.source_names, p.name) if each in raw), "")


def marked_workbook(columns: Sequence[str], rows: Iterable[MarkedRow]) -> bytes:
    """The rows with their wrong cells coloured, a note on each and one column that says all. It can be handed in again as it is."""
    import xlsxwriter  # noqa: PLC0415 # loaded when a workbook is asked for

    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, _OPTIONS)
    sheet = book.add_worksheet("Cần sửa")
    head = book.add_format({"bold": True, "bottom": 1})
    text = book.add_format({"num_format": "@"})
    wrong = book.add_format({"num_format": "@", "bg_color": "#FBE0DD", "border": 1, "border_color": "#A3262A"})
    for place, name in enumerate((*columns, ROW, TO_MEND)):
        sheet.write_string(0, place, name, head)
    sheet.freeze_panes(1, 0)
    sheet.set_column(0, len(columns), 18, text)
    sheet.set_column(len(columns) + 1, len(columns) + 1, 70)
    for n, row in enumerate(rows, 1):
        for place, name in enumerate(columns):
            value = row.raw.get(name)
            if name in row.wrong:
                sheet.write_string(n, place, (value or "")[:LONGEST_CELL], wrong)
                sheet.write_comment(n, place, row.wrong[name][:LONGEST_CELL])
            elif value is not None:
                sheet.write_string(n, place, value[:LONGEST_CELL], text)
        sheet.write_string(n, len(columns), "" if row.source_row is None else str(row.source_row), text)
        sheet.write_string(n, len(columns) + 1, "; ".join(dict.fromkeys(row.wrong.values()))[:LONGEST_CELL])
    book.close()
    return out.getvalue()


def template_workbook(contract: Contract) -> bytes:
    """An empty form: one heading a field, an explanation of each on a second sheet, lists of values where the contract has them."""
    import xlsxwriter  # noqa: PLC0415 # loaded when a workbook is asked for

    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, _OPTIONS)
    sheet, guide = book.add_worksheet("Dữ liệu"), book.add_worksheet("Hướng dẫn")
    head = book.add_format({"bold": True, "bottom": 1})
    must = book.add_format({"bold": True, "bottom": 1, "bg_color": "#E3F0F6"})
    text = book.add_format({"num_format": "@"})
    for place, p in enumerate(contract.properties):
        is_needed = p.required or p.key_position is not None
        sheet.write_string(0, place, heading(p), must if is_needed else head)
        sheet.set_column(place, place, 20, text if p.logical_type == "string" else None)
        allowed = _values(contract, p)
        if allowed and sum(map(len, allowed)) + len(allowed) <= 255:  # Excel's own limit of a list
            sheet.data_validation(1, place, 100_000, place, {"validate": "list", "source": allowed, "error_type": "warning"})
    sheet.freeze_panes(1, 0)
    titles = ("Cột · column", "Nghĩa · meaning", "Bắt buộc · required", "Giá trị · values", "Ví dụ · example")
    for place, title in enumerate(titles):
        guide.write_string(0, place, title, head)
    guide.set_column(0, 4, 32)
    for n, p in enumerate(contract.properties, 1):
        told = (heading(p), f"{p.title_vi} · {p.title_en}", "×" if p.required or p.key_position is not None else "", ", ".join(_values(contract, p)), ", ".join(p.examples))  # fmt: skip
        for place, value in enumerate(told):
            guide.write_string(n, place, value)
    book.close()
    return out.getvalue()


def _values(contract: Contract, p: Property) -> list[str]:
    codes = p.standard_options.get("values")
    if isinstance(codes, Mapping):
        return [str(code) for code in codes]
    rule = next((r for r in contract.all_rules if r.kind == "allowed" and r.columns == (p.name,)), None)
    return [str(value) for value in rule.parameters.get("values", ())] if rule else []
