"""The change feed: every insert, update and end of a dataset, in order, none missed.

It begins with the records of the first fill, then goes on with the changes of each later version. A row that comes into the caller's
part of the dataset (the agreement's row filter) is an insert for this caller; one that leaves it is an end.
"""

from __future__ import annotations

import msgspec

from lienthong.contracts import Contract
from lienthong.errors import BadRequest
from lienthong.sharing.filters import DEFAULT_LIMIT, MOST_ROWS, read_known, read_limit
from lienthong.sharing.pages import Desk, Given
from lienthong.sharing.records import shape_of
from lienthong.sharing.rights import Right
from lienthong.store.answers import Ask, ChangedRow, newest_version, read_changes, read_first_fill
from lienthong.store.database import Connection

PARAMETERS = ("after", "limit")
FIRST_VERSION = 1
_OPERATIONS = {"i": "insert", "u": "update", "e": "end"}
_ENCODER = msgspec.json.Encoder()


def give_changes(connection: Connection, desk: Desk, contract: Contract, parameters: list[tuple[str, str]], right: Right) -> Given:
    """Up to `limit` changes after a cursor. `next` is where to go on, now or later; `more` says whether there is more already.

    Raises BadRequest for an unknown parameter or a cursor of another dataset.
    """
    known = read_known(parameters, PARAMETERS)
    limit = read_limit(known.get("limit"), MOST_ROWS) or DEFAULT_LIMIT
    purpose = f"changes:{contract.id}"
    version, key = _begin(desk, purpose, known.get("after"))
    fields, withheld = right.fields_of(contract, ())
    ask = Ask(contract.id, fields, right.conditions)
    newest = newest_version(connection, contract.id) or 0
    changed, looked_at = _read(connection, ask, version, key, newest, limit)
    shape = shape_of(connection, desk.book, contract, right, fields, withheld)
    sees_key = right.sees_key(contract)
    items = []
    for change in changed:
        version, key = change.version, change.key
        op = _seen_as(change)
        if op is None:
            continue
        items.append(
            {
                "cursor": desk.cursors.seal(purpose, [version, key]),
                "op": _OPERATIONS[op],
                "key": key if sees_key else None,
                "version": version,
                "known_at": desk.book.facts(connection, contract.id, version).known_at,
                "record": shape(change.row) if change.row is not None and op != "e" else None,
            }
        )
    body = _ENCODER.encode(
        {
            "dataset": contract.id,
            "version": newest,
            "changes": items,
            "next": desk.cursors.seal(purpose, [version, key]),
            "more": looked_at >= limit,
        }
    )
    return Given(body, newest, len(items), fields)


def _begin(desk: Desk, purpose: str, after: str | None) -> tuple[int, str]:
    if after is None:
        return FIRST_VERSION, ""
    place = desk.cursors.open(purpose, after)
    if len(place) != 2:  # a version and a key
        raise BadRequest("This cursor was not given for this feed.")
    return place[0], place[1]


def _read(connection: Connection, ask: Ask, version: int, key: str, newest: int, limit: int) -> tuple[list[ChangedRow], int]:
    """(changes, how many were looked at): the rest of the first fill, then what came later."""
    if newest == 0:
        return [], 0
    found: list[ChangedRow] = []
    if version == FIRST_VERSION:
        found = read_first_fill(connection, ask, version, key, limit)
        if len(found) == limit:
            return found, limit
        key = found[-1].key if found else key
    later = read_changes(connection, ask, version, key, newest, limit - len(found)) if newest > version or version > FIRST_VERSION else []
    return found + later, len(found) + len(later)


def _seen_as(change: ChangedRow) -> str | None:
    """What a change is for a caller who sees a part of the rows; None: nothing."""
    if change.is_within:
        return "u" if change.was_within else "i"
    return "e" if change.was_within else None
