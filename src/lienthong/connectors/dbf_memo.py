"""Memo files beside DBF tables: .dbt of dBase III and IV, .fpt of FoxPro. A pointer that leads nowhere is told, not followed."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from lienthong.errors import SourceError

MAX_MEMO_BYTES = 16 * 1024 * 1024
ENDINGS = (".dbt", ".fpt")
_DBASE_4 = b"\xff\xff\x08\x00"
_DBASE_3_BLOCK = 512
_END = b"\x1a"


class LostMemo(Exception):
    """A pointer to a memo that is not there."""


@dataclass
class Memo:
    """A memo file opened; texts by the pointer a record has."""

    stream: BinaryIO
    size: int
    is_foxpro: bool
    block: int

    def text(self, pointer: bytes) -> bytes | None:
        """The bytes a pointer leads to, None for none. Raises LostMemo."""
        number = _number(pointer)
        if number == 0:
            return None
        at = number * self.block
        if at >= self.size:
            raise LostMemo(f"block {number}")
        self.stream.seek(at)
        head = self.stream.read(8)
        if self.is_foxpro:
            return self._sized(struct.unpack(">I", head[4:8])[0] if len(head) == 8 else -1, number)
        if head.startswith(_DBASE_4):
            return self._sized(int.from_bytes(head[4:8], "little") - 8, number)
        self.stream.seek(at)
        return self._ended(number)

    def _sized(self, length: int, number: int) -> bytes:
        if not 0 <= length <= MAX_MEMO_BYTES or self.stream.tell() + length > self.size:
            raise LostMemo(f"block {number} of {length} bytes")
        return self.stream.read(length)

    def _ended(self, number: int) -> bytes:
        parts: list[bytes] = []
        while part := self.stream.read(_DBASE_3_BLOCK):
            end = part.find(_END)
            parts.append(part if end < 0 else part[:end])
            if end >= 0:
                return b"".join(parts)
            if len(parts) * _DBASE_3_BLOCK > MAX_MEMO_BYTES:
                raise LostMemo(f"block {number} without end")
        return b"".join(parts)


def open_memo(table: Path, name: str) -> Memo | None:
    """The memo file of a table, None when there is none beside it. Raises SourceError for one too short to be one."""
    for ending in (*ENDINGS, *map(str.upper, ENDINGS)):
        path = table.with_suffix(ending)
        if not path.is_file() or path.resolve().parent != table.resolve().parent:
            continue
        size = path.stat().st_size
        stream = path.open("rb")
        head = stream.read(24)
        if len(head) < 24:
            stream.close()
            raise SourceError(f"`{name}`: tệp memo `{path.name}` bị cắt / its memo file `{path.name}` is cut off.")
        if ending.lower() == ".fpt":
            return Memo(stream, size, True, int.from_bytes(head[6:8], "big") or 1)
        return Memo(stream, size, False, int.from_bytes(head[20:22], "little") or _DBASE_3_BLOCK)
    return None


def _number(pointer: bytes) -> int:
    """Ten digits of dBase, or four bytes of Visual FoxPro."""
    if len(pointer) == 4:
        return int.from_bytes(pointer, "little")
    digits = pointer.strip(b" \0")
    if digits and not digits.isdigit():
        raise LostMemo(repr(digits))
    return int(digits or 0)
