-- name: uncounted
-- Packed records that are in no count yet, oldest first; other counters leave them alone until this transaction ends.
select batch, body from exchange_batches where counted_at is null order by batch limit %(most)s for update skip locked;

-- name: counted
-- These are counted now.
update exchange_batches set counted_at = %(at)s where batch = any(%(batches)s);

-- name: add_count
-- Add to the count of one hour or day, of one service, caller, purpose, operation and door.
insert into exchange_counts as held (span, begins_at, provider, service, operation, door, caller, purpose,
    calls, missing, refused, invalid, errors, bytes_in, bytes_out, microseconds, slowest_us, latencies)
values (%(span)s, %(begins_at)s, %(provider)s, %(service)s, %(operation)s, %(door)s, %(caller)s, %(purpose)s,
    %(calls)s, %(missing)s, %(refused)s, %(invalid)s, %(errors)s, %(bytes_in)s, %(bytes_out)s, %(microseconds)s, %(slowest_us)s, %(latencies)s)
on conflict on constraint exchange_counts_pk do update set
    calls = held.calls + excluded.calls,
    missing = held.missing + excluded.missing,
    refused = held.refused + excluded.refused,
    invalid = held.invalid + excluded.invalid,
    errors = held.errors + excluded.errors,
    bytes_in = held.bytes_in + excluded.bytes_in,
    bytes_out = held.bytes_out + excluded.bytes_out,
    microseconds = held.microseconds + excluded.microseconds,
    slowest_us = greatest(held.slowest_us, excluded.slowest_us),
    latencies = array(
        select coalesce(one, 0) + coalesce(other, 0)
        from unnest(held.latencies, excluded.latencies) with ordinality as both_of (one, other, place)
        order by place
    );

-- name: counts
-- Counts of a span that begin in [from, until), of one agency as provider or caller where one is named.
select begins_at, provider, service, operation, door, caller, purpose, calls, missing, refused, invalid, errors, bytes_in, bytes_out,
    microseconds, slowest_us, latencies
from exchange_counts
where span = %(span)s and begins_at >= %(from)s and begins_at < %(until)s
    and (%(agency)s::text is null or provider = %(agency)s or split_part(caller, '/', 3) = %(agency)s)
order by begins_at, provider, service, operation, door, caller, purpose;

-- name: batches
-- Packed records that may hold some of [from, until), oldest first.
select batch, body from exchange_batches where last_at >= %(from)s and first_at < %(until)s order by last_at, batch;

-- name: batches_since
-- Packed records that may hold some of an instant on, in the order they were written.
select batch, last_at, body from exchange_batches where last_at >= %(since)s order by batch;

-- name: forget_batches
-- Let go of records that are older than they are kept for; those not counted stay.
delete from exchange_batches where last_at < %(before)s and counted_at is not null;

-- name: forget_hours
-- Let go of counts by the hour that are older than they are kept for; those by the day stay.
delete from exchange_counts where span = 'hour' and begins_at < %(before)s;
