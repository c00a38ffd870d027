"""A judged list as a person opens it: a workbook with the duplicates side by side, or CSV; the original columns and their order kept.

Cells are texts and nothing else: what a spreadsheet would run as a formula is shown as it was typed.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from lienthong.masterdata.headings import Meant
from lienthong.masterdata.own_list import IN_FORCE, LEARNT, MAYBE, NONE, SURE, HeldRow, JudgedList, RowVerdict, Way

if TYPE_CHECKING:
    import polars as pl
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.worksheet._write_only import WriteOnlyWorksheet

VERDICTS = {SURE: ("chắc chắn trùng", "surely twice"), MAYBE: ("có thể trùng", "maybe twice"), NONE: ("không trùng", "not twice")}
HELD = {SURE: ("đã có", "held"), MAYBE: ("có thể đã có", "maybe held"), NONE: ("chưa có", "not held")}
UNREADABLE = ("không đọc được", "cannot be read")
OURS = ("Dòng", "Nhóm trùng", "Kết luận", "Trùng với dòng", "Có thể trùng với dòng", "Xác suất", "Lý do")
WITH_INDEX = ("Trong kho", "Mã bản ghi gốc", "Lý do (kho)")
_TINTS = ("FFF8E7D2", "FFE3EEF8")  # groups next to each other are told apart
_VERDICT_TINTS = {SURE: "FFF4C7C3", MAYBE: "FFFCE8B2"}
_FORMULA = re.compile(r"^[=+\-@\t\r]")
_NOT_IN_XML = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_LONGEST_CELL = 32_767  # Excel's own limit
_MOST_NAMED = 20  # rows named in one cell
_WIDEST = 60


@dataclass(frozen=True)
class ListFile:
    """What is written. `numbers`: the row numbers a person sees; `broken`: (row number, text) of rows without a shape."""

    frame: pl.DataFrame
    numbers: Sequence[int]
    judged: JudgedList
    meant: Sequence[Meant] = ()
    held: Sequence[HeldRow] | None = None
    broken: Sequence[tuple[int, str]] = ()
    titles: dict[str, str] = field(default_factory=dict)

    @property
    def headings(self) -> tuple[str, ...]:
        taken = set(self.frame.columns)
        ours = (*OURS, *(WITH_INDEX if self.held is not None else ()))
        return (*self.frame.columns, *(f"{name} (Liên thông)" if name in taken else name for name in ours))

    def lines(self) -> Iterator[tuple[RowVerdict | None, tuple[str, ...]]]:
        """Every row as texts, in the order of the file, with its verdict; None for one that could not be read."""
        rest = sorted(self.broken)
        for n, cells in enumerate(self.frame.iter_rows()):
            while rest and rest[0][0] < self.numbers[n]:
                yield None, self._broken(*rest.pop(0))
            yield self.judged.rows[n], tuple("" if cell is None else cell for cell in cells) + self._ours(n)
        for number, text in rest:
            yield None, self._broken(number, text)

    def _ours(self, n: int) -> tuple[str, ...]:
        row = self.judged.rows[n]
        said = (
            str(self.numbers[n]),
            "" if row.group is None else str(row.group),
            VERDICTS[row.verdict][0],
            self._rows(row.same),
            self._rows(row.maybe),
            _percent(row.probability),
            row.vietnamese,
        )
        if self.held is None:
            return said
        held = self.held[n]
        return (*said, HELD[held.verdict][0], held.golden or "", held.vietnamese)

    def _rows(self, rows: Sequence[int]) -> str:
        named = ", ".join(str(self.numbers[row]) for row in rows[:_MOST_NAMED])
        return f"{named} …" if len(rows) > _MOST_NAMED else named

    def _broken(self, number: int, text: str) -> tuple[str, ...]:
        width = self.frame.width
        ours = [str(number), "", UNREADABLE[0]] + [""] * (len(self.headings) - width - 3)
        return (text, *[""] * (width - 1), *ours)


def how(way: Way) -> tuple[str, str]:
    """By what the list was judged, in both languages."""
    if way.kind == IN_FORCE:
        return f"mô hình đang dùng của nền tảng, phiên bản {way.version}", f"the platform's model in force, version {way.version}"
    if way.kind == LEARNT:
        return "mô hình học từ chính danh sách này", "a model learnt from this very list"
    return "quy tắc cố định, vì danh sách chưa đủ để học", "plain rules, because the list is too small to learn from"


def as_csv(given: ListFile) -> Iterator[bytes]:
    """UTF-8 with the mark Excel needs, in the order of the file."""
    yield b"\xef\xbb\xbf"
    for cells in (given.headings, *(cells for _, cells in given.lines())):
        text = io.StringIO()
        csv.writer(text, lineterminator="\r\n").writerow([f"'{cell}" if _FORMULA.match(cell) else cell for cell in cells])
        yield text.getvalue().encode()


def as_workbook(given: ListFile) -> bytes:
    """Three sheets: the list in its order, its duplicates side by side, what each column was taken for."""
    from openpyxl import Workbook  # noqa: PLC0415 loaded when a workbook is asked for

    book = Workbook(write_only=True)
    headings = given.headings
    lines = list(given.lines())
    twice = sorted((line for line in lines if line[0] is not None and line[0].group is not None), key=_by_group)
    _sheet(book, "Nhóm trùng", headings, twice, given.frame.width)
    _sheet(book, "Danh sách", headings, lines, given.frame.width)
    _sheet(book, "Cột", ("Cột", "Hiểu là", "Vì sao"), [(None, _meant(each, given.titles)) for each in given.meant], 3)
    data = io.BytesIO()
    book.save(data)
    return data.getvalue()


def _by_group(line: tuple[RowVerdict | None, Any]) -> int:
    return 0 if line[0] is None or line[0].group is None else line[0].group


def _meant(meant: Meant, titles: dict[str, str]) -> tuple[str, ...]:
    names = ", ".join(titles.get(name, name) for name in meant.attributes)
    return meant.column, names or "(không so)", meant.vietnamese


def _sheet(book: Any, title: str, headings: Sequence[str], lines: Iterable[tuple[RowVerdict | None, tuple[str, ...]]], width: int) -> None:
    from openpyxl.styles import Font, PatternFill  # noqa: PLC0415 as in as_workbook
    from openpyxl.utils import get_column_letter  # noqa: PLC0415 as in as_workbook

    held = list(lines)
    sheet: WriteOnlyWorksheet = book.create_sheet(title)
    sheet.freeze_panes = "A2"
    for place, heading in enumerate(headings):
        longest = max((len(cells[place]) for _, cells in held[:200]), default=0)
        sheet.column_dimensions[get_column_letter(place + 1)].width = min(max(len(heading), longest) + 2, _WIDEST)
    if held:
        sheet.auto_filter.ref = f"A1:{get_column_letter(len(headings))}{len(held) + 1}"
    bold, tints = Font(bold=True), [PatternFill("solid", fgColor=tint) for tint in _TINTS]
    verdict_tints = {name: PatternFill("solid", fgColor=tint) for name, tint in _VERDICT_TINTS.items()}
    sheet.append([_cell(sheet, heading, font=bold) for heading in headings])
    for row, cells in held:
        tint = None if row is None or row.group is None else tints[row.group % 2]
        shown = [_cell(sheet, cell, fill=tint) for cell in cells]
        if row is not None and row.verdict in verdict_tints:
            shown[width + OURS.index("Kết luận")].fill = verdict_tints[row.verdict]
        sheet.append(shown)


def _cell(sheet: WriteOnlyWorksheet, text: str, fill: Any = None, font: Any = None) -> WriteOnlyCell:
    """A cell of text, whatever it begins with."""
    from openpyxl.cell import WriteOnlyCell  # noqa: PLC0415 as in as_workbook

    cell = WriteOnlyCell(sheet, _NOT_IN_XML.sub(" ", text)[:_LONGEST_CELL])
    cell.data_type = "s"
    if _FORMULA.match(text):
        cell.quotePrefix = True
    if fill is not None:
        cell.fill = fill
    if font is not None:
        cell.font = font
    return cell


def _percent(probability: float | None) -> str:
    return "" if probability is None else f"{probability * 100:.0f} %"
