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
    join match_parted as mine on mine.source = m.source and mine.key = m.key and mine.stands
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

-- name: partings_anew
-- Partings of the acts an undoing goes back to, as they hold now; gives each record of one that ended or holds again once.
with recursive chain as ( -- the undoing itself, what it undoes, and so on: every second act holds
    select act, undoes, true as holds from match_acts where act = %(act)s
    union all
    select a.act, a.undoes, not chain.holds
    from chain cross join lateral (select act, undoes from match_acts where act = chain.undoes offset 0) as a -- looked up, not joined
),
spoken as materialized (
    select p.parting, chain.holds,
        (select max(now.parting) from match_partings as now where (now.act = p.act or now.origin = p.act) and now.to_at is null) as standing
    from chain join match_partings as p on p.act = chain.act and p.origin is null
),
ended as (
    update match_partings set to_at = %(at)s, ended_by = %(act)s
    where parting in (select standing from spoken where not holds)
    returning parting
),
ended_parts as (
    update match_parted set stands = false from ended where match_parted.parting = ended.parting
),
again as materialized (
    select parting, nextval(pg_get_serial_sequence('match_partings', 'parting')) as again from spoken where holds and standing is null
),
head as (
    insert into match_partings (parting, entity, by_whom, reason, from_at, act, origin)
    overriding system value
    select again.again, entity, by_whom, reason, %(at)s, %(act)s, p.act from again join match_partings as p using (parting)
),
records as (
    insert into match_parted (parting, source, key, part)
    select again.again, source, key, part from again join match_parted using (parting)
)
select source, key from match_parted join ended using (parting)
union
select source, key from match_parted join again using (parting);

-- name: holds
-- Whether an act holds: nobody undid it, or that undoing was undone, and so on.
with recursive later as (
    select {act} as act, true as holds
    union all
    select next.act, not later.holds
    from later cross join lateral (select act from match_acts where undoes = later.act offset 0) as next
)
select holds from later order by act desc limit 1;

-- name: words_anew
-- Words on the pairs that the acts an undoing goes back to spoke of: of each pair the last word of an act that holds stands, unless a later
-- parting that stands is of both. Gives each record of which something ended or holds again once.
with recursive chain as (
    select act, undoes from match_acts where act = %(act)s
    union all
    select a.act, a.undoes from chain cross join lateral (select act, undoes from match_acts where act = chain.undoes offset 0) as a
),
spoken as (
    select j.left_source, j.left_key, j.right_source, j.right_key
    from chain join match_judgements as j on j.act = chain.act and j.kind = 'steward'
    union
    select j.left_source, j.left_key, j.right_source, j.right_key
    from chain
    join match_partings as p on p.act = chain.act
    join match_parted as a on a.parting = p.parting
    join match_judgements as j on j.left_source = a.source and j.left_key = a.key and j.kind = 'steward'
    join match_parted as b on b.parting = p.parting and b.source = j.right_source and b.key = j.right_key and b.part <> a.part
),
pairs as materialized (
    select row_number() over () as pair, one_source, one_key, other_source, other_key
    from (
        select left_source as one_source, left_key as one_key, right_source as other_source, right_key as other_key from spoken
        where (left_source, left_key) < (right_source, right_key)
        union
        select right_source, right_key, left_source, left_key from spoken where (left_source, left_key) > (right_source, right_key)
    ) as either
),
said as materialized (
    select pairs.*, j.judgement, j.act, j.origin, j.to_at
    from pairs join match_judgements as j on j.left_source = one_source and j.left_key = one_key and j.kind = 'steward'
    where j.right_source = other_source and j.right_key = other_key
    union all
    select pairs.*, j.judgement, j.act, j.origin, j.to_at
    from pairs join match_judgements as j on j.left_source = other_source and j.left_key = other_key and j.kind = 'steward'
    where j.right_source = one_source and j.right_key = one_key
),
last as materialized (
    select distinct on (pair) pair, judgement, act
    from said
    where origin is null
        and ({holds})
        and not exists (
            select from match_parted as a
            join match_parted as b on b.parting = a.parting and b.part <> a.part
            join match_partings as p on p.parting = a.parting and p.to_at is null and coalesce(p.origin, p.act) > said.act
            where a.source = one_source and a.key = one_key and a.stands and b.source = other_source and b.key = other_key
        )
    order by pair, act desc
),
ended as (
    update match_judgements as j set to_at = %(at)s, ended_by = %(act)s
    from said left join last using (pair)
    where j.judgement = said.judgement and said.to_at is null and coalesce(said.origin, said.act) is distinct from last.act
    returning j.left_source, j.left_key, j.right_source, j.right_key
),
again as (
    insert into match_judgements (entity, left_source, left_key, right_source, right_key, verdict, kind, by_whom, reason, from_at, act, origin)
    select j.entity, j.left_source, j.left_key, j.right_source, j.right_key, j.verdict, j.kind, j.by_whom, j.reason, %(at)s, %(act)s, j.act
    from last join match_judgements as j using (judgement)
    where not exists (
        select from said where said.pair = last.pair and said.to_at is null and coalesce(said.origin, said.act) = last.act
    )
    returning left_source, left_key, right_source, right_key
),
changed as (
    select * from ended union all select * from again
)
select left_source, left_key from changed union select right_source, right_key from changed;

-- name: homes
-- The identity these records have where only acts that hold are counted, and whether they began with it: theirs since the last such act.
-- An undoing counts where it said something of its own, that is, where it goes back to an arrival or to matching everything.
with asked as (
    select source, key from unnest(%(sources)s::text[], %(keys)s::text[]) as a (source, key)
),
periods as (
    select source, key, golden, from_at, to_at, ended_by from asked join match_memberships using (source, key)
    union all
    select source, key, golden, since, 'infinity', null from asked join match_records using (source, key)
),
begun as materialized (
    select source, key, golden, row_number() over in_time as place, lag(ended_by) over in_time as act, first_value(golden) over in_time as first
    from periods
    window in_time as (partition by source, key order by from_at, to_at, ended_by)
),
counting as materialized (
    select named.act
    from (select distinct act from begun where act is not null) as named
    join match_acts as a using (act)
    where ({holds})
        and (
            a.kind <> 'undo' or (
                with recursive back as (
                    select a.undoes, a.kind
                    union all
                    select before.undoes, before.kind
                    from back cross join lateral (select undoes, kind from match_acts where act = back.undoes offset 0) as before
                )
                select kind in ('arrival', 'bulk') from back where undoes is null
            )
        )
)
select distinct on (source, key) source, key, golden, golden = first
from begun
where act is null or act in (select act from counting)
order by source, key, place desc;

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
