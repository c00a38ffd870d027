-- Due times of scheduled sources.

set search_path to lienthong;

-- Deliveries a contract's schedule calls for: each due time of each source once. What is to be done, and how often it was tried, stands here.
create table schedule_dues (
    dataset_id text not null constraint schedule_dues_dataset_fk references datasets,
    source_name text not null,
    due_at timestamptz not null,
    state text not null default 'waiting' constraint schedule_dues_state_known
        check (state in ('waiting', 'running', 'come', 'same', 'failed', 'missed')), -- same: what lay there was the last delivery still
    attempts integer not null default 0,
    next_at timestamptz not null,
    late_at timestamptz not null, -- from when on its not coming is silence
    run_id bigint constraint schedule_dues_run_fk references runs,
    error text, -- the code of the last failure
    ended_at timestamptz,
    constraint schedule_dues_pk primary key (dataset_id, source_name, due_at)
);
create index schedule_dues_next on schedule_dues (next_at) where state in ('waiting', 'running');
