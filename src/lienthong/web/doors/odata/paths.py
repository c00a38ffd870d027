"""The address after the service root: which set, which of its entities, which of their parts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from lienthong.contracts import Contract
from lienthong.errors import BadRequest, NotFound, NotOffered
from lienthong.sharing.filters import read_value, shown

_SET = re.compile(r"[A-Za-z_]\w{0,199}", re.ASCII)
_LITERAL = re.compile(r"'(?P<text>(?:[^']|'')*)'|(?P<plain>[^,()'=]+)")
_NAMED = re.compile(r"\s*(?P<name>[A-Za-z_]\w*)\s*=\s*", re.ASCII)
_ELSEWHERE = ("$batch", "$crossjoin", "$all", "$entity", "$links", "$ref", "$each", "$query", "$filter")


@dataclass(frozen=True)
class Place:
    """Where an address leads. `key`: (name, literal) of each part, the name empty in the short form; None: the whole set.

    `rest`: what is asked of it: `$count`, a field, `$value` after a field.
    """

    set_name: str
    key: tuple[tuple[str, str | None, str], ...] | None = None  # (name, quoted text, plain text)
    rest: tuple[str, ...] = ()


def read_place(path: str) -> Place:
    """Read a decoded path. Raises NotFound, BadRequest, or NotOffered for the standard's other resources."""
    if path.split("(", maxsplit=1)[0].split("/", maxsplit=1)[0] in _ELSEWHERE:
        raise NotOffered(f"This service does not offer `{shown(path)}`.", vi="Dịch vụ này không có địa chỉ đó.")
    named = _SET.match(path)
    if named is None:
        raise _not_found(path)
    position, key = named.end(), None
    if path[position : position + 1] == "(":
        key, position = _read_key(path, position + 1)
    after = path[position:]
    if after and not after.startswith("/"):
        raise _not_found(path)
    rest = tuple(after[1:].split("/")) if after.strip("/") else ()
    if any(part in _ELSEWHERE for part in rest):
        raise NotOffered(f"This service does not offer `{shown(rest[-1])}`.", vi="Dịch vụ này không có địa chỉ đó.")
    return Place(named.group(), key, rest)


def _read_key(path: str, position: int) -> tuple[tuple[tuple[str, str | None, str], ...], int]:
    parts: list[tuple[str, str | None, str]] = []
    while True:
        named = _NAMED.match(path, position)
        if named is not None:
            position = named.end()
        literal = _LITERAL.match(path, position)
        if literal is None:
            raise _bad_key()
        text = literal.group("text")
        parts.append(
            (named.group("name") if named else "", None if text is None else text.replace("''", "'"), literal.group("plain") or "")
        )
        position = literal.end()
        sign = path[position : position + 1]
        position += 1
        if sign == ")":
            return tuple(parts), position
        if sign != "," or len(parts) > 20:
            raise _bad_key()


def values_of(contract: Contract, key: tuple[tuple[str, str | None, str], ...]) -> Mapping[str, object]:
    """The key's values by field, each in its type. Raises BadRequest where they are not this dataset's key."""
    wanted = contract.key
    if len(key) == 1 and not key[0][0]:
        key = ((wanted[0].name, *key[0][1:]),)
    if sorted(name for name, _, _ in key) != sorted(p.name for p in wanted):
        raise BadRequest(
            f"The key of `{contract.id}` is {', '.join(f'`{p.name}`' for p in wanted)}.",
            vi=f"Khóa của `{contract.id}` là {', '.join(f'`{p.name}`' for p in wanted)}.",
        )
    values: dict[str, object] = {}
    for name, text, plain in key:
        p = contract.property_named(name)
        if (text is not None) != (p.logical_type == "string"):
            raise _bad_key()
        values[name] = read_value(name, text if text is not None else plain.strip(), p)
        if isinstance(values[name], datetime) and not plain.strip().endswith("Z") and "+" not in plain:
            raise _bad_key()
    return values


def _bad_key() -> BadRequest:
    return BadRequest(
        "This is no key.",
        hint="Text stands in single quotes: Set('A') or Set(code='A',year=2024).",
        hint_vi="Chữ đặt trong dấu nháy đơn: Set('A') hoặc Set(code='A',year=2024).",
        vi="Khóa không đúng.",
    )


def _not_found(path: str) -> NotFound:
    return NotFound(
        f"There is nothing at `{shown(path)}`.",
        hint="The service root lists the sets.",
        hint_vi="Địa chỉ gốc của dịch vụ liệt kê các bộ dữ liệu.",
        vi=f"Không có gì ở `{shown(path)}`.",
    )
