"""How a sheet of an office is laid out: where its headings stand, which rows are titles, totals and signatures. Told with what speaks for it.

The guess is options of the connector `excel_file`, so that whoever reads the contract sees what was decided and can change it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from lienthong.quality.drafting import Evidence, header_row_of

Row = Sequence[str | None]
MOST_HEADING_ROWS = 4
LONGEST_HEADING = 120
TOTALS = r"(?i:\s*(tổng|cộng|tổng cộng|tổng số|luỹ kế|lũy kế|toàn (tỉnh|huyện|xã))(\s*[:(].*|\s+(xã|phường|thị trấn|huyện|thôn|ấp|khu phố|toàn)\b.*)?\s*$)"
SECTIONS = r"(?:\s*([IVXLC]+|[A-H])\s*[.)]?\s*$)"
FOOTERS = r"(?i:\s*(người lập|lập biểu|kế toán|thủ trưởng|chủ tịch|giám đốc|ghi chú\s*:|nơi nhận|xác nhận|kt\.|tm\.|\(\*\)|[^,]{0,40},?\s*ngày\s.{0,20}tháng\s.{0,12}năm))"
_TITLES = re.compile(r"(?i)cộng h[òo]a|độc lập|ủy ban|uỷ ban|ubnd|danh sách|báo cáo|biểu (số|mẫu)|mẫu số|kèm theo|phụ lục")
_LETTER = re.compile(r"[^\W\d_]")
_NUMBERED = re.compile(r"[(\[]?\s*([0-9]{1,2}|[A-Z])\s*(=.*)?[)\]]?")


@dataclass(frozen=True)
class LayoutGuess:
    """`options` of `excel_file`; `first_row`: the first row that can hold data (from 1)."""

    options: dict[str, Any]
    first_row: int
    evidence: tuple[Evidence, ...] = ()
    headings: tuple[str, ...] = field(default=())


def guess_layout(grid: Sequence[Row]) -> LayoutGuess:
    """The layout of a sheet whose cells are given as texts, row by row from Excel's first. An empty grid has its headings in row 1."""
    rows = [[(cell or "").strip() for cell in row] for row in grid]
    width = max((len(row) for row in rows), default=0)
    rows = [[*row, *[""] * (width - len(row))] for row in rows]
    heads = _heading_rows(rows)
    first = heads[-1] + 1
    told = _of_headings(heads)
    if first <= len(rows) and _is_numbering(rows[first - 1]):
        told.append(Evidence(f"Dòng {first} chỉ đánh số cột: bỏ", f"Row {first} only numbers the columns: passed over"))
        first += 1
    options: dict[str, Any] = {} if heads == [1] else {"header_rows": heads}
    if first != heads[-1] + 1:
        options["first_row"] = first
    names = _headings(rows, heads)
    if _need_names(rows, names, first):
        names = _named(names)
        options |= {"header_rows": [], "columns": names, "first_row": first}
        told.append(
            Evidence(
                "Có cột không có tiêu đề hoặc tiêu đề trùng nhau: đã đặt tên",
                "Columns without a heading, or with the same one, were given names",
            )
        )
    _of_other_rows(rows, first, options, told)
    return LayoutGuess(options, first, tuple(told), tuple(names))


def _of_headings(heads: list[int]) -> list[Evidence]:
    told = []
    if heads[0] > 1:
        told.append(Evidence(f"{heads[0] - 1} dòng trên cùng là tên biểu", f"The {heads[0] - 1} rows on top are titles"))
    if len(heads) > 1:
        shown = ", ".join(map(str, heads))
        told.append(Evidence(f"Tiêu đề ở các dòng {shown}, có ô gộp", f"Headings in rows {shown}, some merged"))
    return told


def _heading_rows(rows: Sequence[Sequence[str]]) -> list[int]:
    """Excel's numbers of the rows that together are the headings."""
    main = header_row_of(rows)
    heads = [main]
    while len(heads) < MOST_HEADING_ROWS and heads[0] > 1 and _is_above(rows[heads[0] - 2], rows[heads[0] - 1]):
        heads.insert(0, heads[0] - 1)
    while len(heads) < MOST_HEADING_ROWS and heads[-1] < len(rows) and _is_below(rows[heads[-1]], _merged(rows, heads)):
        heads.append(heads[-1] + 1)
    return heads


def _merged(rows: Sequence[Sequence[str]], heads: Sequence[int]) -> list[str]:
    return ["".join(cells) for cells in zip(*(rows[n - 1] for n in heads), strict=True)]


def _are_words(cells: Sequence[str]) -> bool:
    filled = [cell for cell in cells if cell]
    return bool(filled) and all(_LETTER.search(cell) and len(cell) <= LONGEST_HEADING for cell in filled)


def _is_above(above: Sequence[str], below: Sequence[str]) -> bool:
    """Whether a row holds the headings over those of the row below: groups over several, or single ones that reach down."""
    places = [n for n, cell in enumerate(above) if cell]
    if len(places) < 2 or not _are_words(above) or any(_TITLES.search(cell) for cell in above):
        return False
    reach_down = sum(1 for n in places if not below[n])
    groups = sum(1 for n in places if n + 1 < len(above) and not above[n + 1] and below[n] and below[n + 1])
    return (reach_down > 0 or groups > 0) and all(not below[n] or n in _spans(above, below) or groups for n in places)


def _spans(above: Sequence[str], below: Sequence[str]) -> set[int]:
    return {n for n, cell in enumerate(above) if cell and n + 1 < len(above) and not above[n + 1] and below[n]}


def _is_below(row: Sequence[str], above: Sequence[str]) -> bool:
    """Whether a row holds the headings under those above: under groups, and blank where a heading reaches down."""
    if not _are_words(row):
        return False
    reach_down = any(head and not cell for head, cell in zip(above, row, strict=True))
    under_groups = any(cell and not head for head, cell in zip(above, row, strict=True))
    first = next((n for n, head in enumerate(above) if head), 0)
    return reach_down and under_groups and not row[first]


def _is_numbering(row: Sequence[str]) -> bool:
    """`1 2 3`, `(1) (2) (3)` or `A B 1 2` under the headings."""
    filled = [cell for cell in row if cell]
    marks = [match[1] for cell in filled if (match := _NUMBERED.fullmatch(cell))]
    if len(filled) < 3 or len(marks) < len(filled):
        return False
    numbers = [int(mark) for mark in marks if mark.isdigit()]
    return bool(numbers) and numbers == list(range(1, 1 + len(numbers)))


def _headings(rows: Sequence[Sequence[str]], heads: Sequence[int]) -> list[str]:
    """As the connector joins them: a merged heading spans on where its own column has one below."""
    table = [[" ".join(cell.split()) for cell in rows[n - 1]] for n in heads if n <= len(rows)]
    for above, below in pairwise(table):
        for n in range(1, len(above)):
            if not above[n] and below[n] and above[n - 1] and below[n - 1]:
                above[n] = above[n - 1]
    return [" / ".join(dict.fromkeys(cell for cell in cells if cell)) for cells in zip(*table, strict=True)]


def _need_names(rows: Sequence[Sequence[str]], names: Sequence[str], first: int) -> bool:
    said = [name.casefold() for name in names if name]
    return len(set(said)) < len(said) or any(not name and any(row[n] for row in rows[first - 1 :]) for n, name in enumerate(names))


def _named(names: Sequence[str]) -> list[str]:
    made: list[str] = []
    for n, name in enumerate(names, 1):
        wanted, number = name or f"Cột {n}", 2
        while wanted.casefold() in {each.casefold() for each in made}:
            wanted, number = f"{name or f'Cột {n}'} ({number})", number + 1
        made.append(wanted)
    return made


def _of_other_rows(rows: Sequence[Sequence[str]], first: int, options: dict[str, Any], told: list[Evidence]) -> None:
    """Totals and section names among the data, and what stands below it."""
    filled = [sum(1 for cell in row if cell) for row in rows]
    counts = sorted(count for count in filled[first - 1 :] if count)
    usual = counts[len(counts) * 3 // 4] if counts else 0
    last = max((n for n in range(first, len(rows) + 1) if _is_data(rows[n - 1], filled[n - 1], usual)), default=first - 1)
    totals = [n for n in range(first, len(rows) + 1) if filled[n - 1] and _is(TOTALS, rows[n - 1])]
    sections = [n for n in range(first, last + 1) if 0 < filled[n - 1] <= max(2, usual / 3) and _is(SECTIONS, rows[n - 1])]
    skipped = []
    if totals:
        skipped.append(TOTALS)
        told.append(
            Evidence(
                f"{len(totals)} dòng tổng cộng, như dòng {totals[0]}: bỏ",
                f"{len(totals)} rows of totals, such as row {totals[0]}: passed over",
            )
        )
    if sections:
        skipped.append(SECTIONS)
        told.append(
            Evidence(
                f"{len(sections)} dòng chỉ ghi tên nhóm, như dòng {sections[0]}: bỏ",
                f"{len(sections)} rows that only name a group, such as row {sections[0]}: passed over",
            )
        )
    if skipped:
        options["skip_when"] = "|".join(skipped)
    below = [n for n in range(last + 1, len(rows) + 1) if filled[n - 1] and n not in totals]
    if below:
        opening = next(cell for cell in rows[below[0] - 1] if cell)
        options["stop_when"] = FOOTERS if re.match(FOOTERS, opening) else f"{FOOTERS}|{re.escape(opening[:40])}"
        told.append(
            Evidence(f"Từ dòng {below[0]} là ghi chú, chữ ký: bỏ", f"From row {below[0]} on there are notes and signatures: left out")
        )


def _is_data(row: Sequence[str], filled: int, usual: int) -> bool:
    if filled < 2 or 2 * filled < usual or _is(TOTALS, row):
        return False
    return 2 * filled > usual or not _is(FOOTERS, row)


def _is(pattern: str, row: Sequence[str]) -> bool:
    opening = next((cell for cell in row if cell), "")
    return re.match(pattern, opening) is not None
