-- name: lock
-- One at a time decides who is one; the lock ends with the transaction. Whoever has it is counted: columns are made from left to right, the
-- number when the lock is ours. What follows is looked up by index: a plan made while a table is empty reads it whole ever after, also in
-- the checks of foreign keys.
select set_config('enable_seqscan', 'off', true), pg_advisory_xact_lock(hashtextextended('match ' || %(entity)s, 0)), nextval('match_turns');

-- name: lock_for_all
-- The lock of one who reads everything.
select pg_advisory_xact_lock(hashtextextended('match ' || %(entity)s, 0)), nextval('match_turns');

-- name: lock_for_arrival
-- The lock, and whose turn it is. The statements of an arrival are the same every time: planning them anew costs as much as running them.
select set_config('plan_cache_mode', 'force_generic_plan', true),
    set_config('enable_seqscan', 'off', true),
    pg_advisory_xact_lock(hashtextextended('match ' || %(entity)s, 0)),
    nextval('match_turns');

-- name: stands
-- Whether an act was committed, or is of this transaction.
select exists (select from match_acts where act = %(act)s);

-- name: plan_freely
-- For what is left of a transaction in which records arrived.
select set_config('plan_cache_mode', 'auto', true), set_config('enable_seqscan', 'on', true);

-- name: model
-- The model in force.
select version, document, frequencies from match_models where entity = %(entity)s and is_current;

-- name: model_stamp
-- The version of the model in force, and since when.
select version, applied_at from match_models where entity = %(entity)s and is_current;

-- name: model_version
-- The version of the model in force.
select version from match_models where entity = %(entity)s and is_current;

-- name: retire_models
-- What was in force is kept, no longer used.
update match_models set is_current = false where entity = %(entity)s and is_current;

-- name: add_model
-- A model, in force from now on.
insert into match_models (entity, version, document, frequencies, applied_at)
values (%(entity)s, %(version)s, %(document)s, %(frequencies)s, %(at)s)
on conflict (entity, version) do update
set document = excluded.document, frequencies = excluded.frequencies, applied_at = excluded.applied_at, is_current = true;

-- name: reserve
-- Numbers for goldens, records and acts, a block at a time: a push need not ask for each.
select
    array(select nextval(pg_get_serial_sequence('match_goldens', 'golden')) from generate_series(1, %(count)s)),
    array(select nextval(pg_get_serial_sequence('match_records', 'record')) from generate_series(1, %(count)s)),
    array(select nextval(pg_get_serial_sequence('match_acts', 'act')) from generate_series(1, %(count)s));

-- name: begin
-- What an arrival must know first: the records it speaks of, those that share a blocking key, stewards' words about its own.
with asked as (
    select source, key from unnest(%(sources)s::text[], %(source_keys)s::text[]) as a (source, key)
)
select 'own' as part, r.record, r.source, r.key, r.features, r.keys, r.component, r.golden, g.id, r.content::text
from asked join match_records as r using (source, key) join match_goldens as g using (golden)
union all
select 'near', near.record, near.source, near.key, near.features, near.keys, near.component, near.golden, null, null
from ({candidates}) as near
union all
select 'said', coalesce(j.origin, j.act), j.left_source, j.left_key, array[j.right_source, j.right_key, j.verdict], null, null, null, null, null
from asked join match_judgements as j on j.left_source = asked.source and j.left_key = asked.key
where j.kind = 'steward' and j.to_at is null
union all
select 'said', coalesce(j.origin, j.act), j.left_source, j.left_key, array[j.right_source, j.right_key, j.verdict], null, null, null, null, null
from asked join match_judgements as j on j.right_source = asked.source and j.right_key = asked.key
where j.kind = 'steward' and j.to_at is null
union all
select distinct 'parted', coalesce(p.origin, p.act), one.source, one.key, null::text[], null::bigint[], p.parting, one.part, null, null
from asked
join match_parted as mine on mine.source = asked.source and mine.key = asked.key and mine.stands
join match_partings as p on p.parting = mine.parting and p.to_at is null
join match_parted as one on one.parting = p.parting;

-- name: candidates
-- Records that share a blocking key with one of many records: one look at the index for each of these. One for each key took six times as
-- long (of 100 records among 200,000), one for all keys longer still: what it finds is held against every key. Who has another valid number
-- than the record is left out: no weight joins them, and most of those found are such. Not who has the very same name and birth, for then a
-- person is asked whether a number was typed wrong. A record may come more than once.
select record, source, key, features, keys, component, golden
from unnest(%(keys)s::text[], %(numbers)s::text[], %(names)s::text[], %(births)s::text[]) as sought (mine, number, name, birth)
join match_records on keys && mine::bigint[]
where entity = %(entity)s
    and (
        number is null or features[%(place)s::integer] is null or features[%(place)s::integer] = number
        or (features[%(name_place)s::integer] = name and features[%(birth_place)s::integer] = birth)
    );

-- name: sharing
-- The same, whatever number they have.
select record, source, key, features, keys, component, golden
from unnest(%(keys)s::text[]) as sought (mine) join match_records on keys && mine::bigint[]
where entity = %(entity)s;

-- name: own
-- What is known of these very records.
select r.record, r.source, r.key, r.features, r.keys, r.component, r.golden, g.id, r.content::text
from unnest(%(sources)s::text[], %(keys)s::text[]) as asked (source, key)
join match_records as r on r.source = asked.source and r.key = asked.key
join match_goldens as g on g.golden = r.golden;

-- name: members
-- All records of these components, and whether anything more is to be read of them. `offset 0`: looked up record by record; without it the
-- server reads all that waits, and all that stewards ever said, for each arrival.
select r.record, r.source, r.key, r.features, r.keys, r.component, r.golden, g.id, r.content::text, r.dated, r.since,
    exists (select from match_overrides as o where o.golden = r.golden and o.ended_at is null offset 0),
    exists (select from match_queue as q where q.left_record = r.record offset 0)
        or exists (select from match_queue as q where q.right_record = r.record offset 0),
    exists (
        select from match_judgements as j
        where j.left_source = r.source and j.left_key = r.key and j.to_at is null and j.kind = 'steward'
        offset 0
    )
    or exists (
        select from match_judgements as j
        where j.right_source = r.source and j.right_key = r.key and j.to_at is null and j.kind = 'steward'
        offset 0
    )
    or exists (
        select from match_parted as one where one.source = r.source and one.key = r.key and one.stands offset 0
    )
from match_records as r join match_goldens as g using (golden)
where r.component = any(%(numbers)s::bigint[]);

-- name: of_goldens
-- All records of these golden records.
select r.record, r.source, r.key, r.features, r.keys, r.component, r.golden, g.id, r.content::text, r.dated, r.since, false, false, false
from match_records as r join match_goldens as g using (golden)
where r.golden = any(%(numbers)s::bigint[]);

-- name: judged
-- Stewards' words in force about these records: of two records (part null), and partings with all they speak of (right side null).
with asked as (
    select source, key from unnest(%(sources)s::text[], %(keys)s::text[]) as a (source, key)
)
select coalesce(j.origin, j.act), j.left_source, j.left_key, j.right_source, j.right_key, j.verdict, null::bigint, null::integer
from asked join match_judgements as j on j.left_source = asked.source and j.left_key = asked.key
where j.kind = 'steward' and j.to_at is null
union
select coalesce(j.origin, j.act), j.left_source, j.left_key, j.right_source, j.right_key, j.verdict, null, null
from asked join match_judgements as j on j.right_source = asked.source and j.right_key = asked.key
where j.kind = 'steward' and j.to_at is null
union
select coalesce(p.origin, p.act), one.source, one.key, null, null, null, p.parting, one.part
from asked
join match_parted as mine on mine.source = asked.source and mine.key = asked.key and mine.stands
join match_partings as p on p.parting = mine.parting and p.to_at is null
join match_parted as one on one.parting = p.parting;

-- name: all_judged
-- Stewards' words in force about an entity's records, as in `judged`.
select coalesce(origin, act), left_source, left_key, right_source, right_key, verdict, null::bigint, null::integer
from match_judgements
where kind = 'steward' and to_at is null and entity = %(entity)s
union all
select coalesce(p.origin, p.act), one.source, one.key, null, null, null, p.parting, one.part
from match_partings as p join match_parted as one using (parting)
where p.to_at is null and p.entity = %(entity)s;

-- name: former
-- Identities these records had, that have ended, each once however often a record had it.
with had as materialized (
    select distinct memberships.source, memberships.key, memberships.golden
    from unnest(%(sources)s::text[], %(keys)s::text[]) as asked (source, key) join match_memberships as memberships using (source, key)
)
select source, key, golden
from had join match_goldens using (golden)
where match_goldens.ended_at is not null
order by golden, source, key;

-- name: add_act
-- An act that may change who is one.
insert into match_acts (entity, kind, at, by_whom, reason, undoes, details)
values (%(entity)s, %(kind)s, %(at)s, %(by)s, %(reason)s, %(undoes)s, %(details)s)
returning act;

-- name: write
-- What most acts write: the act, new identities, new and changed records, judgements. What a record was goes to memberships.
with noted as (
    insert into match_acts (act, entity, kind, at, by_whom, reason, undoes, details)
    overriding system value
    select %(act)s, %(entity)s, kind, %(at)s, by, reason, undoes, details
    from json_to_recordset(%(acts)s::json) as a (kind text, by text, reason text, undoes bigint, details jsonb)
),
made as (
    insert into match_goldens (golden, id, entity, made_at)
    select golden, id, %(entity)s, %(at)s from json_to_recordset(%(goldens)s::json) as g (golden bigint, id text)
),
arriving as materialized (
    select *
    from json_to_recordset(%(records)s::json) as r (
        record bigint, source text, key text, features text[], keys bigint[], content json, dated date, golden bigint, component bigint
    )
),
closed as (
    insert into match_memberships (source, key, golden, from_at, to_at, ended_by)
    select held.source, held.key, held.golden, held.since, %(at)s, %(act)s
    from arriving join match_records as held using (record)
    where held.golden <> arriving.golden
),
put as (
    insert into match_records as held (record, entity, source, key, features, keys, content, dated, golden, component, since)
    select record, %(entity)s, source, key, features, keys, content, dated, golden, component, %(at)s
    from arriving
    on conflict (record) do update
    set features = excluded.features, keys = excluded.keys, content = excluded.content, dated = excluded.dated, golden = excluded.golden,
        component = excluded.component, since = case when held.golden = excluded.golden then held.since else excluded.since end
)
insert into match_judgements (
    entity, left_source, left_key, right_source, right_key, verdict, kind, by_whom, reason, bits, model, from_at, act
)
select %(entity)s, left_source, left_key, right_source, right_key, verdict, kind, by_whom, reason, bits, model, %(at)s, %(act)s
from json_to_recordset(%(judgements)s::json) as j (
    left_source text, left_key text, right_source text, right_key text, verdict text, kind text, by_whom text, reason text,
    bits double precision, model text
);

-- name: move_records
-- Records that stay as they are but for their identity or component.
with moving as (
    select * from unnest(%(records)s::bigint[], %(goldens)s::bigint[], %(components)s::bigint[]) as m (record, golden, component)
),
closed as (
    insert into match_memberships (source, key, golden, from_at, to_at, ended_by)
    select held.source, held.key, held.golden, held.since, %(at)s, %(act)s
    from moving join match_records as held using (record)
    where held.golden <> moving.golden
)
update match_records as held
set golden = moving.golden, component = moving.component, since = case when held.golden = moving.golden then held.since else %(at)s end
from moving
where held.record = moving.record;

-- name: remove_records
-- Records that are no more.
with gone as (
    delete from match_records where record = any(%(records)s) returning source, key, golden, since
)
insert into match_memberships (source, key, golden, from_at, to_at, ended_by)
select source, key, golden, since, %(at)s, %(act)s from gone;

-- name: end_goldens
-- Identities that end: merged into another, or left without records.
update match_goldens as held
set ended_at = %(at)s, merged_into = ending.survivor
from unnest(%(goldens)s::bigint[], %(into)s::bigint[]) as ending (golden, survivor)
where held.golden = ending.golden;

-- name: revive_goldens
-- Identities that stand again.
update match_goldens set ended_at = null, merged_into = null where golden = any(%(goldens)s);

-- name: golden_ids
-- The public names of identities.
select golden, id from match_goldens where golden = any(%(goldens)s);

-- name: golden_by_id
-- An identity by its public name, and where it leads now.
with recursive path as (
    select golden, id, entity, made_at, merged_into, ended_at, 0 as steps from match_goldens where id = %(id)s
    union all
    select next.golden, next.id, next.entity, next.made_at, next.merged_into, next.ended_at, path.steps + 1
    from path join match_goldens as next on next.golden = path.merged_into
    where path.steps < 1000
)
select golden, id, entity, made_at, ended_at, steps from path order by steps desc limit 1;

-- name: add_judgements
-- Judgements with their evidence.
insert into match_judgements (
    entity, left_source, left_key, right_source, right_key, verdict, kind, by_whom, reason, bits, model, from_at, act
)
select %(entity)s, left_source, left_key, right_source, right_key, verdict, kind, by_whom, reason, bits, model, %(at)s, %(act)s
from json_to_recordset(%(judgements)s::json) as j (
    left_source text, left_key text, right_source text, right_key text, verdict text, kind text, by_whom text, reason text,
    bits double precision, model text
);

-- name: end_joins
-- What rules and the model said of records that are linked anew.
update match_judgements set to_at = %(at)s, ended_by = %(act)s
where to_at is null and kind <> 'steward' and act <> %(act)s
    and (left_source, left_key) in (select * from unnest(%(sources)s::text[], %(keys)s::text[]));

-- name: add_events
-- What consumers follow.
insert into match_events (entity, kind, id, others, records, at, act)
select %(entity)s, kind, id, others, records, %(at)s, %(act)s
from json_to_recordset(%(events)s::json) as e (kind text, id text, others text[], records text[]);

-- name: requeue
-- Pairs a person should look at, in place of those that waited of records linked anew: both sides of a pair, or one that changed or is no
-- more. The first of two persons' words is kept, and what a pair that goes on waiting was put off to.
with asked as (
    select * from json_to_recordset(%(items)s::json) as q (left_record bigint, right_record bigint, why text, bits double precision)
),
settled as (
    delete from match_queue as q
    where (
        q.left_record = any(%(records)s::bigint[]) and q.right_record = any(%(records)s::bigint[])
        or q.left_record = any(%(changed)s::bigint[]) or q.right_record = any(%(changed)s::bigint[])
    )
    and q.seconded_by is null
    and not exists (select from asked where asked.left_record = q.left_record and asked.right_record = q.right_record)
)
insert into match_queue (entity, left_record, right_record, why, bits, since)
select %(entity)s, left_record, right_record, why, bits, %(at)s from asked
on conflict (left_record, right_record) do update set bits = excluded.bits, why = excluded.why;

-- name: overrides
-- A steward's values in force.
select golden, attribute, value, by_whom, reason, until
from match_overrides
where golden = any(%(goldens)s) and ended_at is null;

-- name: all_records
-- Every record of an entity, for matching anew.
select record, source, key, golden, since from match_records where entity = %(entity)s;

-- name: forget_records
-- Before all records of an entity are written anew.
delete from match_records where entity = %(entity)s;

-- name: records_are_ours
-- Nobody else reads or writes the records until we commit; an error at once where somebody does.
lock table match_records in access exclusive mode nowait;

-- name: keys_index_if_empty
-- How the index of blocking keys is made, while no entity has a record and the table is ours to change.
select pg_get_indexdef('match_records_keys'::regclass)
from pg_class
where oid = 'match_records'::regclass and pg_has_role(relowner, 'usage') and not exists (select from match_records);

-- name: drop_keys_index
drop index match_records_keys;

-- name: room_for_index
-- Memory of the server for making one index, until the transaction ends.
set local maintenance_work_mem = '256MB';

-- name: kept_words
-- What persons did with pairs that wait: the first of two words, and what is put off.
select json_build_object('left_source', l.source, 'left_key', l.key, 'right_source', r.source, 'right_key', r.key,
    'deferred_until', q.deferred_until, 'seconded_by', q.seconded_by)
from match_queue as q
join match_records as l on l.record = q.left_record
join match_records as r on r.record = q.right_record
where q.entity = %(entity)s and (q.deferred_until > %(at)s or q.seconded_by is not null);

-- name: put_back_words
-- The same of records that are still there, matched anew: a first word keeps its pair waiting, a pair put off is put off when it waits.
with kept as (
    select least(a.record, b.record) as left_record, greatest(a.record, b.record) as right_record, k.deferred_until, k.seconded_by
    from json_to_recordset(%(kept)s) as k (left_source text, left_key text, right_source text, right_key text,
        deferred_until timestamptz, seconded_by text)
    join match_records as a on a.source = k.left_source and a.key = k.left_key
    join match_records as b on b.source = k.right_source and b.key = k.right_key
),
put_off as (
    update match_queue as q set deferred_until = kept.deferred_until
    from kept
    where kept.seconded_by is null and q.left_record = kept.left_record and q.right_record = kept.right_record
)
insert into match_queue (entity, left_record, right_record, why, bits, since, deferred_until, seconded_by)
select %(entity)s, left_record, right_record, 'identifier', 0, %(at)s, deferred_until, seconded_by
from kept
where seconded_by is not null
on conflict (left_record, right_record) do update set deferred_until = excluded.deferred_until, seconded_by = excluded.seconded_by;

-- name: forget_queue
-- Before all of an entity is linked anew.
delete from match_queue where entity = %(entity)s;

-- name: end_all_joins
-- Before all of an entity is linked anew.
update match_judgements set to_at = %(at)s, ended_by = %(act)s where entity = %(entity)s and to_at is null and kind <> 'steward';

-- name: counts
-- How an entity's index stands.
select
    (select count(*) from match_records where entity = %(entity)s) as records,
    (select count(*) from match_goldens where entity = %(entity)s and ended_at is null) as goldens,
    (select count(*) from match_queue where entity = %(entity)s) as waiting;

-- name: publish_goldens
-- New, changed and ended golden records of one act as one version: what differs, nothing else. With the act's events: those given, and a
-- change of values of which nothing else is told.
with head as (
    select current_version + 1 as version from datasets where dataset_id = %(dataset)s for update
),
incoming as materialized (
    select {typed_columns} from json_to_recordset(%(rows)s::json) as r (_key text, {typed})
),
before as materialized (
    select held.* from {current} as held join incoming on incoming._key = held._key where not ({same})
),
ending as (
    delete from {current} where _key = any(%(gone)s) returning *
),
believed as (
    insert into {history} (_key, _digest, _version, _row, _valid_from, {columns}, _valid_to, _version_to, _ended)
    select _key, _digest, _version, _row, _valid_from, {columns}, null::date, (select version from head), false from before
    union all
    select _key, _digest, _version, _row, _valid_from, {columns}, null::date, (select version from head), true from ending
),
still_believed as (
    insert into {history} (_key, _digest, _version, _row, _valid_from, {columns}, _valid_to, _version_to, _ended)
    select _key, _digest, (select version from head), _row, _valid_from, {columns}, %(on)s::date, null::integer, false from before where _valid_from < %(on)s
    union all
    select _key, _digest, (select version from head), _row, _valid_from, {columns}, %(on)s::date, null::integer, false from ending where _valid_from < %(on)s
),
changed as (
    update {current} as held
    set _version = (select version from head), _valid_from = %(on)s, {assignments}
    from incoming
    where held._key = incoming._key and exists (select 1 from before where before._key = held._key)
    returning held._key
),
arrived as (
    insert into {current} (_key, _digest, _version, _row, _valid_from, {columns})
    select _key, 0, (select version from head), 0, %(on)s, {columns}
    from incoming
    where not exists (select 1 from {current} as held where held._key = incoming._key)
    returning _key
),
noted as (
    insert into {changes} (version, key, op)
    select (select version from head), _key, 'u'::"char" from changed
    union all
    select (select version from head), _key, 'i'::"char" from arrived
    union all
    select (select version from head), _key, 'e'::"char" from ending
),
counted as (
    select (select count(*) from arrived) as inserted, (select count(*) from changed) as updated, (select count(*) from ending) as ended
),
today as (
    select max(run_id) as run_id
    from runs
    where dataset_id = %(dataset)s and source_name = 'matching' and delivery = 'incremental' and delivered_on = %(on)s
),
opened as (
    insert into runs (dataset_id, source_name, delivery, state, contract_digest, started_at, ended_at, delivered_on)
    select %(dataset)s, 'matching', 'incremental', 'published', %(contract_digest)s, %(at)s, %(at)s, %(on)s
    from today, counted
    where today.run_id is null and inserted + updated + ended > 0
    returning run_id
),
versioned as (
    insert into versions (dataset_id, version, run_id, known_at, contract_version, delivered_columns, inserted, updated, ended, is_first_fill)
    select %(dataset)s, version, coalesce((select run_id from today), (select run_id from opened)), %(at)s, %(contract_version)s, %(delivered_columns)s, inserted, updated, ended, false
    from head, counted
    where inserted + updated + ended > 0
    returning version
),
pointed as (
    update datasets set current_version = versioned.version from versioned where dataset_id = %(dataset)s
),
given as materialized (
    select * from json_to_recordset(%(events)s::json) as e (kind text, id text, others text[], records text[])
),
told as (
    insert into match_events (entity, kind, id, others, records, at, act)
    select %(entity)s, kind, id, others, records, %(at)s, %(act)s
    from (
        select kind, id, others, records from given
        union all
        select 'changed', _key, '{{}}'::text[], '{{}}'::text[] from changed where _key not in (select id from given)
    ) as events
)
select version, inserted, updated, ended, array(select _key from changed) from head, counted;

-- name: all_records_out
-- Every record of an entity with its identity, for COPY.
select record, source, key, golden, since from match_records where entity = {entity}

-- name: queue_out
-- What waits for a person, to be read out whole.
select left_record, right_record, why, bits from match_queue where entity = {entity} order by left_record, right_record

-- name: all_overrides
-- Every steward's value in force.
select golden, attribute, value from match_overrides
where ended_at is null and (until is null or until >= %(today)s)
order by override;
