-- name: begin
-- A new run in state landing; gives its number.
insert into runs (dataset_id, source_name, delivery, state, contract_digest, fingerprint, started_at, delivered_on)
values (%(dataset)s, %(source)s, %(delivery)s, 'landing', %(contract_digest)s, %(fingerprint)s, %(at)s, %(delivered_on)s)
returning run_id;

-- name: keep_fingerprint
-- The fingerprint of a delivery that was read while it was fetched.
update runs set fingerprint = %(fingerprint)s where run_id = %(run)s;

-- name: deliveries
-- Runs of a source whose landings together are what it said, in order: from the last reading of the whole on.
with believed as (
    select run_id, delivery
    from runs
    where dataset_id = %(dataset)s and source_name = %(source)s and state in ('published', 'unchanged') and fingerprint is distinct from %(again)s
)
select run_id
from believed
where run_id >= coalesce((select max(run_id) from believed where delivery = 'snapshot'), 0)
order by run_id;

-- name: unfinished
-- The newest run of a source that was cut off before it was published: landing or landed, nobody at work (the caller holds the lock).
select run_id, state, fingerprint, position, rows_in, delivered_on, contract_digest, delivery
from runs
where dataset_id = %(dataset)s and source_name = %(source)s and state in ('landing', 'landed')
order by run_id desc
limit 1;

-- name: last_done
-- The newest run of a source that ended well.
select run_id, fingerprint, contract_digest, position, rows_in, rows_quarantined, version
from runs
where dataset_id = %(dataset)s and source_name = %(source)s and state in ('published', 'unchanged')
order by run_id desc
limit 1;

-- name: waiting
-- Whether a run of the dataset waits for a person.
select run_id from runs where dataset_id = %(dataset)s and state = 'waiting' order by run_id desc limit 1;

-- name: landed
-- Landing is complete.
update runs set state = 'landed', rows_in = %(rows_in)s, position = %(position)s where run_id = %(run)s;

-- name: finish
-- The end of a run, with its counts.
update runs
set state = %(state)s, ended_at = %(at)s, rows_in = %(rows_in)s, rows_published = %(rows_published)s, rows_unchanged = %(rows_unchanged)s,
    rows_quarantined = %(rows_quarantined)s, rows_ended = %(rows_ended)s, warnings = %(warnings)s, version = %(version)s,
    contract_digest = %(contract_digest)s, waits_for = %(waits_for)s, error = %(error)s
where run_id = %(run)s;

-- name: fail
-- A run that cannot go on; its landing is kept.
update runs set state = %(state)s, ended_at = %(at)s, error = %(error)s where run_id = %(run)s and state not in ('published', 'unchanged');

-- name: show
-- One run, whole.
select run_id, dataset_id, source_name, delivery, state, contract_digest, fingerprint, started_at, ended_at, delivered_on, rows_in, rows_published,
    rows_unchanged, rows_quarantined, rows_ended, warnings, version, waits_for, error
from runs
where run_id = %(run)s;

-- name: recent
-- The newest runs first, of one dataset or of all.
select run_id, dataset_id, source_name, delivery, state, contract_digest, fingerprint, started_at, ended_at, delivered_on, rows_in, rows_published,
    rows_unchanged, rows_quarantined, rows_ended, warnings, version, waits_for, error
from runs
where %(dataset)s::text is null or dataset_id = %(dataset)s
order by run_id desc
limit %(limit)s;

-- name: last_contract_digest
-- The contract under which the newest version of a dataset was judged.
select runs.contract_digest
from versions join runs using (run_id)
where versions.dataset_id = %(dataset)s and runs.source_name not in ('api', 'correction', 'withdrawal')
order by versions.version desc
limit 1;

-- name: last_rows_in
-- Rows of the newest whole delivery of a source that ended well.
select rows_in
from runs
where dataset_id = %(dataset)s and source_name = %(source)s and delivery = 'snapshot' and state in ('published', 'unchanged')
order by run_id desc
limit 1;

-- name: last_delivered_columns
-- The properties that came with the newest version of a source.
select versions.delivered_columns
from versions join runs using (run_id)
where versions.dataset_id = %(dataset)s and runs.source_name = %(source)s
order by versions.version desc
limit 1;

-- name: withdrawn_with
-- The newest run of a source withdrawn by a person that brought this very delivery, unless it was let pass since.
select run_id
from runs
where dataset_id = %(dataset)s and source_name = %(source)s and state = 'withdrawn' and fingerprint = %(fingerprint)s and run_id <> %(run)s
order by run_id desc
limit 1;

-- name: withdraw_published
-- A published run that a person withdrew; its version stays what it was.
update runs set state = 'withdrawn' where run_id = %(run)s and state = 'published';

-- name: decide
-- A person's word on a run.
insert into run_decisions (run_id, act, by_whom, reason, made_by_run, at)
values (%(run)s, %(act)s, %(by)s, %(reason)s, %(made_by)s, %(at)s);

-- name: decisions
-- What persons decided of a run, oldest first.
select act, by_whom, reason, made_by_run, at from run_decisions where run_id = %(run)s order by decision;

-- name: revise_period
-- The next revision of a closed period.
insert into period_revisions (dataset_id, period, revision, version, run_id, rows, by_whom, reason, at)
select %(dataset)s, %(period)s, coalesce((select max(revision) from period_revisions where dataset_id = %(dataset)s and period = %(period)s), 1) + 1,
    %(version)s, %(run)s, %(rows)s, %(by)s, %(reason)s, %(at)s;

-- name: period_revisions
-- Revisions of a dataset's closed periods, newest first.
select period, revision, version, run_id, rows, by_whom, reason, at from period_revisions where dataset_id = %(dataset)s
order by at desc, period desc, revision desc
limit %(limit)s;

-- name: waiting_with
-- The run of a source that waits for a person with this very delivery.
select run_id from runs where dataset_id = %(dataset)s and source_name = %(source)s and state = 'waiting' and fingerprint = %(fingerprint)s
order by run_id desc
limit 1;
