-- The sandbox and the training room.

set search_path to lienthong;

create table sandbox_mark (
    is_only boolean constraint sandbox_mark_pk primary key default true constraint sandbox_mark_one check (is_only),
    marked_at timestamptz not null,
    filled_at timestamptz, -- when its rows were last invented
    filled_from text not null default '', -- digest of the contracts, the schema and the seed they were invented from
    reset_at timestamptz
);

create table training_learners (
    handle text constraint training_learners_pk primary key,
    name text not null, -- as it stands on the certificate
    agency text not null, -- where they work, whichever agency they practise for
    joined_at timestamptz not null
);

create table training_starts (
    start bigint generated always as identity constraint training_starts_pk primary key,
    handle text not null constraint training_starts_learner_fk references training_learners,
    lesson text not null,
    started_at timestamptz not null,
    facts jsonb not null default '{}' -- what the lesson was begun with: the record asked about, the pairs that waited
);
create index training_starts_newest on training_starts (handle, lesson, start desc);

create table training_completions (
    handle text not null constraint training_completions_learner_fk references training_learners,
    lesson text not null,
    completed_at timestamptz not null,
    evidence jsonb not null, -- SHA-256 of each entry that shows it
    constraint training_completions_pk primary key (handle, lesson)
);
