"""A table as a person opens it: a workbook or CSV. Cells are texts and nothing else: nothing in them is run as a formula."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
LONGEST_CELL = 32_767  # Excel's own limit
_FORMULA = re.compile(r"^[=+\-@\t\r]")
_NOT_IN_XML = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_OPTIONS = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}


def as_workbook(title: str, headings: Sequence[str], rows: Iterable[Sequence[str]], widths: Sequence[int] = ()) -> bytes:
    """One sheet with its headings frozen and a filter over them."""
    import xlsxwriter  # noqa: PLC0415 # loaded when a workbook is asked for

    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, _OPTIONS)
    sheet = book.add_worksheet(title[:31])
    head = book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"})
    text = book.add_format({"num_format": "@", "text_wrap": True, "valign": "top"})
    for place, name in enumerate(headings):
        sheet.write_string(0, place, name, head)
        sheet.set_column(place, place, widths[place] if place < len(widths) else 22, text)
    count = 0
    for count, row in enumerate(rows, 1):
        for place, value in enumerate(row):
            if value:
                sheet.write_string(count, place, _NOT_IN_XML.sub("", value)[:LONGEST_CELL], text)
    sheet.freeze_panes(1, 0)
    sheet.autofilter(0, 0, max(count, 1), max(len(headings) - 1, 0))
    book.close()
    return out.getvalue()


def as_csv(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> bytes:
    """UTF-8 with its mark, so that spreadsheets read the letters right."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(headings)
    for row in rows:
        writer.writerow([f"'{value}" if _FORMULA.match(value) else value for value in row])
    return b"\xef\xbb\xbf" + out.getvalue().encode()
