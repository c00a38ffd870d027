-- Links beside the platform and requests on paper.

set search_path to lienthong;

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
