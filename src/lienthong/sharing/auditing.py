"""Finds entries of the ledger for whoever inspects it: by what they say, or by whom they are about under a keyed hash.

What an entry says is looked for from the newest back, a bounded number of entries at a time: a search that finds little says how far it
came and goes on from there. A subject is looked up in the index. Only what the index holds can be found, some seconds behind the tree.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

import msgspec

from lienthong.errors import LedgerError
from lienthong.ledger import Entry
from lienthong.ledger.entry import decode
from lienthong.ledger.marks import mark_of
from lienthong.store import Connection, operating
from lienthong.store.found import found, found_upto
from lienthong.store.ledger import LINE

MOST_LOOKED_AT = 200_000  # entries of one search, before it answers with how far it came
PIECES_AT_A_TIME = 50
LARGEST = 2**62


@dataclass(frozen=True)
class Sought:
    """What is asked for; empty: anything. `subject` is a keyed hash in hex."""

    caller: str = ""
    official: str = ""
    dataset: str = ""
    event: str = ""
    subject: str = ""
    since: datetime | None = None
    until: datetime | None = None
    before: int = LARGEST
    limit: int = 50

    def needles(self) -> list[str]:
        """What the text of a fitting entry holds, as it is written in it."""
        named = {"event": self.event, "caller": self.caller, "official": self.official, "dataset": self.dataset}
        return [f'"{name}":{msgspec.json.encode(value).decode()}' for name, value in named.items() if value]

    def fits(self, entry: Entry) -> bool:
        return (
            self.caller in ("", entry.caller)
            and self.official in ("", entry.official)
            and self.dataset in ("", entry.dataset)
            and self.event in ("", entry.event.value)
            and (self.since is None or entry.at >= self.since)
            and (self.until is None or entry.at < self.until)
        )


@dataclass(frozen=True)
class Trail:
    """What was found, newest first, each with its position; `next`: the position to go on from, None when all was looked at."""

    entries: list[tuple[int, Entry]] = field(default_factory=list)
    next: int | None = None
    looked_at: int = 0
    known_upto: int = 0


def search(connection: Connection, sought: Sought) -> Trail:
    """Entries that fit, newest first."""
    upto = found_upto(connection)
    if sought.subject:
        return _about(connection, sought, upto)
    entries: list[tuple[int, Entry]] = []
    at, looked = min(sought.before, upto), 0
    if sought.until is not None:  # a checkpoint follows its entries within seconds, so those of the day asked for lie below a later one
        at = min(at, _size_past(connection, sought.until, upto))
    needles = sought.needles()
    while at > 0 and looked < MOST_LOOKED_AT:
        pieces = operating.pieces_before(connection, at, sought.since, needles, PIECES_AT_A_TIME)
        if not pieces:
            return Trail(entries, None, looked, upto)
        for piece in pieces:
            for position, entry in _of(piece, needles):
                if position < at and sought.fits(entry):
                    entries.append((position, entry))
                    if len(entries) == sought.limit:
                        return Trail(entries, position or None, looked + piece.begins + piece.entries - position, upto)
            looked += piece.entries
            at = piece.begins
    return Trail(entries, at or None, looked, upto)


def entry_at(connection: Connection, position: int) -> Trail:
    """The entry of that number, where it is to be found."""
    upto = found_upto(connection)
    if not 0 <= position < upto:
        return Trail(known_upto=upto)
    for piece in operating.pieces_before(connection, position + 1, None, [], 1):
        return Trail([each for each in _of(piece, []) if each[0] == position], None, 1, upto)
    return Trail(known_upto=upto)


def _about(connection: Connection, sought: Sought, upto: int) -> Trail:
    entries: list[tuple[int, Entry]] = []
    at, looked = sought.before, 0
    while looked < MOST_LOOKED_AT:
        rows = found(connection, [mark_of(sought.subject)], at, PIECES_AT_A_TIME)
        for row in rows:
            looked, at = looked + 1, row.position
            entry = None if row.body is None else _read(row.body)
            if entry is not None and sought.fits(entry):
                entries.append((row.position, entry))
                if len(entries) == sought.limit:
                    return Trail(entries, row.position or None, looked, upto)
        if len(rows) < PIECES_AT_A_TIME:
            return Trail(entries, None, looked, upto)
    return Trail(entries, at or None, looked, upto)


def _of(piece: operating.Piece, needles: list[str]) -> Iterator[tuple[int, Entry]]:
    if piece.bodies is None:
        return
    lines = piece.bodies.split(LINE)
    for place in range(len(lines) - 1, -1, -1):
        if all(needle in lines[place] for needle in needles):
            entry = _read(lines[place])
            if entry is not None:
                yield piece.begins + place, entry


def _read(body: str) -> Entry | None:
    try:
        return decode(body.encode())
    except LedgerError:  # what cannot be read, verification names
        return None


def _size_past(connection: Connection, until: datetime, upto: int) -> int:
    """A size of the tree that counts everything before an instant: the first checkpoint a while after it, or all there is."""
    size = operating.size_after(connection, until)
    return upto if size is None else size
