-- name: add
insert into event_subscriptions (subscription, caller, official, purpose, dataset_id, sources, road, url, types, conditions, form, most, lanes, options,
    state, since, made_at)
values (%(subscription)s, %(caller)s, %(official)s, %(purpose)s, %(dataset)s, %(sources)s, %(road)s, %(url)s, %(types)s, %(conditions)s, %(form)s,
    %(most)s, %(lanes)s, %(options)s, 'active', %(at)s, %(at)s);

-- name: add_lanes
insert into event_lanes (subscription, lane, position, within)
select %(subscription)s, lane, %(position)s, %(within)s from generate_series(0, %(lanes)s::integer - 1) as lane;

-- name: add_secret
insert into event_secrets (subscription, kind, sealed, shown, made_at) values (%(subscription)s, %(kind)s, %(sealed)s, %(shown)s, %(at)s);

-- name: end_secrets
-- What signs now goes on doing so beside its successor until then.
update event_secrets set until = %(until)s where subscription = %(subscription)s and kind = %(kind)s and until is null;

-- name: secrets
-- What signs at an instant, the newest first.
select subscription, kind, sealed, shown, until
from event_secrets
where subscription = any(%(subscriptions)s) and (until is null or until > %(at)s)
order by subscription, secret desc;

-- name: some
-- Subscriptions of a subsystem, or all; by road or all.
select s.subscription, s.caller, s.official, s.purpose, s.dataset_id, s.sources, s.road, s.url, s.types, s.conditions, s.form, s.most, s.lanes, s.options,
    s.state, s.why, s.since, s.made_at, s.held, s.failing_since,
    (select min(position) from event_lanes as lane where lane.subscription = s.subscription) as position,
    (select count(*) from event_pending as p where p.subscription = s.subscription and next_at is not null) as pending,
    (select count(*) from event_pending as p where p.subscription = s.subscription and next_at is null) as dead
from event_subscriptions as s
where (%(caller)s::text is null or s.caller = %(caller)s) and (%(subscription)s::text is null or s.subscription = %(subscription)s)
    and (%(roads)s::text[] is null or s.road = any(%(roads)s))
order by s.made_at, s.subscription
limit %(limit)s;

-- name: lock
select state from event_subscriptions where subscription = %(subscription)s for update;

-- name: set_state
update event_subscriptions set state = %(state)s, why = %(why)s, since = %(at)s, failing_since = null where subscription = %(subscription)s;

-- name: hand_over
update event_subscriptions set caller = %(caller)s where subscription = %(subscription)s;

-- name: set_held
update event_subscriptions set held = %(held)s where subscription = %(subscription)s;

-- name: change
update event_subscriptions
set url = %(url)s, types = %(types)s, conditions = %(conditions)s, form = %(form)s, most = %(most)s
where subscription = %(subscription)s;

-- name: due
-- Deliveries whose time has come.
select p.delivery, p.subscription, p.lane, p.source_lane, p.position, p.within, p.until_position, p.until_within, p.attempts
from event_pending as p join event_subscriptions as s using (subscription)
where p.next_at <= %(at)s and s.state = 'active' and s.road = any(%(roads)s) and p.delivery <> all(%(in_hand)s) and p.subscription <> all(%(not_now)s)
order by p.next_at
limit %(limit)s;

-- name: idle_lanes
-- Lanes with nothing in hand for which the stream holds more.
select lane.subscription, lane.lane, lane.position, lane.within
from event_lanes as lane join event_subscriptions as s using (subscription)
where s.state = 'active' and s.road = any(%(roads)s) and lane.subscription <> all(%(not_now)s)
    and (
        lane.within is not null
        or exists (select from events where events.source = any(s.sources) and events.position > lane.position)
    )
    and not exists (select from event_pending as p where p.subscription = lane.subscription and p.lane = lane.lane)
limit %(limit)s;

-- name: next_due
-- Seconds until the next delivery is due; null: none waits.
select extract(epoch from min(p.next_at) - %(at)s)::double precision
from event_pending as p join event_subscriptions as s using (subscription)
where s.state = 'active' and p.next_at > %(at)s;

-- name: move_lane
update event_lanes set position = %(position)s, within = %(within)s where subscription = %(subscription)s and lane = %(lane)s;

-- name: take
insert into event_pending (delivery, subscription, lane, source_lane, position, within, until_position, until_within, events, next_at, since)
values (%(delivery)s, %(subscription)s, %(lane)s, %(lane)s, %(position)s, %(within)s, %(until_position)s, %(until_within)s, %(events)s, %(at)s, %(at)s);

-- name: done
-- Deliveries are through: their lanes go on behind them.
with through as (
    delete from event_pending where delivery = any(%(deliveries)s) returning subscription, lane, until_position, until_within
)
update event_lanes as lane set position = through.until_position, within = through.until_within
from through
where lane.subscription = through.subscription and lane.lane = through.lane;

-- name: try_later
update event_pending set attempts = %(attempts)s, next_at = %(next_at)s, reason = %(reason)s where delivery = %(delivery)s;

-- name: lay_aside
-- A dead letter: its lane goes on behind it.
with dead as (
    update event_pending set attempts = %(attempts)s, next_at = null, reason = %(reason)s, lane = null where delivery = %(delivery)s
    returning subscription, source_lane, until_position, until_within
),
before as (
    select lane from event_pending where delivery = %(delivery)s
)
update event_lanes as lane set position = dead.until_position, within = dead.until_within
from dead, before
where lane.subscription = dead.subscription and lane.lane = before.lane;

-- name: note
insert into event_deliveries (subscription, delivery, number, at, events, bytes, outcome, status, reason, milliseconds)
values (%(subscription)s, %(delivery)s, %(number)s, %(at)s, %(events)s, %(bytes)s, %(outcome)s, %(status)s, %(reason)s, %(milliseconds)s);

-- name: fails_since
update event_subscriptions set failing_since = coalesce(failing_since, %(at)s) where subscription = %(subscription)s returning failing_since;

-- name: works
update event_subscriptions set failing_since = null where subscription = any(%(subscriptions)s) and failing_since is not null;

-- name: deliveries
-- The log of a subscription, newest first.
select attempt, delivery, number, at, events, bytes, outcome, status, reason, milliseconds
from event_deliveries
where subscription = %(subscription)s and attempt < %(before)s
order by attempt desc
limit %(limit)s;

-- name: counts
-- What became of deliveries since an instant, by subscription.
select d.subscription, s.caller, s.dataset_id, s.road, d.outcome, count(*), sum(d.events), sum(d.bytes)::bigint,
    percentile_cont(0.95) within group (order by d.milliseconds)
from event_deliveries as d join event_subscriptions as s using (subscription)
where d.at >= %(since)s
group by d.subscription, s.caller, s.dataset_id, s.road, d.outcome
order by d.subscription, d.outcome;

-- name: dead_letters
select delivery, events, attempts, since, reason from event_pending
where subscription = %(subscription)s and next_at is null
order by since, delivery
limit %(limit)s;

-- name: replay
-- Dead letters go out again, by the side of their lanes; their ids stay.
update event_pending set next_at = %(at)s, attempts = 0
where subscription = %(subscription)s and next_at is null and (%(delivery)s::text is null or delivery = %(delivery)s)
returning delivery;

-- name: hurry
-- What waits for its next attempt goes out at once.
update event_pending set next_at = %(at)s where subscription = %(subscription)s and next_at > %(at)s;
