"""Workbooks for data officers: the rows that wait with every wrong cell marked and told."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lienthong.connectors.own_workbook import IDENTITY, LONGEST_CELL, RESULT, ROW, SHEET, TO_MEND
from lienthong.contracts import Contract, Property

BROKEN = "_broken_"  # how the columns begin that say why a row could not be split
_OPTIONS = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}


@dataclass(frozen=True)
class MarkedRow:
    """A row as it came, or as it was last said to be; `wrong`: column → what is expected, in words; an issue of no column stands under an empty name.

    `identity` lets a mended row come back to the item it is; `result` tells what became of one that came back.
    """

    source_row: int | None
    raw: Mapping[str, str | None]
    wrong: Mapping[str, str]
    identity: str = ""
    result: str = ""


def heading(p: Property) -> str:
    """The heading under which a property arrives."""
    return (*p.source_names, p.name)[0]


def heading_in(contract: Contract, name: str | None, raw: Mapping[str, Any]) -> str:
    """The column of a row that holds a property; empty where none does."""
    p = next((p for p in contract.properties if p.name == name), None)
    if p is None:
        return name if name in raw and name is not None else ""
    return next((each for each in (*p.source_names, p.name, *p.reads) if each in raw), "")


def waiting_workbook(contract: Contract, items: Sequence[Any], identities: Mapping[int, str]) -> bytes:
    """Waiting rows to be mended and brought back: wrong cells coloured, the reasons beside them, what was tried last in its cells."""
    rows = [
        MarkedRow(item.source_row, {**item.raw, **(item.corrected or {})}, wrong_cells(contract, item), identities.get(item.item_id, ""))
        for item in items
    ]
    return marked_workbook(columns_of(contract, items), rows)


def verdict_workbook(contract: Contract, columns: Sequence[str], verdicts: Sequence[Any], identities: Mapping[int, str]) -> bytes:
    """What became of each row that came back, in the order they stood; those that still wait are marked again and can be mended again."""
    rows = []
    for verdict in verdicts:
        item = verdict.item
        waits = item is not None and item.state == "waiting"
        wrong = wrong_cells(contract, item) if waits else {}
        identity = identities.get(item.item_id, "") if waits else ""
        rows.append(MarkedRow(None if item is None else item.source_row, verdict.cells, wrong, identity, f"{verdict.vi} · {verdict.en}"))
    return marked_workbook(columns, rows)


def wrong_cells(contract: Contract, item: Any) -> dict[str, str]:
    """Column → what is expected of it, in both languages."""
    wrong: dict[str, list[str]] = {}
    for issue in item.issues:
        if issue["severity"] == "error":
            told = f"{issue['expected_vi']} · {issue['expected_en']}"
            wrong.setdefault(heading_in(contract, issue["column"], item.raw), []).append(told)
    return {name: "; ".join(told) for name, told in wrong.items()}


def columns_of(contract: Contract, items: Sequence[Any]) -> list[str]:
    """The columns that came, in the order of the contract, which is that of the first file; what it does not know after. All of its own where nothing came.

    A row as it waits does not keep the order of its cells (jsonb).
    """
    names = dict.fromkeys(name for item in items for name in item.raw if not name.startswith(BROKEN))
    known = dict.fromkeys(name for p in contract.properties for name in (*p.source_names, p.name, *p.reads))
    ordered = [name for name in known if name in names] + [name for name in names if name not in known]
    return ordered or [heading(p) for p in contract.properties]


def marked_workbook(columns: Sequence[str], rows: Sequence[MarkedRow]) -> bytes:
    """The rows with their wrong cells coloured, a note on each and columns that say all. It can be brought back, or handed in, as it is."""
    import xlsxwriter  # noqa: PLC0415 # loaded when a workbook is asked for

    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, _OPTIONS)
    sheet = book.add_worksheet(SHEET)
    text = book.add_format({"num_format": "@"})
    wrong = book.add_format({"num_format": "@", "bg_color": "#FBE0DD", "border": 1, "border_color": "#A3262A"})
    ours = (TO_MEND, *([RESULT] if any(row.result for row in rows) else []), ROW, IDENTITY)
    _headings(book, sheet, (*columns, *ours))
    sheet.set_column(0, len(columns), 18, text)
    sheet.set_column(len(columns), len(columns) + len(ours) - 3, 60)
    sheet.set_column(len(columns) + len(ours) - 1, len(columns) + len(ours) - 1, 12, text, {"hidden": True})
    for n, row in enumerate(rows, 1):
        for place, name in enumerate(columns):
            value = row.raw.get(name)
            if name in row.wrong:
                sheet.write_string(n, place, (value or "")[:LONGEST_CELL], wrong)
                sheet.write_comment(n, place, row.wrong[name][:LONGEST_CELL])
            elif value is not None:
                sheet.write_string(n, place, value[:LONGEST_CELL], text)
        told = {
            TO_MEND: "; ".join(dict.fromkeys(row.wrong.values()))[:LONGEST_CELL],
            RESULT: row.result[:LONGEST_CELL],
            ROW: "" if row.source_row is None else str(row.source_row),
            IDENTITY: row.identity,
        }
        for place, name in enumerate(ours, len(columns)):
            sheet.write_string(n, place, told[name], text)
    book.close()
    return out.getvalue()


def _headings(book: Any, sheet: Any, names: Sequence[str]) -> None:
    head = book.add_format({"bold": True, "bottom": 1})
    for place, name in enumerate(names):
        sheet.write_string(0, place, name, head)
    sheet.freeze_panes(1, 0)
