-- name: newest_checkpoint
-- Size and root of the whole tree.
select size, root from ledger_checkpoints order by size desc limit 1;

-- name: versions
-- Applied datasets and the version of each that is in force.
select dataset_id, current_version from datasets order by dataset_id;

-- name: keep_backup
-- A backup was made.
insert into backups (made_at, by_whom, file_name, bytes, sha256, is_sealed, ledger_size, ledger_root, datasets, seconds)
values (%(made_at)s, %(by_whom)s, %(file_name)s, %(bytes)s, %(sha256)s, %(is_sealed)s, %(ledger_size)s, %(ledger_root)s, %(datasets)s, %(seconds)s)
returning backup;

-- name: keep_rehearsal
-- A backup was put back into an empty database, and what was found there.
insert into restore_rehearsals (backup, at, by_whom, is_whole, ledger_size, records, said_vi, said_en, seconds)
values (%(backup)s, %(at)s, %(by_whom)s, %(is_whole)s, %(ledger_size)s, %(records)s, %(said_vi)s, %(said_en)s, %(seconds)s)
returning rehearsal;

-- name: backups
-- Backups, newest first.
select backup, made_at, by_whom, file_name, bytes, sha256, is_sealed, ledger_size, ledger_root, datasets, seconds
from backups
order by backup desc
limit %(limit)s;

-- name: backup
-- One backup.
select backup, made_at, by_whom, file_name, bytes, sha256, is_sealed, ledger_size, ledger_root, datasets, seconds
from backups
where backup = %(backup)s;

-- name: rehearsals
-- Rehearsals, newest first.
select rehearsal, backup, at, by_whom, is_whole, ledger_size, records, said_vi, said_en, seconds
from restore_rehearsals
order by rehearsal desc
limit %(limit)s;

-- name: last_whole
-- The newest rehearsal in which everything was there.
select rehearsal, backup, at, by_whom, is_whole, ledger_size, records, said_vi, said_en, seconds
from restore_rehearsals
where is_whole
order by rehearsal desc
limit 1;

-- name: root_of
-- The root of the tree at a size.
select root from ledger_checkpoints where size = %(size)s;
