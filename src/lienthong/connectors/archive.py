"""Files inside ZIP and 7z archives, unpacked one archive at a time, bounded, never outside their folder.

Names are only words here: what is unpacked is kept under names of ours. Sizes are counted while unpacking, for what an archive says of
itself may be a lie. An archive inside an archive is opened where the pattern asks for it (`*.zip!*.csv`), and none inside that.
"""

from __future__ import annotations

import hashlib
import io
import lzma
import re
import stat
import unicodedata
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from lienthong.connectors.folder import Packed, matcher
from lienthong.errors import HostileInputError, SourceError

SEVEN_ZIP = b"7z\xbc\xaf\x27\x1c"
MAX_RATIO = 1_000  # text packs to a hundredth at best; a bomb to a thousandth and less
RATIO_MATTERS_FROM = 64 << 20
MOST_DICTIONARY = 256 << 20  # memory a 7z archive may ask for while it is unpacked
PIECE = 1 << 20
SIP = 1 << 16
UTF8_FLAG, ENCRYPTED_FLAG, UNICODE_PATH = 0x800, 0x1, 0x7075  # APPNOTE 4.4.4, 4.6.9
_ENDING = re.compile(r"[A-Za-z0-9]{1,8}")
_DRIVE = re.compile(r"^[A-Za-z]:")
_VIETNAMESE = frozenset("àáảãạăằắẳẵặâầấẩẫậèéẻẽẹêềếểễệìíỉĩịòóỏõọôồốổỗộơờớởỡợùúủũụưừứửữựỳýỷỹỵđ")


@dataclass(frozen=True)
class Member:
    """One unpacked file. `name` as the archive has it, after those of the archives it lay in (`a.zip!b.csv`)."""

    name: str
    path: Path
    sha256: str
    size: int


@dataclass
class _Budget:
    """What is left of bytes and members, over all archives of a delivery's file."""

    what: str
    packed: Packed
    packed_bytes: int
    companions: tuple[str, ...] = ()
    spent: int = 0
    members: int = 0

    def count(self, more: int, size: int, packed_size: int, name: str) -> None:
        self.spent += more
        if self.spent > self.packed.max_bytes or (size > RATIO_MATTERS_FROM and size > MAX_RATIO * max(1, packed_size)):
            raise HostileInputError(
                f"`{self.what}`: bung nén quá lớn / `{name}` unpacks to more than {size} bytes from {packed_size}.",
                hint="Archive bombs are refused. If it is really this big, set `folder.max_unpacked_bytes`.",
            )

    def found(self, count: int) -> None:
        self.members += count
        if self.members > self.packed.max_members:
            raise HostileInputError(f"`{self.what}`: quá nhiều tệp / has more than {self.packed.max_members} members.")


def is_archive(name: str) -> bool:
    return name.lower().endswith((".zip", ".7z"))


def unpack(archive: Path, name: str, packed: Packed, into: Path, companions: Sequence[str] = ()) -> list[Member]:
    """All members the pattern names, in order of name; beside each, under its name, those that only differ in one of the endings `companions`.

    Raises SourceError when there is none, HostileInputError for a bomb or a trick.
    """
    outer, _, inner = packed.member.partition("!")
    budget = _Budget(name, packed, archive.stat().st_size, tuple(companions))
    found = _unpack_one(archive, name, outer, budget, into)
    if not inner:
        nested = next((each.name for each in found if is_archive(each.name)), None)
        if nested is not None:
            raise SourceError(
                f"`{name}`: `{nested}` là tệp nén trong tệp nén / is an archive inside an archive.",
                hint="To open it write `member: '*.zip!*.csv'`.",
            )
        return _named(name, found)
    result: list[Member] = []
    for number, each in enumerate(found):
        place = into / f"inside-{number}"
        place.mkdir()
        for member in _unpack_one(each.path, f"{name}!{each.name}", inner, budget, place):
            if is_archive(member.name):
                raise HostileInputError(f"`{name}!{each.name}`: tệp nén lồng quá sâu / holds another archive: opened once, never deeper.")
            result.append(Member(f"{name}!{each.name}!{member.name}", member.path, member.sha256, member.size))
        each.path.unlink()
    return result


def member_names(archive: Path, name: str, packed: Packed) -> list[str]:
    """What lies in an archive, by its own names, nothing unpacked. Raises SourceError, HostileInputError for a trick."""
    with _words(name, packed):
        with archive.open("rb") as stream:
            head = stream.read(6)
        if head == SEVEN_ZIP:
            import py7zr  # noqa: PLC0415 # a large import that only 7z archives need

            with py7zr.SevenZipFile(archive, password=packed.password or None) as opened:
                names = [each.filename for each in opened.files if not each.is_directory]
        elif head.startswith(b"PK"):
            with zipfile.ZipFile(archive) as listed:
                names = [_zip_name(each, packed.names) for each in listed.infolist() if not each.is_dir()]
        else:
            raise SourceError(f"`{name}`: không phải tệp ZIP hay 7z / is neither a ZIP nor a 7z archive.")
        _Budget(name, packed, 0).found(len(names))
        _check_names(names, name)
    return [each for each in names if not _is_left_beside(each)]


def _named(name: str, found: list[Member]) -> list[Member]:
    return [Member(f"{name}!{each.name}", each.path, each.sha256, each.size) for each in found]


def _is_left_beside(name: str) -> bool:
    """What programs leave beside the files of a folder: macOS its resources, Office its locks. Never a delivery, whatever its ending."""
    place = PurePosixPath(name)
    return name.startswith("__MACOSX/") or place.name.startswith(("._", "~$"))


def _unpack_one(archive: Path, name: str, pattern: str, budget: _Budget, into: Path) -> list[Member]:
    matches = matcher(pattern)

    def fits(member: str) -> bool:
        return matches(member) and not _is_left_beside(member)

    with archive.open("rb") as stream:
        head = stream.read(6)
    with _words(name, budget.packed):
        if head == SEVEN_ZIP:
            found = _unpack_7z(archive, name, fits, budget, into)
        elif head.startswith(b"PK"):
            found = _unpack_zip(archive, name, fits, budget, into)
        else:
            raise SourceError(f"`{name}`: không phải tệp ZIP hay 7z / is neither a ZIP nor a 7z archive.")
    if not found:
        raise SourceError(f"`{name}`: không có tệp nào khớp `{pattern}` / no member fits `{pattern}`.")
    return sorted(found, key=lambda each: each.name)


def _unpack_zip(archive: Path, what: str, fits: Callable[[str], bool], budget: _Budget, into: Path) -> list[Member]:
    with zipfile.ZipFile(archive) as opened:
        entries = [each for each in opened.infolist() if not each.is_dir()]
        budget.found(len(entries))
        names = [_zip_name(each, budget.packed.names) for each in entries]
        _check_names(names, what)
        places = _places(names, fits, budget.companions)
        wanted = [(name, entry) for name, entry in zip(names, entries, strict=True) if name in places]
        for name, entry in wanted:
            if stat.S_ISLNK(entry.external_attr >> 16):
                raise HostileInputError(f"`{what}`: `{name}` là liên kết / is a link, which no delivery needs.")
            if entry.flag_bits & ENCRYPTED_FLAG and not budget.packed.password:
                raise _locked(what)
        found = [
            _write(into / places[name], what, name, _zip_pieces(opened, entry, budget), entry.file_size, entry.compress_size, budget)
            for name, entry in wanted
        ]
        return [each for each in found if fits(each.name)]


def _places(names: Sequence[str], fits: Callable[[str], bool], companions: Sequence[str]) -> dict[str, str]:
    """Members that are unpacked, and the names of ours they are kept under: numbers, with their endings, one number for what belongs together."""
    places: dict[str, str] = {}
    by_stem: dict[tuple[str, str], str] = {}
    for name in names:
        stem, dot, ending = name.rpartition(".")
        if dot and f".{ending.lower()}" in companions:
            by_stem[(stem.lower(), f".{ending.lower()}")] = name
    for number, name in enumerate(each for each in names if fits(each)):
        stem, _, ending = name.rpartition(".")
        places[name] = f"{number}.{ending.lower()}" if _ENDING.fullmatch(ending) else str(number)
        for side in companions:
            beside = by_stem.get((stem.lower(), side))
            if beside is not None and beside not in places:
                places[beside] = f"{number}{side}"
    return places


def _zip_pieces(opened: zipfile.ZipFile, entry: zipfile.ZipInfo, budget: _Budget) -> Iterator[bytes]:
    password = budget.packed.password.encode() if entry.flag_bits & ENCRYPTED_FLAG else None
    with opened.open(entry, pwd=password) as stream:
        while piece := stream.read(PIECE):
            yield piece


def _zip_name(entry: zipfile.ZipInfo, encoding: str) -> str:
    """The name in its own encoding: UTF-8 where the archive says so, else as its bytes read best; DOS programs of the country wrote CP1258."""
    if entry.flag_bits & UTF8_FLAG:
        return unicodedata.normalize("NFC", entry.filename)
    raw = entry.orig_filename.encode("cp437", "replace")
    told = _unicode_path(entry.extra, raw)
    if told is not None:
        return unicodedata.normalize("NFC", told)
    for codec in (encoding,) if encoding else ("utf-8", "cp1258"):
        try:
            name = unicodedata.normalize("NFC", raw.decode(codec))
        except (UnicodeDecodeError, LookupError):
            continue
        if encoding or codec == "utf-8" or {each for each in name.lower() if not each.isascii()} <= _VIETNAMESE:
            return name
    return entry.filename


def _unicode_path(extra: bytes, raw: bytes) -> str | None:
    """Info-ZIP's Unicode path (APPNOTE 4.6.9), when it is of this name."""
    while len(extra) >= 4:
        kind, size = int.from_bytes(extra[:2], "little"), int.from_bytes(extra[2:4], "little")
        body, extra = extra[4 : 4 + size], extra[4 + size :]
        if kind == UNICODE_PATH and len(body) > 5 and int.from_bytes(body[1:5], "little") == zlib.crc32(raw):
            return body[5:].decode("utf-8", "strict")
    return None


def _unpack_7z(archive: Path, what: str, fits: Callable[[str], bool], budget: _Budget, into: Path) -> list[Member]:
    import py7zr  # noqa: PLC0415 # a large import that only 7z archives need
    from py7zr.exceptions import PasswordRequired  # noqa: PLC0415 # as above

    try:
        with _Sips(archive) as stream, py7zr.SevenZipFile(stream, password=budget.packed.password or None) as opened:
            files = list(opened.files)
            entries = [each for each in files if not each.is_directory]
            budget.found(len(entries))
            _check_names([each.filename for each in entries], what)
            _check_dictionary(opened, what)
            if opened.password_protected and not budget.packed.password:
                raise _locked(what)
            places = _places([each.filename for each in entries], fits, budget.companions)
            wanted = [each for each in entries if each.filename in places]
            link = next((each for each in wanted if each.is_symlink or each.is_junction), None)
            if link is not None:
                raise HostileInputError(f"`{what}`: `{link.filename}` là liên kết / is a link, which no delivery needs.")
            if not wanted:
                return []
            sinks = _Sinks(into, what, budget, {_key(each.filename): each for each in wanted}, places)
            stream.most = SIP
            opened.extract(targets=[each.filename for each in wanted], factory=sinks)
            return [each for each in sinks.members() if fits(each.name)]
    except PasswordRequired as error:
        raise _locked(what) from error


class _Sips(io.FileIO):
    """A file read so much at a time, once that is said: py7zr holds whole what one piece of an archive unpacks to, a hundred times its size."""

    most = -1

    def read(self, size: int | None = -1) -> bytes:
        asked = -1 if size is None else size
        return super().read(asked if self.most < 0 else min(asked, self.most) if asked >= 0 else self.most) or b""


def _check_dictionary(opened: Any, what: str) -> None:
    """Raises HostileInputError when unpacking would ask for more memory than we give: the archive says how much."""
    streams = opened.header.main_streams
    for folder in streams.unpackinfo.folders if streams is not None else ():
        for coder in folder.coders:
            method, told = coder["method"], coder.get("properties") or b""
            size = 0
            if method == b"\x21" and told:  # LZMA2
                size = (2 | (told[0] & 1)) << (told[0] // 2 + 11) if told[0] < 40 else 1 << 32
            elif method in (b"\x03\x01\x01", b"\x03\x04\x01") and len(told) >= 5:  # LZMA, PPMd
                size = int.from_bytes(told[1:5], "little")
            if size > MOST_DICTIONARY:
                raise HostileInputError(f"`{what}`: cần quá nhiều bộ nhớ / asks for {size} bytes of memory to be unpacked.")


def _key(name: str) -> str:
    """A member's name as py7zr gives it to whom it lets write."""
    return PurePosixPath(*(part for part in PurePosixPath(name).parts if part != ".")).as_posix()


class _Sinks:
    """Where py7zr writes each member: a file of ours, hashed and bounded. Raises HostileInputError for a name that was not asked for."""

    def __init__(self, into: Path, what: str, budget: _Budget, wanted: Mapping[str, Any], places: Mapping[str, str]) -> None:
        self._into, self._what, self._budget, self._wanted, self._places = into, what, budget, wanted, places
        self._made: list[tuple[Any, _Sink]] = []

    def create(self, filename: str, mode: str = "r+b") -> _Sink:  # noqa: ARG002 # as py7zr calls it
        entry = self._wanted.get(filename)
        if entry is None:
            raise HostileInputError(f"`{self._what}`: tên tệp bên trong không rõ ràng / a member is not what its name says.")
        sink = _Sink(self._into / self._places[entry.filename], entry.filename, self._budget)
        self._made.append((entry, sink))
        return sink

    def members(self) -> list[Member]:
        found = []
        for entry, sink in self._made:
            sink.close()
            if sink.written != entry.uncompressed:
                raise HostileInputError(f"`{self._what}`: `{sink.name}` says {entry.uncompressed} bytes, unpacks to {sink.written}.")
            found.append(Member(sink.name, sink.path, sink.digest.hexdigest(), sink.written))
        return found


class _Sink:
    """As py7zr's Py7zIO: written once from beginning to end."""

    def __init__(self, path: Path, name: str, budget: _Budget) -> None:
        self.path, self.name, self._budget = path, name, budget
        self.digest, self.written = hashlib.sha256(), 0
        self._file = path.open("w+b")

    def write(self, piece: bytes | bytearray) -> int:
        self.written += len(piece)
        self._budget.count(len(piece), self.written, self._budget.packed_bytes, self.name)
        self.digest.update(piece)
        return self._file.write(piece)

    def read(self, size: int | None = None) -> bytes:
        return self._file.read(-1 if size is None else size)

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._file.seek(offset, whence)

    def flush(self) -> None:
        self._file.flush()

    def size(self) -> int:
        return self.written

    def close(self) -> None:
        self._file.close()


def _write(path: Path, what: str, name: str, pieces: Iterator[bytes], told: int, packed_size: int, budget: _Budget) -> Member:
    digest, size = hashlib.sha256(), 0
    with path.open("wb") as file:
        for piece in pieces:
            size += len(piece)
            budget.count(len(piece), size, packed_size, name)
            digest.update(piece)
            file.write(piece)
    if size != told:
        raise HostileInputError(f"`{what}`: `{name}` says {told} bytes, unpacks to {size}.")
    return Member(name, path, digest.hexdigest(), size)


def _check_names(names: list[str], what: str) -> None:
    """Raises HostileInputError for a name that leads out of its folder, or that is there twice."""
    for name in names:
        if name.startswith(("/", "\\")) or _DRIVE.match(name) or "\0" in name or ".." in PurePosixPath(name.replace("\\", "/")).parts:
            raise HostileInputError(f"`{what}`: tên tệp bên trong dẫn ra ngoài / the name of a member leads out of its folder.")
    if len(set(names)) != len(names):
        raise HostileInputError(f"`{what}`: hai tệp trùng tên / two of its members have one name.")


def _locked(what: str) -> SourceError:
    return SourceError(
        f"`{what}`: tệp nén có mật khẩu / the archive is protected by a password.",
        hint="Put it into a secret and name that in `folder.member_password`.",
    )


@contextmanager
def _words(name: str, packed: Packed) -> Iterator[None]:
    perhaps = (", hoặc mật khẩu sai", ", or its password is wrong") if packed.password else ("", "")
    try:
        yield
    except (SourceError, MemoryError):
        raise
    except NotImplementedError as error:  # zipfile says so of a method it does not know; it is a RuntimeError too, so it stands before that
        raise SourceError(
            f"`{name}`: kiểu nén hoặc mã hóa chưa đọc được / is packed or encrypted in a way that is not read.",
            hint="Pack it anew as ZIP or 7z.",
        ) from error
    except RuntimeError as error:  # zipfile says so of a wrong password
        raise SourceError(f"`{name}`: mật khẩu tệp nén không đúng / the archive's password is wrong.") from error
    except (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, OSError, ValueError, UnicodeDecodeError) as error:
        raise SourceError(
            f"`{name}`: tệp nén hỏng hoặc bị cắt{perhaps[0]} / the archive is damaged or cut off{perhaps[1]} ({type(error).__name__})."
        ) from error
    except Exception as error:
        if type(error).__module__.partition(".")[0] not in ("py7zr", "inflate64", "pyppmd", "pybcj", "_lzma"):
            raise
        raise SourceError(f"`{name}`: tệp nén hỏng{perhaps[0]} / the archive is damaged{perhaps[1]}.") from error
