-- Files and requests about personal data: breaches, impact files, what persons ask for. A case never changes; steps tell what became of it.
create table privacy_cases (
    case_id bigint generated always as identity constraint privacy_cases_pk primary key,
    kind text not null constraint privacy_cases_kind_known
        check (kind in ('breach', 'impact', 'access', 'correction', 'erasure', 'restriction', 'objection', 'withdrawal')),
    agency text not null, -- who must act
    dataset text not null default '',
    subject text, -- keyed hash of the citizen's number, where a person asks
    person bytea, -- their number, sealed: whoever must act has to know who asks
    content jsonb not null, -- what is asked or what happened, in words; a correction's field and value
    opened_at timestamptz not null,
    opened_by text not null, -- handle or official; `citizen` where a person asks
    begins_at timestamptz not null, -- from when the clock runs: the discovery, the first processing, the request
    answer_by timestamptz, -- until when the person is told that it is dealt with
    act_by timestamptz not null,
    legal_basis text not null
);
create index privacy_cases_agency on privacy_cases (agency, case_id desc);
create index privacy_cases_subject on privacy_cases (subject, case_id desc) where subject is not null;

create table privacy_steps (
    step bigint generated always as identity constraint privacy_steps_pk primary key,
    case_id bigint not null constraint privacy_steps_case_fk references privacy_cases,
    act text not null constraint privacy_steps_act_known check (act in ('open', 'note', 'answer', 'done', 'refuse', 'withdraw')),
    state text not null constraint privacy_steps_state_known check (state in ('open', 'answered', 'done', 'refused', 'withdrawn')),
    at timestamptz not null,
    by_whom text not null,
    words text not null default '', -- what the person is told too, but for notes
    legal_text text not null default '' -- of a refusal
);
create index privacy_steps_case on privacy_steps (case_id, step);
