"""Where records begin and end in delimited text, and on which line: the part a CSV parser does not tell.

Works on bytes of any encoding that keeps ASCII where it is. A quoted field may hold line ends. A quote that never closes does not
swallow the file: after MAX_RECORD_BYTES or MAX_RECORD_LINES, or at the end, its line is handed over as unclosed and reading goes on
with the next line.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MAX_RECORD_LINES = 1_000
MAX_RECORD_BYTES = 4 * 1024 * 1024
_EMPTY = np.empty(0, np.int64)


@dataclass(frozen=True)
class Marks:
    r"""The single bytes that mean something: line end (`\n`, or `\r` of old Macintoshes), delimiter, quote (empty: none)."""

    line_end: bytes
    delimiter: bytes
    quote: bytes


@dataclass(frozen=True)
class Records:
    """Records of one block. `starts`, `ends` are byte places (the end past the line end), `lines` line numbers from 0 within the block.

    `unclosed` marks records whose quote never closes. `used` bytes of the block are covered, `line_count` lines; the rest wants more.
    Blank lines are no records.
    """

    starts: NDArray[np.int64]
    ends: NDArray[np.int64]
    lines: NDArray[np.int64]
    unclosed: NDArray[np.bool_]
    used: int
    line_count: int


def split_records(block: bytes, marks: Marks, *, at_end: bool, careful: bool = False) -> Records:
    """The whole records of a block; `at_end` says that nothing follows it.

    Lines whose quotes are even in number are taken to be whole; `careful` looks into each line that has a quote.
    """
    line_ends = _places(block, marks.line_end)
    if at_end and block and (len(line_ends) == 0 or line_ends[-1] != len(block) - 1):
        line_ends = np.append(line_ends, len(block) - 1)
    line_starts = np.concatenate([np.zeros(1, np.int64), line_ends[:-1] + 1]) if len(line_ends) else _EMPTY
    line_stops = line_ends + 1
    first, last, unclosed, whole = _joined(block, marks, line_starts, line_stops, at_end=at_end, careful=careful)
    if len(first) < whole or whole < len(line_ends):
        starts, ends, lines = line_starts[first], line_stops[last], first
    else:
        starts, ends, lines = line_starts, line_stops, np.arange(len(line_starts), dtype=np.int64)
    filled = ~_blank(block, starts, ends)
    used = int(line_stops[whole - 1]) if whole else 0
    if filled.all():
        return Records(starts, ends, lines, unclosed, used, whole)
    return Records(starts[filled], ends[filled], lines[filled], unclosed[filled], used, whole)


def _joined(
    block: bytes, marks: Marks, starts: NDArray[np.int64], stops: NDArray[np.int64], *, at_end: bool, careful: bool
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_], int]:
    """(first line, last line, unclosed) of each record, and how many lines they cover."""
    count = len(starts)
    each = np.arange(count, dtype=np.int64)
    none_unclosed = np.zeros(count, np.bool_)
    if not marks.quote or count == 0 or marks.quote not in block:
        return each, each, none_unclosed, count
    quotes = np.diff(np.searchsorted(_places(block, marks.quote), np.concatenate([starts, stops[-1:]])))
    suspects = np.flatnonzero(quotes > 0 if careful else quotes % 2 == 1)
    keep = np.ones(count, np.bool_)  # lines that begin a record
    last = each.copy()
    unclosed = none_unclosed
    done = 0  # lines before this one are decided
    for line in suspects.tolist():
        if line < done or not _ends_inside(block[starts[line] : stops[line]], marks, inside=False):
            continue
        close = _closing_line(block, marks, starts, stops, quotes, line)
        if close is not None:
            keep[line + 1 : close + 1] = False
            last[line] = close
            done = close + 1
        elif not at_end and _may_still_close(block, starts, line, count):
            return each[:line][keep[:line]], last[:line][keep[:line]], unclosed[:line][keep[:line]], line
        else:
            unclosed[line] = True
            done = line + 1
    return each[keep], last[keep], unclosed[keep], count


def _closing_line(
    block: bytes, marks: Marks, starts: NDArray[np.int64], stops: NDArray[np.int64], quotes: NDArray[np.int64], line: int
) -> int | None:
    for later in range(line + 1, min(len(starts), line + MAX_RECORD_LINES)):
        if stops[later] - starts[line] > MAX_RECORD_BYTES:
            return None
        if quotes[later] and not _ends_inside(block[starts[later] : stops[later]], marks, inside=True):
            return later
    return None


def _may_still_close(block: bytes, starts: NDArray[np.int64], line: int, count: int) -> bool:
    return count - line < MAX_RECORD_LINES and len(block) - int(starts[line]) <= MAX_RECORD_BYTES


def _ends_inside(text: bytes, marks: Marks, *, inside: bool) -> bool:
    """Whether a line that begins inside a quoted field or not ends inside one. A quote opens only where a field begins."""
    place, size = 0, len(text)
    while place < size:
        if inside:
            place = text.find(marks.quote, place)
            if place < 0:
                return True
            if text[place + 1 : place + 2] == marks.quote:
                place += 2
                continue
            inside = False
        elif text[place : place + 1] == marks.quote:
            inside = True
            place += 1
            continue
        place = text.find(marks.delimiter, place)
        if place < 0:
            return False
        place += 1
    return inside


def _blank(block: bytes, starts: NDArray[np.int64], ends: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Records that hold nothing but a line end."""
    short = np.flatnonzero(ends - starts <= 2)
    blank = np.zeros(len(starts), np.bool_)
    for place in short.tolist():
        blank[place] = not block[starts[place] : ends[place]].strip(b"\r\n")
    return blank


def _places(block: bytes, mark: bytes) -> NDArray[np.int64]:
    return np.flatnonzero(np.frombuffer(block, np.uint8) == mark[0])


def texts(block: bytes, records: Records, wanted: Sequence[int]) -> list[bytes]:
    """The bytes of some records, without their line ends."""
    return [block[records.starts[n] : records.ends[n]].rstrip(b"\r\n") for n in wanted]
