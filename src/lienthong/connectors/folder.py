"""Folders somewhere else: what one can say of its files, and how each kind is opened. The kinds are beside (`folder_sftp`, …).

Readers of formats know nothing of this: `files` fetches what they are to read.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import Protocol
from urllib.parse import SplitResult, unquote, urlsplit

from fsspec.utils import glob_translate

from lienthong.connectors.addresses import connected, judged
from lienthong.connectors.base import ReadContext
from lienthong.connectors.options import Options
from lienthong.connectors.variables import expand
from lienthong.contracts import Source
from lienthong.errors import HostileInputError, SourceError

MOST_LISTED = 100_000  # entries looked at in one listing
PATTERN = re.compile(r"[*?\[]")
PORTS = {"sftp": 22, "ftp": 21, "ftps": 21, "http": 80, "https": 443, "webdav+http": 80, "webdav+https": 443, "imap": 143, "imaps": 993}
REMOTE = re.compile(r"^([a-z0-9]+(?:\+[a-z]+)?)://")


@dataclass(frozen=True)
class Lying:
    """A file where it lies. `name` is relative to the folder; `size` -1: not told; `modified`: seconds; `tag`: what the place says of its content."""

    name: str
    size: int = -1
    modified: float | None = None
    tag: str = ""


@dataclass(frozen=True)
class Entry:
    """What a listing has: a file, a folder, or neither (a link that leads out, a device)."""

    facts: Lying
    is_folder: bool = False


@dataclass(frozen=True)
class Address:
    """Where a folder is, taken apart. `wanted` is a name or a pattern relative to `folder`."""

    scheme: str
    host: str
    port: int
    user: str
    password: str
    folder: str
    wanted: str
    is_pattern: bool

    @property
    def where(self) -> str:
        """The folder without user and password, for people."""
        port = f":{self.port}" if self.port != PORTS.get(self.scheme) and self.port else ""
        return f"{self.scheme}://{self.host}{port}{self.folder}"


Stage = str  # resolved, connected, encrypted, host_key, signed_in: how far the opening of a folder has come


class RemoteFolder(Protocol):
    """A folder somewhere else. Every method raises SourceError in words for what the other side does."""

    epoch: str | None  # names only grow, under this numbering (a mailbox); None: files come and go as they like

    def opening(self) -> Iterator[Stage]:
        """Opens it, telling each stage that is reached."""
        ...

    def found(self, accepts: Callable[[str], bool], after: str | None) -> list[Lying]:
        """Files whose names are accepted; `after`: of growing names only those not before this one need be told."""
        ...

    def facts(self, name: str) -> Lying:
        """What the place says of one file now. Raises SourceError when it is gone."""
        ...

    def pieces(self, lying: Lying, offset: int) -> Iterator[bytes]:
        """The file's bytes from `offset` on."""
        ...

    def close(self) -> None:
        """Give the connection back; never raises."""
        ...


@dataclass(frozen=True)
class Limits:
    """How much is fetched at most, and how long is waited. `max_bytes` is of all files of one delivery."""

    max_bytes: int
    max_files: int
    max_seconds: float
    timeout_seconds: float


@dataclass(frozen=True)
class Arrival:
    """Which files count and in which order they came."""

    order: str = "name"
    order_pattern: re.Pattern[str] | None = None
    done_marker: str = ""
    still_seconds: float = 0.0
    take: str = "all"


@dataclass(frozen=True)
class Packed:
    """Which members of archives are the files: a pattern; with `!` once, members of archives inside."""

    member: str = ""
    password: str = ""
    names: str = ""
    max_bytes: int = 0
    max_members: int = 0


@dataclass(frozen=True)
class FolderOptions:
    """The option `folder` of a source of files, without what only one kind of place knows (`own`)."""

    arrival: Arrival
    limits: Limits
    packed: Packed
    is_watched: bool
    own: Options

    @classmethod
    def of(cls, source: Source, context: ReadContext) -> FolderOptions:
        """Raises SourceError for a word that is not understood, when `own` is closed."""
        own = Options.of_folder(source, context)
        arrival = Arrival(
            own.choice("order", ("name", "modified", "number", "date"), "name"),
            own.expression("order_pattern"),
            own.text("done_marker"),
            own.seconds("still_seconds", 0.0),
            own.choice("take", ("all", "newest"), "all"),
        )
        limits = Limits(
            own.number("max_bytes", 20 << 30, 1),
            own.number("max_files", 10_000, 1),
            own.seconds("max_seconds", 4 * 3600.0),
            own.seconds("timeout_seconds", 60.0),
        )
        packed = Packed(
            own.text("member"),
            own.text("member_password"),
            own.text("member_names"),
            own.number("max_unpacked_bytes", 20 << 30, 1),
            own.number("max_members", 10_000, 1),
        )
        if packed.member.count("!") > 1:
            raise own.wrong("member", "at most one `!`: archives inside archives are opened once", packed.member)
        if "/" in arrival.done_marker:
            raise own.wrong("done_marker", "the name of a file beside, such as `*.done`", arrival.done_marker)
        return cls(arrival, limits, packed, own.flag("watch", default=False), own)


def is_remote(location: str) -> bool:
    """Whether an expanded location leads to another machine."""
    return REMOTE.match(location) is not None


def read_address(source: Source, context: ReadContext) -> Address:
    """The location, its variables filled before it is taken apart. Raises SourceError, HostileInputError."""
    place = _split(expand(source.location, context.variables), source)
    try:
        port = place.port
    except ValueError as error:
        raise SourceError(f"Nguồn/source `{source.name}`: cổng không hợp lệ / its location has no such port.") from error
    path = place.path if place.scheme.startswith(("http", "webdav")) else unquote(place.path)
    if ".." in PurePosixPath(path).parts or "\0" in path:
        raise HostileInputError(f"Nguồn/source `{source.name}`: vị trí không được chứa `..` / its location must not contain `..`.")
    if not place.hostname and place.scheme != "s3":
        raise SourceError(f"Nguồn/source `{source.name}`: thiếu tên máy chủ / its location names no host.")
    folder, wanted, is_pattern = _cut(path)
    return Address(
        place.scheme, place.hostname or "", port or PORTS.get(place.scheme, 0), unquote(place.username or ""), unquote(place.password or ""),
        folder, f"{wanted}?{place.query}" if place.query else wanted, is_pattern,
    )  # fmt: skip


def _split(location: str, source: Source) -> SplitResult:
    """`urlsplit`, but `?` and `#` belong to the path: they are signs of patterns, and of names."""
    scheme = location.partition("://")[0]
    plain = location if scheme.startswith("http") and not PATTERN.search(location.partition("?")[0]) else location.replace("?", "%3F")
    try:
        place = urlsplit(plain.replace("#", "%23"))
    except ValueError as error:
        raise SourceError(f"Nguồn/source `{source.name}`: không đọc được vị trí / its location cannot be read as an address.") from error
    return place._replace(path=place.path.replace("%3F", "?").replace("%23", "#"))


def _cut(path: str) -> tuple[str, str, bool]:
    """(the folder, the name or pattern in it, whether it is a pattern)."""
    parts = path.split("/")
    first = next((place for place, part in enumerate(parts[:-1]) if PATTERN.search(part)), len(parts) - 1)
    folder, wanted = "/".join(parts[:first]) or "/", "/".join(parts[first:])
    return folder, wanted, bool(PATTERN.search(wanted))


def matcher(pattern: str) -> Callable[[str], bool]:
    """Whether a relative name fits `*`, `?`, `[…]`, `**`."""
    compiled = re.compile(glob_translate(pattern))
    return lambda name: compiled.match(name) is not None


def walk(list_one: Callable[[str], Iterator[Entry]], accepts: Callable[[str], bool], pattern: str) -> list[Lying]:
    """Files under a folder that are accepted; goes no deeper than the pattern does. `list_one` gives one folder, names as they are in it."""
    depth = None if "**" in pattern else pattern.count("/")
    found: list[Lying] = []
    waiting, looked = [("", 0)], 0
    while waiting:
        folder, level = waiting.pop()
        for entry in list_one(folder):
            looked += 1
            if looked > MOST_LISTED:
                raise SourceError(f"Thư mục có quá nhiều tệp / more than {MOST_LISTED} entries are listed.", hint="Name a narrower folder.")
            name = entry.facts.name
            if not name or "/" in name or "\0" in name or name in (".", ".."):
                if name in (".", ".."):
                    continue
                raise HostileInputError("Máy chủ kể một tên tệp không hợp lệ / the server lists a name that leads out of its folder.")
            whole = f"{folder}{name}"
            if entry.is_folder:
                if depth is None or level < depth:
                    waiting.append((f"{whole}/", level + 1))
            elif accepts(whole):
                found.append(replace(entry.facts, name=whole))
    return found


def checked_names(lying: Sequence[Lying]) -> None:
    """Raises HostileInputError for a name that is no name of a file in the folder."""
    for each in lying:
        if each.name.startswith("/") or ".." in PurePosixPath(each.name).parts or "\0" in each.name:
            raise HostileInputError("Máy chủ kể một tên tệp không hợp lệ / the server lists a name that leads out of its folder.")


def open_folder(address: Address, options: FolderOptions, context: ReadContext) -> RemoteFolder:
    """The folder, not opened yet. Raises SourceError for a scheme there is none of and for options it does not know."""
    from lienthong.connectors.folder_ftp import FtpFolder  # noqa: PLC0415 # each kind brings a library only its sources need
    from lienthong.connectors.folder_http import HttpFolder  # noqa: PLC0415 # as above
    from lienthong.connectors.folder_mail import MailFolder  # noqa: PLC0415 # as above
    from lienthong.connectors.folder_s3 import S3Folder  # noqa: PLC0415 # as above
    from lienthong.connectors.folder_sftp import SftpFolder  # noqa: PLC0415 # as above

    kinds: dict[str, Callable[[Address, FolderOptions, ReadContext], RemoteFolder]] = {
        "sftp": SftpFolder, "ftp": FtpFolder, "ftps": FtpFolder, "s3": S3Folder, "http": HttpFolder, "https": HttpFolder,
        "webdav+http": HttpFolder, "webdav+https": HttpFolder, "imap": MailFolder, "imaps": MailFolder,
    }  # fmt: skip
    if address.scheme not in kinds:
        raise SourceError(
            f"Vị trí / location `{address.scheme}://…`: không biết loại này / there is no such kind of place.",
            hint=f"Known: {', '.join(kinds)}.",
        )
    folder = kinds[address.scheme](address, options, context)
    options.own.close()
    return folder


def reach(address: Address, options: FolderOptions, context: ReadContext) -> Generator[Stage, None, socket.socket]:
    """Stages `resolved` and `connected`; gives the connection."""
    addresses = judged(address.host, address.port, context.networks)
    yield "resolved"
    opened = connected(address.host, address.port, addresses, options.limits.timeout_seconds)
    yield "connected"
    return opened
