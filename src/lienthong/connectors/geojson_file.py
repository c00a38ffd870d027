"""GeoJSON FeatureCollections (RFC 7946): each feature's properties as columns, its geometry as compact GeoJSON text.

The whole file is held in memory, so its size is bounded. Coordinates keep their digits; those of another system than WGS 84, named by the
contract or by the file (its `crs` member, of GeoJSON 2008), are moved there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec
import pyarrow as pa

from lienthong.connectors.base import Batch, BrokenRow, Position, ReadContext
from lienthong.connectors.broken import broken_row
from lienthong.connectors.encodings import find_encoding
from lienthong.connectors.files import FoundFile, fingerprint_files, read_files
from lienthong.connectors.geometry import Mover, geojson_shape, named_crs
from lienthong.connectors.json_values import INVALID, as_table, dig, items_in, objects_in, text_of
from lienthong.connectors.options import Options
from lienthong.contracts import Source
from lienthong.errors import HostileInputError, SourceError

MAX_BYTES = 200 * 1024 * 1024
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
            max_bytes=options.number("max_bytes", MAX_BYTES, 1),
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
        name = found.file.uri
        if found.file.size_bytes > self.max_bytes:
            raise HostileInputError(
                f"`{name}`: {found.file.size_bytes} byte, giới hạn/limit {self.max_bytes}.", hint="Deliver one file a district."
            )
        rows = self._rows(self._items(found))
        self._settle_columns(rows, name)
        start = 0 if at is None else int(at["feature"])
        for place in range(start, max(len(rows), start + 1), self.batch_rows):
            part = rows[place : place + self.batch_rows]
            whole = [(number, row) for number, row in enumerate(part, place + 1) if isinstance(row, dict)]
            yield Batch(
                file=found.file,
                table=as_table([row for _, row in whole], self.columns),
                source_rows=pa.array([number for number, _ in whole], pa.int64()),
                position={"feature": place + len(part), "columns": self.columns},
                broken=tuple(row for row in part if isinstance(row, BrokenRow)),
            )

    def _items(self, found: FoundFile) -> list[msgspec.Raw]:
        name = found.file.uri
        data = found.path.read_bytes()
        if not data.strip():
            raise SourceError(f"`{name}`: tệp rỗng / the file is empty.")
        encoding = find_encoding(found.path)
        try:
            if not encoding.is_utf8 or data.startswith(b"\xef\xbb\xbf"):
                data = encoding.decode(data).encode()
            members = objects_in(data)
            kind = text_of(members.get("type"))
            if kind != "FeatureCollection":
                raise SourceError(f"`{name}`: cần/expected a FeatureCollection, found `{kind}`.")
            self._mover = self._mover_of(members, name)
            return items_in(members["features"]) if "features" in members else []
        except INVALID as error:
            raise SourceError(f"`{name}`: không phải GeoJSON hợp lệ / is not valid GeoJSON ({error}).") from error

    def _rows(self, items: Sequence[msgspec.Raw]) -> list[Values | BrokenRow]:
        """One entry a feature, in order."""
        rows: list[Values | BrokenRow] = []
        for number, item in enumerate(items, 1):
            try:
                values = self._values(item)
            except INVALID:
                rows.append(broken_row(number, bytes(item).decode("utf-8", "backslashreplace"), "row.object"))
                continue
            except ValueError as error:
                rows.append(broken_row(number, bytes(item).decode("utf-8", "backslashreplace"), "row.shape", error))
                continue
            has_nul = any(value is not None and "\0" in value for value in values.values())
            rows.append(broken_row(number, bytes(item).decode(), "row.nul") if has_nul else values)
        return rows

    def _values(self, item: msgspec.Raw) -> Values:
        members = objects_in(item)
        raw = members.get("properties")
        properties = objects_in(raw) if raw is not None and bytes(raw).strip() != b"null" else {}
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

    def _settle_columns(self, rows: Sequence[Values | BrokenRow], name: str) -> None:
        """Columns are those of the first file that has features; a later file may lack some, but brings none of its own unsaid."""
        found = list(dict.fromkeys(column for row in rows if isinstance(row, dict) for column in row))
        if not self.columns:
            self.columns = found
        known = set(self.columns)
        new = [column for column in found if column not in known]
        if new:
            raise SourceError(
                f"`{name}`: thuộc tính mới / properties the first file has not: {', '.join(f'`{column}`' for column in new)}.",
                hint="Name all columns in the option `fields`.",
            )
