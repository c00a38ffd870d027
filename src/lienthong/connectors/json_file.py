"""JSON documents and JSON lines: items of an array, or lines, as rows; parts named by paths; numbers digit for digit as written.

Objects and arrays inside a row become compact JSON text. A member given twice breaks its row: which of both is meant nobody can say.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any, BinaryIO

import msgspec
import pyarrow as pa

from lienthong.connectors.base import Batch, BrokenRow, Position, ReadContext
from lienthong.connectors.broken import broken_row
from lienthong.connectors.encodings import as_utf8, find_encoding, named_encoding
from lienthong.connectors.files import FoundFile, fingerprint_files, read_files
from lienthong.connectors.json_records import MAX_ITEM_BYTES, SPACE, Item, array_start, items_of, members_of
from lienthong.connectors.json_values import INVALID, as_table, dig, items_in, objects_in, text_of
from lienthong.connectors.options import Options
from lienthong.contracts import Source
from lienthong.errors import HostileInputError, SourceError

UP = "../"
WHOLE = "."
BATCH_BYTES = 32 * 1024 * 1024  # of items held at once
Values = dict[str, str | None]


class JsonFile:
    """Connector `json_file`. Options: `items`, `each`, `fields`, `lines` (`found`, `yes`, `no`), `encoding`."""

    def fingerprint(self, source: Source, context: ReadContext) -> str | None:
        return fingerprint_files(source, context)

    def read(self, source: Source, context: ReadContext, after: Position | None = None) -> Iterator[Batch]:
        options = Options.of(source, context)
        fields = {name: _steps(path) for name, path in options.mapping("fields").items()}
        reader = _Reader(
            items=tuple(part for part in options.text("items").split(".") if part),
            each=tuple(part for part in options.text("each").split(".") if part),
            fields=fields,
            lines=options.choice("lines", ("found", "yes", "no"), "found"),
            encoding=options.text("encoding"),
            batch_rows=context.batch_rows,
            columns=list(fields) or (list(after["at"].get("columns", ())) if after is not None else []),
        )
        options.close()
        return read_files(source, context, after, reader.read)


@dataclass(frozen=True)
class _Steps:
    """A path of member names; `above`: from the item that holds the row, where `each` makes rows of its parts."""

    names: tuple[str, ...]
    above: bool


def _steps(path: str) -> _Steps:
    above = path.startswith(UP)
    rest = path.removeprefix(UP)
    return _Steps(() if rest == WHOLE else tuple(rest.split(".")), above)


@dataclass
class _Reader:
    items: tuple[str, ...]
    each: tuple[str, ...]
    fields: dict[str, _Steps]
    lines: str
    encoding: str
    batch_rows: int
    columns: list[str]  # of the first batch that has rows, kept for the next ones
    _by_line: bool = False

    def read(self, found: FoundFile, at: Mapping[str, Any] | None) -> Iterator[Batch]:
        name = found.file.uri
        if found.file.size_bytes == 0:
            raise SourceError(f"`{name}`: tệp rỗng / the file is empty (0 bytes).", hint="Ask the agency to deliver it again.")
        encoding = named_encoding(self.encoding) if self.encoding else find_encoding(found.path)
        found = replace(found, file=replace(found.file, encoding=encoding.name, encoding_confidence=encoding.confidence))
        with as_utf8(found.path, encoding) as stream:
            number, offset, skip = (0, -1, 0) if at is None else (int(at["item"]), int(at["offset"]), int(at["skip"]))
            items = self._items(stream, name, offset)
            yield from self._batches(found, items, number, offset, skip)

    def _batches(self, found: FoundFile, items: Iterator[Item], number: int, offset: int, skip: int) -> Iterator[Batch]:
        """Rows gathered to batches; an item whose rows were given in part is gone through again and `skip` of its rows passed over."""
        rows: list[tuple[int, Values | BrokenRow]] = []
        place, held, any_batch = (number, offset, skip), 0, False
        for item in items:
            before = number
            number += 1
            made = self._rows(item, number) if item.raw or not self._by_line else []
            for count, row in enumerate(islice(made, skip, None), skip + 1):
                rows.append((number, row))
                place = (before, offset, count)
                if len(rows) == self.batch_rows:
                    yield self._batch(found, rows, place)
                    rows, held, any_batch = [], 0, True
            offset, skip = item.end, 0
            place = (number, offset, 0)
            held += len(item.raw)
            if held > BATCH_BYTES and rows:
                yield self._batch(found, rows, place)
                rows, held, any_batch = [], 0, True
        if rows or not any_batch:
            yield self._batch(found, rows, place)

    def _batch(self, found: FoundFile, rows: Sequence[tuple[int, Values | BrokenRow]], place: tuple[int, int, int]) -> Batch:
        whole = [(number, row) for number, row in rows if isinstance(row, dict)]
        self._settle_columns([row for _, row in whole], found.file.uri)
        item, offset, skip = place
        return Batch(
            file=found.file,
            table=as_table([row for _, row in whole], self.columns),
            source_rows=pa.array([number for number, _ in whole], pa.int64()),
            position={"item": item, "offset": offset, "skip": skip, "columns": self.columns},
            broken=tuple(row for _, row in rows if isinstance(row, BrokenRow)),
        )

    def _items(self, stream: BinaryIO, name: str, offset: int) -> Iterator[Item]:
        if self.lines == "yes" or (self.lines == "found" and not self.items and _is_lines(stream)):
            self._by_line = True
            return _line_items(stream, max(offset, 0), name)
        self._by_line = False
        if offset >= 0:
            return items_of(stream, offset, name)
        stream.seek(0)
        if not self.items and not stream.read(4096).lstrip(b"\xef\xbb\xbf" + SPACE).startswith(b"["):
            return iter([_whole(stream, name)])
        return items_of(stream, array_start(stream, self.items, name), name)

    def _rows(self, item: Item, number: int) -> list[Values | BrokenRow]:
        """The rows of one item: itself, or what its `each` holds."""
        try:
            members = objects_in(item.raw)
            if item.members >= 0 and len(members) != item.members:
                return [_broken(number, item.raw, "row.repeated", "…", item.members - len(members) + 1)]
            if not self.each:
                return [self._values(members, {}, number, item.raw)]
            inner = dig(members, self.each)
            if inner is None or bytes(inner).strip() == b"null":
                return []
            return [self._values(objects_in(part), members, number, bytes(part)) for part in items_in(inner)]
        except INVALID:
            return [_broken(number, item.raw, "row.object")]

    def _values(self, members: Mapping[str, msgspec.Raw], above: Mapping[str, msgspec.Raw], number: int, raw: bytes) -> Values | BrokenRow:
        if self.fields:
            values = {
                column: text_of(dig(above if steps.above else members, steps.names)) if steps.names else text_of(msgspec.Raw(raw))
                for column, steps in self.fields.items()
            }
        else:
            values = {column: text_of(value) for column, value in members.items()}
        if any(value is not None and "\0" in value for value in values.values()):
            return _broken(number, raw, "row.nul")
        return values

    def _settle_columns(self, rows: Sequence[Values], name: str) -> None:
        """Columns are those of the first rows; later ones may lack some, but bring none of their own unsaid."""
        if self.fields:
            return
        found = list(dict.fromkeys(column for row in rows for column in row))
        if not self.columns:
            self.columns = found
        known = set(self.columns)
        new = [column for column in found if column not in known]
        if new:
            raise SourceError(
                f"`{name}`: thuộc tính mới / members the first rows have not: {', '.join(f'`{column}`' for column in new)}.",
                hint="Name all columns in the option `fields`.",
            )


def _broken(number: int, raw: bytes, code: str, expected: object = "", found: object = "") -> BrokenRow:
    return broken_row(number, raw.decode("utf-8", "backslashreplace"), code, expected, found)


def _is_lines(stream: BinaryIO) -> bool:
    """Whether the first line is an object of its own."""
    stream.seek(0)
    head = stream.read(1 << 20).lstrip(b"\xef\xbb\xbf" + SPACE)
    first, more = head.split(b"\n", 1) if b"\n" in head else (head, b"")
    if not first.startswith(b"{"):
        return False
    try:
        objects_in(first)
    except INVALID:
        return more.lstrip(SPACE).startswith(b"{")
    return True


def _line_items(stream: BinaryIO, offset: int, name: str) -> Iterator[Item]:
    stream.seek(offset)
    end = offset
    while line := stream.readline(MAX_ITEM_BYTES + 1):
        if len(line) > MAX_ITEM_BYTES:
            raise HostileInputError(f"`{name}`: một dòng dài hơn / a line near byte {end} is longer than {MAX_ITEM_BYTES >> 20} MiB.")
        end += len(line)
        raw = line.strip(b"\xef\xbb\xbf" + SPACE) if end == len(line) else line.strip(SPACE)
        yield Item(raw, end, members_of(raw))


def _whole(stream: BinaryIO, name: str) -> Item:
    stream.seek(0)
    raw = stream.read(MAX_ITEM_BYTES + 1).strip(b"\xef\xbb\xbf" + SPACE)
    if len(raw) > MAX_ITEM_BYTES:
        raise HostileInputError(
            f"`{name}`: một đối tượng lớn hơn / one object of more than {MAX_ITEM_BYTES >> 20} MiB.", hint="Name its array in `items`."
        )
    try:
        objects_in(raw)
    except INVALID as error:
        raise SourceError(f"`{name}`: không phải JSON hợp lệ / is not valid JSON ({error}).") from error
    return Item(raw, len(raw), members_of(raw))
