-- name: add
-- A file that waits to be taken in.
insert into uploads (dataset_id, agency, by_whom, file_name, size_bytes, sha256, is_whole, at)
values (%(dataset)s, %(agency)s, %(by)s, %(file_name)s, %(size)s, %(sha256)s, %(is_whole)s, %(at)s)
returning upload;

-- name: next
-- The oldest that is to be done; one that was cut off is begun anew.
select upload, dataset_id, agency, by_whom, file_name, size_bytes, sha256, is_whole, state, step, rows, total, run_id, error, at, ended_at
from uploads where state in ('waiting', 'running') order by upload limit 1;

-- name: progress
update uploads set state = 'running', step = %(step)s, rows = %(rows)s, total = %(total)s where upload = %(upload)s;

-- name: finish
update uploads set state = %(state)s, run_id = %(run)s, error = %(error)s, ended_at = %(at)s, step = '' where upload = %(upload)s;

-- name: show
select upload, dataset_id, agency, by_whom, file_name, size_bytes, sha256, is_whole, state, step, rows, total, run_id, error, at, ended_at
from uploads where upload = %(upload)s;

-- name: recent
-- An agency's newest, of one dataset or of all.
select upload, dataset_id, agency, by_whom, file_name, size_bytes, sha256, is_whole, state, step, rows, total, run_id, error, at, ended_at
from uploads
where agency = %(agency)s and (%(dataset)s::text is null or dataset_id = %(dataset)s)
order by upload desc
limit %(limit)s;

-- name: waiting_of_run
-- Rows that came with a run and wait, tried since or not, with their issues, after an item.
select q.item_id, q.run_id, q.row_no, q.source_row, q.key, q.raw, q.corrected,
    coalesce((
        select jsonb_agg(jsonb_build_object('column', i.column_name, 'rule', i.rule, 'code', i.code, 'severity', i.severity, 'found', i.found,
            'expected_vi', i.expected_vi, 'expected_en', i.expected_en) order by i.severity, i.column_name, i.rule)
        from issues as i
        where i.run_id = q.run_id and i.row_no = q.row_no
    ), '[]'::jsonb)
from quarantine as q
where coalesce(q.came_with, q.run_id) = %(run)s and q.dataset_id = %(dataset)s and q.state = 'waiting' and q.item_id > %(after)s
order by q.item_id
limit %(limit)s;

-- name: count_of_run
select count(*) from quarantine where coalesce(came_with, run_id) = %(run)s and state = 'waiting';
