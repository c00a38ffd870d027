-- name: waiting_by_digest
-- Items of a dataset that wait, with the row they are about.
select item_id, digest from quarantine where dataset_id = %(dataset)s and state = 'waiting' and digest = any(%(digests)s);

-- name: all_waiting
-- Every waiting item of a dataset, with the row it is about.
select item_id, digest from quarantine where dataset_id = %(dataset)s and state = 'waiting' and digest is not null;

-- name: renew
-- The same row was delivered again, or tried by a correction, and still does not pass: the item moves to that run.
-- After corrections it is still known with which delivery it came.
update quarantine set run_id = %(run)s,
    came_with = case when (select source_name from runs where runs.run_id = %(run)s) = 'correction' then coalesce(came_with, run_id) end,
    row_no = fresh.row_no, key = fresh.key, source_row = fresh.source_row, file_no = fresh.file_no
from unnest(%(items)s::bigint[], %(row_nos)s::bigint[], %(keys)s::text[], %(source_rows)s::bigint[], %(file_nos)s::integer[])
    as fresh (item_id, row_no, key, source_row, file_no)
where quarantine.item_id = fresh.item_id;

-- name: supersede
-- Items whose row the source no longer delivers (it changed or withdrew it), after a whole snapshot of the same source.
update quarantine
set state = 'superseded', ended_at = %(at)s, ended_by_run = %(run)s
from runs
where quarantine.dataset_id = %(dataset)s and quarantine.state = 'waiting' and quarantine.run_id <> %(run)s
    and runs.run_id = quarantine.run_id and runs.source_name = %(source)s;

-- name: overtake
-- Items of earlier runs on whose record a delivery of changes has a newer word, but those that pass or come again as they were.
update quarantine
set state = 'superseded', ended_at = %(at)s, ended_by_run = %(run)s
where dataset_id = %(dataset)s and state = 'waiting' and run_id <> %(run)s and item_id <> all(%(released)s)
    and (digest is null or digest <> all(%(held_digests)s))
    and (key = any(%(keys)s) or key in (select _key from {stage}));

-- name: release
-- Items that went through.
update quarantine set state = 'released', ended_at = %(at)s, ended_by_run = %(run)s where item_id = any(%(items)s) and state = 'waiting';

-- name: list
-- Items of a dataset, oldest first, after an item.
select q.item_id, q.run_id, q.row_no, q.source_row, f.uri, f.sheet, q.key, q.state, q.since, q.ended_at, q.raw, q.corrected,
    coalesce((
        select jsonb_agg(jsonb_build_object('column', i.column_name, 'rule', i.rule, 'code', i.code, 'severity', i.severity, 'found', i.found,
            'expected_vi', i.expected_vi, 'expected_en', i.expected_en) order by i.severity, i.column_name, i.rule)
        from issues as i
        where i.run_id = q.run_id and i.row_no = q.row_no
    ), '[]'::jsonb)
from quarantine as q
left join landing_files as f on f.run_id = q.run_id and f.file_no = q.file_no
where q.dataset_id = %(dataset)s and (%(state)s::text is null or q.state = %(state)s) and q.item_id > %(after)s
    and (%(run)s::bigint is null or q.run_id = %(run)s)
order by q.item_id
limit %(limit)s;

-- name: find
-- Items by number, whole.
select q.item_id, q.run_id, q.row_no, q.source_row, f.uri, f.sheet, q.key, q.state, q.since, q.ended_at, q.raw, q.corrected,
    coalesce((
        select jsonb_agg(jsonb_build_object('column', i.column_name, 'rule', i.rule, 'code', i.code, 'severity', i.severity, 'found', i.found,
            'expected_vi', i.expected_vi, 'expected_en', i.expected_en) order by i.severity, i.column_name, i.rule)
        from issues as i
        where i.run_id = q.run_id and i.row_no = q.row_no
    ), '[]'::jsonb),
    q.dataset_id, q.digest
from quarantine as q
left join landing_files as f on f.run_id = q.run_id and f.file_no = q.file_no
where q.item_id = any(%(items)s)
order by q.item_id;

-- name: note_corrections
-- What a person changed, kept beside what came.
update quarantine set corrected = made.corrected
from unnest(%(items)s::bigint[], %(corrected)s::jsonb[]) as made (item_id, corrected)
where quarantine.item_id = made.item_id;

-- name: issues_waiting
-- Errors of waiting rows by property and code.
select i.column_name, i.code, count(distinct q.item_id)
from quarantine as q join issues as i on i.dataset_id = q.dataset_id and i.run_id = q.run_id and i.row_no = q.row_no
where q.dataset_id = %(dataset)s and q.state = 'waiting' and i.dataset_id = %(dataset)s and i.severity = 'error' and i.column_name is not null
group by i.column_name, i.code;

-- name: waiting_numbers
-- All items of a dataset that wait.
select item_id from quarantine where dataset_id = %(dataset)s and state = 'waiting' order by item_id;

-- name: corrections
-- Corrections made to rows as they came: applied again when the same row is delivered again.
select digest, corrected from quarantine where dataset_id = %(dataset)s and state = 'released' and corrected is not null and digest is not null;

-- name: counts
-- Items of a dataset by state.
select state, count(*) from quarantine where dataset_id = %(dataset)s group by state order by state;

-- name: release_by_key
-- Items of earlier runs whose record has come right by a later row of the same key.
update quarantine set state = 'released', ended_at = %(at)s, ended_by_run = %(run)s
where dataset_id = %(dataset)s and state = 'waiting' and run_id <> %(run)s and key = any(%(keys)s);

-- name: withdraw
-- Items of a run that was withdrawn: its rows wait no longer.
update quarantine set state = 'withdrawn', ended_at = %(at)s, ended_by_run = %(by)s where run_id = %(run)s and state = 'waiting';

-- name: wait_again
-- Items that a withdrawn run had ended wait again.
update quarantine set state = 'waiting', ended_at = null, ended_by_run = null where ended_by_run = %(run)s and state in ('released', 'superseded');

-- name: of_row
-- The item a row of a run is, if it waits or waited.
select item_id, state, key from quarantine where run_id = %(run)s and row_no = %(row_no)s order by item_id desc limit 1;

-- name: issues_of_row
-- What was found in a row of a run, errors first.
select column_name, rule, code, severity, found, expected_vi, expected_en
from issues
where run_id = %(run)s and row_no = %(row_no)s
order by severity, column_name, rule;
