-- name: next_version
-- The number the next version of a dataset will have.
select current_version + 1 from datasets where dataset_id = %(dataset)s for update;

-- name: add
-- A new version, seen by everyone when the transaction commits.
insert into versions (dataset_id, version, run_id, known_at, contract_version, delivered_columns, inserted, updated, ended, is_first_fill)
values (%(dataset)s, %(version)s, %(run)s, %(at)s, %(contract_version)s, %(delivered_columns)s, %(inserted)s, %(updated)s, %(ended)s,
    %(is_first_fill)s);

-- name: point_to
-- The newest version of a dataset.
update datasets set current_version = %(version)s where dataset_id = %(dataset)s;

-- name: tell
-- The event of a version: it stands in the stream for every record the version changed.
select lienthong.event_append('version:published', %(dataset)s, %(version)s::text,
    jsonb_build_object('version', %(version)s::integer, 'inserted', %(inserted)s::bigint, 'updated', %(updated)s::bigint, 'ended', %(ended)s::bigint,
        'contract_version', %(contract_version)s::text));

-- name: counts
-- How many records a version changed, and whether it was the first.
select inserted + updated + ended, is_first_fill from versions where dataset_id = %(dataset)s and version = %(version)s;
