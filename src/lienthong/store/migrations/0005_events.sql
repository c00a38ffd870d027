-- The stream of events over all datasets: what changed, in an order that does not change.
set search_path to lienthong;
-- Whoever changes something leaves an event in the transaction of the act (event_append), none waiting for another. Whoever reads first
-- lets what is committed be put in order (events_put_in_order): under one lock it moves from events_waiting to events, at the next positions.
-- Invariant: positions have no gap, and become visible in their order; an event never stands before one that was committed before its own
-- transaction took its number. So a reader that remembers the last position it saw misses none and sees each once.
-- An event holds no personal data: `version:published` stands for the records its version changed, `entities:changed` for its match_events.

create table events_waiting (
    event bigint generated always as identity constraint events_waiting_pk primary key,
    at timestamptz not null default clock_timestamp(),
    type text not null,
    source text not null, -- a dataset, `entity/<type>`, a room or a subscription
    subject text not null,
    data jsonb not null
);

create table events (
    position bigint constraint events_pk primary key,
    event bigint not null constraint events_event_unique unique, -- its number in events_waiting
    at timestamptz not null,
    type text not null,
    source text not null,
    subject text not null,
    data jsonb not null
);
create index events_source on events (source, position);

create function event_append(new_type text, new_source text, new_subject text, new_data jsonb) returns void
language plpgsql security definer set search_path = lienthong, pg_temp
as $$
begin
    insert into events_waiting (type, source, subject, data) values (new_type, new_source, new_subject, new_data);
    perform pg_notify('lienthong_events', '');
end
$$;
revoke execute on function event_append from public;

-- Each statement after the lock sees all that was moved before: the lock is given back only after that is committed.
create function events_put_in_order() returns bigint
language plpgsql security definer set search_path = lienthong, pg_temp
as $$
declare
    moved bigint;
begin
    if not exists (select from events_waiting) then
        return 0;
    end if;
    perform pg_advisory_xact_lock(19540, 2); -- 19540 is "LT", as for all our locks
    with taken as (
        delete from events_waiting returning event, at, type, source, subject, data
    )
    insert into events (position, event, at, type, source, subject, data)
    select (select coalesce(max(position), 0) from events) + row_number() over (order by event), event, at, type, source, subject, data
    from taken;
    get diagnostics moved = row_count;
    return moved;
end
$$;
revoke execute on function events_put_in_order from public;

-- However identities come to change, the stream tells of it: one event an act and statement, over a span of match_events.
create function events_of_matching() returns trigger
language plpgsql security definer set search_path = lienthong, pg_temp
as $$
begin
    perform event_append('entities:changed', 'entity/' || span.entity, span.act::text,
        jsonb_build_object('act', span.act, 'from', span.first, 'to', span.last, 'events', span.events))
    from (
        select entity, act, min(event) as first, max(event) as last, count(*) as events from fresh group by entity, act order by min(event)
    ) as span;
    return null;
end
$$;
create trigger match_events_told after insert on match_events
referencing new table as fresh for each statement execute function events_of_matching();

-- What was published and matched before stands in the stream too.
insert into events_waiting (at, type, source, subject, data)
select at, type, source, subject, data
from (
    select known_at as at, 'version:published' as type, dataset_id as source, version::text as subject,
        jsonb_build_object('version', version, 'inserted', inserted, 'updated', updated, 'ended', ended, 'contract_version', contract_version) as data
    from versions
    union all
    select min(at), 'entities:changed', 'entity/' || entity, act::text,
        jsonb_build_object('act', act, 'from', min(event), 'to', max(event), 'events', count(*))
    from match_events
    group by entity, act
) as before
order by at, source;
