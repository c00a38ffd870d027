-- Copies of agreed views in agencies' own databases and folders. How far a copy has come is kept in the copy itself, with its
-- rows; here is only what persons ask of it.

create table syncs (
    sync text constraint syncs_pk primary key,
    dataset_id text not null,
    consumer text not null,
    state text not null constraint syncs_state_known check (state in ('filling', 'following', 'waiting', 'stopped', 'failing', 'paused')),
    said_vi text not null default '', -- why it waits, stopped or fails
    said_en text not null default '',
    version integer, -- the newest version that is there, whole
    delivered bigint not null default 0, -- rows sent so far
    failures integer not null default 0, -- one after another
    next_try_at timestamptz,
    worked_at timestamptz, -- when it last was all there
    announced jsonb, -- a change of columns that is to come
    checked_at timestamptz,
    checked jsonb, -- what the last check found
    asked text constraint syncs_asked_known check (asked in ('run', 'check', 'repair')), -- what a person wants done now
    asked_by text
);

create table sync_drifts (
    drift bigint generated always as identity constraint sync_drifts_pk primary key,
    sync text not null constraint sync_drifts_sync_fk references syncs,
    found_at timestamptz not null,
    key text not null,
    kind text not null constraint sync_drifts_kind_known check (kind in ('changed', 'missing', 'foreign')),
    fields text[] not null,
    put_back_at timestamptz
);
create index sync_drifts_sync on sync_drifts (sync, drift);
