-- name: standings
-- Of every applied dataset: its newest version, since when that is known, how many records it has.
select d.dataset_id, d.current_version, max(v.known_at), coalesce(sum(v.inserted - v.ended), 0)::bigint
from datasets as d left join versions as v using (dataset_id)
group by d.dataset_id, d.current_version;

-- name: waiting_rows
-- How many rows of each dataset wait in quarantine.
select dataset_id, count(*) from quarantine where state = 'waiting' group by dataset_id;

-- name: waiting_issues
-- The rules that rows in quarantine break, by rule and field, with what they expect: counted by what the index holds, then told by one row of each.
with broken as (
    select i.rule, i.column_name, i.code, i.run_id, count(*) as times, min(i.row_no) as row_no
    from quarantine as q
    join issues as i on i.dataset_id = q.dataset_id and i.run_id = q.run_id and i.row_no = q.row_no
    where q.dataset_id = %(dataset)s and q.state = 'waiting' and i.dataset_id = %(dataset)s and i.severity = 'error'
    group by i.rule, i.column_name, i.code, i.run_id
)
select b.rule, b.column_name, b.code, sum(b.times)::bigint, min(told.expected_vi), min(told.expected_en)
from broken as b
cross join lateral (
    select i.expected_vi, i.expected_en
    from issues as i
    where i.run_id = b.run_id and i.row_no = b.row_no and i.rule = b.rule and i.code = b.code and i.column_name is not distinct from b.column_name
    limit 1
) as told
group by b.rule, b.column_name, b.code
order by sum(b.times) desc, b.rule, b.column_name, b.code;

-- name: use_by_agreement
-- Answers counted against agreements since a day.
select agreement_id, sum(used)::bigint from quota_days where day >= %(since)s group by agreement_id;

-- name: checkpoints
-- The newest checkpoints.
select size, root, at, key_id from ledger_checkpoints order by size desc limit %(limit)s;

-- name: agencies
-- Names of agencies, from their published register.
select agency_code, name from data.agencies_register;

-- name: run_quality
-- The last runs of a dataset that read rows, oldest first.
select run_id, source_name, started_at, rows_in, rows_published, rows_unchanged, rows_quarantined
from (
    select * from runs where dataset_id = %(dataset)s and rows_in > 0 and state in ('published', 'unchanged') order by run_id desc limit %(limit)s
) as newest
order by run_id;

-- name: counted
-- How many rows of a published dataset have each value of a field, and what a number of theirs is on average. Composed: names only.
select {group} as value, count(*), {measure}
from {current}
where {conditions}
group by 1
order by {order}
limit {limit};

-- name: newest_signed
-- The newest checkpoint with its signature.
select size, root, at, signature from ledger_checkpoints order by size desc limit 1;

-- name: ledger_waits
-- How long the oldest entry waits for its place.
select ledger_waiting();

-- name: queue_now
-- What waits for a person of an entity, by why, and how long the oldest has waited.
select why, count(*), min(since) from match_queue where entity = %(entity)s group by why order by why;

-- name: queue_left
-- How many pairs somebody could be given now.
select count(*)
from match_queue as q
where q.entity = %(entity)s
    and (q.deferred_until is null or q.deferred_until <= %(at)s)
    and (q.locked_until is null or q.locked_until <= %(at)s or q.locked_by = %(by)s);

-- name: decisions_by_day
-- What persons decided and took back, a day at a time by Vietnam's calendar: work, not who did it.
select (at at time zone 'Asia/Ho_Chi_Minh')::date as day, count(*) filter (where kind = 'decision'), count(*) filter (where kind = 'undo')
from match_acts
where entity = %(entity)s and kind in ('decision', 'undo') and at >= %(since)s
group by day
order by day;

-- name: recent_acts
-- The newest acts of persons, with whether they still stand.
select a.act, a.kind, a.at, a.by_whom, a.reason, a.details ->> 'verdict',
    (select max(later.act) from match_acts as later where later.undoes = a.act)
from match_acts as a
where a.entity = %(entity)s and a.kind in ('decision', 'undo', 'override')
order by a.act desc
limit %(limit)s;
