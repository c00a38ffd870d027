-- name: recent_runs
-- Runs of all datasets, in one state where one is named, newest first.
select run_id, dataset_id, source_name, state, started_at, ended_at, rows_in, rows_published, rows_unchanged, rows_quarantined, waits_for, error
from runs
where (%(state)s::text is null or state = %(state)s) and (%(before)s::bigint is null or run_id < %(before)s)
order by run_id desc
limit %(limit)s;

-- name: runs_by_state
-- How many runs that began since an instant are in each state.
select state, count(*) from runs where started_at >= %(since)s group by state;

-- name: beats
-- When each duty was last seen at work, and an error it has not got over.
select duty, at, failed_at, error from duty_beats order by duty;

-- name: note_failure
-- A duty has failed.
insert into duty_beats (duty, at, failed_at, error) values (%(duty)s, %(at)s, %(at)s, %(error)s)
on conflict (duty) do update set failed_at = excluded.failed_at, error = excluded.error;

-- name: queued
-- What waits, by queue: how many, since when the oldest does.
select 'uploads', count(*), min(at) from uploads where state in ('waiting', 'running')
union all
select 'runs', count(*), min(started_at) from runs where state = 'waiting'
union all
select 'quarantine', count(*), min(since) from quarantine where state = 'waiting'
union all
select 'approvals', count(*), min(proposed_at) from proposals where state = 'waiting' and expires_at > now()
union all
select 'corrections', count(*), min(made_at) from correction_proposals where state = 'open'
union all
select 'privacy', count(*), min(opened_at)
from privacy_cases
where (
    select state from privacy_steps where privacy_steps.case_id = privacy_cases.case_id order by step desc limit 1
) in ('open', 'answered')
union all
select 'deliveries', count(*), min(since) from event_pending where next_at is not null
union all
select 'dead_letters', count(*), min(since) from event_pending where next_at is null
union all
select 'ledger', count(*), min(at) from ledger_batches where id > (select seen from ledger_edge);

-- name: pieces_before
-- Batches that begin before a position, newest first, while they came at or after an instant; the bodies of those that hold every needle.
select place.begins, place.entries, batch.at,
    case when not exists (select from unnest(%(needles)s::text[]) as needle where strpos(batch.bodies, needle) = 0) then batch.bodies end
from ledger_places as place
left join ledger_batches as batch on batch.id = place.batch
where place.begins < %(before)s and (%(since)s::timestamptz is null or batch.at is null or batch.at >= %(since)s)
order by place.begins desc
limit %(limit)s;

-- name: size_after
-- The first checkpoint a minute or more after an instant: entries of before it are all in it.
select size from ledger_checkpoints where at >= %(at)s::timestamptz + interval '1 minute' order by size limit 1;

-- name: keep_verification
-- The whole ledger was recomputed.
insert into ledger_verifications (at, by_whom, is_whole, size, root, said_vi, said_en, seconds)
values (%(at)s, %(by_whom)s, %(is_whole)s, %(size)s, %(root)s, %(said_vi)s, %(said_en)s, %(seconds)s)
returning verification;

-- name: verifications
-- Verifications, newest first.
select verification, at, by_whom, is_whole, size, root, said_vi, said_en, seconds from ledger_verifications order by verification desc limit %(limit)s;

-- name: ask_task
-- A new task, unless one of its kind is open.
insert into operator_tasks (kind, asked_at, asked_by) values (%(kind)s, %(at)s, %(by)s)
on conflict (kind) where ended_at is null do nothing
returning task;

-- name: take_task
-- The oldest open task, begun now.
update operator_tasks set began_at = %(at)s
where task = (select task from operator_tasks where ended_at is null order by task limit 1)
returning task, kind, asked_at, asked_by, began_at, ended_at, said_vi, said_en;

-- name: end_task
-- A task is through.
update operator_tasks set ended_at = %(at)s, said_vi = %(vi)s, said_en = %(en)s where task = %(task)s and ended_at is null;

-- name: open_tasks
-- What waits or is under way.
select task, kind, asked_at, asked_by, began_at, ended_at, said_vi, said_en from operator_tasks where ended_at is null order by task;

-- name: failed_tasks
-- What could not be done, newest first.
select task, kind, asked_at, asked_by, began_at, ended_at, said_vi, said_en from operator_tasks where said_en <> '' order by task desc limit %(limit)s;

-- name: last_task
-- When a task of a kind was last asked for.
select asked_at from operator_tasks where kind = %(kind)s order by task desc limit 1;

-- name: began_at
-- When the first checkpoint was signed.
select at from ledger_checkpoints order by size limit 1;
