-- Entries by their marks, for those they concern: the serving role reads no other entry.
create function ledger_found(marks bigint[], before bigint, most integer) returns table (mark bigint, "position" bigint, body text)
language sql stable security definer set search_path = lienthong, pg_temp
as $$
    select found.mark, found."position", split_part(batch.bodies, E'\n', (found."position" - place.begins + 1)::integer)
    from (
        select held.mark, held."position" from ledger_index as held
        where held.mark = any(marks) and held."position" < before
        order by held."position" desc
        limit least(most, 10000)
    ) as found
    cross join lateral (select * from ledger_places where begins <= found."position" order by begins desc limit 1) as place
    left join ledger_batches as batch on batch.id = place.batch
    order by found."position" desc
$$;
revoke execute on function ledger_found from public;

-- How many entries, from the first on, can be found by their marks.
create function ledger_indexed() returns bigint
language sql stable security definer set search_path = lienthong, pg_temp
as $$
    select coalesce((select begins + entries from ledger_places order by begins desc limit 1), 0)
$$;
revoke execute on function ledger_indexed from public;
