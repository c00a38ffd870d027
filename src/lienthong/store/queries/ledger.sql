-- name: append
-- A batch; its place in the tree is decided after its transaction has ended.
select lienthong.ledger_append(%(bodies)s, %(seal)s);

-- name: size
-- Entries in the tree.
select size from lienthong.ledger_edge;

-- name: take_turn
-- The one right to put batches in order.
select pg_advisory_lock(%(class)s, 1);

-- name: end_turn
select pg_advisory_unlock(%(class)s, 1);

-- name: edge
-- Where the order ends.
select size, seen from lienthong.ledger_edge;

-- name: unfinished
-- The tiles at the edge that are begun.
select tile.level, tile.hashes
from unnest(%(levels)s::smallint[], %(numbers)s::bigint[]) as edge (level, number)
join lienthong.ledger_tiles as tile using (level, number);

-- name: fresh
-- Batches that are in no checkpoint, in order of writing.
select id, bodies, seal
from lienthong.ledger_batches
where id > %(seen)s or id in (select id from lienthong.ledger_gaps)
order by id
limit %(most)s;

-- name: forget_gaps
-- Gaps that are filled now, or will never be: every transaction that could fill them has ended.
delete from lienthong.ledger_gaps as gap
where id = any(%(found)s)
    or horizon <= pg_snapshot_xmin(pg_current_snapshot())
        and not exists (select from lienthong.ledger_batches as batch where batch.id = gap.id);

-- name: note_gaps
-- Ids between those seen before and now that no committed writer has.
insert into lienthong.ledger_gaps (id, horizon)
select id, pg_snapshot_xmax(pg_current_snapshot())
from generate_series(%(after)s::bigint + 1, %(to)s) as id
where id <> all(%(found)s);

-- name: refused
-- Batches that were refused and have a seal.
select batch.id, batch.bodies, batch.seal
from lienthong.ledger_refused as refused
join lienthong.ledger_batches as batch using (id)
where batch.seal is not null
order by batch.id;

-- name: take_back
-- Refused batches wait for their place again, as gaps that are filled.
with back as (delete from lienthong.ledger_refused where id = any(%(ids)s) returning id)
insert into lienthong.ledger_gaps (id, horizon) select id, pg_snapshot_xmax(pg_current_snapshot()) from back;

-- name: taken_seals
-- Which of these seals are of batches looked at before and not refused.
select batch.seal
from lienthong.ledger_batches as batch
where batch.seal = any(%(seals)s::bytea[])
    and batch.id <= %(seen)s
    and batch.id <> all(%(ids)s)
    and not exists (select from lienthong.ledger_refused as refused where refused.id = batch.id);

-- name: is_any_gone
-- Whether copies of batches that are gone are looked for.
select exists (select from lienthong.ledger_gone);

-- name: gone_among
-- Which of these digests are of batches whose bodies are gone.
select distinct digest from lienthong.ledger_gone where digest = any(%(digests)s::bytea[]);

-- name: gone_of_others
-- What stands for a batch that is not gone, and of two that are the same the later.
select gone.begins, 'gone'
from lienthong.ledger_gone as gone
where not exists (
    select
    from lienthong.ledger_places as place
    where place.begins = gone.begins
        and not exists (select from lienthong.ledger_batches as batch where batch.id = place.batch)
)
union all
select max(begins), 'copy' from lienthong.ledger_gone group by digest having count(*) > 1
order by 1
limit 1;

-- name: copies
-- Batches of checkpoints that bear the seal of an earlier one.
with sealed as (select seal from lienthong.ledger_batches where seal is not null group by seal having count(*) > 1),
    taken as (select unnest(batches) as id from lienthong.ledger_checkpoints)
select batch.id
from sealed
join lienthong.ledger_batches as batch using (seal)
join taken using (id)
where exists (
    select
    from lienthong.ledger_batches as other
    where other.seal = sealed.seal
        and other.id < batch.id
        and not exists (select from lienthong.ledger_refused as refused where refused.id = other.id)
)
order by batch.id
limit 1;

-- name: refuse
insert into lienthong.ledger_refused (id) select unnest(%(ids)s::bigint[]);

-- name: keep_tile
insert into lienthong.ledger_tiles (level, number, hashes) values (%(level)s, %(number)s, %(hashes)s)
on conflict (level, number) do update set hashes = excluded.hashes;

-- name: keep_checkpoint
insert into lienthong.ledger_checkpoints (size, begins, batches, root, at, key_id, signature)
values (%(size)s, %(begins)s, %(batches)s, %(root)s, %(at)s, %(key_id)s, %(signature)s);

-- name: move_edge
update lienthong.ledger_edge set size = %(size)s, seen = greatest(seen, %(seen)s);

-- name: checkpoints
-- Every checkpoint in order.
select size, begins, cardinality(batches), root, at, key_id, signature from lienthong.ledger_checkpoints order by size;

-- name: batches
-- Every batch of the checkpoints past a size, in the order of the tree; no bodies when it is not there any more, no place when none is kept.
select taken.id, convert_to(batch.bodies, 'UTF8'), batch.seal, place.begins, place.entries, batch.at, gone.digest
from (select * from lienthong.ledger_checkpoints where size > %(after)s and size <= %(upto)s order by size) as checkpoint
cross join unnest(checkpoint.batches) with ordinality as taken (id, place)
left join lienthong.ledger_batches as batch on batch.id = taken.id
left join lienthong.ledger_places as place on place.batch = taken.id
left join lienthong.ledger_gone as gone on gone.begins = place.begins
order by checkpoint.size, taken.place;

-- name: tile
select hashes from lienthong.ledger_tiles where level = %(level)s and number = %(number)s;

-- name: tiles
-- Several tiles at once: a round trip instead of one for each.
select tile.level, tile.number, tile.hashes
from unnest(%(levels)s::smallint[], %(numbers)s::bigint[]) as wanted (level, number)
join lienthong.ledger_tiles as tile using (level, number);

-- name: newest_checkpoint
-- The checkpoint over the whole tree.
select size, root, at, key_id, signature from lienthong.ledger_checkpoints order by size desc limit 1;

-- name: batches_around
-- The batches of the checkpoint that brought an entry into the tree, in its order, and the position of the first.
select checkpoint.begins, batch.bodies
from (
    select * from lienthong.ledger_checkpoints where size > %(position)s order by size limit 1
) as checkpoint
cross join unnest(checkpoint.batches) with ordinality as taken (id, place)
join lienthong.ledger_batches as batch on batch.id = taken.id
order by taken.place;

-- name: body
-- The body of an entry whose batch has its place kept: (line, body), the body null when it is gone.
select %(position)s::bigint - place.begins, split_part(batch.bodies, E'\n', (%(position)s::bigint - place.begins + 1)::integer)
from (
    select * from lienthong.ledger_places where begins <= %(position)s order by begins desc limit 1
) as place
left join lienthong.ledger_batches as batch on batch.id = place.batch
where %(position)s::bigint < place.begins + place.entries;

-- name: checkpoint_of
select size, root, at, key_id, signature from lienthong.ledger_checkpoints where size = %(size)s;

-- name: leaf_tiles
-- The tiles of leaves, in order.
select level, number, hashes from lienthong.ledger_tiles where level = 0 order by number;

-- name: upper_tiles
-- The tiles above the leaves.
select level, number, hashes from lienthong.ledger_tiles where level > 0 order by level, number;

-- name: foreign
-- Batches that no checkpoint holds and none ever will.
select batch.id
from lienthong.ledger_batches as batch
where batch.id <= (select seen from lienthong.ledger_edge)
    and not exists (select from lienthong.ledger_gaps as gap where gap.id = batch.id)
    and not exists (select from (select unnest(batches) as id from lienthong.ledger_checkpoints) as taken where taken.id = batch.id)
order by batch.id;

-- name: twice
-- Batches in two checkpoints, and what waits or was refused though it is in one; whether the edge has seen less than the tree holds, or more
-- than was ever looked at: what was written there would be left out.
with taken as (select unnest(batches) as id from lienthong.ledger_checkpoints)
select id from taken group by id having count(*) > 1
union
select id from taken where exists (select from lienthong.ledger_gaps as gap where gap.id = taken.id)
union
select id from taken where exists (select from lienthong.ledger_refused as refused where refused.id = taken.id)
union
select id from taken where id > (select seen from lienthong.ledger_edge)
union
select seen
from lienthong.ledger_edge
where seen > greatest(
    0, (select max(id) from taken), (select max(id) from lienthong.ledger_refused), (select max(id) from lienthong.ledger_gaps)
)
order by id
limit 20;

-- name: index_sums
-- What the index adds up to, but for entries whose bodies are not here and of whose index nothing was told.
select count(*), coalesce(sum(mark), 0), coalesce(sum((mark # (position << 20))::numeric), 0)
from lienthong.ledger_index
where not position <@ %(unindexed)s::int8multirange;

-- name: placed
-- Entries whose batches have their place kept.
select coalesce(max(begins + entries), 0) from lienthong.ledger_places;

-- name: position_of_batch
-- Where the checkpoint begins that brought a batch into the tree.
select begins from lienthong.ledger_checkpoints where batches @> array[%(batch)s::bigint] order by size limit 1;

-- name: does_any_wait
-- Whether a batch has no place yet.
select exists (select from lienthong.ledger_batches where id > (select seen from lienthong.ledger_edge) or id in (select id from lienthong.ledger_gaps));

-- name: places_of_others
-- Places of batches that are in no checkpoint.
select begins from lienthong.ledger_places as place
where not exists (select from (select unnest(batches) as id from lienthong.ledger_checkpoints) as taken where taken.id = place.batch)
order by begins
limit 1;

-- name: sizes_after
-- Sizes of the checkpoints past one, a few.
select size from lienthong.ledger_checkpoints where size > %(after)s order by size limit %(most)s;

-- name: hold_indexing
-- One at a time; whoever comes second goes home.
select pg_try_advisory_xact_lock(%(class)s, 2);
