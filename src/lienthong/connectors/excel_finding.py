"""Where the table stands on a sheet an office printed: title rows above it, headings over one row or several, the first row of data.

It looks at the cells alone, as a person would: headings are the words right above the first row that looks like data.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from lienthong.connectors.excel_cells import Cells

LOOKED_AT = 80  # rows
MOST_HEADING_ROWS = 5
_NUMBERISH = re.compile(r"^[^a-zà-ỹđ]*\d[^a-zà-ỹđ]*$", re.IGNORECASE)
_YEAR = re.compile(r"^(?:năm\s*)?(?:19|20)\d{2}\W*$", re.IGNORECASE)
_CODE = re.compile(r"^(?=.*\d)[A-Z0-9Đ./_-]{3,}$")
_COUNTED = re.compile(r"^\(?\s*(\d{1,3})\s*(?:=.*)?\)?$")
_LETTER = re.compile(r"^\(?[A-ZĐ]\)?$")
Row = Sequence[str | None]


@dataclass(frozen=True)
class Found:
    """Excel's row numbers, from 1."""

    header_rows: tuple[int, ...]
    first_row: int


def find_headings(cells: Cells, after: int = 0) -> Found | None:
    """The headings of the first table below Excel row `after`; None where nothing looks like one."""
    rows = [
        (number + 1 + cells.first_row, row) for number, row in enumerate(cells.rows(LOOKED_AT + after)) if number + cells.first_row >= after
    ]
    if not rows:
        return None
    widest = max(len(_filled(row)) for _, row in rows)
    if widest == 0:
        return None
    needed = max(1 if widest == 1 else 2, (widest + 1) // 2)
    data = next((place for place, (_, row) in enumerate(rows) if place and _looks_like_data(row, needed)), None)
    if data is None:  # words only, or headings alone
        bottom = next(place for place, (_, row) in enumerate(rows) if len(_filled(row)) == widest)
        return _with_rows_above(rows, bottom, _filled(rows[bottom][1]), bottom + 1)
    bottom = data - 1
    while bottom >= 0 and (not _filled(rows[bottom][1]) or is_numbering(rows[bottom][1])):
        bottom -= 1
    if bottom < 0:
        return None
    sections = bottom
    while sections > 0 and _heads_a_section(rows[sections][1], rows[sections - 1][1]):
        sections -= 1
    if sections < bottom:
        bottom, data = sections, sections + 1
    below = {place for _, row in rows[data : data + 20] for place in _filled(row)} & {
        place for _, row in rows[: data + 1] for place in _filled(row)
    }
    return _with_rows_above(rows, bottom, sorted(below), data)


def is_numbering(row: Row) -> bool:
    """Whether a row only numbers the columns: `A B 1 2 3`, `(1) (2) (3)`."""
    values = [(row[place] or "").strip() for place in _filled(row)]
    letters = 0
    while letters < len(values) and _LETTER.match(values[letters]):
        letters += 1
    numbers = [int(found[1]) if (found := _COUNTED.match(value)) else -1 for value in values[letters:]]
    return (
        len(values) >= 3
        and len(numbers) >= 2
        and all(later == earlier + 1 for earlier, later in pairwise(numbers))
        and numbers[0] in (1, letters + 1)
    )


def _with_rows_above(rows: Sequence[tuple[int, Row]], bottom: int, columns: Sequence[int], data: int) -> Found:
    """Heading rows from the bottom one up, until every column of data has a heading of its own."""
    top = bottom
    while top > 0 and bottom - top + 1 < MOST_HEADING_ROWS and not _is_covered([row for _, row in rows[top : bottom + 1]], columns):
        above = rows[top - 1][1]
        if not _filled(above) or len(_filled(above)) < 2:
            break
        top -= 1
    first_row = rows[data][0] if data < len(rows) else rows[bottom][0] + 1
    return Found(tuple(number for number, row in rows[top : bottom + 1] if _filled(row)), first_row)


def _heads_a_section(row: Row, above: Row) -> bool:
    """Whether a row of few words under headings that are whole without it is no heading, but heads the rows that follow."""
    filled = _filled(row)
    return (
        len(filled) <= 2
        and len(_filled(above)) > max(2, len(filled))
        and set(filled) <= set(_filled(above))
        and len(_filled(above)) == max(_filled(above)) + 1
    )


def _is_covered(rows: Sequence[Row], columns: Sequence[int]) -> bool:
    names = [tuple((row[place] or "").strip() if place < len(row) else "" for row in rows) for place in columns]
    return all(any(name) for name in names) and len(set(names)) == len(names)


def _looks_like_data(row: Row, needed: int) -> bool:
    filled = [(row[place] or "").strip() for place in _filled(row)]
    if len(filled) < needed or is_numbering(row):
        return False
    telling = [value for value in filled if (_NUMBERISH.match(value) or _CODE.match(value)) and not _YEAR.match(value)]
    return bool(telling)


def _filled(row: Row) -> list[int]:
    return [place for place, value in enumerate(row) if value is not None and value.strip()]
