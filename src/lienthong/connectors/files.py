"""Files of a source: found safely, hashed, read one after another, resumed exactly.

The position of a file source is `{"file", "size", "before", "at"}`: the file reached, its size then, a digest of names and sizes of the
files before it, and the reader's own place inside the file.
"""

from __future__ import annotations

import glob
import hashlib
import os
import re
import stat
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePath
from typing import Any, Protocol

import numpy as np
import pyarrow as pa

from lienthong.connectors.base import Batch, Position, ReadContext, SourceFile
from lienthong.connectors.variables import expand
from lienthong.contracts import Delivery, Source
from lienthong.errors import HostileInputError, SourceError

_PATTERN = re.compile(r"[*?\[]")
_STILL_SECONDS = 2.0
_MOST_HASHES = 4_096
_hashes: dict[tuple[str, int, int, int, int, int], str] = {}


@dataclass(frozen=True)
class FoundFile:
    path: Path
    file: SourceFile


class FileReader(Protocol):
    """Reads one file in batches whose positions are its own; at least one batch, of no rows when none is left."""

    def __call__(self, found: FoundFile, at: Mapping[str, Any] | None) -> Iterator[Batch]: ...


def find_files(source: Source, context: ReadContext) -> list[Path]:
    """The regular files a location names, sorted by name.

    Raises SourceError when there are none, HostileInputError for a way out of the folder, a device or a pipe.
    """
    location = expand(source.location, context.variables)
    if ".." in PurePath(location).parts:
        raise HostileInputError(f"`{location}`: đường dẫn không được chứa `..` / a location must not contain `..`.")
    if "\0" in location or not location:
        raise SourceError(f"Nguồn/source `{source.name}`: vị trí để trống / the location is empty.")
    exact = Path(location)
    if exact.exists() or exact.is_symlink() or not _PATTERN.search(location):
        return [_checked(exact)]
    folder = _fixed_folder(location)
    paths = [Path(name) for name in sorted(glob.glob(location, recursive=True)) if not Path(name).is_dir()]  # noqa: PTH207 # the pattern may begin at the root
    if not paths:
        raise SourceError(
            f"`{location}`: không tìm thấy tệp nào / no file found.",
            hint="Has the agency delivered? Look at the folder and at the variables in the location.",
        )
    return [_checked(path, folder) for path in paths]


def _fixed_folder(location: str) -> Path:
    parts: list[str] = []
    for part in PurePath(location).parts:
        if _PATTERN.search(part):
            break
        parts.append(part)
    return Path(*parts) if parts else Path()


def _checked(path: Path, folder: Path | None = None) -> Path:
    try:
        kind = path.stat().st_mode
    except OSError as error:
        raise SourceError(f"`{path}`: không đọc được tệp / the file cannot be read ({error.strerror}).") from error
    if stat.S_ISDIR(kind):
        raise SourceError(f"`{path}`: là thư mục, cần tệp / is a folder, expected a file.", hint=f"Write `{path}/*` to read its files.")
    if not stat.S_ISREG(kind):
        raise HostileInputError(f"`{path}`: không phải tệp thường / is not a regular file (a device, a pipe or a socket).")
    if folder is not None and not path.resolve().is_relative_to(folder.resolve()):
        raise HostileInputError(f"`{path}`: liên kết ra ngoài thư mục nguồn / is a link out of the source's folder.")
    return path


def hash_file(path: Path) -> str:
    """Hex SHA-256 of the bytes as delivered. A file that has lain still since it was last hashed here is not read again."""
    state = path.stat()
    seen = (str(path), state.st_dev, state.st_ino, state.st_size, state.st_mtime_ns, state.st_ctime_ns)
    if seen in _hashes:
        return _hashes[seen]
    with path.open("rb") as stream:
        found = hashlib.file_digest(stream, "sha256").hexdigest()
    if time.time() - state.st_ctime > _STILL_SECONDS:  # a file's times are coarse: one just written may change without a trace
        if len(_hashes) >= _MOST_HASHES:
            _hashes.clear()
        _hashes[seen] = found
    return found


def fingerprint_files(source: Source, context: ReadContext) -> str:
    """Hex digest of the content of all files in their order, whatever they are called."""
    digest = hashlib.sha256()
    for path in find_files(source, context):
        digest.update(bytes.fromhex(hash_file(path)))
    return digest.hexdigest()


@dataclass(frozen=True)
class _Place:
    """A file in its order. `before`: digest of names and sizes of the files before it."""

    name: str
    path: Path
    size: int
    before: str


def read_files(source: Source, context: ReadContext, after: Position | None, reader: FileReader) -> Iterator[Batch]:
    """Batches of all files in order of name; one of no rows when nothing is left.

    A delivery of increments is read again whole when a file before the reached one has come, gone or changed its size: rows known
    already cost nothing, a late file must not be missed. For a snapshot the same is a SourceError: half of each would be neither.
    """
    places = _in_order(find_files(source, context))
    after = _still_true(source, places, after)
    expected: Sequence[str] | None = None
    empty: Batch | None = None
    any_rows = False
    for place in places:
        if after is not None and place.name < after["file"]:
            continue
        at = after["at"] if after is not None and place.name == after["file"] else None
        for batch in _read_one(place, at, reader):
            if batch.table.num_rows == 0 and not batch.broken:
                empty = batch
                expected = expected or batch.table.column_names
                continue
            expected = _same_columns(expected, batch)
            any_rows = True
            yield batch if batch.table.column_names == list(expected) else replace(batch, table=batch.table.select(expected))
    if not any_rows and empty is not None:
        yield empty


def _read_one(place: _Place, at: Mapping[str, Any] | None, reader: FileReader) -> Iterator[Batch]:
    before = place.path.stat()
    found = FoundFile(place.path, SourceFile(uri=place.name, sha256=hash_file(place.path), size_bytes=before.st_size))
    for batch in reader(found, at):
        yield replace(batch, position={"file": place.name, "size": before.st_size, "before": place.before, "at": dict(batch.position)})
    now = place.path.stat()
    if (now.st_size, now.st_mtime_ns) != (before.st_size, before.st_mtime_ns):
        raise SourceError(
            f"`{place.name}`: tệp thay đổi trong khi đọc / the file changed while it was read.",
            hint="Let the delivery finish (write beside, then rename), then run again.",
        )


def _in_order(paths: Sequence[Path]) -> list[_Place]:
    """Files with their names: with their folders where several folders are read together."""
    folders = {str(path.parent) for path in paths}
    base = folders.pop() if len(folders) == 1 else os.path.commonpath(folders)
    digest = hashlib.sha256()
    places: list[_Place] = []
    for path in paths:
        name, size = str(path.relative_to(base)), path.stat().st_size
        places.append(_Place(name, path, size, digest.hexdigest()[:16]))
        digest.update(f"{name}\0{size}\0".encode())
    return places


def _same_columns(expected: Sequence[str] | None, batch: Batch) -> Sequence[str]:
    names = batch.table.column_names
    if expected is None or sorted(expected) == sorted(names):
        return names if expected is None else expected
    missing = [f"`{name}`" for name in expected if name not in names]
    extra = [f"`{name}`" for name in names if name not in expected]
    raise SourceError(
        f"`{batch.file.uri}`: tiêu đề cột khác các tệp trước / its headings differ from the files before it: "
        f"missing {', '.join(missing) or 'none'}; new {', '.join(extra) or 'none'}."
    )


def _still_true(source: Source, places: Sequence[_Place], after: Position | None) -> Position | None:
    if after is None:
        return None
    reached = next((place for place in places if place.name == after["file"]), None)
    if reached is not None and reached.before == after["before"] and reached.size >= after["size"]:
        return after
    if source.delivery is Delivery.INCREMENTAL:
        return None
    raise SourceError(
        f"Nguồn/source `{source.name}`: các tệp đã thay đổi giữa chừng / its files changed since reading stopped at `{after['file']}`.",
        hint="Start the run again from the beginning.",
    )


def row_numbers(first: int, count: int) -> pa.Int64Array:
    """`count` row numbers from `first` on."""
    return pa.array(np.arange(first, first + count, dtype=np.int64))
