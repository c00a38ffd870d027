-- Alerts, what duties are alive, and counts of exchanges that never begin anew.

set search_path to lienthong;

alter table exchange_counts drop constraint exchange_counts_span_known;
alter table exchange_counts add constraint exchange_counts_span_known check (span in ('hour', 'day', 'ever'));

create table duty_beats (
    duty text constraint duty_beats_pk primary key,
    at timestamptz not null -- when it was last seen at work
);

create table alerts (
    alert bigint generated always as identity constraint alerts_pk primary key,
    rule text not null, -- its id in the file of rules
    kind text not null,
    subject text not null, -- what it is about: one alert of a rule and subject at a time
    agency text not null, -- whose it is, empty: the platform's
    severity text not null constraint alerts_severity_known check (severity in ('note', 'warning', 'alarm')),
    figures jsonb not null, -- what was found, against which thresholds
    state text not null constraint alerts_state_known check (state in ('open', 'taken', 'closed')),
    raised_at timestamptz not null,
    seen_at timestamptz not null -- when it was last found so
);
create unique index alerts_standing on alerts (rule, subject) where state <> 'closed';
create index alerts_raised on alerts (raised_at desc);

create table alert_steps (
    alert bigint not null constraint alert_steps_alert_fk references alerts,
    step integer not null, -- 1: raised
    state text not null constraint alert_steps_state_known check (state in ('open', 'taken', 'closed')),
    at timestamptz not null,
    by_whom text not null, -- an official; lienthong for the platform itself
    reason text not null default '',
    constraint alert_steps_pk primary key (alert, step)
);
