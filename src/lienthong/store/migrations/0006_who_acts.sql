-- Persons, their roles, their sessions.
create table persons (
    person bigint generated always as identity constraint persons_pk primary key,
    handle text not null, -- what acts and the ledger call them: no name of a person, no number of one
    issuer text not null, -- of the identity provider
    subject text not null, -- who they are there
    name text not null,
    agency text not null,
    registered_at timestamptz not null,
    ended_at timestamptz
);
create unique index persons_handle on persons (handle) where ended_at is null;
create unique index persons_subject on persons (issuer, subject) where ended_at is null;

create table person_roles (
    grant_no bigint generated always as identity constraint person_roles_pk primary key,
    person bigint not null constraint person_roles_person_fk references persons,
    role text not null constraint person_roles_role_known
        check (role in ('data_officer', 'steward', 'integrator', 'operator', 'leader', 'auditor')),
    granted_at timestamptz not null,
    granted_by text not null,
    approved_by text not null,
    ended_at timestamptz,
    ended_by text,
    constraint person_roles_two_persons check (granted_by <> approved_by)
);
create unique index person_roles_held on person_roles (person, role) where ended_at is null;

create table sessions (
    token_hash bytea constraint sessions_pk primary key, -- SHA-256 of the cookie
    holder bytea not null, -- keyed hash of who it is: to sign out everywhere
    sealed bytea not null, -- who it is, under a key that is not in the database
    began_at timestamptz not null,
    seen_at timestamptz not null,
    second_factor_at timestamptz,
    ended_at timestamptz
);
create index sessions_holder on sessions (holder) where ended_at is null;
create index sessions_began on sessions (began_at);
