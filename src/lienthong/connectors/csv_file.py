"""Delimited text (CSV, TSV, `;`): block after block with flat memory, on exact lines, no row lost.

Records are found in the bytes as delivered, so a position is a byte place; only then are they decoded and parsed (pyarrow). A record
that is ragged, badly encoded or never closes its quote becomes a BrokenRow with its line number.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.csv as arrow_csv
from numpy.typing import NDArray

from lienthong.connectors.arrow_memory import to_arrow
from lienthong.connectors.base import Batch, BrokenRow, Position, ReadContext, SourceFile
from lienthong.connectors.broken import broken_row
from lienthong.connectors.csv_dialect import Dialect, checked_headings, find_delimiter, find_line_end, split_fields
from lienthong.connectors.csv_records import Marks, Records, split_records, texts
from lienthong.connectors.encodings import AS_BYTES, Encoding, find_encoding, find_in_samples, named_encoding
from lienthong.connectors.files import FoundFile, fingerprint_files, read_files
from lienthong.connectors.fonts import as_they_stood, reading_fonts, take_fonts
from lienthong.connectors.options import Options
from lienthong.connectors.state_secrets import refuse_stamped
from lienthong.contracts import Source
from lienthong.errors import HostileInputError, SourceError

HEAD_BYTES = 262_144
MAX_LINE_BYTES = 16 * 1024 * 1024
BLOCK_BYTES = (65_536, 16 * 1024 * 1024)  # least and most read at once
FOUND_ROW = -1
UTF8_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class CsvOptions:
    delimiter: str
    quote: str
    encoding: str
    header_row: int  # 1-based line of the headings; 0: there are none; -1: found
    columns: tuple[str, ...]

    @classmethod
    def take(cls, options: Options) -> CsvOptions:
        columns = options.texts("columns")
        taken = cls(
            delimiter=options.text("delimiter"),
            quote=options.text("quote", '"'),
            encoding=options.text("encoding"),
            header_row=_header_row(options, 0 if columns else 1),
            columns=columns,
        )
        options.close()
        if taken.header_row == 0 and not columns:
            raise options.required("columns")
        if len(taken.delimiter) > 1 or len(taken.quote) > 1:
            raise SourceError("Options `delimiter`, `quote`: cần một ký tự / expected one character each.")
        return taken


def _header_row(options: Options, default: int) -> int:
    found = options.numbers_or("header_row", "found", (default,))
    if found is None:
        return FOUND_ROW
    if len(found) != 1:
        raise SourceError("Option `header_row`: expected one line.")
    return found[0]


class CsvFile:
    """Connector `csv_file`."""

    reads_arriving = True

    def fingerprint(self, source: Source, context: ReadContext) -> str | None:
        return fingerprint_files(source, context)

    def read(self, source: Source, context: ReadContext, after: Position | None = None) -> Iterator[Batch]:
        given = Options.of(source, context)
        fonts = take_fonts(given)
        options = CsvOptions.take(given)

        def read_one(found: FoundFile, at: Mapping[str, Any] | None) -> Iterator[Batch]:
            return _read_file(found, options, context.batch_rows, at)

        return read_files(source, context, after, reading_fonts(read_one, fonts))


def _read_file(found: FoundFile, options: CsvOptions, batch_rows: int, at: Mapping[str, Any] | None) -> Iterator[Batch]:
    if found.file.size_bytes == 0:
        raise SourceError(f"`{found.file.uri}`: tệp rỗng / the file is empty (0 bytes).", hint="Ask the agency to deliver it again.")
    encoding = named_encoding(options.encoding) if options.encoding else _find_encoding(found)
    file = replace(found.file, encoding=encoding.name, encoding_confidence=encoding.confidence)
    with _as_bytes(found, encoding) as stream:
        yield from _CsvReader(file, stream, Encoding("utf-8") if encoding.is_wide else encoding, options, batch_rows).batches(at)


def read_csv_stream(
    file: SourceFile, stream: BinaryIO, options: CsvOptions, batch_rows: int, at: Mapping[str, Any] | None
) -> Iterator[Batch]:
    """Delimited UTF-8 text that another reader holds."""
    yield from _CsvReader(file, stream, Encoding("utf-8"), options, batch_rows).batches(at)


def _find_encoding(found: FoundFile) -> Encoding:
    return find_encoding(found.path) if found.arriving is None else find_in_samples(found.arriving.samples)


def _as_bytes(found: FoundFile, encoding: Encoding) -> BinaryIO:
    """The file's bytes; those of a wide encoding rewritten in UTF-8 beside, since ASCII must stand where it is."""
    if not encoding.is_wide:
        return found.path.open("rb") if found.arriving is None else found.arriving.open()
    path = found.path if found.arriving is None else found.arriving.finished()[0]
    rewritten = tempfile.TemporaryFile()  # noqa: SIM115 # the caller closes it
    try:
        with path.open(encoding=encoding.name, newline="") as text:
            writer = _Utf8Writer(rewritten)
            shutil.copyfileobj(text, writer, 1 << 20)
    except UnicodeError as error:
        rewritten.close()
        raise SourceError(f"`{path.name}`: không phải {encoding.name} / is not {encoding.name} throughout ({error}).") from error
    return rewritten


@dataclass(frozen=True)
class _Utf8Writer:
    stream: Any

    def write(self, text: str) -> int:
        return int(self.stream.write(text.encode()))


@dataclass(frozen=True)
class _Parsed:
    """Rows of one block: `ordinals` say which record each table row is; `broken` by record; `typed` as a batch has it."""

    table: pa.Table
    ordinals: NDArray[np.int64]
    broken: Mapping[int, BrokenRow]
    typed: Mapping[str, pa.ChunkedArray] = field(default_factory=dict)


class _CsvReader:
    def __init__(self, file: SourceFile, stream: BinaryIO, encoding: Encoding, options: CsvOptions, batch_rows: int) -> None:
        self._file = file
        self._stream = stream
        self._encoding = encoding
        self._batch_rows = batch_rows
        self._data_start, self._data_line = 0, 0
        self._begin(options)

    def _begin(self, options: CsvOptions) -> None:
        """Find dialect and headings in the first lines, and where the rows begin."""
        self._stream.seek(0)
        head = self._stream.read(HEAD_BYTES)
        mark = len(UTF8_MARK) if head.startswith(UTF8_MARK) else 0
        line_end = find_line_end(head)
        is_whole = len(head) < HEAD_BYTES
        quote = options.quote.encode()
        marks = Marks(line_end, b"\n", quote)
        lines = split_records(head[mark:], replace(marks, delimiter=(options.delimiter or ";").encode()), at_end=is_whole)
        shown = [self._encoding.decode_as_seen(text) for text in texts(head[mark:], lines, range(min(len(lines.starts), 200)))]
        placed = lines.lines[: len(shown)].tolist()
        if options.header_row == FOUND_ROW:
            options = replace(options, header_row=placed[_find_heading(shown, options)] + 1 if placed else 1)
        heading = next((place for place, line in enumerate(placed) if line + 1 >= options.header_row), None)
        sample = shown if options.header_row == 0 else shown[heading:] if heading is not None else []
        self._dialect = Dialect(line_end, options.delimiter or find_delimiter(sample, options.quote), options.quote)
        self._marks = Marks(line_end, self._dialect.delimiter.encode(), quote)
        self._data_start = mark
        names: tuple[str, ...] = options.columns
        if options.header_row:
            if heading is None:
                raise SourceError(
                    f"`{self._file.uri}` line {options.header_row}: không có dòng tiêu đề / no heading line; the file has {len(placed)} lines."
                )
            found = split_fields(shown[heading], self._dialect.delimiter, self._dialect.quote)
            headings = options.columns or checked_headings(found, f"`{self._file.uri}` line {placed[heading] + 1}")
            if options.columns and len(found) != len(options.columns):
                raise SourceError(f"`{self._file.uri}`: option `columns` names {len(options.columns)} columns, the file has {len(found)}.")
            above = (split_fields(line, self._dialect.delimiter, self._dialect.quote) for line in shown[:heading])
            refuse_stamped((text for fields in above for text in fields), f"`{self._file.uri}`")
            names = headings
            stop = int(lines.ends[heading])
            self._data_start = mark + stop
            self._data_line = head[mark : mark + stop].count(line_end)
        self._columns = names
        body = head[self._data_start :]
        per_row = len(body) / max(1, body.count(line_end))
        self._block_bytes = int(min(BLOCK_BYTES[1], max(BLOCK_BYTES[0], per_row * self._batch_rows * 0.95)))

    def batches(self, at: Mapping[str, Any] | None) -> Iterator[Batch]:
        offset, line, skip = (self._data_start, self._data_line, 0) if at is None else (at["offset"], at["line"], at["skip"])
        any_rows, at_end, size = False, False, self._block_bytes
        while not at_end:
            self._stream.seek(offset)  # what was left over is read again: it costs less than to put it before what follows
            block = self._stream.read(size)
            at_end = len(block) < size
            records = split_records(block, self._marks, at_end=at_end)
            if records.used == 0 and len(block) > MAX_LINE_BYTES:
                raise HostileInputError(f"`{self._file.uri}` line {line + 1}: dài hơn / longer than {MAX_LINE_BYTES >> 20} MiB.")
            count = len(records.starts)
            if count and int((records.ends - records.starts).max()) > MAX_LINE_BYTES:
                where = line + 1 + int(records.lines[(records.ends - records.starts).argmax()])
                raise HostileInputError(f"`{self._file.uri}` line {where}: dài hơn / longer than {MAX_LINE_BYTES >> 20} MiB.")
            next_place = {"offset": offset + records.used, "line": line + records.line_count, "skip": 0}
            if skip < count:
                parsed = self._parse(block[: records.used], records, line)
                for batch in self._slices(parsed, records, {"offset": offset, "line": line}, next_place, skip):
                    any_rows = True
                    yield batch
            skip = max(0, skip - count)
            offset, line = next_place["offset"], next_place["line"]
            size = self._block_bytes if records.used else size * 2  # a record longer than the block: look further
        if not any_rows:
            yield Batch(self._file, self._empty(), pa.array([], pa.int64()), {"offset": offset, "line": line, "skip": 0})

    def _slices(
        self, parsed: _Parsed, records: Records, place: Mapping[str, int], next_place: Mapping[str, int], skip: int
    ) -> Iterator[Batch]:
        """The block's records from `skip` on, at most `batch_rows` at a time."""
        count = len(records.starts)
        lines = records.lines + place["line"] + 1
        for start in range(skip, count, self._batch_rows):
            stop = min(start + self._batch_rows, count)
            low, high = np.searchsorted(parsed.ordinals, [start, stop])
            yield Batch(
                file=self._file,
                table=parsed.table.slice(low, high - low),
                source_rows=to_arrow(lines[parsed.ordinals[low:high]]),
                position=next_place if stop == count else {**place, "skip": stop},
                broken=tuple(row for ordinal, row in sorted(parsed.broken.items()) if start <= ordinal < stop),
                typed={name: cells.slice(low, high - low) for name, cells in parsed.typed.items()},
            )

    def _parse(self, block: bytes, records: Records, line: int) -> _Parsed:
        broken = self._refused(block, records, line)
        good = np.setdiff1d(np.arange(len(records.starts)), list(broken), assume_unique=True) if broken else None
        text = block if good is None else b"".join(block[records.starts[n] : records.ends[n]] for n in good.tolist())
        ordinals = np.arange(len(records.starts)) if good is None else good
        parsed = self._parse_text(text, ordinals, block, records, line, self._encoding)
        if not self._encoding.is_lossless(text):
            stood = self._parse_text(text, ordinals, block, records, line, AS_BYTES)
            if np.array_equal(stood.ordinals, parsed.ordinals):
                parsed = replace(parsed, typed=as_they_stood(stood.table, parsed.table))
        return replace(parsed, broken={**broken, **parsed.broken})

    def _parse_text(
        self, text: bytes, ordinals: NDArray[np.int64], block: bytes, records: Records, line: int, encoding: Encoding
    ) -> _Parsed:  # fmt: skip
        try:
            text = text if encoding.is_utf8 else encoding.decode(text).encode()
            parsed = self._parse_bulk(text, ordinals, block, records, line)
        except (UnicodeDecodeError, pa.ArrowInvalid):
            parsed = None
        return parsed if parsed is not None else self._parse_one_by_one(block, records, ordinals, line, encoding)

    def _refused(self, block: bytes, records: Records, line: int) -> dict[int, BrokenRow]:
        """Records no parser need see: unclosed quotes, NUL bytes."""
        codes = dict.fromkeys(np.flatnonzero(records.unclosed).tolist(), "row.quote")
        if b"\0" in block:
            nul = np.flatnonzero(np.frombuffer(block, np.uint8) == 0)
            for ordinal in np.unique(np.searchsorted(records.ends, nul, side="right")).tolist():
                codes[ordinal] = "row.nul"
        return {n: self._broken(block, records, n, line, code) for n, code in codes.items() if n < len(records.starts)}

    def _broken(
        self, block: bytes, records: Records, ordinal: int, line: int, code: str, expected: object = "", found: object = ""
    ) -> BrokenRow:
        shown = self._encoding.decode_as_seen(texts(block, records, [ordinal])[0])
        return broken_row(int(records.lines[ordinal]) + line + 1, shown, code, expected, found)

    def _parse_bulk(self, text: bytes, ordinals: NDArray[np.int64], block: bytes, records: Records, line: int) -> _Parsed | None:
        """All records at once; None when the parser saw other records than we did."""
        ragged: list[arrow_csv.InvalidRow] = []

        def set_aside(row: arrow_csv.InvalidRow) -> str:
            ragged.append(row)
            return "skip"

        if not text:
            return _Parsed(self._empty(), ordinals, {})
        quote = self._dialect.quote if self._dialect.quote and self._dialect.quote.encode() in text else ""
        _check_utf8(text)  # before the parser meets it: pyarrow cannot hand over a ragged row that is not UTF-8
        table = arrow_csv.read_csv(
            pa.BufferReader(text),
            arrow_csv.ReadOptions(use_threads=False, column_names=self._columns, block_size=len(text) + 1),
            arrow_csv.ParseOptions(
                delimiter=self._dialect.delimiter,
                quote_char=quote or False,
                newlines_in_values=bool(quote),  # without a quote a record is a line; looking for more costs a third of the parsing
                invalid_row_handler=set_aside,
            ),
            arrow_csv.ConvertOptions(column_types=dict.fromkeys(self._columns, pa.string()), strings_can_be_null=False, check_utf8=False),
        )
        if table.num_rows + len(ragged) != len(ordinals):
            return None
        places = [row.number - 1 for row in ragged]
        broken = {
            n: self._broken(block, records, n, line, "row.columns", row.expected_columns, row.actual_columns)
            for n, row in zip(ordinals[places].tolist(), ragged, strict=True)
        }
        return _Parsed(table, np.delete(ordinals, places) if places else ordinals, broken)

    def _parse_one_by_one(self, block: bytes, records: Records, ordinals: NDArray[np.int64], line: int, encoding: Encoding) -> _Parsed:
        """Slow and sure: each record on its own, for a block where one of them is badly written."""
        rows: list[list[str]] = []
        kept: list[int] = []
        broken: dict[int, BrokenRow] = {}
        for ordinal, raw in zip(ordinals.tolist(), texts(block, records, ordinals.tolist()), strict=True):
            try:
                fields = split_fields(encoding.decode(raw), self._dialect.delimiter, self._dialect.quote)
            except UnicodeDecodeError:
                broken[ordinal] = self._broken(block, records, ordinal, line, "row.encoding", self._encoding.name)
                continue
            if len(fields) != len(self._columns):
                broken[ordinal] = self._broken(block, records, ordinal, line, "row.columns", len(self._columns), len(fields))
                continue
            rows.append(fields)
            kept.append(ordinal)
        columns = {name: pa.array([row[place] for row in rows], pa.string()) for place, name in enumerate(self._columns)}
        return _Parsed(pa.table(columns), np.array(kept, np.int64), broken)

    def _empty(self) -> pa.Table:
        return pa.table({name: pa.array([], pa.string()) for name in self._columns})


def _find_heading(shown: Sequence[str], options: CsvOptions) -> int:
    """The place of the headings among the first records: the first with as many fields as most records have."""
    body = shown[len(shown) // 3 :]  # title lines stand above
    delimiter = options.delimiter or find_delimiter(body, options.quote)
    widths = [len(split_fields(line, delimiter, options.quote)) for line in shown]
    usual = max(set(widths[len(shown) // 3 :]), key=widths.count)
    return next(place for place, line in enumerate(shown) if widths[place] == usual and all(split_fields(line, delimiter, options.quote)))


def _check_utf8(text: bytes) -> None:
    """Raises pyarrow.ArrowInvalid unless `text` is UTF-8; several times quicker than decoding it."""
    places = pa.py_buffer(np.array([0, len(text)], np.int32))
    pa.Array.from_buffers(pa.binary(), 1, [None, places, pa.py_buffer(text)]).cast(pa.string())
