"""Files of a source: found safely wherever they lie, hashed, read one after another, resumed exactly.

Files of another machine are fetched into a spool when they are reached, members of archives unpacked there; readers of formats get a path
and know nothing of it. The position of a file source is `{"file", "size", "before", "at"}`: the file reached, its size then, a digest of
names and sizes of the files before it, and the reader's own place inside the file (of an archive the member and the place in it). Of
files elsewhere it also says whether the file was read to its end (`whole`, with its `columns`): it is then not fetched again.
"""

from __future__ import annotations

import glob
import hashlib
import os
import re
import shutil
import stat
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePath, PurePosixPath
from typing import Any, Protocol

import pyarrow as pa

from lienthong.connectors.archive import Member, unpack
from lienthong.connectors.arrival import arrived
from lienthong.connectors.arriving import ArrivingFile, gives_parts
from lienthong.connectors.base import Batch, Position, ReadContext, SourceFile
from lienthong.connectors.folder import FolderOptions, Lying, RemoteFolder, is_remote, matcher, open_folder, read_address
from lienthong.connectors.spool import Spool
from lienthong.connectors.variables import expand
from lienthong.contracts import Delivery, Source
from lienthong.errors import HostileInputError, SourceError
from lienthong.log import get_logger

_PATTERN = re.compile(r"[*?\[]")
_STILL_SECONDS = 2.0
_MOST_HASHES = 4_096
_hashes: dict[tuple[str, int, int, int, int, int], str] = {}
COMPANIONS: Mapping[str, tuple[str, ...]] = {"shapefile": (".dbf", ".prj", ".cpg")}  # endings of what a connector reads beside a file
log = get_logger("sources")


@dataclass(frozen=True)
class FoundFile:
    """A file to be read. One that is still `arriving` has no path yet but its name."""

    path: Path
    file: SourceFile
    arriving: ArrivingFile | None = None


@dataclass(frozen=True)
class Coming:
    """One file elsewhere that nobody has fetched yet. `mark`: what it is as far as its place tells, as long as its hash is not known."""

    mark: str
    size: int


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
            has_not_come=True,
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
    """Hex digest of the content of all files in their order, whatever they are called.

    Increments that lie elsewhere are not fetched for it: then it is of names, sizes and times.
    """
    digest = hashlib.sha256()
    with _delivery(source, context) as delivery:
        for place in delivery.places:
            known = delivery.hash_of(place) if delivery.folder is None or source.delivery is Delivery.SNAPSHOT else ""
            digest.update(bytes.fromhex(known) if known else repr(place.lying).encode())
            for beside in place.beside:
                digest.update(repr(beside).encode())
    return digest.hexdigest()


def fingerprint_of(sha256: str) -> str:
    """What `fingerprint_files` gives for one file with that hash."""
    return hashlib.sha256(bytes.fromhex(sha256)).hexdigest()


def coming_file(source: Source, context: ReadContext, begun: str | None) -> Coming | None:
    """The file of a snapshot that can be read while it is fetched; None where there are several, or its hash is known already.

    `begun`: the mark of a reading that was cut off, which is gone on with whatever is known by now.
    """
    if source.delivery is not Delivery.SNAPSHOT or not is_remote(expand(source.location, context.variables)):
        return None
    with _delivery(source, context) as delivery:
        if delivery.spool is None or len(delivery.places) != 1 or delivery.options.packed.member or delivery.companions:
            return None
        lying = delivery.places[0].lying
        mark = f"arriving:{hashlib.sha256(repr(lying).encode()).hexdigest()}"
        can_be_read = gives_parts(delivery.folder) and lying.size > 0 and (lying.modified is not None or bool(lying.tag))
        return Coming(mark, lying.size) if can_be_read and (mark == begun or delivery.spool.known(lying) is None) else None


def listed_files(source: Source, context: ReadContext) -> list[Lying]:
    """What is there to be read now, in its order, without reading it or waiting for who does. Raises like `find_files`."""
    options = FolderOptions.of(source, context)
    if not is_remote(expand(source.location, context.variables)):
        options.own.close()
        return [place.lying for place in _local_places(source, context, options)]
    address = read_address(source, context)
    folder = open_folder(address, options, context)
    try:
        for _ in folder.opening():
            pass
        lying = list_folder(folder, address.wanted if address.is_pattern else glob.escape(address.wanted), options, None)
    finally:
        folder.close()
    if not lying:
        raise nothing_found(f"{address.where.rstrip('/')}/{address.wanted}")
    return lying


@dataclass(frozen=True)
class _Place:
    """A file in its order. `before`: digest of names and sizes of the files before it, or the numbering its name belongs to."""

    number: int
    lying: Lying
    before: str
    path: Path | None = None  # of a file of this machine
    beside: tuple[Lying, ...] = ()  # elsewhere: what is read together with it

    @property
    def name(self) -> str:
        return self.lying.name

    @property
    def size(self) -> int:
        return self.lying.size


@dataclass(frozen=True)
class _Delivery:
    """All files of a source, and how one gets at them."""

    options: FolderOptions
    places: Sequence[_Place]
    spool: Spool | None = None
    folder: RemoteFolder | None = None
    companions: tuple[str, ...] = ()
    is_arriving: bool = False
    is_let_go: bool = True  # a file elsewhere, as soon as it is read; of a snapshot only when the run is over: it may have to be read again

    def hash_of(self, place: _Place) -> str:
        """Hex SHA-256 of a file; one that lies elsewhere is fetched for it unless it is known."""
        if place.path is not None:
            return hash_file(place.path)
        assert self.spool is not None  # files elsewhere have one
        assert self.folder is not None
        return self.spool.known(place.lying) or self.spool.fetch(self.folder, place.lying)[1]

    @contextmanager
    def opened(self, place: _Place) -> Iterator[Sequence[FoundFile]]:
        """The file, or the members of an archive, there to be read; fetched and unpacked before."""
        with ExitStack() as stack:
            path = place.path
            if path is None and self.is_arriving:
                assert self.spool is not None  # files elsewhere have one
                assert self.folder is not None
                arriving = ArrivingFile(self.spool, self.folder, place.lying)
                stack.callback(arriving.leave)
                yield [FoundFile(Path(PurePosixPath(place.name).name), SourceFile(uri=place.name, size_bytes=place.size), arriving)]
                return
            if path is None:
                assert self.spool is not None  # files elsewhere have one
                assert self.folder is not None
                path, sha256 = self.spool.fetch(self.folder, place.lying)
                if self.is_let_go:
                    stack.callback(self.spool.remove, place.lying)
                self.spool.fetch_beside(self.folder, place.lying, place.beside)
            else:
                sha256 = hash_file(path)
            if not self.options.packed.member:
                yield [FoundFile(path, SourceFile(uri=place.name, sha256=sha256, size_bytes=path.stat().st_size))]
                return
            assert self.spool is not None  # archives have one
            room = self.spool.room()
            stack.callback(shutil.rmtree, room, ignore_errors=True)
            yield [_found(member) for member in unpack(path, place.name, self.options.packed, room, self.companions)]


def _found(member: Member) -> FoundFile:
    return FoundFile(member.path, SourceFile(uri=member.name, sha256=member.sha256, size_bytes=member.size))


@contextmanager
def _delivery(source: Source, context: ReadContext, after: Position | None = None) -> Iterator[_Delivery]:
    """The source's files as they lie now. Raises SourceError when there are none."""
    options = FolderOptions.of(source, context)
    with ExitStack() as stack:
        if is_remote(expand(source.location, context.variables)):
            address = read_address(source, context)
            folder = open_folder(address, options, context)
            stack.callback(folder.close)
            for _ in folder.opening():
                pass
            spool = stack.enter_context(Spool.of(source, context, options.limits))
            lying = list_folder(folder, address.wanted if address.is_pattern else glob.escape(address.wanted), options, after)
            if not lying and (folder.epoch is None or after is None):
                raise nothing_found(f"{address.where.rstrip('/')}/{address.wanted}")
            companions = () if options.packed.member else COMPANIONS.get(source.connector, ())
            places = [replace(place, beside=_beside(folder, place.lying, companions)) for place in _in_order(lying, epoch=folder.epoch)]
            is_let_go = source.delivery is not Delivery.SNAPSHOT
            yield _Delivery(options, places, spool, folder, COMPANIONS.get(source.connector, ()), context.as_it_arrives, is_let_go)
            return
        options.own.close()
        spool_here = stack.enter_context(Spool.of(source, context, options.limits)) if options.packed.member else None
        yield _Delivery(options, _local_places(source, context, options), spool_here, companions=COMPANIONS.get(source.connector, ()))


def list_folder(folder: RemoteFolder, pattern: str, options: FolderOptions, after: Position | None) -> list[Lying]:
    """Files of a folder elsewhere that are whole, in order."""
    arrival, exact = options.arrival, glob.escape(_unescaped(pattern)) == pattern
    if exact and not arrival.done_marker and folder.epoch is None:
        return arrived(lambda: [folder.facts(_unescaped(pattern))], arrival, lambda _: True)
    fits, marks = matcher(pattern), matcher(f"**/{arrival.done_marker}") if arrival.done_marker else None
    names: set[str] = set()
    reached = None if after is None or after.get("before") != folder.epoch else str(after["file"])

    def list_files() -> list[Lying]:
        found = folder.found(lambda name: fits(name) or (marks is not None and marks(name)), reached)
        names.update(each.name for each in found)
        return [each for each in found if folder.epoch is not None or fits(each.name)]

    lying = arrived(list_files, arrival, lambda markers: not names.isdisjoint(markers))
    if len(lying) > options.limits.max_files:
        raise SourceError(f"Quá nhiều tệp / {len(lying)} files fit, more than `folder.max_files` ({options.limits.max_files}).")
    return lying


def _beside(folder: RemoteFolder, lying: Lying, companions: Sequence[str]) -> tuple[Lying, ...]:
    """Files that only differ from one in their ending, where they are there."""
    found = []
    for ending in companions:
        for name in (str(PurePosixPath(lying.name).with_suffix(each)) for each in (ending, ending.upper())):
            with suppress(SourceError):
                found.append(folder.facts(name))
                break
    return tuple(found)


def _unescaped(pattern: str) -> str:
    return re.sub(r"\[([*?\[])\]", r"\1", pattern)


def nothing_found(where: str) -> SourceError:
    return SourceError(
        f"`{where}`: không tìm thấy tệp nào / no file found.",
        hint="Has the agency delivered? Look at the folder and at the variables in the location.",
        has_not_come=True,
    )


def _local_places(source: Source, context: ReadContext, options: FolderOptions) -> list[_Place]:
    paths: dict[str, Path] = {}
    base: list[Path] = []

    def list_files() -> list[Lying]:
        found = find_files(source, context)
        folders = {str(path.parent) for path in found}
        base[:] = [Path(folders.pop() if len(folders) == 1 else os.path.commonpath(folders))]
        paths.update({str(path.relative_to(base[0])): path for path in found})
        return [_local_facts(path, base[0]) for path in found]

    lying = arrived(list_files, options.arrival, lambda markers: any((base[0] / each).exists() for each in markers))
    return [replace(place, path=paths[place.name]) for place in _in_order(lying)]


def _local_facts(path: Path, base: Path) -> Lying:
    state = path.stat()
    return Lying(str(path.relative_to(base)), state.st_size, state.st_mtime_ns / 1e9)


def read_files(source: Source, context: ReadContext, after: Position | None, reader: FileReader) -> Iterator[Batch]:
    """Batches of all files in their order; one of no rows when nothing is left.

    A delivery of increments is read again whole when a file before the reached one has come, gone or changed its size: rows known
    already cost nothing, a late file must not be missed. For a snapshot the same is a SourceError: half of each would be neither.
    A file with the very bytes of the one before it was sent twice, and gives no rows.
    """
    with _delivery(source, context, after) as delivery:
        after = _still_true(source, delivery, after)
        yield from _Reading(delivery, reader, after).batches()


@dataclass
class _Reading:
    delivery: _Delivery
    reader: FileReader
    after: Position | None
    expected: Sequence[str] | None = None
    empty: Batch | None = None
    any_rows: bool = False
    last_hash: str = field(default="")

    def batches(self) -> Iterator[Batch]:
        after = self.after
        if after is not None and "columns" in after:
            self.expected = after["columns"]
        for place in self.delivery.places:
            is_reached = after is not None and place.name == after["file"]
            if after is not None and not is_reached and self._is_behind(place, after):
                continue
            if after is not None and is_reached and after.get("whole") and place.size == after["size"]:
                self.last_hash = after.get("sha256", "")
                continue
            for batch in self._read_one(place, after["at"] if after is not None and is_reached else None):
                if batch.table.num_rows == 0 and not batch.broken:
                    self.empty = batch
                    self.expected = self.expected or batch.table.column_names
                    continue
                self.expected = _same_columns(self.expected, batch)
                self.any_rows = True
                is_same = batch.table.column_names == list(self.expected)
                yield batch if is_same else replace(batch, table=batch.table.select(self.expected))
        if not self.any_rows and self.empty is not None:
            yield self.empty
        elif not self.any_rows and self.expected is not None and after is not None:  # nothing new, and nothing was fetched to see it
            nothing = pa.table({name: pa.array([], pa.string()) for name in self.expected})
            yield Batch(SourceFile(uri=str(after["file"])), nothing, pa.array([], pa.int64()), after)

    def _is_behind(self, place: _Place, after: Position) -> bool:
        if self.delivery.folder is not None and self.delivery.folder.epoch is not None:
            return place.name < str(after["file"])
        reached = next((each.number for each in self.delivery.places if each.name == after["file"]), -1)
        return place.number < reached

    def _read_one(self, place: _Place, at: Mapping[str, Any] | None) -> Iterator[Batch]:
        before = None if place.path is None else place.path.stat()
        told = {"file": place.name, "size": place.size, "before": place.before}
        with self.delivery.opened(place) as found:
            if found and found[0].arriving is not None:
                yield from self._of_arriving(found[0], found[0].arriving, at, told)
                return
            digest = hashlib.sha256("".join(each.file.sha256 for each in found).encode()).hexdigest()
            if at is None and digest == self.last_hash:
                log.info("file_sent_twice", file=place.number)
                return
            self.last_hash = digest
            if place.path is not None:
                for batch in self._members(found, at):
                    yield replace(batch, position={**told, "at": dict(batch.position)})
            else:
                yield from self._of_elsewhere(found, at, {**told, "sha256": digest})
        if place.path is None or before is None:
            return
        now = place.path.stat()
        if (now.st_size, now.st_mtime_ns) != (before.st_size, before.st_mtime_ns):
            raise SourceError(
                f"`{place.name}`: tệp thay đổi trong khi đọc / the file changed while it was read.",
                hint="Let the delivery finish (write beside, then rename), then run again.",
            )

    def _of_elsewhere(self, found: Sequence[FoundFile], at: Mapping[str, Any] | None, told: Mapping[str, Any]) -> Iterator[Batch]:
        """Batches, the last of them marked as such: a file that was read to its end is not fetched again."""
        last: Batch | None = None
        for batch in self._members(found, at):
            if last is not None:
                yield replace(last, position={**told, "at": dict(last.position)})
            last = batch
        if last is not None:
            yield replace(last, position={**told, "at": dict(last.position), "whole": True, "columns": last.table.column_names})

    def _of_arriving(
        self, found: FoundFile, arriving: ArrivingFile, at: Mapping[str, Any] | None, told: Mapping[str, Any]
    ) -> Iterator[Batch]:
        """Batches of a file that is being fetched; the last one is given when it has come whole, and bears its hash."""
        last: Batch | None = None
        for batch in self._of_elsewhere([found], at, told):
            if last is not None:
                yield last
            last = batch
        _, sha256 = arriving.finished()
        if last is not None:
            digest = hashlib.sha256(sha256.encode()).hexdigest()
            yield replace(last, file=replace(last.file, sha256=sha256), position={**last.position, "sha256": digest})

    def _members(self, found: Sequence[FoundFile], at: Mapping[str, Any] | None) -> Iterator[Batch]:
        if not self.delivery.options.packed.member:
            yield from self.reader(found[0], at)
            return
        reached = None if at is None else at["member"]
        for each in found:
            if reached is not None and each.file.uri < reached:
                continue
            inside = at["at"] if at is not None and each.file.uri == reached else None
            for batch in self.reader(each, inside):
                yield replace(batch, position={"member": each.file.uri, "at": dict(batch.position)})


def _in_order(files: Sequence[Lying], epoch: str | None = None) -> list[_Place]:
    """Files with their numbers and what came before them."""
    digest = hashlib.sha256()
    places: list[_Place] = []
    for number, lying in enumerate(files):
        places.append(_Place(number, lying, digest.hexdigest()[:16] if epoch is None else epoch))
        digest.update(f"{lying.name}\0{lying.size}\0".encode())
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


def _still_true(source: Source, delivery: _Delivery, after: Position | None) -> Position | None:
    if after is None:
        return None
    if delivery.folder is not None and delivery.folder.epoch is not None:
        return after if after["before"] == delivery.folder.epoch else None
    reached = next((place for place in delivery.places if place.name == after["file"]), None)
    if reached is not None and reached.before == after["before"] and reached.size >= after["size"]:
        return after
    if source.delivery is Delivery.INCREMENTAL:
        return None
    raise SourceError(
        f"Nguồn/source `{source.name}`: các tệp đã thay đổi giữa chừng / its files changed since reading stopped at `{after['file']}`.",
        hint="Start the run again from the beginning.",
    )
