-- name: raise
-- A new alert; nothing when one of the same rule and subject stands.
insert into alerts (rule, kind, subject, agency, severity, figures, state, raised_at, seen_at)
values (%(rule)s, %(kind)s, %(subject)s, %(agency)s, %(severity)s, %(figures)s, 'open', %(at)s, %(at)s)
on conflict (rule, subject) where state <> 'closed' do nothing
returning alert;

-- name: see_again
-- A standing alert was found again.
update alerts set seen_at = %(at)s, figures = %(figures)s where rule = %(rule)s and subject = %(subject)s and state <> 'closed';

-- name: was_closed
-- Whether an alert of a rule about a subject was raised and closed.
select exists (select from alerts where rule = %(rule)s and subject = %(subject)s and state = 'closed');

-- name: move
-- A standing alert in another state; gives it, nothing when it is closed or not there.
update alerts set state = %(state)s where alert = %(alert)s and state <> 'closed' and state <> %(state)s
returning rule, subject, agency;

-- name: step
-- What was done with an alert.
insert into alert_steps (alert, step, state, at, by_whom, reason)
select %(alert)s, coalesce(max(step), 0) + 1, %(state)s, %(at)s, %(by_whom)s, %(reason)s from alert_steps where alert = %(alert)s;

-- name: standing
-- Standing alerts of some kinds, oldest first.
select alert, rule, subject from alerts where state <> 'closed' and kind = any(%(kinds)s) order by alert;

-- name: listed
-- Alerts, newest first, of an agency where one is named.
select alert, rule, kind, subject, agency, severity, figures, state, raised_at, seen_at
from alerts
where (%(agency)s::text is null or agency = %(agency)s) and (%(state)s::text is null or state = %(state)s)
order by alert desc
limit %(most)s;

-- name: steps
-- What was done with some alerts, in order.
select alert, state, at, by_whom, reason from alert_steps where alert = any(%(alerts)s) order by alert, step;

-- name: one
-- One alert's agency and state.
select agency, state from alerts where alert = %(alert)s;

-- name: open_by_kind
-- How many alerts stand, by kind.
select kind, count(*) from alerts where state <> 'closed' group by kind order by kind;

-- name: beat
-- A duty is at work.
insert into duty_beats (duty, at) values (%(duty)s, %(at)s) on conflict (duty) do update set at = excluded.at, failed_at = null, error = '';

-- name: batch_before
-- The newest batch of the ledger under the last checkpoint before an instant.
select coalesce((
    select (select max(batch) from unnest(batches) as batch) from ledger_checkpoints where at < %(since)s order by size desc limit 1
), 0);

-- name: settled_batch
-- No batch up to it is still being written.
select least(seen, (select min(id) - 1 from ledger_gaps)) from ledger_edge;

-- name: batches_after
-- Batches of the ledger past one, without some, that came at or after an instant, in order.
select id, bodies from ledger_batches
where id > %(after)s and id <> all(%(without)s::bigint[]) and at >= %(since)s
order by id;

-- name: calls_by_day
-- Calls of each caller of each service by day since a day.
select provider, service, caller, begins_at, sum(calls)::bigint
from exchange_counts
where span = 'day' and begins_at >= %(since)s
group by provider, service, caller, begins_at
order by provider, service, caller, begins_at;

-- name: last_call
-- When each caller of each service was last counted.
select service, caller, max(begins_at) from exchange_counts where span = 'hour' and begins_at >= %(since)s group by service, caller;

-- name: sources
-- When the runs of each source that were published or had nothing new began, newest first, since an instant.
select dataset_id, source_name, array_agg(started_at order by started_at desc)
from runs
where state in ('published', 'unchanged') and started_at >= %(since)s
group by dataset_id, source_name
order by dataset_id, source_name;

-- name: failing_copies
-- Copies in agencies' systems, and subscriptions, that have failed since before an instant: (which, its subsystem).
select sync, consumer from syncs
where state in ('failing', 'stopped') and failures > 0 and coalesce(worked_at, '-infinity') < %(before)s
union all
select subscription, caller from event_subscriptions where state = 'active' and failing_since < %(before)s
order by 1;

-- name: waiting
-- Seconds the oldest batch of the ledger waits for its checkpoint.
select ledger_waiting();
