-- Persons' words on runs, and changes of periods after they closed.

set search_path to lienthong;

-- What persons decided of runs: approved past its bounds, withdrawn before or after it was published. Rows are never changed.
create table run_decisions (
    decision bigint generated always as identity constraint run_decisions_pk primary key,
    run_id bigint not null constraint run_decisions_run_fk references runs,
    act text not null constraint run_decisions_act_known check (act in ('approved', 'withdrawn')),
    by_whom text not null,
    reason text not null default '',
    made_by_run bigint constraint run_decisions_made_by_run_fk references runs, -- of a published run withdrawn: the run that put the state before back
    at timestamptz not null
);
create index run_decisions_run on run_decisions (run_id);

-- Changes of rows whose period was closed: each a revision of that period, with its reason and who answers for it.
create table period_revisions (
    dataset_id text not null constraint period_revisions_dataset_fk references datasets,
    period text not null, -- 2025, 2025-Q4, 2025-11
    revision integer not null, -- the period as it closed is 1
    version integer not null,
    run_id bigint not null constraint period_revisions_run_fk references runs,
    rows bigint not null, -- of the period, changed by it
    by_whom text not null,
    reason text not null,
    at timestamptz not null,
    constraint period_revisions_pk primary key (dataset_id, period, revision)
);
