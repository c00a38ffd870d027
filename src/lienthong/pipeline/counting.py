"""Records of exchanges become counts by the hour and the day, and are let go when they have been kept long enough."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

from lienthong.clock import VIETNAM
from lienthong.pipeline.workshop import Workshop
from lienthong.store.exchange_records import BUCKETS, ERROR, INVALID, MISSING, REFUSED, Exchange, bucket_of, unpack
from lienthong.store.exchanges import Count, CountKey, forget, save_counts, take_uncounted

BATCHES_AT_ONCE = 50
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def count_exchanges(workshop: Workshop) -> int:
    """Count what is not counted yet, each record once; gives how many there were."""
    total = 0
    while True:
        with workshop.database.warm() as connection:
            batches = take_uncounted(connection, BATCHES_AT_ONCE)
            if not batches:
                return total
            exchanges = [exchange for _, body in batches for exchange in unpack(body)]
            save_counts(connection, [batch for batch, _ in batches], counts_of(exchanges), workshop.clock())
        total += len(exchanges)


def counts_of(exchanges: list[Exchange]) -> dict[CountKey, Count]:
    """The counts of some records, of their hours, their days in Vietnam, and all time (callers and purposes together)."""
    hours: dict[tuple[object, ...], Count] = {}
    for exchange in exchanges:
        key = (exchange.began_ms // 3_600_000, *_what(exchange))
        count = hours.get(key)
        if count is None:
            count = hours[key] = Count(latencies=[0] * BUCKETS)
        _add(count, exchange)
    counts: dict[CountKey, Count] = {}
    for (hour, *what), count in hours.items():
        begins_at = datetime.fromtimestamp(int(str(hour)) * 3600, UTC)
        day = datetime.combine(begins_at.astimezone(VIETNAM).date(), time(), VIETNAM).astimezone(UTC)
        for span, at in (("hour", begins_at), ("day", day)):
            named = CountKey(span, at, *map(str, what))
            counts.setdefault(named, Count()).add(count)
        provider, service, operation, door, *_ = map(str, what)
        counts.setdefault(CountKey("ever", EPOCH, provider, service, operation, door, "", ""), Count()).add(count)
    return counts


def forget_exchanges(workshop: Workshop, record_days: int, hour_days: int) -> None:
    """Let go of records and of counts by the hour past their days; counts by the day are kept."""
    now = workshop.clock()
    with workshop.database.connect() as connection:
        forget(connection, now - timedelta(days=record_days), now - timedelta(days=hour_days))


def _what(exchange: Exchange) -> tuple[str, ...]:
    return exchange.provider, exchange.service, exchange.operation, exchange.door, exchange.caller, exchange.purpose


def _add(count: Count, exchange: Exchange) -> None:
    count.calls += 1
    count.missing += exchange.outcome == MISSING
    count.refused += exchange.outcome == REFUSED
    count.invalid += exchange.outcome == INVALID
    count.errors += exchange.outcome == ERROR
    count.bytes_in += exchange.bytes_in
    count.bytes_out += exchange.bytes_out
    count.microseconds += exchange.took_us
    count.slowest_us = max(count.slowest_us, exchange.took_us)
    count.latencies[bucket_of(exchange.took_us)] += 1
