-- name: newest_version
-- The newest published version of a dataset; 0: none yet. No row: not applied.
select current_version from datasets where dataset_id = %(dataset)s;

-- name: version_known_at
-- The newest version that was known at an instant; null: none.
select max(version) from versions where dataset_id = %(dataset)s and known_at <= %(instant)s;

-- name: versions
-- What is known of each version, newest first.
select version, known_at, contract_version, delivered_columns, inserted, updated, ended, is_first_fill
from versions
where dataset_id = %(dataset)s and version > %(after)s
order by version desc
limit %(limit)s;

-- name: newest_page
-- Rows of the newest version, each with that version: one statement, so both are of one moment. No rows: one with the version alone.
select newest.current_version, _key, _version, _valid_from, {columns}
from (select current_version from lienthong.datasets where dataset_id = {dataset}) as newest
left join lateral (
    select _key, _version, _valid_from, {columns}
    from {current} as state
    where {conditions}
    order by {order}
    limit {limit} offset {offset}
) as state on true
order by {order};

-- name: page
-- Rows as they were known at a version.
select {version}, _key, _version, _valid_from, {columns}
from ({states}) as state
where {conditions}
order by {order}
limit {limit} offset {offset};

-- name: count
-- How many rows there are, as they were known at a version.
select count(*) from ({states}) as state where {conditions};

-- name: distinct
-- The different values that columns have together.
select distinct {columns}
from ({states}) as state
where {conditions}
order by {order}
limit {limit};

-- name: patience
-- How long a statement of this transaction may take from now on; 0: as long as it likes.
select set_config('statement_timeout', %(milliseconds)s, true);

-- name: whole
-- Every row as it was known at a version, for streaming.
select {columns}
from ({states}) as state
where {conditions}
{order}
{limit};

-- name: states_now
-- What was true at a version, as far as it reaches.
select _key, _version, _valid_from, {columns} from {current} where _version <= {version}
union all
select _key, _version, _valid_from, {columns} from {history}
where _version <= {version} and _version_to > {version} and _valid_to is null;

-- name: states_in_order
-- The same in the order of keys: each half is read along its index and the two are merged, where sorting them together would take a file on disk.
(select _key, _version, _valid_from, {columns} from {current} where _version <= {version} order by _key)
union all
(
    select _key, _version, _valid_from, {columns} from {history}
    where _version <= {version} and _version_to > {version} and _valid_to is null
    order by _key
);

-- name: states_on
-- What a version said of one day.
select _key, _version, _valid_from, {columns} from {current} where _version <= {version} and _valid_from <= {day}
union all
select _key, _version, _valid_from, {columns} from {history}
where _version <= {version} and (_version_to is null or _version_to > {version})
    and _valid_from <= {day} and (_valid_to is null or _valid_to > {day});

-- name: first_fill_changes
-- Records of a first fill after a key, in key order, as they were then.
(
    select 'i', true, false, _key, _version, _valid_from, {columns}
    from {current} as state
    where _version = {version} and _key > {key} and {conditions}
    order by _key
    limit {limit}
)
union all
(
    select 'i', true, false, _key, _version, _valid_from, {columns}
    from {history} as state
    where _version = {version} and _valid_to is null and _key > {key} and {conditions}
    order by _key
    limit {limit}
)
order by 4
limit {limit};

-- name: later_changes
-- Changes after (version, key), each with the state it made where that is still current; and whether the state before was within the caller's rows.
select page.op::text, coalesce(state.within, false), {was_within}, page.key, page.version, state._valid_from, {state_columns}
from (
    select version, key, op
    from {changes}
    where (version, key) > ({version}, {key}) and version <= {newest}
    order by version, key
    limit {limit}
) as page
left join lateral (
    select _valid_from, {columns}, ({conditions}) as within
    from {current} as state
    where page.op <> 'e' and _key = page.key and _version = page.version
    offset 0
) as state on true
order by page.version, page.key;

-- name: was_within
-- Whether the state a change put an end to was within the caller's rows.
page.op <> 'i' and exists (
    select 1
    from {history} as state
    where _key = page.key and _version_to = page.version and _valid_to is null and {conditions}
)

-- name: past_states
-- States that changes made and that are no longer current.
select ({conditions}), _key, _version, _valid_from, {columns}
from {history} as state
join unnest({keys}::text[], {versions}::integer[]) as wanted (key, version) on _key = wanted.key and _version = wanted.version
where _valid_to is null;
