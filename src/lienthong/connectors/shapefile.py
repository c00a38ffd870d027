"""Shapefiles: the shapes of a .shp beside the attributes of its .dbf, in WGS 84; the system from the .prj, the letters from the .cpg or found.

Read by us rather than by a library: its attributes are DBF in the encodings of the day (TCVN3, VNI), which no library of maps knows.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa

from lienthong.connectors.base import Batch, BrokenRow, Position, ReadContext, SourceFile
from lienthong.connectors.broken import broken_row
from lienthong.connectors.dbf_file import read_dbf
from lienthong.connectors.files import FoundFile, find_files, fingerprint_files, hash_file, read_files
from lienthong.connectors.folder import FolderOptions, is_remote
from lienthong.connectors.geometry import Mover, Shape, esri_shape, named_crs
from lienthong.connectors.options import Options
from lienthong.connectors.variables import expand
from lienthong.contracts import Source
from lienthong.errors import HostileInputError, SourceError

GEOMETRY = "geometry"
FILE_CODE = 9994
HEADER_BYTES = 100
MAX_SHAPE_BYTES = 64 * 1024 * 1024
SIDES = (".dbf", ".prj", ".cpg")
_CODE_PAGES = {"ansi 1252": "latin-1", "system": "", "ansi 1258": "windows-1258", "1258": "windows-1258", "65001": "utf-8", "utf8": "utf-8"}


class Shapefile:
    """Connector `shapefile`. Options: `crs`, `encoding`, `geometry_column`, `drop_columns`."""

    def fingerprint(self, source: Source, context: ReadContext) -> str | None:
        if is_remote(expand(source.location, context.variables)) or FolderOptions.of(source, context).packed.member:
            return fingerprint_files(source, context)
        digest = hashlib.sha256()
        for path in find_files(source, context):
            for part in (path, *(side for ending in SIDES if (side := beside(path, ending)) is not None)):
                digest.update(bytes.fromhex(hash_file(part)))
        return digest.hexdigest()

    def read(self, source: Source, context: ReadContext, after: Position | None = None) -> Iterator[Batch]:
        options = Options.of(source, context)
        crs = options.text("crs")
        reader = _Reader(
            named_crs(crs) if crs else "",
            options.text("encoding"),
            options.text("geometry_column", GEOMETRY),
            options.texts("drop_columns"),
            context.batch_rows,
        )
        options.close()
        return read_files(source, context, after, reader.read)


def beside(path: Path, ending: str) -> Path | None:
    """The part of a shapefile that ends so, whatever its case."""
    for candidate in (path.with_suffix(ending), path.with_suffix(ending.upper())):
        if candidate.is_file() and candidate.resolve().parent == path.resolve().parent:
            return candidate
    return None


@dataclass(frozen=True)
class _Reader:
    crs: str
    encoding: str
    geometry: str
    dropped: tuple[str, ...]
    batch_rows: int

    def read(self, found: FoundFile, at: Mapping[str, Any] | None) -> Iterator[Batch]:
        name = found.file.uri
        attributes = beside(found.path, ".dbf")
        if attributes is None:
            raise SourceError(
                f"`{name}`: thiếu tệp .dbf đi kèm / its .dbf is missing.", hint="A shapefile is .shp, .dbf, .shx and .prj together."
            )
        record, offset = (0, HEADER_BYTES) if at is None else (int(at["record"]), int(at["offset"]))
        table = FoundFile(attributes, SourceFile(uri=attributes.name, size_bytes=attributes.stat().st_size))
        mover = Mover(self.crs or _text_beside(found.path, ".prj"), f"`{name}`")
        with found.path.open("rb") as stream:
            _check_header(stream, name, found.file.size_bytes)
            for batch in read_dbf(table, self.encoding or _code_page(found.path), self.dropped, self.batch_rows, record):
                until = int(batch.position["record"])
                shapes, offset = _shapes(stream, offset, record, until, name)
                yield self._joined(found, batch, shapes, mover, record, {"record": until, "offset": offset})
                record = until
            if stream.seek(offset) == offset and stream.read(8):
                raise SourceError(f"`{name}`: .shp có nhiều hình hơn .dbf / the .shp holds more shapes than the .dbf's {record} records.")

    def _joined(
        self, found: FoundFile, batch: Batch, shapes: Sequence[Shape | ValueError | None], mover: Mover, first: int, position: Position
    ) -> Batch:
        if self.geometry in batch.table.column_names:
            raise SourceError(
                f"`{found.file.uri}`: cột `{self.geometry}` có hai lần / is there twice.", hint="Name another `geometry_column`."
            )
        numbers = batch.source_rows.to_pylist()
        mine = [shapes[number - 1 - first] for number in numbers]
        good = [place for place, shape in enumerate(mine) if not isinstance(shape, ValueError)]
        table = batch.table if len(good) == len(mine) else batch.table.take(pa.array(good, pa.int64()))
        texts = mover.texts([shape for shape in mine if not isinstance(shape, ValueError)])
        broken: list[BrokenRow] = [
            broken_row(numbers[place], "", "row.shape", str(shape)) for place, shape in enumerate(mine) if isinstance(shape, ValueError)
        ]
        return replace(
            batch,
            file=replace(found.file, encoding=batch.file.encoding, encoding_confidence=batch.file.encoding_confidence),
            table=table.append_column(self.geometry, pa.array(texts, pa.string())),
            source_rows=pa.array([numbers[place] for place in good], pa.int64()),
            position=position,
            broken=(*batch.broken, *broken),
        )


def _check_header(stream: BinaryIO, name: str, size: int) -> None:
    head = stream.read(HEADER_BYTES)
    if len(head) < HEADER_BYTES or struct.unpack(">i", head[:4])[0] != FILE_CODE:
        raise SourceError(f"`{name}`: không phải tệp .shp / is not a shapefile.")
    said = struct.unpack(">i", head[24:28])[0] * 2
    if said != size:
        raise SourceError(
            f"`{name}`: tệp khai {said} byte, tìm thấy {size} / the header says {said} bytes, found {size}.",
            hint="The copy was cut off: ask for it again.",
        )


def _shapes(stream: BinaryIO, offset: int, first: int, until: int, name: str) -> tuple[list[Shape | ValueError | None], int]:
    """Shapes of records `first` to `until`, and the place past them."""
    stream.seek(offset)
    shapes: list[Shape | ValueError | None] = []
    for record in range(first, until):
        head = stream.read(8)
        if len(head) < 8:
            raise SourceError(f"`{name}`: .shp có ít hình hơn .dbf / the .shp ends after {record} shapes, its .dbf has more records.")
        number, words = struct.unpack(">ii", head)
        if number != record + 1 or not words >= 2 or words * 2 > MAX_SHAPE_BYTES:
            raise HostileInputError(
                f"`{name}`, shape {record + 1}: số hoặc độ dài sai / its number {number} or length {words * 2} cannot be."
            )
        content = stream.read(words * 2)
        if len(content) < words * 2:
            raise SourceError(f"`{name}`, shape {record + 1}: bị cắt / is cut off.")
        try:
            shapes.append(esri_shape(content))
        except (ValueError, struct.error) as error:
            shapes.append(ValueError(str(error)))
        offset += 8 + words * 2
    return shapes, offset


def _text_beside(path: Path, ending: str) -> str:
    side = beside(path, ending)
    if side is None:
        return ""
    with side.open("rb") as stream:
        return stream.read(65_537).decode("utf-8", "replace").strip("\ufeff \t\r\n\0")


def _code_page(path: Path) -> str:
    """The encoding a .cpg names, empty when there is none or it says nothing; what it says of Latin letters is no proof in this country."""
    said = _text_beside(path, ".cpg").lower()
    named = _CODE_PAGES.get(said, said)
    return "" if named in ("latin-1", "1252", "88591", "iso-8859-1") else named
