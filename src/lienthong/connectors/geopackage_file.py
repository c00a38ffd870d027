"""GeoPackages (OGC 12-128): the features of one layer, in the order of their ids, their shapes in WGS 84.

A GeoPackage is an SQLite database somebody else made: it is opened read-only, only plain tables are read, so that nothing of its own SQL
(views, triggers, virtual tables) ever runs, and work is counted.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pyarrow as pa

from lienthong.connectors.base import Batch, BrokenRow, Position, ReadContext
from lienthong.connectors.broken import broken_row
from lienthong.connectors.csv_dialect import checked_headings
from lienthong.connectors.files import FoundFile, fingerprint_files, read_files
from lienthong.connectors.geometry import Mover, Shape, geopackage_shape, named_crs
from lienthong.connectors.options import Options
from lienthong.contracts import Source
from lienthong.errors import HostileInputError, SourceError

GEOMETRY = "geometry"
MAGIC = b"SQLite format 3\0"
MAX_VALUE_BYTES = 64 * 1024 * 1024
STEPS_A_CHECK = 100_000
MOST_CHECKS = 200_000  # of one statement: hours
BATCH_ROWS = 5_000  # shapes are large


class GeopackageFile:
    """Connector `geopackage_file`. Options: `layer`, `crs`, `geometry_column`."""

    def fingerprint(self, source: Source, context: ReadContext) -> str | None:
        return fingerprint_files(source, context)

    def read(self, source: Source, context: ReadContext, after: Position | None = None) -> Iterator[Batch]:
        options = Options.of(source, context)
        crs = options.text("crs")
        reader = _Reader(
            options.text("layer"),
            named_crs(crs) if crs else "",
            options.text("geometry_column", GEOMETRY),
            min(context.batch_rows, BATCH_ROWS),
        )
        options.close()
        return read_files(source, context, after, reader.read)


@dataclass(frozen=True)
class _Layer:
    table: str
    geometry: str
    crs: str
    columns: Mapping[str, str]  # name → declared type, without geometry


@dataclass(frozen=True)
class _Reader:
    layer: str
    crs: str
    geometry: str
    batch_rows: int

    def read(self, found: FoundFile, at: Mapping[str, Any] | None) -> Iterator[Batch]:
        name = found.file.uri
        try:
            with closing(_opened(found.path, name)) as database:
                layer = _layer(database, self.layer, name)
                yield from self._batches(found, database, layer, None if at is None else int(at["id"]))
        except (sqlite3.Error, OverflowError, UnicodeDecodeError) as error:
            raise SourceError(
                f"`{name}`: không đọc được GeoPackage / the GeoPackage cannot be read ({error}).", hint="It may be damaged or cut off."
            ) from error

    def _batches(self, found: FoundFile, database: sqlite3.Connection, layer: _Layer, last: int | None) -> Iterator[Batch]:
        name = f"`{found.file.uri}`, `{layer.table}`"
        columns = [*layer.columns]
        checked_headings([*columns, self.geometry], name)
        mover = Mover(self.crs or layer.crs, name)
        listed = ", ".join(_quoted(column) for column in (*columns, layer.geometry))
        statement = f"select rowid, {listed} from {_quoted(layer.table)} where rowid > ? order by rowid limit ?"  # noqa: S608 # names quoted, of a plain table
        last, any_batch = -(2**63) if last is None else last, False
        while True:
            rows = database.execute(statement, (last, self.batch_rows)).fetchall()
            if not rows and any_batch:
                return
            last = rows[-1][0] if rows else max(last, 0)
            yield self._batch(found, layer, columns, rows, mover, last)
            any_batch = True
            if len(rows) < self.batch_rows:
                return

    def _batch(
        self, found: FoundFile, layer: _Layer, columns: Sequence[str], rows: Sequence[tuple[Any, ...]], mover: Mover, last: int
    ) -> Batch:
        good: list[tuple[Any, ...]] = []
        shapes: list[Shape | None] = []
        broken: list[BrokenRow] = []
        for row in rows:
            try:
                shape = None if row[-1] is None else geopackage_shape(bytes(row[-1]))
            except (ValueError, TypeError) as error:
                broken.append(broken_row(row[0], "", "row.shape", error))
                continue
            if any(isinstance(value, str) and "\0" in value for value in row):
                broken.append(broken_row(row[0], "", "row.nul"))
                continue
            good.append(row)
            shapes.append(shape)
        values = {
            column: pa.array([_text(row[place], layer.columns[column]) for row in good], pa.string())
            for place, column in enumerate(columns, 1)
        }
        values[self.geometry] = pa.array(mover.texts(shapes), pa.string())
        return Batch(found.file, pa.table(values), pa.array([row[0] for row in good], pa.int64()), {"id": last}, tuple(broken))


def _opened(path: Path, name: str) -> sqlite3.Connection:
    with path.open("rb") as stream:
        if stream.read(16) != MAGIC:
            raise SourceError(f"`{name}`: không phải GeoPackage / is not a GeoPackage.")
    database = sqlite3.connect(f"file:{quote(str(path.resolve()))}?mode=ro&immutable=1", uri=True, check_same_thread=False)
    database.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MAX_VALUE_BYTES)
    database.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
    database.execute("pragma trusted_schema = off")
    database.execute("pragma query_only = on")
    database.execute("pragma mmap_size = 0")  # a file cut under us would end the process
    done = 0

    def too_long() -> int:
        nonlocal done
        done += 1
        return int(done > MOST_CHECKS)

    database.set_progress_handler(too_long, STEPS_A_CHECK)
    return database


def _layer(database: sqlite3.Connection, wanted: str, name: str) -> _Layer:
    for needed in ("gpkg_contents", "gpkg_geometry_columns", "gpkg_spatial_ref_sys"):
        _check_plain(database, needed, name)
    listed = database.execute(
        "select c.table_name, g.column_name, g.srs_id from gpkg_contents c join gpkg_geometry_columns g on g.table_name = c.table_name"
        " where c.data_type = 'features' order by c.table_name limit 1000"
    ).fetchall()
    names = [str(row[0]) for row in listed]
    chosen = [row for row in listed if row[0] == wanted] if wanted else listed
    if len(chosen) != 1:
        shown = ", ".join(f"`{layer}`" for layer in names) or "none"
        raise SourceError(
            f"`{name}`: cần đúng một lớp / expected one layer{f' `{wanted}`' if wanted else ''}, found {shown}.",
            hint="Name it in the option `layer`.",
        )
    table, geometry, system = chosen[0]
    _check_plain(database, table, name)
    if geometry not in [row[1] for row in database.execute(f"pragma table_info({_quoted(table)})")]:
        raise SourceError(f"`{name}`, `{table}`: không có cột / has no column `{geometry}`.")
    columns = {str(row[1]): str(row[2]).upper() for row in database.execute(f"pragma table_info({_quoted(table)})") if row[1] != geometry}
    return _Layer(table, geometry, _crs(database, system), columns)


def _check_plain(database: sqlite3.Connection, table: str, name: str) -> None:
    """Raises HostileInputError for a view or a virtual table in the place of a table: reading it would run SQL of the file's own."""
    row = database.execute("select type, sql from sqlite_master where name = ?", (table,)).fetchone()
    if row is None:
        raise SourceError(f"`{name}`: không phải GeoPackage / is not a GeoPackage: it has no table `{table}`.")
    if row[0] != "table" or "virtual" in str(row[1]).lower().split("(")[0].split():
        raise HostileInputError(
            f"`{name}`: `{table}` không phải bảng thường / is not a plain table (a view or a virtual table).",
            hint="Save the layer as a table.",
        )


def _crs(database: sqlite3.Connection, system: int) -> str:
    if system in (0, -1, 4326):
        return ""
    row = database.execute(
        "select organization, organization_coordsys_id, definition from gpkg_spatial_ref_sys where srs_id = ?", (system,)
    ).fetchone()
    if row is None:
        return f"EPSG:{system}"
    return f"EPSG:{row[1]}" if str(row[0]).upper() == "EPSG" else str(row[2])


def _text(value: Any, declared: str) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bytes):
        return value.hex()
    if declared == "BOOLEAN":
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return str(int(value))
    return repr(value) if isinstance(value, float) else str(value)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
