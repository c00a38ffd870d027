-- name: add_check
insert into release_checks (dataset_id, version, contract_version, shape, verdict, report, checked_by, checked_at)
values (%(dataset)s, %(version)s, %(contract_version)s, %(shape)s, %(verdict)s, %(report)s, %(by)s, %(at)s)
returning check_no;

-- name: find_check
select check_no, dataset_id, version, contract_version, shape, verdict, report, checked_by, checked_at
from release_checks
where check_no = %(number)s;

-- name: list_checks
select check_no, dataset_id, version, contract_version, shape, verdict, report, checked_by, checked_at
from release_checks
where %(dataset)s::text is null or dataset_id = %(dataset)s
order by check_no desc
limit %(limit)s;

-- name: lock_dataset
-- Two decisions on one dataset at once are made one after the other.
select from datasets where dataset_id = %(dataset)s for update;

-- name: end_decision
update release_decisions
set ended_at = %(at)s
where dataset_id = %(dataset)s and ended_at is null;

-- name: add_decision
insert into release_decisions (check_no, dataset_id, shape, outcome, reason, proposed_by, decided_by, decided_at)
values (%(check)s, %(dataset)s, %(shape)s, %(outcome)s, %(reason)s, %(proposed_by)s, %(by)s, %(at)s);

-- name: standing
select check_no, dataset_id, shape, outcome, reason, proposed_by, decided_by, decided_at, ended_at
from release_decisions
where dataset_id = %(dataset)s and ended_at is null;

-- name: decisions
select check_no, dataset_id, shape, outcome, reason, proposed_by, decided_by, decided_at, ended_at
from release_decisions
where %(dataset)s::text is null or dataset_id = %(dataset)s
order by decision desc
limit %(limit)s;
