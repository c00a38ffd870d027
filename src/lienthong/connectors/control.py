"""What a source says of itself, to be held against what arrived: how many rows, sums of numbers, hashes of files.

A table is asked in its own database, where it also hashes its rows; one that is read by a cursor up to where the next reading begins, for what
has grown since is still to come. A service that is read whole says its number of rows where the contract names it (`paging.total`). A file has a control file beside it, `<name>.control.json`: {"rows": 120, "sums": {"Số tiền": "1500000"},
"sha256": "…"}, each part as far as it is known. Other sources say nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import pyarrow as pa

from lienthong.connectors.base import Position, ReadContext
from lienthong.connectors.files import find_files
from lienthong.connectors.http_json import HTTP_JSON, HTTP_XML
from lienthong.connectors.row_hash import Sums, sums_from
from lienthong.connectors.sql_database import TALKS
from lienthong.connectors.sql_hashing import HashStatements, row_digests
from lienthong.connectors.sql_options import SqlOptions
from lienthong.connectors.sql_reading import back
from lienthong.connectors.sql_sources import NUMBERS, Described
from lienthong.contracts import Delivery, Source
from lienthong.errors import SourceError

ENDING = ".control.json"
LARGEST_CONTROL = 1_000_000
_SERVICES = {"http_json": HTTP_JSON, "http_xml": HTTP_XML}
CountBetween = Callable[[int, int], int]


BATCH_ROWS = 65_536


class RowHashes:
    """The hashes of a table's rows, made by its own database (`sums`, `rows`), and the same of what landed (`of_landed`)."""

    def __init__(self, talk: Any, statements: HashStatements) -> None:
        self._talk, self._statements = talk, statements

    def sums(self) -> Sums:
        """Of each bucket of keys: how many rows, and the parts of their hashes added up."""
        found: list[tuple[str, ...]] = []
        for table in self._talk.stream(self._statements.sums(), 6, BATCH_ROWS):
            found += zip(*table.to_pydict().values(), strict=True)
        return sums_from(found)

    def rows(self, buckets: Sequence[str]) -> Iterator[tuple[str, str, str]]:
        """(key's hash, row's hash, the key's own text) of the rows of some buckets."""
        width = 2 + len(self._statements.key)
        for table in self._talk.stream(self._statements.rows(buckets), width, BATCH_ROWS):
            for key, row, *values in zip(*table.to_pydict().values(), strict=True):
                yield key, row, "~".join(value or "" for value in values)

    def keys(self) -> Sequence[str]:
        """The hashes of all keys."""
        return [key for table in self._talk.stream(self._statements.keys(), 1, BATCH_ROWS) for key in table.column(0).to_pylist()]

    def of_landed(self, table: pa.Table) -> list[tuple[str, str]]:
        """(key's hash, row's hash) of each row, in order."""
        encoding = self._statements.hashing.encoding
        keys = row_digests(table, [column.name for column in self._statements.key], encoding)
        return list(zip(keys, row_digests(table, [column.name for column in self._statements.shown], encoding), strict=True))


@dataclass(frozen=True)
class Control:
    """`rows`: None where it is not said. `sums`: column → sum. `sha256`: file → hash. `key` and `count_between` (from, up to and without):
    of a table with one whole number as key, to find where rows are missing. `hashes`: of a table, to find which rows differ. `to_come`: hashes of the
    keys of rows that have grown since the last reading, and are in none of these.
    """

    rows: int | None
    sums: Mapping[str, Decimal] = field(default_factory=dict)
    sha256: Mapping[str, str] = field(default_factory=dict)
    key: str | None = None
    count_between: CountBetween | None = None
    hashes: RowHashes | None = None
    to_come: Sequence[str] = ()


@contextmanager
def control_of(source: Source, context: ReadContext, after: Position | None = None) -> Iterator[Control | None]:
    """What the source says of itself now; None where it says nothing. Raises SourceError for a control file that is not understood.

    `after`: where the last reading of a source of changes came to.
    """
    if source.connector == "sql_database":
        options = SqlOptions.take(source, context)
        options.check_hosts()
        with TALKS[options.kind](options) as talk:
            yield _of_table(talk, options, after)
    elif source.connector.endswith("_file") and "://" not in source.location:
        yield _of_files(find_files(source, context))
    elif source.connector in _SERVICES and source.delivery is Delivery.SNAPSHOT:
        total = _SERVICES[source.connector].total(source, context)
        yield None if total is None else Control(total)
    else:
        yield None


def _of_table(talk: Any, options: SqlOptions, after: Position | None) -> Control:
    described = {column.name: column for column in talk.described()}
    shown = options.columns or tuple(described)
    options, grown = _settled(talk, options, described, after) if options.cursor else (options, None)
    place = f"from {talk.origin()} _row where {f'({options.where})' if options.where else '1 = 1'}"
    quote = talk.dialect.quote
    sums = {}
    for name in shown:
        if described[name].kind in NUMBERS and name not in options.key:
            total = talk.one(f"select sum(_row.{quote(name)}) {place}")
            sums[name] = Decimal(total) if total is not None else Decimal()
    key = options.key[0] if len(options.key) == 1 and described[options.key[0]].kind == "number" else None

    def between(begins: int, until: int) -> int:
        column = f"_row.{quote(str(key))}"
        return int(talk.one(f"select count(*) {place} and {column} >= {int(begins)} and {column} < {int(until)}") or 0)

    columns, keys = [described[name] for name in shown], [described[name] for name in options.key]
    hashes = _hashes(talk, options, columns, keys)
    to_come = (
        () if grown is None or hashes is None else RowHashes(talk, HashStatements(talk.dialect, talk.origin(), columns, keys, grown)).keys()
    )
    return Control(int(talk.one(f"select count(*) {place}") or 0), sums, {}, key, between if key is not None else None, hashes, to_come)


def _settled(talk: Any, options: SqlOptions, described: Mapping[str, Described], after: Position | None) -> tuple[SqlOptions, str]:
    """(the table up to where the next reading by cursor begins, the condition of what is still to come)."""
    cursor, since = described[options.cursor], None if after is None else after.get("since")
    name = f"_row.{talk.dialect.quote(cursor.name)}"
    own = f"({options.where}) and " if options.where else ""
    if since is None:  # the table had no value of the cursor yet
        return replace(options, where=f"{own}{name} is null"), f"{own}{name} is not null"
    begins = talk.dialect.literal(cursor, back(str(since), cursor.kind, options.overlap))
    return replace(options, where=f"{own}({name} < {begins} or {name} is null)"), f"{own}{name} >= {begins}"


def _hashes(talk: Any, options: SqlOptions, shown: Sequence[Described], key: Sequence[Described]) -> RowHashes | None:
    statements = HashStatements(talk.dialect, talk.origin(), shown, key, options.where)
    hashed = [column for column in shown if column.kind not in statements.hashing.unhashed]
    if {column.name for column in key} - {column.name for column in hashed}:
        return None  # what did not land cannot be hashed here
    return RowHashes(talk, replace(statements, shown=hashed))


def _of_files(paths: Sequence[Path]) -> Control | None:
    told = [(path, control) for path in paths if not path.name.endswith(ENDING) and (control := Path(f"{path}{ENDING}")).is_file()]
    if not told:
        return None
    rows: int | None = 0
    sums: dict[str, Decimal] = {}
    hashes: dict[str, str] = {}
    for path, control in told:
        said = _read(control)
        rows = None if rows is None or said.get("rows") is None else rows + int(said["rows"])
        for name, total in said.get("sums", {}).items():
            sums[name] = sums.get(name, Decimal()) + _decimal(control, total)
        if said.get("sha256"):
            hashes[path.name] = str(said["sha256"]).lower()
    whole = len(told) == len([path for path in paths if not path.name.endswith(ENDING)])
    return Control(rows if whole else None, sums if whole else {}, hashes)


def _read(control: Path) -> dict[str, Any]:
    try:
        if control.stat().st_size > LARGEST_CONTROL:
            raise ValueError("too large")
        said = json.loads(control.read_text("utf-8"))
        if not isinstance(said, dict) or set(said) - {"rows", "sums", "sha256"} or not isinstance(said.get("sums", {}), dict):
            raise ValueError("unknown words")
        if said.get("rows") is not None and (isinstance(said["rows"], bool) or not isinstance(said["rows"], int)):
            raise ValueError("rows")
    except (OSError, ValueError, RecursionError) as error:
        raise SourceError(
            f"`{control.name}`: tệp kiểm soát không hiểu được / the control file is not understood.",
            hint='Expected {"rows": 120, "sums": {"column": "1500000"}, "sha256": "…"}.',
        ) from error
    return said


def _decimal(control: Path, total: Any) -> Decimal:
    try:
        return Decimal(str(total))
    except InvalidOperation as error:
        raise SourceError(f"`{control.name}`: tổng không phải số / a sum is no number.") from error
