"""Whether a workbook may be opened at all: what it really is, and how big it gets when unpacked.

Sizes are counted while unpacking, for what a zip archive says of itself may be a lie.
"""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from lienthong.errors import HostileInputError, SourceError

MAX_UNPACKED_BYTES = 1024 * 1024 * 1024
MAX_RATIO = 300  # real workbooks stay below 60 : 1; a bomb is 1000 : 1
RATIO_MATTERS_FROM = 16 * 1024 * 1024
CHUNK = 1 << 20
MAX_ENTRIES = 20_000
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
# A formula whose result was never stored: the workbook was written by a program and never opened in Excel.
UNCOMPUTED = re.compile(rb"(?:</f>|<f\b[^>]*/>)(?:<v\s*/>|<v></v>)?</c>")
ENCRYPTED = "EncryptedPackage".encode("utf-16-le")


def kind_of(path: Path, name: str) -> str:
    """`xlsx`, `xlsb`, `ods` or `xls`, by what the bytes are. Raises SourceError for anything else, and for a workbook with a password."""
    with path.open("rb") as stream:
        head = stream.read(4096)
    if head.startswith(OLE):
        if _holds(path, ENCRYPTED):
            raise SourceError(f"`{name}`: tệp có mật khẩu / the workbook is protected by a password.", hint="Save it without a password.")
        return "xls"
    if head[:2] == b"\x09\x08" or head[:4] == b"\x09\x00\x04\x00":
        raise SourceError(f"`{name}`: Excel 5 hoặc cũ hơn / is of Excel 5 or older.", hint="Open it in Excel and save it as .xlsx.")
    if not head.startswith(b"PK"):
        is_page = b"<html" in head.lower() or b"<table" in head.lower()
        found = "trang web đặt tên Excel / a web page named as a workbook" if is_page else "không phải tệp Excel / not a workbook"
        raise SourceError(f"`{name}`: {found}.", hint="Open it in Excel and save it as .xlsx.")
    try:
        with zipfile.ZipFile(path) as archive:
            names = set(archive.namelist())
    except (zipfile.BadZipFile, EOFError, OSError, ValueError) as error:
        raise SourceError(f"`{name}`: tệp hỏng hoặc bị cắt / the workbook is damaged or cut off ({error}).") from error
    for marker, kind in (("xl/workbook.xml", "xlsx"), ("xl/workbook.bin", "xlsb"), ("content.xml", "ods")):
        if marker in names:
            return kind
    raise SourceError(f"`{name}`: không phải tệp Excel / is not a workbook.", hint="Open it in Excel and save it as .xlsx.")


def _holds(path: Path, mark: bytes) -> bool:
    tail = b""
    with path.open("rb") as stream:
        while chunk := stream.read(CHUNK):
            if mark in tail + chunk:
                return True
            tail = chunk[-len(mark) :]
    return False


class Unpacker:
    """Parts of an archive as they unpack, counted: what it says of its sizes may be a lie. All its parts count to one limit, each once."""

    def __init__(self, path: Path, name: str, max_bytes: int) -> None:
        self.name = name
        self.max_bytes = max_bytes
        self._path = path
        self._unpacked: dict[str, int] = {}  # how much of each part was
        self._total = 0
        try:
            with zipfile.ZipFile(path) as archive:
                entries = archive.infolist()
        except (zipfile.BadZipFile, EOFError, OSError, ValueError) as error:
            raise SourceError(f"`{name}`: tệp hỏng hoặc bị cắt / the file is damaged or cut off ({error}).") from error
        self._entries = {entry.filename: entry for entry in entries}
        if len(self._entries) != len(entries):
            raise HostileInputError(f"`{name}`: có phần lặp lại / holds a part twice.")
        if len(entries) > MAX_ENTRIES:
            raise HostileInputError(f"`{name}`: quá nhiều phần / holds {len(entries)} parts, the limit is {MAX_ENTRIES}.")

    @property
    def names(self) -> frozenset[str]:
        return frozenset(self._entries)

    def read(self, part: str, limit: int) -> bytes:
        """A part whole. Raises SourceError when it is not there, HostileInputError when it is larger than `limit`."""
        data = bytearray()
        for chunk in self.chunks(part):
            data += chunk
            if len(data) > limit:
                raise HostileInputError(f"`{self.name}`: `{part}` quá lớn / is larger than {limit} bytes.")
        return bytes(data)

    def chunks(self, part: str) -> Iterator[bytes]:
        """A part as it unpacks. Raises HostileInputError for a bomb or a part that is not as large as it says."""
        entry = self._entries.get(part)
        if entry is None:
            raise SourceError(f"`{self.name}`: thiếu / lacks its part `{part}`.", hint="The file may be damaged.")
        if entry.flag_bits & 1:
            raise SourceError(f"`{self.name}`: tệp có mật khẩu / `{part}` inside is encrypted.")
        size = 0
        with self._path.open("rb") as stream:
            try:
                for chunk in _unpacked(stream, entry, self.name):
                    size += len(chunk)
                    if size > (known := self._unpacked.get(part, 0)):
                        self._total += size - known
                        self._unpacked[part] = size
                    if self._total > self.max_bytes or (size > RATIO_MATTERS_FROM and size > MAX_RATIO * max(1, entry.compress_size)):
                        raise HostileInputError(
                            f"`{self.name}`: bung nén quá lớn / `{part}` unpacks to more than {size} bytes from {entry.compress_size}.",
                            hint="Zip bombs are refused. Split a file that is really this big.",
                        )
                    yield chunk
            except (zlib.error, EOFError) as error:
                raise SourceError(f"`{self.name}`, `{part}`: tệp hỏng hoặc bị cắt / is damaged or cut off ({error}).") from error
        if size != entry.file_size:
            raise HostileInputError(f"`{self.name}`: `{part}` says {entry.file_size} bytes, unpacks to {size}.")


def check_workbook(path: Path, name: str, max_bytes: int = MAX_UNPACKED_BYTES) -> None:
    """What a reader that opens workbooks whole must know first. Raises as `kind_of` and `Unpacker` do, SourceError for formulas never computed."""
    if kind_of(path, name) == "xls":
        return
    unpacker = Unpacker(path, name, max_bytes)
    for part in unpacker.names:
        tail = b""
        for chunk in unpacker.chunks(part):
            if part.startswith("xl/worksheets/") and UNCOMPUTED.search(tail + chunk):
                raise SourceError(
                    f"`{name}`, `{part}`: công thức chưa được tính / has formulas whose results were never computed.",
                    hint="Open it in Excel, save, and deliver again.",
                )
            tail = chunk[-256:]


def check_archive(path: Path, name: str, max_bytes: int = MAX_UNPACKED_BYTES) -> None:
    """Unpacks every part once and keeps none. Raises as `Unpacker` does."""
    unpacker = Unpacker(path, name, max_bytes)
    for part in unpacker.names:
        for _ in unpacker.chunks(part):
            pass


def _unpacked(stream: BinaryIO, entry: zipfile.ZipInfo, name: str) -> Iterator[bytes]:
    """The entry's bytes as they unpack, not trusting its stated size."""
    stream.seek(entry.header_offset + 26)
    lengths = stream.read(4)
    stream.seek(entry.header_offset + 30 + int.from_bytes(lengths[:2], "little") + int.from_bytes(lengths[2:], "little"))
    left = entry.compress_size
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise SourceError(f"`{name}`: kiểu nén lạ / `{entry.filename}` is packed in an unknown way.")
    inflate = zlib.decompressobj(-zlib.MAX_WBITS) if entry.compress_type == zipfile.ZIP_DEFLATED else None
    while left > 0:
        packed = stream.read(min(CHUNK, left))
        if not packed:
            raise EOFError(f"{entry.filename} is cut off")
        left -= len(packed)
        if inflate is None:
            yield packed
            continue
        yield inflate.decompress(packed, CHUNK)
        while inflate.unconsumed_tail:
            yield inflate.decompress(inflate.unconsumed_tail, CHUNK)
    if inflate is not None:
        yield inflate.flush()
