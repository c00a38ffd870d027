"""JSON values as text, digit for digit: numbers are never passed through a float."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec
import pyarrow as pa

_object = msgspec.json.Decoder(dict[str, msgspec.Raw])
_array = msgspec.json.Decoder(list[msgspec.Raw])
_text = msgspec.json.Decoder(str)

JsonObject = Mapping[str, msgspec.Raw]
INVALID = (msgspec.DecodeError, RecursionError, UnicodeDecodeError)


def objects_in(raw: bytes | msgspec.Raw) -> JsonObject:
    """The members of a JSON object, not yet read. Raises msgspec.DecodeError when it is none."""
    return _object.decode(raw)


def items_in(raw: bytes | msgspec.Raw) -> list[msgspec.Raw]:
    """The items of a JSON array, not yet read. Raises msgspec.DecodeError when it is none."""
    return _array.decode(raw)


def text_of(raw: msgspec.Raw | None) -> str | None:
    """A value as text: null is None, numbers and booleans as they are written, objects and arrays as compact JSON."""
    if raw is None:
        return None
    data = bytes(raw).strip()
    first = data[:1]
    if first == b'"':
        return _text.decode(data)
    if first in b"{[":
        return msgspec.json.format(data, indent=-1).decode()
    return None if data == b"null" else data.decode()


def dig(members: JsonObject, path: Sequence[str]) -> msgspec.Raw | None:
    """The value at a path of member names; None where the path ends early."""
    raw = members.get(path[0])
    for name in path[1:]:
        if raw is None or not bytes(raw).lstrip().startswith(b"{"):
            return None
        raw = _object.decode(raw).get(name)
    return raw


def as_table(rows: Sequence[Mapping[str, str | None]], columns: Sequence[str]) -> pa.Table:
    """Rows as columns of text; a name a row lacks is null."""
    return pa.table({name: pa.array([row.get(name) for row in rows], pa.string()) for name in columns})
