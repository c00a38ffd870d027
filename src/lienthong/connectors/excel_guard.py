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
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
SHEET = re.compile(r"^xl/worksheets/[^/]+\.xml$")
# A formula whose result was never stored: the workbook was written by a program and never opened in Excel.
UNCOMPUTED = re.compile(rb"</f>(?:<v\s*/>|<v></v>)?</c>|<f\b[^>]*/></c>|<f\b[^>]*/><v></v></c>")


def check_workbook(path: Path, name: str, max_bytes: int = MAX_UNPACKED_BYTES) -> None:
    """Raises SourceError for what is no workbook, needs a password or holds formulas never computed; HostileInputError for a bomb."""
    with path.open("rb") as stream:
        head = stream.read(4096)
    if head.startswith(OLE):
        if ENCRYPTED in path.read_bytes():
            raise SourceError(f"`{name}`: tệp có mật khẩu / the workbook is protected by a password.", hint="Save it without a password.")
        return
    if not head.startswith(b"PK"):
        is_page = b"<html" in head.lower() or b"<table" in head.lower()
        found = "trang web đặt tên Excel / a web page named as a workbook" if is_page else "không phải tệp Excel / not a workbook"
        raise SourceError(f"`{name}`: {found}.", hint="Open it in Excel and save it as .xlsx.")
    try:
        with zipfile.ZipFile(path) as archive:
            _check_archive(archive, path, name, max_bytes)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError) as error:
        raise SourceError(f"`{name}`: tệp hỏng hoặc bị cắt / the workbook is damaged or cut off ({error}).") from error


def _check_archive(archive: zipfile.ZipFile, path: Path, name: str, max_bytes: int) -> None:
    total = 0
    with path.open("rb") as stream:
        for entry in archive.infolist():
            if entry.flag_bits & 1:
                raise SourceError(f"`{name}`: tệp có mật khẩu / `{entry.filename}` inside is encrypted.")
            tail, size = b"", 0
            for chunk in _unpacked(stream, entry, name):
                size += len(chunk)
                total += len(chunk)
                if total > max_bytes or (size > RATIO_MATTERS_FROM and size > MAX_RATIO * max(1, entry.compress_size)):
                    raise HostileInputError(
                        f"`{name}`: bung nén quá lớn / `{entry.filename}` unpacks to more than {size} bytes from {entry.compress_size}.",
                        hint="Zip bombs are refused. Split a workbook that is really this big.",
                    )
                if SHEET.match(entry.filename):
                    if UNCOMPUTED.search(tail + chunk):
                        raise SourceError(
                            f"`{name}`, `{entry.filename}`: công thức chưa được tính / has formulas whose results were never computed.",
                            hint="Open it in Excel, save, and deliver again.",
                        )
                    tail = chunk[-256:]
            if size != entry.file_size:
                raise HostileInputError(f"`{name}`: `{entry.filename}` says {entry.file_size} bytes, unpacks to {size}.")


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
