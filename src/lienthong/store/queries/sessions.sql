-- name: begin
insert into sessions (token_hash, holder, sealed, began_at, seen_at, second_factor_at)
values (%(token_hash)s, %(holder)s, %(sealed)s, %(began_at)s, %(at)s, %(second_factor_at)s);

-- name: find
-- A session that was not ended; whether it is over is decided by its times.
select sealed, began_at, seen_at, second_factor_at from sessions where token_hash = %(token_hash)s and ended_at is null;

-- name: seen
update sessions set seen_at = %(at)s where token_hash = %(token_hash)s and ended_at is null;

-- name: end
update sessions set ended_at = %(at)s where token_hash = %(token_hash)s and ended_at is null;

-- name: end_all
-- Everywhere: all sessions of one person.
update sessions set ended_at = %(at)s where holder = %(holder)s and ended_at is null;

-- name: forget
-- Sessions long over are of no use to anybody; that they began and ended is in the ledger.
delete from sessions where began_at < %(before)s;
