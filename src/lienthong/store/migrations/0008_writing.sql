-- A record's value that an agency wrote through the axis. It stands until the source says something newer of that value; a value
-- of another agency's authority stands whatever the source says.

create table record_writes (
    write bigint generated always as identity constraint record_writes_pk primary key,
    dataset_id text not null constraint record_writes_dataset_fk references datasets,
    key text not null,
    field text not null,
    value text, -- as PostgreSQL writes it
    replaced text, -- what the source had said
    agency text not null,
    is_foreign boolean not null, -- whether the agency is another than the owner of the dataset
    at timestamptz not null,
    ended_at timestamptz,
    run_id bigint not null constraint record_writes_run_fk references runs
);
create unique index record_writes_standing on record_writes (dataset_id, field, key) where ended_at is null;

-- A record ended through the axis: the row its source goes on delivering does not bring it back.
create table record_ends (
    dataset_id text not null constraint record_ends_dataset_fk references datasets,
    key text not null,
    digest bigint not null, -- of that row as it came
    at timestamptz not null,
    run_id bigint not null constraint record_ends_run_fk references runs,
    constraint record_ends_pk primary key (dataset_id, key, digest)
);
