-- name: lock_head
-- The head, held until the transaction ends.
select size, peaks from lienthong.ledger_lock_head();

-- name: head
-- The head.
select size, peaks from lienthong.ledger_head;

-- name: append
-- Null when appended, else the size found.
select lienthong.ledger_append(%(expected)s, %(bodies)s::text[], %(leaves)s::bytea[], %(peaks)s::bytea[], %(root)s, %(at)s, %(key_id)s,
    %(signature)s);

-- name: entries
-- Every entry in order.
select position, body, leaf from lienthong.ledger_entries order by position;

-- name: batches
-- Every batch in order.
select size, root, at, key_id, signature from lienthong.ledger_batches order by size;
