-- Indicators: definitions, frozen figures with their parts, explanations asked for.

set search_path to lienthong;

create table indicator_definitions (
    digest text constraint indicator_definitions_pk primary key, -- SHA-256 of the file as data
    indicator text not null,
    definition jsonb not null, -- what the file said: title, unit, formula, …
    since timestamptz not null
);

create table indicator_figures (
    figure bigint generated always as identity constraint indicator_figures_pk primary key,
    indicator text not null,
    definition text not null constraint indicator_figures_definition_fk references indicator_definitions,
    period text not null, -- its code: 2026-11, 2026-Q4, 2026-H2, 2026
    begins_on date not null,
    until date not null, -- the first day after it
    revision integer not null, -- from 1
    state text not null constraint indicator_figures_state_known check (state in ('estimate', 'late', 'final')),
    total double precision, -- the figure of the whole province; null: there is nothing to reckon it from
    value double precision, -- sum of the parts' values
    base double precision, -- sum of their bases, where there is one
    target double precision,
    faults jsonb not null, -- what is missing for it to be final: [word, dataset]
    reads jsonb not null, -- each dataset as it was read: version, contract, when delivered
    details jsonb not null default '{}', -- of a measure: how it came about
    computed_at timestamptz not null,
    constraint indicator_figures_revision_unique unique (indicator, period, revision)
);
create index indicator_figures_newest on indicator_figures (indicator, begins_on desc, revision desc);

create table indicator_parts (
    figure bigint not null constraint indicator_parts_figure_fk references indicator_figures,
    code text not null, -- of the unit of administration, as recorded; empty: not placed
    valid_from date not null, -- with the code the unit's key
    value double precision not null,
    base double precision,
    constraint indicator_parts_pk primary key (figure, code, valid_from)
);

-- What a figure was reckoned from when it was last looked at: the same again needs no reckoning.
create table indicator_looks (
    indicator text not null,
    period text not null,
    seen text not null,
    looked_at timestamptz not null,
    constraint indicator_looks_pk primary key (indicator, period)
);

-- Explanations asked for on a figure; the answer stays beside the number.
create table figure_questions (
    question bigint generated always as identity constraint figure_questions_pk primary key,
    figure bigint not null constraint figure_questions_figure_fk references indicator_figures, -- the revision that was looked at
    indicator text not null,
    period text not null,
    place text not null default '', -- the unit it is about; empty: the whole province
    place_on date not null, -- the borders it was seen under
    owner text not null, -- the agency that answers
    words text not null,
    asked_by text not null,
    asked_by_agency text not null,
    asked_at timestamptz not null,
    due_on date not null,
    state text not null default 'open' constraint figure_questions_state_known check (state in ('open', 'answered', 'withdrawn')),
    answer text not null default '',
    answered_by text not null default '',
    answered_at timestamptz,
    constraint figure_questions_answered check ((state = 'open') = (answered_at is null))
);
create index figure_questions_open on figure_questions (owner, due_on) where state = 'open';
create index figure_questions_of on figure_questions (indicator, period);
