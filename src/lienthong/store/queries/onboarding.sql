-- name: of
select name, state, tries, evidence, passed_at from onboarding_checks where identifier = %(identifier)s;

-- name: hold
-- One check of a subsystem, held until the transaction ends; made when it was never tried.
insert into onboarding_checks (identifier, name) values (%(identifier)s, %(name)s)
on conflict (identifier, name) do update set tries = onboarding_checks.tries
returning name, state, tries, evidence, passed_at;

-- name: tried
update onboarding_checks set state = %(state)s, tries = tries + 1 where identifier = %(identifier)s and name = %(name)s;

-- name: passed
update onboarding_checks set evidence = %(evidence)s, passed_at = %(at)s, tries = tries + 1
where identifier = %(identifier)s and name = %(name)s and passed_at is null;

-- name: first_keys
-- When each open subsystem, or one, got its first production key, revoked since or not: (identifier, agency, at).
select subsystem.identifier, subsystem.agency, min(key.since)
from subsystems as subsystem
join subsystem_keys as key on key.identifier = subsystem.identifier and key.environment = 'production'
where subsystem.ended_at is null and (%(identifier)s::text is null or subsystem.identifier = %(identifier)s)
group by subsystem.identifier, subsystem.agency;

-- name: calls_of_new
-- What open subsystems, or one, called by day in the weeks after their first production key: (caller, day, calls, refused, failed).
with begun as (
    select key.identifier, min(key.since) as since from subsystem_keys as key
    where key.environment = 'production' and (%(identifier)s::text is null or key.identifier = %(identifier)s)
    group by key.identifier
)
select counts.caller, counts.begins_at, sum(counts.calls)::bigint, sum(counts.refused)::bigint, sum(counts.invalid + counts.errors)::bigint
from begun
join exchange_counts as counts
    on counts.span = 'day' and counts.caller = begun.identifier
    and counts.begins_at >= begun.since - interval '1 day' and counts.begins_at < begun.since + interval '40 days'
group by counts.caller, counts.begins_at
order by counts.caller, counts.begins_at;
