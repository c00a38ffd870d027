-- Agreements as objects: their documents, every step of their life, planned stops.
create table register_edge (
    is_only boolean constraint register_edge_pk primary key default true constraint register_edge_one check (is_only),
    number bigint not null -- grows with every change of agreements and stops: what each serving process looks at
);
insert into register_edge (number) values (0);

create sequence agreement_numbers;

create table agreements (
    agreement_id text constraint agreements_pk primary key,
    provider text not null, -- agency code
    consumer text not null, -- subsystem identifier
    dataset_id text not null, -- a dataset's or a service's id
    origin text not null constraint agreements_origin_known check (origin in ('request', 'file')),
    file_digest text, -- of the file as it was last taken over
    since timestamptz not null
);
create index agreements_provider on agreements (provider);
create index agreements_consumer on agreements (consumer);

-- What was agreed, as it was written; a new version ends the one before.
create table agreement_versions (
    agreement_id text not null constraint agreement_versions_agreement_fk references agreements,
    version integer not null,
    document jsonb not null,
    from_at timestamptz not null,
    ended_at timestamptz,
    constraint agreement_versions_pk primary key (agreement_id, version)
);
create unique index agreement_versions_current on agreement_versions (agreement_id) where ended_at is null;

-- Every act of an agreement's life; the one not ended says the present state.
create table agreement_steps (
    step bigint generated always as identity constraint agreement_steps_pk primary key,
    agreement_id text not null constraint agreement_steps_agreement_fk references agreements,
    act text not null,
    state text not null constraint agreement_steps_state_known
        check (state in ('requested', 'granted', 'active', 'suspended', 'ended', 'refused')),
    version integer not null, -- of the document then
    by_whom text not null,
    by_agency text not null,
    by_subsystem text not null,
    reason text not null,
    legal_text text not null,
    details jsonb not null,
    at timestamptz not null,
    ended_at timestamptz,
    constraint agreement_steps_version_fk foreign key (agreement_id, version) references agreement_versions
);
create unique index agreement_steps_current on agreement_steps (agreement_id) where ended_at is null;
create index agreement_steps_agreement on agreement_steps (agreement_id, step);

create table planned_stops (
    stop bigint generated always as identity constraint planned_stops_pk primary key,
    dataset_id text not null,
    provider text not null,
    begins_at timestamptz not null,
    ends_at timestamptz not null, -- when it is expected to answer again
    is_forced boolean not null, -- force majeure: no notice could be given
    reason text not null,
    by_whom text not null,
    announced_at timestamptz not null,
    withdrawn_at timestamptz,
    withdrawn_reason text,
    constraint planned_stops_order check (ends_at > begins_at)
);
create index planned_stops_open on planned_stops (ends_at) where withdrawn_at is null;
