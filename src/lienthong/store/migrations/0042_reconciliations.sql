-- What sources said of themselves.

set search_path to lienthong;

-- What sources said of themselves, held against what landed: counts, sums and hashes, no row.
create table reconciliations (
    reconciliation bigint generated always as identity constraint reconciliations_pk primary key,
    dataset_id text not null constraint reconciliations_dataset_fk references datasets,
    source_name text not null,
    run_id bigint not null constraint reconciliations_run_fk references runs,
    at timestamptz not null,
    agrees boolean, -- null: the source says nothing of itself
    lines jsonb not null -- {what, there, here}
);
create index reconciliations_dataset on reconciliations (dataset_id, reconciliation desc);
