-- Contracts proposed from spreadsheets.
set search_path to lienthong;

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
