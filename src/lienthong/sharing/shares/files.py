"""Parquet files of tables, made once for each dataset, version and right, and kept as long as there is room.

Rights are applied when a file is made: what a recipient may not see is not in it. Rows are in key order and parts and row groups have fixed
sizes, so a file made anew, after it was cleared away or on another server, is the same byte for byte: half-read files go on.
Invariant: a folder of the store's own name is whole; one that is being made has another name until it is.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import threading
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO
from uuid import uuid4

import msgspec

from lienthong.access import mask
from lienthong.errors import NotFound
from lienthong.sharing.formats import Mask, masked, parquet_writer
from lienthong.sharing.shares.statistics import statistics_of

if TYPE_CHECKING:
    import pyarrow as pa

FOLDER = "shares"
ROWS_IN_GROUP = 131_072
ROWS_IN_PART = 4 * ROWS_IN_GROUP  # a part of a million-row table is some tens of megabytes: a client holds one at a time
MOST_AT_ONCE = 2  # makings in one process; each holds a connection and a core
SECONDS_OF_A_MAKING = 6 * 3600.0  # what is older and not whole was left by a process that ended
ONE = "part-00000.parquet"  # the file of a set that is one file
_PIECE = 1 << 20
_NAME = re.compile(r"[0-9a-f]{40}")
_PART = re.compile(r"part-[0-9]{5}\.parquet")


class Part(msgspec.Struct, frozen=True):
    """One file. `stats` is the text the protocol has for it."""

    name: str
    size: int
    rows: int
    stats: str


class Made(msgspec.Struct, frozen=True):
    """A set of files that is whole."""

    name: str
    parts: tuple[Part, ...]

    @property
    def rows(self) -> int:
        return sum(part.rows for part in self.parts)

    @property
    def size(self) -> int:
        return sum(part.size for part in self.parts)


@dataclass(frozen=True)
class Making:
    """How a set of files is made, if it must be: its rows and what is masked in them. `name` is of all that decides its bytes."""

    name: str
    batches: Iterable[pa.RecordBatch]
    masks: Mapping[str, str]


class FileStore:
    """The files under one folder, which several processes share. After each making what is beyond `most_bytes` or too long unused goes."""

    def __init__(self, folder: Path, most_bytes: int, idle_seconds: float) -> None:
        self._folder = folder
        self._most_bytes = most_bytes
        self._idle_seconds = idle_seconds
        self._slots = threading.BoundedSemaphore(MOST_AT_ONCE)

    def kept(self, name: str) -> Made | None:
        """A set that is there; it counts as used just now."""
        if not _NAME.fullmatch(name):
            return None
        place = self._folder / name
        try:
            made = msgspec.json.decode((place / "made.json").read_bytes(), type=Made)
            os.utime(place)
        except FileNotFoundError:
            return None
        return made

    def get(self, making: Making) -> Made:
        """The set, made now unless it is there. Who asks while another makes it waits for that."""
        made = self.kept(making.name)
        if made is not None:
            return made
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with self._locked(making.name), self._slots:
            made = self.kept(making.name)
            if made is None:
                made = self._make(making)
                self.clear()
        return made

    def while_given(self, name: str, pieces: Iterator[bytes], rows: Callable[[], int]) -> Generator[bytes]:
        """The pieces of a file as they come, kept as a set of that file once all were given. `rows`: how many they held, asked at the end.

        Nothing is kept of what breaks off, or of what would take half the room; a full disk ends the keeping, not the giving.
        """
        place = self._folder / f"{name}.{uuid4().hex}.new"
        size = 0
        try:
            with suppress(OSError):
                place.mkdir(mode=0o700, parents=True)
            for piece in pieces:
                if place.is_dir():
                    size += len(piece)
                    _add(place, piece, is_too_much=size > self._most_bytes // 2)
                yield piece
            if place.is_dir():
                with suppress(OSError):  # another gave the same at the same time, or the disk is full
                    (place / "made.json").write_bytes(msgspec.json.encode(Made(name, (Part(ONE, size, rows(), ""),))))
                    place.rename(self._folder / name)
                self.clear()
        finally:
            shutil.rmtree(place, ignore_errors=True)

    def opened(self, name: str) -> tuple[Made, Iterator[bytes]] | None:
        """A set of one file that is there, and its bytes in pieces: whoever clears the set away does not take them."""
        made = self.kept(name)
        if made is None:
            return None
        try:
            file = (self._folder / name / ONE).open("rb")
        except FileNotFoundError:
            return None
        return made, _pieces(file)

    def path(self, name: str, part: str) -> Path:
        """Where a part lies. Raises NotFound for what is no part's name, so that no path leads elsewhere."""
        if not _NAME.fullmatch(name) or not _PART.fullmatch(part):
            raise NotFound("There is no such file.", vi="Không có tệp này.")
        return self._folder / name / part

    def clear(self) -> int:
        """Let go of sets not used for long, and of the longest unused beyond the room there is, but never the last; how many went."""
        if not self._folder.is_dir():
            return 0
        now = time.time()
        found: list[tuple[float, Path, int]] = []
        for place in self._folder.iterdir():
            with suppress(FileNotFoundError):
                used = place.stat().st_mtime
                if _NAME.fullmatch(place.name):
                    found.append((used, place, sum(each.stat().st_size for each in place.iterdir())))
                elif now - used > SECONDS_OF_A_MAKING:
                    _remove(place)
        found.sort()
        total, gone = sum(size for _, _, size in found), 0
        for used, place, size in found:
            is_last = place == found[-1][1]
            if now - used <= self._idle_seconds and (total <= self._most_bytes or is_last):
                break
            _remove(place)
            total, gone = total - size, gone + 1
        return gone

    @contextmanager
    def _locked(self, name: str) -> Iterator[None]:
        """Alone of all processes and threads with this name for as long as the block lasts."""
        path = self._folder / f"{name}.lock"
        with path.open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def _make(self, making: Making) -> Made:
        place = self._folder / f"{making.name}.{uuid4().hex}.new"
        place.mkdir(mode=0o700)
        try:
            masks: dict[str, Mask] = {name: partial(mask, kind) for name, kind in making.masks.items()}
            parts = tuple(_write_parts(place, making.batches, masks))
            made = Made(making.name, parts)
            (place / "made.json").write_bytes(msgspec.json.encode(made))
            place.rename(self._folder / making.name)
        except BaseException:
            shutil.rmtree(place, ignore_errors=True)
            made_elsewhere = self.kept(making.name)  # by a process that did not see our lock: the same bytes
            if made_elsewhere is None:
                raise
            return made_elsewhere
        return made


def _add(place: Path, piece: bytes, *, is_too_much: bool) -> None:
    """Write a piece to the file that is kept, or keep it no longer."""
    try:
        if not is_too_much:
            with (place / ONE).open("ab") as file:
                file.write(piece)
            return
    except OSError:
        pass
    shutil.rmtree(place, ignore_errors=True)


def _pieces(file: BinaryIO) -> Iterator[bytes]:
    with file:
        while piece := file.read(_PIECE):
            yield piece


def _write_parts(place: Path, batches: Iterable[pa.RecordBatch], masks: Mapping[str, Mask]) -> Iterator[Part]:
    writer: Any = None
    path = place
    number = rows = 0
    for group in _groups(batches):
        hidden = masked_table(group, masks)
        if writer is None:
            path = place / f"part-{number:05}.parquet"
            writer = parquet_writer(path, hidden)
        writer.write_table(hidden, row_group_size=ROWS_IN_GROUP)
        rows += hidden.num_rows
        if rows >= ROWS_IN_PART:
            writer.close()
            yield _part(path, rows)
            writer, number, rows = None, number + 1, 0
    if writer is not None:
        writer.close()
        yield _part(path, rows)


def _part(path: Path, rows: int) -> Part:
    return Part(path.name, path.stat().st_size, rows, statistics_of(path))


def _groups(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.Table]:
    """The rows in tables of a row group's size each, whatever sizes they came in."""
    import pyarrow as pa  # noqa: PLC0415 # as above

    waiting: list[pa.RecordBatch] = []
    count = 0
    for batch in batches:
        waiting.append(batch)
        count += batch.num_rows
        while count >= ROWS_IN_GROUP:
            whole = pa.Table.from_batches(waiting)
            yield whole.slice(0, ROWS_IN_GROUP)
            waiting = whole.slice(ROWS_IN_GROUP).to_batches()
            count -= ROWS_IN_GROUP
    if count:
        yield pa.Table.from_batches(waiting)


def masked_table(table: pa.Table, masks: Mapping[str, Mask]) -> pa.Table:
    """The table with masked columns as text."""
    import pyarrow as pa  # noqa: PLC0415 # as above

    if not masks:
        return table
    (batch,) = table.combine_chunks().to_batches() or [pa.RecordBatch.from_pylist([], schema=table.schema)]
    return pa.Table.from_batches([masked(batch, masks)])


def _remove(place: Path) -> None:
    """Take a set's name away first, so that nobody finds half of it; who has a file of it open reads on."""
    if not place.is_dir():
        place.unlink(missing_ok=True)
        return
    gone = place if place.name.endswith(".gone") else place.with_name(f"{place.name}.{uuid4().hex}.gone")
    with suppress(OSError):
        if gone != place:
            place.rename(gone)
        shutil.rmtree(gone, ignore_errors=True)
