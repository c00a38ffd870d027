-- name: add_file
-- One more file of a run.
insert into landing_files (run_id, file_no, uri, sheet, sha256, size_bytes, encoding, encoding_confidence)
values (%(run)s, %(file_no)s, %(uri)s, %(sheet)s, %(sha256)s, %(size_bytes)s, %(encoding)s, %(encoding_confidence)s);

-- name: hash_file
-- The hash of a file that was read while it was fetched.
update landing_files set sha256 = %(sha256)s where run_id = %(run)s and file_no = %(file_no)s and sha256 is distinct from %(sha256)s;

-- name: has_file_of_size
-- A file of that size that a source delivered before, as far as it was taken in.
select 1
from runs
join landing_files using (run_id)
where dataset_id = %(dataset)s and source_name = %(source)s and state <> 'failed' and size_bytes = %(size_bytes)s
limit 1;

-- name: add_batch
-- One more batch of a run.
insert into landing_batches (run_id, batch_no, file_no, first_row_no, row_count, rows)
values (%(run)s, %(batch_no)s, %(file_no)s, %(first_row_no)s, %(row_count)s, %(rows)b);

-- name: keep_position
-- Where landing can go on after the batch just added.
update runs set position = %(position)s, rows_in = %(rows_in)s where run_id = %(run)s;

-- name: reached
-- How far the landing of a run has come.
select coalesce(max(batch_no), 0), coalesce(max(file_no), 0), coalesce(max(first_row_no + row_count - 1), 0)
from landing_batches
where run_id = %(run)s;

-- name: last_file
-- The file landed last.
select uri, sheet, sha256, file_no from landing_files where run_id = %(run)s order by file_no desc limit 1;

-- name: batch_numbers
-- The batches of a run in order.
select batch_no, first_row_no, row_count from landing_batches where run_id = %(run)s order by batch_no;

-- name: batch
-- One batch.
select file_no, first_row_no, row_count, rows from landing_batches where run_id = %(run)s and batch_no = %(batch_no)s;

-- name: batch_of_row
-- The batch that holds a row.
select file_no, first_row_no, row_count, rows
from landing_batches
where run_id = %(run)s and first_row_no <= %(row_no)s
order by first_row_no desc
limit 1;

-- name: states
-- The states of a record, the newest first, each with the run and row it was made of.
select distinct on (state._version) state._version, versions.run_id, state._row, versions.known_at, state.is_current
from (
    select _version, _row, true as is_current from {current} where _key = %(key)s
    union all
    select _version, _row, false from {history} where _key = %(key)s
) as state
join versions on versions.dataset_id = %(dataset)s and versions.version = state._version
order by state._version desc, state.is_current desc
limit %(limit)s;

-- name: files
-- The files of a run.
select file_no, uri, sheet, sha256, size_bytes, encoding, encoding_confidence from landing_files where run_id = %(run)s order by file_no;

-- name: copy_files
-- The files of one run as more of another's.
insert into landing_files (run_id, file_no, uri, sheet, sha256, size_bytes, encoding, encoding_confidence)
select %(to)s, file_no + %(files)s, uri, sheet, sha256, size_bytes, encoding, encoding_confidence
from landing_files
where run_id = %(run)s;

-- name: copy_batches
-- The rows of one run behind those of another.
insert into landing_batches (run_id, batch_no, file_no, first_row_no, row_count, rows)
select %(to)s, batch_no + %(batches)s, file_no + %(files)s, first_row_no + %(rows)s, row_count, rows
from landing_batches
where run_id = %(run)s;
