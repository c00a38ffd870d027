-- Reports filed.

set search_path to lienthong;

create table report_filings (
    filing text constraint report_filings_pk primary key, -- the first 16 hex digits of its digest: what paper names
    report text not null,
    period text not null,
    begins_on date not null,
    until date not null,
    revision integer not null, -- from 1
    state text not null constraint report_filings_state_known check (state in ('late', 'final')),
    owner text not null, -- the agency that issues it
    facts jsonb not null, -- everything its documents say
    digest text not null, -- SHA-256 of the facts
    due_at timestamptz not null,
    filed_at timestamptz not null,
    filed_by text not null, -- an official; lienthong: by its schedule
    constraint report_filings_revision_unique unique (report, period, revision)
);
create index report_filings_newest on report_filings (report, begins_on desc, revision desc);
