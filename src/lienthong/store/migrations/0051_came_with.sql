-- A row that was tried again and still waits is still one of the file it came with.
alter table quarantine add column if not exists came_with bigint constraint quarantine_came_with_fk references runs;
create index if not exists quarantine_came_with on quarantine (coalesce(came_with, run_id)) where state = 'waiting';
