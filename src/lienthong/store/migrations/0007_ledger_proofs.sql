-- What is derived from the ledger to find things in it, what others say of it, and where its bodies went.
-- Where each batch lies in the tree, and under which marks its entries are found: made anew from the bodies whenever that is wanted,
-- a little after the checkpoint (store/ledger_index.py). The places of batches whose bodies are gone stay.
create table ledger_places (
    begins bigint constraint ledger_places_pk primary key, -- position of its first entry
    batch bigint not null constraint ledger_places_batch_unique unique,
    entries integer not null constraint ledger_places_some check (entries > 0)
);

create table ledger_index (
    mark bigint not null, -- the first 64 bits of a subject's keyed hash, of an answer's digest (ledger/marks.py)
    position bigint not null,
    constraint ledger_index_pk primary key (mark, position)
);

-- What others say of a checkpoint.
create table ledger_cosignatures (
    size bigint not null constraint ledger_cosignatures_size_fk references ledger_checkpoints,
    witness text not null, -- its key (C2SP vkey)
    line text not null, -- its line of signature (C2SP tlog-cosignature)
    constraint ledger_cosignatures_pk primary key (size, witness)
);

create table ledger_witnesses (
    witness text constraint ledger_witnesses_pk primary key, -- its key (C2SP vkey)
    size bigint not null, -- of the last checkpoint it signed
    asked_at timestamptz not null,
    state text not null constraint ledger_witnesses_state_known check (state in ('signed', 'away', 'refuses', 'ahead')),
    status integer -- what it answered when it did not sign
);

create table ledger_stamps (
    size bigint not null constraint ledger_stamps_size_fk references ledger_checkpoints,
    authority text not null, -- its address
    at timestamptz not null, -- as the token says
    token bytea not null, -- the response of RFC 3161 over the checkpoint's text
    constraint ledger_stamps_pk primary key (size, authority)
);

-- Files that hold bodies: each begins where the one before it ends, and names its digest.
create table ledger_archives (
    number integer constraint ledger_archives_pk primary key,
    begins bigint not null,
    ends bigint not null,
    digest text not null, -- hex SHA-256 of the file
    at timestamptz not null,
    dropped_at timestamptz -- the file was destroyed: its longest rule of retention was over
);
