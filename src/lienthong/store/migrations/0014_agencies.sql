-- Agencies with their dates and successors; subsystems and their keys.
-- Agencies and subsystems -----------------------------------------------------------------------------------
-- What is known of each stands in its newest row; a change ends that row and begins another.

create table agencies (
    entry bigint generated always as identity constraint agencies_pk primary key,
    code text not null,
    name text not null,
    kind text not null default '',
    parent text not null default '',
    valid_from date not null,
    valid_to date, -- the first day it is no longer there
    successors text[] not null default '{}',
    since timestamptz not null,
    by_whom text not null,
    ended_at timestamptz,
    constraint agencies_period check (valid_to is null or valid_to > valid_from)
);
create unique index agencies_code on agencies (code) where ended_at is null;

create table subsystems (
    entry bigint generated always as identity constraint subsystems_pk primary key,
    identifier text not null,
    agency text not null,
    title_vi text not null,
    title_en text not null,
    is_active boolean not null,
    origin text not null constraint subsystems_origin_known check (origin in ('folder', 'act', 'merger')),
    since timestamptz not null,
    by_whom text not null,
    ended_at timestamptz
);
create unique index subsystems_identifier on subsystems (identifier) where ended_at is null;

-- A key belongs to one subsystem and one environment; its thumbprint (RFC 7638) is never taken up by another.
create table subsystem_keys (
    key_no bigint generated always as identity constraint subsystem_keys_pk primary key,
    identifier text not null,
    kid text not null,
    thumbprint text not null,
    jwk jsonb not null, -- the public part
    environment text not null constraint subsystem_keys_environment_known check (environment in ('production', 'sandbox')),
    proof text not null constraint subsystem_keys_proof_known check (proof in ('folder', 'challenge', 'merger')),
    valid_from date,
    valid_to date, -- the last day
    since timestamptz not null,
    by_whom text not null,
    revoked_at timestamptz,
    revoked_by text,
    reason text,
    constraint subsystem_keys_revoked check ((revoked_at is null) = (revoked_by is null))
);
create unique index subsystem_keys_kid on subsystem_keys (identifier, environment, kid) where revoked_at is null;
create index subsystem_keys_thumbprint on subsystem_keys (thumbprint);

-- Questions a new key has to answer: signed by it within minutes, once.
create table key_challenges (
    challenge text constraint key_challenges_pk primary key,
    identifier text not null,
    environment text not null,
    jwk jsonb not null,
    asked_by text not null,
    expires_at timestamptz not null
);
