"""Bytes of a file to Unicode: the encoding found from samples with a stated confidence, or named in the contract."""

from __future__ import annotations

import codecs
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from lienthong.errors import SourceError
from lienthong.standards import decode_tcvn3, decode_viscii, decode_vni, decode_vps, detect_encoding, encode_legacy

LEGACY: Mapping[str, Callable[[bytes], str]] = {"tcvn3": decode_tcvn3, "vni": decode_vni, "viscii": decode_viscii, "vps": decode_vps}
BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
TCVN3_TWICE = (b"\xc2", b"\xe0")  # read as the letters of 0xA2 and 0xB5
SAMPLE_BYTES = 65_536
COPY_BYTES = 1 << 20
SAMPLE_PLACES = 8  # a long file may begin with years of plain ASCII


@dataclass(frozen=True)
class Encoding:
    """A python codec's name or tcvn3, vni, viscii, vps. `confidence` is 1.0 when a person named it."""

    name: str
    confidence: float = 1.0

    @property
    def is_wide(self) -> bool:
        """Whether line ends and delimiters are more than one byte each."""
        return self.name.startswith(("utf-16", "utf-32"))

    @property
    def is_utf8(self) -> bool:
        return self.name in {"utf-8", "utf-8-sig", "ascii"}

    def decode(self, data: bytes) -> str:
        """`data` as text. Raises UnicodeDecodeError when it is not in this encoding."""
        legacy = LEGACY.get(self.name)
        return legacy(data) if legacy is not None else data.decode(self.name)

    def is_lossless(self, data: bytes) -> bool:
        """Whether the bytes can be told from their text: VNI writes some letters in two ways, and TCVN3 is read with two codes nobody should have used."""
        if self.name == "tcvn3":
            return not any(code in data for code in TCVN3_TWICE)
        if self.name != "vni":
            return True
        try:
            return encode_legacy(decode_vni(data), "vni") == data
        except UnicodeEncodeError:
            return False

    def decode_as_seen(self, data: bytes) -> str:
        r"""`data` as text for a person's eyes: what cannot be decoded is shown as `\xNN`."""
        legacy = LEGACY.get(self.name)
        return legacy(data) if legacy is not None else data.decode(self.name, "backslashreplace")


AS_BYTES = Encoding("iso8859-1")  # each byte a letter: text as it stood


def named_encoding(name: str) -> Encoding:
    """The encoding a contract names. Raises SourceError when there is no such encoding."""
    folded = name.strip().lower()
    if folded in {"tcvn3", "abc", "tcvn3-abc"}:
        return Encoding("tcvn3")
    if folded in LEGACY:
        return Encoding(folded)
    try:
        return Encoding(codecs.lookup(folded).name)
    except LookupError as error:
        raise SourceError(
            f"Option `encoding`: không có bảng mã `{name}` / there is no encoding `{name}`.",
            hint="Known: utf-8, utf-16, windows-1258, tcvn3, vni, viscii, vps and every Python codec.",
        ) from error


def find_encoding(path: Path) -> Encoding:
    """The encoding of a text file, from its byte order mark or from samples all over it."""
    with path.open("rb") as stream:
        sampled = {}
        for place, size in sample_places(path.stat().st_size):
            stream.seek(place)
            sampled[place] = stream.read(size)
    return find_in_samples(sampled)


def find_in_samples(sampled: Mapping[int, bytes]) -> Encoding:
    """The encoding of a text file of which the bytes of `sample_places` are known."""
    for mark, name in BYTE_ORDER_MARKS:
        if sampled[0].startswith(mark):
            return Encoding(name)
    lines = [_whole_lines(data, from_start=place == 0) for place, data in sampled.items()]
    name, confidence = detect_encoding([each for each in lines if each])
    return Encoding(name, confidence)


def sample_places(size: int) -> list[tuple[int, int]]:
    """(place, bytes): the beginning, and places all over a file of that size."""
    places = [size * n // SAMPLE_PLACES for n in range(1, SAMPLE_PLACES)]
    return [(0, SAMPLE_BYTES), *((place, SAMPLE_BYTES // 4) for place in places if place >= SAMPLE_BYTES)]


def as_utf8(path: Path, encoding: Encoding) -> BinaryIO:
    """The file's bytes as UTF-8: itself, or rewritten beside in flat memory. Raises SourceError for bytes that are not in the encoding."""
    if encoding.is_utf8:
        return path.open("rb")
    rewritten = tempfile.TemporaryFile()  # noqa: SIM115 # the caller closes it
    try:
        for text in _decoded(path, encoding):
            rewritten.write(text.encode())
    except UnicodeError as error:
        rewritten.close()
        raise SourceError(f"`{path.name}`: không phải {encoding.name} / is not {encoding.name} throughout ({error}).") from error
    rewritten.seek(0)
    return rewritten


def _decoded(path: Path, encoding: Encoding) -> Iterator[str]:
    if encoding.name not in LEGACY:
        with path.open(encoding=encoding.name, newline="") as text:
            while part := text.read(COPY_BYTES):
                yield part
        return
    with path.open("rb") as stream:
        rest = b""
        while data := stream.read(COPY_BYTES):
            data = rest + data
            end = max(data.rfind(b) for b in b'\n ",;>') + 1 or len(data)  # VNI writes a letter in two bytes: never between them
            rest = data[end:]
            yield encoding.decode(data[:end])
        yield encoding.decode(rest)


def _whole_lines(data: bytes, *, from_start: bool) -> bytes:
    begin = 0 if from_start else data.find(b"\n") + 1
    end = data.rfind(b"\n") + 1
    return data[begin:end] if end > begin else data[begin:]
