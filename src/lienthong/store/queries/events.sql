-- name: append
-- An event, seen in the stream once its transaction has ended and somebody has read.
select lienthong.event_append(%(type)s, %(source)s, %(subject)s, %(data)s);

-- name: put_in_order
-- How many events got their position.
select lienthong.events_put_in_order();

-- name: newest
-- The last position given; 0: none yet.
select coalesce(max(position), 0) from lienthong.events;

-- name: after
-- Events after a position, of some sources, in order.
select position, event, at, type, source, subject, data
from lienthong.events
where position > %(after)s and source = any(%(sources)s)
order by position
limit %(limit)s;

-- name: one
-- The event at a position.
select position, event, at, type, source, subject, data from lienthong.events where position = %(position)s;

-- name: all_after
-- Events after a position, of every source, in order.
select position, event, at, type, source, subject, data
from lienthong.events
where position > %(after)s
order by position
limit %(limit)s;

-- name: of_matching
-- What became of identities in one act, over a span.
select event, kind, id, others, records, at from lienthong.match_events
where act = %(act)s and event > %(after)s and event between %(first)s and %(last)s
order by event
limit %(limit)s;

-- name: ring
-- Wake who listens, as an event would.
select pg_notify('lienthong_events', '');
