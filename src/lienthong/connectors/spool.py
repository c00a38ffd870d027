"""Where fetched files wait until they are read: bounded, hashed on their way, resumed where a connection broke off, gone afterwards.

A folder of mode 0700 for each source. What is there under a file's identity (name, size, time, tag) is that file; a fetch that was cut off
goes on from its end. `known.json` remembers hashes, so that a file that has not changed is not fetched again to be recognised.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path, PurePosixPath
from typing import IO, Any

from lienthong.connectors.base import ReadContext
from lienthong.connectors.folder import Limits, Lying, RemoteFolder
from lienthong.contracts import Source
from lienthong.errors import HostileInputError, SourceError

_STILL_SECONDS = 2.0  # a file modified so lately may change within the same second of its server's clock
_MOST_KNOWN = 20_000
_KEPT_SECONDS = 2 * 86_400.0  # what a fetch that was cut off left
_ROOM_LEFT = 256 << 20
_UNSAFE = re.compile(r"[^\w.\- ]")


@cache
def _own() -> Path:
    """A folder of this process, removed at its end."""
    import atexit  # noqa: PLC0415 # only where nobody gave a folder

    folder = Path(tempfile.mkdtemp(prefix="lienthong-spool-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


@dataclass
class Spool:
    """The folder of one source."""

    folder: Path
    limits: Limits
    _known: dict[str, str] = field(default_factory=dict)
    _fetched: int = 0

    @classmethod
    @contextmanager
    def of(cls, source: Source, context: ReadContext, limits: Limits) -> Iterator[Spool]:
        """The source's own folder, nobody else at it meanwhile."""
        if context.only_looks:
            with tempfile.TemporaryDirectory(prefix="lienthong-look-") as name:
                yield cls(Path(name), limits)
            return
        folder = _folder(source, context)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with (folder / "busy").open("w") as busy:
            fcntl.flock(busy, fcntl.LOCK_EX)
            spool = cls(folder, limits)
            with suppress(OSError, ValueError):
                spool._known = dict(json.loads((folder / "known.json").read_text("utf-8")))
            spool._clear_old()
            yield spool

    def known(self, lying: Lying) -> str | None:
        """Hex SHA-256 of a file fetched before that has not changed since, as far as the place tells."""
        return self._known.get(_identity(lying))

    def fetch(
        self, folder: RemoteFolder, lying: Lying, has_come: Callable[[Path, int], None] = lambda *_: None
    ) -> tuple[Path, str]:  # fmt: skip
        """(the whole file, its hex SHA-256). Raises SourceError when it cannot be had whole, HostileInputError past the limits.

        `has_come` is told where the file grows and how far it has come, whenever that is more.
        """
        place = self.folder / _identity(lying)[:32]
        whole, part = place / _safe(lying.name), place / ".part"
        sha256 = self._known.get(_identity(lying))
        if sha256 is not None and whole.is_file():
            return whole, sha256
        place.mkdir(mode=0o700, exist_ok=True)
        self._check_room(lying)
        digest = hashlib.sha256()
        with part.open("a+b") as file:
            size = _hash_again(file, digest)
            if not self._is_same(lying) or (0 <= lying.size < size):
                file.truncate(0)
                digest, size = hashlib.sha256(), 0
            until = time.monotonic() + self.limits.max_seconds
            has_come(part, size)
            if size != lying.size:
                for piece in folder.pieces(lying, size):
                    size += len(piece)
                    self._count(lying, size, len(piece), until)
                    digest.update(piece)
                    file.write(piece)
                    file.flush()
                    has_come(part, size)
        if lying.size >= 0 and size != lying.size:
            raise SourceError(
                f"`{lying.name}`: tệp bị cắt khi tải / was cut off while it was fetched: {size} of {lying.size} bytes.",
                hint="Run again: it goes on from there.",
            )
        now = folder.facts(lying.name)
        if (now.size, now.modified, now.tag) != (lying.size, lying.modified, lying.tag):
            part.unlink()
            raise _changed(lying)
        part.rename(whole)
        self._remember(lying, digest.hexdigest())
        if sha256 not in (None, digest.hexdigest()):
            raise _changed(lying)  # it says it has not, but a run may have begun with what it was
        return whole, digest.hexdigest()

    def fetch_beside(self, folder: RemoteFolder, lying: Lying, others: Sequence[Lying]) -> None:
        """Fetch what belongs to a file that was fetched, and put it beside under the file's name with its own ending."""
        whole, _ = self.fetch(folder, lying)
        for other in others:
            path, _ = self.fetch(folder, other)
            path.rename(whole.with_suffix(PurePosixPath(other.name).suffix.lower()))
            self.remove(other)

    def remove(self, lying: Lying) -> None:
        """Let go of a file that was read."""
        shutil.rmtree(self.folder / _identity(lying)[:32], ignore_errors=True)

    def room(self) -> Path:
        """A fresh folder for members of an archive, for the caller to remove."""
        return Path(tempfile.mkdtemp(prefix="members-", dir=self.folder))

    def _is_same(self, lying: Lying) -> bool:
        """Whether what was begun can be gone on with: of a file the place tells nothing of, only anew."""
        return lying.size >= 0 and (lying.modified is not None or bool(lying.tag))

    def _count(self, lying: Lying, size: int, more: int, until: float) -> None:
        self._fetched += more
        if self._fetched > self.limits.max_bytes or (0 <= lying.size < size):
            raise HostileInputError(
                f"`{lying.name}`: dài hơn đã báo hoặc quá giới hạn / is longer than was told, or past `folder.max_bytes` ({self.limits.max_bytes})."
            )
        if time.monotonic() > until:
            raise SourceError(f"`{lying.name}`: tải quá lâu / takes longer than `folder.max_seconds` ({self.limits.max_seconds:g}).", hint="Run again: it goes on from there.")  # fmt: skip

    def _check_room(self, lying: Lying) -> None:
        free = shutil.disk_usage(self.folder).free
        if lying.size > self.limits.max_bytes:
            raise HostileInputError(
                f"`{lying.name}`: quá lớn / has {lying.size} bytes, more than `folder.max_bytes` ({self.limits.max_bytes})."
            )
        if lying.size + _ROOM_LEFT > free:
            raise SourceError(f"`{lying.name}`: không đủ chỗ để tải / there is no room to fetch it: {lying.size} bytes, {free} free.")

    def _remember(self, lying: Lying, sha256: str) -> None:
        is_still = lying.tag or (lying.modified is not None and time.time() - lying.modified > _STILL_SECONDS)
        self._known[_identity(lying)] = sha256
        if not is_still:
            return
        kept = dict(list(self._known.items())[-_MOST_KNOWN:])
        beside = self.folder / "known.json.part"
        beside.write_text(json.dumps(kept), encoding="utf-8")
        beside.replace(self.folder / "known.json")

    def _clear_old(self) -> None:
        for each in self.folder.iterdir():
            with suppress(OSError):
                if each.is_dir() and time.time() - each.stat().st_mtime > _KEPT_SECONDS:
                    shutil.rmtree(each, ignore_errors=True)


def _changed(lying: Lying) -> SourceError:
    return SourceError(
        f"`{lying.name}`: tệp thay đổi trong khi tải / the file changed while it was fetched.",
        hint="Let the delivery finish (write beside, then rename), or name a `folder.done_marker`; then run again.",
    )


def let_go(source: Source, context: ReadContext) -> None:
    """Remove whole files that were fetched, when a run is over; what was cut off stays to go on from."""
    folder = _folder(source, context)
    if context.only_looks or not folder.is_dir():
        return
    for each in folder.iterdir():
        if each.is_dir() and not (each / ".part").exists():
            shutil.rmtree(each, ignore_errors=True)


def _folder(source: Source, context: ReadContext) -> Path:
    what = json.dumps([source.name, source.connector, source.location, source.options], sort_keys=True, default=str)
    return (context.spool or _own()) / hashlib.sha256(what.encode()).hexdigest()[:32]


def _identity(lying: Lying) -> str:
    return hashlib.sha256(repr((lying.name, lying.size, lying.modified, lying.tag)).encode()).hexdigest()


def _safe(name: str) -> str:
    """The file's own name, for readers that look at its ending, without what a file system might not take."""
    base = _UNSAFE.sub("_", PurePosixPath(name.partition("?")[0]).name)[-100:].lstrip(".")
    return base or "file"


def _hash_again(file: IO[bytes], digest: Any) -> int:
    """Hash what is there already; how much it is."""
    file.seek(0)
    while piece := file.read(1 << 20):
        digest.update(piece)
    return os.fstat(file.fileno()).st_size
