"""The change feed: every insert, update and end of a dataset, in order, none missed.

It begins with the records of the first fill, then goes on with the changes of each later version. A row that comes into the caller's
part of the dataset (the agreement's row filter) is an insert for this caller; one that leaves it is an end.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from lienthong.contracts import Contract
from lienthong.errors import BadRequest
from lienthong.sharing.filters import DEFAULT_LIMIT, MOST_ROWS, read_known, read_limit
from lienthong.sharing.pages import Desk, Given
from lienthong.sharing.records import Record, shape_of
from lienthong.sharing.rights import Right
from lienthong.store.answers import STATE, Ask, ChangedRow, newest_version, read_changes, read_first_fill
from lienthong.store.database import Connection

PARAMETERS = ("after", "limit")
FIRST_VERSION = 1
LARGEST_VERSION = 2**31 - 1
SEALED = "~"
_ENCODER = msgspec.json.Encoder()


class _Change(msgspec.Struct, gc=False):
    """A change as the caller sees it."""

    cursor: str
    op: str
    key: str | None
    version: int
    known_at: msgspec.Raw
    record: Record | None


class _Feed(msgspec.Struct):
    dataset: str
    version: int
    changes: list[_Change]
    next: str
    more: bool


def give_changes(connection: Connection, desk: Desk, contract: Contract, parameters: list[tuple[str, str]], right: Right) -> Given:
    """Up to `limit` changes after a cursor. `next` is where to go on, now or later; `more` says whether there is more already.

    Raises BadRequest for an unknown parameter or a cursor of another dataset.
    """
    known = read_known(parameters, PARAMETERS)
    limit = read_limit(known.get("limit"), MOST_ROWS) or DEFAULT_LIMIT
    version, key = _begin(desk, contract, known.get("after"))
    fields, withheld = right.fields_of(contract, ())
    ask = Ask(contract.id, fields, right.conditions)
    newest = newest_version(connection, contract.id) or 0
    changed, looked_at = _read(connection, ask, version, key, newest, limit)
    shape = shape_of(connection, desk.book, contract, right, fields, withheld, begin=STATE)
    sees_key = right.sees_key(contract)
    mark = _marker(desk, contract, is_open=sees_key and not right.conditions)
    known_at: dict[int, msgspec.Raw] = {}
    items, keys = [], []
    for change in changed:
        op, is_within, was_within, key, version = change[: STATE + 2]
        if not is_within and not was_within:  # nothing, for a caller who sees a part of the rows
            continue
        if version not in known_at:
            known_at[version] = msgspec.Raw(_ENCODER.encode(desk.book.facts(connection, contract.id, version).known_at))
        if is_within:
            seen, record = "update" if was_within else "insert", shape(change) if op != "e" else None
        else:
            seen, record = "end", None
        keys.append(key)
        items.append(_Change(mark(version, key), seen, key if sees_key else None, version, known_at[version], record))
    if changed:
        key, version = changed[-1][STATE : STATE + 2]
    body = _ENCODER.encode(_Feed(contract.id, newest, items, mark(version, key), looked_at >= limit))
    return Given(body, newest, len(items), fields, subjects=desk.subjects(contract, keys))


def _marker(desk: Desk, contract: Contract, *, is_open: bool) -> Callable[[int, str], str]:
    """How a place becomes a cursor: in the open when the caller sees every key anyway, else sealed, for it may name a hidden row."""
    if is_open:
        return lambda version, key: f"{version}:{key}"
    return lambda version, key: SEALED + desk.cursors.seal(f"changes:{contract.id}", [version, key])


def _begin(desk: Desk, contract: Contract, after: str | None) -> tuple[int, str]:
    """The place of a cursor. One in the open may be made up: it only says where to go on, never what is seen."""
    if after is None:
        return FIRST_VERSION, ""
    if after.startswith(SEALED):
        version, key = desk.cursors.open(f"changes:{contract.id}", after.removeprefix(SEALED))
        return version, key
    number, colon, key = after.partition(":")
    if not colon or not (number.isascii() and number.isdigit()) or not 1 <= int(number[:12]) <= LARGEST_VERSION:
        raise BadRequest(
            "`after`: this cursor was not given for this feed.",
            hint="Use `next` of the answer before, or begin without it.",
            vi="`after`: con trỏ này không thuộc danh sách thay đổi này.",
            hint_vi="Dùng `next` của câu trả lời trước, hoặc bắt đầu không kèm con trỏ.",
        )
    return int(number), key


def _read(connection: Connection, ask: Ask, version: int, key: str, newest: int, limit: int) -> tuple[list[ChangedRow], int]:
    """(changes, how many were looked at): the rest of the first fill, then what came later."""
    if newest == 0:
        return [], 0
    found: list[ChangedRow] = []
    if version == FIRST_VERSION:
        found = read_first_fill(connection, ask, version, key, limit)
        if len(found) == limit:
            return found, limit
        key = found[-1][STATE] if found else key
    later = read_changes(connection, ask, version, key, newest, limit - len(found)) if newest > version or version > FIRST_VERSION else []
    return found + later, len(found) + len(later)
