-- name: newest
-- The last review of each agency.
select distinct on (agency) review, agency, datasets, added, removed, words, decision, by_whom, at
from default_reviews
order by agency, review desc;

-- name: of
select review, agency, datasets, added, removed, words, decision, by_whom, at
from default_reviews
where agency = %(agency)s
order by review desc
limit 50;

-- name: add
insert into default_reviews (agency, datasets, added, removed, words, decision, by_whom, at)
values (%(agency)s, %(datasets)s, %(added)s, %(removed)s, %(words)s, %(decision)s, %(by)s, %(at)s);

-- name: since
-- When each dataset was first in force.
select dataset_id, min(applied_at) from contract_history where dataset_id = any(%(datasets)s) group by dataset_id;

-- name: lock
select pg_advisory_xact_lock(hashtext('lienthong default list ' || %(agency)s));
