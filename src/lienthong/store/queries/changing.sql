-- name: agreements
-- Agreements on a dataset that stand, with what they give.
select a.agreement_id, a.consumer, s.state, v.document -> 'fields'
from agreements as a
join agreement_steps as s on s.agreement_id = a.agreement_id and s.ended_at is null
join agreement_versions as v on v.agreement_id = a.agreement_id and v.ended_at is null
where a.dataset_id = %(dataset)s and s.state in ('granted', 'active', 'suspended')
order by a.agreement_id;

-- name: subscriptions
-- Who is told of a dataset's events.
select subscription, caller, road
from event_subscriptions
where dataset_id = %(dataset)s and state <> 'ended'
order by subscription;

-- name: syncs
-- Who keeps a copy of a dataset.
select sync, consumer, state from syncs where dataset_id = %(dataset)s order by sync;

-- name: reads
-- Who was given what of a dataset since an instant, as the ledger has it: (caller, agreement, fields, answers, last).
select entry.body ->> 'caller', coalesce(entry.body ->> 'agreement', ''), coalesce(entry.body -> 'fields', '[]'), count(*), max(batch.at)
from ledger_batches as batch
cross join string_to_table(batch.bodies, E'\n') as line (body)
cross join lateral (select case when strpos(line.body, %(needle)s) > 0 then line.body::jsonb end as body) as entry
where batch.at >= %(since)s
    and strpos(batch.bodies, %(needle)s) > 0
    and entry.body ->> 'dataset' = %(dataset)s
    and entry.body ->> 'event' like 'answer:%%given'
group by 1, 2, 3
order by 1, 2, 3;

-- name: applied
-- The contract that is applied, and what there is of the dataset: (document, digest, newest version).
select contract, contract_digest, current_version from datasets where dataset_id = %(dataset)s;

-- name: columns
select column_name, data_type
from information_schema.columns
where table_schema = 'data' and table_name = %(table)s
order by ordinal_position;

-- name: last_run
-- How long the newest run of a dataset that published took, and of how many rows: (rows, seconds).
select rows_in, extract(epoch from ended_at - started_at)::double precision
from runs
where dataset_id = %(dataset)s and state in ('published', 'unchanged') and ended_at is not null and rows_published > 0
order by run_id desc
limit 1;

-- name: lock
select pg_advisory_xact_lock(hashtext(%(name)s));

-- name: announce
insert into contract_notices (dataset_id, old_contract, new_contract, new_version, retires, announced_at, by_whom, reason, ends_on)
values (%(dataset)s, %(old)s, %(new)s, %(version)s, %(retires)s, %(at)s, %(by)s, %(reason)s, %(ends_on)s)
returning notice;

-- name: running
-- Notices that run, or are over and not yet taken up.
select notice, dataset_id, old_contract, new_contract, new_version, retires, announced_at, ends_on
from contract_notices
where state = 'running'
order by notice;

-- name: newest
-- The newest notice of every dataset that has one: (dataset, notice, state).
select distinct on (dataset_id) dataset_id, notice, state from contract_notices order by dataset_id, notice desc;

-- name: end
update contract_notices set state = 'ended', ended_at = %(at)s where notice = %(notice)s and state = 'running' returning notice;

-- name: withdraw
update contract_notices
set state = 'withdrawn', ended_at = %(at)s, withdrawn_by = %(by)s, withdrawal_reason = %(reason)s, leaves = %(leaves)s
where notice = %(notice)s and state = 'running'
returning notice;
