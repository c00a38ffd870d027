"""From a sheet as an office prints it to a table: title rows, headings over several rows, totals, footnotes, years in columns."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from lienthong.connectors.csv_dialect import checked_headings
from lienthong.connectors.options import Options
from lienthong.errors import SourceError

HEADING_JOIN = " / "
_CELL = re.compile(r"^[A-Z]{1,3}[1-9]\d*$")


@dataclass(frozen=True)
class Unpivot:
    """Columns that are values of a dimension become rows. Named groups of `name_pattern` become columns of their own."""

    keep: tuple[str, ...]
    name_to: str
    value_to: str
    name_pattern: re.Pattern[str] | None

    @classmethod
    def take(cls, options: Options | None) -> Unpivot | None:
        if options is None:
            return None
        taken = cls(
            options.texts("keep"), options.text("name_to", "name"), options.text("value_to", "value"), options.expression("name_pattern")
        )
        options.close()
        return taken


@dataclass(frozen=True)
class Layout:
    """How one kind of sheet is laid out. Rows are Excel's own numbers, from 1; cells Excel's own names (`A3`)."""

    sheet: str
    header_rows: tuple[int, ...]
    first_row: int
    stop_when: re.Pattern[str] | None
    skip_when: re.Pattern[str] | None
    drop_columns: tuple[str, ...]
    columns: tuple[str, ...]
    constants: Mapping[str, str]
    constant_pattern: re.Pattern[str] | None
    sheet_column: str
    unpivot: Unpivot | None

    @classmethod
    def take(cls, options: Options) -> Layout:
        header_rows = options.numbers("header_rows", (1,))
        layout = cls(
            sheet=options.text("sheet"),
            header_rows=header_rows,
            first_row=options.number("first_row", max(header_rows, default=0) + 1, 1),
            stop_when=options.expression("stop_when"),
            skip_when=options.expression("skip_when"),
            drop_columns=options.texts("drop_columns"),
            columns=options.texts("columns"),
            constants=options.mapping("constants"),
            constant_pattern=options.expression("constant_pattern"),
            sheet_column=options.text("sheet_column"),
            unpivot=Unpivot.take(options.section("unpivot")),
        )
        if not header_rows and not layout.columns:
            raise options.required("columns")
        for cell in layout.constants.values():
            if not _CELL.match(cell):
                raise SourceError(f"Option `constants`: expected a cell such as A3, found `{cell}`.")
        options.close()
        return layout

    def wanted_sheets(self, names: Sequence[str], file: str) -> list[str]:
        """The sheets to read: the first, the one of that name or number (from 1), or all that a pattern with `*` fits."""
        if not self.sheet:
            return list(names[:1])
        if "*" in self.sheet:
            wanted = [name for name in names if fnmatch.fnmatchcase(name, self.sheet)]
        elif self.sheet in names:
            wanted = [self.sheet]
        else:
            wanted = list(names[int(self.sheet) - 1 : int(self.sheet)]) if self.sheet.isdecimal() and int(self.sheet) else []
        if not wanted:
            found = ", ".join(f"`{name}`" for name in names)
            raise SourceError(f"`{file}`: không có trang tính / has no sheet `{self.sheet}`; it has {found}.")
        return wanted


@dataclass(frozen=True)
class Cells:
    """A sheet's cells as text, column-wise; row 0 is Excel's row 1, column 0 is Excel's column `first_column` (0 = A)."""

    columns: tuple[pa.Array, ...]
    first_column: int
    height: int

    def at(self, row: int, column: int) -> str | None:
        """The cell of Excel's row and column numbers, both from 0; None outside."""
        place = column - self.first_column
        if not 0 <= place < len(self.columns) or not 0 <= row < self.height:
            return None
        value: str | None = self.columns[place][row].as_py()
        return value

    def named(self, cell: str) -> str | None:
        """The cell Excel calls so, such as `A3`."""
        letters = cell.rstrip("0123456789")
        column = 0
        for letter in letters:
            column = column * 26 + ord(letter) - ord("A") + 1
        return self.at(int(cell[len(letters) :]) - 1, column - 1)


@dataclass(frozen=True)
class Laid:
    table: pa.Table
    rows: NDArray[np.int64]  # Excel's row number of each row


def lay_out(cells: Cells, layout: Layout, sheet: str, where: str) -> Laid:
    """The table a sheet holds. Raises SourceError when headings are missing, doubled, or not covered by the layout."""
    rows = _data_rows(cells, layout)
    names = _headings(cells, layout, where)
    columns: dict[str, pa.Array] = {}
    picked = pa.array(rows)
    for place, name in names.items():
        if name in layout.drop_columns:
            continue
        values = cells.columns[place].take(picked)
        if not name:
            if values.null_count == len(values):
                continue
            raise SourceError(
                f"{where}: cột {column_letter(cells.first_column + place)} có dữ liệu nhưng không có tiêu đề / "
                f"column {column_letter(cells.first_column + place)} has values but no heading.",
                hint="Look at `header_rows`, or give all names with the option `columns`.",
            )
        columns[name] = values
    missing = [name for name in layout.drop_columns if name not in names.values()]
    if missing:
        raise SourceError(f"{where}: `drop_columns` names {missing}, found {[name for name in names.values() if name]}.")
    checked_headings([name for name in names.values() if name and name not in layout.drop_columns], where)
    laid = Laid(pa.table(columns), rows + 1)
    if layout.unpivot is not None:
        laid = _unpivoted(laid, layout.unpivot, where)
    return Laid(_with_constants(laid.table, cells, layout, sheet, where), laid.rows)


def column_letter(column: int) -> str:
    """Excel's letters of a column number from 0: 0 is A, 26 is AA."""
    letters = ""
    while column >= 0:
        column, rest = divmod(column, 26)
        letters, column = chr(ord("A") + rest) + letters, column - 1
    return letters


def _data_rows(cells: Cells, layout: Layout) -> NDArray[np.int64]:
    """Rows from `first_row` that hold anything, up to the one where `stop_when` fits the first filled cell."""
    filled = np.zeros(cells.height, np.bool_)
    for column in cells.columns:
        filled |= column.is_valid().to_numpy(zero_copy_only=False)
    rows = np.flatnonzero(filled)
    rows = rows[rows >= layout.first_row - 1]
    if layout.stop_when is None and layout.skip_when is None:
        return rows
    kept: list[int] = []
    for row in rows.tolist():
        first = next((value for column in cells.columns if (value := column[row].as_py()) is not None), "").strip()
        if layout.stop_when is not None and layout.stop_when.match(first):
            break
        if layout.skip_when is None or not layout.skip_when.match(first):
            kept.append(row)
    return np.array(kept, np.int64)


def _headings(cells: Cells, layout: Layout, where: str) -> dict[int, str]:
    """Heading of each column's place; headings over several rows are joined from top to bottom."""
    places = range(len(cells.columns))
    if layout.columns:
        if len(layout.columns) != len(cells.columns):
            raise SourceError(f"{where}: option `columns` names {len(layout.columns)} columns, the sheet has {len(cells.columns)}.")
        return dict(zip(places, layout.columns, strict=True))
    table = [[_words(cells.at(row - 1, cells.first_column + place)) for place in places] for row in layout.header_rows]
    if not any(any(row) for row in table):
        raise SourceError(f"{where}: không có dòng tiêu đề / no heading in rows {', '.join(map(str, layout.header_rows))}.")
    _fill_merged(table)
    return {place: HEADING_JOIN.join(dict.fromkeys(row[place] for row in table if row[place])) for place in places}


def _fill_merged(table: list[list[str]]) -> None:
    """A merged heading stands in its first cell only; it spans on where its own column has a heading below, as a group does."""
    for above, below in pairwise(table):
        for place in range(1, len(above)):
            if not above[place] and below[place] and above[place - 1] and below[place - 1]:
                above[place] = above[place - 1]


def _words(value: str | None) -> str:
    return " ".join((value or "").split())


def _unpivoted(laid: Laid, unpivot: Unpivot, where: str) -> Laid:
    names = laid.table.column_names
    missing = [name for name in unpivot.keep if name not in names]
    if missing:
        raise SourceError(f"{where}: `unpivot.keep` names {missing}, found {names}.")
    turned = [name for name in names if name not in unpivot.keep]
    labels = [_labels(name, unpivot, where) for name in turned]
    count, width = laid.table.num_rows, len(turned)
    if not turned:
        raise SourceError(
            f"{where}: không còn cột nào để chuyển thành dòng / no column is left to become rows beside {list(unpivot.keep)}."
        )
    repeated = pa.array(np.repeat(np.arange(count), width))
    columns = {name: _one(laid.table[name]).take(repeated) for name in unpivot.keep}
    for label in labels[0]:
        columns[label] = pa.array([each[label] for each in labels] * count, pa.string())
    stacked = pa.concat_arrays([_one(laid.table[name]) for name in turned])
    columns[unpivot.value_to] = stacked.take(pa.array(np.arange(count * width).reshape(width, count).T.ravel()))
    return Laid(pa.table(columns), np.repeat(laid.rows, width))


def _labels(name: str, unpivot: Unpivot, where: str) -> dict[str, str]:
    if unpivot.name_pattern is None:
        return {unpivot.name_to: name}
    match = unpivot.name_pattern.search(name)
    if match is None:
        raise SourceError(
            f"{where}: cột `{name}` không khớp / column `{name}` does not fit `unpivot.name_pattern` `{unpivot.name_pattern.pattern}`.",
            hint="Name it in `unpivot.keep` or `drop_columns`.",
        )
    groups = match.groupdict()
    if groups:
        return {group: (value or "").strip() for group, value in groups.items()}
    return {unpivot.name_to: match.group(1) if match.groups() else match.group(0)}


def _with_constants(table: pa.Table, cells: Cells, layout: Layout, sheet: str, where: str) -> pa.Table:
    constants: dict[str, str | None] = {
        name: _constant(cells.named(cell), layout, f"{where} {cell}") for name, cell in layout.constants.items()
    }
    if layout.sheet_column:
        constants[layout.sheet_column] = sheet
    for name, value in constants.items():
        if name in table.column_names:
            raise SourceError(f"{where}: cột `{name}` có hai lần / column `{name}` is there twice: in the sheet and as a constant.")
        table = table.append_column(name, pa.array([value] * table.num_rows, pa.string()))
    return table


def _constant(value: str | None, layout: Layout, where: str) -> str | None:
    """The cell's text; of it what `constant_pattern` captures."""
    if layout.constant_pattern is None or value is None:
        return value
    match = layout.constant_pattern.search(value)
    if match is None:
        raise SourceError(f"{where}: expected text that fits `{layout.constant_pattern.pattern}`, found `{value}`.")
    return match.group(1) if match.groups() else match.group(0)


def _one(column: pa.ChunkedArray) -> pa.Array:
    return column.combine_chunks()
