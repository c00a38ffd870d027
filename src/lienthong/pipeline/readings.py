"""Who read how much in the last hours: followed in the ledger and in the records of exchanges, each entry once, in bounded memory.

Counts lie in slices of five minutes; a window begins with the slice its first instant lies in. Of one reader at most `MOST_PERSONS` persons are
told apart in a slice, of one subsystem at most `MOST_OFFICIALS` officials: the rest is judged as one, `CROWD`, so that a name of its own for
each look-up is noticed rather than a way round.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import msgspec

from lienthong.access import ANONYMOUS
from lienthong.clock import VIETNAM
from lienthong.ledger import Event
from lienthong.pipeline.alert_rules import Rule
from lienthong.store import Connection
from lienthong.store import alerts as store
from lienthong.store.exchange_records import in_order
from lienthong.store.exchanges import packed_since

SLICE = timedelta(minutes=5)
LATE_RECORDS = timedelta(minutes=5)  # records of exchanges are written within seconds
MOST_PERSONS, MOST_OFFICIALS = 10_000, 2_000
CROWD = "…"
OF_READING = ("many_persons", "off_hours", "refused", "keys_in_order")

Who = tuple[str, str]  # caller, official


@dataclass(slots=True)
class Reader:
    """What one official of one subsystem did in some time."""

    persons: set[int] = field(default_factory=set)  # 64 bits of each one's keyed hash
    listed: int = 0  # records of pages: not told apart
    late: int = 0
    refused: int = 0
    in_order: int = 0

    def add(self, other: Reader) -> None:
        self.persons |= other.persons
        self.listed += other.listed
        self.late += other.late
        self.refused += other.refused
        self.in_order += other.in_order


class _Line(msgspec.Struct):
    """What is looked at of an entry."""

    at: datetime
    event: str
    caller: str
    official: str = ""
    subject: str | None = None
    details: dict[str, object] = {}


_line = msgspec.json.Decoder(_Line).decode


@dataclass
class _Slice:
    """Five minutes: readers, and how many officials of each subsystem are told apart."""

    readers: dict[Who, Reader] = field(default_factory=dict)
    officials: dict[str, int] = field(default_factory=dict)

    def reader(self, caller: str, official: str) -> Reader:
        found = self.readers.get((caller, official))
        if found is None:
            told_apart = self.officials.get(caller, 0)
            if told_apart >= MOST_OFFICIALS:
                return self.readers.setdefault((caller, CROWD), Reader())
            self.officials[caller] = told_apart + 1
            found = self.readers[caller, official] = Reader()
        return found


class Readings:
    """The last hours of reading, brought up to date by `follow`. One for each process that watches; its loss costs reading them anew."""

    def __init__(self) -> None:
        self.joined: dict[str, datetime] = {}  # entity → when its index first joined records by itself: looked for once, it stays so
        self._rules: tuple[Rule, ...] = ()
        self._begin()

    def _begin(self) -> None:
        self._slices: dict[int, _Slice] = {}
        self._after = -1  # the batch of the ledger up to which all is taken in
        self._taken = set[int]()  # batches past it
        self._records_since: datetime | None = None
        self._records = dict[int, datetime]()  # batches of records taken in lately

    def follow(self, connection: Connection, rules: tuple[Rule, ...], now: datetime) -> None:
        """Take in what came since the last time, of the longest window of the rules."""
        reading = tuple(rule for rule in rules if rule.kind in OF_READING)
        if reading != self._rules:
            self._begin()
            self._rules = reading
        if not reading:
            return
        since = now - timedelta(hours=max(rule.limit("hours") for rule in reading))
        first = _number(since)
        for old in [number for number in self._slices if number < first]:
            del self._slices[old]
        self._follow_ledger(connection, since)
        self._follow_records(connection, since, now)

    def within(self, hours: float, now: datetime) -> Mapping[Who, Reader]:
        """(caller, official) → what they did in the last hours."""
        first = _number(now - timedelta(hours=hours))
        found: dict[Who, Reader] = {}
        for number, each in self._slices.items():
            if number >= first:
                for who, reader in each.readers.items():
                    found.setdefault(who, Reader()).add(reader)
        return found

    def _follow_ledger(self, connection: Connection, since: datetime) -> None:
        if self._after < 0:
            self._after = store.batch_before(connection, since)
        settled = store.settled_batch(connection)  # read first: what comes meanwhile is past it
        for batch, bodies in store.batches_after(connection, self._after, self._taken, since):
            self._taken.add(batch)
            for body in bodies.split("\n"):
                self._take(_line(body), since)
        self._after = max(self._after, settled)
        self._taken = {batch for batch in self._taken if batch > self._after}

    def _take(self, line: _Line, since: datetime) -> None:
        if not line.event.startswith(("answer:", "call:")) or line.caller == ANONYMOUS or line.at < since - SLICE:
            return
        reader = self._slices.setdefault(_number(line.at), _Slice()).reader(line.caller, line.official)
        if line.event == Event.REQUEST_DENIED:
            reader.refused += 1
            return
        if line.event in (Event.ANSWER_RECORD, Event.ANSWER_MISSING) and line.subject is not None:
            if len(reader.persons) < MOST_PERSONS:
                reader.persons.add(int(line.subject[-16:], 16))
        elif line.event == Event.ANSWER_PAGE:
            listed = line.details.get("records", 0)
            reader.listed += listed if isinstance(listed, int) else 0
        if line.official and any(_is_off(line.at, rule) for rule in self._rules if rule.kind == "off_hours"):
            reader.late += 1

    def _follow_records(self, connection: Connection, since: datetime, now: datetime) -> None:
        begin = since if self._records_since is None else max(since, self._records_since - LATE_RECORDS)
        for batch, last_at, body in packed_since(connection, begin):
            if batch in self._records:
                continue
            self._records[batch] = last_at
            for caller, official, began_ms in in_order(body):
                if began_ms >= since.timestamp() * 1000:
                    number = int(began_ms / 1000 // SLICE.total_seconds())
                    self._slices.setdefault(number, _Slice()).reader(caller, official).in_order += 1
        self._records_since = now
        self._records = {batch: at for batch, at in self._records.items() if at >= now - LATE_RECORDS}


def _number(at: datetime) -> int:
    return int(at.timestamp() // SLICE.total_seconds())


def _is_off(at: datetime, rule: Rule) -> bool:
    """Whether an instant is outside office hours in Vietnam: at night, or at a week's end."""
    local = at.astimezone(VIETNAM)
    return local.weekday() >= 5 or local.hour >= rule.limit("begins") or local.hour < rule.limit("ends")
