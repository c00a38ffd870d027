"""Rows that could not be split into columns, in words a data officer understands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from lienthong.connectors.base import BrokenRow

MAX_TEXT = 65_536  # characters of a broken row that are kept


@dataclass(frozen=True)
class Words:
    expected_vi: str
    expected_en: str


BROKEN_ROWS: Mapping[str, Words] = {
    "row.columns": Words("dòng có {expected} cột, tìm thấy {found}", "a row of {expected} columns, found {found}"),
    "row.quote": Words("dấu nháy kép được đóng lại", "a quote that closes"),
    "row.encoding": Words("ký tự hợp lệ trong bảng mã {expected}", "characters valid in the encoding {expected}"),
    "row.memo": Words("đoạn ghi chú có trong tệp memo", "a memo that is in the memo file"),
    "row.nul": Words("văn bản không có byte NUL", "text without NUL bytes"),
    "row.object": Words("một đối tượng JSON", "a JSON object"),
    "row.repeated": Words("`{expected}` chỉ có một giá trị, tìm thấy {found}", "one value of `{expected}`, found {found}"),
    "row.shape": Words("hình đúng như khai báo ({expected})", "a shape that is what it says ({expected})"),
    "row.unknown": Words("chỉ có các phần tử đã khai báo, tìm thấy `{found}`", "declared elements only, found `{found}`"),
    "row.xsd": Words("đúng lược đồ XSD: {expected}", "what the XSD says: {expected}"),
}


def broken_row(source_row: int, text: str, code: str, expected: object = "", found: object = "") -> BrokenRow:
    """A broken row; its text without NUL, which PostgreSQL cannot keep, and cut when it is very long."""
    words = BROKEN_ROWS[code]
    facts = {"expected": expected, "found": found}
    shown = text if len(text) <= MAX_TEXT else text[:MAX_TEXT] + "…"
    return BrokenRow(source_row, shown.replace("\0", "␀"), code, words.expected_vi.format(**facts), words.expected_en.format(**facts))
