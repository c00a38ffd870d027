"""GeoJSON FeatureCollections (RFC 7946): each feature's properties as columns, its geometry as compact GeoJSON text.

Features are read one after the other, so that a file of any size needs little memory; without the option `fields` it is gone through
twice, first for its columns. Coordinates keep their digits; those of another system than WGS 84, named by the contract or by the file
(its `crs` member, of GeoJSON 2008), are moved there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, BinaryIO

import msgspec
import pyarrow as pa

from lienthong.connectors.base import Batch, BrokenRow, Position, ReadContext
from lienthong.connectors.broken import broken_row
from lienthong.connectors.encodings import as_utf8, find_encoding
from lienthong.connectors.files import FoundFile, fingerprint_files, read_files
from lienthong.connectors.geometry import Mover, geojson_shape, named_crs
from lienthong.connectors.json_records import MAX_HEAD_BYTES, SPACE, Item, array_start, items_of
from lienthong.connectors.json_values import INVALID, JsonObject, as_table, dig, objects_in, text_of
from lienthong.connectors.options import Options
from lienthong.contracts import Source
from lienthong.errors import HostileInputError, SourceError

FEATURES = ("features",)
BATCH_BYTES = 32 * 1024 * 1024  # of features held at once
MAX_TAIL_BYTES = 64 * 1024  # after the features
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
GEOMETRY = "geometry"
_URN = re.compile(r"^urn:ogc:def:crs:EPSG:[0-9.]*:|^https?://www\.opengis\.net/def/crs/EPSG/[0-9.]+/", re.IGNORECASE)
ID = "id"

Values = dict[str, str | None]


class GeojsonFile:
    """Connector `geojson_file`. Options: `fields` {column: "a.b.c"}, `geometry_column`, `id_column`, `crs`, `max_bytes`."""

    def fingerprint(self, source: Source, context: ReadContext) -> str | None:
        return fingerprint_files(source, context)

    def read(self, source: Source, context: ReadContext, after: Position | None = None) -> Iterator[Batch]:
        options = Options.of(source, context)
        crs = options.text("crs")
        reader = _Reader(
            crs=named_crs(crs) if crs else "",
            fields={name: tuple(path.split(".")) for name, path in options.mapping("fields").items()},
            geometry=options.text("geometry_column", GEOMETRY),
            id=options.text("id_column"),
            max_bytes=options.number("max_bytes", 0),
            batch_rows=context.batch_rows,
            columns=list(after["at"].get("columns", ())) if after is not None else [],
        )
        options.close()
        return read_files(source, context, after, reader.read)


class _Reader(msgspec.Struct):
    fields: dict[str, tuple[str, ...]]
    geometry: str
    id: str
    crs: str
    max_bytes: int
    batch_rows: int
    columns: list[str]  # of the first file, kept for the next ones
    _mover: Mover | None = None

    def read(self, found: FoundFile, at: Mapping[str, Any] | None) -> Iterator[Batch]:
        name, size = found.file.uri, found.file.size_bytes
        if self.max_bytes and size > self.max_bytes:
            raise HostileInputError(f"`{name}`: {size} byte, giới hạn/limit {self.max_bytes}.", hint="Deliver one file a district.")
        if not size:
            raise SourceError(f"`{name}`: tệp rỗng / the file is empty.")
        with as_utf8(found.path, find_encoding(found.path)) as stream:
            start = self._begin(stream, name)
            if self.fields:
                self.columns = self._columns_of(self.fields)
            else:
                self._settle_columns(stream, start, name)
            number, place = (0, start) if at is None else (int(at["feature"]), int(at.get("place", start)))
            items = _features(stream, place, name)
            for _ in range(number if at is not None and "place" not in at else 0):
                next(items, None)
            yield from self._batches(found, items, number, place)

    def _batches(self, found: FoundFile, items: Iterator[Item], number: int, place: int) -> Iterator[Batch]:
        """Features gathered to batches, so many rows or bytes at a time; one batch at least."""
        rows: list[tuple[int, Values | BrokenRow]] = []
        held, any_batch = 0, False
        for item in items:
            number += 1
            rows.append((number, self._row(item.raw, number)))
            held += len(item.raw)
            place = item.end
            if len(rows) == self.batch_rows or held > BATCH_BYTES:
                yield self._batch(found, rows, number, place)
                rows, held, any_batch = [], 0, True
        if rows or not any_batch:
            yield self._batch(found, rows, number, place)

    def _batch(self, found: FoundFile, rows: Sequence[tuple[int, Values | BrokenRow]], number: int, place: int) -> Batch:
        whole = [(n, row) for n, row in rows if isinstance(row, dict)]
        return Batch(
            file=found.file,
            table=as_table([row for _, row in whole], self.columns),
            source_rows=pa.array([n for n, _ in whole], pa.int64()),
            position={"feature": number, "place": place, "columns": self.columns},
            broken=tuple(row for _, row in rows if isinstance(row, BrokenRow)),
        )

    def _begin(self, stream: BinaryIO, name: str) -> int:
        """The place where the features begin, -1 where there are none; what the document says of itself is settled."""
        try:
            start = array_start(stream, FEATURES, name)
            members = _beside(stream, start)
        except HostileInputError:
            raise
        except SourceError:
            start, members = -1, _whole(stream, name)
        except INVALID as error:
            raise _invalid(name, error) from error
        kind = text_of(members.get("type"))
        if kind != "FeatureCollection":
            raise SourceError(f"`{name}`: cần/expected a FeatureCollection, found `{kind}`.")
        self._mover = self._mover_of(members, name)
        return start

    def _row(self, raw: bytes, number: int) -> Values | BrokenRow:
        try:
            values = self._values(msgspec.Raw(raw))
        except INVALID:
            return broken_row(number, raw.decode("utf-8", "backslashreplace"), "row.object")
        except ValueError as error:
            return broken_row(number, raw.decode("utf-8", "backslashreplace"), "row.shape", error)
        has_nul = any(value is not None and "\0" in value for value in values.values())
        return broken_row(number, raw.decode(), "row.nul") if has_nul else values

    def _values(self, item: msgspec.Raw) -> Values:
        members = objects_in(item)
        properties = _properties(members)
        if self.fields:
            values = {column: text_of(dig(properties, path)) for column, path in self.fields.items()}
        else:
            values = {column: text_of(value) for column, value in properties.items()}
        if self.id:
            values[self.id] = text_of(members.get(ID))
        values[self.geometry] = self._place(members.get(GEOMETRY))
        return values

    def _mover_of(self, members: Mapping[str, msgspec.Raw], name: str) -> Mover | None:
        said = self.crs or text_of(dig(members, ("crs", "properties", "name"))) or ""
        if said.rpartition(":")[2].upper() in ("", "CRS84", "4326"):
            return None
        return Mover(_URN.sub("EPSG:", said), f"`{name}`")

    def _place(self, raw: msgspec.Raw | None) -> str | None:
        text = text_of(raw)
        if text is None or self._mover is None:
            return text
        return self._mover.texts([geojson_shape(text)])[0]

    def _settle_columns(self, stream: BinaryIO, start: int, name: str) -> None:
        """Columns are those of the first file that has features; a later file may lack some, but brings none of its own unsaid.

        Every feature is looked at before the first row is given: what a later one brings is a column of all.
        """
        seen: dict[str, None] = {}
        is_any = False
        for item in _features(stream, start, name):
            try:
                properties = _properties(objects_in(item.raw))
            except INVALID:
                continue  # told as a broken row when it is its turn
            is_any = True
            if not properties.keys() <= seen.keys():
                seen |= dict.fromkeys(properties)
        found = self._columns_of(seen) if is_any else []
        if not self.columns:
            self.columns = found
        known = set(self.columns)
        new = [column for column in found if column not in known]
        if new:
            raise SourceError(
                f"`{name}`: thuộc tính mới / properties the first file has not: {', '.join(f'`{column}`' for column in new)}.",
                hint="Name all columns in the option `fields`.",
            )

    def _columns_of(self, properties: Mapping[str, object]) -> list[str]:
        return [*(name for name in properties if name != self.geometry), *([self.id] if self.id else ()), self.geometry]


def _properties(members: JsonObject) -> JsonObject:
    raw = members.get("properties")
    return objects_in(raw) if raw is not None and bytes(raw).strip() != b"null" else {}


def _features(stream: BinaryIO, start: int, name: str) -> Iterator[Item]:
    """The features from a place on; none where there is no such member. Raises SourceError when the file ends before they do."""
    return iter(()) if start < 0 else items_of(stream, start, name)


def _beside(stream: BinaryIO, start: int) -> JsonObject:
    """The document's members before its features, and those after them, which stand in its last bytes."""
    stream.seek(0)
    before = objects_in(stream.read(start).removeprefix(BYTE_ORDER_MARK) + b"]}")
    if "type" in before:
        return before
    stream.seek(max(start, stream.seek(0, 2) - MAX_TAIL_BYTES))
    after = stream.read().rpartition(b"]")[2].strip(SPACE).removeprefix(b",")
    return {**before, **objects_in(b"{" + after)} if after.endswith(b"}") and after != b"}" else before


def _whole(stream: BinaryIO, name: str) -> JsonObject:
    """The members of a document that has no array of features, if it is small enough to be looked at."""
    stream.seek(0)
    try:
        members = objects_in(stream.read(MAX_HEAD_BYTES).removeprefix(BYTE_ORDER_MARK))
    except INVALID as error:
        raise _invalid(name, error) from error
    if "features" in members and bytes(members["features"]).strip() != b"null":
        raise SourceError(f"`{name}`: không phải GeoJSON hợp lệ / is not valid GeoJSON (`features` is no array).")
    return members


def _invalid(name: str, error: object) -> SourceError:
    return SourceError(f"`{name}`: không phải GeoJSON hợp lệ / is not valid GeoJSON ({error}).")
