"""From a sheet as an office prints it to a table: title rows, headings over several rows, totals, footnotes, years in columns.

A sheet comes in parts of rows, and each part is laid out as it comes: what one part settles (headings, constants, where the table ended)
holds for the next. Rows left out are counted and told; a rule that leaves rows out is named in the contract.
"""

from __future__ import annotations

import fnmatch
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from lienthong.connectors.csv_dialect import checked_headings
from lienthong.connectors.excel_cells import Cells, column_letter, count_filled, first_filled, is_filled
from lienthong.connectors.excel_finding import find_headings, is_numbering
from lienthong.connectors.options import Options
from lienthong.connectors.state_secrets import refuse_stamped
from lienthong.errors import SourceError

HEADING_JOIN = " / "
FOUND = "found"
LEFT_OUT = ("totals", "footers", "numbering", "headings", "stt")
# The first filled cell of a row of sums, whole: a ward may be called Cộng Hòa.
TOTALS = re.compile(
    r"^(?:[IVX]+\.?\s*)?(?:tổng(?:\s+cộng|\s+số)?|cộng(?:\s+(?:trang|dồn|tháng|quý|năm|toàn\s+\S+))?|total)\s*(?:\(.*\))?\s*[:.]?$",
    re.IGNORECASE,
)
# The first filled cell of what stands under a table: notes, place and date, signatures.
FOOTERS = re.compile(
    r"^(?:ghi\s+chú|chú\s+thích|nguồn(?:\s+số\s+liệu)?\s*:|\(?\*+\)?|nơi\s+nhận|người\s+(?:lập|ký|kiểm|tổng\s+hợp)|(?:tm|kt|tl|tuq)\.|thủ\s+trưởng|kế\s+toán|"
    r"trưởng\s+phòng|chủ\s+tịch|giám\s+đốc|xác\s+nhận|.{0,60}ngày\s*[\d.…]*\s*tháng\s*[\d.…]*\s*năm)",
    re.IGNORECASE,
)
STT = re.compile(r"^(?:s\.?t\.?t\.?|tt|số\s+tt|số\s+thứ\s+tự|no\.?)$", re.IGNORECASE)
_UNIT = re.compile(
    r"\s*[(\[]\s*(?:đvt|đơn\s+vị(?:\s+tính)?)?\s*:?\s*((?:nghìn|ngàn|triệu|tỷ|tỉ|1\.?000)?\s*(?:đồng|đ|vnđ|usd|người|hộ|ha|m2|m²|m3|m³|km2|km²|km|m|cm|mm|kg|g|tấn|tạ|yến|lít|"
    r"kwh|%|‰|con|cây|cái|chiếc|lượt|ca|giường|học\s+sinh|lớp|trường|xã|thôn|doanh\s+nghiệp|cơ\s+sở|dự\s+án|hồ\s+sơ|ngày|tháng|năm|giờ))\s*[)\]]\s*$",
    re.IGNORECASE,
)
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
    """How one kind of sheet is laid out. Rows are Excel's own numbers, from 1; cells Excel's own names (`A3`).

    `header_rows` None: found on each sheet. `first_row` 0: right under the headings.
    """

    sheet: str
    header_rows: tuple[int, ...] | None
    first_row: int
    table_after: re.Pattern[str] | None
    until_blank: bool
    stop_when: re.Pattern[str] | None
    skip_when: re.Pattern[str] | None
    leave_out: tuple[str, ...]
    drop_columns: tuple[str, ...]
    columns: tuple[str, ...]
    fill_down: tuple[str, ...]
    section_column: str
    units: str
    constants: Mapping[str, str]
    constant_pattern: re.Pattern[str] | None
    sheet_column: str
    unpivot: Unpivot | None

    @classmethod
    def take(cls, options: Options) -> Layout:
        header_rows = options.numbers_or("header_rows", FOUND, (1,))
        table_after = options.expression("table_after")
        if table_after is not None:
            header_rows = None
        layout = cls(
            sheet=options.text("sheet"),
            header_rows=header_rows,
            first_row=options.number("first_row", 0, 1 if header_rows == () else 0),
            table_after=table_after,
            until_blank=options.choice("until_blank", ("yes", "no"), "no" if table_after is None else "yes") == "yes",
            stop_when=options.expression("stop_when"),
            skip_when=options.expression("skip_when"),
            leave_out=options.texts_or("leave_out", LEFT_OUT if header_rows is None else ("headings",)),
            drop_columns=options.texts("drop_columns"),
            columns=options.texts("columns"),
            fill_down=options.texts("fill_down"),
            section_column=options.text("section_column"),
            units=options.choice("units", ("keep", "drop", "column"), "keep"),
            constants=options.mapping("constants"),
            constant_pattern=options.expression("constant_pattern"),
            sheet_column=options.text("sheet_column"),
            unpivot=Unpivot.take(options.section("unpivot")),
        )
        if header_rows == () and not layout.columns:
            raise options.required("columns")
        unknown = [name for name in layout.leave_out if name not in LEFT_OUT]
        if unknown:
            raise SourceError(f"Option `leave_out`: expected some of {', '.join(LEFT_OUT)}, found `{unknown[0]}`.")
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
class Laid:
    table: pa.Table
    rows: NDArray[np.int64]  # Excel's row number of each row


def lay_out(parts: Iterable[Cells], layout: Layout, sheet: str, where: str, told: Counter[str] | None = None) -> Iterator[Laid]:
    """The table a sheet holds, part by part, at least one. `told` counts what was left out, by kind.

    Raises SourceError when headings are missing, doubled, or not covered by the layout.
    """
    laying = _Laying(layout, sheet, where, Counter() if told is None else told)
    any_part = False
    for cells in parts:
        if not any_part:
            laying.begin(cells)
            any_part = True
        yield laying.part(cells)
        if laying.ended:
            return
    if not any_part:
        laying.begin(Cells((), 0, 0))


@dataclass
class _Laying:
    """A sheet on its way through: what its first part settled, and what the last row left for the next."""

    layout: Layout
    sheet: str
    where: str
    told: Counter[str]
    ended: bool = False
    _names: dict[int, str] = field(default_factory=dict)  # Excel's column → heading, empty where it has none
    _headings: list[tuple[str, ...]] = field(default_factory=list)  # the heading rows as they stand
    _units: dict[str, str] = field(default_factory=dict)
    _first_row: int = 1
    _constants: dict[str, str | None] = field(default_factory=dict)
    _last: dict[str, str | None] = field(default_factory=dict)  # for `fill_down`
    _section: str | None = None
    _any_row: bool = False

    def begin(self, cells: Cells) -> None:
        """Settle headings and constants from the first part."""
        header_rows, self._first_row = self._header_rows(cells)
        above = cells.rows(max(0, min((*header_rows, self._first_row)) - 1 - cells.first_row))
        refuse_stamped((text for row in above for text in row), self.where)
        self._names = self._named(cells, header_rows)
        self._headings = [tuple(_words(cells.at(row - 1, column)) for column in self._names) for row in header_rows]
        self._drop_and_name()
        for name, cell in self.layout.constants.items():
            self._constants[name] = _constant(cells.named(cell), self.layout, f"{self.where} {cell}")
        if self.layout.sheet_column:
            self._constants[self.layout.sheet_column] = self.sheet

    def part(self, cells: Cells) -> Laid:
        rows = self._data_rows(cells)
        sections = self._sections(cells, rows) if self.layout.section_column else None
        if sections is not None:
            rows = rows[sections[0]]
        picked = pa.array(rows)
        is_run = len(rows) > 0 and rows[-1] - rows[0] == len(rows) - 1
        columns: dict[str, pa.Array] = {}
        for column, values in enumerate(cells.columns, cells.first_column):
            name = self._names.get(column, "")
            if name is _DROPPED:
                continue
            taken = values.slice(int(rows[0]), len(rows)) if is_run else values.take(picked)
            if not name:
                if taken.null_count == len(taken):
                    continue
                letter = column_letter(column)
                raise SourceError(
                    f"{self.where}: cột {letter} có dữ liệu nhưng không có tiêu đề / column {letter} has values but no heading.",
                    hint="Look at `header_rows`, or give all names with the option `columns`.",
                )
            columns[name] = taken
        for name in self._names.values():
            if name and name is not _DROPPED and name not in columns:
                columns[name] = pa.nulls(len(rows), pa.string())
        columns = {name: columns[name] for name in self._names.values() if name in columns}
        for name in self.layout.fill_down:
            columns[name] = self._filled_down(name, columns[name])
        if sections is not None:
            columns[self.layout.section_column] = sections[1]
        laid = Laid(pa.table(columns), rows + cells.first_row + 1)
        self._any_row = self._any_row or len(rows) > 0
        if self.layout.unpivot is not None:
            laid = _unpivoted(laid, self.layout.unpivot, self.where)
        return Laid(self._with_constants(laid.table), laid.rows)

    def _header_rows(self, cells: Cells) -> tuple[tuple[int, ...], int]:
        layout = self.layout
        after = 0
        if layout.table_after is not None:
            firsts = first_filled(cells).to_pylist()
            titles = [row for row, first in enumerate(firsts) if first is not None and layout.table_after.search(first)]
            if not titles:
                raise SourceError(f"{self.where}: không thấy tiêu đề bảng / no cell fits `table_after` `{layout.table_after.pattern}`.")
            after = titles[0] + cells.first_row + 1
        if layout.header_rows is not None:
            return layout.header_rows, layout.first_row or max(layout.header_rows, default=0) + 1
        found = find_headings(cells, after)
        if found is None:
            raise SourceError(
                f"{self.where}: không thấy dòng tiêu đề / no heading found in its first rows.",
                hint="Say where it stands with `header_rows`.",
            )
        return found.header_rows, layout.first_row or found.first_row

    def _named(self, cells: Cells, header_rows: tuple[int, ...]) -> dict[int, str]:
        """Heading of each column; headings over several rows are joined from top to bottom."""
        places = range(cells.first_column, cells.first_column + len(cells.columns))
        if self.layout.columns and header_rows == ():
            return self._given(places)
        table = [[_words(cells.at(row - 1, column)) for column in places] for row in header_rows]
        if not any(any(row) for row in table):
            raise SourceError(f"{self.where}: không có dòng tiêu đề / no heading in rows {', '.join(map(str, header_rows))}.")
        _fill_merged(table)
        if self.layout.columns:
            return self._given(places)
        return {column: HEADING_JOIN.join(dict.fromkeys(row[place] for row in table if row[place])) for place, column in enumerate(places)}

    def _given(self, places: range) -> dict[int, str]:
        if len(self.layout.columns) != len(places):
            raise SourceError(f"{self.where}: option `columns` names {len(self.layout.columns)} columns, the sheet has {len(places)}.")
        return dict(zip(places, self.layout.columns, strict=True))

    def _drop_and_name(self) -> None:
        layout, where = self.layout, self.where
        missing = [name for name in layout.drop_columns if name not in self._names.values()]
        if missing:
            raise SourceError(f"{where}: `drop_columns` names {missing}, found {[name for name in self._names.values() if name]}.")
        is_stt = "stt" in layout.leave_out
        for column, name in self._names.items():
            if name in layout.drop_columns or (is_stt and STT.match(name.rpartition(HEADING_JOIN)[2])):
                self._names[column] = _DROPPED
            elif layout.units != "keep" and (unit := _UNIT.search(name)) is not None:
                self._names[column] = name[: unit.start()]
                self._units[name[: unit.start()]] = unit[1]
        kept = [name for name in self._names.values() if name and name is not _DROPPED]
        checked_headings(kept, where)
        unknown = [name for name in layout.fill_down if name not in kept]
        if unknown:
            raise SourceError(f"{where}: `fill_down` names {unknown}, found {kept}.")
        if layout.units == "column":
            self._constants.update({f"{name} (đơn vị)": unit for name, unit in self._units.items()})

    def _data_rows(self, cells: Cells) -> NDArray[np.int64]:
        """Rows that hold anything, from the first of data to where the table ends, without what is left out."""
        filled = np.zeros(cells.height, np.bool_)
        for column in cells.columns:
            filled |= is_filled(column)
            if filled.all():
                break
        rows = np.flatnonzero(filled)
        rows = rows[rows >= self._first_row - 1 - cells.first_row]
        if self.layout.until_blank and len(rows):
            rows = self._until_blank(rows, cells)
        if not len(rows):
            return rows
        firsts = first_filled(cells).take(pa.array(rows))
        stop = self._stop(firsts, cells, rows)
        if stop is not None:
            self.ended = True
            rows, firsts = rows[:stop], firsts.slice(0, stop)
        keep = np.ones(len(rows), np.bool_)
        for kind, places in self._left_out(cells, rows, firsts):
            self.told[kind] += int(keep[places].sum())
            keep[places] = False
        return rows[keep]

    def _until_blank(self, rows: NDArray[np.int64], cells: Cells) -> NDArray[np.int64]:
        """The rows before the first blank one; at the beginning of the table and of a later part blank rows say nothing."""
        expected = rows[0] if not self._any_row else max(0, self._first_row - 1 - cells.first_row)
        gaps = np.flatnonzero(rows != np.arange(expected, expected + len(rows)))
        if not len(gaps):
            return rows
        self.ended = True
        return rows[: gaps[0]]

    def _stop(self, firsts: pa.Array, cells: Cells, rows: NDArray[np.int64]) -> int | None:
        """The place of the first row under the table."""
        places = _fitting(self.layout.stop_when, firsts) if self.layout.stop_when is not None else []
        if "footers" in self.layout.leave_out:
            most = max(2, len(self._names) // 2)
            under = [
                place
                for place in _fitting(FOOTERS, firsts)
                if count_filled(cells, int(rows[place])) <= most and (self._any_row or place > 0)
            ]
            if under and (not places or under[0] < places[0]):
                self.told["footers"] += len(rows) - under[0]
                return under[0]
        return places[0] if places else None

    def _left_out(self, cells: Cells, rows: NDArray[np.int64], firsts: pa.Array) -> Iterator[tuple[str, list[int]]]:
        layout = self.layout
        if layout.skip_when is not None:
            yield "skipped", _fitting(layout.skip_when, firsts)
        if "totals" in layout.leave_out:
            yield "totals", _fitting(TOTALS, firsts)
        if "headings" in layout.leave_out:
            for heading in self._headings:
                yield "headings", self._repeated(heading, cells, rows)
        if "numbering" in layout.leave_out:
            likely = _fitting(_NUMBERING, firsts) if self._any_row else range(min(3, len(rows)))
            yield "numbering", [place for place in likely if is_numbering([c[int(rows[place])].as_py() for c in cells.columns])]

    def _repeated(self, heading: tuple[str, ...], cells: Cells, rows: NDArray[np.int64]) -> list[int]:
        """Rows that say the headings again; a heading of one cell is too little to tell."""
        told = [(column, words) for column, words in zip(self._names, heading, strict=True) if words]
        if len(told) < min(2, len(self._names)) or cells.height == 0:
            return []
        likely: Sequence[int] = range(len(rows))
        for column, words in told:
            likely = self._same_words(cells, column, rows, words, likely) if likely else []
        return list(likely)

    @staticmethod
    def _same_words(cells: Cells, column: int, rows: NDArray[np.int64], words: str, places: Sequence[int]) -> list[int]:
        place = column - cells.first_column
        if not 0 <= place < len(cells.columns):
            return []
        values = cells.columns[place].take(pa.array(rows[np.asarray(places, np.int64)]))
        begins = pc.fill_null(pc.starts_with(pc.utf8_ltrim_whitespace(values), words.split(maxsplit=1)[0]), False).to_numpy(
            zero_copy_only=False
        )
        return [places[int(at)] for at in np.flatnonzero(begins) if _words(values[int(at)].as_py()) == words]

    def _sections(self, cells: Cells, rows: NDArray[np.int64]) -> tuple[NDArray[np.bool_], pa.Array]:
        """Which rows are data, and the section each of these stands in: a row with words in one cell only heads what follows."""
        counts = np.zeros(cells.height, np.int64)
        for column in cells.columns:
            counts += is_filled(column)
        heads = counts[rows] <= 1
        numbered = (counts[rows] == 2) & (len(self._names) > 3)
        firsts = first_filled(cells).take(pa.array(rows)).to_pylist()
        for place in np.flatnonzero(numbered).tolist():
            heads[place] = bool(_ROMAN.match(firsts[place] or ""))
        sections: list[str | None] = []
        for place, is_head in enumerate(heads.tolist()):
            if is_head:
                texts = [value for c in cells.columns if (value := c[int(rows[place])].as_py()) is not None and value.strip()]
                self._section = " ".join(texts[-1].split())
            else:
                sections.append(self._section)
        return ~heads, pa.array(sections, pa.string())

    def _filled_down(self, name: str, values: pa.Array) -> pa.Array:
        """Merged cells going down: the value above where there is none."""
        blank = pc.if_else(pc.equal(pc.utf8_trim_whitespace(values), ""), pa.scalar(None, pa.string()), values)
        filled = pc.fill_null_forward(pa.concat_arrays([pa.array([self._last.get(name)], pa.string()), blank]))
        self._last[name] = filled[-1].as_py()
        return filled.slice(1)

    def _with_constants(self, table: pa.Table) -> pa.Table:
        for name, value in self._constants.items():
            if name in table.column_names:
                raise SourceError(
                    f"{self.where}: cột `{name}` có hai lần / column `{name}` is there twice: in the sheet and as a constant."
                )
            table = table.append_column(name, pa.array([value] * table.num_rows, pa.string()))
        return table


_DROPPED = "\0dropped"
_NUMBERING = re.compile(r"^\(?(?:[A-ZĐ]|1)\)?$")
_ROMAN = re.compile(r"^\s*(?:[IVXLC]+|[A-ZĐ])[.)]?\s*$")


def _fitting(pattern: re.Pattern[str], firsts: pa.Array) -> list[int]:
    """Places whose first filled cell begins so."""
    return [place for place, first in enumerate(firsts.to_pylist()) if first is not None and pattern.match(first)]


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
