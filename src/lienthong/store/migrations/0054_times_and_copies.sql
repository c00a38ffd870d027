-- The time of a batch cannot be changed unseen, and a copy of one whose bodies are in an archive is known (ledger/verify.py).

-- Seals made from now on hold the time. What was sealed before, and what an earlier version still writes, has the time of its first entry.
create or replace function ledger_append(new_bodies text, new_seal bytea) returns void
language plpgsql security definer set search_path = lienthong, pg_temp
as $$
begin
    perform pg_current_xact_id();
    insert into ledger_batches (at, bodies, seal) values (ledger_time(new_bodies, new_seal), new_bodies, new_seal);
end
$$;

create function ledger_time(bodies text, seal bytea) returns timestamptz
language sql stable set search_path = lienthong, pg_temp
as $$
    select case
        when octet_length(seal) = 56
            then timestamptz 'epoch' + ('x' || encode(substring(seal from 17 for 8), 'hex'))::bit(64)::bigint * interval '1 microsecond'
        when starts_with(bodies, '{"v":1,"at":"') then split_part(substr(bodies, 14, 40), '"', 1)::timestamptz
        else clock_timestamp()
    end
$$;
revoke execute on function ledger_time from public;

update ledger_batches
set at = ledger_time(bodies, seal)
where at <> ledger_time(bodies, seal) and starts_with(bodies, '{"v":1,"at":"');

create table ledger_gone (
    begins bigint constraint ledger_gone_pk primary key,
    digest bytea not null
);
create index ledger_gone_digest on ledger_gone using hash (digest);

insert into ledger_gone (begins, digest)
select place.begins, sha256(string_agg(
    substring(
        tile.hashes
        from (greatest(place.begins - tile.number * 256, 0) * 32 + 1)::integer
        for ((least(place.begins + place.entries - tile.number * 256, 256) - greatest(place.begins - tile.number * 256, 0)) * 32)::integer
    ),
    ''::bytea order by tile.number
))
from ledger_places as place
join ledger_tiles as tile on tile.level = 0 and tile.number between place.begins / 256 and (place.begins + place.entries - 1) / 256
where not exists (select from ledger_batches as batch where batch.id = place.batch)
group by place.begins;

alter table ledger_refused drop column at; -- nobody read it, and nothing would have shown that it was changed
