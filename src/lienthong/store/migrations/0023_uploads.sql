-- Files handed in by data officers: the file lies beside the keys until its run has ended; what came of it stays here.
create table lienthong.uploads (
    upload bigint generated always as identity constraint uploads_pk primary key,
    dataset_id text not null constraint uploads_dataset_fk references lienthong.datasets,
    agency text not null,
    by_whom text not null,
    file_name text not null,
    size_bytes bigint not null,
    sha256 text not null,
    is_whole boolean not null, -- the whole list: what it does not hold ends; else additions
    state text not null default 'waiting' constraint uploads_state_known check (state in ('waiting', 'running', 'done', 'failed')),
    step text not null default '',
    rows bigint not null default 0,
    total bigint,
    run_id bigint constraint uploads_run_fk references lienthong.runs,
    error text, -- in words, where it could not be read
    at timestamptz not null,
    ended_at timestamptz
);
create index uploads_agency on lienthong.uploads (agency, upload desc);
create index uploads_to_do on lienthong.uploads (upload) where state in ('waiting', 'running');
