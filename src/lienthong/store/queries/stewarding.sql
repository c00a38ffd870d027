-- name: waiting
-- What waits for a person: the pairs whose decision moves most, near the cut first. A pair somebody else has open is left out.
select q.item, q.why, q.bits, l.source, l.key, l.content, lg.id, r.source, r.key, r.content, rg.id,
    (select count(*) from match_records as m where m.golden = l.golden) + (select count(*) from match_records as m where m.golden = r.golden) as records
from match_queue as q
join match_records as l on l.record = q.left_record
join match_records as r on r.record = q.right_record
join match_goldens as lg on lg.golden = l.golden
join match_goldens as rg on rg.golden = r.golden
where q.entity = %(entity)s
    and (q.deferred_until is null or q.deferred_until <= %(at)s)
    and (q.locked_until is null or q.locked_until <= %(at)s or q.locked_by = %(by)s)
order by records / (1 + abs(q.bits)) desc, q.item
limit %(limit)s;

-- name: lock_items
-- Open for one person for a while.
update match_queue set locked_by = %(by)s, locked_until = %(until)s where item = any(%(items)s);

-- name: defer
-- Not now: until then nobody is asked.
update match_queue set deferred_until = %(until)s where item = %(item)s returning item;

-- name: second
-- The first of two persons said yes.
update match_queue set seconded_by = %(by)s
where (left_record, right_record) in (select least(a.record, b.record), greatest(a.record, b.record) from match_records as a, match_records as b
    where a.source = %(left_source)s and a.key = %(left_key)s and b.source = %(right_source)s and b.key = %(right_key)s);

-- name: seconded
-- Who said yes first.
select q.seconded_by from match_queue as q
join match_records as l on l.record = q.left_record
join match_records as r on r.record = q.right_record
where (l.source, l.key, r.source, r.key) in ((%(left_source)s, %(left_key)s, %(right_source)s, %(right_key)s), (%(right_source)s, %(right_key)s, %(left_source)s, %(left_key)s))
    and q.seconded_by is not null;

-- name: end_words
-- What stewards said of a pair until now.
update match_judgements set to_at = %(at)s, ended_by = %(act)s
where kind = 'steward' and to_at is null
    and (left_source, left_key, right_source, right_key) in
        ((%(left_source)s, %(left_key)s, %(right_source)s, %(right_key)s), (%(right_source)s, %(right_key)s, %(left_source)s, %(left_key)s));

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
-- What was said by an act.
update match_judgements set to_at = %(at)s, ended_by = %(by_act)s where act = %(act)s and kind = 'steward' and to_at is null
returning left_source, left_key, right_source, right_key;

-- name: say_again
-- What an act had ended holds again, as a new judgement.
insert into match_judgements (entity, left_source, left_key, right_source, right_key, verdict, kind, by_whom, reason, from_at, act)
select entity, left_source, left_key, right_source, right_key, verdict, kind, by_whom, reason, %(at)s, %(by_act)s
from match_judgements where ended_by = %(act)s and kind = 'steward' and act <> %(act)s
returning left_source, left_key, right_source, right_key;
