-- name: is_empty
-- Whether a dataset has no current row.
select not exists (select 1 from {current});

-- name: digests
-- The digests of all current rows as one string of 8-byte numbers: a row each would cost a second a million in the driver.
select coalesce(string_agg(int8send(_digest), ''), '') from {current};

-- name: keys_of_digests
-- Keys of current rows that came as rows no longer delivered.
create temporary table gone on commit drop as
select _key, _digest from {current} where _digest = any(%(digests)s) and _version = any(%(versions)s);

-- name: keys_of_all
-- Keys of all current rows: everything is judged again.
create temporary table gone on commit drop as
select _key, _digest from {current} where _version = any(%(versions)s);

-- name: keys_told
-- Keys of current rows that a delivery of changes says have ended.
create temporary table gone on commit drop as
select _key, _digest from {current} where _key = any(%(keys)s) and _version = any(%(versions)s);

-- name: no_keys
-- Every current row was delivered again.
create temporary table gone (_key text not null, _digest bigint not null) on commit drop;

-- name: make_held_back
-- Keys of rows that wait in quarantine in this run.
create temporary table held_back (key text not null) on commit drop;

-- name: make_stage
-- The rows of this run that are new or changed, as they will be published.
create temporary table stage (like {current} including defaults) on commit drop;

-- name: staged_rows
-- Rows of the stage with a fingerprint of what they say.
select _row, _key, hashtextextended(row({columns})::text, 0) from {stage} where _row = any(%(rows)s::bigint[]);

-- name: stage_conflicts
-- Staged rows whose key is held by a current row that was delivered again unchanged: two rows of one delivery claim one key.
select stage._row, stage._key, ({same}) as is_same
from stage join {current} as held using (_key)
where held._version = any(%(versions)s) and not exists (select 1 from gone where gone._key = stage._key);

-- name: repeated_in_first_fill
-- Rows of the first fill whose value another row has too.
select _row, concat_ws(' | ', {named})
from {current}
where ({named}) in (select {named} from {current} group by {named} having count(*) > 1);

-- name: repeated
-- Staged rows whose value another staged row has, or a record that stays.
select stage._row, concat_ws(' | ', {staged})
from stage
where exists (
        select 1 from stage as other where other._row <> stage._row and {same_as_other}
    )
    or exists (
        select 1
        from {current} as held
        where held._key <> stage._key and {same_as_held}
            and not exists (select 1 from gone where gone._key = held._key)
            and not exists (select 1 from stage as newer where newer._key = held._key)
    );

-- name: unstage
-- Take rows off the stage.
delete from {stage} where _row = any(%(rows)s::bigint[]);

-- name: mark_same
-- Rows that came differently but mean the same: only the digest is renewed, nothing is versioned.
with same as (
    select stage._key, stage._digest
    from stage join {current} as held using (_key)
    where {same}
),
renewed as (
    update {current} as held set _digest = same._digest from same where held._key = same._key and held._digest <> same._digest
),
unstaged as (
    delete from stage using same where stage._key = same._key
),
still_there as (
    delete from gone using same where gone._key = same._key
)
select count(*) from same;

-- name: end_missing
-- Records that the snapshot no longer holds, and that do not wait in quarantine: closed in current, kept in history.
with ended as (
    delete from {current} as held
    using gone
    where held._key = gone._key
        and not exists (select 1 from stage where stage._key = gone._key)
        and not exists (select 1 from held_back where held_back.key = gone._key)
    returning held.*
),
believed as (
    insert into {history} (_key, _digest, _version, _row, _valid_from, {columns}, _valid_to, _version_to, _ended)
    select _key, _digest, _version, _row, _valid_from, {columns}, null, %(version)s, true from ended
),
still_believed as (
    insert into {history} (_key, _digest, _version, _row, _valid_from, {columns}, _valid_to, _version_to, _ended)
    select _key, _digest, %(version)s, _row, _valid_from, {columns}, %(delivered_on)s, null, false
    from ended
    where _valid_from < %(delivered_on)s
),
noted as (
    insert into {changes} (version, key, op) select %(version)s, _key, 'e' from ended
)
select count(*) from ended;

-- name: count_missing
-- How many records end_missing would end.
select count(*)
from gone
where not exists (select 1 from stage where stage._key = gone._key)
    and not exists (select 1 from held_back where held_back.key = gone._key);

-- name: close_corrected_past
-- A new state that begins before older, still believed segments replaces them from its beginning on.
with overlapping as (
    update {history} as past
    set _version_to = %(version)s
    from stage
    where past._key = stage._key and past._version_to is null and past._valid_to > stage._valid_from
    returning past.*, stage._valid_from as begins
)
insert into {history} (_key, _digest, _version, _row, _valid_from, {columns}, _valid_to, _version_to, _ended)
select _key, _digest, %(version)s, _row, _valid_from, {columns}, begins, null, false
from overlapping
where _valid_from < begins;

-- name: update_changed
-- Staged rows whose key is current: the old state goes to history, the new one takes its place, in one statement.
with before as (
    select held.*, stage._valid_from as begins
    from {current} as held join stage using (_key)
),
believed as (
    insert into {history} (_key, _digest, _version, _row, _valid_from, {columns}, _valid_to, _version_to, _ended)
    select _key, _digest, _version, _row, _valid_from, {columns}, null, %(version)s, false from before
),
still_believed as (
    insert into {history} (_key, _digest, _version, _row, _valid_from, {columns}, _valid_to, _version_to, _ended)
    select _key, _digest, %(version)s, _row, _valid_from, {columns}, begins, null, false from before where _valid_from < begins
),
noted as (
    insert into {changes} (version, key, op) select %(version)s, _key, 'u' from before
),
replaced as (
    update {current} as held
    set _digest = stage._digest, _version = stage._version, _row = stage._row, _valid_from = stage._valid_from, {assignments}
    from stage
    where held._key = stage._key
    returning held._key
),
taken as (
    delete from stage using replaced where stage._key = replaced._key
)
select count(*) from replaced;

-- name: insert_new
-- What is left on the stage is new.
with arrived as (
    insert into {current} (_key, _digest, _version, _row, _valid_from, {columns})
    select _key, _digest, _version, _row, _valid_from, {columns} from stage
    returning _key
),
noted as (
    insert into {changes} (version, key, op) select %(version)s, _key, 'i' from arrived
)
select count(*) from arrived;

-- name: count_staged
-- How many staged rows would change a current one, and how many are new.
select count(held._key), count(*) - count(held._key) from stage left join {current} as held using (_key);

-- name: count_current
-- How many records there are.
select count(*) from {current};

-- name: stage_before
-- What records were before a version, of those that are still as that version left them: changed ones, and ended ones nobody began anew.
insert into stage (_key, _digest, _version, _row, _valid_from, {columns})
select past._key, past._digest, %(version)s, 0, past._valid_from, {past_columns}
from {history} as past
join {changes} as noted on noted.version = %(withdrawn)s and noted.key = past._key
left join {current} as held on held._key = past._key
where past._version_to = %(withdrawn)s and past._valid_to is null
    and ((noted.op = 'u' and held._version = %(withdrawn)s) or (noted.op = 'e' and past._ended and held._key is null));

-- name: gone_of_version
-- Records that began with a version and are still as it left them.
create temporary table gone on commit drop as
select held._key, held._digest
from {current} as held
where held._version = %(withdrawn)s and (%(is_first_fill)s or exists (
    select 1 from {changes} as noted where noted.version = %(withdrawn)s and noted.key = held._key and noted.op = 'i'
));

-- name: closed_touched
-- Staged rows and records about to end that lie in a closed period, by the day that says which.
with touched as (
    select {period} as day from stage where {period} < %(until)s
    union all
    select {held_period} from gone join {current} as held using (_key)
    where %(ends)s and {held_period} < %(until)s
        and not exists (select 1 from stage where stage._key = gone._key)
        and not exists (select 1 from held_back where held_back.key = gone._key)
    union all
    select {held_period} from stage join {current} as held using (_key)
    where {held_period} < %(until)s and {held_period} is distinct from {stage_period}
)
select day, count(*) from touched group by day;
