-- name: is_marked
-- Whether this database is a sandbox.
select exists (select from sandbox_mark);

-- name: is_empty
-- Whether nothing was ever kept here: no run, no person, no agreement.
select not exists (select from runs) and not exists (select from persons) and not exists (select from agreements);

-- name: mark
insert into sandbox_mark (marked_at) values (%(at)s);

-- name: filled
update sandbox_mark set filled_at = %(at)s, filled_from = %(from)s, reset_at = %(at)s;

-- name: was_reset
update sandbox_mark set reset_at = %(at)s;

-- name: standing
select marked_at, filled_at, filled_from, reset_at from sandbox_mark;

-- name: tables
-- Every table but the seed's own: schema, name, its columns that are written, the tables it refers to.
select
    n.nspname::text, c.relname::text,
    array(
        select a.attname::text from pg_attribute as a
        where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated = '' order by a.attnum
    ),
    array(
        select distinct rn.nspname::text || '.' || r.relname::text
        from pg_constraint as k join pg_class as r on r.oid = k.confrelid join pg_namespace as rn on rn.oid = r.relnamespace
        where k.conrelid = c.oid and k.contype = 'f' and k.confrelid <> c.oid
    )
from pg_class as c join pg_namespace as n on n.oid = c.relnamespace
where c.relkind = 'r' and n.nspname in ('lienthong', 'data')
order by 1, 2;

-- name: join
insert into training_learners (handle, name, agency, joined_at) values (%(handle)s, %(name)s, %(agency)s, %(at)s)
on conflict (handle) do update set name = excluded.name, agency = excluded.agency;

-- name: learner
select handle, name, agency, joined_at from training_learners where handle = %(handle)s;

-- name: learners
select handle, name, agency, joined_at from training_learners order by agency, name, handle;

-- name: start
insert into training_starts (handle, lesson, started_at, facts) values (%(handle)s, %(lesson)s, %(at)s, %(facts)s);

-- name: newest_start
select start, lesson, started_at, facts from training_starts where handle = %(handle)s and lesson = %(lesson)s order by start desc limit 1;

-- name: starts
-- The newest start of each lesson of each learner: handle, lesson, when.
select handle, lesson, max(started_at) from training_starts group by handle, lesson;

-- name: others_since
-- Whether anybody else has begun a lesson since.
select exists (select from training_starts where handle <> %(handle)s and started_at >= %(since)s);

-- name: complete
insert into training_completions (handle, lesson, completed_at, evidence) values (%(handle)s, %(lesson)s, %(at)s, %(evidence)s)
on conflict do nothing;

-- name: completions
select handle, lesson, completed_at, evidence from training_completions order by completed_at;

-- name: completions_of
select handle, lesson, completed_at, evidence from training_completions where handle = %(handle)s order by completed_at;

-- name: entries_since
-- The ledger's entries written since, one a row, in which a text stands; oldest first. The sandbox's ledger is small.
select line
from ledger_batches as b, string_to_table(b.bodies, E'\n') as line
where b.at >= %(since)s and strpos(line, %(needle)s) > 0
order by b.id;

-- name: released_by
-- How many rows that waited went through with a run.
select count(*) from quarantine where ended_by_run = %(run)s and state = 'released';

-- name: waiting_of
select count(*) from quarantine where run_id = %(run)s and state = 'waiting';

-- name: uploads_of
-- A person's files since, oldest first: number, run, when it ended.
select upload, run_id, ended_at from uploads where by_whom = %(handle)s and at >= %(since)s and state = 'done' order by upload;

