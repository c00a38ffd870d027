"""Whole answers as files for maps: GeoPackage (QGIS and every GIS) and GeoParquet 1.1 (geopandas, DuckDB, Spark). WGS 84, longitude first.

Rows come as record batches, masks are applied, a column `geometry` of WKB is added; memory is flat. A GeoPackage is a database
and is written to a file of its own first, a GeoParquet leaves as it is written.
"""

from __future__ import annotations

import struct
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from lienthong.contracts import Place
from lienthong.sharing.formats import CHUNK_BYTES, Mask, Sink, Tally, masked
from lienthong.sharing.geometry import box_of

if TYPE_CHECKING:
    import pyarrow as pa

GEOMETRY = "geometry"
GPKG, GEOPARQUET = "gpkg", "geoparquet"
MEDIA_TYPES: Mapping[str, str] = {GPKG: "application/geopackage+sqlite3", GEOPARQUET: "application/vnd.apache.parquet"}
SUFFIXES: Mapping[str, str] = {GPKG: "gpkg", GEOPARQUET: "parquet"}
_KINDS = {"Point": 1, "LineString": 2, "Polygon": 3, "MultiPoint": 4, "MultiLineString": 5, "MultiPolygon": 6}
Shape = Mapping[str, Any]


@dataclass
class Placing:
    """How a row's place is found. `points`: of units of administration. `kinds` and `box` gather what was seen."""

    place: Place
    points: Mapping[str, tuple[float, float]]
    kinds: set[str] = field(default_factory=set)
    box: tuple[float, float, float, float] | None = None

    def placed(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """The batch with its place as WKB, last; a column of GeoJSON gives way to it."""
        import pyarrow as pa  # noqa: PLC0415 # loaded when a file is asked for

        columns = [batch.column(batch.schema.get_field_index(name)).to_pylist() for name in self.place.columns]
        shapes = [self._wkb(*values) for values in zip(*columns, strict=True)]
        kept = [name for name in batch.schema.names if name != self.place.geometry]
        arrays = [batch.column(batch.schema.get_field_index(name)) for name in kept]
        fields = [batch.schema.field(name).remove_metadata() for name in kept]
        schema = pa.schema([*fields, pa.field(GEOMETRY, pa.binary())])
        return pa.RecordBatch.from_arrays([*arrays, pa.array(shapes, pa.binary())], schema=schema)

    def _wkb(self, *values: Any) -> bytes | None:
        shape = self._shape(*values)
        if shape is None:
            return None
        self.kinds.add(str(shape["type"]))
        west, south, east, north = box_of(shape)
        if self.box is None:
            self.box = (west, south, east, north)
        else:
            self.box = (min(self.box[0], west), min(self.box[1], south), max(self.box[2], east), max(self.box[3], north))
        return wkb(shape)

    def _shape(self, *values: Any) -> Shape | None:
        if any(value is None for value in values):
            return None
        if self.place.geometry:
            shape: Shape = msgspec.json.decode(values[0])
            return shape
        place = self.points.get(values[0]) if self.place.unit else values
        return None if place is None else {"type": "Point", "coordinates": place}


def wkb(shape: Shape) -> bytes:
    """A geometry as well-known binary (OGC 06-103r4), little-endian, two dimensions."""
    kind, coordinates = str(shape["type"]), shape["coordinates"]
    head = struct.pack("<BI", 1, _KINDS[kind])
    if kind == "Point":
        return head + struct.pack("<2d", *coordinates[:2])
    if kind == "LineString":
        return head + _line(coordinates)
    if kind == "Polygon":
        return head + struct.pack("<I", len(coordinates)) + b"".join(map(_line, coordinates))
    one = kind.removeprefix("Multi")
    return head + struct.pack("<I", len(coordinates)) + b"".join(wkb({"type": one, "coordinates": part}) for part in coordinates)


def _line(places: Any) -> bytes:
    return struct.pack(f"<I{2 * len(places)}d", len(places), *(value for place in places for value in place[:2]))


def write_map(
    form: str, layer: str, batches: Iterable[pa.RecordBatch], masks: Mapping[str, Mask], placing: Placing, tally: Tally
) -> Iterator[bytes]:
    """The bytes of a file of a form, in pieces."""
    ready = _counted(batches, masks, placing, tally)
    return _geopackage(layer, ready) if form == GPKG else _geoparquet(ready, placing)


def _counted(batches: Iterable[pa.RecordBatch], masks: Mapping[str, Mask], placing: Placing, tally: Tally) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        tally.rows += batch.num_rows
        yield placing.placed(masked(batch, masks))


def _geoparquet(batches: Iterator[pa.RecordBatch], placing: Placing) -> Iterator[bytes]:
    import pyarrow as pa  # noqa: PLC0415 # loaded when a file is asked for
    from pyarrow import parquet  # noqa: PLC0415 # as above

    sink = Sink()
    writer: Any = None
    for batch in batches:
        if writer is None:
            # without Arrow's own copy of the schema, which readers would take for all there is to know and not find `geo` in
            writer = parquet.ParquetWriter(
                pa.PythonFile(sink, mode="w"), batch.schema, compression="zstd", compression_level=1, store_schema=False
            )
        if batch.num_rows:
            writer.write_batch(batch)
        piece = sink.take(CHUNK_BYTES)
        if piece:
            yield piece
    if writer is not None:
        writer.add_key_value_metadata({"geo": _geo(placing)})
        writer.close()
    yield sink.take()


def _geo(placing: Placing) -> str:
    """The file's `geo` metadata (GeoParquet 1.1). Without `crs` it is CRS84, which is what it is."""
    column: dict[str, Any] = {"encoding": "WKB", "geometry_types": sorted(placing.kinds)}
    if placing.box is not None:
        column["bbox"] = list(placing.box)
    return msgspec.json.encode({"version": "1.1.0", "primary_column": GEOMETRY, "columns": {GEOMETRY: column}}).decode()


def _geopackage(layer: str, batches: Iterator[pa.RecordBatch]) -> Iterator[bytes]:
    import pyarrow as pa  # noqa: PLC0415 # loaded when a file is asked for
    import pyogrio  # noqa: PLC0415 # as above

    first = next(batches)

    def all_of() -> Iterator[pa.RecordBatch]:
        yield first
        yield from batches

    with tempfile.TemporaryDirectory(prefix="lienthong-map-") as folder:  # of mode 0700
        path = Path(folder) / "file.gpkg"
        reader = pa.RecordBatchReader.from_batches(first.schema, all_of())
        pyogrio.write_arrow(
            reader, path, layer=layer, driver="GPKG", geometry_name=GEOMETRY, geometry_type="Unknown", crs="EPSG:4326"
        )  # fmt: skip
        with path.open("rb") as file:
            while piece := file.read(CHUNK_BYTES):
                yield piece
