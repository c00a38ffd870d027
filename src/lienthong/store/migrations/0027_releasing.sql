-- Checks before a dataset is opened, and what was decided on them.

set search_path to lienthong;

-- What was measured of a dataset's rows before it was opened: counts, never values.
create table release_checks (
    check_no bigint generated always as identity constraint release_checks_pk primary key,
    dataset_id text not null constraint release_checks_dataset_fk references datasets,
    version integer not null, -- of the rows
    contract_version text not null,
    shape text not null, -- digest of what of the contract was checked
    verdict text not null constraint release_checks_verdict_known check (verdict in ('safe', 'risky', 'forbidden')),
    report jsonb not null,
    checked_by text not null,
    checked_at timestamptz not null
);
create index release_checks_dataset on release_checks (dataset_id, check_no desc);

-- Whether a dataset of this shape may be opened; a decision stands until the next.
create table release_decisions (
    decision bigint generated always as identity constraint release_decisions_pk primary key,
    check_no bigint not null constraint release_decisions_check_fk references release_checks,
    dataset_id text not null constraint release_decisions_dataset_fk references datasets,
    shape text not null,
    outcome text not null constraint release_decisions_outcome_known check (outcome in ('allowed', 'refused')),
    reason text not null constraint release_decisions_reasoned check (reason <> ''),
    proposed_by text, -- the first of two persons
    decided_by text not null,
    decided_at timestamptz not null,
    ended_at timestamptz,
    constraint release_decisions_two_persons check (proposed_by is null or lower(proposed_by) <> lower(decided_by))
);
create unique index release_decisions_standing on release_decisions (dataset_id) where ended_at is null;
