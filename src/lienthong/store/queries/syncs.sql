-- name: all
-- What is known of every sync that ever ran.
select sync, state, said_vi, said_en, version, delivered, failures, next_try_at, worked_at, announced, checked_at, checked, asked
from syncs
order by sync;

-- name: whose
-- Of which dataset, and for which subsystem, every sync that ever ran is.
select sync, dataset_id, consumer from syncs order by sync;

-- name: one
-- The same of one.
select sync, state, said_vi, said_en, version, delivered, failures, next_try_at, worked_at, announced, checked_at, checked, asked
from syncs
where sync = %(sync)s;

-- name: note
-- How a sync stands now.
insert into syncs (sync, dataset_id, consumer, state, said_vi, said_en, version, failures, next_try_at, worked_at)
values (%(sync)s, %(dataset)s, %(consumer)s, %(state)s, %(vi)s, %(en)s, %(version)s, %(failures)s, %(next_try_at)s, %(worked_at)s)
on conflict (sync) do update
set dataset_id = excluded.dataset_id, consumer = excluded.consumer, state = excluded.state, said_vi = excluded.said_vi,
    said_en = excluded.said_en, version = coalesce(excluded.version, syncs.version), failures = excluded.failures,
    next_try_at = excluded.next_try_at, worked_at = coalesce(excluded.worked_at, syncs.worked_at);

-- name: delivered
-- How far a delivery that is about to leave will bring the copy.
insert into syncs (sync, dataset_id, consumer, state, delivered)
values (%(sync)s, %(dataset)s, %(consumer)s, %(state)s, %(rows)s)
on conflict (sync) do update set state = excluded.state, delivered = syncs.delivered + excluded.delivered;

-- name: announce
-- A change of the copy's columns that is to come, or none any more.
update syncs set announced = %(announced)s where sync = %(sync)s;

-- name: checked
-- What a check found.
update syncs set checked_at = %(at)s, checked = %(checked)s where sync = %(sync)s;

-- name: add_drift
-- A row of the copy that was not as it should be.
insert into sync_drifts (sync, found_at, key, kind, fields, put_back_at)
values (%(sync)s, %(at)s, %(key)s, %(kind)s, %(fields)s, %(put_back_at)s);

-- name: drifts
-- The newest first.
select found_at, key, kind, fields, put_back_at from sync_drifts where sync = %(sync)s order by drift desc limit %(limit)s;

-- name: newest
-- The newest version of some datasets.
select dataset_id, current_version from datasets where dataset_id = any(%(datasets)s);

-- name: rows
-- Rows of a view as a version had them, in key order, after a key.
select _key as lienthong_key, {columns}
from (
    (
        select _key, {columns} from {current}
        where _version <= {version} and _key > {after} and {conditions}
        order by _key limit {limit}
    )
    union all
    (
        select _key, {columns} from {history}
        where _version <= {version} and _version_to > {version} and _valid_to is null and _key > {after} and {conditions}
        order by _key limit {limit}
    )
) as state
order by _key
limit {limit};

-- name: rows_of
-- Rows of a view by key, as a version had them.
select _key as lienthong_key, {columns}
from (
    select _key, {columns} from {current} where _version <= {version} and _key = any({keys}) and {conditions}
    union all
    select _key, {columns} from {history}
    where _version <= {version} and _version_to > {version} and _valid_to is null and _key = any({keys}) and {conditions}
) as state;

-- name: hashed
-- The hash of every row of a view, made from the text `connectors.row_hash` describes.
select _key, md5(convert_to({text}, 'UTF8')) as hash, substr(md5(convert_to(_key, 'UTF8')), 1, {digits}) as bucket
from (
    select _key, {columns} from {current} where _version <= {version} and {conditions}
    union all
    select _key, {columns} from {history} where _version <= {version} and _version_to > {version} and _valid_to is null and {conditions}
) as state;

-- name: sums
-- Rows of a view counted and their hashes added up, by bucket.
select bucket, count(*), sum(('x' || substr(hash, 1, 8))::bit(32)::bigint), sum(('x' || substr(hash, 9, 8))::bit(32)::bigint),
    sum(('x' || substr(hash, 17, 8))::bit(32)::bigint), sum(('x' || substr(hash, 25, 8))::bit(32)::bigint)
from ({hashed}) as hashed
group by bucket;

-- name: hashes
-- Key and hash of the rows of some buckets.
select _key, hash from ({hashed}) as hashed where bucket = any(%(buckets)s);

-- name: ask
-- What a person wants done now.
update syncs set asked = %(what)s, asked_by = %(by)s where sync = %(sync)s;

-- name: answered
-- It is being done.
update syncs set asked = null where sync = %(sync)s and asked = %(what)s;
