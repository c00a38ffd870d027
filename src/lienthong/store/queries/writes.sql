-- name: record
-- A current record whole, with what published it.
select state._version, state._digest, runs.source_name, versions.delivered_columns, {columns}
from {current} as state
join versions on versions.dataset_id = %(dataset)s and versions.version = state._version
join runs using (run_id)
where state._key = %(key)s;

-- name: record_then
-- A record as a version had it, among states that were replaced since.
select {columns}
from {history}
where _key = %(key)s and _version = %(version)s and _valid_to is null;

-- name: keep_untouched
-- Of a staged record, what was not to be changed stays exactly as it is.
update stage set {assignments} from {current} as held where held._key = stage._key;

-- name: written_fields
-- Fields of a dataset that hold written values, and whether any of them is another agency's.
select field, bool_or(is_foreign), bool_or(not is_foreign)
from record_writes
where dataset_id = %(dataset)s and ended_at is null
group by field;

-- name: restore_written
-- A written value stands while the source still says what it said before; another agency's stands whatever the source says.
update stage
set {field} = cast(written.value as {type})
from record_writes as written
where written.dataset_id = %(dataset)s and written.field = %(field)s and written.ended_at is null and written.key = stage._key
    and (written.is_foreign or (%(restores_own)s and stage.{field} is not distinct from cast(written.replaced as {type})));

-- name: end_overtaken
-- Written values of the owner that its source has said something newer about.
update record_writes as written
set ended_at = %(at)s
from stage
where written.dataset_id = %(dataset)s and written.field = %(field)s and written.ended_at is null and not written.is_foreign
    and written.key = stage._key and stage.{field} is distinct from cast(written.value as {type});

-- name: end_of_keys
-- Written values of records that are no longer there.
update record_writes
set ended_at = %(at)s
where dataset_id = %(dataset)s and key = any(%(keys)s) and ended_at is null;

-- name: settle_ended
-- Rows that a source goes on delivering of records that were ended here: they stay ended until it says something new of them.
with same as (
    delete from stage
    using record_ends as ended
    where ended.dataset_id = %(dataset)s and ended.key = stage._key and ended.digest = stage._digest
        and not exists (select 1 from {current} as held where held._key = stage._key)
    returning stage._key
)
select count(*) from same;

-- name: any_ends
-- Whether a record of the dataset was ended here.
select exists (select 1 from record_ends where dataset_id = %(dataset)s);

-- name: end_write
-- The written value a newer one takes the place of; gives what the source had said.
update record_writes
set ended_at = %(at)s
where dataset_id = %(dataset)s and key = %(key)s and field = %(field)s and ended_at is null
returning replaced;

-- name: add_write
-- A written value, with what the source had said before.
insert into record_writes (dataset_id, key, field, value, replaced, agency, is_foreign, at, run_id)
select %(dataset)s, %(key)s, %(field)s, state.{field}::text,
    case when %(has_replaced)s then %(replaced)s else (
        select before.{field}::text from {history} as before
        where before._key = %(key)s and before._version_to = %(version)s and before._valid_to is null
    ) end,
    %(agency)s, %(is_foreign)s, %(at)s, %(run)s
from {current} as state
where state._key = %(key)s;

-- name: make_gone
-- The one record that is to end.
create temporary table gone on commit drop as select _key, _digest from {current} where _key = %(key)s;

-- name: add_end
-- That a record was ended here, and the row behind it.
insert into record_ends (dataset_id, key, digest, at, run_id)
values (%(dataset)s, %(key)s, %(digest)s, %(at)s, %(run)s)
on conflict (dataset_id, key, digest) do nothing;
