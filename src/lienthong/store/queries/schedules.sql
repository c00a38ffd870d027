-- name: call
-- A due time, once; earlier ones still not done are missed, for this one brings what they would have.
with earlier as (
    update schedule_dues set state = 'missed', ended_at = %(now)s
    where dataset_id = %(dataset)s and source_name = %(source)s and due_at < %(due)s and state = 'waiting'
)
insert into schedule_dues (dataset_id, source_name, due_at, next_at, late_at)
select dataset_id, %(source)s, %(due)s, %(due)s, %(late)s from datasets where dataset_id = %(dataset)s
on conflict (dataset_id, source_name, due_at) do nothing;

-- name: take
-- One due time whose turn it is, taken by whoever asks first.
update schedule_dues set state = 'running', attempts = attempts + 1
where (dataset_id, source_name, due_at) in (
    select dataset_id, source_name, due_at from schedule_dues where state = 'waiting' and next_at <= %(now)s order by next_at, dataset_id, source_name
    limit 1
    for update skip locked
)
returning dataset_id, source_name, due_at, attempts;

-- name: settle
-- How a try ended.
update schedule_dues set state = %(state)s, next_at = coalesce(%(next_at)s, next_at), run_id = %(run)s, error = %(error)s, ended_at = %(ended_at)s
where dataset_id = %(dataset)s and source_name = %(source)s and due_at = %(due)s;

-- name: put_back
-- A try that found the dataset busy does not count.
update schedule_dues set state = 'waiting', attempts = attempts - 1, next_at = %(next_at)s
where dataset_id = %(dataset)s and source_name = %(source)s and due_at = %(due)s;

-- name: cut_off
-- Tries of a worker that was killed are to be made again.
update schedule_dues set state = 'waiting' where state = 'running';

-- name: newest
-- The newest due time of each source, of one dataset or of all.
select distinct on (dataset_id, source_name) dataset_id, source_name, due_at, state, attempts, next_at, run_id, error, ended_at
from schedule_dues
where %(dataset)s::text is null or dataset_id = %(dataset)s
order by dataset_id, source_name, due_at desc;

-- name: gaps
-- How many due times of each source since an instant, and how many of them brought nothing.
select dataset_id, source_name, count(*), count(*) filter (where state in ('failed', 'missed', 'same'))
from schedule_dues
where due_at >= %(since)s
group by dataset_id, source_name;

-- name: landed
-- Whether anything landed with a run.
select exists (select 1 from landing_batches where run_id = %(run)s);

-- name: silent
-- Sources that were due and have not come since, past their grace: since when.
select dataset_id, source_name, min(due_at)
from schedule_dues as due
where state <> 'come' and late_at < %(now)s and not exists (
    select 1 from schedule_dues as later
    where later.dataset_id = due.dataset_id and later.source_name = due.source_name and later.state = 'come' and later.due_at >= due.due_at
)
group by dataset_id, source_name;
