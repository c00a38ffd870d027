-- Delta Sharing: who may open shares with a profile, which files were granted to whom, and that they were read.

set search_path to lienthong;

create table share_profiles (
    profile text constraint share_profiles_pk primary key, -- also its name as an OAuth client
    subsystem text not null,
    kind text not null constraint share_profiles_kind_known check (kind in ('bearer', 'secret', 'key')),
    purpose text not null,
    official text not null,
    secret bytea, -- SHA-256 of the token or secret; null: the subsystem's own key proves it
    made_at timestamptz not null,
    made_by text not null,
    expires_at timestamptz not null,
    replaces text constraint share_profiles_replaces_fk references share_profiles,
    ended_at timestamptz,
    ended_by text,
    constraint share_profiles_proved check ((kind = 'key') = (secret is null)),
    constraint share_profiles_end_told check ((ended_at is null) = (ended_by is null))
);
create index share_profiles_subsystem on share_profiles (subsystem, made_at);

create table share_grants (
    grant_id text constraint share_grants_pk primary key,
    profile text constraint share_grants_profile_fk references share_profiles,
    subsystem text not null, -- `anonymous` for open data
    token text, -- the access token's own number, where it was asked with one
    got_with text, -- and the key it was got with
    purpose text not null,
    official text not null,
    agreement text not null,
    legal_basis text not null,
    dataset_id text not null constraint share_grants_dataset_fk references datasets,
    operation text not null constraint share_grants_operation_known check (operation in ('bulk', 'changes')),
    version integer not null, -- of changes: the first
    last_version integer not null,
    right_digest text not null, -- of what is seen: another right needs another grant
    fields text[] not null,
    made_at timestamptz not null,
    expires_at timestamptz not null
);
create index share_grants_expires on share_grants (expires_at);

create table share_reads (
    grant_id text not null constraint share_reads_grant_fk references share_grants,
    file text not null,
    at timestamptz not null,
    constraint share_reads_pk primary key (grant_id, file)
);
