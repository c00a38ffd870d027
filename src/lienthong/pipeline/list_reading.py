"""Reads a list that came without a contract: CSV, Excel or DBF by the connectors, JSON by hand; every cell as text, no row lost.

Where the headings stand is found by trying the first lines: offices print a title above their tables.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import polars as pl

from lienthong.connectors import BrokenRow, ReadContext, read
from lienthong.contracts import Source
from lienthong.errors import HostileInputError, SourceError

CONNECTORS = {
    ".csv": "csv_file", ".tsv": "csv_file", ".txt": "csv_file", ".xlsx": "excel_file", ".xlsm": "excel_file", ".xlsb": "excel_file",
    ".xls": "excel_file", ".ods": "excel_file", ".dbf": "dbf_file",
}  # fmt: skip
HEADING_LINES = 15  # lines tried for headings: printed titles are shorter
MOST_COLUMNS = 200
MOST_UNPACKED_BYTES = 256 * 1024 * 1024
_HEADED = ("csv_file", "excel_file")
Score = Callable[[Sequence[str]], int]


@dataclass(frozen=True)
class ReadList:
    """`frame`: the columns as they came, as texts, blank as null; `numbers`: the row numbers a person sees; `broken`: rows of no shape."""

    frame: pl.DataFrame
    numbers: tuple[int, ...]
    broken: tuple[BrokenRow, ...] = ()


def read_list(path: Path, score: Score, most_rows: int) -> ReadList:
    """The list in a file. `score` says how many of some headings are known: the line where most are is taken for the headings.

    Raises SourceError (HostileInputError for what only harms) naming file, place and what was expected.
    """
    if path.suffix.lower() == ".json":
        return _read_json(path, most_rows)
    connector = CONNECTORS.get(path.suffix.lower())
    if connector is None:
        raise SourceError(
            f"`{path.name}`: không đọc được loại tệp này / not a kind of file that is read here.",
            hint=f"Known: {', '.join(sorted(CONNECTORS))}, .json.",
        )
    line = _heading_line(path, connector, score) if connector in _HEADED else 1
    return _read(path, connector, line, most_rows)


def rows_as_list(rows: Sequence[Mapping[str, Any]], most_rows: int, name: str = "rows") -> ReadList:
    """The same of rows of JSON: heading → text, number, true, false or null. Raises SourceError."""
    if not rows or len(rows) > most_rows:
        raise SourceError(f"`{name}`: cần 1 đến {most_rows:,} hàng / expected 1 to {most_rows:,} rows, found {len(rows):,}.")
    headings: dict[str, None] = {}
    for number, row in enumerate(rows, 1):
        if not isinstance(row, Mapping):
            raise SourceError(f"`{name}`, hàng/row {number}: cần cột và giá trị / expected an object of heading and value.")
        for heading, value in row.items():
            if value is not None and not isinstance(value, str | int | float | bool):
                raise SourceError(f"`{name}`, hàng/row {number}, `{heading[:60]}`: cần chữ hoặc số / expected a text or a number.")
            headings[heading] = None
    _refuse_wide(name, len(headings))
    table = {heading: [_text(row.get(heading)) for row in rows] for heading in headings}
    return ReadList(_tidied(pl.DataFrame(table, schema=dict.fromkeys(headings, pl.String))), tuple(range(1, len(rows) + 1)))


def _read_json(path: Path, most_rows: int) -> ReadList:
    try:
        if path.stat().st_size > MOST_UNPACKED_BYTES:
            raise HostileInputError(f"`{path.name}`: quá lớn / more than {MOST_UNPACKED_BYTES:,} bytes.")
        found = msgspec.json.decode(path.read_bytes())
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, OSError) as error:
        raise SourceError(f"`{path.name}`: không phải JSON / is not JSON.") from error
    if isinstance(found, dict):
        found = next((found[name] for name in ("rows", "records", "data") if isinstance(found.get(name), list)), found)
    if not isinstance(found, list):
        raise SourceError(f"`{path.name}`: cần một danh sách các hàng / expected a list of rows.")
    return rows_as_list(found, most_rows, path.name)


def _heading_line(path: Path, connector: str, score: Score) -> int:
    best, best_line = -1, 0
    problem: SourceError | None = None
    for line in range(1, HEADING_LINES + 1):
        try:
            batch = next(iter(read(_source(path, connector, line), ReadContext(batch_rows=1))))
        except HostileInputError:
            raise
        except SourceError as error:
            problem = problem or error
            continue
        known = score(batch.table.column_names)
        if known > best:
            best, best_line = known, line
        if known and known == batch.table.num_columns:
            break
    if not best_line and problem is not None:
        raise problem
    return best_line


def _source(path: Path, connector: str, line: int) -> Source:
    options: dict[str, Any] = {}
    if connector == "csv_file":
        options = {"header_row": line}
    elif connector == "excel_file":
        options = {"header_rows": [line], "max_bytes": MOST_UNPACKED_BYTES}
    return Source("list", connector, str(path.resolve()), options=options)


def _read(path: Path, connector: str, line: int, most_rows: int) -> ReadList:
    frames: list[pl.DataFrame] = []
    numbers: list[int] = []
    broken: list[BrokenRow] = []
    for batch in read(_source(path, connector, line), ReadContext()):
        _refuse_wide(path.name, batch.table.num_columns)
        frames.append(pl.DataFrame(pl.from_arrow(batch.table)))
        numbers += batch.source_rows.to_pylist()
        broken += batch.broken
        if len(numbers) + len(broken) > most_rows:
            raise SourceError(
                f"`{path.name}`: quá nhiều hàng / more than {most_rows:,} rows.",
                hint="Split the list, or deliver it as a dataset under a contract.",
            )
    if not numbers and not broken:
        raise SourceError(f"`{path.name}`: có tiêu đề mà không có hàng nào / headings without a single row.")
    return ReadList(_tidied(pl.concat(frames).with_columns(pl.all().cast(pl.String))), tuple(numbers), tuple(broken))


def _refuse_wide(name: str, columns: int) -> None:
    if not 1 <= columns <= MOST_COLUMNS:
        raise SourceError(f"`{name}`: cần 1 đến {MOST_COLUMNS} cột / expected 1 to {MOST_COLUMNS} columns, found {columns}.")


def _tidied(frame: pl.DataFrame) -> pl.DataFrame:
    trimmed = frame.with_columns(pl.all().str.strip_chars())
    return trimmed.with_columns(pl.when(pl.all() != "").then(pl.all()))


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return msgspec.json.encode(value).decode()
