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
