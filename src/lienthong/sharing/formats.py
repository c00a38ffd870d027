"""Whole answers as files: CSV for people, Arrow and Parquet for programs; written as they are read, in flat memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from lienthong.sharing.workbook import XLSX, JsonRows, Workbook

if TYPE_CHECKING:
    import pyarrow as pa

JSON = "application/json"
CSV = "text/csv"
ARROW = "application/vnd.apache.arrow.stream"
PARQUET = "application/vnd.apache.parquet"
SUFFIXES = {CSV: "csv", ARROW: "arrows", PARQUET: "parquet", XLSX: "xlsx", JSON: "json"}
FORMATS = (JSON, CSV, ARROW, PARQUET)
BOM = b"\xef\xbb\xbf"
FORMULA_START = "=+-@\t\r"  # what begins what a spreadsheet would take for a formula
FORMULA = r"^[=+\-@\t\r]"
CHUNK_BYTES = 1 << 20
SAMPLE = 8_192  # rows a column is judged by
MOST_DIFFERENT = 4  # one in so many values may be a new one, for a dictionary to pay

Mask = Callable[[Any], str | None]


def negotiate(accept: str | None) -> str | None:
    """The format a client prefers among ours; None when it takes none of them. Ties go to the order of FORMATS."""
    if accept is None or not accept.strip():
        return JSON
    ranges = [_range(part) for part in accept.split(",") if part.strip()]
    best: tuple[float, str] | None = None
    for name in FORMATS:
        quality = _quality(name, ranges)
        if quality > 0 and (best is None or quality > best[0]):
            best = (quality, name)
    return None if best is None else best[1]


def _range(part: str) -> tuple[str, float]:
    name, *parameters = [piece.strip().lower() for piece in part.split(";")]
    for parameter in parameters:
        key, _, text = parameter.partition("=")
        if key.strip() == "q":
            try:
                return name, min(max(float(text), 0.0), 1.0)
            except ValueError:
                return name, 0.0
    return name, 1.0


def _quality(name: str, ranges: list[tuple[str, float]]) -> float:
    """What the most specific range that covers a format says of it."""
    for pattern in (name, name.partition("/")[0] + "/*", "*/*"):
        found = [quality for asked, quality in ranges if asked == pattern]
        if found:
            return max(found)
    return 0.0


class _Writer(Protocol):
    def write_batch(self, batch: pa.RecordBatch) -> None: ...

    def close(self) -> None: ...


class Sink:
    """A file that is only written: what gathers is taken away piece by piece."""

    closed = False

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._size = 0
        self._position = 0

    def write(self, data: Any) -> int:
        part = bytes(data)
        self._parts.append(part)
        self._size += len(part)
        self._position += len(part)
        return len(part)

    def take(self, at_least: int = 0) -> bytes:
        if self._size < at_least or not self._parts:
            return b""
        taken = b"".join(self._parts)
        self._parts, self._size = [], 0
        return taken

    def tell(self) -> int:
        return self._position

    def flush(self) -> None:
        """Nothing is held back."""

    def close(self) -> None:
        """What gathered is still there to be taken."""

    def readable(self) -> bool:
        return False

    def writable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return False


@dataclass
class Tally:
    """How much has been written so far."""

    rows: int = 0


def write_stream(
    name: str, batches: Iterable[pa.RecordBatch], masks: Mapping[str, Mask], tally: Tally, *, with_bom: bool = False
) -> Iterator[bytes]:
    """Record batches as the bytes of a file, in pieces. An answer of no rows still has its columns."""
    import pyarrow as pa  # noqa: PLC0415 # as in _open

    sink = Sink()
    file = pa.PythonFile(sink, mode="w")
    writer: _Writer | None = None
    if name == CSV and with_bom:
        sink.write(BOM)
    for batch in batches:
        tally.rows += batch.num_rows
        hidden = masked(batch, masks)
        if name == CSV:
            hidden = _without_formulas(hidden)
        if writer is None:
            writer = _open(name, file, hidden)
        if batch.num_rows or name != PARQUET:
            writer.write_batch(hidden)
        piece = sink.take(CHUNK_BYTES)
        if piece:
            yield piece
    if writer is not None:
        writer.close()
    file.flush()
    piece = sink.take()
    if piece:
        yield piece


def _open(name: str, file: pa.PythonFile, first: pa.RecordBatch) -> _Writer:
    import pyarrow as pa  # noqa: PLC0415 # loaded when a file is asked for: the server starts without it
    from pyarrow import csv  # noqa: PLC0415 # as above

    schema = first.schema
    if name == PARQUET:
        writer: _Writer = parquet_writer(file, first)
    elif name == XLSX:
        writer = Workbook(file.write, schema)
    elif name == JSON:
        writer = JsonRows(file.write, schema)
    elif name == ARROW:
        writer = pa.ipc.new_stream(file, schema)
    else:
        writer = csv.CSVWriter(file, schema, write_options=csv.WriteOptions(quoting_style="needed"))
    return writer


def parquet_writer(file: Any, first: pa.RecordBatch | pa.Table) -> Any:
    """A writer for rows like the first of them: a dictionary is kept for columns whose values come again, for others it takes time and room.

    Measured on a million rows: a third of the time and half the bytes of dictionaries everywhere. Equal first rows make equal files.
    """
    from pyarrow import parquet  # noqa: PLC0415 # as in _open

    again = [field.name for field, column in zip(first.schema, first.columns, strict=True) if _comes_again(column)]
    return parquet.ParquetWriter(
        file, first.schema, compression="zstd", compression_level=1, write_statistics=True, use_dictionary=again or False
    )


def _comes_again(column: Any) -> bool:
    """Whether few of a column's first values are different."""
    from pyarrow import compute, types  # noqa: PLC0415 # as in _open

    sample = column.slice(0, SAMPLE)
    if len(sample) == 0 or types.is_nested(sample.type) or types.is_boolean(sample.type):
        return False
    return bool(compute.count_distinct(sample, mode="all").as_py() * MOST_DIFFERENT <= len(sample))


def masked(batch: pa.RecordBatch, masks: Mapping[str, Mask]) -> pa.RecordBatch:
    """The batch with masked columns as text, each distinct value masked once."""
    import pyarrow as pa  # noqa: PLC0415 # as in _open

    for name, mask in masks.items():
        place = batch.schema.get_field_index(name)
        if place < 0:
            continue
        coded = batch.column(place).dictionary_encode()
        hidden = pa.array([mask(value) for value in coded.dictionary.to_pylist()], pa.string())
        batch = batch.set_column(place, name, hidden.take(coded.indices))
    return batch


def _without_formulas(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Text a spreadsheet would run gets an apostrophe before it."""
    import pyarrow as pa  # noqa: PLC0415 # as in _open
    from pyarrow import compute  # noqa: PLC0415 # as in _open

    for place, field in enumerate(batch.schema):
        if not (pa.types.is_string(field.type) or pa.types.is_large_string(field.type)):
            continue
        column = batch.column(place)
        risky = compute.match_substring_regex(column, FORMULA)
        if compute.any(risky).as_py():
            safe = compute.binary_join_element_wise(pa.scalar("'", field.type), column, pa.scalar("", field.type))
            batch = batch.set_column(place, field, compute.if_else(risky, safe, column))
    return batch
