"""Where the items of a JSON array begin and end, block by block, without reading them: a file of any size in flat memory.

Quotes, brackets and colons are found in the bytes all at once (numpy); what an item holds is somebody else's to decode and to doubt.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from lienthong.errors import HostileInputError, SourceError

BLOCK_BYTES = 4 * 1024 * 1024
MAX_ITEM_BYTES = 64 * 1024 * 1024
MAX_DEPTH = 500
MAX_HEAD_BYTES = 64 * 1024 * 1024  # before the array of rows begins
SPACE = b" \t\r\n"
_ESCAPED = re.compile(rb"\\.", re.DOTALL)
_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*"|[{}\[\],:]|[^\s"{}\[\],:]+', re.DOTALL)


@dataclass(frozen=True)
class Item:
    """One item's bytes. `end`: the place in the file past it. `members`: how many an object has, counting doubled names."""

    raw: bytes
    end: int
    members: int


def array_start(stream: BinaryIO, path: Sequence[str], name: str) -> int:
    """The place past the `[` of the array at a path of member names. Raises SourceError when it is not there."""
    stream.seek(0)
    head = stream.read(BLOCK_BYTES)
    while True:
        found = _walk(head, path, name)
        if found is not None:
            return found
        more = stream.read(BLOCK_BYTES)
        if not more or len(head) > MAX_HEAD_BYTES:
            where = ".".join(path) or "(document)"
            raise SourceError(
                f"`{name}`: không tìm thấy mảng `{where}` / no array at `{where}` found in the first {len(head)} bytes.",
                hint="Give the path of the array of rows in the option `items`.",
            )
        head += more


def _walk(head: bytes, path: Sequence[str], name: str) -> int | None:
    """The place past the array's `[`; None when the head ends first. Walks only along the path; other values are passed over."""
    depth, wanted, key, expects_key = 0, 0, b"", False
    for token in _TOKEN.finditer(head):
        text = token.group()
        on_path = depth == wanted and (wanted == 0 or key == path[wanted - 1].encode())
        if text == b"[" and on_path and wanted == len(path):
            return token.end()
        if text in (b"{", b"["):
            if on_path and text == b"{" and wanted < len(path):
                wanted += 1
            depth += 1
            expects_key = text == b"{"
        elif text in (b"}", b"]"):
            depth -= 1
            if depth < wanted:
                break
        elif text == b",":
            expects_key = True
        elif text == b":":
            expects_key = False
        elif expects_key and depth == wanted:
            key, expects_key = text[1:-1], False
        elif on_path and wanted == len(path):
            break  # a plain value where the array should be
        if depth > MAX_DEPTH:
            raise HostileInputError(f"`{name}`: JSON lồng quá sâu / nested deeper than {MAX_DEPTH} levels.")
        if depth == 0 and text in (b"}", b"]"):
            break
    else:
        return None
    where = ".".join(path) or "(document)"
    raise SourceError(
        f"`{name}`: `{where}` không phải mảng / is not an array.", hint="Give the path of the array of rows in the option `items`."
    )


@dataclass(frozen=True)
class _Marks:
    """Structure of a block: places of marks outside strings, and the depth after each (0: between items, -1: the array has closed)."""

    places: NDArray[np.int64]
    kinds: NDArray[np.uint8]
    depths: NDArray[np.int64]
    in_string: bool  # at the end


def _marks(block: bytes) -> _Marks:
    plain = _ESCAPED.sub(b"__", block) if b"\\" in block else block
    data = np.frombuffer(plain, np.uint8)
    quotes = data == ord('"')
    inside = np.bitwise_xor.accumulate(quotes)
    structural = _IS_MARK[data] & ~inside
    places = np.flatnonzero(structural)
    kinds = data[places]
    depths = np.cumsum(_STEPS[kinds])
    return _Marks(places, kinds, depths, bool(inside[-1]) if len(inside) else False)


_STEPS = np.zeros(256, np.int64)  # what a mark does to the depth
_STEPS[[ord("{"), ord("[")]] = 1
_STEPS[[ord("}"), ord("]")]] = -1
_IS_MARK = np.zeros(256, np.bool_)
_IS_MARK[[ord(mark) for mark in "{}[],:"]] = True


def members_of(raw: bytes) -> int:
    """How many members an object has, counting doubled names."""
    marks = _marks(raw)
    return int(((marks.kinds == ord(":")) & (marks.depths == 1)).sum())


def items_of(stream: BinaryIO, start: int, name: str) -> Iterator[Item]:
    """Items of an array from a place past its `[`, or past any item of it. Raises SourceError when the file ends before the array does."""
    place, size, first = start, BLOCK_BYTES, True
    while True:
        stream.seek(place)
        block = stream.read(size)
        at_end = len(block) < size
        if block[-1:] == b"\\" and not at_end:
            block = block[: len(block.rstrip(b"\\"))]
        marks = _marks(block)
        if len(marks.depths) and marks.depths.max() > MAX_DEPTH:
            raise HostileInputError(f"`{name}`: JSON lồng quá sâu / nested deeper than {MAX_DEPTH} levels, near byte {place}.")
        used, closed = 0, False
        colons = np.cumsum((marks.kinds == ord(":")) & (marks.depths == 1))
        ends = np.flatnonzero(((marks.kinds == ord(",")) & (marks.depths == 0)) | (marks.depths < 0))
        before = 0
        for end in ends.tolist():
            stop = int(marks.places[end])
            raw = block[used:stop].strip(SPACE)
            count = int(colons[end]) - before
            before = int(colons[end])
            closed = bool(marks.depths[end] < 0)
            if len(raw) > MAX_ITEM_BYTES:
                raise _too_long(name, place + used)
            if raw or not (closed or (first and stop == 0)):
                yield Item(raw, place + stop + (0 if closed else 1), count)
            first = False
            used = stop + 1
            if closed:
                _check_tail(stream, place + used, name)
                return
        place += used
        if used:
            size = BLOCK_BYTES
            if not at_end:
                continue
        if at_end:
            raise SourceError(
                f"`{name}`: tệp bị cắt / the file ends inside its array of rows, at byte {place + len(block) - used}.",
                hint="The delivery may have been cut off: ask for it again.",
            )
        size *= 2  # an item longer than the block: look further
        if size > 2 * MAX_ITEM_BYTES:
            raise _too_long(name, place)


def _too_long(name: str, place: int) -> HostileInputError:
    return HostileInputError(f"`{name}`: một mục dài hơn / an item near byte {place} is longer than {MAX_ITEM_BYTES >> 20} MiB.")


def _check_tail(stream: BinaryIO, place: int, name: str) -> None:
    """After the array only what closes the document may stand; other members too, when the array was inside one."""
    stream.seek(max(place, stream.seek(0, 2) - 4096))
    rest = stream.read().strip(SPACE)
    if rest and rest[-1:] not in b"}]":
        raise SourceError(f"`{name}`: tệp bị cắt hoặc thừa / the file does not end as JSON does after its array, at byte {place}.")
