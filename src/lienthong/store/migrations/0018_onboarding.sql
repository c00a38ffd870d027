-- What subsystems were seen to do in the sandbox.
-- Onboarding: what the platform itself saw a subsystem do in the sandbox. A check that was passed stays passed.
create table onboarding_checks (
    identifier text not null,
    name text not null constraint onboarding_checks_name_known
        check (name in ('token', 'purpose_and_official', 'ended_token', 'quota', 'withheld', 'ledger_proof')),
    state jsonb not null default '{}', -- what the next try is held against
    tries integer not null default 0,
    evidence jsonb, -- what was seen
    passed_at timestamptz,
    constraint onboarding_checks_pk primary key (identifier, name),
    constraint onboarding_checks_seen check ((evidence is null) = (passed_at is null))
);
