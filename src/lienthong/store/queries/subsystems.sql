-- name: all
select identifier, agency, title_vi, title_en, is_active, origin from subsystems where ended_at is null order by identifier;

-- name: find
select identifier, agency, title_vi, title_en, is_active, origin from subsystems where identifier = %(identifier)s and ended_at is null;

-- name: end
update subsystems set ended_at = %(at)s where identifier = %(identifier)s and ended_at is null;

-- name: begin
insert into subsystems (identifier, agency, title_vi, title_en, is_active, origin, since, by_whom)
values (%(identifier)s, %(agency)s, %(title_vi)s, %(title_en)s, %(is_active)s, %(origin)s, %(at)s, %(by)s);

-- name: keys
-- Keys not revoked, of one subsystem or all.
select identifier, kid, thumbprint, jwk, environment, proof, valid_from, valid_to, since
from subsystem_keys
where revoked_at is null and (%(identifier)s::text is null or identifier = %(identifier)s)
order by identifier, key_no;

-- name: add_key
insert into subsystem_keys (identifier, kid, thumbprint, jwk, environment, proof, valid_from, valid_to, since, by_whom)
values (%(identifier)s, %(kid)s, %(thumbprint)s, %(jwk)s, %(environment)s, %(proof)s, %(valid_from)s, %(valid_to)s, %(at)s, %(by)s);

-- name: date_key
-- Until when a key is good; a rotation shortens it.
update subsystem_keys set valid_from = %(valid_from)s, valid_to = %(valid_to)s
where identifier = %(identifier)s and environment = %(environment)s and kid = %(kid)s and revoked_at is null;

-- name: revoke_key
update subsystem_keys set revoked_at = %(at)s, revoked_by = %(by)s, reason = %(reason)s
where identifier = %(identifier)s and environment = %(environment)s and kid = %(kid)s and revoked_at is null;

-- name: used_thumbprint
-- Whose a key is or ever was, other than this subsystem's in this environment.
select identifier from subsystem_keys
where thumbprint = %(thumbprint)s and (identifier <> %(identifier)s or environment <> %(environment)s)
limit 1;

-- name: was_revoked
select exists (select from subsystem_keys where thumbprint = %(thumbprint)s and revoked_at is not null and revoked_by <> 'folder');

-- name: revoked
-- Keys revoked lately: tokens got with them are no longer taken.
select identifier, thumbprint from subsystem_keys where revoked_at > %(since)s;

-- name: ask
insert into key_challenges (challenge, identifier, environment, jwk, asked_by, expires_at)
values (%(challenge)s, %(identifier)s, %(environment)s, %(jwk)s, %(by)s, %(expires_at)s);

-- name: answer
delete from key_challenges where challenge = %(challenge)s returning identifier, environment, jwk, asked_by, expires_at;

-- name: forget_challenges
delete from key_challenges where expires_at < %(at)s;

-- name: opened
-- When a subsystem was first registered.
select min(since) from subsystems where identifier = %(identifier)s;
