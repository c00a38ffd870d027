-- Rooms of events after GovStack.

set search_path to lienthong;

-- Rooms of events after GovStack: what kinds of events a room has, what was published, who subscribes, what became of each delivery.
create table room_types (
    room text not null, -- agency/application
    type text not null,
    schema jsonb not null,
    made_at timestamptz not null,
    ended_at timestamptz,
    constraint room_types_pk primary key (room, type)
);

create table room_events (
    event uuid constraint room_events_pk primary key,
    sequence bigint generated always as identity,
    room text not null,
    type text not null,
    publisher text not null,
    body jsonb, -- null: no longer kept
    at timestamptz not null,
    stopped_at timestamptz
);
create index room_events_room on room_events (room, type, sequence);
create index room_events_kept on room_events (at) where body is not null;

create table room_subscriptions (
    subscription uuid constraint room_subscriptions_pk primary key,
    room text not null,
    type text not null,
    subscriber text not null,
    official text not null,
    purpose text not null,
    delivery text not null constraint room_subscriptions_delivery_known check (delivery in ('PUSH', 'PULL')),
    url text not null default '', -- of pushes
    ttl integer not null constraint room_subscriptions_ttl_positive check (ttl > 0), -- seconds
    fifo boolean not null,
    sealed bytea, -- what pushes are signed with
    made_at timestamptz not null,
    ended_at timestamptz
);
create unique index room_subscriptions_one on room_subscriptions (room, type, subscriber) where ended_at is null;

create table room_deliveries (
    event uuid not null constraint room_deliveries_event_fk references room_events,
    subscription uuid not null constraint room_deliveries_subscription_fk references room_subscriptions,
    state text not null default 'waiting' constraint room_deliveries_state_known check (state in ('waiting', 'delivered', 'acknowledged', 'dropped', 'stopped')),
    attempts integer not null default 0,
    next_at timestamptz not null,
    until timestamptz not null,
    status integer, -- of the last answer to a push
    since timestamptz,
    constraint room_deliveries_pk primary key (event, subscription)
);
create index room_deliveries_waiting on room_deliveries (subscription, next_at) where state = 'waiting';
create index room_deliveries_until on room_deliveries (until) where state = 'waiting';

-- Rooms keep their own subscriptions.
alter table event_subscriptions
    drop constraint event_subscriptions_road_known,
    add constraint event_subscriptions_road_known check (road in ('webhook', 'nats'));
