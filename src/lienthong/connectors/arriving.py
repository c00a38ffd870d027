"""A file elsewhere that is read while it is fetched: what has come is given at once, what has not is waited for.

Nothing read of it counts before `finished` has said that it came whole and did not change meanwhile: only then is its hash known.
"""

from __future__ import annotations

import io
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO, Protocol, cast, runtime_checkable

from lienthong.connectors.encodings import sample_places
from lienthong.connectors.folder import Lying, RemoteFolder
from lienthong.connectors.spool import Spool


@runtime_checkable
class AnyPlace(Protocol):
    """A folder that gives bytes from the middle of a file without those before them."""

    def part(self, lying: Lying, offset: int, size: int) -> bytes: ...


def gives_parts(folder: object) -> bool:
    """Whether a folder is one that can do so."""
    return isinstance(folder, AnyPlace)


class ArrivingFile:
    """One file under way. Every wait ends with the fetch, and raises what the fetch did."""

    def __init__(self, spool: Spool, folder: RemoteFolder, lying: Lying) -> None:
        self._spool, self._folder, self._lying = spool, folder, lying
        self._samples = _samples(folder, lying)  # before the fetch takes the line
        self._came = threading.Condition()
        self._there = self._wanted = 0
        self._whole: tuple[Path, str] | None = None
        self._failure: BaseException | None = None
        self._is_left = False
        self._path: Path | None = None
        self._thread = threading.Thread(target=self._fetch, name="arriving", daemon=True)
        self._thread.start()

    @property
    def size(self) -> int:
        return self._lying.size

    @property
    def samples(self) -> Mapping[int, bytes]:
        """Bytes from places all over the file, by which its encoding is found."""
        return self._samples

    def open(self) -> BinaryIO:
        """The file's bytes from its beginning; seeking is free, reading waits."""
        self.wait(1)
        assert self._path is not None  # something has come
        try:
            stream = _Stream(self, self._path)
        except FileNotFoundError:  # it has come whole meanwhile, and got its name
            stream = _Stream(self, self.finished()[0])
        return cast("BinaryIO", stream)  # unbuffered: a buffer would wait for more than was asked for

    def wait(self, until: int) -> int:
        """Wait until so many bytes are there, or all; how many are. Raises what ended the fetch early."""
        with self._came:
            self._wanted = until
            self._came.wait_for(lambda: self._there >= until or self._is_over)
            if self._there < until and self._failure is not None:
                raise self._failure
            return self._there

    def finished(self) -> tuple[Path, str]:
        """(the whole file, its hex SHA-256). Raises what the fetch did when it is not whole, or changed meanwhile."""
        with self._came:
            self._came.wait_for(lambda: self._is_over)
        if self._failure is not None:
            raise self._failure
        assert self._whole is not None  # over without a failure
        return self._whole

    def leave(self) -> None:
        """Fetch no more than the piece under way; what came is gone on with another time."""
        self._is_left = True
        self._thread.join()

    @property
    def _is_over(self) -> bool:
        return self._whole is not None or self._failure is not None

    def _fetch(self) -> None:
        try:
            whole = self._spool.fetch(self._folder, self._lying, self._has_come)
            failure = None
        except BaseException as error:  # handed to whoever reads
            whole, failure = None, error
        with self._came:
            self._whole, self._failure = whole, failure
            if whole is not None:
                self._there, self._path = self._lying.size, whole[0]
            self._came.notify_all()

    def _has_come(self, path: Path, size: int) -> None:
        with self._came:
            self._path, self._there = path, size
            if size >= self._wanted:
                self._came.notify_all()
        if self._is_left:
            raise Left


class Left(Exception):
    """Nobody waits for the rest."""


class _Stream(io.RawIOBase):
    """The file under its fetch: opened once, for it keeps its bytes when it is renamed."""

    def __init__(self, arriving: ArrivingFile, path: Path) -> None:
        self._arriving = arriving
        self._file = path.open("rb", buffering=0)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def readinto(self, buffer: object) -> int:
        view = memoryview(buffer).cast("B")  # type: ignore[arg-type] # any writable buffer, as `io` hands it
        place = self._file.tell()
        there = self._arriving.wait(min(place + len(view), self._arriving.size))
        return self._file.readinto(view[: max(0, min(len(view), there - place))]) or 0

    def close(self) -> None:
        self._file.close()
        super().close()


def _samples(folder: RemoteFolder, lying: Lying) -> dict[int, bytes]:
    assert isinstance(folder, AnyPlace)  # asked before
    return {place: folder.part(lying, place, size) for place, size in sample_places(lying.size)}
