"""How one delimited file is written: line ends, delimiter, headings. Found from its first lines, or said by the contract."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from lienthong.errors import SourceError

DELIMITERS = (";", ",", "\t", "|")
SAMPLE_LINES = 50


def find_line_end(head: bytes) -> bytes:
    r"""`\n` (also of `\r\n`), or `\r` where a file has nothing else."""
    return b"\n" if b"\n" in head or b"\r" not in head else b"\r"


def find_delimiter(lines: Sequence[str], quote: str) -> str:
    """The delimiter that parts the heading and most lines after it into the same number of fields; `,` when there is only one column."""
    if not lines:
        return ","

    def score(delimiter: str) -> tuple[int, int]:
        counts = [len(split_fields(line, delimiter, quote)) for line in lines[:SAMPLE_LINES]]
        return (sum(count == counts[0] for count in counts) if counts[0] > 1 else 0, counts[0])

    best = max(DELIMITERS, key=score)
    return best if score(best)[0] else ","


def split_fields(record: str, delimiter: str, quote: str) -> list[str]:
    """The fields of one record. A quote means something only where a field begins; doubled inside, it is itself."""
    fields: list[str] = []
    place = 0
    while True:
        value = ""
        if quote and record.startswith(quote, place):
            value, place = _quoted(record, place + 1, quote)
        end = record.find(delimiter, place)
        if end < 0:
            return [*fields, value + record[place:]]
        fields.append(value + record[place:end])
        place = end + len(delimiter)


def _quoted(record: str, place: int, quote: str) -> tuple[str, int]:
    """(what stands between quotes, the place after the closing one)."""
    parts: list[str] = []
    while True:
        end = record.find(quote, place)
        if end < 0:
            return "".join([*parts, record[place:]]), len(record)
        parts.append(record[place:end])
        if not record.startswith(quote, end + 1):
            return "".join(parts), end + 1
        parts.append(quote)
        place = end + 2


@dataclass(frozen=True)
class Dialect:
    line_end: bytes
    delimiter: str
    quote: str


def checked_headings(names: Sequence[str], where: str) -> tuple[str, ...]:
    """Headings without outer spaces. Raises SourceError naming every one that is missing or there twice."""
    headings = tuple(" ".join(name.split()) for name in names)
    missing = [str(place) for place, name in enumerate(headings, 1) if not name]
    twice = sorted(name for name, times in Counter(headings).items() if name and times > 1)
    if missing:
        raise SourceError(
            f"{where}: cột {', '.join(missing)} không có tiêu đề / column {', '.join(missing)} has no heading.",
            hint="Name the column at the source, or give all names with the option `columns` and `header_row`.",
        )
    if twice:
        named = ", ".join(f"`{name}`" for name in twice)
        raise SourceError(f"{where}: tiêu đề lặp lại / headings given twice: {named}.", hint="Each column needs a name of its own.")
    return headings
