"""dBase, FoxPro and Clipper tables (.dbf), read record block by record block; the character set found from the bytes.

Deleted records (marked `*`) are not rows; record numbers keep counting them, so a person finds the row again. Memo fields live in
another file beside; without it they are refused by name.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from lienthong.connectors.base import Batch, BrokenRow, Position, ReadContext, SourceFile
from lienthong.connectors.broken import broken_row
from lienthong.connectors.csv_dialect import checked_headings
from lienthong.connectors.dbf_memo import LostMemo, Memo, open_memo
from lienthong.connectors.encodings import AS_BYTES, Encoding, named_encoding
from lienthong.connectors.files import FoundFile, fingerprint_files, read_files
from lienthong.connectors.fonts import as_they_stood, reading_fonts, take_fonts
from lienthong.connectors.options import Options
from lienthong.contracts import Source
from lienthong.errors import SourceError
from lienthong.log import get_logger
from lienthong.standards import detect_encoding

# First byte of files we know: dBase III, IV, FoxBASE, Visual FoxPro, and the same with a memo file beside.
VERSIONS = frozenset({0x02, 0x03, 0x30, 0x31, 0x32, 0x43, 0x83, 0x8B, 0x8E, 0xCB, 0xF5, 0xFB})
MEMO = "M"
KNOWN_KINDS = frozenset("CNFDLIYTB0M")
SAMPLE_RECORDS = 20_000
MOST_TEXT = 2**31 - 1  # bytes of one Arrow column of text
JULIAN_OF_YEAR_1 = 1_721_425  # Julian day number of 0001-01-01, proleptic Gregorian
Bytes = NDArray[np.uint8]

log = get_logger("connectors")


@dataclass(frozen=True)
class Field:
    name: str
    kind: str
    start: int  # within the record, after its deletion mark
    length: int


@dataclass(frozen=True)
class Header:
    records: int
    data_start: int
    record_length: int
    fields: tuple[Field, ...]


class DbfFile:
    """Connector `dbf_file`. Options: `encoding`, `drop_columns`, `fonts`."""

    def fingerprint(self, source: Source, context: ReadContext) -> str | None:
        return fingerprint_files(source, context)

    def read(self, source: Source, context: ReadContext, after: Position | None = None) -> Iterator[Batch]:
        options = Options.of(source, context)
        encoding, dropped, fonts = options.text("encoding"), options.texts("drop_columns"), take_fonts(options)
        options.close()

        def read_one(found: FoundFile, at: Mapping[str, Any] | None) -> Iterator[Batch]:
            return read_dbf(found, encoding, dropped, context.batch_rows, 0 if at is None else int(at["record"]))

        return read_files(source, context, after, reading_fonts(read_one, fonts))


def read_header(stream: BinaryIO, name: str, size: int) -> Header:
    """Fields and counts. Raises SourceError when the file is no DBF, has an unknown field, or is shorter or longer than it says."""
    head = stream.read(32)
    if len(head) < 32 or head[0] not in VERSIONS:
        raise SourceError(f"`{name}`: không phải tệp DBF / is not a DBF file of a known version (dBase III/IV, FoxPro).")
    records, data_start, record_length = struct.unpack("<IHH", head[4:12])
    raw = stream.read(max(0, data_start - 32))
    if data_start < 33 or len(raw) < data_start - 32 or record_length < 1:
        raise SourceError(f"`{name}`: phần đầu tệp bị cắt / the header is cut off: expected {data_start} bytes, found {32 + len(raw)}.")
    held = (size - data_start) // record_length
    if held != records:
        raise SourceError(
            f"`{name}`: tệp khai {records} bản ghi, tìm thấy {held} / the header says {records} records, found {held}.",
            hint="The copy was cut off or the file was open elsewhere: ask for it again.",
        )
    return Header(records, data_start, record_length, _fields(raw, record_length, name))


def _fields(raw: bytes, record_length: int, name: str) -> tuple[Field, ...]:
    found: list[Field] = []
    start = 1
    for place in range(0, len(raw) - 31, 32):
        entry = raw[place : place + 32]
        if entry[0] == 0x0D:
            break
        label = entry[:11].split(b"\0")[0].decode("latin-1").strip()
        kind, length = chr(entry[11]), entry[16]
        if kind == "C":
            length += entry[17] << 8  # Clipper and FoxPro keep long texts so
        found.append(Field(label, kind, start, length))
        start += length
    if start != record_length or not found:
        raise SourceError(
            f"`{name}`: các cột dài {start} byte, bản ghi dài {record_length} / fields take {start} bytes, records {record_length}."
        )
    return tuple(found)


def _wanted(header: Header, dropped: Sequence[str], name: str, *, has_memo: bool) -> tuple[Field, ...]:
    fields = tuple(field for field in header.fields if field.kind != "0" and field.name not in dropped)
    for field in fields:
        if field.kind == MEMO and not has_memo:
            raise SourceError(
                f"`{name}`, cột/field `{field.name}`: thiếu tệp memo (.dbt, .fpt) / its memo file is missing.",
                hint="Deliver it beside, or name the field in the option `drop_columns`.",
            )
        if field.kind not in KNOWN_KINDS:
            raise SourceError(
                f"`{name}`, cột/field `{field.name}`: kiểu `{field.kind}` chưa đọc được / its kind `{field.kind}` cannot be read.",
                hint="Export without it, or name it in the option `drop_columns`.",
            )
    checked_headings([field.name for field in fields], f"`{name}`")
    return fields


def read_dbf(found: FoundFile, encoding_name: str, dropped: Sequence[str], batch_rows: int, first: int) -> Iterator[Batch]:
    """The table's rows from record `first` on; positions are `{"record"}`."""
    memo = open_memo(found.path, found.file.uri)
    with found.path.open("rb") as stream, memo.stream if memo is not None else nullcontext():
        header = read_header(stream, found.file.uri, found.file.size_bytes)
        fields = _wanted(header, dropped, found.file.uri, has_memo=memo is not None)
        encoding = named_encoding(encoding_name) if encoding_name else _find_encoding(stream, header, fields)
        file = replace(found.file, encoding=encoding.name, encoding_confidence=encoding.confidence)
        deleted, record, any_batch = 0, first, False
        while record < header.records or not any_batch:
            count = max(0, min(batch_rows, header.records - record))
            block = _block(stream, header, record, count)
            kept = np.flatnonzero(block[:, 0] != ord("*")) if count else np.empty(0, np.int64)
            deleted += count - len(kept)
            yield _batch(_Table(file, fields, encoding, memo), block[kept], kept + record + 1, {"record": record + count})
            record, any_batch = record + count, True
    if deleted:
        log.info("dbf_deleted_records_skipped", file=found.path.name, records=deleted)


@dataclass(frozen=True)
class _Table:
    file: SourceFile
    fields: Sequence[Field]
    encoding: Encoding
    memo: Memo | None


def _block(stream: BinaryIO, header: Header, record: int, count: int) -> Bytes:
    stream.seek(header.data_start + record * header.record_length)
    raw = stream.read(count * header.record_length)
    return np.frombuffer(raw, np.uint8).reshape(count, header.record_length)


def _find_encoding(stream: BinaryIO, header: Header, fields: Sequence[Field]) -> Encoding:
    """Judged from the text fields only; numbers and dates say nothing."""
    block = _block(stream, header, 0, min(SAMPLE_RECORDS, header.records))
    samples = [_joined(block[:, field.start : field.start + field.length], ord("\n")) for field in fields if field.kind == "C"]
    name, confidence = detect_encoding([sample for sample in samples if sample.strip()] or [b""])
    return Encoding(name, confidence)


def _batch(table: _Table, block: Bytes, numbers: NDArray[np.int64], position: Position) -> Batch:
    try:
        read = pa.table({field.name: _column(field, block, table) for field in table.fields})
    except (UnicodeDecodeError, LostMemo):
        bad = np.array([_fault(row, table) for row in block], object)
        is_bad = bad != ""
        broken = tuple(
            _unreadable(row, number, code, table.encoding)
            for row, number, code in zip(block[is_bad], numbers[is_bad].tolist(), bad[is_bad].tolist(), strict=True)
        )
        whole = _batch(table, block[~is_bad], numbers[~is_bad], position)
        return replace(whole, broken=broken)
    return Batch(table.file, read, pa.array(numbers, pa.int64()), position, typed=_typed(table, block, read))


def _typed(table: _Table, block: Bytes, read: pa.Table) -> Mapping[str, pa.ChunkedArray]:
    """Texts byte for byte, of the columns whose letters do not tell their bytes (VNI writes some in two ways)."""
    as_bytes = replace(table, encoding=AS_BYTES)
    doubtful = [
        field for field in table.fields if field.kind in ("C", MEMO) and not table.encoding.is_lossless(_bytes(field, block, table))
    ]
    return as_they_stood(pa.table({field.name: _column(field, block, as_bytes) for field in doubtful}), read)


def _bytes(field: Field, block: Bytes, table: _Table) -> bytes:
    values = block[:, field.start : field.start + field.length]
    if field.kind == MEMO:
        return b"\n".join((table.memo.text(value.tobytes()) or b"") if table.memo is not None else b"" for value in values)
    return _joined(values, ord("\n"))


def _fault(row: Bytes, table: _Table) -> str:
    """The code of what is wrong with a record, empty when nothing is."""
    try:
        for field in table.fields:
            if field.kind in ("C", MEMO):
                _column(field, row.reshape(1, -1), table)
    except UnicodeDecodeError:
        return "row.encoding"
    except LostMemo:
        return "row.memo"
    return ""


def _unreadable(row: Bytes, number: int, code: str, encoding: Encoding) -> BrokenRow:
    return broken_row(number, encoding.decode_as_seen(row[1:].tobytes()), code, encoding.name)


def _column(field: Field, block: Bytes, table: _Table) -> pa.Array:
    values = block[:, field.start : field.start + field.length]
    encoding = table.encoding
    if field.kind == MEMO and table.memo is not None:
        memos = [table.memo.text(value.tobytes()) for value in values]
        return pa.array([None if memo is None else encoding.decode(memo).replace("\0", "") for memo in memos], pa.string())
    if field.kind in _BINARY:
        return pa.array([_BINARY[field.kind](value.tobytes()) for value in values], pa.string())
    if len(values) == 0:
        return pa.array([], pa.string())
    if field.kind == "C":
        return pc.utf8_rtrim(_texts(values, encoding), characters=" ")
    text = pc.utf8_trim(_texts(values, Encoding("latin-1")), characters=" ")
    empty = pc.equal(text, "")
    if field.kind == "D":
        empty = pc.or_(empty, pc.equal(text, "00000000"))
        text = pc.replace_substring_regex(text, r"^(\d{4})(\d{2})(\d{2})$", r"\1-\2-\3")
    if field.kind == "L":
        empty = pc.or_(empty, pc.equal(text, "?"))
        text = pc.replace_substring_regex(pc.replace_substring_regex(text, "^[TtYy]$", "true"), "^[FfNn]$", "false")
    return pc.if_else(empty, pa.scalar(None, pa.string()), text)


def _texts(values: Bytes, encoding: Encoding) -> pa.Array:
    """Decoded in one piece and parted at NUL: a NUL inside a field is padding. Each text ends in the NUL behind it, as a space."""
    joined = _joined(values, 0) + b"\0"
    text = joined if joined.isascii() and _keeps_ascii(encoding) else encoding.decode(joined).encode()
    seen = np.frombuffer(text, np.uint8)
    ends = np.flatnonzero(seen == 0)
    if len(ends) != len(values) or len(text) > MOST_TEXT:
        return pa.array(text[:-1].decode().split("\0"), pa.string())
    offsets = np.zeros(len(values) + 1, np.int32)
    offsets[1:] = ends + 1
    spaced = np.where(seen == 0, np.uint8(ord(" ")), seen)
    return pa.Array.from_buffers(pa.string(), len(values), [None, pa.py_buffer(offsets), pa.py_buffer(spaced)])


@cache
def _keeps_ascii(encoding: Encoding) -> bool:
    """Whether ASCII means itself in an encoding."""
    ascii_bytes = bytes(range(128))
    try:
        return encoding.decode(ascii_bytes) == ascii_bytes.decode("ascii")
    except UnicodeDecodeError:
        return False


def _joined(values: Bytes, separator: int) -> bytes:
    count, length = values.shape
    table = np.full((count, length + 1), separator, np.uint8)
    table[:, :length] = np.where(values == 0, ord(" "), values)
    return table.tobytes()[:-1]


def _currency(raw: bytes) -> str:
    whole, part = divmod(abs(amount := struct.unpack("<q", raw)[0]), 10_000)
    return f"{'-' if amount < 0 else ''}{whole}.{part:04d}"


def _instant(raw: bytes) -> str | None:
    day, milliseconds = struct.unpack("<ii", raw)
    if day < JULIAN_OF_YEAR_1:
        return None
    moment = datetime(1, 1, 1, tzinfo=UTC) + timedelta(days=day - JULIAN_OF_YEAR_1, milliseconds=milliseconds)
    return moment.replace(tzinfo=None).isoformat(timespec="seconds")


_BINARY: Mapping[str, Callable[[bytes], str | None]] = {
    "I": lambda raw: str(struct.unpack("<i", raw)[0]),
    "Y": _currency,
    "T": _instant,
    "B": lambda raw: repr(struct.unpack("<d", raw)[0]),
}


def describe(path: Path) -> Header:
    """The header of one file, for a person who writes its contract."""
    with path.open("rb") as stream:
        return read_header(stream, path.name, path.stat().st_size)
