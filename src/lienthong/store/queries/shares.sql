-- name: add_profile
-- A recipient's new profile.
insert into share_profiles (profile, subsystem, kind, purpose, official, secret, made_at, made_by, expires_at, replaces)
values (%(profile)s, %(subsystem)s, %(kind)s, %(purpose)s, %(official)s, %(secret)s, %(made_at)s, %(made_by)s, %(expires_at)s, %(replaces)s);

-- name: profile
-- One profile.
select profile, subsystem, kind, purpose, official, secret, made_at, made_by, expires_at, replaces, ended_at
from share_profiles
where profile = %(profile)s;

-- name: profiles
-- Profiles of an agency's subsystems, or of all; newest first.
select profile, subsystem, kind, purpose, official, secret, made_at, made_by, expires_at, replaces, ended_at
from share_profiles
where %(agency)s::text is null or split_part(subsystem, '/', 3) = %(agency)s
order by made_at desc, profile
limit %(limit)s;

-- name: end_profile
-- A profile ends at an instant, unless it ends before that.
update share_profiles
set ended_at = %(ended_at)s, ended_by = %(ended_by)s
where profile = %(profile)s and expires_at > %(ended_at)s and (ended_at is null or ended_at > %(ended_at)s)
returning profile;

-- name: add_grant
-- Leave to read the files of one answer.
insert into share_grants (grant_id, profile, subsystem, token, got_with, purpose, official, agreement, legal_basis, dataset_id, operation,
    version, last_version, right_digest, fields, made_at, expires_at)
values (%(grant_id)s, %(profile)s, %(subsystem)s, %(token)s, %(got_with)s, %(purpose)s, %(official)s, %(agreement)s, %(legal_basis)s,
    %(dataset_id)s, %(operation)s, %(version)s, %(last_version)s, %(right_digest)s, %(fields)s, %(made_at)s, %(expires_at)s);

-- name: grant
-- One grant, and whether the profile it was made for stands.
select grant_id, profile, subsystem, token, got_with, purpose, official, agreement, legal_basis, dataset_id, operation, version,
    last_version, right_digest, fields, made_at, expires_at,
    profile is null or exists (
        select 1
        from share_profiles as known
        where known.profile = share_grants.profile and known.expires_at > %(at)s and (known.ended_at is null or known.ended_at > %(at)s)
    )
from share_grants
where grant_id = %(grant_id)s;

-- name: note_read
-- That a file of a grant was read; a row only the first time.
insert into share_reads (grant_id, file, at)
values (%(grant_id)s, %(file)s, %(at)s)
on conflict do nothing
returning file;

-- name: forget_reads
-- What was noted of grants long over.
delete from share_reads
where grant_id in (select grant_id from share_grants where expires_at < %(before)s);

-- name: forget_grants
-- Grants long over; the ledger has what was given.
delete from share_grants where expires_at < %(before)s;

-- name: first_fill
-- Everything a first fill brought, as inserts.
select {columns}, 'insert' as _change_type
from (
    select _key, {columns} from {current} as state where _version = {version} and {conditions}
    union all
    select _key, {columns} from {history} as state where _version = {version} and _valid_to is null and {conditions}
) as state
order by _key;

-- name: changes_of
-- What one version did to the caller's rows: each state it put an end to, and each it made.
with changed as (
    select key as _changed from {changes} where version = {version}
),
before as (
    select state._key, {state_columns}
    from changed
    join {history} as state on state._key = changed._changed
    where state._version_to = {version} and state._valid_to is null and {conditions}
),
after as (
    select state._key, {state_columns}
    from changed
    join {current} as state on state._key = changed._changed
    where state._version = {version} and {conditions}
    union all
    select state._key, {state_columns}
    from changed
    join {history} as state on state._key = changed._changed
    where state._version = {version} and state._valid_to is null and {conditions}
)
select {columns}, _change_type
from (
    select 0 as _place, _key, {columns},
        case when exists (select 1 from after where after._key = before._key) then 'update_preimage' else 'delete' end as _change_type
    from before
    union all
    select 1, _key, {columns},
        case when exists (select 1 from before where before._key = after._key) then 'update_postimage' else 'insert' end
    from after
) as change
order by _key, _place;
