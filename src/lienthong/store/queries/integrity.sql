-- name: overlaps
-- Keys of which two states claim the same day at the same version.
with states as (
    select _key, _valid_from, null::date as _valid_to, _version, null::integer as _version_to from {current}
    union all
    select _key, _valid_from, _valid_to, _version, _version_to from {history}
)
select count(distinct one._key)
from states as one
join states as other on one._key = other._key and (one._version, one._valid_from) < (other._version, other._valid_from)
where daterange(one._valid_from, one._valid_to) && daterange(other._valid_from, other._valid_to)
    and int4range(one._version, one._version_to) && int4range(other._version, other._version_to);

-- name: beyond_version
-- Rows of a version that was never published.
select count(*)
from (
    select _version from {current}
    union all
    select _version from {history}
) as states
where _version not in (select version from versions where dataset_id = %(dataset)s);

-- name: unsettled_runs
-- Runs that ended and whose rows do not add up.
select count(*)
from runs
where dataset_id = %(dataset)s and state in ('published', 'unchanged') and rows_in <> rows_published + rows_unchanged + rows_quarantined;

-- name: version_counts
-- Whether the change counts of all versions lead to the records there are.
select (select coalesce(sum(inserted - ended), 0) from versions where dataset_id = %(dataset)s) - (select count(*) from {current});

-- name: unlisted_changes
-- Changes a version counted and the change feed does not list.
select coalesce(sum(inserted + updated + ended), 0) - (select count(*) from {changes})
from versions
where dataset_id = %(dataset)s and not is_first_fill;
