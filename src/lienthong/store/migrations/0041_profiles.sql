-- Profiles and scores of versions, and what drifted.

set search_path to lienthong;

-- What each version looks like in counts, and how good it is; made after it is published. Values stand here only where a contract lists them.
create table version_profiles (
    dataset_id text not null,
    version integer not null,
    run_id bigint not null constraint version_profiles_run_fk references runs,
    at timestamptz not null,
    profile jsonb not null, -- records; of each column how many are empty, and how many values lie in which bucket
    scores jsonb not null, -- dimension → per cent
    constraint version_profiles_pk primary key (dataset_id, version),
    constraint version_profiles_version_fk foreign key (dataset_id, version) references versions
);

-- What moved in a version against the ones before.
create table drift_notes (
    note bigint generated always as identity constraint drift_notes_pk primary key,
    dataset_id text not null,
    version integer not null,
    kind text not null constraint drift_notes_kind_known check (kind in ('rows', 'empty', 'new_values', 'distribution')),
    column_name text not null, -- empty: the whole dataset
    found double precision not null,
    usual double precision not null,
    vi text not null,
    en text not null,
    at timestamptz not null,
    constraint drift_notes_profile_fk foreign key (dataset_id, version) references version_profiles
);
create index drift_notes_dataset on drift_notes (dataset_id, version desc);
