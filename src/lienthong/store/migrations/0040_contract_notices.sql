-- Breaking changes of contracts that are announced: two versions side by side until the notice ends.

set search_path to lienthong;

create table contract_notices (
    notice bigint generated always as identity constraint contract_notices_pk primary key,
    dataset_id text not null constraint contract_notices_dataset_fk references datasets,
    old_contract jsonb not null, -- the ODCS documents
    new_contract jsonb not null,
    new_version text not null,
    retires text[] not null, -- fields the new version no longer has
    announced_at timestamptz not null,
    by_whom text not null,
    reason text not null,
    ends_on date not null, -- the first day the old version is no longer answered
    state text not null default 'running' constraint contract_notices_state_known check (state in ('running', 'ended', 'withdrawn')),
    ended_at timestamptz,
    constraint contract_notices_ended check ((state = 'running') = (ended_at is null))
);
create unique index contract_notices_one_running on contract_notices (dataset_id) where state = 'running';
