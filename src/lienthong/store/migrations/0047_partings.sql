-- A split was kept as a judgement for each two records of different parts; those hold on. From now on:
-- What a split says: records of different parts are not one. A row a record instead of one for each two of them. What a steward says later of
-- two of them alone counts before it, for as long as it holds.
create table match_partings (
    parting bigint generated always as identity constraint match_partings_pk primary key,
    entity text not null,
    by_whom text not null,
    reason text not null,
    from_at timestamptz not null,
    to_at timestamptz, -- null while it holds
    act bigint not null constraint match_partings_act_fk references match_acts,
    ended_by bigint constraint match_partings_ended_fk references match_acts
);
create index match_partings_act on match_partings (act);
create index match_partings_ended on match_partings (ended_by) where ended_by is not null;

create table match_parted (
    parting bigint not null constraint match_parted_parting_fk references match_partings,
    source text not null,
    key text not null,
    part integer not null,
    constraint match_parted_pk primary key (source, key, parting)
);
create index match_parted_parting on match_parted (parting);
