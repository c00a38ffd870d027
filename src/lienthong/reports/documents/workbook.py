"""An agency's own workbook: filled from a filing's facts, and a filled one read back with what is wrong of each row.

Forms come as people keep them: merged headings, numbers typed as text with a comma (“8,5”, “1.234,5”), rows of totals (“Tổng cộng”), notes below.
"""

from __future__ import annotations

import io
import math
import re
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import openpyxl
from openpyxl.cell.cell import MergedCell
from openpyxl.utils import column_index_from_string

from lienthong.contracts.indicators import Form, FormTable
from lienthong.errors import HostileInputError, SourceError
from lienthong.reports.documents.making import number_format, settled
from lienthong.standards.text import tidy, without_marks

LARGEST_BYTES = 5_000_000
LARGEST_UNPACKED = 60_000_000
MOST_ROWS = 5_000
NEAR = 0.005  # how far a typed total may be from the sum, as a share, for rounding of its rows
_TOTAL = re.compile(r"^(tong cong|tong so|toan tinh|cong)\b")
_KIND = re.compile(r"^(xa|phuong|thi tran|thi xa|huyen|thanh pho|quan|dac khu) ")
_THOUSANDS = re.compile(r"-?\d{1,3}(\.\d{3})+")
_DECIMAL = re.compile(r"-?(\d{1,3}(\.\d{3})+|\d+)(,\d+)?")
_POINT = re.compile(r"-?\d+\.\d+")


@dataclass(frozen=True)
class FormError:
    """What is wrong with a row of a filled form: its place, what was found, what was expected (Vietnamese, English)."""

    cell: str
    found: str
    expected_vi: str
    expected_en: str


@dataclass(frozen=True)
class ReadForm:
    """A filled form: `cells` and `rows` by indicator, `errors` for what could not be taken; `total_rows` were checked, not counted."""

    cells: Mapping[str, float]
    rows: Mapping[str, Mapping[str, float]]  # indicator → name of the unit → value
    errors: tuple[FormError, ...]
    row_count: int
    total_rows: int


def fill_form(body: bytes, form: Form, facts: Mapping[str, Any]) -> bytes:
    """The workbook with the facts of a filing in it; everything else of it stays. Raises SourceError where a mapped place is not there."""
    book = _opened(body)
    totals = {row["indicator"]: row["total"] for row in facts["rows"]}
    decimals = {each["indicator"]: each.get("decimals", 0) for each in (*facts["rows"], *facts["tables"])}
    for name, indicator in form.cells.items():
        for sheet, where in _cells_of(book, name):
            _write(sheet, where, totals.get(indicator), decimals.get(indicator, 0))
    if form.table is not None:
        _fill_table(book, form.table, facts, totals, decimals)
    out = io.BytesIO()
    book.save(out)
    return settled(out.getvalue())


def read_form(body: bytes, form: Form) -> ReadForm:
    """What a filled form says, with every error of every row. Raises SourceError for what is no workbook of this form."""
    book = _opened(body, values=True)
    errors: list[FormError] = []
    cells: dict[str, float] = {}
    for name, indicator in form.cells.items():
        for sheet, where in _cells_of(book, name):
            value = _value(sheet, where, errors)
            if value is not None:
                cells[indicator] = value
    rows: dict[str, dict[str, float]] = {}
    count = totals = 0
    if form.table is not None:
        rows, count, totals = _read_table(book, form.table, errors)
    return ReadForm(cells, rows, tuple(errors), count, totals)


def number_typed(text: Any) -> float | None:
    """A number as people type it: 8,5 · 1.234,5 · 1.234 (thousands) · 8.5; None for anything else. Raises nothing."""
    if isinstance(text, bool):
        return None
    if isinstance(text, int | float):
        return float(text) if math.isfinite(text) else None
    plain = str(text).replace("\xa0", "").replace(" ", "").removesuffix("%")
    if _THOUSANDS.fullmatch(plain):
        return float(plain.replace(".", ""))
    if _DECIMAL.fullmatch(plain):
        return float(plain.replace(".", "").replace(",", "."))
    return float(plain) if _POINT.fullmatch(plain) else None


def _opened(body: bytes, *, values: bool = False) -> Any:
    if len(body) > LARGEST_BYTES:
        raise HostileInputError(f"A form has at most {LARGEST_BYTES:,} bytes.", hint="Take pictures out of it.")
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            if sum(each.file_size for each in archive.infolist()) > LARGEST_UNPACKED:
                raise HostileInputError("The workbook unpacks to more than a form can hold.", hint="Save it anew.")
        return openpyxl.load_workbook(io.BytesIO(body), data_only=values)
    except HostileInputError:
        raise
    except Exception as error:  # whatever an unreadable archive makes the library raise
        raise SourceError("This is no workbook (.xlsx).", hint="Save it as an Excel workbook (.xlsx).") from error


def _cells_of(book: Any, name: str) -> list[tuple[Any, str]]:
    """The cells a name of the workbook or an address `Sheet!C5` means. Raises SourceError for none."""
    if name in book.defined_names:
        found = [
            (book[sheet], where.replace("$", "")) for sheet, where in book.defined_names[name].destinations if sheet in book.sheetnames
        ]
        if found and all(re.fullmatch(r"[A-Z]{1,3}\d+", where) for _, where in found):
            return found
    sheet, _, where = name.rpartition("!")
    if sheet in book.sheetnames and re.fullmatch(r"[A-Z]{1,3}[1-9]\d{0,5}", where):
        return [(book[sheet], where)]
    raise SourceError(f"The form has no cell `{name}`.", hint="Name the cell in the workbook, or write `Sheet!C5` in the report's file.")


def _write(sheet: Any, where: str, value: float | None, decimals: int) -> None:
    """Put a figure in; a cell whose format its agency left open shows it with the indicator's decimals."""
    cell = _whole_cell(sheet, where)
    if value is not None:
        cell.value = value
        if cell.number_format == "General":
            cell.number_format = number_format(decimals)


def _whole_cell(sheet: Any, where: str) -> Any:
    """The cell itself, or the first of the cells it is merged with."""
    cell = sheet[where]
    if isinstance(cell, MergedCell):
        merged = next(each for each in sheet.merged_cells.ranges if where in each)
        cell = sheet.cell(merged.min_row, merged.min_col)
    return cell


def _sheet_of(book: Any, table: FormTable) -> Any:
    if table.sheet and table.sheet not in book.sheetnames:
        raise SourceError(f"The form has no sheet `{table.sheet}`.", hint=f"It has {', '.join(book.sheetnames)}.")
    return book[table.sheet] if table.sheet else book.active


def _lines(sheet: Any, table: FormTable) -> Iterator[tuple[int, str, bool]]:
    """(row, the unit's name, whether it is a row of totals) of the rows that name something; ends at the first two empty ones."""
    column, empty = column_index_from_string(table.place), 0
    for row in range(table.first_row, min(sheet.max_row, table.first_row + MOST_ROWS) + 1):
        found = sheet.cell(row, column).value
        first = sheet.cell(row, 1).value
        name = tidy(str(found if found is not None else first if first is not None else ""))
        if not name or name == ".":
            empty += 1
            if empty > 1:
                return
            continue
        empty = 0
        yield row, name, bool(_TOTAL.match(key_of(name)))


def key_of(name: str) -> str:
    """A name without marks and capitals, to be found by."""
    return without_marks(tidy(name)).lower()


def found_in(values: Mapping[str, float | None], name: str) -> float | None:
    """The value of a unit by its name; by the name without its kind where that means one unit: a commune may have become a ward meanwhile."""
    key = key_of(name)
    if key in values:
        return values[key]
    alike = [known for known in values if _KIND.sub("", known) == _KIND.sub("", key)]
    return values[alike[0]] if len(alike) == 1 else None


def _fill_table(
    book: Any, table: FormTable, facts: Mapping[str, Any], totals: Mapping[str, float | None], decimals: Mapping[str, int]
) -> None:
    sheet = _sheet_of(book, table)
    places = {each["indicator"]: {key_of(row["name"]): row["total"] for row in each["rows"]} for each in facts["tables"]}
    for row, name, is_total in _lines(sheet, table):
        for letter, indicator in table.columns.items():
            value = totals.get(indicator) if is_total else found_in(places.get(indicator, {}), name)
            _write(sheet, f"{letter}{row}", value, decimals.get(indicator, 0))


def _read_table(book: Any, table: FormTable, errors: list[FormError]) -> tuple[dict[str, dict[str, float]], int, int]:
    sheet = _sheet_of(book, table)
    found: dict[str, dict[str, float]] = {indicator: {} for indicator in table.columns.values()}
    typed: list[tuple[str, str, float]] = []
    count = totals = 0
    for row, name, is_total in _lines(sheet, table):
        totals, count = (totals + 1, count) if is_total else (totals, count + 1)
        for letter, indicator in table.columns.items():
            where = f"{letter}{row}"
            value = _value(sheet, where, errors)
            if value is None:
                continue
            if is_total:
                typed.append((where, indicator, value))  # held against the rows below
            elif name in found[indicator]:
                errors.append(FormError(where, name, "mỗi đơn vị một hàng", "one row a unit"))
            else:
                found[indicator][name] = value
    for where, indicator, value in typed:
        values = list(found[indicator].values())
        whole = math.fsum(values)
        is_mean = bool(values) and min(values) <= value <= max(values)  # a share of the whole lies among its rows'
        if not is_mean and abs(value - whole) > NEAR * max(1.0, abs(whole)):
            errors.append(FormError(where, f"{value:g}", f"tổng các hàng là {whole:g}", f"the rows add up to {whole:g}"))
    return found, count, totals


def _value(sheet: Any, where: str, errors: list[FormError]) -> float | None:
    raw = _whole_cell(sheet, where).value
    if raw is None or (isinstance(raw, str) and tidy(raw) in ("", "-", "–", "…", "...")):
        errors.append(FormError(where, "", "một số", "a number"))
        return None
    value = number_typed(raw)
    if value is None:
        errors.append(FormError(where, str(raw)[:60], "một số, như 8,5 hoặc 1.234,5", "a number, such as 8,5 or 1.234,5"))
    return value
