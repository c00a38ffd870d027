-- name: found
-- Entries by their marks, the newest first.
select mark, position, body from lienthong.ledger_found(%(marks)s::bigint[], %(before)s, %(limit)s);

-- name: upto
select lienthong.ledger_indexed();
