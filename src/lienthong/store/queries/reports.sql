-- name: reuse
-- Of each register and attribute: values filled, held by an authority on the same golden record, and those that agree with it.
with said as materialized (
    select golden, source, {values}
    from match_records cross join lateral json_to_record(content) as told ({typed})
    where entity = %(entity)s
),
authority as (
    select golden, {held}
    from said
    where source = any(%(authorities)s)
    group by golden
),
compared as (
    select source, {compared}
    from said left join authority using (golden)
)
select source, count(*), {counts}
from compared
group by source
order by source;

-- name: reuse_memory
-- The held values of a million people are sorted in memory rather than on disk; the setting ends with the transaction.
set local work_mem = '256MB';

-- name: last_bulk_model
-- The model by which everything of an entity was last matched: its columns are those of the features that are kept.
select models.document
from match_acts as acts join match_models as models on models.entity = acts.entity and models.version = acts.details ->> 'model'
where acts.entity = %(entity)s and acts.kind = 'bulk'
order by acts.act desc
limit 1;

-- name: by_source
-- Records and golden records of each register.
select source, count(*), count(distinct golden) from match_records where entity = %(entity)s group by source order by source;

-- name: overlaps
-- Golden records that two registers both speak of.
with held as (
    select distinct golden, source from match_records where entity = %(entity)s
)
select a.source, b.source, count(*)
from held as a join held as b on a.golden = b.golden and a.source < b.source
group by a.source, b.source
order by a.source, b.source;

-- name: judgements
-- What is in force, by who said it and what.
select kind, verdict, count(*) from match_judgements where entity = %(entity)s and to_at is null group by kind, verdict order by kind, verdict;

-- name: waiting
-- What waits for a person, by why.
select why, count(*) from match_queue where entity = %(entity)s group by why order by why;

-- name: events
-- What became of golden records, a day at a time, by Vietnam's calendar.
select (at at time zone 'Asia/Ho_Chi_Minh')::date as day, kind, count(*)
from match_events
where entity = %(entity)s and at >= %(since)s
group by day, kind
order by day, kind;
