-- What the catalogue knows beside the contracts. A row is what was so from `since` on; a change ends it and begins another.

-- Data an agency is known to hold, from its inventory sheet: not connected yet.
create table lienthong.inventory_items (
    entry bigint generated always as identity constraint inventory_items_pk primary key,
    item text not null, -- agency and name as one key
    agency text not null,
    facts jsonb not null, -- what the sheet says, by column
    since timestamptz not null,
    by_whom text not null,
    ended_at timestamptz
);
create unique index inventory_items_item on lienthong.inventory_items (item) where ended_at is null;

-- The list of open data: what is proposed, approved, planned, open, and what came of it.
create table lienthong.open_entries (
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
create unique index open_entries_dataset on lienthong.open_entries (dataset_id) where ended_at is null;

-- Runs of programs outside (OpenLineage): which datasets they read and wrote, and which columns come from which.
create table lienthong.lineage_events (
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
create index lineage_events_reads on lienthong.lineage_events using gin (reads);
create index lineage_events_writes on lienthong.lineage_events using gin (writes);
