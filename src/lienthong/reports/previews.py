"""The preview of a contract as a workbook: each value as it came beside what it becomes, wrong cells marked, reasons in words."""

from __future__ import annotations

import io
from typing import Any

from lienthong.connectors.own_workbook import LONGEST_CELL

_OPTIONS = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}


def preview_workbook(found: Any) -> bytes:
    """`found` is a `Preview`. One sheet of rows, two columns a field; a second of what is broken, by how many rows."""
    import xlsxwriter  # noqa: PLC0415 # loaded when a workbook is asked for

    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, _OPTIONS)
    sheet, counts = book.add_worksheet("Xem trước"), book.add_worksheet("Lỗi")
    head = book.add_format({"bold": True, "bottom": 1, "text_wrap": True})
    soft = book.add_format({"num_format": "@", "font_color": "#666666"})
    plain = book.add_format({"num_format": "@"})
    changed = book.add_format({"num_format": "@", "bg_color": "#FFF6D6"})
    wrong = book.add_format({"num_format": "@", "bg_color": "#FBE0DD", "border": 1, "border_color": "#A3262A"})
    properties = found.contract.properties
    last = 1 + 2 * len(properties)
    for place, title in enumerate(("Hàng · row", *(each for p in properties for each in (f"{p.title_vi} (như đến · as it came)", f"{p.title_vi} · {p.title_en}")), "Vì sao chờ · why it waits")):  # fmt: skip
        sheet.write_string(0, place, title, head)
    sheet.freeze_panes(1, 1)
    sheet.set_column(1, last - 1, 20)
    sheet.set_column(last, last, 70)
    for n, row in enumerate(found.rows, 1):
        sheet.write_number(n, 0, row.source_row)
        reasons = [_words(each) for each in row.said]
        for place, cell in enumerate(row.cells):
            is_wrong = any(each.is_error for each in cell.said)
            style = wrong if is_wrong else changed if cell.came != cell.cleaned else plain
            sheet.write_string(n, 1 + 2 * place, cell.came[:LONGEST_CELL], soft)
            sheet.write_string(n, 2 + 2 * place, cell.cleaned[:LONGEST_CELL], style)
            if cell.said:
                sheet.write_comment(n, 2 + 2 * place, "; ".join(map(_words, cell.said))[:LONGEST_CELL])
                reasons += [f"{properties[place].title_vi}: {_words(each)}" for each in cell.said if each.is_error]
        sheet.write_string(n, last, "; ".join(reasons)[:LONGEST_CELL], plain)
    for place, title in enumerate(("Trường · field", "Cần · expected", "Số hàng · rows")):
        counts.write_string(0, place, title, head)
    counts.set_column(0, 1, 50)
    for n, issue in enumerate(found.issues, 1):
        counts.write_string(n, 0, issue["column_name"] or "–")
        counts.write_string(n, 1, f"{issue['expected_vi']} · {issue['expected_en']}"[:LONGEST_CELL])
        counts.write_number(n, 2, issue["len"])
    book.close()
    return out.getvalue()


def _words(said: Any) -> str:
    return f"{said.vi} · {said.en}"
