-- Backups, what was found when one was put back, verifications of the whole ledger, and long work somebody asked for.
set search_path to lienthong;

create table backups (
    backup bigint generated always as identity constraint backups_pk primary key,
    made_at timestamptz not null,
    by_whom text not null,
    file_name text not null,
    bytes bigint not null,
    sha256 text not null,
    is_sealed boolean not null, -- encrypted for its keepers
    ledger_size bigint not null,
    ledger_root text not null, -- hex
    datasets jsonb not null, -- dataset → [version, records]
    seconds double precision not null
);

create table restore_rehearsals (
    rehearsal bigint generated always as identity constraint restore_rehearsals_pk primary key,
    backup bigint not null constraint restore_rehearsals_backup_fk references backups,
    at timestamptz not null,
    by_whom text not null,
    is_whole boolean not null,
    ledger_size bigint not null,
    records bigint not null,
    said_vi text not null,
    said_en text not null,
    seconds double precision not null
);

create table ledger_verifications (
    verification bigint generated always as identity constraint ledger_verifications_pk primary key,
    at timestamptz not null,
    by_whom text not null,
    is_whole boolean not null,
    size bigint not null,
    root text not null, -- hex
    said_vi text not null, -- what does not fit, where something does not
    said_en text not null,
    seconds double precision not null
);

create table operator_tasks (
    task bigint generated always as identity constraint operator_tasks_pk primary key,
    kind text not null constraint operator_tasks_kind_known check (kind in ('backup', 'rehearsal', 'verification')),
    asked_at timestamptz not null,
    asked_by text not null,
    began_at timestamptz,
    ended_at timestamptz,
    said_vi text not null default '', -- why it could not be done
    said_en text not null default ''
);
create unique index operator_tasks_open on operator_tasks (kind) where ended_at is null;
