"""The form an agency fills in: instructions first, then a sheet of data in which every cell is text, so that no zero is lost and no sign read twice.

What it wrote it reads back (`connectors.template_layout`). Nothing in it is a formula; values that look like one stay texts.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from lienthong.connectors.own_workbook import LONGEST_CELL
from lienthong.connectors.template_layout import EXAMPLE, EXAMPLE_ROW, GUIDE, LISTS, SHEET, key_of
from lienthong.contracts import Contract, Property
from lienthong.contracts.mapping.units import MONEY
from lienthong.errors import ContractError
from lienthong.standards import STANDARDS
from lienthong.synthetic import invent

ROWS = 100_000  # rows the lists and notes reach down
MOST_LISTED = 2_000
LONGEST_NOTE, LONGEST_NOTE_TITLE = 250, 32  # Excel's own limits, less a little
DAY = date(2026, 1, 1)  # of the invented example: the same form each time
_OPTIONS = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
_TYPES: Mapping[str, str] = {
    "integer": "Số nguyên, ví dụ 1200", "number": "Số, ví dụ 1234,5", "boolean": "Có hoặc Không", "date": "Ngày/tháng/năm, ví dụ 31/12/2025",
    "timestamp": "Ngày và giờ, ví dụ 31/12/2025 08:00", "string": "Chữ",
}  # fmt: skip
_INSTRUCTIONS = (
    "1. Điền ở trang “{sheet}”, mỗi hàng một bản ghi, từ dòng 4 trở xuống. Không đổi tên trang, không xóa hay chèn cột, không sửa dòng 1 (đang ẩn).",
    "2. Cột có dấu * là bắt buộc. Chọn ô để xem cách ghi; cột có danh sách thì chọn trong danh sách.",
    "3. Mọi ô là văn bản: số 0 ở đầu không mất, ngày ghi ngày/tháng/năm. Khi dán từ tệp khác, chọn “Dán giá trị” (Paste values).",
    "4. Dòng “{example}” chỉ để xem, được bỏ qua khi nộp. Muốn dùng dòng ấy, xóa chữ “{example}” ở cột đầu rồi sửa.",
    "5. Nộp: trang “Nguồn của tôi” của nền tảng. Hàng sai sẽ chờ sửa và được nêu lý do; hàng đúng được công bố ngay.",
)


def template_workbook(contract: Contract, rows: Iterable[Mapping[str, str | None]] = ()) -> bytes:
    """The form of a dataset, filled with rows where some are given (texts by the names of its fields)."""
    import xlsxwriter  # noqa: PLC0415 # loaded when a workbook is asked for

    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, _OPTIONS)
    guide, sheet, lists = book.add_worksheet(GUIDE), book.add_worksheet(SHEET), book.add_worksheet(LISTS)
    lists.hide()
    text = book.add_format({"num_format": "@"})
    example = _example(contract)
    _write_guide(book, guide, contract)
    _write_heads(book, sheet, contract, example, text)
    _write_lists(sheet, lists, contract)
    for n, row in enumerate(rows, EXAMPLE_ROW):
        for place, p in enumerate(contract.properties, 1):
            value = row.get(p.name)
            if value is not None:
                sheet.write_string(n, place, value[:LONGEST_CELL], text)
    sheet.activate()
    guide.activate()
    book.close()
    return out.getvalue()


def values_of(contract: Contract, p: Property) -> list[str]:
    """The values a field may have, where the contract lists them."""
    codes = p.standard_options.get("values")
    if isinstance(codes, Mapping):
        return [str(code) for code in codes]
    rule = next((r for r in contract.all_rules if r.kind == "allowed" and r.columns == (p.name,)), None)
    return [str(value) for value in rule.parameters.get("values", ())] if rule else []


def _is_needed(p: Property) -> bool:
    return p.required or p.key_position is not None


def _how(contract: Contract, p: Property) -> str:
    """How a value is written, in Vietnamese."""
    if values_of(contract, p):
        return "Chọn trong danh sách"
    if p.standard is None:
        return _TYPES[p.logical_type]
    standard = STANDARDS[p.standard]
    unit = p.standard_options.get("assume") or p.standard_options.get("unit")
    factor = p.standard_options.get("factor")
    if factor:
        return f"Ghi theo {_scale(factor)}, ví dụ 2,5 là 2,5 {_scale(factor)}"
    examples = ", ".join(p.examples[:2]) or next((typed for typed, _ in standard.good), "")
    return standard.title_vi + (f" ({unit})" if unit else "") + (f", ví dụ {examples}" if examples and not unit else "")


def _titled(p: Property) -> str:
    """The title, with the unit amounts are written in where it is not that of the field itself."""
    factor = p.standard_options.get("factor")
    return f"{p.title_vi} ({_scale(factor)})" if factor and _scale(factor) not in p.title_vi else p.title_vi


def _scale(factor: float) -> str:
    """The unit amounts are written in, such as `triệu đồng`."""
    return next((name for name, times in MONEY.items() if times == factor), f"{factor:,} đồng".replace(",", "."))


def _write_guide(book: Any, guide: Any, contract: Contract) -> None:
    bold, head, wrapped = book.add_format({"bold": True, "font_size": 14}), book.add_format({"bold": True, "bottom": 1}), book.add_format({"text_wrap": True, "valign": "top"})  # fmt: skip
    guide.set_column(0, 0, 34)
    guide.set_column(1, 4, 30, wrapped)
    guide.write_string(0, 0, f"Mẫu nhập: {contract.title_vi}", bold)
    guide.write_string(1, 0, f"{contract.id} {contract.version} · {contract.title_en}")
    at = 3
    for line in _INSTRUCTIONS:
        guide.merge_range(at, 0, at, 4, line.format(sheet=SHEET, example=EXAMPLE), wrapped)
        guide.set_row(at, 32)
        at += 1
    at += 1
    for place, title in enumerate(("Cột", "Bắt buộc", "Cách ghi", "Giá trị", "Nghĩa · meaning")):
        guide.write_string(at, place, title, head)
    for n, p in enumerate(contract.properties, at + 1):
        listed = values_of(contract, p)
        shown = ", ".join(listed[:30]) + (" …" if len(listed) > 30 else "")
        told = (
            _titled(p),
            "bắt buộc" if _is_needed(p) else "",
            _how(contract, p),
            shown,
            " · ".join(part for part in (p.description, p.title_en) if part),
        )
        for place, value in enumerate(told):
            guide.write_string(n, place, value[:LONGEST_CELL], wrapped)


def _write_heads(book: Any, sheet: Any, contract: Contract, example: Sequence[str], text: Any) -> None:
    head = book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "num_format": "@"})
    must = book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "num_format": "@", "bg_color": "#E3F0F6"})
    soft = book.add_format({"italic": True, "font_color": "#666666", "num_format": "@"})
    sheet.set_row(0, None, None, {"hidden": True})
    sheet.write_string(0, 0, key_of(contract.id, contract.version, example))
    sheet.write_string(2, 0, EXAMPLE, soft)
    sheet.set_column(0, 0, 8)
    for place, p in enumerate(contract.properties, 1):
        sheet.set_column(place, place, 22, text)
        sheet.write_string(0, place, p.name)
        sheet.write_string(1, place, _titled(p) + (" *" if _is_needed(p) else ""), must if _is_needed(p) else head)
        sheet.write_string(2, place, example[place - 1], soft)
    sheet.freeze_panes(2, 1)


def _write_lists(sheet: Any, lists: Any, contract: Contract) -> None:
    """A note on every cell of a column, and a list where the contract has one (on a sheet of its own: a list in the cell has 255 signs)."""
    column = 0
    for place, p in enumerate(contract.properties, 1):
        note = {"input_title": p.title_vi[:LONGEST_NOTE_TITLE], "input_message": _how(contract, p)[:LONGEST_NOTE]}
        listed = values_of(contract, p)
        if not listed or len(listed) > MOST_LISTED:
            sheet.data_validation(3, place, ROWS, place, {"validate": "any", **note})
            continue
        lists.write_column(0, column, listed)
        letters = _letters(column)
        source = f"='{LISTS}'!${letters}$1:${letters}${len(listed)}"
        words = {"error_title": "Không có trong danh sách", "error_message": "Chọn một giá trị trong danh sách."}
        sheet.data_validation(3, place, ROWS, place, {"validate": "list", "source": source, **note, **words})
        column += 1


def _letters(column: int) -> str:
    from lienthong.connectors.excel_cells import column_letter  # noqa: PLC0415 # only where there are lists

    return column_letter(column)


def _example(contract: Contract) -> list[str]:
    """One row as it would be filled in: the contract's own examples, else an invented one; about nobody."""
    try:
        made = invent(contract, 1, 1, DAY).row(0, named=True)
    except (ContractError, IndexError, KeyError):
        made = {}
    return [p.examples[0] if p.examples else _typed(p, made.get(p.name)) for p in contract.properties]


def _typed(p: Property, value: Any) -> str:
    """A typed value as a person would write it."""
    if value is None:
        return ""
    factor = p.standard_options.get("factor")
    if factor and not isinstance(value, bool) and isinstance(value, int | float):
        value = value / factor
        return f"{value:.15g}".replace(".", ",")
    if isinstance(value, bool):
        return "Có" if value else "Không"
    if p.logical_type == "date":
        return f"{value:%d/%m/%Y}"
    if p.logical_type == "timestamp":
        return f"{value:%d/%m/%Y %H:%M}"
    if p.logical_type == "number":
        return f"{value:.15g}" if p.standard_options.get("decimal_comma") is False else f"{value:.15g}".replace(".", ",")
    return str(value)
