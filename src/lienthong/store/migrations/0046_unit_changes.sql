-- Communes merged or split by a province's own resolution.
create table unit_changes (
    change bigint generated always as identity constraint unit_changes_pk primary key,
    takes_effect_on date not null,
    resolution text not null,
    proposal bigint not null constraint unit_changes_proposal_fk references proposals constraint unit_changes_proposal_unique unique,
    decided_at timestamptz not null,
    taken_back_at timestamptz,
    taken_back_by bigint constraint unit_changes_taken_back_fk references proposals, -- the proposal that did
    constraint unit_changes_taken_back check ((taken_back_at is null) = (taken_back_by is null))
);

create table unit_change_units (
    change bigint not null constraint unit_change_units_change_fk references unit_changes,
    code text not null constraint unit_change_units_code_known check (code ~ '^[0-9]{5}$'), -- of the commune that begins
    name text not null,
    made_of text[] not null constraint unit_change_units_made_of_something check (cardinality(made_of) > 0), -- codes of communes that end
    constraint unit_change_units_pk primary key (change, code)
);

