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
