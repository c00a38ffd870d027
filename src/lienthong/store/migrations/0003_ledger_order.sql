-- The ledger's batches come first and their order after: writers no longer wait for each other (docs/adr/0016).
-- What was kept stays as it was: the same entries in the same order under the same signatures.

drop function ledger_append;
drop function ledger_lock_head;
create schema lienthong_before;
alter table ledger_entries set schema lienthong_before;
alter table ledger_batches set schema lienthong_before;
alter table ledger_head set schema lienthong_before;

create table ledger_batches (
    id bigint generated always as identity constraint ledger_batches_pk primary key,
    at timestamptz not null default clock_timestamp(),
    bodies text not null, -- an entry a line: canonical JSON, the bytes that are hashed
    seal bytea -- HMAC-SHA256 of bodies under the platform's key; null: written before there were seals, and in the tree since
);

create table ledger_checkpoints (
    size bigint constraint ledger_checkpoints_pk primary key, -- of the tree with what it adds
    begins bigint not null, -- position of the first entry it adds
    batches bigint[] not null, -- what it adds, in the order of the tree
    root bytea not null,
    at timestamptz not null,
    key_id text not null,
    signature bytea not null -- Ed25519 over the checkpoint text
);

create table ledger_tiles (
    level smallint not null,
    number bigint not null,
    hashes bytea not null, -- up to 256 of 32 bytes (C2SP tlog-tiles); level 0: SHA-256(0x00 || body)
    constraint ledger_tiles_pk primary key (level, number)
);
alter table ledger_tiles alter column hashes set storage external; -- hashes do not compress

create table ledger_edge (
    is_only boolean constraint ledger_edge_pk primary key default true constraint ledger_edge_one check (is_only),
    size bigint not null, -- of the tree
    seen bigint not null -- the largest id of a batch looked at
);
insert into ledger_edge (size, seen) values (0, 0);

-- Smaller ids than the largest seen, of writers that had not committed. None is left out: a gap is looked at until its
-- writer has ended, which it has when no transaction older than the horizon runs any more.
create table ledger_gaps (
    id bigint constraint ledger_gaps_pk primary key,
    horizon xid8 not null
);

create table ledger_refused (
    id bigint constraint ledger_refused_pk primary key, -- of a batch the platform did not write: its seal is not ours
    at timestamptz not null default clock_timestamp()
);

-- An id is taken only after the transaction has its number, so that the horizon of a gap is never too early.
create function ledger_append(new_bodies text, new_seal bytea) returns void
language plpgsql security definer set search_path = lienthong, pg_temp
as $$
begin
    perform pg_current_xact_id();
    insert into ledger_batches (bodies, seal) values (new_bodies, new_seal);
end
$$;
revoke execute on function ledger_append from public;

-- Seconds the oldest batch waits for its checkpoint; 0 when none does.
create function ledger_waiting() returns double precision
language sql stable security definer set search_path = lienthong, pg_temp
as $$
    select coalesce(extract(epoch from clock_timestamp() - min(at)), 0)::double precision
    from ledger_batches where id > (select seen from ledger_edge)
$$;
revoke execute on function ledger_waiting from public;

-- For reading: an entry a row, in the order of the tree.
create view ledger_entries as
select checkpoint.begins + row_number() over (partition by checkpoint.size order by taken.place, line.place) - 1 as position, line.body,
    batch.at, batch.id as batch
from ledger_checkpoints as checkpoint
cross join unnest(checkpoint.batches) with ordinality as taken (id, place)
join ledger_batches as batch on batch.id = taken.id
cross join string_to_table(batch.bodies, E'\n') with ordinality as line (body, place);

insert into ledger_batches (id, at, bodies)
overriding system value
select row_number() over (order by batch.size), batch.at, string_agg(entry.body, E'\n' order by entry.position)
from (select size, at, coalesce(lag(size) over (order by size), 0) as begins from lienthong_before.ledger_batches) as batch
join lienthong_before.ledger_entries as entry on entry.position >= batch.begins and entry.position < batch.size
group by batch.size, batch.at;

insert into ledger_checkpoints (size, begins, batches, root, at, key_id, signature)
select size, coalesce(lag(size) over (order by size), 0), array[row_number() over (order by size)], root, at, key_id, signature
from lienthong_before.ledger_batches;

insert into ledger_tiles (level, number, hashes)
select 0, position / 256, string_agg(leaf, ''::bytea order by position) from lienthong_before.ledger_entries group by position / 256;

create function pg_temp.whole_tile_root(tile bytea) returns bytea
language plpgsql
as $$
declare
    above bytea;
begin
    while length(tile) > 32 loop
        above := '';
        for at in 0 .. length(tile) / 64 - 1 loop
            above := above || sha256('\x01'::bytea || substring(tile from at * 64 + 1 for 64));
        end loop;
        tile := above;
    end loop;
    return tile;
end
$$;
do $$
begin
    for below in 0 .. 6 loop
        insert into ledger_tiles (level, number, hashes)
        select below + 1, number / 256, string_agg(pg_temp.whole_tile_root(hashes), ''::bytea order by number)
        from ledger_tiles
        where level = below and length(hashes) = 8192
        group by number / 256;
        exit when not found;
    end loop;
end
$$;

update ledger_edge set size = (select size from lienthong_before.ledger_head), seen = (select count(*) from lienthong_before.ledger_batches);
select setval(pg_get_serial_sequence('lienthong.ledger_batches', 'id'), greatest((select seen from ledger_edge), 1), (select seen from ledger_edge) > 0);
drop schema lienthong_before cascade;
