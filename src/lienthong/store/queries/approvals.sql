-- name: propose
insert into proposals (kind, document, digest, agency, reason, proposed_by, proposed_at, expires_at)
values (%(kind)s, %(document)s, %(digest)s, %(agency)s, %(reason)s, %(by)s, %(at)s, %(expires_at)s)
returning proposal;

-- name: find
select proposal, kind, document, digest, agency, reason, proposed_by, proposed_at, expires_at, state, decided_by, decided_at, words
from proposals where proposal = %(proposal)s;

-- name: take
-- The same, kept from being decided twice at once.
select proposal, kind, document, digest, agency, reason, proposed_by, proposed_at, expires_at, state, decided_by, decided_at, words
from proposals where proposal = %(proposal)s
for update;

-- name: decide
update proposals set state = %(state)s, decided_by = %(by)s, decided_at = %(at)s, words = %(words)s
where proposal = %(proposal)s and state = 'waiting';

-- name: waiting
-- What waits for a second person, oldest first.
select proposal, kind, document, digest, agency, reason, proposed_by, proposed_at, expires_at, state, decided_by, decided_at, words
from proposals where state = 'waiting' and expires_at > %(at)s and kind = any(%(kinds)s)
order by proposal
limit %(limit)s;
