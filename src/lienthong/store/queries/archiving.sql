-- name: archives
-- Every archive, in order.
select number, begins, ends, digest, at, dropped_at from lienthong.ledger_archives order by number;

-- name: next_end
-- The checkpoint at which the next archive ends; only what has its place kept.
select coalesce(max(size) filter (where size <= %(begins)s::bigint + %(most)s), min(size))
from lienthong.ledger_checkpoints
where size > %(begins)s and at < %(before)s
    and size <= coalesce((select begins + entries from lienthong.ledger_places order by begins desc limit 1), 0);

-- name: keep_archive
insert into lienthong.ledger_archives (number, begins, ends, digest, at) values (%(number)s, %(begins)s, %(ends)s, %(digest)s, %(at)s);

-- name: keep_gone
-- What a copy of these batches is known by when their bodies are gone.
insert into lienthong.ledger_gone (begins, digest)
select place.begins, sha256(string_agg(
    substring(
        tile.hashes
        from (greatest(place.begins - tile.number * 256, 0) * 32 + 1)::integer
        for ((least(place.begins + place.entries - tile.number * 256, 256) - greatest(place.begins - tile.number * 256, 0)) * 32)::integer
    ),
    ''::bytea order by tile.number
))
from lienthong.ledger_places as place
join lienthong.ledger_tiles as tile on tile.level = 0 and tile.number between place.begins / 256 and (place.begins + place.entries - 1) / 256
where place.batch = any(%(batches)s)
group by place.begins;

-- name: remove_bodies
delete from lienthong.ledger_batches where id = any(%(batches)s);

-- name: drop_archive
update lienthong.ledger_archives set dropped_at = %(at)s where number = %(number)s;
