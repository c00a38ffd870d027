-- Subscriptions: who is sent the events of which source, and how far each has come. What is under way is a span of the stream, never its content:
-- it is told anew at every attempt, under the right of that moment.
-- Invariant: a lane goes on only from what was delivered or laid aside; its span in hand has one id, whatever happens in between.

create table event_subscriptions (
    subscription text constraint event_subscriptions_pk primary key,
    caller text not null,
    official text not null,
    purpose text not null,
    dataset_id text not null, -- or the room
    sources text[] not null, -- of the stream
    road text not null constraint event_subscriptions_road_known check (road in ('webhook', 'nats', 'room_push', 'room_pull')),
    url text not null,
    types text[] not null,
    conditions jsonb not null,
    form text not null constraint event_subscriptions_form_known check (form in ('one', 'batch')),
    most integer not null, -- events of one delivery
    lanes smallint not null, -- 1: strictly in order; more: in order of each key
    options jsonb not null default '{}',
    state text not null constraint event_subscriptions_state_known check (state in ('active', 'paused', 'disabled', 'ended')),
    why text not null default '', -- it is not active
    since timestamptz not null, -- in this state
    made_at timestamptz not null,
    held text not null default '', -- the rule that keeps everything back at the moment
    failing_since timestamptz
);
create index event_subscriptions_caller on event_subscriptions (caller);

create table event_secrets (
    secret bigint generated always as identity constraint event_secrets_pk primary key,
    subscription text not null constraint event_secrets_subscription_fk references event_subscriptions,
    kind text not null constraint event_secrets_kind_known check (kind in ('v1', 'v1a')),
    sealed bytea not null,
    shown text not null default '', -- the public part of a key pair
    made_at timestamptz not null,
    until timestamptz -- replaced: signs beside its successor until then
);
create index event_secrets_subscription on event_secrets (subscription);

create table event_lanes (
    subscription text not null constraint event_lanes_subscription_fk references event_subscriptions,
    lane smallint not null,
    position bigint not null,
    within text, -- a key inside the event after which it goes on; null: the event is through
    constraint event_lanes_pk primary key (subscription, lane)
);

create table event_pending (
    delivery text constraint event_pending_pk primary key, -- `webhook-id`
    subscription text not null constraint event_pending_subscription_fk references event_subscriptions,
    lane smallint, -- null: laid aside or replayed
    source_lane smallint not null, -- whose events it holds
    position bigint not null,
    within text,
    until_position bigint not null,
    until_within text,
    events integer not null,
    attempts integer not null default 0,
    next_at timestamptz, -- null: a dead letter, until it is replayed
    since timestamptz not null,
    reason text not null default '' -- of the last attempt
);
create unique index event_pending_lane on event_pending (subscription, lane) where lane is not null;
create index event_pending_next on event_pending (next_at) where next_at is not null;
create index event_pending_subscription on event_pending (subscription);

create table event_deliveries (
    attempt bigint generated always as identity constraint event_deliveries_pk primary key,
    subscription text not null constraint event_deliveries_subscription_fk references event_subscriptions,
    delivery text not null,
    number integer not null, -- of this attempt
    at timestamptz not null,
    events integer not null,
    bytes integer not null,
    outcome text not null constraint event_deliveries_outcome_known check (outcome in ('delivered', 'failed', 'gone')),
    status integer, -- of the answer; null: none came
    reason text not null,
    milliseconds integer not null
);
create index event_deliveries_subscription on event_deliveries (subscription, attempt desc);
create index event_deliveries_at on event_deliveries (at);
