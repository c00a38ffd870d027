-- Second factors, acts of two persons, and the built-in identity provider's codes.
-- Acts that need two persons: one proposes, another decides. A decided proposal never changes again.
create table proposals (
    proposal bigint generated always as identity constraint proposals_pk primary key,
    kind text not null,
    document jsonb not null, -- what is to be done
    digest text not null, -- of the document: who decides says what they saw
    agency text not null,
    reason text not null,
    proposed_by text not null,
    proposed_at timestamptz not null,
    expires_at timestamptz not null,
    state text not null default 'waiting' constraint proposals_state_known check (state in ('waiting', 'approved', 'refused', 'withdrawn')),
    decided_by text,
    decided_at timestamptz,
    words text, -- of who refused
    constraint proposals_two_persons check (decided_by is null or state = 'withdrawn' or lower(decided_by) <> lower(proposed_by)),
    constraint proposals_decided check ((state = 'waiting') = (decided_at is null))
);
create index proposals_waiting on proposals (kind, proposal) where state = 'waiting';

-- Second factors of registered persons. `sealed` opens only with a key that is not in the database.
create table second_factors (
    factor bigint generated always as identity constraint second_factors_pk primary key,
    person bigint not null constraint second_factors_person_fk references persons,
    kind text not null constraint second_factors_kind_known check (kind in ('totp', 'passkey', 'recovery')),
    label text not null default '',
    sealed bytea not null, -- TOTP: the shared secret; passkey: the public key; recovery: keyed hash of the code
    credential bytea constraint second_factors_credential_unique unique, -- of a passkey
    last_used bigint not null default 0, -- TOTP: the last time step taken; passkey: the last count; a code works once
    made_at timestamptz not null,
    ended_at timestamptz
);
create index second_factors_person on second_factors (person) where ended_at is null;

create table sign_in_failures (
    account bytea not null, -- keyed hash of what was tried
    at timestamptz not null
);
create index sign_in_failures_account on sign_in_failures (account, at);

-- The built-in identity provider's codes, each good once and for a minute.
create table oidc_codes (
    code_hash bytea constraint oidc_codes_pk primary key,
    sealed bytea not null, -- who signed in, for which client, with which nonce and challenge
    expires_at timestamptz not null
);
