-- name: find
-- The answer given to an idempotency key.
select body_digest, answer from submissions where caller = %(caller)s and dataset_id = %(dataset)s and idempotency_key = %(key)s;

-- name: keep
-- A new answer.
insert into submissions (caller, dataset_id, idempotency_key, body_digest, run_id, answer, at)
values (%(caller)s, %(dataset)s, %(key)s, %(body_digest)s, %(run)s, %(answer)s, %(at)s);

-- name: published_rows
-- Row numbers and keys of a run's rows that became current states.
select held._row, held._key
from {current} as held join versions on versions.dataset_id = %(dataset)s and versions.version = held._version
where versions.run_id = %(run)s;

-- name: run_issues
-- The issues of a run.
select row_no, column_name, rule, code, severity, expected_vi, expected_en
from issues
where run_id = %(run)s
order by row_no, severity, column_name, rule;

-- name: held_rows
-- The rows of a run that wait in quarantine.
select row_no, item_id, key from quarantine where run_id = %(run)s and state = 'waiting';
