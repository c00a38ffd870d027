-- name: keep_cosignature
insert into lienthong.ledger_cosignatures (size, witness, line) values (%(size)s, %(witness)s, %(line)s)
on conflict do nothing;

-- name: cosignatures
select witness, line from lienthong.ledger_cosignatures where size = %(size)s order by witness;

-- name: cosigned_from
-- The oldest checkpoint of at least a size that enough of some witnesses signed.
select size
from lienthong.ledger_cosignatures
where size >= %(least)s and witness = any(%(witnesses)s)
group by size
having count(*) >= %(needed)s
order by size
limit 1;

-- name: newest_from
select size from lienthong.ledger_checkpoints where size >= %(least)s order by size desc limit 1;

-- name: newest_cosigned
-- The newest checkpoint that enough of some witnesses signed.
select size
from lienthong.ledger_cosignatures
where witness = any(%(witnesses)s)
group by size
having count(*) >= %(needed)s
order by size desc
limit 1;

-- name: keep_standing
insert into lienthong.ledger_witnesses (witness, size, asked_at, state, status)
values (%(witness)s, %(size)s, %(asked_at)s, %(state)s, %(status)s)
on conflict (witness) do update set size = excluded.size, asked_at = excluded.asked_at, state = excluded.state, status = excluded.status;

-- name: standings
select witness, size, asked_at, state, status from lienthong.ledger_witnesses order by witness;

-- name: all_cosignatures
-- Every line of every checkpoint, in order.
select size, witness, line from lienthong.ledger_cosignatures order by size, witness;

-- name: keep_stamp
insert into lienthong.ledger_stamps (size, authority, at, token) values (%(size)s, %(authority)s, %(at)s, %(token)s);

-- name: last_stamp
select size, at from lienthong.ledger_stamps where authority = %(authority)s order by size desc limit 1;

-- name: all_stamps
select size, authority, at, token from lienthong.ledger_stamps order by size, authority;

-- name: newest_before
-- Size of the newest checkpoint made before an instant.
select max(size) from lienthong.ledger_checkpoints where at < %(at)s;

-- name: said_to_have_signed
-- A witness that is said to have signed a checkpoint and has not.
select size
from lienthong.ledger_witnesses as witness
where state = 'signed'
    and not exists (
        select from lienthong.ledger_cosignatures as line where line.size = witness.size and line.witness = witness.witness
    )
order by size
limit 1;
