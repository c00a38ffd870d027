-- Ledger ----------------------------------------------------------------------------------------------------
-- Entries are the leaves of an RFC 6962 tree. They are appended only through ledger_append, which keeps positions
-- gapless by the lock on ledger_head: call it last in a transaction, so that the lock is short.

create table ledger_entries (
    position bigint constraint ledger_entries_pk primary key, -- from 0
    body text not null, -- canonical JSON, the bytes that are hashed
    leaf bytea not null -- SHA-256(0x00 || body)
);

create table ledger_batches (
    size bigint constraint ledger_batches_pk primary key, -- tree size after the batch
    root bytea not null,
    at timestamptz not null,
    key_id text not null,
    signature bytea not null -- Ed25519 over the checkpoint text
);

create table ledger_head (
    is_only boolean constraint ledger_head_pk primary key default true constraint ledger_head_one check (is_only),
    size bigint not null,
    peaks bytea[] not null -- roots of the perfect subtrees, largest first
);
insert into ledger_head (size, peaks) values (0, '{}');

-- The head, held until the transaction ends: a reader's right to append without the right to change anything.
create function ledger_lock_head() returns table (size bigint, peaks bytea[])
language sql security definer set search_path = lienthong, pg_temp
as $$ select size, peaks from ledger_head for update $$;
revoke execute on function ledger_lock_head from public;

-- Appends if the head is still at `expected`; returns null, or the size found when another writer was first.
create function ledger_append(
    expected bigint, bodies text[], leaves bytea[], new_peaks bytea[], new_root bytea,
    appended_at timestamptz, signing_key_id text, signed bytea
) returns bigint
language plpgsql security definer set search_path = lienthong, pg_temp
as $$
declare
    found_size bigint;
begin
    update ledger_head set size = expected + cardinality(bodies), peaks = new_peaks where size = expected;
    if not found then
        select size into found_size from ledger_head;
        return found_size;
    end if;
    insert into ledger_entries (position, body, leaf)
    select expected + entry.n - 1, entry.body, entry.leaf
    from unnest(bodies, leaves) with ordinality as entry (body, leaf, n);
    insert into ledger_batches (size, root, at, key_id, signature)
    values (expected + cardinality(bodies), new_root, appended_at, signing_key_id, signed);
    return null;
end
$$;
revoke execute on function ledger_append from public;

