-- name: waiting
-- What waits for a person: of the pairs nearest the cut those whose decision moves most. A pair somebody else has open is left out.
with near as (
    select item, why, bits, left_record, right_record
    from match_queue
    where entity = %(entity)s
        and (deferred_until is null or deferred_until <= %(at)s)
        and (locked_until is null or locked_until <= %(at)s or locked_by = %(by)s)
    order by abs(bits), item
    limit %(near)s
),
seen as (
    select q.item, q.why, q.bits, l.source as left_source, l.key as left_key, l.content as left_content, lg.id as left_id,
        r.source as right_source, r.key as right_key, r.content as right_content, rg.id as right_id,
        (select count(*) from match_records as m where m.golden = l.golden)
            + (select count(*) from match_records as m where m.golden = r.golden) as records
    from near as q
    join match_records as l on l.record = q.left_record
    join match_records as r on r.record = q.right_record
    join match_goldens as lg on lg.golden = l.golden
    join match_goldens as rg on rg.golden = r.golden
    where l.golden <> r.golden
)
select item, why, bits, left_source, left_key, left_content, left_id, right_source, right_key, right_content, right_id, records
from seen
order by records / (1 + abs(bits)) desc, item
limit %(limit)s;

-- name: fitting
-- Pairs that wait and fit a pattern, counted here; where too many do, one row that tells how many and no pair. What narrows without a record comes first.
with waiting as (
    select item, why, bits, left_record, right_record
    from match_queue
    where entity = %(entity)s
        and (%(why)s::text is null or why = %(why)s)
        and bits >= %(least_bits)s and bits < %(below_bits)s
        and (deferred_until is null or deferred_until <= %(at)s)
        and (locked_until is null or locked_until <= %(at)s or locked_by = %(by)s)
),
fitting as materialized (
    select q.item, q.why, q.bits, l.record as left_record, r.record as right_record
    from waiting as q
    join match_records as l on l.record = q.left_record
    join match_records as r on r.record = q.right_record
    where l.golden <> r.golden
        and (%(registers)s::text[] is null or array[least(l.source, r.source), greatest(l.source, r.source)] = %(registers)s)
        and not exists (
            select from unnest(%(alike)s::text[]) as n (name)
            where l.content ->> name is null or r.content ->> name is null or (l.content -> name)::jsonb <> (r.content -> name)::jsonb
        )
        and not exists (
            select from unnest(%(differing)s::text[]) as n (name)
            where l.content ->> name is null or r.content ->> name is null or (l.content -> name)::jsonb = (r.content -> name)::jsonb
        )
),
counted as (
    select count(*) as pairs from fitting
)
select q.item, q.why, q.bits, l.source, l.key, l.content, lg.id, r.source, r.key, r.content, rg.id,
    (select count(*) from match_records as m where m.golden = l.golden) + (select count(*) from match_records as m where m.golden = r.golden), c.pairs
from counted as c
left join fitting as q on c.pairs <= %(most)s
left join match_records as l on l.record = q.left_record
left join match_records as r on r.record = q.right_record
left join match_goldens as lg on lg.golden = l.golden
left join match_goldens as rg on rg.golden = r.golden
order by q.item;

-- name: lock_items
-- Open for one person for a while.
update match_queue set locked_by = %(by)s, locked_until = %(until)s where item = any(%(items)s);

-- name: defer
-- Not now: until then nobody is asked.
update match_queue set deferred_until = %(until)s where item = %(item)s returning item;

-- name: second
-- The first of two persons said yes; a pair that did not wait for anybody waits for the second from now on.
insert into match_queue (entity, left_record, right_record, why, bits, since, seconded_by)
select a.entity, least(a.record, b.record), greatest(a.record, b.record), 'identifier', 0, %(at)s, %(by)s
from match_records as a, match_records as b
where a.source = %(left_source)s and a.key = %(left_key)s and b.source = %(right_source)s and b.key = %(right_key)s
on conflict (left_record, right_record) do update set seconded_by = excluded.seconded_by;

-- name: seconded
-- Who said yes first.
select q.seconded_by from match_queue as q
join match_records as l on l.record = q.left_record
join match_records as r on r.record = q.right_record
where (l.source, l.key, r.source, r.key) in ((%(left_source)s, %(left_key)s, %(right_source)s, %(right_key)s), (%(right_source)s, %(right_key)s, %(left_source)s, %(left_key)s))
    and q.seconded_by is not null;

-- name: settle
-- A pair somebody decided.
delete from match_queue as q using match_records as l, match_records as r
where l.record = q.left_record and r.record = q.right_record
    and (l.source, l.key, r.source, r.key) in
        ((%(left_source)s, %(left_key)s, %(right_source)s, %(right_key)s), (%(right_source)s, %(right_key)s, %(left_source)s, %(left_key)s));

-- name: pair_of
-- The records of a pair that waits.
select l.source, l.key, r.source, r.key
from match_queue as q
join match_records as l on l.record = q.left_record
join match_records as r on r.record = q.right_record
where q.item = %(item)s and q.entity = %(entity)s;

-- name: act_told
-- One act, whole.
select jsonb_build_object(
    'act', a.act, 'kind', a.kind, 'at', a.at, 'by', a.by_whom, 'reason', a.reason, 'undoes', a.undoes, 'details', a.details,
    'undone_by', (select max(later.act) from match_acts as later where later.undoes = a.act),
    'events', (select coalesce(jsonb_agg(jsonb_build_object('event', e.event, 'kind', e.kind, 'id', e.id, 'others', e.others, 'records', e.records)
        order by e.event), '[]') from (select * from match_events where act = a.act order by event limit 1000) as e)
)
from match_acts as a
where a.act = %(act)s and a.entity = %(entity)s;

-- name: dossier
-- Everything that speaks of an identity.
with standing as (
    select golden, id from match_goldens where id = %(id)s and entity = %(entity)s and ended_at is null
),
members as (
    select r.* from match_records as r join standing using (golden)
),
said as ( -- by stewards, and by rules and the model: an index each
    select j.* from members as m join match_judgements as j on j.left_source = m.source and j.left_key = m.key
    where j.to_at is null and j.kind = 'steward'
    union all
    select j.* from members as m join match_judgements as j on j.left_source = m.source and j.left_key = m.key
    where j.to_at is null and j.kind <> 'steward'
),
told as (
    select judgement as place, left_source, left_key, right_source, right_key, verdict, kind, by_whom, reason, bits, model, from_at, act from said
    union all
    select p.parting, m.source, m.key, other.source, other.key, 'apart', 'steward', p.by_whom, p.reason, null, null, p.from_at, p.act
    from members as m
    join match_parted as mine on mine.source = m.source and mine.key = m.key
    join match_partings as p on p.parting = mine.parting and p.to_at is null
    join match_parted as other on other.parting = mine.parting and other.part <> mine.part
)
select jsonb_build_object(
    'id', standing.id,
    'records', (select coalesce(jsonb_agg(jsonb_build_object('source', m.source, 'key', m.key, 'dated', m.dated, 'since', m.since,
        'content', m.content) order by m.source, m.key), '[]') from members as m),
    'overrides', (select coalesce(jsonb_agg(jsonb_build_object('attribute', o.attribute, 'value', o.value, 'by', o.by_whom, 'reason', o.reason,
        'from', o.from_at, 'until', o.until, 'ended', o.ended_at, 'act', o.act) order by o.override), '[]')
        from match_overrides as o where o.golden = standing.golden),
    'judgements', (select coalesce(jsonb_agg(jsonb_build_object('left', j.left_source || '/' || j.left_key, 'right', j.right_source || '/' || j.right_key,
        'verdict', j.verdict, 'kind', j.kind, 'by', j.by_whom, 'reason', j.reason, 'bits', j.bits, 'model', j.model, 'from', j.from_at, 'act', j.act)
        order by j.act, j.place, j.left_source, j.left_key, j.right_source, j.right_key), '[]') from told as j),
    'events', (select coalesce(jsonb_agg(jsonb_build_object('event', e.event, 'kind', e.kind, 'others', e.others, 'records', e.records, 'at', e.at,
        'act', e.act) order by e.event), '[]') from match_events as e where e.id = standing.id)
)
from standing;

-- name: end_words
-- What stewards said of a pair until now.
update match_judgements set to_at = %(at)s, ended_by = %(act)s
where kind = 'steward' and to_at is null
    and (left_source, left_key, right_source, right_key) in
        ((%(left_source)s, %(left_key)s, %(right_source)s, %(right_key)s), (%(right_source)s, %(right_key)s, %(left_source)s, %(left_key)s));

-- name: part
-- Records of different parts are not one.
with head as (
    insert into match_partings (entity, by_whom, reason, from_at, act)
    values (%(entity)s, %(by)s, %(reason)s, %(at)s, %(act)s)
    returning parting
)
insert into match_parted (parting, source, key, part)
select parting, source, key, part from head, unnest(%(sources)s::text[], %(keys)s::text[], %(parts)s::integer[]) as n (source, key, part);

-- name: end_words_between
-- What stewards said until now of two records of different parts, either way round.
with named as materialized (
    select source, key, part from unnest(%(sources)s::text[], %(keys)s::text[], %(parts)s::integer[]) as n (source, key, part)
),
spoken as materialized ( -- of a record of ours with any other: few, so each is looked for among ours by itself
    select j.judgement, a.part, j.right_source, j.right_key
    from named as a join match_judgements as j on j.left_source = a.source and j.left_key = a.key
    where j.kind = 'steward' and j.to_at is null
)
update match_judgements as j set to_at = %(at)s, ended_by = %(act)s
from spoken join named as b on b.source = spoken.right_source and b.key = spoken.right_key and b.part <> spoken.part
where j.judgement = spoken.judgement;

-- name: act
-- One act.
select entity, kind, at, by_whom from match_acts where act = %(act)s;

-- name: undone
-- Whether an act was undone, and by which.
select max(act) from match_acts where undoes = %(act)s;

-- name: moved_by
-- Records an act took from an identity, and which.
select source, key, golden from match_memberships where ended_by = %(act)s;

-- name: came_by
-- Records that came to where they are by an act.
select distinct unnest(records) from match_events where act = %(act)s and kind in ('joined', 'created', 'merged', 'revived');

-- name: end_words_of
-- What was said by an act; gives each record it spoke of once.
with ended as (
    update match_judgements set to_at = %(at)s, ended_by = %(by_act)s where act = %(act)s and kind = 'steward' and to_at is null
    returning left_source, left_key, right_source, right_key
),
joined_again as (
    update match_partings set to_at = %(at)s, ended_by = %(by_act)s where act = %(act)s and to_at is null returning parting
)
select left_source, left_key from ended
union
select right_source, right_key from ended
union
select source, key from joined_again join match_parted using (parting);

-- name: say_again
-- What an act had ended holds again, as a new judgement; gives each record spoken of once.
with again as (
    insert into match_judgements (entity, left_source, left_key, right_source, right_key, verdict, kind, by_whom, reason, from_at, act)
    select entity, left_source, left_key, right_source, right_key, verdict, kind, by_whom, reason, %(at)s, %(by_act)s
    from match_judgements where ended_by = %(act)s and kind = 'steward' and act <> %(act)s
    returning left_source, left_key, right_source, right_key
)
select left_source, left_key from again union select right_source, right_key from again;

-- name: part_again
-- A parting an act had ended holds again, as a new one; gives each record spoken of once.
with before as materialized (
    select parting, nextval(pg_get_serial_sequence('match_partings', 'parting')) as again
    from match_partings where ended_by = %(act)s and act <> %(act)s
),
head as (
    insert into match_partings (parting, entity, by_whom, reason, from_at, act)
    overriding system value
    select before.again, entity, by_whom, reason, %(at)s, %(by_act)s from before join match_partings using (parting)
),
records as (
    insert into match_parted (parting, source, key, part)
    select before.again, source, key, part from before join match_parted using (parting)
    returning source, key
)
select distinct source, key from records;

-- name: golden
-- An identity of an entity that stands now.
select golden from match_goldens where id = %(id)s and entity = %(entity)s and ended_at is null;

-- name: add_override
-- A steward's value.
insert into match_overrides (golden, attribute, value, by_whom, reason, from_at, until, act)
values (%(golden)s, %(attribute)s, %(value)s, %(by)s, %(reason)s, %(at)s, %(until)s, %(act)s);

-- name: end_overrides
-- A steward's value that no longer holds.
update match_overrides set ended_at = %(at)s
where golden = %(golden)s and attribute = %(attribute)s and ended_at is null
returning override;

-- name: overdue
-- Stewards' values whose last day is past.
select o.golden, g.id, o.attribute
from match_overrides as o
join match_goldens as g on g.golden = o.golden
where g.entity = %(entity)s
    and o.ended_at is null
    and o.until < %(today)s
    and exists (select from match_records as r where r.golden = o.golden)
order by o.golden, o.attribute;

-- name: who_then
-- Which identity a record was part of at an instant.
select g.id
from (
    select golden from match_records where source = %(source)s and key = %(key)s and since <= %(at)s
    union all
    select golden from match_memberships where source = %(source)s and key = %(key)s and from_at <= %(at)s and to_at > %(at)s
) as held
join match_goldens as g using (golden);

-- name: members_then
-- The records of an identity at an instant.
select held.source, held.key
from match_goldens as g
join (
    select source, key, golden from match_records where since <= %(at)s
    union all
    select source, key, golden from match_memberships where from_at <= %(at)s and to_at > %(at)s
) as held using (golden)
where g.id = %(id)s and g.entity = %(entity)s
order by held.source, held.key;
