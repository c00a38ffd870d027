-- name: add
-- A new proposal; gives its number.
insert into correction_proposals (dataset_id, key, kind, values, version, reason, evidence, owner, by_name, by_agency, by_subsystem, made_at, due_on)
values (%(dataset)s, %(key)s, %(kind)s, %(values)s, %(version)s, %(reason)s, %(evidence)s, %(owner)s, %(by_name)s, %(by_agency)s,
    %(by_subsystem)s, %(made_at)s, %(due_on)s)
returning proposal;

-- name: open_alike
-- An open proposal of the same person or agency about the same values of the same record.
select proposal
from correction_proposals
where dataset_id = %(dataset)s and key = %(key)s and state = 'open' and by_agency = %(by_agency)s
    and (by_agency <> '' or by_name = %(by_name)s) and owner = %(owner)s
    and (kind <> %(kind)s or values ?| %(fields)s::text[] or cardinality(%(fields)s::text[]) = 0)
limit 1;

-- name: one
-- One proposal.
select proposal, dataset_id, key, kind, values, version, reason, evidence, owner, by_name, by_agency, by_subsystem, made_at, due_on, state,
    decided_at, words, published
from correction_proposals
where proposal = %(proposal)s;

-- name: lock
-- The same, so that nobody else decides it meanwhile.
select proposal, dataset_id, key, kind, values, version, reason, evidence, owner, by_name, by_agency, by_subsystem, made_at, due_on, state,
    decided_at, words, published
from correction_proposals
where proposal = %(proposal)s
for update;

-- name: list
-- Proposals after a number, by who decides or who made them.
select proposal, dataset_id, key, kind, values, version, reason, evidence, owner, by_name, by_agency, by_subsystem, made_at, due_on, state,
    decided_at, words, published
from correction_proposals
where (%(owner)s::text is null or owner = %(owner)s)
    and (%(by_agency)s::text is null or by_agency = %(by_agency)s)
    and (%(by_name)s::text is null or by_name = %(by_name)s)
    and (%(state)s::text is null or state = %(state)s)
    and (%(before)s::date is null or (state = 'open' and due_on < %(before)s))
    and proposal > %(after)s
order by proposal
limit %(limit)s;

-- name: decide
-- What became of it.
update correction_proposals
set state = %(state)s, decided_at = %(at)s, decided_by = %(by)s, words = %(words)s, published = %(published)s
where proposal = %(proposal)s and state = 'open';
