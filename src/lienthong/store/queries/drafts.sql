-- name: add
-- A new draft.
insert into contract_drafts (agency, by_whom, made_at, file_name, dataset_id, document)
values (%(agency)s, %(by)s, %(at)s, %(file_name)s, %(dataset)s, %(document)s)
returning draft;

-- name: find
-- One draft.
select draft, agency, by_whom, made_at, file_name, dataset_id, document, state, ended_at from contract_drafts where draft = %(draft)s;

-- name: take
-- One draft, held until the transaction ends.
select draft, agency, by_whom, made_at, file_name, dataset_id, document, state, ended_at from contract_drafts where draft = %(draft)s for update;

-- name: of_agency
-- Drafts of an agency, newest first.
select draft, agency, by_whom, made_at, file_name, dataset_id, document, state, ended_at from contract_drafts where agency = %(agency)s order by draft desc limit %(limit)s;

-- name: change
-- Other words of an open draft.
update contract_drafts set dataset_id = %(dataset)s, document = %(document)s where draft = %(draft)s and state = 'open';

-- name: end
-- A draft is published or withdrawn.
update contract_drafts set state = %(state)s, ended_at = %(at)s where draft = %(draft)s and state = 'open';

-- name: published_since
-- What was published since an instant.
select draft, agency, by_whom, made_at, file_name, dataset_id, document, state, ended_at from contract_drafts where state = 'published' and ended_at >= %(since)s order by draft;
