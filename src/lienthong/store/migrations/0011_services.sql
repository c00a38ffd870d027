-- Brokered services: their definitions, version by version, and the stops announced for them.
create table services (
    revision bigint generated always as identity constraint services_pk primary key,
    service text not null,
    version text not null,
    agency text not null,
    state text not null constraint services_state_known check (state in ('draft', 'published', 'deprecated', 'retired')),
    sunset_on date, -- until when a deprecated version answers
    definition jsonb not null, -- service.yaml
    description text not null, -- the OpenAPI document or WSDL as it came
    understood jsonb not null, -- what was worked out of a WSDL
    begun_at timestamptz not null,
    ended_at timestamptz,
    by_whom text not null,
    constraint services_sunset_known check (sunset_on is null or state = 'deprecated')
);
create unique index services_current on services (service, version) where ended_at is null;

create table service_stops (
    stop bigint generated always as identity constraint service_stops_pk primary key,
    service text not null,
    agency text not null,
    begins_at timestamptz not null,
    restores_at timestamptz not null, -- expected
    reason_vi text not null,
    reason_en text not null,
    made_at timestamptz not null,
    ended_at timestamptz,
    by_whom text not null,
    constraint service_stops_forward check (restores_at > begins_at)
);
create unique index service_stops_current on service_stops (service) where ended_at is null;
