-- The operational record of exchanges, and what it comes to by the hour and the day.

set search_path to lienthong;

create table exchange_batches (
    batch bigint generated always as identity constraint exchange_batches_pk primary key,
    server text not null, -- who answered: host and port
    first_at timestamptz not null, -- when the first of its exchanges began
    last_at timestamptz not null,
    records integer not null,
    body bytea not null, -- zlib over MessagePack: store/exchange_records.py
    counted_at timestamptz -- since when they are in the counts
);
alter table exchange_batches alter column body set storage external; -- it is compressed already
create index exchange_batches_last on exchange_batches (last_at);
create index exchange_batches_uncounted on exchange_batches (batch) where counted_at is null;

create table exchange_counts (
    span text not null constraint exchange_counts_span_known check (span in ('hour', 'day')),
    begins_at timestamptz not null, -- days begin at midnight in Vietnam
    provider text not null, -- agency code
    service text not null,
    operation text not null,
    door text not null,
    caller text not null,
    purpose text not null,
    calls bigint not null,
    missing bigint not null, -- answered: there is no such record
    refused bigint not null,
    invalid bigint not null, -- not understood
    errors bigint not null, -- ours or the provider's
    bytes_in bigint not null,
    bytes_out bigint not null,
    microseconds bigint not null, -- of all of them
    slowest_us bigint not null,
    latencies bigint[] not null, -- how many in each bucket: store/exchange_records.py
    constraint exchange_counts_pk primary key (span, begins_at, provider, service, operation, door, caller, purpose)
);
