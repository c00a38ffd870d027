-- The readable whole: every table of Lienthong but those generated from contracts (schema `data`).
-- A new database is made from this file; an older one reaches it by the numbered files in migrations/.

create schema if not exists lienthong;
create schema if not exists data;
set search_path to lienthong;

create table schema_versions (
    number integer constraint schema_versions_pk primary key,
    applied_at timestamptz not null default now()
);
insert into schema_versions (number) values (57);

-- What is applied -------------------------------------------------------------------------------------------

create table datasets (
    dataset_id text constraint datasets_pk primary key,
    table_name text not null constraint datasets_table_name_unique unique,
    contract_version text not null,
    contract_digest text not null,
    contract jsonb not null, -- the ODCS document as applied
    current_version integer not null default 0, -- the newest published version; 0: none yet
    applied_at timestamptz not null default now()
);

create table contract_history (
    dataset_id text not null constraint contract_history_dataset_fk references datasets,
    contract_version text not null,
    contract_digest text not null,
    contract jsonb not null,
    applied_at timestamptz not null default now(),
    constraint contract_history_pk primary key (dataset_id, contract_digest)
);

-- Questions over places ---------------------------------------------------------------------------------------

-- The box around a GeoJSON geometry; null for what is none. Immutable, so that an index can be made of it.
create function geojson_box(geojson text) returns box
language sql immutable parallel safe strict as $$
    select box(
        point(max((place ->> 0)::double precision), max((place ->> 1)::double precision)),
        point(min((place ->> 0)::double precision), min((place ->> 1)::double precision))
    )
    from jsonb_path_query(geojson::jsonb, 'strict $.**.coordinates.** ? (@.type() == "array" && @[0].type() == "number" && @[1].type() == "number")', '{}', true) as place
$$;

-- A GeoJSON geometry as segments, planar: a ring or line by its consecutive points, a point as a segment of no length.
create or replace function geojson_segments(geojson text)
returns table (x1 double precision, y1 double precision, x2 double precision, y2 double precision)
language sql immutable parallel safe strict as $$
    with shape as (select geojson::jsonb as whole),
    paths as (
        select points
        from shape, lateral jsonb_array_elements(
            case whole ->> 'type'
                when 'Point' then jsonb_build_array(jsonb_build_array(whole -> 'coordinates'))
                when 'MultiPoint' then (select jsonb_agg(jsonb_build_array(place)) from jsonb_array_elements(whole -> 'coordinates') as place)
                when 'LineString' then jsonb_build_array(whole -> 'coordinates')
                when 'MultiPolygon' then (
                    select jsonb_agg(ring) from jsonb_array_elements(whole -> 'coordinates') as part, jsonb_array_elements(part) as ring
                )
                else whole -> 'coordinates'
            end
        ) as points
    )
    select (place ->> 0)::double precision, (place ->> 1)::double precision, (next ->> 0)::double precision, (next ->> 1)::double precision
    from paths, lateral (
        select place, coalesce(points -> number::integer, place) as next, number
        from jsonb_array_elements(points) with ordinality as each (place, number)
    ) as pair
    where number < jsonb_array_length(points) or jsonb_array_length(points) = 1
$$;

-- Whether two GeoJSON geometries have a point in common, borders included: an edge meets an edge, or one lies inside the other's area.
create or replace function geojson_meets(one text, other text) returns boolean
language sql immutable parallel safe strict as $$
    with a as materialized (select x1, y1, x2, y2 from lienthong.geojson_segments(one)),
    b as materialized (select x1, y1, x2, y2 from lienthong.geojson_segments(other))
    select exists (
        select 1
        from a, b
        where greatest(a.x1, a.x2) >= least(b.x1, b.x2) and greatest(b.x1, b.x2) >= least(a.x1, a.x2)
            and greatest(a.y1, a.y2) >= least(b.y1, b.y2) and greatest(b.y1, b.y2) >= least(a.y1, a.y2)
            and ((b.x2 - b.x1) * (a.y1 - b.y1) - (b.y2 - b.y1) * (a.x1 - b.x1)) * ((b.x2 - b.x1) * (a.y2 - b.y1) - (b.y2 - b.y1) * (a.x2 - b.x1)) <= 0
            and ((a.x2 - a.x1) * (b.y1 - a.y1) - (a.y2 - a.y1) * (b.x1 - a.x1)) * ((a.x2 - a.x1) * (b.y2 - a.y1) - (a.y2 - a.y1) * (b.x2 - a.x1)) <= 0
    )
    or (other::jsonb ->> 'type' like '%Polygon' and exists (
        select 1
        from a
        where (
            select count(*) % 2
            from b
            where (b.y1 > a.y1) <> (b.y2 > a.y1) and a.x1 < (b.x2 - b.x1) * (a.y1 - b.y1) / (b.y2 - b.y1) + b.x1
        ) = 1
    ))
    or (one::jsonb ->> 'type' like '%Polygon' and exists (
        select 1
        from b
        where (
            select count(*) % 2
            from a
            where (a.y1 > b.y1) <> (a.y2 > b.y1) and b.x1 < (a.x2 - a.x1) * (b.y1 - a.y1) / (a.y2 - a.y1) + a.x1
        ) = 1
    ))
$$;

-- Runs and landing ------------------------------------------------------------------------------------------

create table runs (
    run_id bigint generated always as identity constraint runs_pk primary key,
    dataset_id text not null constraint runs_dataset_fk references datasets,
    source_name text not null, -- the source in the contract; `api` for POST, `correction` for quarantine
    delivery text not null constraint runs_delivery_known check (delivery in ('snapshot', 'incremental', 'changes')),
    state text not null constraint runs_state_known
        check (state in ('landing', 'landed', 'waiting', 'published', 'unchanged', 'failed', 'withdrawn')),
    contract_digest text not null,
    fingerprint text, -- hex digest of the whole delivery
    started_at timestamptz not null,
    ended_at timestamptz,
    delivered_on date not null, -- the delivery's own date: valid time where rows carry none
    position jsonb, -- where landing can go on
    rows_in bigint not null default 0,
    rows_published bigint not null default 0, -- inserted + updated
    rows_unchanged bigint not null default 0,
    rows_quarantined bigint not null default 0,
    rows_ended bigint not null default 0, -- records of earlier versions that are no longer there
    warnings bigint not null default 0,
    version integer, -- the version it published
    waits_for jsonb, -- which bound was broken: found and expected
    error text
);
create index runs_dataset on runs (dataset_id, run_id desc);

create table landing_files (
    run_id bigint not null constraint landing_files_run_fk references runs,
    file_no integer not null,
    uri text not null,
    sheet text not null default '',
    sha256 text not null default '',
    size_bytes bigint not null default 0,
    encoding text not null default '',
    encoding_confidence double precision not null default 1,
    constraint landing_files_pk primary key (run_id, file_no)
);

-- Rows exactly as they came: one Arrow IPC stream (Zstandard) a batch, with the row numbers of the source beside it.
create table landing_batches (
    run_id bigint not null constraint landing_batches_run_fk references runs,
    batch_no integer not null,
    file_no integer not null,
    first_row_no bigint not null, -- rows are numbered from 1 within the run
    row_count bigint not null,
    rows bytea not null,
    constraint landing_batches_pk primary key (run_id, batch_no),
    constraint landing_batches_file_fk foreign key (run_id, file_no) references landing_files
);
alter table landing_batches alter column rows set storage external; -- compressed already
create unique index landing_batches_rows on landing_batches (run_id, first_row_no);

-- Versions --------------------------------------------------------------------------------------------------

create table versions (
    dataset_id text not null constraint versions_dataset_fk references datasets,
    version integer not null,
    run_id bigint not null constraint versions_run_fk references runs,
    known_at timestamptz not null, -- since when this state is known here
    contract_version text not null,
    delivered_columns text[] not null, -- properties the source delivered: the others are `not delivered yet`
    inserted bigint not null,
    updated bigint not null,
    ended bigint not null,
    is_first_fill boolean not null, -- its inserts are not listed in the dataset's _changes table but read from the rows
    constraint versions_pk primary key (dataset_id, version)
);
create index versions_known_at on versions (dataset_id, known_at);

-- Quarantine and issues -------------------------------------------------------------------------------------

create table quarantine (
    item_id bigint generated always as identity constraint quarantine_pk primary key,
    dataset_id text not null constraint quarantine_dataset_fk references datasets,
    run_id bigint not null constraint quarantine_run_fk references runs,
    row_no bigint not null,
    source_row bigint, -- the row number a person sees in the source
    file_no integer,
    digest bigint, -- of the row as it came: the same row delivered again is the same item
    key text, -- where it could be read
    raw jsonb not null, -- source column → value as it came
    state text not null default 'waiting' constraint quarantine_state_known
        check (state in ('waiting', 'released', 'superseded', 'withdrawn')),
    since timestamptz not null,
    ended_at timestamptz,
    ended_by_run bigint constraint quarantine_ended_by_run_fk references runs,
    corrected jsonb, -- source column → corrected value, of the last correction
    came_with bigint constraint quarantine_came_with_fk references runs -- the delivery, once corrections have tried the row; null: `run_id`
);
create index quarantine_came_with on quarantine (coalesce(came_with, run_id)) where state = 'waiting';
create index quarantine_waiting on quarantine (dataset_id, digest) where state = 'waiting';
create index quarantine_run on quarantine (run_id, row_no);
create index quarantine_by_state on quarantine (dataset_id, state, item_id) include (run_id, row_no); -- counted and walked by dataset

create table issues (
    dataset_id text not null,
    run_id bigint not null constraint issues_run_fk references runs,
    row_no bigint not null,
    column_name text,
    rule text not null,
    code text not null,
    severity text not null,
    found text,
    expected_vi text not null,
    expected_en text not null
);
create index issues_run_row on issues (run_id, row_no);
-- Errors are counted without reading the words of each.
create index issues_errors on issues (dataset_id, run_id, row_no) include (rule, column_name, code) where severity = 'error';

-- Sharing ---------------------------------------------------------------------------------------------------

create table used_assertions (
    issuer text not null,
    jti text not null,
    expires_at timestamptz not null,
    constraint used_assertions_pk primary key (issuer, jti)
);

create table revoked_tokens (
    jti text constraint revoked_tokens_pk primary key,
    expires_at timestamptz not null
);

create table submissions (
    caller text not null,
    dataset_id text not null constraint submissions_dataset_fk references datasets,
    idempotency_key text not null,
    body_digest bytea not null,
    run_id bigint constraint submissions_run_fk references runs,
    answer jsonb,
    at timestamptz not null,
    constraint submissions_pk primary key (caller, dataset_id, idempotency_key)
);

create table quota_days (
    agreement_id text not null,
    day date not null,
    used bigint not null,
    constraint quota_days_pk primary key (agreement_id, day)
);

-- Ledger ----------------------------------------------------------------------------------------------------
-- Writers leave batches of entries in the transaction of the act itself, none waiting for another. One sequencer puts
-- them in order, as leaves of an RFC 6962 tree, and signs a checkpoint: at most two seconds later (store/sequencing.py).
-- Invariant: a batch is in exactly one checkpoint, or waits, or is refused. Nothing here is ever changed but the edge.

create table ledger_batches (
    id bigint generated always as identity constraint ledger_batches_pk primary key,
    at timestamptz not null default clock_timestamp(), -- as the seal holds; where it holds no time, of the first entry
    bodies text not null, -- an entry a line: canonical JSON, the bytes that are hashed
    seal bytea -- a number used once, the time, and HMAC-SHA256 of both and bodies under the platform's key; older ones hold no time, then
    -- no number; null: written before there were seals, and in the tree since
);
create index ledger_batches_seal on ledger_batches using hash (seal); -- a batch that comes a second time

create table ledger_checkpoints (
    size bigint constraint ledger_checkpoints_pk primary key, -- of the tree with what it adds
    begins bigint not null, -- position of the first entry it adds
    batches bigint[] not null, -- what it adds, in the order of the tree
    root bytea not null,
    at timestamptz not null,
    key_id text not null,
    signature bytea not null -- Ed25519 over the checkpoint text
);

create table ledger_tiles (
    level smallint not null,
    number bigint not null,
    hashes bytea not null, -- up to 256 of 32 bytes (C2SP tlog-tiles); level 0: SHA-256(0x00 || body)
    constraint ledger_tiles_pk primary key (level, number)
);
alter table ledger_tiles alter column hashes set storage external; -- hashes do not compress

create table ledger_edge (
    is_only boolean constraint ledger_edge_pk primary key default true constraint ledger_edge_one check (is_only),
    size bigint not null, -- of the tree
    seen bigint not null -- the largest id of a batch looked at
);
insert into ledger_edge (size, seen) values (0, 0);

-- Smaller ids than the largest seen, of writers that had not committed. None is left out: a gap is looked at until its
-- writer has ended, which it has when no transaction older than the horizon runs any more.
create table ledger_gaps (
    id bigint constraint ledger_gaps_pk primary key,
    horizon xid8 not null
);

create table ledger_refused (
    id bigint constraint ledger_refused_pk primary key -- of a batch the platform did not write, or a copy of one it did
);

-- An id is taken only after the transaction has its number, so that the horizon of a gap is never too early.
create function ledger_append(new_bodies text, new_seal bytea) returns void
language plpgsql security definer set search_path = lienthong, pg_temp
as $$
begin
    perform pg_current_xact_id();
    insert into ledger_batches (at, bodies, seal) values (ledger_time(new_bodies, new_seal), new_bodies, new_seal);
end
$$;
revoke execute on function ledger_append from public;

-- When a batch was written: as its seal holds, or as its first entry tells.
create function ledger_time(bodies text, seal bytea) returns timestamptz
language sql stable set search_path = lienthong, pg_temp
as $$
    select case
        when octet_length(seal) = 56
            then timestamptz 'epoch' + ('x' || encode(substring(seal from 17 for 8), 'hex'))::bit(64)::bigint * interval '1 microsecond'
        when starts_with(bodies, '{"v":1,"at":"') then split_part(substr(bodies, 14, 40), '"', 1)::timestamptz
        else clock_timestamp()
    end
$$;
revoke execute on function ledger_time from public;

-- Seconds the oldest batch waits for its checkpoint; 0 when none does.
create function ledger_waiting() returns double precision
language sql stable security definer set search_path = lienthong, pg_temp
as $$
    select coalesce(extract(epoch from clock_timestamp() - min(at)), 0)::double precision
    from ledger_batches where id > (select seen from ledger_edge)
$$;
revoke execute on function ledger_waiting from public;

-- Where each batch lies in the tree, and under which marks its entries are found: made anew from the bodies whenever that is wanted,
-- a little after the checkpoint (store/ledger_index.py). The places of batches whose bodies are gone stay.
create table ledger_places (
    begins bigint constraint ledger_places_pk primary key, -- position of its first entry
    batch bigint not null constraint ledger_places_batch_unique unique,
    entries integer not null constraint ledger_places_some check (entries > 0)
);

-- Batches whose bodies are gone, by what a copy of them is known by: SHA-256 over their leaves, which stay.
create table ledger_gone (
    begins bigint constraint ledger_gone_pk primary key, -- position of its first entry
    digest bytea not null
);
create index ledger_gone_digest on ledger_gone using hash (digest);

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

-- Entries by their marks, for those they concern: the serving role reads no other entry.
create function ledger_found(marks bigint[], before bigint, most integer) returns table (mark bigint, "position" bigint, body text)
language sql stable security definer set search_path = lienthong, pg_temp
as $$
    select found.mark, found."position", split_part(batch.bodies, E'\n', (found."position" - place.begins + 1)::integer)
    from (
        select held.mark, held."position" from ledger_index as held
        where held.mark = any(marks) and held."position" < before
        order by held."position" desc
        limit least(most, 10000)
    ) as found
    cross join lateral (select * from ledger_places where begins <= found."position" order by begins desc limit 1) as place
    left join ledger_batches as batch on batch.id = place.batch
    order by found."position" desc
$$;
revoke execute on function ledger_found from public;

-- How many entries, from the first on, can be found by their marks.
create function ledger_indexed() returns bigint
language sql stable security definer set search_path = lienthong, pg_temp
as $$
    select coalesce((select begins + entries from ledger_places order by begins desc limit 1), 0)
$$;
revoke execute on function ledger_indexed from public;

-- For reading: an entry a row, in the order of the tree.
create view ledger_entries as
select checkpoint.begins + row_number() over (partition by checkpoint.size order by taken.place, line.place) - 1 as position, line.body,
    batch.at, batch.id as batch
from ledger_checkpoints as checkpoint
cross join unnest(checkpoint.batches) with ordinality as taken (id, place)
join ledger_batches as batch on batch.id = taken.id
cross join string_to_table(batch.bodies, E'\n') with ordinality as line (body, place);

-- Exchanges -------------------------------------------------------------------------------------------------
-- What was asked and how it ended. The ledger proves, this measures: it is kept for a while, not for ever.

create table exchange_batches (
    batch bigint generated always as identity constraint exchange_batches_pk primary key,
    server text not null, -- who answered: host and port
    first_at timestamptz not null, -- when the first of its exchanges began
    last_at timestamptz not null,
    records integer not null,
    body bytea not null, -- zlib over MessagePack: store/exchange_records.py
    counted_at timestamptz -- since when they are in the counts
);
alter table exchange_batches alter column body set storage external; -- it is compressed already
create index exchange_batches_last on exchange_batches (last_at);
create index exchange_batches_uncounted on exchange_batches (batch) where counted_at is null;

create table exchange_counts (
    span text not null constraint exchange_counts_span_known check (span in ('hour', 'day', 'ever')),
    begins_at timestamptz not null, -- days begin at midnight in Vietnam
    provider text not null, -- agency code
    service text not null,
    operation text not null,
    door text not null,
    caller text not null,
    purpose text not null,
    calls bigint not null,
    missing bigint not null, -- answered: there is no such record
    refused bigint not null,
    invalid bigint not null, -- not understood
    errors bigint not null, -- ours or the provider's
    bytes_in bigint not null,
    bytes_out bigint not null,
    microseconds bigint not null, -- of all of them
    slowest_us bigint not null,
    latencies bigint[] not null, -- how many in each bucket: store/exchange_records.py
    constraint exchange_counts_pk primary key (span, begins_at, provider, service, operation, door, caller, purpose)
);

create table duty_beats (
    duty text constraint duty_beats_pk primary key,
    at timestamptz not null, -- when it was last seen at work
    failed_at timestamptz, -- of an error it has not got over yet
    error text not null default '' -- its kind and place, never what it said
);

create table alerts (
    alert bigint generated always as identity constraint alerts_pk primary key,
    rule text not null, -- its id in the file of rules
    kind text not null,
    subject text not null, -- what it is about: one alert of a rule and subject at a time
    agency text not null, -- whose it is, empty: the platform's
    severity text not null constraint alerts_severity_known check (severity in ('note', 'warning', 'alarm')),
    figures jsonb not null, -- what was found, against which thresholds
    state text not null constraint alerts_state_known check (state in ('open', 'taken', 'closed')),
    raised_at timestamptz not null,
    seen_at timestamptz not null -- when it was last found so
);
create unique index alerts_standing on alerts (rule, subject) where state <> 'closed';
create index alerts_raised on alerts (raised_at desc);

create table alert_steps (
    alert bigint not null constraint alert_steps_alert_fk references alerts,
    step integer not null, -- 1: raised
    state text not null constraint alert_steps_state_known check (state in ('open', 'taken', 'closed')),
    at timestamptz not null,
    by_whom text not null, -- an official; lienthong for the platform itself
    reason text not null default '',
    constraint alert_steps_pk primary key (alert, step)
);

-- Drafts -----------------------------------------------------------------------------------------------------
-- Contracts proposed from spreadsheets, until two persons publish them.

create table contract_drafts (
    draft bigint generated always as identity constraint contract_drafts_pk primary key,
    agency text not null,
    by_whom text not null,
    made_at timestamptz not null,
    file_name text not null,
    dataset_id text not null,
    document jsonb not null, -- the proposal, column by column, with what speaks for it; no values but codes of lists
    state text not null default 'open' constraint contract_drafts_state_known check (state in ('open', 'published', 'withdrawn')),
    ended_at timestamptz,
    constraint contract_drafts_ended check ((state = 'open') = (ended_at is null))
);
create index contract_drafts_agency on contract_drafts (agency, draft desc);
create index contract_drafts_published on contract_drafts (ended_at) where state = 'published';

-- Notices of contracts ---------------------------------------------------------------------------------------
-- Breaking changes that are announced: two versions side by side until the notice ends.

create table contract_notices (
    notice bigint generated always as identity constraint contract_notices_pk primary key,
    dataset_id text not null constraint contract_notices_dataset_fk references datasets,
    old_contract jsonb not null, -- the ODCS documents
    new_contract jsonb not null,
    new_version text not null,
    retires text[] not null, -- fields the new version no longer has
    announced_at timestamptz not null,
    by_whom text not null,
    reason text not null,
    ends_on date not null, -- the first day the old version is no longer answered
    state text not null default 'running' constraint contract_notices_state_known check (state in ('running', 'ended', 'withdrawn')),
    ended_at timestamptz,
    constraint contract_notices_ended check ((state = 'running') = (ended_at is null)),
    withdrawn_by text,
    withdrawal_reason text,
    leaves text[] not null default '{}', -- fields the new version brought, when it is taken back: kept in the tables as history
    constraint contract_notices_withdrawn check ((state = 'withdrawn') = (withdrawn_by is not null and withdrawal_reason is not null))
);
create unique index contract_notices_one_running on contract_notices (dataset_id) where state = 'running';

-- Operating ------------------------------------------------------------------------------------------------
-- Backups and their proof; the whole ledger recomputed; long work an operator asked for, done by the worker one after another.

create table backups (
    backup bigint generated always as identity constraint backups_pk primary key,
    made_at timestamptz not null,
    by_whom text not null,
    file_name text not null,
    bytes bigint not null,
    sha256 text not null,
    is_sealed boolean not null, -- encrypted for its keepers
    ledger_size bigint not null,
    ledger_root text not null, -- hex
    datasets jsonb not null, -- dataset → [version, records]
    seconds double precision not null
);

create table restore_rehearsals (
    rehearsal bigint generated always as identity constraint restore_rehearsals_pk primary key,
    backup bigint not null constraint restore_rehearsals_backup_fk references backups,
    at timestamptz not null,
    by_whom text not null,
    is_whole boolean not null,
    ledger_size bigint not null,
    records bigint not null,
    said_vi text not null,
    said_en text not null,
    seconds double precision not null
);

create table ledger_verifications (
    verification bigint generated always as identity constraint ledger_verifications_pk primary key,
    at timestamptz not null,
    by_whom text not null,
    is_whole boolean not null,
    size bigint not null,
    root text not null, -- hex
    said_vi text not null, -- what does not fit, where something does not
    said_en text not null,
    seconds double precision not null
);

create table operator_tasks (
    task bigint generated always as identity constraint operator_tasks_pk primary key,
    kind text not null constraint operator_tasks_kind_known check (kind in ('backup', 'rehearsal', 'verification')),
    asked_at timestamptz not null,
    asked_by text not null,
    began_at timestamptz,
    ended_at timestamptz,
    said_vi text not null default '', -- why it could not be done
    said_en text not null default ''
);
create unique index operator_tasks_open on operator_tasks (kind) where ended_at is null;

-- Privacy ---------------------------------------------------------------------------------------------------
-- Files and requests about personal data: breaches, impact files, what persons ask for. A case never changes; steps tell what became of it.
create table privacy_cases (
    case_id bigint generated always as identity constraint privacy_cases_pk primary key,
    kind text not null constraint privacy_cases_kind_known
        check (kind in ('breach', 'impact', 'access', 'correction', 'erasure', 'restriction', 'objection', 'withdrawal')),
    agency text not null, -- who must act
    dataset text not null default '',
    subject text, -- keyed hash of the citizen's number, where a person asks
    person bytea, -- their number, sealed: whoever must act has to know who asks
    content jsonb not null, -- what is asked or what happened, in words; a correction's field and value
    opened_at timestamptz not null,
    opened_by text not null, -- handle or official; `citizen` where a person asks
    begins_at timestamptz not null, -- from when the clock runs: the discovery, the first processing, the request
    answer_by timestamptz, -- until when the person is told that it is dealt with
    act_by timestamptz not null,
    legal_basis text not null
);
create index privacy_cases_agency on privacy_cases (agency, case_id desc);
create index privacy_cases_subject on privacy_cases (subject, case_id desc) where subject is not null;

create table privacy_steps (
    step bigint generated always as identity constraint privacy_steps_pk primary key,
    case_id bigint not null constraint privacy_steps_case_fk references privacy_cases,
    act text not null constraint privacy_steps_act_known check (act in ('open', 'note', 'answer', 'done', 'refuse', 'withdraw')),
    state text not null constraint privacy_steps_state_known check (state in ('open', 'answered', 'done', 'refused', 'withdrawn')),
    at timestamptz not null,
    by_whom text not null,
    words text not null default '', -- what the person is told too, but for notes
    legal_text text not null default '' -- of a refusal
);
create index privacy_steps_case on privacy_steps (case_id, step);

-- Master data -----------------------------------------------------------------------------------------------
-- Who is one. A record is one row of a register that speaks of an entity; its golden record is who it is judged to be.
-- Invariant: match_records holds the present; what it was before is in match_memberships, closed, never changed again.

create table match_models (
    entity text not null,
    version text not null,
    document jsonb not null, -- readable: probabilities, cuts, keys
    frequencies bytea not null, -- Parquet: hashed values and how often each was seen
    applied_at timestamptz not null default now(),
    is_current boolean not null default true,
    constraint match_models_pk primary key (entity, version)
);
create unique index match_models_current on match_models (entity) where is_current;

create sequence match_turns; -- counts who took the lock of matching

create table match_acts (
    act bigint generated always as identity constraint match_acts_pk primary key,
    entity text not null,
    kind text not null constraint match_acts_kind_known check (kind in ('bulk', 'arrival', 'decision', 'undo', 'override')),
    at timestamptz not null,
    by_whom text not null, -- official or subsystem; `lienthong` for the platform itself
    reason text not null default '',
    undoes bigint constraint match_acts_undoes_fk references match_acts,
    details jsonb not null default '{}'
);
create index match_acts_undoes on match_acts (undoes) where undoes is not null;

create table match_goldens (
    golden bigint generated by default as identity constraint match_goldens_pk primary key,
    id text not null constraint match_goldens_id_unique unique, -- opaque, for ever
    entity text not null,
    made_at timestamptz not null,
    merged_into bigint constraint match_goldens_merged_fk references match_goldens, -- where to look now
    ended_at timestamptz -- merged or empty since then; null while it stands
);

create table match_records (
    record bigint generated by default as identity constraint match_records_pk primary key,
    entity text not null,
    source text not null, -- dataset, or dataset#role
    key text not null,
    features text[] not null, -- in the order of the model's columns
    keys bigint[] not null, -- blocking keys
    content json not null, -- attribute → value as standardised
    dated date, -- the source's own date of the row
    golden bigint not null constraint match_records_golden_fk references match_goldens,
    component bigint not null, -- records worth linking together share it
    since timestamptz not null, -- when this membership began
    constraint match_records_source_key_unique unique (source, key)
);
create index match_records_keys on match_records using gin (keys) with (fastupdate = off);
create index match_records_golden on match_records (golden);
create index match_records_component on match_records (component);

create table match_memberships (
    source text not null,
    key text not null,
    golden bigint not null constraint match_memberships_golden_fk references match_goldens,
    from_at timestamptz not null,
    to_at timestamptz not null,
    ended_by bigint not null constraint match_memberships_act_fk references match_acts
);
create index match_memberships_record on match_memberships (source, key);
create index match_memberships_golden on match_memberships (golden);
create index match_memberships_ended on match_memberships (ended_by);

create table match_judgements (
    judgement bigint generated always as identity constraint match_judgements_pk primary key,
    entity text not null,
    left_source text not null,
    left_key text not null,
    right_source text not null,
    right_key text not null,
    verdict text not null constraint match_judgements_verdict_known check (verdict in ('same', 'apart', 'unsure')),
    kind text not null constraint match_judgements_kind_known check (kind in ('rule', 'model', 'steward')),
    by_whom text not null,
    reason text not null default '',
    bits double precision, -- mean weight of what was joined; null for rules and stewards
    model text, -- version of the model
    from_at timestamptz not null,
    to_at timestamptz, -- null while it holds
    act bigint not null constraint match_judgements_act_fk references match_acts,
    ended_by bigint constraint match_judgements_ended_fk references match_acts,
    origin bigint constraint match_judgements_origin_fk references match_acts -- the act that said it first, where it was said again
);
create index match_judgements_left on match_judgements (left_source, left_key) where to_at is null and kind <> 'steward';
create index match_judgements_said_left on match_judgements (left_source, left_key) where to_at is null and kind = 'steward';
create index match_judgements_said_right on match_judgements (right_source, right_key) where to_at is null and kind = 'steward';
create index match_judgements_words on match_judgements (left_source, left_key) where kind = 'steward';
create index match_judgements_act on match_judgements (act) where kind = 'steward';
create index match_judgements_ended on match_judgements (ended_by) where ended_by is not null and kind = 'steward';

-- What a split says: records of different parts are not one. A row a record instead of one for each two of them. What a steward says later of
-- two of them alone counts before it, for as long as it holds.
create table match_partings (
    parting bigint generated always as identity constraint match_partings_pk primary key,
    entity text not null,
    by_whom text not null,
    reason text not null,
    from_at timestamptz not null,
    to_at timestamptz, -- null while it holds
    act bigint not null constraint match_partings_act_fk references match_acts,
    ended_by bigint constraint match_partings_ended_fk references match_acts,
    origin bigint constraint match_partings_origin_fk references match_acts -- the act that made it first, where it was made again
);
create index match_partings_act on match_partings (act);
create index match_partings_origin on match_partings (origin) where origin is not null;
create index match_partings_ended on match_partings (ended_by) where ended_by is not null;

create table match_parted (
    parting bigint not null constraint match_parted_parting_fk references match_partings,
    source text not null,
    key text not null,
    part integer not null,
    stands boolean not null default true, -- as its parting does: to_at is null
    constraint match_parted_pk primary key (source, key, parting)
);
create index match_parted_parting on match_parted (parting);
create index match_parted_stand on match_parted (source, key) where stands;

create table match_events (
    event bigint generated always as identity constraint match_events_pk primary key,
    entity text not null,
    kind text not null constraint match_events_kind_known
        check (kind in ('created', 'joined', 'left', 'merged', 'split', 'revived', 'ended', 'changed')),
    id text not null, -- the golden record it is about
    others text[] not null default '{}', -- merged: those that redirect to it; split: those that came out
    records text[] not null default '{}', -- source/key of the records that moved
    at timestamptz not null,
    act bigint not null constraint match_events_act_fk references match_acts
);
create index match_events_id on match_events (id, event);
create index match_events_act on match_events (act);

-- Two clusters a person should look at. A pair that is decided leaves; why it stood is in the judgement.
create table match_queue (
    item bigint generated always as identity constraint match_queue_pk primary key,
    entity text not null,
    left_record bigint not null constraint match_queue_left_fk references match_records on delete cascade,
    right_record bigint not null constraint match_queue_right_fk references match_records on delete cascade,
    why text not null constraint match_queue_why_known check (why in ('weight', 'identifier')),
    bits double precision not null, -- from the cut: how near to joining
    since timestamptz not null,
    deferred_until timestamptz,
    locked_by text,
    locked_until timestamptz,
    seconded_by text, -- first of two persons a large cluster needs
    constraint match_queue_pair_unique unique (left_record, right_record)
);
create index match_queue_entity on match_queue (entity, bits desc);
create index match_queue_right on match_queue (right_record);

create table match_overrides (
    override bigint generated always as identity constraint match_overrides_pk primary key,
    golden bigint not null constraint match_overrides_golden_fk references match_goldens,
    attribute text not null,
    value jsonb,
    by_whom text not null,
    reason text not null,
    from_at timestamptz not null,
    until date, -- the last day it holds; null: until it is withdrawn
    ended_at timestamptz,
    act bigint not null constraint match_overrides_act_fk references match_acts
);
create index match_overrides_golden on match_overrides (golden) where ended_at is null;

-- Reviews: pairs drawn by chance, and what persons say of them without knowing what the index decided. They change no golden record.
create table match_reviews (
    review bigint generated always as identity constraint match_reviews_pk primary key,
    entity text not null,
    model text not null, -- version in force when the pairs were drawn
    drawn_at timestamptz not null,
    by_whom text not null,
    seed bigint not null,
    records bigint not null, -- in the index
    sampled bigint not null -- of which pairs were looked for
);
create index match_reviews_entity on match_reviews (entity, review);

create table match_review_items (
    item bigint generated always as identity constraint match_review_items_pk primary key,
    review bigint not null constraint match_review_items_review_fk references match_reviews,
    left_source text not null,
    left_key text not null,
    right_source text not null,
    right_key text not null,
    is_joined boolean not null,
    by_weight boolean not null, -- false: a rule decides, whatever the weight
    stratum text not null,
    stratum_pairs double precision not null, -- pairs of the index in the stratum
    registers text not null, -- both, by a |, in order
    bits double precision not null, -- the weight
    cut_bits double precision not null, -- from which such a pair joins
    reviewers smallint not null -- how many persons are asked
);
create index match_review_items_review on match_review_items (review);

create table match_review_verdicts (
    item bigint not null constraint match_review_verdicts_item_fk references match_review_items,
    by_whom text not null,
    verdict text not null constraint match_review_verdicts_known check (verdict in ('same', 'apart', 'unsure')),
    at timestamptz not null,
    constraint match_review_verdicts_pk primary key (item, by_whom)
);

-- Events ----------------------------------------------------------------------------------------------------
-- Whoever changes something leaves an event in the transaction of the act (event_append), none waiting for another. Whoever reads first
-- lets what is committed be put in order (events_put_in_order): under one lock it moves from events_waiting to events, at the next positions.
-- Invariant: positions have no gap, and become visible in their order; an event never stands before one that was committed before its own
-- transaction took its number. So a reader that remembers the last position it saw misses none and sees each once.
-- An event holds no personal data: `version:published` stands for the records its version changed, `entities:changed` for its match_events.

create table events_waiting (
    event bigint generated always as identity constraint events_waiting_pk primary key,
    at timestamptz not null default clock_timestamp(),
    type text not null,
    source text not null, -- a dataset, `entity/<type>`, a room or a subscription
    subject text not null,
    data jsonb not null
);

create table events (
    position bigint constraint events_pk primary key,
    event bigint not null constraint events_event_unique unique, -- its number in events_waiting
    at timestamptz not null,
    type text not null,
    source text not null,
    subject text not null,
    data jsonb not null
);
create index events_source on events (source, position);

create function event_append(new_type text, new_source text, new_subject text, new_data jsonb) returns void
language plpgsql security definer set search_path = lienthong, pg_temp
as $$
begin
    insert into events_waiting (type, source, subject, data) values (new_type, new_source, new_subject, new_data);
    perform pg_notify('lienthong_events', '');
end
$$;
revoke execute on function event_append from public;

-- Each statement after the lock sees all that was moved before: the lock is given back only after that is committed.
create function events_put_in_order() returns bigint
language plpgsql security definer set search_path = lienthong, pg_temp
as $$
declare
    moved bigint;
begin
    if not exists (select from events_waiting) then
        return 0;
    end if;
    perform pg_advisory_xact_lock(19540, 2); -- 19540 is "LT", as for all our locks
    with taken as (
        delete from events_waiting returning event, at, type, source, subject, data
    )
    insert into events (position, event, at, type, source, subject, data)
    select (select coalesce(max(position), 0) from events) + row_number() over (order by event), event, at, type, source, subject, data
    from taken;
    get diagnostics moved = row_count;
    return moved;
end
$$;
revoke execute on function events_put_in_order from public;

-- However identities come to change, the stream tells of it: one event an act and statement, over a span of match_events.
create function events_of_matching() returns trigger
language plpgsql security definer set search_path = lienthong, pg_temp
as $$
begin
    perform event_append('entities:changed', 'entity/' || span.entity, span.act::text,
        jsonb_build_object('act', span.act, 'from', span.first, 'to', span.last, 'events', span.events))
    from (
        select entity, act, min(event) as first, max(event) as last, count(*) as events from fresh group by entity, act order by min(event)
    ) as span;
    return null;
end
$$;
create trigger match_events_told after insert on match_events
referencing new table as fresh for each statement execute function events_of_matching();

-- Subscriptions: who is sent the events of which source, and how far each has come. What is under way is a span of the stream, never its content:
-- it is told anew at every attempt, under the right of that moment.
-- Invariant: a lane goes on only from what was delivered or laid aside; its span in hand has one id, whatever happens in between.

create table event_subscriptions (
    subscription text constraint event_subscriptions_pk primary key,
    caller text not null,
    official text not null,
    purpose text not null,
    dataset_id text not null, -- or the room
    sources text[] not null, -- of the stream
    road text not null constraint event_subscriptions_road_known check (road in ('webhook', 'nats')),
    url text not null,
    types text[] not null,
    conditions jsonb not null,
    form text not null constraint event_subscriptions_form_known check (form in ('one', 'batch')),
    most integer not null, -- events of one delivery
    lanes smallint not null, -- 1: strictly in order; more: in order of each key
    options jsonb not null default '{}',
    state text not null constraint event_subscriptions_state_known check (state in ('active', 'paused', 'disabled', 'ended')),
    why text not null default '', -- it is not active
    since timestamptz not null, -- in this state
    made_at timestamptz not null,
    held text not null default '', -- the rule that keeps everything back at the moment
    failing_since timestamptz
);
create index event_subscriptions_caller on event_subscriptions (caller);

create table event_secrets (
    secret bigint generated always as identity constraint event_secrets_pk primary key,
    subscription text not null constraint event_secrets_subscription_fk references event_subscriptions,
    kind text not null constraint event_secrets_kind_known check (kind in ('v1', 'v1a')),
    sealed bytea not null,
    shown text not null default '', -- the public part of a key pair
    made_at timestamptz not null,
    until timestamptz -- replaced: signs beside its successor until then
);
create index event_secrets_subscription on event_secrets (subscription);

create table event_lanes (
    subscription text not null constraint event_lanes_subscription_fk references event_subscriptions,
    lane smallint not null,
    position bigint not null,
    within text, -- a key inside the event after which it goes on; null: the event is through
    constraint event_lanes_pk primary key (subscription, lane)
);

create table event_pending (
    delivery text constraint event_pending_pk primary key, -- `webhook-id`
    subscription text not null constraint event_pending_subscription_fk references event_subscriptions,
    lane smallint, -- null: laid aside or replayed
    source_lane smallint not null, -- whose events it holds
    position bigint not null,
    within text,
    until_position bigint not null,
    until_within text,
    events integer not null,
    attempts integer not null default 0,
    next_at timestamptz, -- null: a dead letter, until it is replayed
    since timestamptz not null,
    reason text not null default '' -- of the last attempt
);
create unique index event_pending_lane on event_pending (subscription, lane) where lane is not null;
create index event_pending_next on event_pending (next_at) where next_at is not null;
create index event_pending_subscription on event_pending (subscription);

create table event_deliveries (
    attempt bigint generated always as identity constraint event_deliveries_pk primary key,
    subscription text not null constraint event_deliveries_subscription_fk references event_subscriptions,
    delivery text not null,
    number integer not null, -- of this attempt
    at timestamptz not null,
    events integer not null,
    bytes integer not null,
    outcome text not null constraint event_deliveries_outcome_known check (outcome in ('delivered', 'failed', 'gone')),
    status integer, -- of the answer; null: none came
    reason text not null,
    milliseconds integer not null
);
create index event_deliveries_subscription on event_deliveries (subscription, attempt desc);
create index event_deliveries_at on event_deliveries (at);
-- Who acts --------------------------------------------------------------------------------------------------
-- Persons of agencies and the roles they hold. Roles end and are granted anew; the ledger has every act.

-- Rooms of events after GovStack: what kinds of events a room has, what was published, who subscribes, what became of each delivery.
create table room_types (
    room text not null, -- agency/application
    type text not null,
    schema jsonb not null,
    made_at timestamptz not null,
    ended_at timestamptz,
    constraint room_types_pk primary key (room, type)
);

create table room_events (
    event uuid constraint room_events_pk primary key,
    sequence bigint generated always as identity,
    room text not null,
    type text not null,
    publisher text not null,
    body jsonb, -- null: no longer kept
    at timestamptz not null,
    stopped_at timestamptz
);
create index room_events_room on room_events (room, type, sequence);
create index room_events_kept on room_events (at) where body is not null;

create table room_subscriptions (
    subscription uuid constraint room_subscriptions_pk primary key,
    room text not null,
    type text not null,
    subscriber text not null,
    official text not null,
    purpose text not null,
    delivery text not null constraint room_subscriptions_delivery_known check (delivery in ('PUSH', 'PULL')),
    url text not null default '', -- of pushes
    ttl integer not null constraint room_subscriptions_ttl_positive check (ttl > 0), -- seconds
    fifo boolean not null,
    sealed bytea, -- what pushes are signed with
    made_at timestamptz not null,
    ended_at timestamptz
);
create unique index room_subscriptions_one on room_subscriptions (room, type, subscriber) where ended_at is null;

create table room_deliveries (
    event uuid not null constraint room_deliveries_event_fk references room_events,
    subscription uuid not null constraint room_deliveries_subscription_fk references room_subscriptions,
    state text not null default 'waiting' constraint room_deliveries_state_known check (state in ('waiting', 'delivered', 'acknowledged', 'dropped', 'stopped')),
    attempts integer not null default 0,
    next_at timestamptz not null,
    until timestamptz not null,
    status integer, -- of the last answer to a push
    since timestamptz,
    constraint room_deliveries_pk primary key (event, subscription)
);
create index room_deliveries_waiting on room_deliveries (subscription, next_at) where state = 'waiting';
create index room_deliveries_until on room_deliveries (until) where state = 'waiting';

create table persons (
    person bigint generated always as identity constraint persons_pk primary key,
    handle text not null, -- what acts and the ledger call them: no name of a person, no number of one
    issuer text not null, -- of the identity provider
    subject text not null, -- who they are there
    name text not null,
    agency text not null,
    registered_at timestamptz not null,
    ended_at timestamptz
);
create unique index persons_handle on persons (handle) where ended_at is null;
create unique index persons_subject on persons (issuer, subject) where ended_at is null;

create table person_roles (
    grant_no bigint generated always as identity constraint person_roles_pk primary key,
    person bigint not null constraint person_roles_person_fk references persons,
    role text not null constraint person_roles_role_known
        check (role in ('data_officer', 'steward', 'integrator', 'operator', 'leader', 'auditor')),
    granted_at timestamptz not null,
    granted_by text not null,
    approved_by text not null,
    ended_at timestamptz,
    ended_by text,
    constraint person_roles_two_persons check (granted_by <> approved_by)
);
create unique index person_roles_held on person_roles (person, role) where ended_at is null;

create table sessions (
    token_hash bytea constraint sessions_pk primary key, -- SHA-256 of the cookie
    holder bytea not null, -- keyed hash of who it is: to sign out everywhere
    sealed bytea not null, -- who it is, under a key that is not in the database
    began_at timestamptz not null,
    seen_at timestamptz not null,
    second_factor_at timestamptz,
    ended_at timestamptz
);
create index sessions_holder on sessions (holder) where ended_at is null;
create index sessions_began on sessions (began_at);

-- Writing one record ----------------------------------------------------------------------------------------
-- A record's value that an agency wrote through the axis. It stands until the source says something newer of that value; a value
-- of another agency's authority stands whatever the source says.

create table record_writes (
    write bigint generated always as identity constraint record_writes_pk primary key,
    dataset_id text not null constraint record_writes_dataset_fk references datasets,
    key text not null,
    field text not null,
    value text, -- as PostgreSQL writes it
    replaced text, -- what the source had said
    agency text not null,
    is_foreign boolean not null, -- whether the agency is another than the owner of the dataset
    at timestamptz not null,
    ended_at timestamptz,
    run_id bigint not null constraint record_writes_run_fk references runs
);
create unique index record_writes_standing on record_writes (dataset_id, field, key) where ended_at is null;

-- A record ended through the axis: the row its source goes on delivering does not bring it back.
create table record_ends (
    dataset_id text not null constraint record_ends_dataset_fk references datasets,
    key text not null,
    digest bigint not null, -- of that row as it came
    at timestamptz not null,
    run_id bigint not null constraint record_ends_run_fk references runs,
    constraint record_ends_pk primary key (dataset_id, key, digest)
);

-- Agreements -------------------------------------------------------------------------------------------------

create table register_edge (
    is_only boolean constraint register_edge_pk primary key default true constraint register_edge_one check (is_only),
    number bigint not null -- grows with every change of agreements and stops: what each serving process looks at
);
insert into register_edge (number) values (0);

create sequence agreement_numbers;

create table agreements (
    agreement_id text constraint agreements_pk primary key,
    provider text not null, -- agency code
    consumer text not null, -- subsystem identifier
    dataset_id text not null, -- a dataset's or a service's id
    origin text not null constraint agreements_origin_known check (origin in ('request', 'file')),
    file_digest text, -- of the file as it was last taken over
    since timestamptz not null
);
create index agreements_provider on agreements (provider);
create index agreements_consumer on agreements (consumer);

-- What was agreed, as it was written; a new version ends the one before.
create table agreement_versions (
    agreement_id text not null constraint agreement_versions_agreement_fk references agreements,
    version integer not null,
    document jsonb not null,
    from_at timestamptz not null,
    ended_at timestamptz,
    constraint agreement_versions_pk primary key (agreement_id, version)
);
create unique index agreement_versions_current on agreement_versions (agreement_id) where ended_at is null;

-- Every act of an agreement's life; the one not ended says the present state.
create table agreement_steps (
    step bigint generated always as identity constraint agreement_steps_pk primary key,
    agreement_id text not null constraint agreement_steps_agreement_fk references agreements,
    act text not null,
    state text not null constraint agreement_steps_state_known
        check (state in ('requested', 'granted', 'active', 'suspended', 'ended', 'refused')),
    version integer not null, -- of the document then
    by_whom text not null,
    by_agency text not null,
    by_subsystem text not null,
    reason text not null,
    legal_text text not null,
    details jsonb not null,
    at timestamptz not null,
    ended_at timestamptz,
    constraint agreement_steps_version_fk foreign key (agreement_id, version) references agreement_versions
);
create unique index agreement_steps_current on agreement_steps (agreement_id) where ended_at is null;
create index agreement_steps_agreement on agreement_steps (agreement_id, step);

create table planned_stops (
    stop bigint generated always as identity constraint planned_stops_pk primary key,
    dataset_id text not null,
    provider text not null,
    begins_at timestamptz not null,
    ends_at timestamptz not null, -- when it is expected to answer again
    is_forced boolean not null, -- force majeure: no notice could be given
    reason text not null,
    by_whom text not null,
    announced_at timestamptz not null,
    withdrawn_at timestamptz,
    withdrawn_reason text,
    constraint planned_stops_order check (ends_at > begins_at)
);
create index planned_stops_open on planned_stops (ends_at) where withdrawn_at is null;

-- What is left of each quota a minute, counted together for every server process: each takes portions of it, and gives back what it did not use.
create table quota_buckets (
    agreement_id text constraint quota_buckets_pk primary key,
    tokens double precision not null,
    filled_at timestamptz not null
);

-- Take up to so many answers of an agreement's quota, after giving back some of those taken before. Nothing is given twice, whoever asks at once.
create function quota_lease(
    agreement text, today date, per_minute integer, per_day bigint, wanted integer, returned integer,
    out given integer, out wait_seconds double precision
)
language plpgsql security definer set search_path = lienthong, pg_temp
as $$
declare
    moment timestamptz := clock_timestamp();
    bucket quota_buckets;
    spent bigint := 0;
begin
    given := wanted;
    wait_seconds := 0;
    if per_minute is not null then
        insert into quota_buckets values (agreement, per_minute, moment) on conflict do nothing;
        select * into bucket from quota_buckets where agreement_id = agreement for update;
        bucket.tokens := least(
            per_minute,
            bucket.tokens + returned + greatest(0, extract(epoch from moment - bucket.filled_at)) * per_minute / 60
        );
        given := least(given, floor(bucket.tokens)::integer);
        wait_seconds := (1 - bucket.tokens) * 60 / per_minute;
    end if;
    if per_day is not null then
        insert into quota_days values (agreement, today, 0) on conflict do nothing;
        select used into spent from quota_days where agreement_id = agreement and day = today for update;
        spent := greatest(0, spent - returned);
        if spent >= per_day then
            wait_seconds := 3600;
        end if;
        given := greatest(0, least(given, per_day - spent));
        update quota_days set used = spent + given where agreement_id = agreement and day = today;
    end if;
    if per_minute is not null then
        update quota_buckets set tokens = bucket.tokens - given, filled_at = moment where agreement_id = agreement;
    end if;
end
$$;
revoke execute on function quota_lease from public;

-- Acts that need two persons: one proposes, another decides. A decided proposal never changes again.
create table proposals (
    proposal bigint generated always as identity constraint proposals_pk primary key,
    kind text not null,
    document jsonb not null, -- what is to be done
    digest text not null, -- of the document: who decides says what they saw
    agency text not null,
    reason text not null,
    proposed_by text not null,
    proposed_at timestamptz not null,
    expires_at timestamptz not null,
    state text not null default 'waiting' constraint proposals_state_known check (state in ('waiting', 'approved', 'refused', 'withdrawn')),
    decided_by text,
    decided_at timestamptz,
    words text, -- of who refused
    constraint proposals_two_persons check (decided_by is null or state = 'withdrawn' or lower(decided_by) <> lower(proposed_by)),
    constraint proposals_decided check ((state = 'waiting') = (decided_at is null))
);
create index proposals_waiting on proposals (kind, proposal) where state = 'waiting';

-- Second factors of registered persons. `sealed` opens only with a key that is not in the database.
create table second_factors (
    factor bigint generated always as identity constraint second_factors_pk primary key,
    person bigint not null constraint second_factors_person_fk references persons,
    kind text not null constraint second_factors_kind_known check (kind in ('totp', 'passkey', 'recovery')),
    label text not null default '',
    sealed bytea not null, -- TOTP: the shared secret; passkey: the public key; recovery: keyed hash of the code
    credential bytea constraint second_factors_credential_unique unique, -- of a passkey
    last_used bigint not null default 0, -- TOTP: the last time step taken; passkey: the last count; a code works once
    made_at timestamptz not null,
    ended_at timestamptz
);
create index second_factors_person on second_factors (person) where ended_at is null;

create table sign_in_failures (
    account bytea not null, -- keyed hash of what was tried
    at timestamptz not null
);
create index sign_in_failures_account on sign_in_failures (account, at);

-- The built-in identity provider's codes, each good once and for a minute.
create table oidc_codes (
    code_hash bytea constraint oidc_codes_pk primary key,
    sealed bytea not null, -- who signed in, for which client, with which nonce and challenge
    expires_at timestamptz not null
);

-- Beside the platform ----------------------------------------------------------------------------------------
-- Links between two agencies' own systems, with what the platform's owner states of each; requests on paper, with what could have carried them.

create sequence direct_link_numbers;

create table direct_links (
    link text constraint direct_links_pk primary key,
    provider text not null, -- agency code
    consumer text not null, -- agency code
    dataset_id text not null, -- of the platform, where it has such data; else empty
    content text not null,
    since date not null,
    could text not null, -- by what the platform could have carried it when it was reported
    agreement_id text not null, -- under which; else empty
    reported_at timestamptz not null,
    constraint direct_links_two_agencies check (provider <> consumer)
);
create index direct_links_provider on direct_links (provider);
create index direct_links_consumer on direct_links (consumer);

-- Every act on a link; the one not ended says how it stands.
create table direct_link_steps (
    step bigint generated always as identity constraint direct_link_steps_pk primary key,
    link text not null constraint direct_link_steps_link_fk references direct_links,
    act text not null,
    state text not null constraint direct_link_steps_state_known check (state in ('reported', 'stated', 'to_move', 'ended')),
    ground text not null constraint direct_link_steps_ground_known check (ground in ('', 'not_ready', 'not_enough')),
    reason text not null,
    document_no text not null, -- of the statement
    dated_on date,
    due_on date, -- to be answered, to be stated anew, to be moved by
    legal_basis text not null, -- in force that day
    by_whom text not null,
    by_agency text not null,
    by_subsystem text not null,
    at timestamptz not null,
    ended_at timestamptz,
    constraint direct_link_steps_statement check (state <> 'stated' or (ground <> '' and document_no <> '' and dated_on is not null and due_on is not null))
);
create unique index direct_link_steps_current on direct_link_steps (link) where ended_at is null;

create table paper_requests (
    request bigint generated always as identity constraint paper_requests_pk primary key,
    asker text not null, -- agency code
    asked text not null, -- agency code
    dataset_id text not null, -- a dataset's or service's id; empty where the platform has no such data
    content text not null,
    document_no text not null,
    sent_on date not null,
    records integer not null constraint paper_requests_some check (records > 0), -- persons, dossiers, parcels it asks about
    could text not null constraint paper_requests_could_known check (could in ('own', 'agreement', 'open', 'default', 'on_request', 'nothing')),
    agreement_id text not null,
    legal_basis text not null, -- in force on the day it was sent
    by_whom text not null,
    by_agency text not null,
    at timestamptz not null,
    ended_at timestamptz, -- withdrawn: recorded by mistake
    ended_by text,
    ended_reason text,
    constraint paper_requests_two_agencies check (asker <> asked)
);
create unique index paper_requests_once on paper_requests (asker, asked, document_no, sent_on) where ended_at is null;
create index paper_requests_sent on paper_requests (sent_on);

-- Brokered services -----------------------------------------------------------------------------------------
-- A row is what a version was from `begun_at` on; a change ends it and begins another. Nothing is deleted.

create table services (
    revision bigint generated always as identity constraint services_pk primary key,
    service text not null,
    version text not null,
    agency text not null,
    state text not null constraint services_state_known check (state in ('draft', 'published', 'deprecated', 'retired')),
    sunset_on date, -- until when a deprecated version answers
    definition jsonb not null, -- service.yaml
    description text not null, -- the OpenAPI document or WSDL as it came
    understood jsonb not null, -- what was worked out of a WSDL
    begun_at timestamptz not null,
    ended_at timestamptz,
    by_whom text not null,
    constraint services_sunset_known check (sunset_on is null or state = 'deprecated')
);
create unique index services_current on services (service, version) where ended_at is null;

create table service_stops (
    stop bigint generated always as identity constraint service_stops_pk primary key,
    service text not null,
    agency text not null,
    begins_at timestamptz not null,
    restores_at timestamptz not null, -- expected
    reason_vi text not null,
    reason_en text not null,
    made_at timestamptz not null,
    ended_at timestamptz,
    by_whom text not null,
    constraint service_stops_forward check (restores_at > begins_at)
);
create unique index service_stops_current on service_stops (service) where ended_at is null;

-- Agencies and subsystems -----------------------------------------------------------------------------------
-- What is known of each stands in its newest row; a change ends that row and begins another.

create table agencies (
    entry bigint generated always as identity constraint agencies_pk primary key,
    code text not null,
    name text not null,
    kind text not null default '',
    parent text not null default '',
    valid_from date not null,
    valid_to date, -- the first day it is no longer there
    successors text[] not null default '{}',
    since timestamptz not null,
    by_whom text not null,
    ended_at timestamptz,
    constraint agencies_period check (valid_to is null or valid_to > valid_from)
);
create unique index agencies_code on agencies (code) where ended_at is null;

-- Communes that end and begin by a province's own resolution, after the edition of the package. What was decided is never changed; it can be taken back.
create table unit_changes (
    change bigint generated always as identity constraint unit_changes_pk primary key,
    takes_effect_on date not null,
    resolution text not null,
    proposal bigint not null constraint unit_changes_proposal_fk references proposals constraint unit_changes_proposal_unique unique,
    decided_at timestamptz not null,
    taken_back_at timestamptz,
    taken_back_by bigint constraint unit_changes_taken_back_fk references proposals, -- the proposal that did
    constraint unit_changes_taken_back check ((taken_back_at is null) = (taken_back_by is null))
);

create table unit_change_units (
    change bigint not null constraint unit_change_units_change_fk references unit_changes,
    code text not null constraint unit_change_units_code_known check (code ~ '^[0-9]{5}$'), -- of the commune that begins
    name text not null,
    made_of text[] not null constraint unit_change_units_made_of_something check (cardinality(made_of) > 0), -- codes of communes that end
    constraint unit_change_units_pk primary key (change, code)
);

create table subsystems (
    entry bigint generated always as identity constraint subsystems_pk primary key,
    identifier text not null,
    agency text not null,
    title_vi text not null,
    title_en text not null,
    is_active boolean not null,
    origin text not null constraint subsystems_origin_known check (origin in ('folder', 'act', 'merger')),
    since timestamptz not null,
    by_whom text not null,
    ended_at timestamptz
);
create unique index subsystems_identifier on subsystems (identifier) where ended_at is null;

-- A key belongs to one subsystem and one environment; its thumbprint (RFC 7638) is never taken up by another.
create table subsystem_keys (
    key_no bigint generated always as identity constraint subsystem_keys_pk primary key,
    identifier text not null,
    kid text not null,
    thumbprint text not null,
    jwk jsonb not null, -- the public part
    environment text not null constraint subsystem_keys_environment_known check (environment in ('production', 'sandbox')),
    proof text not null constraint subsystem_keys_proof_known check (proof in ('folder', 'challenge', 'merger')),
    valid_from date,
    valid_to date, -- the last day
    since timestamptz not null,
    by_whom text not null,
    revoked_at timestamptz,
    revoked_by text,
    reason text,
    constraint subsystem_keys_revoked check ((revoked_at is null) = (revoked_by is null))
);
create unique index subsystem_keys_kid on subsystem_keys (identifier, environment, kid) where revoked_at is null;
create index subsystem_keys_thumbprint on subsystem_keys (thumbprint);

-- Questions a new key has to answer: signed by it within minutes, once.
create table key_challenges (
    challenge text constraint key_challenges_pk primary key,
    identifier text not null,
    environment text not null,
    jwk jsonb not null,
    asked_by text not null,
    expires_at timestamptz not null
);
-- Outbound sync ---------------------------------------------------------------------------------------------
-- Copies of agreed views in agencies' own databases and folders. How far a copy has come is kept in the copy itself, with its
-- rows; here is only what persons ask of it.

create table syncs (
    sync text constraint syncs_pk primary key,
    dataset_id text not null,
    consumer text not null,
    state text not null constraint syncs_state_known check (state in ('filling', 'following', 'waiting', 'stopped', 'failing', 'paused')),
    said_vi text not null default '', -- why it waits, stopped or fails
    said_en text not null default '',
    version integer, -- the newest version that is there, whole
    delivered bigint not null default 0, -- rows sent so far
    failures integer not null default 0, -- one after another
    next_try_at timestamptz,
    worked_at timestamptz, -- when it last was all there
    announced jsonb, -- a change of columns that is to come
    checked_at timestamptz,
    checked jsonb, -- what the last check found
    asked text constraint syncs_asked_known check (asked in ('run', 'check', 'repair')), -- what a person wants done now
    asked_by text
);

create table sync_drifts (
    drift bigint generated always as identity constraint sync_drifts_pk primary key,
    sync text not null constraint sync_drifts_sync_fk references syncs,
    found_at timestamptz not null,
    key text not null,
    kind text not null constraint sync_drifts_kind_known check (kind in ('changed', 'missing', 'foreign')),
    fields text[] not null,
    put_back_at timestamptz
);
create index sync_drifts_sync on sync_drifts (sync, drift);

-- Onboarding: what the platform itself saw a subsystem do in the sandbox. A check that was passed stays passed.
create table onboarding_checks (
    identifier text not null,
    name text not null constraint onboarding_checks_name_known
        check (name in ('token', 'purpose_and_official', 'ended_token', 'quota', 'withheld', 'ledger_proof')),
    state jsonb not null default '{}', -- what the next try is held against
    tries integer not null default 0,
    evidence jsonb, -- what was seen
    passed_at timestamptz,
    constraint onboarding_checks_pk primary key (identifier, name),
    constraint onboarding_checks_seen check ((evidence is null) = (passed_at is null))
);

-- At which security level a subsystem's system was approved: the evidence, with its file or the file's digest. The row not ended counts.
create table security_levels (
    identifier text not null,
    level integer not null constraint security_levels_known check (level between 1 and 5),
    decision text not null, -- its number
    approved_by text not null,
    approved_on date not null,
    valid_until date not null,
    file_name text not null,
    sha256 text not null constraint security_levels_digest check (sha256 ~ '^[0-9a-f]{64}$'),
    content bytea, -- null: the file lies elsewhere, only its digest is here
    by_whom text not null,
    at timestamptz not null,
    ended_at timestamptz,
    constraint security_levels_order check (approved_on <= valid_until)
);
create unique index security_levels_current on security_levels (identifier) where ended_at is null;

-- Reviews of the list of data shared by default, each with the list as it was then.
create table default_reviews (
    review bigint generated always as identity constraint default_reviews_pk primary key,
    agency text not null,
    datasets text[] not null, -- on the list that day
    added text[] not null, -- since the review before
    removed text[] not null,
    words text not null, -- what came of it
    decision text not null,
    by_whom text not null,
    at timestamptz not null
);
create index default_reviews_newest on default_reviews (agency, review desc);
-- Corrections proposed --------------------------------------------------------------------------------------
-- What somebody who is not authoritative for a value believes should be changed: it goes to the agency that is, with a clock.

create table correction_proposals (
    proposal bigint generated always as identity constraint correction_proposals_pk primary key,
    dataset_id text not null constraint correction_proposals_dataset_fk references datasets,
    key text not null,
    kind text not null constraint correction_proposals_kind_known check (kind in ('change', 'begin', 'end')),
    values jsonb not null, -- field → what it should be
    version integer not null, -- of the record it was made from; 0: it was not there
    reason text not null,
    evidence jsonb not null, -- text, document, record: {dataset, key} of the proposer's own
    owner text not null, -- the agency that decides
    by_name text not null,
    by_agency text not null, -- empty: a citizen
    by_subsystem text not null,
    made_at timestamptz not null,
    due_on date not null,
    state text not null default 'open' constraint correction_proposals_state_known check (state in ('open', 'accepted', 'refused', 'withdrawn')),
    decided_at timestamptz,
    decided_by text,
    words text not null default '', -- of who decided
    published integer, -- the version of the dataset it became
    constraint correction_proposals_decided check ((state = 'open') = (decided_at is null))
);
create index correction_proposals_open on correction_proposals (owner, due_on) where state = 'open';
create index correction_proposals_by on correction_proposals (by_agency, by_name, proposal);
create index correction_proposals_record on correction_proposals (dataset_id, key) where state = 'open';

-- Files handed in -------------------------------------------------------------------------------------------

-- Runs: persons' words ---------------------------------------------------------------------------------------

-- What sources said of themselves, held against what landed: counts, sums and hashes, no row.
create table reconciliations (
    reconciliation bigint generated always as identity constraint reconciliations_pk primary key,
    dataset_id text not null constraint reconciliations_dataset_fk references datasets,
    source_name text not null,
    run_id bigint not null constraint reconciliations_run_fk references runs,
    at timestamptz not null,
    agrees boolean, -- null: the source says nothing of itself
    lines jsonb not null -- {what, there, here}
);
create index reconciliations_dataset on reconciliations (dataset_id, reconciliation desc);

-- What each version looks like in counts, and how good it is; made after it is published. Values stand here only where a contract lists them.
create table version_profiles (
    dataset_id text not null,
    version integer not null,
    run_id bigint not null constraint version_profiles_run_fk references runs,
    at timestamptz not null,
    profile jsonb not null, -- records; of each column how many are empty, and how many values lie in which bucket
    scores jsonb not null, -- dimension → per cent
    constraint version_profiles_pk primary key (dataset_id, version),
    constraint version_profiles_version_fk foreign key (dataset_id, version) references versions
);

-- What moved in a version against the ones before.
create table drift_notes (
    note bigint generated always as identity constraint drift_notes_pk primary key,
    dataset_id text not null,
    version integer not null,
    kind text not null constraint drift_notes_kind_known check (kind in ('rows', 'empty', 'new_values', 'distribution')),
    column_name text not null, -- empty: the whole dataset
    found double precision not null,
    usual double precision not null,
    vi text not null,
    en text not null,
    at timestamptz not null,
    constraint drift_notes_profile_fk foreign key (dataset_id, version) references version_profiles
);
create index drift_notes_dataset on drift_notes (dataset_id, version desc);

-- Deliveries a contract's schedule calls for: each due time of each source once. What is to be done, and how often it was tried, stands here.
create table schedule_dues (
    dataset_id text not null constraint schedule_dues_dataset_fk references datasets,
    source_name text not null,
    due_at timestamptz not null,
    state text not null default 'waiting' constraint schedule_dues_state_known
        check (state in ('waiting', 'running', 'come', 'same', 'failed', 'missed')), -- same: what lay there was the last delivery still
    attempts integer not null default 0,
    next_at timestamptz not null,
    late_at timestamptz not null, -- from when on its not coming is silence
    run_id bigint constraint schedule_dues_run_fk references runs,
    error text, -- the code of the last failure
    ended_at timestamptz,
    constraint schedule_dues_pk primary key (dataset_id, source_name, due_at)
);
create index schedule_dues_next on schedule_dues (next_at) where state in ('waiting', 'running');

-- What persons decided of runs: approved past its bounds, withdrawn before or after it was published. Rows are never changed.
create table run_decisions (
    decision bigint generated always as identity constraint run_decisions_pk primary key,
    run_id bigint not null constraint run_decisions_run_fk references runs,
    act text not null constraint run_decisions_act_known check (act in ('approved', 'withdrawn')),
    by_whom text not null,
    reason text not null default '',
    made_by_run bigint constraint run_decisions_made_by_run_fk references runs, -- of a published run withdrawn: the run that put the state before back
    at timestamptz not null
);
create index run_decisions_run on run_decisions (run_id);

-- Changes of rows whose period was closed: each a revision of that period, with its reason and who answers for it.
create table period_revisions (
    dataset_id text not null constraint period_revisions_dataset_fk references datasets,
    period text not null, -- 2025, 2025-Q4, 2025-11
    revision integer not null, -- the period as it closed is 1
    version integer not null,
    run_id bigint not null constraint period_revisions_run_fk references runs,
    rows bigint not null, -- of the period, changed by it
    by_whom text not null,
    reason text not null,
    at timestamptz not null,
    constraint period_revisions_pk primary key (dataset_id, period, revision)
);

-- Files handed in by data officers: the file lies beside the keys until its run has ended; what came of it stays here.
create table uploads (
    upload bigint generated always as identity constraint uploads_pk primary key,
    dataset_id text not null constraint uploads_dataset_fk references datasets,
    agency text not null,
    by_whom text not null,
    file_name text not null,
    size_bytes bigint not null,
    sha256 text not null,
    is_whole boolean not null, -- the whole list: what it does not hold ends; else additions
    state text not null default 'waiting' constraint uploads_state_known check (state in ('waiting', 'running', 'done', 'failed')),
    step text not null default '',
    rows bigint not null default 0,
    total bigint,
    run_id bigint constraint uploads_run_fk references runs,
    error text, -- in words, where it could not be read
    at timestamptz not null,
    ended_at timestamptz
);
create index uploads_agency on uploads (agency, upload desc);
create index uploads_to_do on uploads (upload) where state in ('waiting', 'running');

-- Opening datasets ------------------------------------------------------------------------------------------

-- What was measured of a dataset's rows before it was opened: counts, never values.
create table release_checks (
    check_no bigint generated always as identity constraint release_checks_pk primary key,
    dataset_id text not null constraint release_checks_dataset_fk references datasets,
    version integer not null, -- of the rows
    contract_version text not null,
    shape text not null, -- digest of what of the contract was checked
    verdict text not null constraint release_checks_verdict_known check (verdict in ('safe', 'risky', 'forbidden')),
    report jsonb not null,
    checked_by text not null,
    checked_at timestamptz not null
);
create index release_checks_dataset on release_checks (dataset_id, check_no desc);

-- Whether a dataset of this shape may be opened; a decision stands until the next.
create table release_decisions (
    decision bigint generated always as identity constraint release_decisions_pk primary key,
    check_no bigint not null constraint release_decisions_check_fk references release_checks,
    dataset_id text not null constraint release_decisions_dataset_fk references datasets,
    shape text not null,
    outcome text not null constraint release_decisions_outcome_known check (outcome in ('allowed', 'refused')),
    reason text not null constraint release_decisions_reasoned check (reason <> ''),
    proposed_by text, -- the first of two persons
    decided_by text not null,
    decided_at timestamptz not null,
    ended_at timestamptz,
    constraint release_decisions_two_persons check (proposed_by is null or lower(proposed_by) <> lower(decided_by))
);
create unique index release_decisions_standing on release_decisions (dataset_id) where ended_at is null;

-- Shares (Delta Sharing) ------------------------------------------------------------------------------------
-- A profile opens a recipient's shares; a grant is leave to read the files of one answer, for as long as profile, agreement and right stand.

create table share_profiles (
    profile text constraint share_profiles_pk primary key, -- also its name as an OAuth client
    subsystem text not null,
    kind text not null constraint share_profiles_kind_known check (kind in ('bearer', 'secret', 'key')),
    purpose text not null,
    official text not null,
    secret bytea, -- SHA-256 of the token or secret; null: the subsystem's own key proves it
    made_at timestamptz not null,
    made_by text not null,
    expires_at timestamptz not null,
    replaces text constraint share_profiles_replaces_fk references share_profiles,
    ended_at timestamptz,
    ended_by text,
    constraint share_profiles_proved check ((kind = 'key') = (secret is null)),
    constraint share_profiles_end_told check ((ended_at is null) = (ended_by is null))
);
create index share_profiles_subsystem on share_profiles (subsystem, made_at);

create table share_grants (
    grant_id text constraint share_grants_pk primary key,
    profile text constraint share_grants_profile_fk references share_profiles,
    subsystem text not null, -- `anonymous` for open data
    token text, -- the access token's own number, where it was asked with one
    got_with text, -- and the key it was got with
    purpose text not null,
    official text not null,
    agreement text not null,
    legal_basis text not null,
    dataset_id text not null constraint share_grants_dataset_fk references datasets,
    operation text not null constraint share_grants_operation_known check (operation in ('bulk', 'changes')),
    version integer not null, -- of changes: the first
    last_version integer not null,
    right_digest text not null, -- of what is seen: another right needs another grant
    fields text[] not null,
    made_at timestamptz not null,
    expires_at timestamptz not null
);
create index share_grants_expires on share_grants (expires_at);

create table share_reads (
    grant_id text not null constraint share_reads_grant_fk references share_grants,
    file text not null,
    at timestamptz not null,
    constraint share_reads_pk primary key (grant_id, file)
);

-- The catalogue ---------------------------------------------------------------------------------------------
-- What the catalogue knows beside the contracts. A row is what was so from `since` on; a change ends it and begins another.

-- Data an agency is known to hold, from its inventory sheet: not connected yet.
create table inventory_items (
    entry bigint generated always as identity constraint inventory_items_pk primary key,
    item text not null, -- agency and name as one key
    agency text not null,
    facts jsonb not null, -- what the sheet says, by column
    since timestamptz not null,
    by_whom text not null,
    ended_at timestamptz
);
create unique index inventory_items_item on inventory_items (item) where ended_at is null;

-- The list of open data: what is proposed, approved, planned, open, and what came of it.
create table open_entries (
    entry bigint generated always as identity constraint open_entries_pk primary key,
    dataset_id text not null,
    agency text not null,
    state text not null constraint open_entries_state_known
        check (state in ('proposed', 'refused', 'approved', 'planned', 'open', 'refreshing', 'suspended', 'withdrawn')),
    act text not null, -- what led here
    words text not null default '', -- of who acted
    legal_text text not null default '', -- of a refusal: what restricts
    decision text not null default '', -- number of the decision by which it was approved
    publish_on date, -- of the plan
    reviewed_at timestamptz, -- when it was last looked at with the whole list
    state_since timestamptz not null,
    since timestamptz not null,
    by_whom text not null,
    ended_at timestamptz
);
create unique index open_entries_dataset on open_entries (dataset_id) where ended_at is null;

-- Runs of programs outside (OpenLineage): which datasets they read and wrote, and which columns come from which.
create table lineage_events (
    event bigint generated always as identity constraint lineage_events_pk primary key,
    run_id uuid not null,
    event_type text not null,
    event_time timestamptz not null,
    subsystem text not null,
    job text not null, -- namespace and name
    reads text[] not null,
    writes text[] not null,
    columns jsonb not null, -- written dataset → its column → [dataset, column] it comes from
    received_at timestamptz not null,
    constraint lineage_events_once unique (subsystem, run_id, event_type, event_time)
);
create index lineage_events_reads on lineage_events using gin (reads);
create index lineage_events_writes on lineage_events using gin (writes);
-- Indicators -------------------------------------------------------------------------------------------------
-- Figures are frozen: one that is corrected is a new revision. What they were reckoned by stands beside them.

create table indicator_definitions (
    digest text constraint indicator_definitions_pk primary key, -- SHA-256 of the file as data
    indicator text not null,
    definition jsonb not null, -- what the file said: title, unit, formula, …
    since timestamptz not null
);

create table indicator_figures (
    figure bigint generated always as identity constraint indicator_figures_pk primary key,
    indicator text not null,
    definition text not null constraint indicator_figures_definition_fk references indicator_definitions,
    period text not null, -- its code: 2026-11, 2026-Q4, 2026-H2, 2026
    begins_on date not null,
    until date not null, -- the first day after it
    revision integer not null, -- from 1
    state text not null constraint indicator_figures_state_known check (state in ('estimate', 'late', 'final')),
    total double precision, -- the figure of the whole province; null: there is nothing to reckon it from
    value double precision, -- sum of the parts' values
    base double precision, -- sum of their bases, where there is one
    target double precision,
    faults jsonb not null, -- what is missing for it to be final: [word, dataset]
    reads jsonb not null, -- each dataset as it was read: version, contract, when delivered
    details jsonb not null default '{}', -- of a measure: how it came about
    computed_at timestamptz not null,
    constraint indicator_figures_revision_unique unique (indicator, period, revision)
);
create index indicator_figures_newest on indicator_figures (indicator, begins_on desc, revision desc);

create table indicator_parts (
    figure bigint not null constraint indicator_parts_figure_fk references indicator_figures,
    code text not null, -- of the unit of administration, as recorded; empty: not placed
    valid_from date not null, -- with the code the unit's key
    value double precision not null,
    base double precision,
    constraint indicator_parts_pk primary key (figure, code, valid_from)
);

-- What a figure was reckoned from when it was last looked at: the same again needs no reckoning.
create table indicator_looks (
    indicator text not null,
    period text not null,
    seen text not null,
    looked_at timestamptz not null,
    constraint indicator_looks_pk primary key (indicator, period)
);

-- Explanations asked for on a figure; the answer stays beside the number.
create table figure_questions (
    question bigint generated always as identity constraint figure_questions_pk primary key,
    figure bigint not null constraint figure_questions_figure_fk references indicator_figures, -- the revision that was looked at
    indicator text not null,
    period text not null,
    place text not null default '', -- the unit it is about; empty: the whole province
    place_on date not null, -- the borders it was seen under
    owner text not null, -- the agency that answers
    words text not null,
    asked_by text not null,
    asked_by_agency text not null,
    asked_at timestamptz not null,
    due_on date not null,
    state text not null default 'open' constraint figure_questions_state_known check (state in ('open', 'answered', 'withdrawn')),
    answer text not null default '',
    answered_by text not null default '',
    answered_at timestamptz,
    constraint figure_questions_answered check ((state = 'open') = (answered_at is null))
);
create index figure_questions_open on figure_questions (owner, due_on) where state = 'open';
create index figure_questions_of on figure_questions (indicator, period);

-- Sandbox and training ---------------------------------------------------------------------------------------
-- Only a database that was marked when it was empty is a sandbox: production refuses it, and a sandbox refuses any other.

create table sandbox_mark (
    is_only boolean constraint sandbox_mark_pk primary key default true constraint sandbox_mark_one check (is_only),
    marked_at timestamptz not null,
    filled_at timestamptz, -- when its rows were last invented
    filled_from text not null default '', -- digest of the contracts, the schema and the seed they were invented from
    reset_at timestamptz
);

create table training_learners (
    handle text constraint training_learners_pk primary key,
    name text not null, -- as it stands on the certificate
    agency text not null, -- where they work, whichever agency they practise for
    joined_at timestamptz not null
);

create table training_starts (
    start bigint generated always as identity constraint training_starts_pk primary key,
    handle text not null constraint training_starts_learner_fk references training_learners,
    lesson text not null,
    started_at timestamptz not null,
    facts jsonb not null default '{}' -- what the lesson was begun with: the record asked about, the pairs that waited
);
create index training_starts_newest on training_starts (handle, lesson, start desc);

create table training_completions (
    handle text not null constraint training_completions_learner_fk references training_learners,
    lesson text not null,
    completed_at timestamptz not null,
    evidence jsonb not null, -- SHA-256 of each entry that shows it
    constraint training_completions_pk primary key (handle, lesson)
);
-- Reports ----------------------------------------------------------------------------------------------------
-- A filing holds what a report told, frozen: documents are made from it whenever they are asked for.

create table report_filings (
    filing text constraint report_filings_pk primary key, -- the first 16 hex digits of its digest: what paper names
    report text not null,
    period text not null,
    begins_on date not null,
    until date not null,
    revision integer not null, -- from 1
    state text not null constraint report_filings_state_known check (state in ('late', 'final')),
    owner text not null, -- the agency that issues it
    facts jsonb not null, -- everything its documents say
    digest text not null, -- SHA-256 of the facts
    due_at timestamptz not null,
    filed_at timestamptz not null,
    filed_by text not null, -- an official; lienthong: by its schedule
    constraint report_filings_revision_unique unique (report, period, revision)
);
create index report_filings_newest on report_filings (report, begins_on desc, revision desc);
