-- Rows that wait are counted and walked by dataset without reading them; their errors are counted without the words of each.
create index if not exists quarantine_by_state on quarantine (dataset_id, state, item_id) include (run_id, row_no);
create index if not exists issues_errors on issues (dataset_id, run_id, row_no) include (rule, column_name, code) where severity = 'error';
