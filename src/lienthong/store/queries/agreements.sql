-- name: edge
-- How often the register has changed.
select number from register_edge;

-- name: move_edge
update register_edge set number = number + 1;

-- name: next_number
select nextval('agreement_numbers');

-- name: add
insert into agreements (agreement_id, provider, consumer, dataset_id, origin, file_digest, since)
values (%(id)s, %(provider)s, %(consumer)s, %(dataset)s, %(origin)s, %(digest)s, %(at)s)
on conflict (agreement_id) do nothing
returning agreement_id;

-- name: lock
-- One agreement, held until the end of the transaction: acts on it happen one after another.
select agreement_id from agreements where agreement_id = %(id)s for update;

-- name: lock_name
-- One at a time until the end of the transaction: who takes files over, who asks for one subsystem.
select pg_advisory_xact_lock(hashtextextended('agreements ' || %(name)s, 0));

-- name: identify
-- Who and what an agreement is between, as its newest document says.
update agreements set provider = %(provider)s, consumer = %(consumer)s, dataset_id = %(dataset)s, file_digest = %(digest)s
where agreement_id = %(id)s;

-- name: end_version
update agreement_versions set ended_at = %(at)s where agreement_id = %(id)s and ended_at is null;

-- name: add_version
insert into agreement_versions (agreement_id, version, document, from_at)
select %(id)s, coalesce(max(version), 0) + 1, %(document)s, %(at)s from agreement_versions where agreement_id = %(id)s
returning version;

-- name: end_step
update agreement_steps set ended_at = %(at)s where agreement_id = %(id)s and ended_at is null;

-- name: add_step
insert into agreement_steps
    (agreement_id, act, state, version, by_whom, by_agency, by_subsystem, reason, legal_text, details, at)
values
    (%(id)s, %(act)s, %(state)s, %(version)s, %(by)s, %(agency)s, %(subsystem)s, %(reason)s, %(legal_text)s, %(details)s, %(at)s)
returning step;

-- name: standing
-- Agreements as they stand, in order of id: those asked for by id, provider, consumer agency, dataset, state; null asks for any.
select a.agreement_id, a.provider, a.consumer, a.dataset_id, a.origin, a.file_digest, a.since, v.version, v.document, s.state, s.step, s.at
from agreements as a
join agreement_versions as v on v.agreement_id = a.agreement_id and v.ended_at is null
join agreement_steps as s on s.agreement_id = a.agreement_id and s.ended_at is null
where (%(id)s::text is null or a.agreement_id = %(id)s)
    and (%(provider)s::text is null or a.provider = %(provider)s)
    and (%(consumer)s::text is null or split_part(a.consumer, '/', 3) = %(consumer)s)
    and (%(dataset)s::text is null or a.dataset_id = %(dataset)s)
    and (%(states)s::text[] is null or s.state = any(%(states)s))
    and (%(after)s::text is null or a.agreement_id > %(after)s)
order by a.agreement_id
limit %(limit)s;

-- name: steps
-- The whole life of an agreement, in order.
select step, act, state, version, by_whom, by_agency, by_subsystem, reason, legal_text, details, at, ended_at
from agreement_steps
where agreement_id = %(id)s
order by step;

-- name: versions
select version, document, from_at, ended_at from agreement_versions where agreement_id = %(id)s order by version;

-- name: last_steps
-- The newest step of each of these acts, of each agreement: what is proposed, demanded, reported, confirmed.
select distinct on (agreement_id, act) agreement_id, act, step, by_whom, details, at
from agreement_steps
where act = any(%(acts)s) and (%(id)s::text is null or agreement_id = %(id)s)
order by agreement_id, act, step desc;

-- name: files
-- What was taken over from files: id, digest of the file, present state.
select a.agreement_id, a.file_digest, s.state
from agreements as a join agreement_steps as s on s.agreement_id = a.agreement_id and s.ended_at is null
where a.origin = 'file'
order by a.agreement_id;

-- name: add_stop
insert into planned_stops (dataset_id, provider, begins_at, ends_at, is_forced, reason, by_whom, announced_at)
values (%(dataset)s, %(provider)s, %(begins_at)s, %(ends_at)s, %(is_forced)s, %(reason)s, %(by)s, %(at)s)
returning stop;

-- name: withdraw_stop
update planned_stops set withdrawn_at = %(at)s, withdrawn_reason = %(reason)s
where stop = %(stop)s and provider = %(provider)s and withdrawn_at is null and ends_at > %(at)s
returning dataset_id;

-- name: stops
-- Stops that are not over, the next first.
select stop, dataset_id, provider, begins_at, ends_at, is_forced, reason, announced_at
from planned_stops
where withdrawn_at is null and ends_at > %(at)s
order by begins_at, stop
limit %(limit)s;

-- name: usage
-- What was done under an agreement, as the ledger has it: entries by day in Vietnam, event, outcome, purpose and official.
select (batch.at at time zone 'Asia/Ho_Chi_Minh')::date as day, entry.body ->> 'event' as event, entry.body ->> 'outcome' as outcome,
    entry.body ->> 'purpose' as purpose, entry.body ->> 'official' as official, count(*) as entries,
    sum(coalesce((entry.body -> 'details' ->> 'rows')::bigint, 0)) as rows
from ledger_batches as batch
cross join string_to_table(batch.bodies, E'\n') as line (body)
cross join lateral (select case when strpos(line.body, %(needle)s) > 0 then line.body::jsonb end as body) as entry
where batch.at >= %(begins)s and batch.at < %(ends)s
    and strpos(batch.bodies, %(needle)s) > 0
    and entry.body ->> 'agreement' = %(id)s
    and entry.body ->> 'event' like 'answer:%%'
group by 1, 2, 3, 4, 5
order by 1, 2, 3, 4, 5;
