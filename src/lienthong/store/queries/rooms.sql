-- name: put_type
-- A type of events of a room; one that was taken away may come again.
insert into room_types (room, type, schema, made_at) values (%(room)s, %(type)s, %(schema)s, %(at)s)
on conflict (room, type) do update set schema = excluded.schema, made_at = excluded.made_at, ended_at = null where room_types.ended_at is not null
returning type;

-- name: types
select type from room_types where room = %(room)s and ended_at is null order by type;

-- name: schema_of
select schema from room_types where room = %(room)s and type = %(type)s and ended_at is null;

-- name: end_type
update room_types set ended_at = %(at)s where room = %(room)s and type = %(type)s and ended_at is null returning type;

-- name: publish
insert into room_events (event, room, type, publisher, body, at)
values (%(event)s, %(room)s, %(type)s, %(publisher)s, %(body)s, %(at)s) returning sequence;

-- name: spread
-- A delivery for each who subscribes now; who comes later gets what comes later.
insert into room_deliveries (event, subscription, next_at, until)
select %(event)s, subscription, %(at)s::timestamptz, %(at)s::timestamptz + make_interval(secs => ttl)
from room_subscriptions where room = %(room)s and type = %(type)s and ended_at is null;

-- name: event
select event, sequence, room, type, publisher, body, at, stopped_at from room_events where room = %(room)s and type = %(type)s and event = %(event)s;

-- name: standing
select s.subscriber, d.state, d.attempts, d.status, d.since
from room_deliveries as d join room_subscriptions as s using (subscription)
where d.event = %(event)s order by s.subscriber;

-- name: stop_event
update room_events set stopped_at = %(at)s where room = %(room)s and type = %(type)s and event = %(event)s and stopped_at is null returning event;

-- name: stop_deliveries
update room_deliveries set state = 'stopped', since = %(at)s where event = %(event)s and state = 'waiting';

-- name: subscribe
insert into room_subscriptions (subscription, room, type, subscriber, official, purpose, delivery, url, ttl, fifo, sealed, made_at)
values (%(subscription)s, %(room)s, %(type)s, %(subscriber)s, %(official)s, %(purpose)s, %(delivery)s, %(url)s, %(ttl)s, %(fifo)s, %(sealed)s, %(at)s)
on conflict do nothing returning subscription;

-- name: subscriptions
select subscription, room, type, subscriber, official, purpose, delivery, url, ttl, fifo, sealed
from room_subscriptions where room = %(room)s and subscriber = %(subscriber)s and (%(type)s::text is null or type = %(type)s) and ended_at is null
order by type;

-- name: change_subscription
update room_subscriptions set delivery = %(delivery)s, url = %(url)s, ttl = %(ttl)s, fifo = %(fifo)s, sealed = %(sealed)s
where subscription = %(subscription)s and ended_at is null returning subscription;

-- name: end_subscription
update room_subscriptions set ended_at = %(at)s where subscription = %(subscription)s and ended_at is null returning subscription;

-- name: drop_of_subscription
update room_deliveries set state = 'dropped', since = %(at)s where subscription = %(subscription)s and state = 'waiting';

-- name: drop_late
-- What was not taken in its time is let go.
update room_deliveries set state = 'dropped', since = %(at)s where state = 'waiting' and until <= %(at)s returning event, subscription;

-- name: pull
-- The oldest event not acknowledged; in strict order the oldest of all, otherwise one nobody is working on.
select e.event, e.sequence, e.room, e.type, e.publisher, e.body, e.at, e.stopped_at
from room_deliveries as d join room_events as e using (event)
where d.subscription = %(subscription)s and d.state = 'waiting' and d.until > %(at)s and (%(fifo)s or d.next_at <= %(at)s)
order by e.sequence limit 1
for update of d;

-- name: given
update room_deliveries set attempts = attempts + 1, next_at = %(next_at)s where event = %(event)s and subscription = %(subscription)s;

-- name: acknowledge
update room_deliveries set state = 'acknowledged', since = %(at)s
where event = %(event)s and subscription = %(subscription)s and state = 'waiting' returning event;

-- name: due
-- Pushes to be made now, the oldest first; of a subscription in strict order only its oldest.
select e.event, e.sequence, e.room, e.type, e.publisher, e.body, e.at, d.subscription, d.attempts, s.subscriber, s.official, s.purpose, s.url, s.sealed
from room_deliveries as d join room_events as e using (event) join room_subscriptions as s using (subscription)
where d.state = 'waiting' and d.next_at <= %(at)s and d.until > %(at)s and s.delivery = 'PUSH' and s.ended_at is null
    and not (s.fifo and exists (
        select from room_deliveries as before join room_events as earlier using (event)
        where before.subscription = d.subscription and before.state = 'waiting' and before.until > %(at)s and earlier.sequence < e.sequence))
order by d.next_at, e.sequence
limit %(limit)s;

-- name: settle
update room_deliveries set attempts = attempts + 1, status = %(status)s, since = %(at)s, next_at = %(next_at)s,
    state = case when %(delivered)s then 'delivered' else state end
where event = %(event)s and subscription = %(subscription)s and state = 'waiting';

-- name: forget_bodies
-- What every subscriber has, or let go, is no longer kept; that it was stays.
update room_events as e set body = null
where body is not null and at < %(before)s and not exists (select from room_deliveries as d where d.event = e.event and d.state = 'waiting');
