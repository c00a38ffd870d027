"""The messages of PostgreSQL's `pgoutput`, version 1, as values: what was done to which row of which table, transaction by transaction.

The layout is that of "Logical Replication Message Formats" in PostgreSQL's documentation. Values stay the texts the server wrote.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

_BEGIN = struct.Struct(">QqI")
_COMMIT = struct.Struct(">BQQq")
_LENGTH = struct.Struct(">i")
_SHORT = struct.Struct(">h")
_ID = struct.Struct(">I")


class Unchanged(Enum):
    """A long value (TOAST) that an update left as it was: the log does not repeat it."""

    VALUE = "unchanged"


Value = str | None | Unchanged


@dataclass(frozen=True)
class Begin:
    """A transaction that was committed at `at` (where its commit record begins)."""

    at: int
    xid: int


@dataclass(frozen=True)
class Commit:
    """Its end: all before `end` is told."""

    end: int


@dataclass(frozen=True)
class Relation:
    """A table as the changes after it see it. `types` are object ids of the columns' types."""

    id: int
    schema: str
    name: str
    identity: str  # d (primary key), i (an index), f (the whole row), n (nothing)
    columns: tuple[str, ...]
    types: tuple[int, ...]


@dataclass(frozen=True)
class RowChange:
    """`old`: what identified the row before, where that is told; `new` None: it was deleted. Both in the order of the relation's columns."""

    relation: int
    old: tuple[Value, ...] | None
    new: tuple[Value, ...] | None


@dataclass(frozen=True)
class Truncate:
    relations: tuple[int, ...]


Message = Begin | Commit | Relation | RowChange | Truncate


def read_message(data: bytes) -> Message | None:
    """One message; None for kinds that say nothing of rows (types, origins, messages of applications). Raises ValueError for what is none."""
    try:
        reader = _READERS.get(data[:1])
        if reader is not None:
            return reader(data)
    except (struct.error, IndexError, UnicodeDecodeError) as error:
        raise ValueError(f"a message of kind {data[:1]!r} ends early or is damaged") from error
    if data[:1] not in (b"O", b"Y", b"M"):
        raise ValueError(f"a message of an unknown kind {data[:1]!r}")
    return None


def _begin(data: bytes) -> Begin:
    at, _, xid = _BEGIN.unpack_from(data, 1)
    return Begin(at, xid)


def _commit(data: bytes) -> Commit:
    return Commit(_COMMIT.unpack_from(data, 1)[2])


def _relation(data: bytes) -> Relation:
    number = _ID.unpack_from(data, 1)[0]
    schema, at = _name(data, 5)
    name, at = _name(data, at)
    identity = chr(data[at])
    count = _SHORT.unpack_from(data, at + 1)[0]
    at += 3
    columns, types = [], []
    for _ in range(count):
        column, at = _name(data, at + 1)
        columns.append(column)
        types.append(_ID.unpack_from(data, at)[0])
        at += 8
    return Relation(number, schema or "pg_catalog", name, identity, tuple(columns), tuple(types))


def _insert(data: bytes) -> RowChange:
    return RowChange(_ID.unpack_from(data, 1)[0], None, _row(data, 6)[0])


def _update(data: bytes) -> RowChange:
    number, old, at = _ID.unpack_from(data, 1)[0], None, 5
    if data[at : at + 1] in (b"K", b"O"):
        old, at = _row(data, at + 1)
    return RowChange(number, old, _row(data, at + 1)[0])


def _delete(data: bytes) -> RowChange:
    return RowChange(_ID.unpack_from(data, 1)[0], _row(data, 6)[0], None)


def _truncate(data: bytes) -> Truncate:
    count = _LENGTH.unpack_from(data, 1)[0]
    return Truncate(struct.unpack_from(f">{count}I", data, 6))


_READERS: dict[bytes, Callable[[bytes], Message]] = {
    b"B": _begin,
    b"C": _commit,
    b"R": _relation,
    b"I": _insert,
    b"U": _update,
    b"D": _delete,
    b"T": _truncate,
}


def _name(data: bytes, at: int) -> tuple[str, int]:
    end = data.find(b"\0", at)
    if end < 0:
        raise IndexError
    return data[at:end].decode(), end + 1


def _row(data: bytes, at: int) -> tuple[tuple[Value, ...], int]:
    count = _SHORT.unpack_from(data, at)[0]
    at += 2
    values: list[Value] = []
    for _ in range(count):
        kind = data[at]
        at += 1
        if kind == 0x74:  # t: text
            end = at + 4 + _LENGTH.unpack_from(data, at)[0]
            if end > len(data):
                raise IndexError
            values.append(data[at + 4 : end].decode())
            at = end
        elif kind == 0x6E:  # n: null
            values.append(None)
        elif kind == 0x75:  # u: an unchanged long value
            values.append(Unchanged.VALUE)
        else:
            raise ValueError(f"a value of an unknown kind {kind:#x}")
    return tuple(values), at


BOOLEAN, CHARACTER, INET = 16, 1042, 869


def as_cast(value: str, kind: int) -> str:
    """A value as the server casts it to text, where that is not what its output function writes: the two roads must give equal rows."""
    if kind == BOOLEAN:
        return "true" if value == "t" else "false"
    if kind == CHARACTER:
        return value.rstrip(" ")
    if kind == INET and "/" not in value:
        return value + ("/128" if ":" in value else "/32")
    return value


def parse_lsn(text: str) -> int:
    """A place in the log, `16/B374D848`, as a number."""
    high, _, low = text.partition("/")
    return int(high, 16) << 32 | int(low, 16)


def write_lsn(number: int) -> str:
    return f"{number >> 32:X}/{number & 0xFFFFFFFF:X}"


@dataclass(frozen=True)
class Seen:
    """What a snapshot saw (`xmin:xmax:xip,…` of pg_current_snapshot), to tell transactions it had from those it had not."""

    next: int
    running: frozenset[int]

    @classmethod
    def of(cls, text: str) -> Seen:
        _, following, running = text.split(":")
        return cls(int(following) & 0xFFFFFFFF, frozenset(int(each) & 0xFFFFFFFF for each in running.split(",") if each))

    def has(self, xid: int) -> bool:
        """Whether a committed transaction was among what it saw; numbers go round, so an earlier one is up to half a circle behind."""
        return xid not in self.running and (xid - self.next) & 0xFFFFFFFF >= 0x80000000
