-- name: add
insert into second_factors (person, kind, label, sealed, credential, last_used, made_at)
values (%(person)s, %(kind)s, %(label)s, %(sealed)s, %(credential)s, %(last_used)s, %(at)s)
returning factor;

-- name: of
-- A person's factors in force, of a kind, held against a second use at the same moment.
select factor, kind, label, sealed, credential, last_used, made_at
from second_factors where person = %(person)s and kind = %(kind)s and ended_at is null
order by factor
for update;

-- name: shown
select factor, kind, label, sealed, credential, last_used, made_at
from second_factors where person = %(person)s and ended_at is null
order by factor;

-- name: use
-- Only forward: what was used does not work again.
update second_factors set last_used = %(used)s where factor = %(factor)s and ended_at is null and last_used < %(used)s;

-- name: end
update second_factors set ended_at = %(at)s where factor = %(factor)s and person = %(person)s and ended_at is null;

-- name: end_kind
update second_factors set ended_at = %(at)s where person = %(person)s and kind = %(kind)s and ended_at is null;

-- name: failed
insert into sign_in_failures (account, at) values (%(account)s, %(at)s);

-- name: failures
select count(*) from sign_in_failures where account = %(account)s and at > %(since)s;

-- name: forgive
delete from sign_in_failures where account = %(account)s;

-- name: forget
delete from sign_in_failures where at < %(before)s;

-- name: keep_code
insert into oidc_codes (code_hash, sealed, expires_at) values (%(code_hash)s, %(sealed)s, %(expires_at)s);

-- name: take_code
-- A code is taken once.
delete from oidc_codes where code_hash = %(code_hash)s returning sealed, expires_at;

-- name: forget_codes
delete from oidc_codes where expires_at < %(before)s;
