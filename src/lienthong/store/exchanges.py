"""Records of exchanges, packed by the second as servers leave them, and what they come to by the hour and the day."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from lienthong.store.database import Connection, queries


@dataclass(frozen=True)
class CountKey:
    """What is counted together."""

    span: str  # hour, day or ever
    begins_at: datetime
    provider: str
    service: str
    operation: str
    door: str
    caller: str
    purpose: str


@dataclass
class Count:
    """How many exchanges, how they ended, how much they carried, how long they took (`latencies`: see `store.exchange_records`)."""

    calls: int = 0
    missing: int = 0
    refused: int = 0
    invalid: int = 0
    errors: int = 0
    bytes_in: int = 0
    bytes_out: int = 0
    microseconds: int = 0
    slowest_us: int = 0
    latencies: list[int] = field(default_factory=list)

    def add(self, other: Count) -> None:
        """Count another's exchanges too."""
        for name in ("calls", "missing", "refused", "invalid", "errors", "bytes_in", "bytes_out", "microseconds"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.slowest_us = max(self.slowest_us, other.slowest_us)
        if len(self.latencies) < len(other.latencies):
            self.latencies += [0] * (len(other.latencies) - len(self.latencies))
        for place, count in enumerate(other.latencies):
            self.latencies[place] += count

    @property
    def answered(self) -> int:
        """Those that were answered with what was asked for, or with that there is none."""
        return self.calls - self.refused - self.invalid - self.errors


def take_uncounted(connection: Connection, most: int) -> list[tuple[int, bytes]]:
    """(batch, body) of packed records not counted yet; locked until the transaction ends."""
    rows = connection.execute(queries("exchanges")["uncounted"], {"most": most})
    return [(int(batch), bytes(body)) for batch, body in rows]


def save_counts(connection: Connection, batches: Sequence[int], counts: dict[CountKey, Count], at: datetime) -> None:
    """Add to the counts, and remember that these batches are in them, in one transaction."""
    with connection.cursor() as cursor:
        cursor.executemany(queries("exchanges")["add_count"], [vars(key) | vars(count) for key, count in counts.items()])
    connection.execute(queries("exchanges")["counted"], {"batches": list(batches), "at": at})


def read_counts(
    connection: Connection, span: str, begin: datetime, until: datetime, agency: str | None = None
) -> list[tuple[CountKey, Count]]:
    """Counts that begin in [begin, until), of one agency as provider or caller where one is named."""
    rows = connection.execute(queries("exchanges")["counts"], {"span": span, "from": begin, "until": until, "agency": agency})
    return [(CountKey(span, *row[:7]), Count(*row[7:])) for row in rows]


def read_packed(connection: Connection, begin: datetime, until: datetime) -> Iterator[bytes]:
    """Packed records that may hold some of [begin, until), oldest first, a few at a time."""
    with connection.cursor(name="exchange_batches") as cursor:
        cursor.itersize = 100
        cursor.execute(queries("exchanges")["batches"], {"from": begin, "until": until})
        for _, body in cursor:
            yield bytes(body)


def packed_since(connection: Connection, since: datetime) -> Iterator[tuple[int, datetime, bytes]]:
    """(batch, instant of its last, packed records) of batches with an exchange at or after an instant, a few at a time."""
    with connection.cursor(name="exchange_batches_since") as cursor:
        cursor.itersize = 100
        cursor.execute(queries("exchanges")["batches_since"], {"since": since})
        for batch, last_at, body in cursor:
            yield batch, last_at, bytes(body)


def forget(connection: Connection, records_before: datetime, hours_before: datetime) -> None:
    """Let go of what is older than it is kept for."""
    connection.execute(queries("exchanges")["forget_batches"], {"before": records_before})
    connection.execute(queries("exchanges")["forget_hours"], {"before": hours_before})
